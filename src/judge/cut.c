/* One split in thirty only needs the file to be cut: each of its operations
 * has a phase, though they have none together. */
#include "judge/fixing.h"

#include <string.h>

#include "base/util.h"

enum part { PART_EITHER, PART_FIRST, PART_LAST, PART_NEITHER };

/* One operation: old code on the schema with it and what stands before it,
 * new code on the schema with all but it. */
static enum part
part_of(struct fixing *f, uint32_t i)
{
	const struct release *r = f->j->r;
	struct vec before = f->m->before.have, after = before, all = before;
	struct findings fa = { 0 }, fb = { 0 }, x = { 0 }, y = { 0 };
	struct vec without = before;

	for (uint32_t k = 0; k < f->m->nchanges; k++)
		for (uint32_t d = 0; d < f->m->changes[k].fwd.n; d++) {
			const struct ddl *s = &f->m->changes[k].fwd.v[d];
			sym missing = NULL;

			if (k < i)
				schema_apply(f->j->a, &before, s, &missing);
			if (k <= i)
				schema_apply(f->j->a, &after, s, &missing);
			if (k != i)
				schema_apply(f->j->a, &without, s, &missing);
			schema_apply(f->j->a, &all, s, &missing);
		}
	struct names touched = schema_touched(f->j, &f->m->before.have, &all);

	runs_on(&fa, f->j->a, &r->old.want, &after, &touched, f->j->s);
	runs_on(&x, f->j->a, &r->old.want, &before, &touched, f->j->s);
	findings_minus(&fa, &x);
	findings_soften(&fa, &r->old.have, &after);
	runs_on(&fb, f->j->a, &r->new.want, &without, &touched, f->j->s);
	runs_on(&y, f->j->a, &r->new.want, &all, &touched, f->j->s);
	findings_minus(&fb, &y);

	bool a = findings_worst(&fa) < DEGREE_MAY;
	bool b = findings_worst(&fb) < DEGREE_MAY;
	return a && b ? PART_EITHER : a ? PART_FIRST : b ? PART_LAST :
	    PART_NEITHER;
}

static void
lines(struct strbuf *b, const struct fixing *f, const enum part *p,
    enum part which)
{
	for (uint32_t i = 0; i < f->m->nchanges; i++) {
		bool last = p[i] == PART_LAST;

		if (last != (which == PART_LAST) || f->m->changes[i].op == NULL)
			continue;
		strbuf_printf(b, "%s%u", b->len > 0 ? ", " : "",
		    f->m->changes[i].op->line);
	}
}

void
fix_cut(struct fixing *f)
{
	uint32_t n = f->m->nchanges, first = 0, last = 0;
	enum part *p = arena_array(f->j->a, enum part, n + 1);
	struct strbuf before STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf after STRBUF_SCOPED = STRBUF_INIT;

	if (f->v->forward != FWD_SPLIT || n < 2 || n > 200)
		return;
	for (uint32_t i = 0; i < n; i++) {
		p[i] = part_of(f, i);
		first += p[i] == PART_FIRST;
		last += p[i] == PART_LAST;
		if (p[i] == PART_NEITHER)
			return;
	}
	if (first == 0 || last == 0)
		return;
	lines(&before, f, p, PART_FIRST);
	lines(&after, f, p, PART_LAST);
	f->c = NULL;
	fix_add(f, "make two migrations of it: each of its operations has a "
	    "phase, only together they have none", "# in a migration of its own, "
	    "first: the operations on lines %s\n"
	    "# in a second one that depends on it: those on lines %s\n",
	    before.s, after.s);
}

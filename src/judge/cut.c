/* One split in thirty only needs the file to be cut: each of its parts has a
 * phase, though they have none together. */
#include "judge/fixing.h"

#include <string.h>

#include "base/util.h"

#define OPERATIONS 60		/* more are not weighed one by one */

/* A part of m as a migration of its own. */
static struct moved *
part(struct arena *a, const struct moved *m, uint32_t from, uint32_t n)
{
	struct moved *p = arena_copy(a, m, sizeof(*m));

	p->changes += from;
	p->nchanges = n;
	p->steps = NULL;
	return p;
}

static struct vec
folded(struct arena *a, struct vec have, const struct moved *m)
{
	for (uint32_t i = 0; i < m->nchanges; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++) {
			sym missing = NULL;

			schema_apply(a, &have, &m->changes[i].fwd.v[k],
			    &missing);
		}
	return have;
}

/* Safe, unsafe, either; split: in no phase. */
static enum forward
phase_of(struct judging *j, struct square *q)
{
	j->mute = true;
	square_ask(j, q);
	j->mute = false;
	bool a = findings_worst(&q->a) < DEGREE_MAY;
	bool b = findings_worst(&q->b) < DEGREE_MAY;

	return !a && !b ? FWD_SPLIT : is_opaque(q->m) ? FWD_OPAQUE :
	    a && b ? FWD_EITHER : a ? FWD_SAFE : FWD_UNSAFE;
}

struct cut { enum forward first, last; };

/* m's first n changes, then its others: the phases of both. */
static bool
try(struct fixing *f, const struct moved *m, uint32_t n, struct cut *cut)
{
	struct judging *j = f->trial;
	uint32_t k = f->at;
	struct square x = { .m = part(j->a, m, 0, n), .before = j->at[k] };
	struct square y = { .m = part(j->a, m, n, m->nchanges - n),
		.after = j->at[k + 1], .with = schema_without(j, k, true) };

	x.after = y.before = folded(j->a, x.before, x.m);
	x.without = schema_without(j, k, false);
	x.with = y.without = x.without.v == x.before.v ? x.after :
	    folded(j->a, x.without, x.m);
	cut->first = phase_of(j, &x);
	if (cut->first == FWD_SPLIT)
		return false;
	cut->last = phase_of(j, &y);
	if (cut->last == FWD_SPLIT)
		return false;
	/* what is safe does not wait for what is not */
	return cut->first != FWD_UNSAFE || cut->last != FWD_SAFE;
}

static sym
span(struct arena *a, uint32_t from, uint32_t to)
{
	return from == to ? sym_printf(a, "operation %u", from) :
	    sym_printf(a, "operations %u to %u", from, to);
}

static void
tell(struct fixing *f, const struct cut *c, uint32_t first, uint32_t last)
{
	struct arena *a = f->j->a;

	f->c = NULL;
	fix_add(f, sym_printf(a, "cut it in two after operation %u: then the "
	    "first part is %s, the second %s", first, forward_name[c->first],
	    forward_name[c->last]), "# this migration: %s\n"
	    "# the next one, which depends on it: %s\n", span(a, 1, first),
	    span(a, last, operation_number(f->m, f->m->nchanges - 1)));
}

static bool
cut_between(struct fixing *f)
{
	for (uint32_t i = 1; i < f->m->nchanges; i++) {
		uint32_t x = operation_number(f->m, i - 1);
		uint32_t y = operation_number(f->m, i);
		struct cut c;

		if (x == y || !try(f, f->m, i, &c))
			continue;
		tell(f, &c, x, y);
		return true;
	}
	return false;
}

/* Does it run like that, and end the same? */
static bool
runs(struct fixing *f, const struct moved *m)
{
	struct vec have = m->before.have;
	sym missing = NULL;

	for (uint32_t i = 0; i < m->nchanges && missing == NULL; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++)
			schema_apply(f->trial->a, &have,
			    &m->changes[i].fwd.v[k], &missing);
	return missing == NULL;
}

static void
numbers(struct strbuf *b, const struct moved *m, const bool *last, bool which)
{
	uint32_t told = 0;

	for (uint32_t i = 0; i < m->nchanges; i++) {
		uint32_t n = operation_number(m, i);

		if (last[i] != which || n == told)
			continue;
		strbuf_printf(b, "%s%u", told > 0 ? ", " : "", n);
		told = n;
	}
}

/* Each operation by itself: what must come after goes to the end. */
static void
cut_apart(struct fixing *f)
{
	struct arena *a = f->trial->a;
	struct moved *m = arena_copy(a, f->m, sizeof(*f->m));
	struct change *order = arena_array(a, struct change, m->nchanges + 1);
	bool *last = arena_array(a, bool, m->nchanges + 1);
	struct strbuf x STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf y STRBUF_SCOPED = STRBUF_INIT;
	uint32_t n = 0, first;
	struct cut c;

	for (uint32_t i = 0; i < m->nchanges; i++) {
		const struct moved *one = part(a, f->m, i, 1);
		struct square q = { .m = one, .before = m->before.have };

		q.after = folded(a, q.before, one);
		q.with = q.without = q.after;	/* old code alone decides */
		last[i] = phase_of(f->trial, &q) != FWD_EITHER;
		if (i > 0 && operation_number(m, i) ==
		    operation_number(m, i - 1))
			last[i] = last[i] || last[i - 1];
	}
	for (uint32_t i = 0; i < m->nchanges; i++)
		if (!last[i])
			order[n++] = f->m->changes[i];
	first = n;
	for (uint32_t i = 0; i < m->nchanges; i++)
		if (last[i])
			order[n++] = f->m->changes[i];
	m->changes = order;
	if (first == 0 || first == n || !runs(f, m) || !try(f, m, first, &c))
		return;
	numbers(&x, f->m, last, false);
	numbers(&y, f->m, last, true);
	f->c = NULL;
	fix_add(f, sym_printf(f->j->a, "make two migrations of it: then the "
	    "first is %s, the second %s", forward_name[c.first],
	    forward_name[c.last]),
	    "# in a migration of its own, first: operation %s\n"
	    "# in a second one that depends on it: operation %s\n", x.s, y.s);
}

/* Only what stands between its statements is wrong with it. */
static bool
one_transaction(struct fixing *f)
{
	struct judging *j = f->trial;
	struct migration *file = arena_copy(j->a, f->m->m, sizeof(*file));
	struct moved *m = part(j->a, f->m, 0, f->m->nchanges);
	struct square q = { .m = m, .before = j->at[f->at],
		.after = j->at[f->at + 1],
		.without = schema_without(j, f->at, false),
		.with = schema_without(j, f->at, true) };

	if (file->atomic)
		return false;
	for (uint32_t i = 0; i < m->nchanges; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++)
			if (m->changes[i].fwd.v[k].concurrently)
				return false;
	file->atomic = true;
	m->m = file;
	enum forward w = phase_of(j, &q);
	if (w == FWD_SPLIT)
		return false;
	f->c = NULL;
	fix_add(f, sym_printf(f->j->a, "let it be one transaction: then it is "
	    "%s", forward_name[w]), "# without: atomic = False\n");
	return true;
}

void
fix_cut(struct fixing *f)
{
	if (f->v->forward != FWD_SPLIT)
		return;
	struct judging trial = *f->j;
	trial.a = arena_scratch(f->j->a);
	f->trial = &trial;
	if (!one_transaction(f) && f->m->nchanges > 1 &&
	    f->m->nchanges <= OPERATIONS && !cut_between(f))
		cut_apart(f);
	f->trial = NULL;
	arena_free(trial.a);
}

/* The corners of the square for a release, and what each migration has to
 * do with them. */
#include "judge/judging.h"
#include "judge/hazards.h"

#include <string.h>

#include "base/util.h"

const char *const forward_name[] = {
	"either", "safe", "unsafe", "split", "never", "opaque",
};

void
schema_fold(struct arena *a, struct vec *have, const struct moved *m)
{
	if (have->v == m->before.have.v && have->n == m->before.have.n) {
		*have = m->after.have;
		return;
	}
	for (uint32_t i = 0; i < m->nchanges; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++) {
			sym missing = NULL;

			schema_apply(a, have, &m->changes[i].fwd.v[k],
			    &missing);
		}
	/* what could not be read was taken on trust: so it is here */
	struct names t = vec_touched(a, &m->before.have, &m->after.have);
	for (uint32_t i = 0; i < t.n; i++) {
		const struct table *x = vec_find(&m->after.have, t.v[i]);

		if (x != NULL && x->trusted)
			*have = vec_put(a, *have, x);
	}
}

bool
pending_needs(const struct judging *j, uint32_t i, uint32_t on)
{
	return (j->needs[i * j->words + on / 64] >> (on % 64)) & 1;
}

static void
need(struct judging *j, uint32_t i, uint32_t parent)
{
	j->needs[i * j->words + parent / 64] |= (uint64_t)1 << (parent % 64);
	for (uint32_t w = 0; w < j->words; w++)
		j->needs[i * j->words + w] |= j->needs[parent * j->words + w];
}

static bool
names_dep(const struct migration *m, const struct migration *parent)
{
	for (uint32_t d = 0; d < m->ndeps; d++)
		if (streq(m->deps[d].app, parent->app) &&
		    streq(m->deps[d].name, parent->name))
			return true;
	for (uint32_t d = 0; d < parent->nrun_before; d++)
		if (streq(parent->run_before[d].app, m->app) &&
		    streq(parent->run_before[d].name, m->name))
			return true;
	return false;
}

static uint32_t
graph_index(const struct graph *g, const struct migration *m)
{
	for (uint32_t i = 0; g != NULL && i < g->n; i++)
		if (g->order[i] == m)
			return i;
	return UINT32_MAX;
}

static bool
graph_parent(const struct graph *g, uint32_t i, uint32_t parent)
{
	if (i == UINT32_MAX || parent == UINT32_MAX)
		return false;
	for (uint32_t p = 0; p < g->nparents[i]; p++)
		if (g->parents[i][p] == parent)
			return true;
	return false;
}

/* Parents come before their children, so one pass closes the relation. */
static void
dependencies(struct judging *j)
{
	const struct release *r = j->r;
	uint32_t *at = arena_array(j->a, uint32_t, j->n + 1);

	j->words = (j->n + 63) / 64;
	j->needs = arena_array(j->a, uint64_t, (size_t)j->words * j->n + 1);
	for (uint32_t i = 0; i < j->n && !j->first; i++) {
		at[i] = graph_index(r->graph, r->v[i]->m);
		for (uint32_t p = 0; p < i; p++)
			if (graph_parent(r->graph, at[i], at[p]) ||
			    names_dep(r->v[i]->m, r->v[p]->m))
				need(j, i, p);
	}
}

void
reason_add(struct judging *j, struct findings *f, const struct reason *r)
{
	struct reason *v = arena_array(j->a, struct reason, f->n + 1);

	if (f->n > 0)
		memcpy(v, f->v, f->n * sizeof(*v));
	v[f->n++] = *r;
	f->v = v;
	f->cap = f->n;
}

/* Reasons of code on `after` that it has not on `before`. */
static struct findings
difference(struct judging *j, const struct vec *want,
    const struct vec *before, const struct vec *after)
{
	struct findings f = { .mute = j->mute }, known = { .mute = true };
	struct names t = vec_touched(j->a, before, after);

	runs_on_memo(&f, j->a, want, after, &t, j->s, &j->memo);
	if (f.n > 0)
		runs_on_memo(&known, j->a, want, before, &t, j->s, &j->memo);
	findings_minus(&f, &known);
	return f;
}

/* What was so before is drift, and no reason. */
static void
without_old(struct judging *j, struct findings *f, const struct vec *want)
{
	struct findings known = { .mute = true };

	if (f->n == 0)
		return;
	struct names about = reach_reasons(j->a, f);
	runs_on_memo(&known, j->a, want, &j->r->old.have, &about, j->s,
	    &j->memo);
	findings_minus(f, &known);
}

/* Old code, of whichever release, on `after`. */
struct findings
reasons_old(struct judging *j, const struct vec *before,
    const struct vec *after)
{
	struct findings f = difference(j, &j->r->old.want, before, after);

	without_old(j, &f, &j->r->old.want);
	for (uint32_t i = 0; i < j->r->nothers; i++) {
		const struct vec *want = &j->r->others[i].want;
		struct findings more = difference(j, want, before, after);

		without_old(j, &more, want);
		findings_minus(&more, &f);
		for (uint32_t x = 0; x < more.n; x++)
			reason_add(j, &f, &more.v[x]);
	}
	findings_soften(&f, &j->r->old.have, after);
	return f;
}

/* New code without a step; what is wrong with it too is the doing of others. */
struct findings
reasons_new(struct judging *j, const struct vec *with,
    const struct vec *without)
{
	struct findings f = difference(j, &j->r->new.want, with, without);

	without_old(j, &f, &j->r->old.want);
	return f;
}

/* Each reason why the new code does not run on its own schema goes to the
 * migration after which it was first there, else to the last. */
static void
never(struct judging *j)
{
	struct findings seen = { 0 };
	struct findings *all = &j->out->never;
	struct names t = reach_release(j->a, &j->r->old, &j->r->new.want,
	    &j->at[j->n]);

	runs_on_memo(all, j->a, &j->r->new.want, &j->at[j->n], &t, j->s,
	    &j->memo);
	without_old(j, all, &j->r->old.want);
	struct names about = reach_reasons(j->a, all);
	for (uint32_t k = 0; k < j->n && seen.n < all->n; k++) {
		struct findings f = { .mute = true };

		runs_on_memo(&f, j->a, &j->r->v[k]->after.want, &j->at[k + 1],
		    &about, j->s, &j->memo);
		for (uint32_t i = 0; i < all->n; i++)
			if (!findings_has(&seen, &all->v[i]) &&
			    (k + 1 == j->n || findings_has(&f, &all->v[i]))) {
				reason_add(j, &seen, &all->v[i]);
				reason_add(j, &j->out->v[k].never, &all->v[i]);
			}
	}
}

/* A table that went with unread SQL is gone on trust too. */
static void
distrust_gone(struct findings *f, const struct moved *m)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		bool read = f->v[i].kind != REASON_NO_TABLE;

		for (uint32_t c = 0; !read && c < m->nchanges; c++)
			for (uint32_t d = 0; d < m->changes[c].fwd.n; d++) {
				const struct ddl *x = &m->changes[c].fwd.v[d];

				read |= (x->kind == DDL_DROP_TABLE ||
				    x->kind == DDL_RENAME_TABLE) &&
				    streq(x->table, f->v[i].table);
			}
		if (read)
			f->v[kept++] = f->v[i];
	}
	f->n = kept;
}

const char *const opaque_name[] = {
	[OPAQUE_NOT] = "none", [OPAQUE_PYTHON] = "python",
	[OPAQUE_SQL] = "sql", [OPAQUE_DATA] = "data",
	[OPAQUE_OPERATION] = "operation", [OPAQUE_FIELD] = "field",
	[OPAQUE_STATE] = "state", [OPAQUE_SYNTAX] = "syntax",
	[OPAQUE_TRIGGER] = "trigger", [OPAQUE_NAME] = "name"
};

bool
is_opaque(const struct moved *m)
{
	for (uint32_t i = 0; i < m->nchanges; i++)
		if (m->changes[i].why != OPAQUE_NOT)
			return true;
	return false;
}

static void
opaque_parts(struct judging *j, struct verdict *v, const struct moved *m)
{
	v->opaque = is_opaque(m);
	if (v->opaque)
		v->parts = arena_array(j->a, struct opaque_part, m->nchanges);
	for (uint32_t i = 0; i < m->nchanges; i++) {
		const struct change *c = &m->changes[i];

		if (c->stops != NULL && v->stops == NULL)
			v->stops = sym_printf(j->a, "%s:%u: %s", m->m->path !=
			    NULL ? m->m->path : m->m->name, c->op->line,
			    c->stops);
		if (c->why == OPAQUE_NOT)
			continue;
		v->parts[v->nparts++] = (struct opaque_part){ c->why,
		    c->note != NULL ? c->note : "cannot be read",
		    c->op != NULL ? c->op->line : 0 };
	}
}

/* A constraint that models do not speak of, written by hand, is one that the
 * new code is meant to keep: it stops old code only. */
enum degree
never_worst(const struct verdict *v, const struct reason **which)
{
	enum degree worst = DEGREE_OK;

	*which = NULL;
	for (uint32_t i = 0; i < v->never.n; i++) {
		const struct reason *r = &v->never.v[i];
		bool by_hand = r->kind == REASON_CHECK ||
		    r->kind == REASON_UNIQUE || r->kind == REASON_EXCLUDE;

		if (r->degree <= worst || (by_hand && r->degree < DEGREE_BREAKS))
			continue;
		worst = r->degree;
		*which = r;
	}
	return worst;
}

enum forward
forward_of(const struct verdict *v, bool first)
{
	bool a = v->da < DEGREE_MAY, b = v->db < DEGREE_MAY;
	const struct reason *r = NULL;

	if (first && !v->opaque)
		return FWD_SAFE;
	if (never_worst(v, &r) >= DEGREE_MAY)
		return FWD_NEVER;
	if (!a && !b)
		return FWD_SPLIT;
	if (v->opaque)
		return FWD_OPAQUE;
	return a && b ? FWD_EITHER : a ? FWD_SAFE : FWD_UNSAFE;
}

void
square_ask(struct judging *j, struct square *q)
{
	q->a = reasons_old(j, &q->before, &q->after);
	q->b = reasons_new(j, &q->with, &q->without);
	if (!q->m->m->atomic)
		midway(j, q);
	findings_distrust(&q->a, &q->before, &q->after);
	findings_distrust(&q->b, &q->before, &q->after);
	if (is_opaque(q->m))
		distrust_gone(&q->a, q->m);
}

static void
corners(struct judging *j, uint32_t k)
{
	struct verdict *v = &j->out->v[k];

	struct square q = { .m = j->r->v[k], .before = j->at[k],
		.after = j->at[k + 1], .without = schema_without(j, k, false),
		.with = schema_without(j, k, true) };

	square_ask(j, &q);
	v->a = q.a;
	v->b = q.b;
	v->da = findings_worst(&v->a);
	v->db = findings_worst(&v->b);
}

static void
judge_one(struct judging *j, uint32_t k)
{
	const struct moved *m = j->r->v[k];
	struct verdict *v = &j->out->v[k];

	v->m = m->m;
	opaque_parts(j, v, m);
	if (v->opaque)		/* the part that is not read may be what is missing */
		v->never.n = 0;
	gist(j, v, m);
	phrase(j, &v->a, m, CORNER_A);
	phrase(j, &v->b, m, CORNER_B);
	phrase(j, &v->never, m, CORNER_NEW);
	v->forward = forward_of(v, j->first);
	hazards(j->a, &v->hazards, &v->nhazards, m, false);
	hazards(j->a, &v->back, &v->nback, m, true);
	rows(j, v, m);
	fixes(j, v, m);
}

static bool
has_kind(const struct findings *f, enum reason_kind kind)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].kind == kind)
			return true;
	return false;
}

bool
judgement_upserts(const struct judgement *j)
{
	for (uint32_t k = 0; k < j->n; k++)
		if (has_kind(&j->v[k].a, REASON_NO_UNIQUE) ||
		    has_kind(&j->v[k].b, REASON_NO_UNIQUE))
			return true;
	return has_kind(&j->never, REASON_NO_UNIQUE);
}

void
judgement_bound(struct judgement *j, struct arena *a)
{
	for (uint32_t i = 0; i < j->n; i++) {
		struct verdict *v = &j->v[i];
		const char *path = v->m->path;

		if (!v->unbound || v->refused != NULL || path == NULL)
			continue;
		v->refused = sym_printf(a, "its tag is not bound to its "
		    "operations: sluice tag %s", sym_word(a, path));
		j->fine = false;
	}
}

void
judge_corners(struct judging *j)
{
	const struct release *r = j->r;
	struct judgement *out = j->out;
	struct arena *a = j->a;

	memset(out, 0, sizeof(*out));
	out->v = arena_array(a, struct verdict, r->n + 1);
	out->n = j->n = r->n;
	j->first = r->old.want.n == 0;
	j->at = arena_array(a, struct vec, r->n + 1);
	j->touched = arena_array(a, struct names, r->n + 1);
	j->at[0] = r->old.have;
	for (uint32_t k = 0; k < r->n; k++) {
		j->at[k + 1] = j->at[k];
		schema_fold(a, &j->at[k + 1], r->v[k]);
		if (r->n > 1)
			j->touched[k] = vec_touched(a, &j->at[k],
			    &j->at[k + 1]);
	}
	dependencies(j);
	if (!j->first) {
		for (uint32_t k = 0; k < r->n; k++)
			corners(j, k);
		never(j);
	}
	for (uint32_t k = 0; k < r->n; k++)
		judge_one(j, k);
}

void
judge_release(struct judgement *out, struct arena *a,
    const struct release *r, const struct settings *s)
{
	struct judging j = { .a = a, .r = r, .s = s, .out = out };

	judge_corners(&j);
	phases(&j);
}

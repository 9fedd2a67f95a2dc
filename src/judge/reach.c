/* Which tables a question is about, so that the others are not asked. */
#include "judge/judge.h"
#include "judge/judging.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static int
name_cmp(const void *x, const void *y)
{
	const sym *p = x, *q = y;

	return *p == *q ? 0 : strcmp(*p, *q);
}

static struct names
names_sort(sym *v, uint32_t n)
{
	uint32_t kept = 0;

	if (n > 1)
		qsort(v, n, sizeof(*v), name_cmp);
	for (uint32_t i = 0; i < n; i++)
		if (kept == 0 || !streq(v[kept - 1], v[i]))
			v[kept++] = v[i];
	return (struct names){ v, kept };
}

bool
names_has(const struct names *n, sym name)
{
	uint32_t lo = 0;

	for (uint32_t hi = n->n; lo < hi && name != NULL;) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = n->v[mid] == name ? 0 : strcmp(n->v[mid], name);

		if (c == 0)
			return true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static bool
points_in(const struct table *t, const struct names *asked)
{
	for (uint16_t i = 0; i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK &&
		    names_has(asked, t->cons[i].ref_table))
			return true;
	return false;
}

struct reach
reach_of(struct arena *a, const struct names *asked, const struct vec *have)
{
	struct list(sym) names = { 0 }, near = { 0 };

	for (uint32_t i = 0; i < asked->n; i++)
		*list_add(a, &names) = *list_add(a, &near) = asked->v[i];
	struct reach r = { .asked = names_sort(names.v, names.n) };
	for (uint32_t i = 0; r.asked.n > 0 && i < have->n; i++)
		if (points_in(have->v[i], &r.asked))
			*list_add(a, &near) = have->v[i]->name;
	r.near = names_sort(near.v, near.n);
	return r;
}

static void
add_targets(struct arena *a, struct syms *out, const struct table *t)
{
	for (uint16_t i = 0; t != NULL && i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK)
			*list_add(a, out) = t->cons[i].ref_table;
}

/* The tables in which two schemas differ, and those their keys point to. */
struct reach
reach_between(struct arena *a, const struct vec *x, const struct vec *y)
{
	struct names t = vec_touched(a, x, y);
	struct syms all = { 0 };

	for (uint32_t i = 0; i < t.n; i++) {
		*list_add(a, &all) = t.v[i];
		add_targets(a, &all, vec_find(x, t.v[i]));
		add_targets(a, &all, vec_find(y, t.v[i]));
	}
	struct names asked = { all.v, all.n };
	return reach_of(a, &asked, x);
}

/* Whose foreign keys would point to a table that has come or gone. */
static void
add_heirs(struct arena *a, struct syms *out, const struct vec *want,
    const struct vec *x, const struct vec *y, const struct names *touched)
{
	struct list(sym) moved = { 0 };

	for (uint32_t i = 0; i < touched->n; i++)
		if ((vec_find(x, touched->v[i]) == NULL) !=
		    (vec_find(y, touched->v[i]) == NULL))
			*list_add(a, &moved) = touched->v[i];
	struct names m = { moved.v, moved.n };
	for (uint32_t i = 0; m.n > 0 && i < want->n; i++)
		if (points_in(want->v[i], &m))
			*list_add(a, out) = want->v[i]->name;
}

/* The tables about which code may have come to run otherwise on its schema. */
struct reach
reach_release(struct arena *a, const struct world *old, const struct vec *want,
    const struct vec *have)
{
	struct names w = vec_touched(a, &old->want, want);
	struct names h = vec_touched(a, &old->have, have);
	struct syms all = { 0 };

	for (uint32_t i = 0; i < w.n; i++)
		*list_add(a, &all) = w.v[i];
	for (uint32_t i = 0; i < h.n; i++)
		*list_add(a, &all) = h.v[i];
	add_heirs(a, &all, &old->want, &old->have, have, &h);
	add_heirs(a, &all, want, &old->have, have, &h);
	struct names asked = { all.v, all.n };
	return reach_of(a, &asked, have);
}

struct names
findings_tables(const struct findings *f, struct arena *a)
{
	struct syms v = { 0 };

	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].table != NULL)
			*list_add(a, &v) = f->v[i].table;
	return (struct names){ v.v, v.n };
}

/* The tables that reasons are about are all that can take them away. */
void
findings_less(struct findings *f, struct arena *a, const struct vec *want,
    const struct vec *have, const struct settings *s)
{
	struct findings known = { 0 };

	if (f->n == 0)
		return;
	struct names about = findings_tables(f, a);
	runs_on(&known, a, want, have, &about, s);
	findings_minus(f, &known);
}

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

struct names
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
	for (uint32_t i = 0; i < n->n && name != NULL; i++)
		if (streq(n->v[i], name))
			return true;
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

/* Whose foreign keys point, or would point, to one of these. */
static void
add_heirs(struct arena *a, struct syms *out, const struct vec *v,
    const struct names *moved)
{
	for (uint32_t i = 0; moved->n > 0 && i < v->n; i++)
		if (points_in(v->v[i], moved))
			*list_add(a, out) = v->v[i]->name;
}

/* In one of two vectors only: a table that has come or gone. */
static void
add_moved(struct arena *a, struct syms *out, const struct names *touched,
    const struct vec *x, const struct vec *y)
{
	for (uint32_t i = 0; i < touched->n; i++)
		if ((vec_find(x, touched->v[i]) == NULL) !=
		    (vec_find(y, touched->v[i]) == NULL))
			*list_add(a, out) = touched->v[i];
}

struct names
reach_release(struct arena *a, const struct world *old, const struct vec *want,
    const struct vec *have)
{
	struct names w = vec_touched(a, &old->want, want);
	struct names h = vec_touched(a, &old->have, have);
	struct syms all = { 0 }, moved = { 0 };

	for (uint32_t i = 0; i < w.n; i++)
		*list_add(a, &all) = w.v[i];
	for (uint32_t i = 0; i < h.n; i++)
		*list_add(a, &all) = h.v[i];
	add_moved(a, &moved, &w, &old->want, want);
	add_moved(a, &moved, &h, &old->have, have);
	struct names m = { moved.v, moved.n };
	add_heirs(a, &all, &old->want, &m);
	add_heirs(a, &all, want, &m);
	add_heirs(a, &all, &old->have, &m);
	add_heirs(a, &all, have, &m);
	return names_sort(all.v, all.n);
}

/* The tables that reasons are about are all that can take them away. */
struct names
reach_reasons(struct arena *a, const struct findings *f)
{
	struct syms all = { 0 };

	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].table != NULL)
			*list_add(a, &all) = f->v[i].table;
	return names_sort(all.v, all.n);
}

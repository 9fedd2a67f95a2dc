#include <string.h>

#include "base/util.h"
#include "judge/schema.h"
#include "judge/judge.h"

/* The place of a name, or where it would go. */
static uint32_t
place(const struct vec *v, sym name)
{
	uint32_t lo = 0;

	for (uint32_t hi = v->n; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (v->v[mid]->name == name)
			return mid;
		if (strcmp(v->v[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct table *
vec_find(const struct vec *v, sym name)
{
	if (name == NULL)
		return NULL;
	uint32_t i = place(v, name);

	return i < v->n && streq(v->v[i]->name, name) ? v->v[i] : NULL;
}

struct vec
vec_put(struct arena *a, struct vec v, const struct table *t)
{
	uint32_t i = place(&v, t->name);
	uint32_t old = i < v.n && streq(v.v[i]->name, t->name);
	const struct table **n = arena_alloc(a, v.n + 1 - old, sizeof(*n));

	if (i > 0)
		memcpy(n, v.v, i * sizeof(*n));
	n[i] = t;
	if (v.n > i + old)
		memcpy(n + i + 1, v.v + i + old, (v.n - i - old) * sizeof(*n));
	return (struct vec){ n, v.n + 1 - old };
}

struct vec
vec_drop(struct arena *a, struct vec v, sym name)
{
	uint32_t i = place(&v, name);

	if (i == v.n || !streq(v.v[i]->name, name))
		return v;
	const struct table **n = arena_alloc(a, v.n, sizeof(*n));
	if (i > 0)
		memcpy(n, v.v, i * sizeof(*n));
	if (v.n > i + 1)
		memcpy(n + i, v.v + i + 1, (v.n - i - 1) * sizeof(*n));
	return (struct vec){ n, v.n - 1 };
}

struct vec
vec_mixed(struct arena *a, const struct vec *x, const struct vec *y,
    const struct names *names)
{
	const struct table **v = arena_alloc(a, x->n + names->n + 1u,
	    sizeof(*v));
	uint32_t n = 0, i = 0;

	for (uint32_t k = 0; k < names->n; k++) {
		const struct table *t = vec_find(y, names->v[k]);
		uint32_t at = place(x, names->v[k]);

		while (i < at)
			v[n++] = x->v[i++];
		if (i < x->n && streq(x->v[i]->name, names->v[k]))
			i++;
		if (t != NULL)
			v[n++] = t;
	}
	while (i < x->n)
		v[n++] = x->v[i++];
	return (struct vec){ v, n };
}

const struct column *
table_col(const struct table *t, sym name)
{
	for (uint16_t i = 0; i < t->ncols; i++)	/* mostly the same pointer */
		if (t->cols[i].name == name)
			return &t->cols[i];
	for (uint16_t i = 0; i < t->ncols; i++)
		if (streq(t->cols[i].name, name))
			return &t->cols[i];
	return NULL;
}

const struct con *
table_con(const struct table *t, sym name)
{
	for (uint16_t i = 0; i < t->ncons; i++)
		if (streq(t->cons[i].name, name))
			return &t->cons[i];
	return NULL;
}

struct names
vec_touched(struct arena *a, const struct vec *x, const struct vec *y)
{
	struct list(sym) out = { 0 };
	uint32_t i = 0, k = 0;

	while (i < x->n || k < y->n) {
		if (i < x->n && k < y->n && x->v[i] == y->v[k]) {
			i++;
			k++;
			continue;
		}
		int c = i == x->n ? 1 : k == y->n ? -1 :
		    strcmp(x->v[i]->name, y->v[k]->name);

		*list_add(a, &out) = c > 0 ? y->v[k]->name : x->v[i]->name;
		i += c <= 0;
		k += c >= 0;
	}
	return (struct names){ out.v, out.n };
}

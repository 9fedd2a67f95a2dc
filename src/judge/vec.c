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

/* v with `put` places at i for the `drop` that are there; *at is the first. */
static struct vec
resized(struct arena *a, const struct vec *v, uint32_t i, uint32_t put,
    uint32_t drop, const struct table ***at)
{
	struct vec n = *v;
	const struct table **w = v->own;

	n.n = v->n + put - drop;
	if (w == NULL) {
		w = arena_alloc(a, n.n, sizeof(*w));
	} else if (n.n > v->room) {
		n.room = 2 * n.n;
		n.own = w = arena_alloc(a, n.room, sizeof(*w));
	}
	if (i > 0 && w != v->v)
		memcpy(w, v->v, i * sizeof(*w));
	if (v->n > i + drop)
		memmove(w + i + put, v->v + i + drop,
		    (v->n - i - drop) * sizeof(*w));
	n.v = w;
	*at = w + i;
	return n;
}

struct vec
vec_own(struct arena *a, struct vec v)
{
	uint32_t room = v.n + 32;
	const struct table **w = arena_alloc(a, room, sizeof(*w));

	if (v.n > 0)
		memcpy(w, v.v, v.n * sizeof(*w));
	return (struct vec){ w, v.n, room, w };
}

struct vec
vec_put(struct arena *a, struct vec v, const struct table *t)
{
	uint32_t i = place(&v, t->name);
	const struct table **at;
	struct vec n = resized(a, &v, i, 1, i < v.n &&
	    streq(v.v[i]->name, t->name), &at);

	*at = t;
	return n;
}

struct vec
vec_drop(struct arena *a, struct vec v, sym name)
{
	uint32_t i = place(&v, name);
	const struct table **at;

	if (i == v.n || !streq(v.v[i]->name, name))
		return v;
	return resized(a, &v, i, 0, 1, &at);
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
	return (struct vec){ .v = v, .n = n };
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

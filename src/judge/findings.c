/* Lists of reasons: what is new in one, and how bad the worst is. */
#include "judge/ask.h"

#include "base/util.h"

const char *const degree_name[] = { "ok", "note", "may", "breaks" };

void
findings_minus(struct findings *f, const struct findings *base)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		bool there = false;

		for (uint32_t j = 0; !there && j < base->n; j++)
			there = f->v[i].kind == base->v[j].kind &&
			    f->v[i].degree <= base->v[j].degree &&
			    streq(f->v[i].table, base->v[j].table) &&
			    streq(f->v[i].column, base->v[j].column);
		if (!there)
			f->v[kept++] = f->v[i];
	}
	f->n = kept;
}

const struct reason *
findings_first(const struct findings *f)
{
	const struct reason *w = NULL;

	for (uint32_t i = 0; i < f->n; i++)
		if (w == NULL || f->v[i].degree > w->degree)
			w = &f->v[i];
	return w;
}

enum degree
findings_worst(const struct findings *f)
{
	enum degree worst = DEGREE_OK;

	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].degree > worst)
			worst = f->v[i].degree;
	return worst;
}

bool
findings_has(const struct findings *f, const struct reason *r)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].kind == r->kind &&
		    streq(f->v[i].table, r->table) &&
		    streq(f->v[i].column, r->column))
			return true;
	return false;
}

void
findings_soften(struct findings *f, const struct vec *old,
    const struct vec *now)
{
	for (uint32_t i = 0; i < f->n; i++) {
		struct reason *r = &f->v[i];
		const struct table *t = vec_find(now, r->table);
		const struct table *was = vec_find(old, r->table);
		const struct con *c = t == NULL || r->column == NULL ? NULL :
		    table_con(t, r->column);

		if (r->kind == REASON_FK && c != NULL && c->kind == CON_FK &&
		    (was == NULL || c->ncols == 0 || c->cols[0] == NULL ||
		    table_col(was, c->cols[0]) == NULL))
			r->degree = DEGREE_NOTE;
	}
}

void
findings_distrust(struct findings *f, const struct vec *old,
    const struct vec *now)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		const struct table *t = vec_find(now, f->v[i].table);
		const struct table *was = vec_find(old, f->v[i].table);

		/* one that was trusted before is changed by what was read */
		if (t == NULL || !t->trusted || t == was ||
		    (was != NULL && was->trusted))
			f->v[kept++] = f->v[i];
	}
	f->n = kept;
}

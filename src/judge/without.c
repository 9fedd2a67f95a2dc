/* The schema of a release without one of its migrations. Only the tables that
 * it and what needs it have touched are other than at the end: they alone are
 * worked out, from the few other migrations that concern them. */
#include "judge/judging.h"

#include "base/util.h"

struct leaving {
	struct judging *j;
	uint32_t k;
	bool itself;		/* k stays */
	struct names tables, refs;	/* theirs; those their keys point to */
};

static bool
leaves(const struct leaving *l, uint32_t i)
{
	return i == l->k ? !l->itself : pending_needs(l->j, i, l->k);
}

static void
touched_by(struct leaving *l)
{
	struct judging *j = l->j;
	struct list(sym) all = { 0 };

	for (uint32_t i = l->k; i < j->n; i++)
		for (uint32_t t = 0; leaves(l, i) && t < j->touched[i].n; t++)
			*list_add(j->a, &all) = j->touched[i].v[t];
	l->tables = names_sort(all.v, all.n);
}

static void
pointed_to(struct leaving *l, const struct vec *start)
{
	struct list(sym) all = { 0 };

	for (uint32_t i = 0; i < l->tables.n; i++) {
		const struct table *t = vec_find(start, l->tables.v[i]);

		for (uint16_t c = 0; t != NULL && c < t->ncons; c++)
			if (t->cons[c].kind == CON_FK)
				*list_add(l->j->a, &all) =
				    t->cons[c].ref_table;
	}
	l->refs = names_sort(all.v, all.n);
}

/* Would the statement do something to those tables, if it came to it? */
static bool
speaks_of(const struct leaving *l, const struct ddl *d)
{
	sym table = d->whole != NULL ? d->whole->name : d->table;

	switch (d->kind) {
	case DDL_DROP_TABLE:
	case DDL_RENAME_TABLE:
	case DDL_DROP_COLUMN:
	case DDL_RENAME_COLUMN:
		if (names_has(&l->refs, table))
			return true;
		break;
	case DDL_DROP_CON:
	case DDL_RENAME_CON:
	case DDL_VALIDATE:
		if (table == NULL)
			return true;
		break;
	default:
		break;
	}
	return names_has(&l->tables, table) || names_has(&l->tables, d->to);
}

static bool
concerns(const struct leaving *l, uint32_t i)
{
	const struct moved *m = l->j->r->v[i];
	const struct names *t = &l->j->touched[i];

	for (uint32_t k = 0; k < t->n; k++)
		if (names_has(&l->tables, t->v[k]))
			return true;
	for (uint32_t c = 0; c < m->nchanges; c++)
		for (uint32_t k = 0; k < m->changes[c].fwd.n; k++)
			if (speaks_of(l, &m->changes[c].fwd.v[k]))
				return true;
	return false;
}

struct vec
schema_without(struct judging *j, uint32_t k, bool itself)
{
	struct leaving l = { .j = j, .k = k, .itself = itself };
	struct vec have = itself ? j->at[k + 1] : j->at[k];

	if (k + 1 == j->n)
		return have;
	touched_by(&l);
	if (l.tables.n == 0)
		return j->at[j->n];
	pointed_to(&l, &have);
	for (uint32_t i = k + 1; i < j->n; i++)
		if (!leaves(&l, i) && concerns(&l, i))
			schema_fold(j->a, &have, j->r->v[i]);
	return vec_mixed(j->a, &j->at[j->n], &have, &l.tables);
}

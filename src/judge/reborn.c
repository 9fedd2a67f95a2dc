/* A name that is free and taken again in one migration: what the running code
 * knows by it is then another column, or another table. */
#include "base/util.h"
#include "judge/judge.h"

struct taken {
	sym table, column;	/* column: NULL where it is a table */
	sym from;		/* its name before; NULL: it is new */
};

/* The name that a statement gives; false: none. */
static bool
takes(const struct ddl *d, struct taken *t)
{
	switch (d->kind) {
	case DDL_ADD_COLUMN:
		*t = (struct taken){ d->table, d->col->name, NULL };
		return true;
	case DDL_RENAME_COLUMN:
		*t = (struct taken){ d->table, d->to, d->name };
		return true;
	case DDL_CREATE_TABLE:
		*t = (struct taken){ d->table, NULL, NULL };
		return true;
	case DDL_RENAME_TABLE:
		*t = (struct taken){ d->to, NULL, d->table };
		return true;
	default:
		return false;
	}
}

static bool
frees(const struct ddl *d, const struct taken *t)
{
	if (t->column == NULL)
		return (d->kind == DDL_RENAME_TABLE && d->table == t->table &&
		    d->to != t->from) || (d->kind == DDL_DROP_TABLE &&
		    d->table == t->table && t->from != NULL);
	return d->table == t->table && d->name == t->column &&
	    ((d->kind == DDL_RENAME_COLUMN && d->to != t->from) ||
	    (d->kind == DDL_DROP_COLUMN && t->from != NULL));
}

/* Was it there before the migration, when the k-th of change i freed it? */
static bool
first(const struct change *all, uint32_t at, uint32_t stop,
    const struct taken *t)
{
	for (uint32_t i = 0; i <= at; i++)
		for (uint32_t k = 0; k < all[i].fwd.n &&
		    (i < at || k < stop); k++) {
			const struct ddl *d = &all[i].fwd.v[k];
			struct taken o;

			if (takes(d, &o) && o.table == t->table &&
			    (o.column == NULL || o.column == t->column))
				return false;
		}
	return true;
}

static bool
freed_before(const struct change *all, uint32_t at, uint32_t stop,
    const struct taken *t)
{
	for (uint32_t i = 0; i <= at; i++)
		for (uint32_t k = 0; k < all[i].fwd.n &&
		    (i < at || k < stop); k++)
			if (frees(&all[i].fwd.v[k], t) &&
			    first(all, i, k, t))
				return true;
	return false;
}

void
reborn(struct arena *a, struct change *all, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < all[i].fwd.n; k++) {
			struct change *c = &all[i];
			struct taken t;

			if (c->why != OPAQUE_NOT || !takes(&c->fwd.v[k], &t) ||
			    !freed_before(all, i, k, &t))
				continue;
			c->why = OPAQUE_NAME;
			c->note = t.column != NULL ? sym_printf(a, "\"%s\".\"%s\" "
			    "is another column after it than the one that "
			    "running code knows by that name: give the new one "
			    "a name of its own", t.table, t.column) :
			    sym_printf(a, "\"%s\" is another table after it "
			    "than the one that running code knows by that "
			    "name: give the new one a name of its own",
			    t.table);
		}
}

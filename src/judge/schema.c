#include "judge/schema.h"

#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "judge/judge.h"

struct edit {			/* one statement being applied */
	struct arena *a;
	struct vec *have;
	const struct ddl *d;
	sym *missing;
};

static void
miss(struct edit *e, const char *what, sym name)
{
	if (*e->missing == NULL && !e->d->if_exists)
		*e->missing = sym_printf(e->a, "%s \"%s\" is not there", what,
		    name != NULL ? name : "?");
}

static void
miss_on(struct edit *e, const char *what, sym name)
{
	if (*e->missing == NULL && !e->d->if_exists)
		*e->missing = sym_printf(e->a, "table \"%s\" has no %s \"%s\"",
		    e->d->table, what, name != NULL ? name : "?");
}

static void
twice(struct edit *e, const char *what, sym name)
{
	if (*e->missing == NULL && !e->d->if_exists)
		*e->missing = sym_printf(e->a, "%s \"%s\" is there already",
		    what, name);
}

/* A copy to change, put in at once: the old one stays as it is. */
static struct table *
table_edit(struct edit *e, const struct table *t)
{
	struct table *n = arena_copy(e->a, t, sizeof(*t));

	*e->have = vec_put(e->a, *e->have, n);
	return n;
}

static const struct table *
find(struct edit *e)
{
	const struct table *t = e->d->table != NULL ?
	    vec_find(e->have, e->d->table) : NULL;

	if (t == NULL)
		miss(e, "table", e->d->table);
	return t;
}

static uint16_t
col_index(const struct table *t, sym name)
{
	uint16_t i = 0;

	while (i < t->ncols && !streq(t->cols[i].name, name))
		i++;
	return i;
}

/* The column to change, in a table of its own; NULL: reported. */
static struct column *
col_edit(struct edit *e, sym name)
{
	const struct table *t = find(e);

	if (t == NULL)
		return NULL;
	uint16_t i = col_index(t, name);
	if (i == t->ncols) {
		miss_on(e, "column", name);
		return NULL;
	}
	struct column *cols = arena_copy(e->a, t->cols,
	    t->ncols * sizeof(*cols));
	table_edit(e, t)->cols = cols;
	return &cols[i];
}

static bool
uses(const struct con *c, sym col)
{
	for (uint16_t i = 0; i < c->ncols; i++)
		if (streq(c->cols[i], col))
			return true;
	for (uint16_t i = 0; i < c->ninclude; i++)
		if (streq(c->include[i], col))
			return true;
	return ident_in(c->expr, col) || ident_in(c->where, col);
}

/* Takes constraints out for which out(c, ctx) holds. */
static void
cons_drop(struct edit *e, const struct table *t,
    bool (*out)(const struct con *c, const struct edit *e))
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < t->ncons; i++)
		if (!out(&t->cons[i], e))
			n++;
	if (n == t->ncons)
		return;
	struct con *cons = arena_array(e->a, struct con, n);
	uint16_t k = 0;
	for (uint16_t i = 0; i < t->ncons; i++)
		if (!out(&t->cons[i], e))
			cons[k++] = t->cons[i];
	struct table *x = table_edit(e, t);
	x->cons = cons;
	x->ncons = n;
}

static bool
out_points(const struct con *c, const struct edit *e)
{
	return c->kind == CON_FK && streq(c->ref_table, e->d->table);
}

static bool
out_points_col(const struct con *c, const struct edit *e)
{
	return out_points(c, e) && streq(c->ref_col, e->d->name);
}

static bool
out_uses(const struct con *c, const struct edit *e)
{
	return uses(c, e->d->name);
}

static bool
out_named(const struct con *c, const struct edit *e)
{
	return streq(c->name, e->d->name);
}

/* Foreign keys that point to what goes, of whichever table. Tables come and
 * go from *have while this runs, but never in number. */
static void
everywhere(struct edit *e, bool (*out)(const struct con *, const struct edit *))
{
	for (uint32_t i = 0; i < e->have->n; i++) {
		const struct table *t = e->have->v[i];
		bool points = false;

		for (uint16_t k = 0; k < t->ncons && !points; k++)
			points = t->cons[k].kind == CON_FK &&
			    streq(t->cons[k].ref_table, e->d->table);
		if (points)
			cons_drop(e, t, out);
	}
}

static bool
con_before(const struct con *x, const struct con *y)
{
	return strcmp(x->name != NULL ? x->name : "",
	    y->name != NULL ? y->name : "") < 0;
}

void
cons_sort(struct con *c, uint16_t n)
{
	for (uint16_t i = 1; i < n; i++) {
		struct con x = c[i];
		uint16_t k = i;

		for (; k > 0 && con_before(&x, &c[k - 1]); k--)
			c[k] = c[k - 1];
		c[k] = x;
	}
}

static void
create_table(struct edit *e)
{
	const struct table *t = e->d->whole;

	if (vec_find(e->have, t->name) != NULL) {
		twice(e, "table", t->name);
		if (e->d->if_exists)
			return;
	}
	bool named = true;
	for (uint16_t i = 0; i < t->ncons; i++)
		named = named && t->cons[i].name != NULL;
	if (!named) {
		struct table *n = arena_copy(e->a, t, sizeof(*t));
		struct con *cons = arena_copy(e->a, t->cons,
		    t->ncons * sizeof(*cons));

		n->cons = cons;
		for (uint16_t i = 0; i < n->ncons; i++)
			if (cons[i].name == NULL)
				cons[i].name = con_pg_name(e->a, e->have, n,
				    &cons[i]);
		cons_sort(cons, n->ncons);
		t = n;
	}
	*e->have = vec_put(e->a, *e->have, t);
}

static void
drop_table(struct edit *e)
{
	if (find(e) == NULL)
		return;
	*e->have = vec_drop(e->a, *e->have, e->d->table);
	everywhere(e, out_points);
}

/* Foreign keys that point at the table (and column) follow a rename. */
static void
retarget(struct edit *e, sym table, sym col, sym to_table, sym to_col)
{
	for (uint32_t i = 0; i < e->have->n; i++) {
		const struct table *t = e->have->v[i];
		struct con *cons = NULL;

		for (uint16_t k = 0; k < t->ncons; k++) {
			const struct con *c = &t->cons[k];

			if (c->kind != CON_FK || !streq(c->ref_table, table) ||
			    (col != NULL && !streq(c->ref_col, col)))
				continue;
			if (cons == NULL)
				cons = arena_copy(e->a, t->cons,
				    t->ncons * sizeof(*cons));
			cons[k].ref_table = to_table;
			if (col != NULL)
				cons[k].ref_col = to_col;
		}
		if (cons != NULL)
			table_edit(e, t)->cons = cons;
	}
}

/* PostgreSQL takes ALTER TABLE for sequences too, and no code reads them by
 * their names. */
static bool
is_sequence(const struct edit *e)
{
	return ends_with(e->d->table, "_seq") && ends_with(e->d->to, "_seq") &&
	    vec_find(e->have, e->d->table) == NULL;
}

static void
rename_table(struct edit *e)
{
	if (is_sequence(e))
		return;
	const struct table *t = find(e);
	if (t == NULL)
		return;
	if (vec_find(e->have, e->d->to) != NULL)
		twice(e, "table", e->d->to);
	struct table *n = arena_copy(e->a, t, sizeof(*t));
	n->name = e->d->to;
	*e->have = vec_drop(e->a, *e->have, t->name);
	*e->have = vec_put(e->a, *e->have, n);
	retarget(e, t->name, NULL, n->name, NULL);
}

static void
add_column(struct edit *e)
{
	const struct table *t = find(e);

	if (t == NULL)
		return;
	if (table_col(t, e->d->col->name) != NULL) {
		twice(e, "column", e->d->col->name);
		return;
	}
	struct column *cols = arena_array(e->a, struct column, t->ncols + 1u);
	if (t->ncols > 0)
		memcpy(cols, t->cols, t->ncols * sizeof(*cols));
	cols[t->ncols] = *e->d->col;
	struct table *n = table_edit(e, t);
	n->cols = cols;
	n->ncols++;
}

static void
drop_column(struct edit *e)
{
	const struct table *t = find(e);

	if (t == NULL)
		return;
	uint16_t at = col_index(t, e->d->name);
	if (at == t->ncols) {
		miss_on(e, "column", e->d->name);
		return;
	}
	struct column *cols = arena_array(e->a, struct column, t->ncols);
	memcpy(cols, t->cols, at * sizeof(*cols));
	memcpy(cols + at, t->cols + at + 1,
	    (t->ncols - at - 1u) * sizeof(*cols));
	struct table *n = table_edit(e, t);
	n->cols = cols;
	n->ncols--;
	cons_drop(e, n, out_uses);
	everywhere(e, out_points_col);
}

static const sym *
cols_renamed(struct edit *e, const sym *cols, uint16_t n)
{
	sym *v = arena_copy(e->a, cols, n * sizeof(*v));

	for (uint16_t i = 0; i < n; i++)
		if (streq(v[i], e->d->name))
			v[i] = e->d->to;
	return v;
}

static void
rename_column(struct edit *e)
{
	struct column *col = col_edit(e, e->d->name);

	if (col == NULL)
		return;
	const struct table *t = vec_find(e->have, e->d->table);
	if (table_col(t, e->d->to) != NULL)
		twice(e, "column", e->d->to);
	col->name = e->d->to;
	struct con *cons = arena_copy(e->a, t->cons, t->ncons * sizeof(*cons));
	for (uint16_t i = 0; i < t->ncons; i++) {
		struct con *c = &cons[i];

		if (!uses(c, e->d->name))
			continue;
		c->cols = cols_renamed(e, c->cols, c->ncols);
		c->include = cols_renamed(e, c->include, c->ninclude);
		c->expr = ident_swap(e->a, c->expr, e->d->name, e->d->to);
		c->where = ident_swap(e->a, c->where, e->d->name, e->d->to);
	}
	table_edit(e, t)->cons = cons;
	retarget(e, e->d->table, e->d->name, e->d->table, e->d->to);
}

static void
alter_column(struct edit *e)
{
	const struct ddl *d = e->d;
	struct column *c = col_edit(e,
	    d->kind == DDL_TYPE || d->kind == DDL_SET_DEFAULT ?
	    (d->col->name != NULL ? d->col->name : d->name) : d->name);

	if (c == NULL)
		return;
	switch (d->kind) {
	case DDL_TYPE:
		c->type = d->col->type;
		c->collation = d->col->collation;
		break;
	case DDL_SET_DEFAULT:
		c->dflt = d->col->dflt;
		c->dflt_sql = d->col->dflt_sql;
		break;
	case DDL_SET_NOT_NULL:
		c->notnull = true;
		break;
	case DDL_DROP_NOT_NULL:
		c->notnull = false;
		break;
	case DDL_ADD_IDENTITY:
		c->dflt = DFLT_IDENTITY;
		c->always = d->always;
		c->dflt_sql = NULL;
		c->notnull = true;
		break;
	default:		/* DROP_DEFAULT, DROP_IDENTITY */
		c->dflt = DFLT_NONE;
		c->dflt_sql = NULL;
	}
}

static void
con_put(struct edit *e, const struct table *t, const struct con *c)
{
	struct con *cons = arena_array(e->a, struct con, t->ncons + 1u);

	if (t->ncons > 0)
		memcpy(cons, t->cons, t->ncons * sizeof(*cons));
	cons[t->ncons] = *c;
	if (c->name == NULL)
		cons[t->ncons].name = con_pg_name(e->a, e->have, t, c);
	struct table *n = table_edit(e, t);
	n->cons = cons;
	n->ncons++;
	cons_sort(cons, n->ncons);
	if (c->kind != CON_PK)
		return;
	struct column *cols = arena_copy(e->a, t->cols,
	    t->ncols * sizeof(*cols));
	for (uint16_t i = 0; i < c->ncols; i++) {
		uint16_t k = col_index(t, c->cols[i]);
		if (k < t->ncols)
			cols[k].notnull = true;
	}
	n->cols = cols;
}

static void
add_con(struct edit *e)
{
	const struct table *t = find(e);
	struct con c = *e->d->con;

	if (t == NULL)
		return;
	if (c.name != NULL && table_con(t, c.name) != NULL &&
	    !streq(c.name, e->d->to)) {
		twice(e, c.kind == CON_INDEX ? "index" : "constraint", c.name);
		return;
	}
	if (e->d->to != NULL) {		/* USING INDEX: the index becomes it */
		const struct con *ix = table_con(t, e->d->to);

		if (ix == NULL) {
			miss_on(e, "index", e->d->to);
		} else {
			struct ddl drop = *e->d;
			struct edit sub = *e;

			if (c.ncols == 0) {
				c.cols = ix->cols;
				c.ncols = ix->ncols;
			}
			if (c.name == NULL)
				c.name = ix->name;
			drop.name = e->d->to;
			sub.d = &drop;
			cons_drop(&sub, t, out_named);
			t = vec_find(e->have, e->d->table);
		}
	}
	for (uint16_t i = 0; i < c.ncols; i++)
		if (c.cols[i] != NULL && table_col(t, c.cols[i]) == NULL)
			miss_on(e, "column", c.cols[i]);
	if (c.kind == CON_FK && !c.outside &&
	    vec_find(e->have, c.ref_table) == NULL)
		miss(e, "table", c.ref_table);
	con_put(e, t, &c);
}

/* The table with the constraint or index of that name: DROP INDEX names no
 * table. */
static const struct table *
con_owner(struct edit *e)
{
	if (e->d->table != NULL) {
		const struct table *t = find(e);

		if (t != NULL && table_con(t, e->d->name) == NULL) {
			miss_on(e, "constraint or index", e->d->name);
			t = NULL;
		}
		return t;
	}
	for (uint32_t i = 0; i < e->have->n; i++)
		if (table_con(e->have->v[i], e->d->name) != NULL)
			return e->have->v[i];
	miss(e, "index", e->d->name);
	return NULL;
}

static void
drop_con(struct edit *e)
{
	const struct table *t = con_owner(e);

	if (t != NULL)
		cons_drop(e, t, out_named);
}

static void
change_con(struct edit *e)
{
	const struct table *t = con_owner(e);

	if (t == NULL)
		return;
	struct con *cons = arena_copy(e->a, t->cons, t->ncons * sizeof(*cons));
	for (uint16_t i = 0; i < t->ncons; i++) {
		if (!streq(cons[i].name, e->d->name))
			continue;
		if (e->d->kind == DDL_VALIDATE)
			cons[i].not_valid = false;
		else
			cons[i].name = e->d->to;
	}
	cons_sort(cons, t->ncons);
	table_edit(e, t)->cons = cons;
}

void
schema_apply(struct arena *a, struct vec *have, const struct ddl *d,
    sym *missing)
{
	struct edit e = { a, have, d, missing };

	*missing = NULL;
	switch (d->kind) {
	case DDL_CREATE_TABLE:
		create_table(&e);
		break;
	case DDL_DROP_TABLE:
		drop_table(&e);
		break;
	case DDL_RENAME_TABLE:
		rename_table(&e);
		break;
	case DDL_ADD_COLUMN:
		add_column(&e);
		break;
	case DDL_DROP_COLUMN:
		drop_column(&e);
		break;
	case DDL_RENAME_COLUMN:
		rename_column(&e);
		break;
	case DDL_TYPE:
	case DDL_SET_NOT_NULL:
	case DDL_DROP_NOT_NULL:
	case DDL_SET_DEFAULT:
	case DDL_DROP_DEFAULT:
	case DDL_ADD_IDENTITY:
	case DDL_DROP_IDENTITY:
		alter_column(&e);
		break;
	case DDL_ADD_CON:
		add_con(&e);
		break;
	case DDL_DROP_CON:
		drop_con(&e);
		break;
	case DDL_RENAME_CON:
	case DDL_VALIDATE:
		change_con(&e);
		break;
	case DDL_UPDATE_NULLS:
		(void)find(&e);
		break;
	case DDL_OPAQUE:
	case DDL_NOTHING:
	case DDL_DATA:
	case DDL_CONSTRAINTS_NOW:
	case DDL_EXTENSION:
	case DDL_OTHER:
		break;
	}
}

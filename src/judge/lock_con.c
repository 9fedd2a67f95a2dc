/* What a statement about constraints, indexes and whole tables locks. */
#include "judge/locks.h"

#include <string.h>

#include "base/util.h"

/* ---- constraints ---- */

static bool
is_unique_index(const struct ddl *d)
{
	const struct con *c = d->con;

	return c->where != NULL || c->expr != NULL || c->ninclude > 0 ||
	    c->opclass != NULL || (d->sql != NULL &&
	    starts_with(d->sql, "CREATE"));
}

static void
add_index(struct locking *l)
{
	const struct con *c = l->d->con;
	struct hazard *h = lock(l, l->d->table, l->d->concurrently ? SUE :
	    SHARE);

	if (h == NULL)
		return;
	h->build = h->scan = true;
	if (!l->d->concurrently)
		lock_say(l, h, "index-blocks-writes", "builds the index \"%s\"%s "
		    "while nobody can write to the table", c->name,
		    c->opclass != NULL && strstr(c->opclass, "pattern_ops") !=
		    NULL ? " (a second one on the column, for LIKE)" : "");
}

/* The key of a column that is added with it, nullable and without a default:
 * PostgreSQL looks up nothing. */
static bool
all_null(const struct locking *l, const struct con *c)
{
	const struct column *col = l->added;

	return l->d->of_column && col != NULL && c->ncols == 1 &&
	    streq(c->cols[0], col->name) && !col->notnull &&
	    col->dflt == DFLT_NONE;
}

static void
add_foreign(struct locking *l)
{
	const struct con *c = l->d->con;
	bool fresh = lock_fresh(l, l->d->table);
	bool quick = fresh || c->not_valid || all_null(l, c);
	bool own = streq(c->ref_table, l->d->table);
	struct hazard *h = lock(l, l->d->table, SRE);

	if (h != NULL && !quick) {
		h->scan = true;
		lock_say(l, h, l->dropped_fk ? "fk-revalidates" : "fk-validates",
		    "%s the foreign key \"%s\": every row is looked up while "
		    "nobody can write to \"%s\"%s%s%s", l->dropped_fk ?
		    "drops and adds again" : "adds", c->name, l->d->table,
		    own ? "" : " or \"", own ? "" : c->ref_table,
		    own ? "" : "\"");
	}
	if (own || (h = lock(l, c->ref_table, SRE)) == NULL)
		return;
	h->scan = !quick;
	if (quick)
		lock_say(l, h, "locks-parent", "the foreign key \"%s\" stops "
		    "writes to \"%s\" for an instant", c->name,
		    c->ref_table);
	else
		lock_say(l, h, l->dropped_fk ? "fk-revalidates" :
		    "fk-validates", "nobody can write to \"%s\" while every "
		    "row of \"%s\" is looked up in it", c->ref_table,
		    l->d->table);
}

/* USING INDEX: a primary key makes its columns NOT NULL, which is read. */
static void
made_key(struct locking *l, struct hazard *h, const struct con *c)
{
	const struct table *t = lock_table(l, l->d->table);

	for (uint16_t i = 0; c->kind == CON_PK && i < c->ncols; i++) {
		const struct column *col = t == NULL || c->cols[i] == NULL ?
		    NULL : table_col(t, c->cols[i]);

		if (col != NULL && col->notnull)
			continue;
		h->scan = true;
		lock_say(l, h, "scan-locks", "reads the whole table for NULLs "
		    "in the key \"%s\" while nobody else can read it",
		    c->name);
	}
}

void
lock_add_con(struct locking *l)
{
	const struct con *c = l->d->con;
	struct hazard *h = NULL;

	if (c == NULL)
		return;
	switch (c->kind) {
	case CON_INDEX:
		add_index(l);
		return;
	case CON_FK:
		add_foreign(l);
		return;
	case CON_PK:
	case CON_UNIQUE:
		if (l->d->concurrently || is_unique_index(l->d)) {
			add_index(l);
			return;
		}
		h = lock(l, l->d->table, AE);
		if (h == NULL)
			return;
		if (l->d->to != NULL) {
			made_key(l, h, c);
			return;
		}
		h->build = h->scan = true;
		lock_say(l, h, "index-locks", "builds the unique index of \"%s\" "
		    "while nobody can read the table", c->name != NULL ?
		    c->name : l->d->table);
		return;
	case CON_EXCLUDE:
		if ((h = lock(l, l->d->table, AE)) == NULL)
			return;
		h->build = h->scan = true;
		lock_say(l, h, "index-locks", "builds the index of \"%s\" while "
		    "nobody can read the table", c->name);
		return;
	case CON_CHECK:
		h = lock(l, l->d->table, AE);
		if (h == NULL || c->not_valid)
			return;
		h->scan = true;
		lock_say(l, h, "scan-locks", "reads the whole table for the check "
		    "\"%s\" while nobody else can read it", c->name != NULL ?
		    c->name : c->expr != NULL ? c->expr : "");
		return;
	}
}

static const struct table *
owner(struct locking *l, const struct ddl *d)
{
	if (d->table != NULL)
		return lock_table(l, d->table);
	const struct vec *have = lock_have(l);

	for (uint32_t i = 0; i < have->n; i++)
		if (table_con(have->v[i], d->name) != NULL)
			return have->v[i];
	return NULL;
}

static void
drop_foreign(struct locking *l, const struct table *t, const struct con *c)
{
	if (lock_fresh(l, c->ref_table) || streq(c->ref_table, t->name))
		return;
	lock_say(l, lock(l, c->ref_table, AE), "locks-parent", "dropping the foreign "
	    "key \"%s\" of \"%s\" stops reads of \"%s\" too, for an instant",
	    c->name, t->name, c->ref_table);
}

void
lock_drop_con(struct locking *l)
{
	const struct table *t = owner(l, l->d);
	const struct con *c = t == NULL ? NULL : table_con(t, l->d->name);

	lock(l, t == NULL ? l->d->table : t->name,
	    l->d->concurrently ? SUE : AE);
	if (c != NULL && c->kind == CON_FK) {
		l->dropped_fk = true;
		drop_foreign(l, t, c);
	}
}

/* Renaming an index locks nothing that others want. */
void
lock_rename_con(struct locking *l)
{
	const struct table *t = owner(l, l->d);
	const struct con *c = t == NULL ? NULL : table_con(t, l->d->name);

	if (l->d->table != NULL && (c == NULL || c->kind != CON_INDEX))
		lock(l, l->d->table, AE);
}

void
lock_validate(struct locking *l)
{
	const struct table *t = lock_table(l, l->d->table);
	const struct con *c = t == NULL ? NULL : table_con(t, l->d->name);
	struct hazard *h = lock(l, l->d->table, SUE);

	if (h != NULL)
		h->scan = true;
	if (c != NULL && c->kind == CON_FK &&
	    (h = lock(l, c->ref_table, RS)) != NULL)
		h->scan = true;
}

/* What is not modelled, but known to lock a table. */
void
lock_other(struct locking *l)
{
	const struct ddl *d = l->d;
	struct hazard *h = d->lock == NULL ? NULL : lock(l, d->table, d->lock);

	if (h == NULL)
		return;
	h->rewrite = d->rewrites;
	h->build = d->builds;
	h->scan = d->rewrites || d->builds;
	if (d->rewrites)
		lock_say(l, h, "rewrite", "writes the table and its indexes "
		    "anew while nobody can %s it", h->blocks_reads ? "read" :
		    "write to");
	else if (d->builds && h->blocks_reads)
		lock_say(l, h, "index-locks", "builds indexes anew while "
		    "nobody can read the table");
}

static bool
refers(const struct table *t, sym to)
{
	for (uint16_t i = 0; i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK &&
		    streq(t->cons[i].ref_table, to))
			return true;
	return false;
}

void
lock_referrers(struct locking *l)
{
	const struct vec *have = lock_have(l);
	struct list(sym) emptied = { 0 };

	*list_add(l->a, &emptied) = l->d->table;
	for (uint32_t k = 0; k < emptied.n; k++)
		for (uint32_t i = 0; i < have->n; i++) {
			const struct table *t = have->v[i];
			bool seen = !refers(t, emptied.v[k]);

			for (uint32_t x = 0; !seen && x < emptied.n; x++)
				seen = emptied.v[x] == t->name;
			if (seen)
				continue;
			*list_add(l->a, &emptied) = t->name;
			lock_say(l, lock(l, t->name, AE), "cascades",
			    "TRUNCATE of \"%s\" with CASCADE empties \"%s\" "
			    "too, which refers to \"%s\"", l->d->table,
			    t->name, emptied.v[k]);
		}
}

/* ---- tables ---- */

void
lock_create(struct locking *l)
{
	const struct table *t = l->d->whole;

	for (uint16_t i = 0; t != NULL && i < t->ncons; i++) {
		const struct con *c = &t->cons[i];

		if (c->kind != CON_FK || lock_fresh(l, c->ref_table))
			continue;
		lock_say(l, lock(l, c->ref_table, SRE), "locks-parent", "the foreign "
		    "key of the new table \"%s\" stops writes to \"%s\" for an "
		    "instant", t->name, c->ref_table);
	}
}

/* CASCADE takes the foreign keys of others that point to what is dropped:
 * the table, or one of its columns. */
static void
drop_pointing(struct locking *l, const struct table *t, sym column)
{
	const struct vec *have = lock_have(l);

	for (uint32_t i = 0; i < have->n; i++) {
		const struct table *x = have->v[i];

		for (uint16_t k = 0; x != t && k < x->ncons; k++) {
			const struct con *c = &x->cons[k];

			if (c->kind != CON_FK || !streq(c->ref_table, t->name) ||
			    (column != NULL && c->ref_col != NULL &&
			    !streq(c->ref_col, column)))
				continue;
			lock_say(l, lock(l, x->name, AE), "cascades",
			    "the foreign key \"%s\" of \"%s\" goes with the "
			    "%s it refers to, without a word", c->name,
			    x->name, column == NULL ? "table" : "column");
		}
	}
}

void
lock_drop(struct locking *l)
{
	const struct table *t = lock_table(l, l->d->table);

	lock(l, l->d->table, AE);
	for (uint16_t i = 0; t != NULL && i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK)
			drop_foreign(l, t, &t->cons[i]);
	if (t != NULL)
		drop_pointing(l, t, NULL);
}

void
lock_drop_column(struct locking *l)
{
	const struct table *t = lock_table(l, l->d->table);

	lock(l, l->d->table, AE);
	for (uint16_t i = 0; t != NULL && i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK && t->cons[i].ncols > 0 &&
		    streq(t->cons[i].cols[0], l->d->name))
			drop_foreign(l, t, &t->cons[i]);
	if (t != NULL)
		drop_pointing(l, t, l->d->name);
}

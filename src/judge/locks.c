/* What each statement locks, and whether its time grows with the table. As
 * measured on PostgreSQL 15 and 18; 12 to 14 are the same in what is here. */
#include "judge/locks.h"

#include <string.h>

#include "base/util.h"

#define AE "ACCESS EXCLUSIVE"
#define SRE "SHARE ROW EXCLUSIVE"
#define SHARE "SHARE"
#define SUE "SHARE UPDATE EXCLUSIVE"
#define RE "ROW EXCLUSIVE"
#define RS "ROW SHARE"

struct hazard *
lock(struct locking *l, sym table, const char *mode)
{
	struct hazard *h;

	if (table == NULL)
		return NULL;
	h = list_add(l->a, &l->out);
	h->table = table;
	h->lock = mode;
	h->line = l->d->line;
	h->blocks_reads = strcmp(mode, AE) == 0;
	h->blocks_writes = h->blocks_reads || strcmp(mode, SRE) == 0 ||
	    strcmp(mode, SHARE) == 0;
	return h;
}

static void __attribute__((format(printf, 4, 5)))
say(struct locking *l, struct hazard *h, const char *code, const char *fmt,
    ...)
{
	struct strbuf t STRBUF_SCOPED = STRBUF_INIT;
	va_list ap;

	if (h == NULL)
		return;
	va_start(ap, fmt);
	strbuf_vprintf(&t, fmt, ap);
	va_end(ap);
	h->code = sym_get(l->a, code);
	h->text = sym_get(l->a, t.s);
}

static bool
is_fresh(const struct locking *l, sym table)
{
	return vec_find(&l->before->have, table) == NULL;
}

static const struct table *
table_at(const struct locking *l, sym name)
{
	return name == NULL ? NULL : vec_find(&l->have, name);
}

/* ---- columns ---- */

static bool
volatile_default(const struct column *c)
{
	static const char *const words[] = { "random", "uuid", "nextval",
	    "clock_timestamp", "timeofday" };

	if (c->dflt != DFLT_EXPR || c->dflt_sql == NULL)
		return false;
	for (size_t i = 0; i < countof(words); i++)
		if (strcasestr(c->dflt_sql, words[i]) != NULL)
			return true;
	return false;
}

static void
add_column(struct locking *l)
{
	const struct column *c = l->d->col;
	struct hazard *h = lock(l, l->d->table, AE);

	if (h == NULL || c == NULL)
		return;
	bool virtual = c->dflt == DFLT_GENERATED && l->d->sql != NULL &&
	    strstr(l->d->sql, "VIRTUAL") != NULL;
	h->rewrite = c->dflt == DFLT_SERIAL || c->dflt == DFLT_IDENTITY ||
	    (c->dflt == DFLT_GENERATED && !virtual) || volatile_default(c);
	if (h->rewrite)
		say(l, h, "rewrite", "adds \"%s\" with %s: the table and its "
		    "indexes are written anew while nobody can read it",
		    c->name, c->dflt == DFLT_GENERATED ?
		    "a stored generated value" : c->dflt == DFLT_EXPR ?
		    "a default that differs by row" : "a sequence");
}

/* What PostgreSQL stores alike, so that the rows stay as they are. */
static bool
same_rows(const struct column *x, const struct column *y)
{
	if (x->type == NULL || y->type == NULL)
		return false;
	if (streq(x->type, y->type))
		return true;
	if (strstr(x->type, "without time zone") != NULL &&
	    strstr(y->type, "with time zone") != NULL)
		return true;
	if (strstr(x->type, "with time zone") != NULL &&
	    strstr(y->type, "without time zone") != NULL)
		return true;
	static const char *const whole[] = { "smallint", "integer", "bigint",
	    "real", "double precision" };
	for (size_t i = 0; i < countof(whole); i++)
		if (streq(x->type, whole[i]) || streq(y->type, whole[i]))
			return false;
	if (starts_with(x->type, "numeric(") && starts_with(y->type, "numeric(")) {
		const char *xs = strchr(x->type, ','), *ys = strchr(y->type, ',');

		return xs != NULL && ys != NULL && streq(xs, ys) &&
		    type_fit(x->type, y->type) == DEGREE_OK;
	}
	return type_fit(x->type, y->type) <= DEGREE_NOTE;
}

static bool
indexed(const struct table *t, sym column)
{
	for (uint16_t i = 0; t != NULL && i < t->ncons; i++) {
		const struct con *c = &t->cons[i];

		for (uint16_t k = 0; k < c->ncols; k++)
			if (streq(c->cols[k], column) && c->kind != CON_FK &&
			    c->kind != CON_CHECK)
				return true;
	}
	return false;
}

static void
change_type(struct locking *l)
{
	const struct ddl *d = l->d;
	const struct table *t = table_at(l, d->table);
	const struct column *x = t == NULL || d->name == NULL ? NULL :
	    table_col(t, d->name);
	struct hazard *h = lock(l, d->table, AE);

	if (h == NULL || x == NULL || d->col == NULL)
		return;
	if (!same_rows(x, d->col)) {
		h->rewrite = true;
		say(l, h, "rewrite", "turns \"%s\" from %s into %s: the table "
		    "and its indexes are written anew while nobody can read it",
		    x->name, x->type == NULL ? "?" : x->type,
		    d->col->type == NULL ? "?" : d->col->type);
		return;
	}
	bool citext = !streq(x->type, d->col->type) &&
	    (streq(x->type, "citext") || streq(d->col->type, "citext"));
	if ((!streq(x->collation, d->col->collation) || citext) &&
	    indexed(t, x->name)) {
		h->build = true;
		say(l, h, "index-locks", "builds the indexes on \"%s\" anew "
		    "while nobody can read the table", x->name);
	} else if (!streq(x->type, d->col->type) &&
	    strstr(x->type, "time zone") != NULL) {
		say(l, h, "time-zone", "leaves the rows as they are only while "
		    "the session's time zone is UTC");
	}
}

/* A valid CHECK (c IS NOT NULL) proves it, so that nothing is read. */
static bool
proven_not_null(const struct table *t, sym column)
{
	for (uint16_t i = 0; t != NULL && i < t->ncons; i++) {
		const struct con *c = &t->cons[i];
		struct column null = { .name = column, .type = "text" };
		const struct table row = { .name = t->name, .cols = &null,
		    .ncols = 1 };
		static const struct table nothing;

		if (c->kind != CON_CHECK || c->not_valid ||
		    (c->q == NULL && c->expr == NULL))
			continue;
		if (truth_of(c, &nothing, &row) == TRUTH_FALSE)
			return true;
	}
	return false;
}

static void
set_not_null(struct locking *l)
{
	const struct table *t = table_at(l, l->d->table);
	struct hazard *h = lock(l, l->d->table, AE);

	if (h == NULL || proven_not_null(t, l->d->name))
		return;
	h->scan = true;
	say(l, h, "scan-locks", "reads the whole table for NULLs in \"%s\" "
	    "while nobody else can read it", l->d->name);
}

static void
update_nulls(struct locking *l)
{
	struct hazard *h = lock(l, l->d->table, AE);

	if (h == NULL)
		return;
	h->update = h->scan = true;
	say(l, h, "update-locks", "fills every NULL of \"%s\" in one statement, "
	    "in the transaction that has locked the table against reads",
	    l->d->name);
}

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
		say(l, h, "index-blocks-writes", "builds the index \"%s\"%s "
		    "while nobody can write to the table", c->name,
		    c->opclass != NULL && strstr(c->opclass, "pattern_ops") !=
		    NULL ? " (a second one on the column, for LIKE)" : "");
}

/* A column that came in this very change, nullable and without a default:
 * there is nothing yet that a key could miss. */
static bool
all_null(const struct locking *l, const struct con *c)
{
	const struct table *t = c->ncols == 0 ? NULL :
	    vec_find(&l->before->have, l->d->table);
	const struct table *now = table_at(l, l->d->table);
	const struct column *col = now == NULL || c->cols[0] == NULL ? NULL :
	    table_col(now, c->cols[0]);

	return t != NULL && col != NULL && table_col(t, col->name) == NULL &&
	    !col->notnull && col->dflt == DFLT_NONE;
}

static void
add_foreign(struct locking *l)
{
	const struct con *c = l->d->con;
	bool fresh = is_fresh(l, l->d->table);
	bool quick = fresh || c->not_valid || all_null(l, c);
	struct hazard *h = fresh ? NULL : lock(l, l->d->table, SRE);
	struct hazard *p = is_fresh(l, c->ref_table) ? NULL :
	    lock(l, c->ref_table, SRE);

	if (quick) {
		say(l, p, "locks-parent", "the foreign key \"%s\" stops writes "
		    "to \"%s\" for an instant", c->name, c->ref_table);
		return;
	}
	h = h == NULL ? p : &l->out.v[l->out.n - (p != NULL ? 2 : 1)];
	if (h != NULL)
		h->scan = true;
	say(l, h, l->dropped_fk ? "fk-revalidates" : "fk-validates",
	    "%s the foreign key \"%s\": every row is looked up while nobody can "
	    "write to \"%s\"%s%s%s", l->dropped_fk ? "drops and adds again" :
	    "adds", c->name, l->d->table, p == NULL ? "" : " or \"",
	    p == NULL ? "" : c->ref_table, p == NULL ? "" : "\"");
}

static void
add_con(struct locking *l)
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
		if (h == NULL || l->d->to != NULL)
			return;
		h->build = h->scan = true;
		say(l, h, "index-locks", "builds the unique index of \"%s\" "
		    "while nobody can read the table", c->name != NULL ?
		    c->name : l->d->table);
		return;
	case CON_EXCLUDE:
		if ((h = lock(l, l->d->table, AE)) == NULL)
			return;
		h->build = h->scan = true;
		say(l, h, "index-locks", "builds the index of \"%s\" while "
		    "nobody can read the table", c->name);
		return;
	case CON_CHECK:
		h = lock(l, l->d->table, AE);
		if (h == NULL || c->not_valid)
			return;
		h->scan = true;
		say(l, h, "scan-locks", "reads the whole table for the check "
		    "\"%s\" while nobody else can read it", c->name != NULL ?
		    c->name : c->expr != NULL ? c->expr : "");
		return;
	}
}

static const struct table *
owner(const struct locking *l, const struct ddl *d)
{
	if (d->table != NULL)
		return table_at(l, d->table);
	for (uint32_t i = 0; i < l->have.n; i++)
		if (table_con(l->have.v[i], d->name) != NULL)
			return l->have.v[i];
	return NULL;
}

static void
drop_foreign(struct locking *l, const struct table *t, const struct con *c)
{
	if (is_fresh(l, c->ref_table) || streq(c->ref_table, t->name))
		return;
	say(l, lock(l, c->ref_table, AE), "locks-parent", "dropping the foreign "
	    "key \"%s\" of \"%s\" stops reads of \"%s\" too, for an instant",
	    c->name, t->name, c->ref_table);
}

static void
drop_con(struct locking *l)
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
static void
rename_con(struct locking *l)
{
	const struct table *t = owner(l, l->d);
	const struct con *c = t == NULL ? NULL : table_con(t, l->d->name);

	if (l->d->table != NULL && (c == NULL || c->kind != CON_INDEX))
		lock(l, l->d->table, AE);
}

static void
validate(struct locking *l)
{
	const struct table *t = table_at(l, l->d->table);
	const struct con *c = t == NULL ? NULL : table_con(t, l->d->name);
	struct hazard *h = lock(l, l->d->table, SUE);

	if (h != NULL)
		h->scan = true;
	if (c != NULL && c->kind == CON_FK)
		lock(l, c->ref_table, RS);
}

/* ---- tables ---- */

static void
create_table(struct locking *l)
{
	const struct table *t = l->d->whole;

	for (uint16_t i = 0; t != NULL && i < t->ncons; i++) {
		const struct con *c = &t->cons[i];

		if (c->kind != CON_FK || is_fresh(l, c->ref_table))
			continue;
		say(l, lock(l, c->ref_table, SRE), "locks-parent", "the foreign "
		    "key of the new table \"%s\" stops writes to \"%s\" for an "
		    "instant", t->name, c->ref_table);
	}
}

static void
drop_table(struct locking *l)
{
	const struct table *t = table_at(l, l->d->table);

	lock(l, l->d->table, AE);
	for (uint16_t i = 0; t != NULL && i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK)
			drop_foreign(l, t, &t->cons[i]);
	for (uint32_t i = 0; t != NULL && i < l->have.n; i++) {
		const struct table *x = l->have.v[i];

		for (uint16_t k = 0; x != t && k < x->ncons; k++)
			if (x->cons[k].kind == CON_FK &&
			    streq(x->cons[k].ref_table, t->name))
				say(l, lock(l, x->name, AE), "cascades",
				    "the foreign key \"%s\" of \"%s\" goes with "
				    "the table it refers to, without a word",
				    x->cons[k].name, x->name);
	}
}

static void
drop_column(struct locking *l)
{
	const struct table *t = table_at(l, l->d->table);

	lock(l, l->d->table, AE);
	for (uint16_t i = 0; t != NULL && i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK && t->cons[i].ncols > 0 &&
		    streq(t->cons[i].cols[0], l->d->name))
			drop_foreign(l, t, &t->cons[i]);
}

static void
statement(struct locking *l)
{
	switch (l->d->kind) {
	case DDL_CREATE_TABLE: create_table(l); return;
	case DDL_DROP_TABLE: drop_table(l); return;
	case DDL_ADD_COLUMN: add_column(l); return;
	case DDL_DROP_COLUMN: drop_column(l); return;
	case DDL_TYPE: change_type(l); return;
	case DDL_SET_NOT_NULL: set_not_null(l); return;
	case DDL_UPDATE_NULLS: update_nulls(l); return;
	case DDL_ADD_CON: add_con(l); return;
	case DDL_DROP_CON: drop_con(l); return;
	case DDL_VALIDATE: validate(l); return;
	case DDL_DATA: lock(l, l->d->table, RE); return;
	case DDL_RENAME_TABLE: case DDL_RENAME_COLUMN:
	case DDL_DROP_NOT_NULL: case DDL_SET_DEFAULT: case DDL_DROP_DEFAULT:
	case DDL_ADD_IDENTITY: case DDL_DROP_IDENTITY:
		lock(l, l->d->table, AE);
		return;
	case DDL_RENAME_CON: rename_con(l); return;
	case DDL_OPAQUE: case DDL_NOTHING: case DDL_CONSTRAINTS_NOW:
	case DDL_EXTENSION: case DDL_OTHER:
		return;
	}
}

/* Tables that are new in this migration nobody else can be waiting for. */
static void
forget_fresh(struct locking *l, uint32_t from)
{
	uint32_t kept = from;

	for (uint32_t i = from; i < l->out.n; i++)
		if (!is_fresh(l, l->out.v[i].table))
			l->out.v[kept++] = l->out.v[i];
	l->out.n = kept;
}

void
locks_change(struct locking *l, const struct change *c)
{
	l->dropped_fk = false;
	for (uint32_t i = 0; i < c->fwd.n; i++) {
		uint32_t from = l->out.n;
		sym missing = NULL;

		l->d = &c->fwd.v[i];
		statement(l);
		forget_fresh(l, from);
		for (uint32_t k = from; k < l->out.n; k++)
			if (l->out.v[k].line == 0 && c->op != NULL)
				l->out.v[k].line = c->op->line;
		if (i + 1 < c->fwd.n || l->steps == NULL)
			schema_apply(l->a, &l->have, l->d, &missing);
	}
}

void
locks_of(struct arena *a, struct hazard **out, uint32_t *n,
    const struct change *c, const struct world *before,
    const struct settings *s)
{
	struct locking l = { .a = a, .s = s, .before = before,
	    .have = before->have };

	locks_change(&l, c);
	*out = l.out.v;
	*n = l.out.n;
}

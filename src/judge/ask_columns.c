/* Are the columns there, what of those that the code does not know, and do
 * they take what it writes? */
#include "judge/asking.h"

#include <string.h>

#include "base/util.h"

/* Columns stand in much the same order on both sides: *at is where the next
 * one is looked for first. */
static const struct column *
col_next(const struct table *t, sym name, uint16_t *at)
{
	if (*at < t->ncols && t->cols[*at].name == name)
		return &t->cols[(*at)++];
	const struct column *c = table_col(t, name);

	if (c != NULL)
		*at = (uint16_t)(c - t->cols + 1);
	return c;
}

/* 1 */
void
ask_columns(struct ask *q)
{
	uint16_t at = 0;

	for (uint16_t i = 0; i < q->w->ncols; i++) {
		const struct column *c = &q->w->cols[i];

		if (col_next(q->h, c->name, &at) == NULL)
			found(q, REASON_NO_COLUMN, DEGREE_BREAKS, c,
			    "SELECTs \"%s\".\"%s\"", q->w->name, c->name);
	}
}

/* May the value not fit, though nothing in it fails? Lengths and digits. */
static bool
may_not_fit(const struct ask *q, const struct column *c)
{
	const struct column *from = c->dflt_sql == NULL ? NULL :
	    expr_column(c->dflt_sql, q->h);

	if (c->type == NULL || strchr(c->type, '(') == NULL ||
	    starts_with(c->type, "time"))
		return false;
	return from == NULL || type_fit(from->type, c->type) != DEGREE_OK;
}

/* Does it stop every row that is to be filled with it? */
static bool
no_row(const struct column *c)
{
	return (c->dflt == DFLT_CONST && !constant_fits(c->type, c->dflt_sql)) ||
	    (c->dflt == DFLT_EXPR && divides_by_zero(c->dflt_sql));
}

/* 2: what the database computes from what the code writes */
static void
ask_generated(struct ask *q, const struct column *c)
{
	unsigned may = c->dflt_sql == NULL ? EXPR_RAISES | EXPR_NULL :
	    expr_may(c->dflt_sql, q->w, q->h);

	if ((may & EXPR_RAISES) != 0 || may_not_fit(q, c))
		found(q, REASON_CHECK, DEGREE_MAY, c, "writes values "
		    "into \"%s\" from which \"%s\" is computed: where "
		    "that fails or is out of range, the row is refused",
		    q->w->name, c->name);
	else if (c->notnull && (may & EXPR_NULL) != 0)
		found(q, REASON_CHECK, DEGREE_MAY, c, "writes values "
		    "into \"%s\" from which \"%s\" is computed, which is NOT "
		    "NULL: where it is NULL, the row is refused", q->w->name,
		    c->name);
}

/* A foreign key that nobody has held against the default yet. */
static const struct con *
points_nowhere(const struct ask *q, const struct column *c)
{
	for (uint16_t i = 0; i < q->h->ncons; i++) {
		const struct con *k = &q->h->cons[i];

		if (k->kind == CON_FK && k->not_valid && k->ncols == 1 &&
		    streq(k->cols[0], c->name))
			return k;
	}
	return NULL;
}

/* 2: what the database fills in */
static void
ask_filled(struct ask *q, const struct column *c)
{
	unsigned may = c->dflt == DFLT_EXPR && c->dflt_sql != NULL ?
	    expr_may(c->dflt_sql, NULL, NULL) : 0;

	const struct con *fk = points_nowhere(q, c);

	if (no_row(c))
		found(q, REASON_NOT_NULL, DEGREE_BREAKS, c, "INSERTs into \"%s\" "
		    "without \"%s\", whose default %s does not fit %s",
		    q->w->name, c->name, c->dflt_sql, c->type != NULL ?
		    c->type : "it");
	else if ((may & EXPR_RAISES) != 0 ||
	    (c->notnull && (may & EXPR_NULL) != 0) ||
	    (c->dflt == DFLT_EXPR && may_not_fit(q, c)))
		found(q, REASON_NOT_NULL, DEGREE_MAY, c, "INSERTs into \"%s\" "
		    "without \"%s\": it cannot be told here that its default "
		    "%s is never refused", q->w->name, c->name,
		    c->dflt_sql == NULL ? "" : c->dflt_sql);
	else if (fk != NULL)
		found(q, REASON_NOT_NULL, DEGREE_MAY, c, "INSERTs into \"%s\" "
		    "without \"%s\": its default %s has to be in \"%s\", and "
		    "\"%s\" is not validated", q->w->name, c->name,
		    c->dflt_sql == NULL ? "" : c->dflt_sql, fk->ref_table,
		    fk->name);
}

/* 2 */
void
ask_unknown(struct ask *q)
{
	for (uint16_t i = 0; i < q->h->ncols; i++) {
		const struct column *c = &q->h->cols[i];

		if (table_col(q->w, c->name) != NULL)
			continue;
		if (c->dflt == DFLT_GENERATED)
			ask_generated(q, c);
		else if (c->dflt != DFLT_NONE)
			ask_filled(q, c);
		else if (c->notnull)
			found(q, REASON_NOT_NULL, DEGREE_BREAKS, c,
			    "INSERTs into \"%s\" without \"%s\", which is NOT "
			    "NULL and has no default in the database",
			    q->w->name, c->name);
	}
}

/* 3: NULL, and what the database is to fill in. */
static void
ask_null(struct ask *q, const struct column *w, const struct column *h)
{
	if (!h->notnull || w->notnull || !w->writes_null ||
	    w->dflt == DFLT_GENERATED)
		return;
	bool rarely = w->py_default || w->dflt != DFLT_NONE;
	found(q, REASON_NULL, rarely ? DEGREE_NOTE : DEGREE_MAY, w,
	    rarely ? "writes NULL into \"%s\".\"%s\", which is NOT NULL, only "
	    "where something sets it to None" :
	    "can write NULL into \"%s\".\"%s\", which is NOT NULL",
	    q->w->name, w->name);
}

static void
ask_default(struct ask *q, const struct column *w, const struct column *h)
{
	if (h->dflt == DFLT_IDENTITY && h->always) {
		bool leaves = w->dflt == DFLT_IDENTITY ||
		    w->dflt == DFLT_SERIAL;

		if (!w->always)
			found(q, REASON_DEFAULT, leaves ? DEGREE_NOTE :
			    DEGREE_BREAKS, w, leaves ? "cannot write a value "
			    "of its own into \"%s\".\"%s\", which the database "
			    "always generates" : "writes \"%s\".\"%s\", which "
			    "the database always generates", q->w->name,
			    w->name);
		return;
	}
	if (h->dflt == DFLT_GENERATED && w->dflt != DFLT_GENERATED) {
		found(q, REASON_DEFAULT, DEGREE_BREAKS, w,
		    "writes \"%s\".\"%s\", which the database generates",
		    q->w->name, w->name);
		return;
	}
	if (w->dflt == DFLT_NONE || h->dflt != DFLT_NONE)
		return;

	enum degree d = h->notnull ? DEGREE_BREAKS :
	    w->notnull || w->dflt == DFLT_GENERATED ? DEGREE_MAY : DEGREE_NOTE;
	found(q, REASON_DEFAULT, d, w, "leaves \"%s\".\"%s\" to the database, "
	    "which has no default for it", q->w->name, w->name);
}

/* May it take different texts for the same? Those that a project makes are
 * known by their name alone; the system's own are exact. */
static bool
may_fold(sym collation)
{
	static const char *const exact[] = { "C", "POSIX", "ucs_basic",
	    "unicode", "default", "pg_c_utf8", "pg_unicode_fast" };

	if (collation == NULL || ends_with(collation, "-x-icu") ||
	    (strlen(collation) > 4 && collation[2] == '_' &&
	    collation[3] >= 'A' && collation[3] <= 'Z'))
		return false;
	for (size_t i = 0; i < countof(exact); i++)
		if (streq(collation, exact[i]))
			return false;
	return true;
}

static void
ask_collation(struct ask *q, const struct column *w, const struct column *h)
{
	if (streq(w->collation, h->collation))
		return;
	if (may_fold(h->collation))
		found(q, REASON_TYPE, DEGREE_MAY, w, "searches and keeps apart "
		    "\"%s\".\"%s\" by its letters; the collation \"%s\" may "
		    "take different ones for the same, and refuse LIKE",
		    q->w->name, w->name, h->collation);
	else if (may_fold(w->collation))
		found(q, REASON_TYPE, DEGREE_NOTE, w, "counts on the collation "
		    "\"%s\" of \"%s\".\"%s\"", w->collation, q->w->name,
		    w->name);
}

void
ask_known(struct ask *q)
{
	uint16_t at = 0;

	for (uint16_t i = 0; i < q->w->ncols; i++) {
		const struct column *w = &q->w->cols[i];
		const struct column *h = col_next(q->h, w->name, &at);

		if (h == NULL)
			continue;
		enum degree d = type_fit(w->type, h->type);
		if (d != DEGREE_OK)
			found(q, REASON_TYPE, d, w, d == DEGREE_BREAKS ?
			    "reads and writes \"%s\".\"%s\" as %s, and it is %s" :
			    "writes \"%s\".\"%s\" as %s, and it is %s: not every "
			    "value fits", q->w->name, w->name, w->type,
			    h->type);
		ask_collation(q, w, h);
		ask_null(q, w, h);
		ask_default(q, w, h);
	}
}

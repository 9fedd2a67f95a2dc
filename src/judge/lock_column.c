/* What a statement about columns locks, and what it reads or writes anew. */
#include "judge/locks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

/* Functions whose answer is the same for every row of a statement. */
static bool
steady_function(const char *name, size_t n)
{
	static const char *const words[] = { "now", "statement_timestamp",
	    "transaction_timestamp", "lower", "upper", "concat", "coalesce",
	    "timezone", "date_trunc", "date_part", "extract", "greatest",
	    "least", "length", "char_length", "abs", "round", "ceil", "floor",
	    "sqrt", "power", "mod", "nullif", "left", "right", "lpad", "rpad",
	    "repeat", "reverse", "md5", "sha256", "replace", "substr",
	    "substring", "trim", "btrim", "ltrim", "rtrim", "to_char",
	    "to_date", "to_timestamp", "make_date", "make_interval", "cast",
	    "array", "row", "jsonb_build_object", "json_build_object",
	    "jsonb_build_array", "to_jsonb", "int4range", "int8range",
	    "numrange", "daterange", "tsrange", "tstzrange", "current_setting",
	    "localtimestamp", "current_timestamp", "localtime", "current_time",
	    "numeric", "decimal", "varchar", "timestamp", "time", "interval",
	    "char", "bit", "varying", "character", "in", "and", "or", "not",
	    "then", "else", "when", "any", "all", "ln", "exp", "log", "pi",
	    "sign", "trunc", "chr", "ascii", "strpos", "sin", "cos", "age" };

	for (size_t i = 0; i < countof(words); i++)
		if (strlen(words[i]) == n && strncasecmp(words[i], name, n) == 0)
			return true;
	return false;
}

/* A default that may differ by row; a function that is not known is one. */
static bool
volatile_default(const struct column *c)
{
	if (c->dflt != DFLT_EXPR || c->dflt_sql == NULL)
		return false;
	for (const char *p = c->dflt_sql; *p != '\0';) {
		const char *word = p;

		if (*p == '\'') {
			p = strchr(p + 1, '\'');
			if (p++ == NULL)
				return true;
			continue;
		}
		while (isalnum((unsigned char)*p) || *p == '_')
			p++;
		size_t n = (size_t)(p - word);
		while (n > 0 && *p == ' ')
			p++;
		if (n == 0)
			p++;
		else if (*p == '(' && !steady_function(word, n))
			return true;
	}
	return false;
}

void
lock_add_column(struct locking *l)
{
	const struct column *c = l->d->col;
	struct hazard *h = lock(l, l->d->table, AE);

	if (h == NULL || c == NULL)
		return;
	h->rewrite = l->d->rewrites || c->dflt == DFLT_SERIAL || c->dflt == DFLT_IDENTITY ||
	    (c->dflt == DFLT_GENERATED && !c->is_virtual) ||
	    volatile_default(c);
	if (h->rewrite)
		lock_say(l, h, "rewrite", "adds \"%s\" with %s: the table and "
		    "its indexes are written anew while nobody can read it",
		    c->name, c->dflt == DFLT_GENERATED ?
		    "a stored generated value" : c->dflt == DFLT_EXPR ?
		    "a default that differs by row" : c->dflt == DFLT_NONE ||
		    c->dflt == DFLT_CONST ? "a domain that has rules" :
		    "a sequence");
}

/* ---- types ---- */

struct type {
	char base[48];		/* without its arguments */
	long arg[2];		/* -1: none */
};

static struct type
type_of(const char *s)
{
	struct type t = { .arg = { -1, -1 } };
	const char *open = strchr(s, '('), *close = strchr(s, ')');

	if (open == NULL || close < open) {
		strncat(t.base, s, sizeof(t.base) - 1);
		return t;
	}
	strncat(t.base, s, (size_t)(open - s) < sizeof(t.base) - 1 ?
	    (size_t)(open - s) : sizeof(t.base) - 1);
	strncat(t.base, close + 1, sizeof(t.base) - 1 - strlen(t.base));
	char *end = NULL;
	t.arg[0] = strtol(open + 1, &end, 10);
	if (*end == ',')
		t.arg[1] = strtol(end + 1, NULL, 10);
	return t;
}

static bool
one_of(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(s, words[i]))
			return true;
	return false;
}

/* What PostgreSQL stores alike, so that the rows stay as they are. */
static bool
same_rows(sym from, sym to)
{
	static const char *const text[] = { "character varying", "text",
	    "citext" };
	static const char *const temporal[] = { "time without time zone",
	    "time with time zone" };
	static const char *const stamps[] = { "timestamp without time zone",
	    "timestamp with time zone" };

	if (from == NULL || to == NULL)
		return false;
	if (streq(from, to))
		return true;
	struct type x = type_of(from), y = type_of(to);
	bool wider = y.arg[0] == -1 || (x.arg[0] != -1 &&
	    x.arg[0] <= y.arg[0]);
	if (one_of(x.base, text, countof(text)))
		return one_of(y.base, text, countof(text)) && wider;
	if (streq(x.base, "numeric"))
		return streq(y.base, x.base) && wider &&
		    (y.arg[0] == -1 || x.arg[1] == y.arg[1]);
	if (one_of(x.base, stamps, countof(stamps)))
		return one_of(y.base, stamps, countof(stamps)) && wider;
	if (one_of(x.base, temporal, countof(temporal)) ||
	    streq(x.base, "bit varying"))
		return streq(x.base, y.base) && wider;
	return streq(from, "cidr") && streq(to, "inet");
}

/* USING, when it is more than the cast of the column to its new type. */
static bool
computed(const struct ddl *d)
{
	const char *p = !d->using || d->sql == NULL ? NULL :
	    strcasestr(d->sql, " USING ");

	if (p == NULL)
		return d->using;
	p += strlen(" USING ");
	size_t n = strcspn(p, ":(|+-*/");
	return n == 0 || strncmp(p + n, "::", 2) != 0 ||
	    strpbrk(p + n, "|+-*/") != NULL;
}

static bool
con_names(const struct con *c, sym column)
{
	for (uint16_t k = 0; k < c->ncols; k++)
		if (streq(c->cols[k], column))
			return true;
	return ident_in(c->expr, column) || ident_in(c->where, column);
}

/* What stands on a column whose type changes is made anew: an index only if
 * it cannot be taken over as it is, a check always. */
static void
made_anew(struct locking *l, const struct table *t, const struct column *x)
{
	const struct column *y = l->d->col;
	bool citext = !streq(x->type, y->type) && (streq(x->type, "citext") ||
	    streq(y->type, "citext"));
	bool collation = !streq(x->collation, y->collation);

	for (uint16_t i = 0; i < t->ncons; i++) {
		const struct con *c = &t->cons[i];
		struct hazard *h;

		if (!con_names(c, x->name) || c->kind == CON_FK)
			continue;
		if (c->kind == CON_CHECK) {
			if (c->not_valid || (h = lock(l, t->name, AE)) == NULL)
				continue;
			h->scan = true;
			lock_say(l, h, "scan-locks", "reads the whole table for "
			    "the check \"%s\" again, which names \"%s\", while "
			    "nobody else can read it", c->name, x->name);
		} else if (citext || collation || c->where != NULL ||
		    c->expr != NULL || c->kind == CON_EXCLUDE) {
			if ((h = lock(l, t->name, AE)) == NULL)
				continue;
			h->build = true;
			lock_say(l, h, "index-locks", "builds the index \"%s\" on "
			    "\"%s\" anew while nobody can read the table",
			    c->name, x->name);
		}
	}
}

/* Foreign keys of the column, and those that point to it: dropped and made
 * again with it, every row looked up again where the type differs. */
static void
keys_again(struct locking *l, const struct table *t, sym column, bool rewrite)
{
	const struct vec *have = lock_have(l);

	for (uint32_t i = 0; i < have->n; i++) {
		const struct table *x = have->v[i];

		for (uint16_t k = 0; k < x->ncons; k++) {
			const struct con *c = &x->cons[k];
			bool ours = x == t && con_names(c, column);
			bool other = streq(c->ref_table, t->name) &&
			    (c->ref_col == NULL || streq(c->ref_col, column));
			struct hazard *h;

			if (c->kind != CON_FK || (!ours && !other))
				continue;
			h = lock(l, ours ? c->ref_table : x->name, AE);
			if (!rewrite || h == NULL)
				continue;
			h->scan = true;
			lock_say(l, h, "fk-revalidates", "makes the foreign key "
			    "\"%s\" of \"%s\" again: every row is looked up "
			    "while nobody can read \"%s\"", c->name, x->name,
			    h->table);
		}
	}
}

void
lock_type(struct locking *l)
{
	const struct ddl *d = l->d;
	const struct table *t = lock_table(l, d->table);
	const struct column *x = t == NULL || d->name == NULL ? NULL :
	    table_col(t, d->name);
	struct hazard *h = lock(l, d->table, AE);

	if (h == NULL || x == NULL || d->col == NULL)
		return;
	bool rewrite = computed(d) || !same_rows(x->type, d->col->type);
	if (rewrite) {
		h->rewrite = true;
		lock_say(l, h, "rewrite", "turns \"%s\" from %s into %s: the "
		    "table and its indexes are written anew while nobody can "
		    "read it", x->name, x->type == NULL ? "?" : x->type,
		    d->col->type == NULL ? "?" : d->col->type);
	} else if (!streq(x->type, d->col->type) &&
	    strstr(x->type, "time zone") != NULL) {
		lock_say(l, h, "time-zone", "leaves the rows as they are only "
		    "while the session's time zone is UTC");
	}
	if (!rewrite)
		made_anew(l, t, x);
	keys_again(l, t, x->name, rewrite);
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

void
lock_not_null(struct locking *l)
{
	const struct table *t = lock_table(l, l->d->table);
	struct hazard *h = lock(l, l->d->table, AE);

	if (h == NULL || proven_not_null(t, l->d->name))
		return;
	h->scan = true;
	lock_say(l, h, "scan-locks", "reads the whole table for NULLs in \"%s\" "
	    "while nobody else can read it", l->d->name);
}

void
lock_update(struct locking *l)
{
	struct hazard *h = lock(l, l->d->table, AE);

	if (h == NULL)
		return;
	h->update = h->scan = true;
	lock_say(l, h, "update-locks", "fills every NULL of \"%s\" in one statement, "
	    "in the transaction that has locked the table against reads",
	    l->d->name);
}

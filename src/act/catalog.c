#include "act/catalog.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/act.h"

/* Names within one column of an answer are set apart by this. */
#define APART "chr(31)"
#define APART_CHAR '\x1f'

/* Ordinary and partitioned tables of the search path's first schema, without
 * the partitions and without what an extension brought. */
#define TABLES							\
	"t AS (SELECT c.oid, c.relname FROM pg_class c "	\
	"WHERE c.relnamespace = current_schema()::regnamespace "\
	"AND c.relkind IN ('r', 'p') AND NOT c.relispartition "	\
	"AND NOT EXISTS (SELECT FROM pg_depend x "		\
	"WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid "\
	"AND x.deptype = 'e')) "

enum { C_TABLE, C_NAME, C_TYPE, C_COLLATION, C_NOTNULL, C_IDENTITY,
	C_GENERATED, C_DEFAULT, C_SERIAL };

static const char columns_sql[] = "WITH " TABLES
	"SELECT t.relname, a.attname, format_type(a.atttypid, a.atttypmod), "
	"CASE WHEN a.attcollation <> y.typcollation THEN (SELECT collname "
	"FROM pg_collation l WHERE l.oid = a.attcollation) END, "
	"a.attnotnull, a.attidentity, a.attgenerated, "
	"pg_get_expr(d.adbin, d.adrelid), "
	"EXISTS (SELECT FROM pg_depend s JOIN pg_class q ON q.oid = s.objid "
	"AND q.relkind = 'S' WHERE s.classid = 'pg_class'::regclass "
	"AND s.refclassid = 'pg_class'::regclass AND s.refobjid = t.oid "
	"AND s.refobjsubid = a.attnum AND s.deptype = 'a') "
	"FROM t LEFT JOIN pg_attribute a ON a.attrelid = t.oid "
	"AND a.attnum > 0 AND NOT a.attisdropped "
	"LEFT JOIN pg_type y ON y.oid = a.atttypid "
	"LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum "
	"ORDER BY t.relname COLLATE \"C\", a.attnum";

enum { K_TABLE, K_NAME, K_KIND, K_COLS, K_INCLUDE, K_REF_TABLE, K_REF_COL,
	K_ON_DELETE, K_EXPR, K_WHERE, K_METHOD, K_OPCLASS, K_DEFERRABLE,
	K_NOT_VALID, K_NULLS_EQUAL, K_INVALID };

/* Names of an index's key columns, or of those it includes; an expression
 * among them is an empty name. */
#define INDEX_COLS(test)						\
	"(SELECT string_agg(coalesce(a.attname, ''), " APART " ORDER BY k.i) " \
	"FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k(n, i) "	\
	"LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid "		\
	"AND a.attnum = k.n WHERE k.i " test " x.indnkeyatts)"

static const char cons_sql[] = "WITH " TABLES
	"SELECT t.relname, c.conname, c.contype::text, "
	"(SELECT string_agg(coalesce(a.attname, ''), " APART " ORDER BY k.i) "
	"FROM unnest(c.conkey) WITH ORDINALITY AS k(n, i) "
	"LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.n), "
	INDEX_COLS(">") ", "
	"CASE WHEN f.relnamespace = current_schema()::regnamespace "
	"THEN f.relname ELSE f.oid::regclass::text END, "
	"(SELECT a.attname FROM pg_attribute a "
	"WHERE a.attrelid = c.confrelid AND a.attnum = c.confkey[1]), "
	"CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' "
	"WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' END, "
	"CASE c.contype WHEN 'c' THEN pg_get_expr(c.conbin, t.oid) "
	"WHEN 'x' THEN pg_get_constraintdef(c.oid) END, "
	"pg_get_expr(x.indpred, t.oid), m.amname, NULL, "
	"c.condeferrable, NOT c.convalidated, %s, NOT x.indisvalid "
	"FROM t JOIN pg_constraint c ON c.conrelid = t.oid "
	"AND c.contype IN ('p', 'u', 'c', 'f', 'x') "
	"LEFT JOIN pg_class f ON f.oid = c.confrelid "
	"LEFT JOIN pg_index x ON x.indexrelid = c.conindid "
	"AND c.contype IN ('p', 'u', 'x') "
	"LEFT JOIN pg_class i ON i.oid = x.indexrelid "
	"LEFT JOIN pg_am m ON m.oid = i.relam "
	"UNION ALL "
	"SELECT t.relname, i.relname, "
	"CASE WHEN x.indisunique THEN 'u' ELSE 'i' END, "
	INDEX_COLS("<=") ", " INDEX_COLS(">") ", NULL, NULL, NULL, "
	"CASE WHEN 0 = ANY (x.indkey::int2[]) OR 1 = ANY (SELECT o & 1 "
	"FROM unnest(x.indoption::int2[]) o) THEN (SELECT string_agg("
	"pg_get_indexdef(x.indexrelid, i, false) || CASE x.indoption[i - 1] "
	"& 1 WHEN 1 THEN ' DESC' ELSE '' END, ', ' ORDER BY i) "
	"FROM generate_series(1, x.indnkeyatts) AS i) END, "
	"pg_get_expr(x.indpred, t.oid), m.amname, "
	"(SELECT o.opcname FROM unnest(x.indclass::oid[]) "
	"WITH ORDINALITY AS k(o, i) JOIN pg_opclass o ON o.oid = k.o "
	"WHERE NOT o.opcdefault ORDER BY k.i LIMIT 1), "
	"false, false, %s, NOT x.indisvalid "
	"FROM t JOIN pg_index x ON x.indrelid = t.oid "
	"JOIN pg_class i ON i.oid = x.indexrelid "
	"JOIN pg_am m ON m.oid = i.relam "
	"WHERE NOT EXISTS (SELECT FROM pg_constraint c "
	"WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x'))";

/* --- values --- */

/* Past the end of the quoted string that s begins with; NULL: no end. */
static const char *
past_quote(const char *s)
{
	for (s++; *s != '\0'; s++) {
		if (*s != '\'')
			continue;
		if (s[1] != '\'')
			return s + 1;
		s++;
	}
	return NULL;
}

static bool
is_number(const char *s, size_t n)
{
	return n > 0 && strspn(s, "-0123456789.") >= n &&
	    s[strcspn(s, "0123456789")] != '\0';
}

/* "'new'::character varying" and "'-5'::integer" as they would be written;
 * NULL: it has to be computed. */
static sym
literal(struct arena *a, const char *s)
{
	size_t n = strlen(s);

	if (streq(s, "true") || streq(s, "false") || is_number(s, n))
		return sym_get(a, s);
	if (s[0] == '(' && n > 2 && is_number(s + 1, n - 2))
		return sym_getn(a, s + 1, n - 2);
	const char *end = s[0] == '\'' ? past_quote(s) : NULL;
	if (end == NULL)
		return NULL;
	size_t len = (size_t)(end - s);
	if (*end == '\0')
		return sym_get(a, s);
	/* only a cast may follow, to nothing that is computed */
	if (!starts_with(end, "::") || strpbrk(end + 2, "'+*/|:") != NULL)
		return NULL;
	if (is_number(s + 1, len - 2) && (streq(end, "::integer") ||
	    streq(end, "::bigint") || streq(end, "::smallint") ||
	    starts_with(end, "::numeric") || streq(end, "::real") ||
	    streq(end, "::double precision")))
		return sym_getn(a, s + 1, len - 2);
	return sym_getn(a, s, len);
}

static bool
flag(const struct pg_rows *r, int i, int col)
{
	const char *s = pg_get(r, i, col);

	return s != NULL && s[0] != '\0';
}

static void
column_default(struct column *c, struct arena *a, const struct pg_rows *r,
    int i)
{
	const char *expr = pg_get(r, i, C_DEFAULT);

	if (flag(r, i, C_IDENTITY)) {
		c->dflt = DFLT_IDENTITY;
		c->always = streq(pg_get(r, i, C_IDENTITY), "a");
	} else if (flag(r, i, C_GENERATED)) {
		c->dflt = DFLT_GENERATED;
		c->dflt_sql = sym_get(a, expr);
	} else if (expr != NULL && strncmp(expr, "nextval(", 8) == 0 &&
	    pg_true(r, i, C_SERIAL)) {
		c->dflt = DFLT_SERIAL;
	} else if (expr != NULL && !streq(expr, "NULL") &&
	    !starts_with(expr, "NULL::")) {
		c->dflt_sql = literal(a, expr);
		c->dflt = c->dflt_sql != NULL ? DFLT_CONST : DFLT_EXPR;
		if (c->dflt == DFLT_EXPR)
			c->dflt_sql = sym_get(a, expr);
	}
}

static void
column_get(struct column *c, struct arena *a, const struct pg_rows *r, int i)
{
	c->name = sym_get(a, pg_get(r, i, C_NAME));
	c->type = sym_get(a, pg_get(r, i, C_TYPE));
	c->collation = sym_get(a, pg_get(r, i, C_COLLATION));
	c->notnull = pg_true(r, i, C_NOTNULL);
	column_default(c, a, r, i);
}

static uint16_t
names_get(const sym **out, struct arena *a, const char *s)
{
	if (s == NULL)
		return 0;
	uint16_t n = 1;
	for (const char *p = s; *p != '\0'; p++)
		if (*p == APART_CHAR)
			n++;
	sym *v = arena_array(a, sym, n);
	for (uint16_t i = 0; i < n; i++) {
		const char *end = strchr(s, APART_CHAR);
		size_t len = end == NULL ? strlen(s) : (size_t)(end - s);
		v[i] = len == 0 ? NULL : sym_getn(a, s, len);
		s += len + 1;
	}
	*out = v;
	return n;
}

/* Where the bracket that s begins with is closed; NULL: nowhere. */
static const char *
closing(const char *s)
{
	int depth = 0;

	for (; *s != '\0'; s++) {
		if (*s == '\'' || *s == '"')
			s += strcspn(s + 1, *s == '"' ? "\"" : "'") + 1;
		if (*s == '\0')
			return NULL;
		if (*s == '(')
			depth++;
		else if (*s == ')' && --depth == 0)
			return s;
	}
	return NULL;
}

/* "(x IS NULL)" without the brackets that only hold it together, and what
 * "EXCLUDE USING gist (x WITH &&) WHERE …" excludes. */
static sym
bare(struct arena *a, const char *s)
{
	const char *open = s == NULL || !starts_with(s, "EXCLUDE USING ") ? s :
	    strchr(s, '(');
	const char *end = open == NULL || *open != '(' ? NULL : closing(open);

	if (end == NULL || (open == s && end[1] != '\0'))
		return sym_get(a, s);
	return sym_getn(a, open + 1, (size_t)(end - open) - 1);
}

static void
con_get(struct con *c, struct arena *a, const struct pg_rows *r, int i)
{
	static const char letter[] = "pucfxi";	/* in the order of con_kind */
	const char *method = pg_get(r, i, K_METHOD);

	c->kind = (enum con_kind)(strchr(letter, *pg_get(r, i, K_KIND)) -
	    letter);
	c->name = sym_get(a, pg_get(r, i, K_NAME));
	c->ncols = names_get(&c->cols, a, pg_get(r, i, K_COLS));
	c->ninclude = names_get(&c->include, a, pg_get(r, i, K_INCLUDE));
	c->ref_table = sym_get(a, pg_get(r, i, K_REF_TABLE));
	c->ref_col = sym_get(a, pg_get(r, i, K_REF_COL));
	c->on_delete = sym_get(a, pg_get(r, i, K_ON_DELETE));
	c->expr = bare(a, pg_get(r, i, K_EXPR));
	c->where = bare(a, pg_get(r, i, K_WHERE));
	c->method = streq(method, "btree") ? NULL : sym_get(a, method);
	c->opclass = sym_get(a, pg_get(r, i, K_OPCLASS));
	c->deferrable = pg_true(r, i, K_DEFERRABLE);
	c->not_valid = pg_true(r, i, K_NOT_VALID);
	c->nulls_equal = pg_true(r, i, K_NULLS_EQUAL);
	c->invalid = pg_true(r, i, K_INVALID);
}

/* --- tables --- */

/* How many rows from i on belong to the same table. */
static int
same_table(const struct pg_rows *r, int i)
{
	int k = i + 1;

	while (k < pg_count(r) && streq(pg_get(r, k, 0), pg_get(r, i, 0)))
		k++;
	return k - i;
}

static void
columns_get(struct table *t, struct arena *a, const struct pg_rows *r, int i,
    int n)
{
	struct column *c = arena_array(a, struct column, n);

	if (pg_get(r, i, C_NAME) == NULL)	/* a table of no columns */
		n = 0;
	for (int k = 0; k < n; k++)
		column_get(&c[k], a, r, i + k);
	t->cols = c;
	t->ncols = (uint16_t)n;
}

static void
cons_get(struct table *t, struct arena *a, const struct pg_rows *r, int *i)
{
	while (*i < pg_count(r) && strcmp(pg_get(r, *i, 0), t->name) < 0)
		(*i)++;
	if (*i == pg_count(r) || !streq(pg_get(r, *i, 0), t->name))
		return;
	int n = same_table(r, *i);
	struct con *c = arena_array(a, struct con, n);
	for (int k = 0; k < n; k++)
		con_get(&c[k], a, r, *i + k);
	t->cons = c;
	t->ncons = (uint16_t)n;
	*i += n;
}

static int
read_cons(struct pg_rows **r, struct pg *p, struct err *e)
{
	const char *nulls = pg_server(p) < 150000 ? "false" :
	    "coalesce(x.indnullsnotdistinct, false)";
	struct strbuf sql STRBUF_SCOPED = STRBUF_INIT;
	const char *s = cons_sql;

	strbuf_str(&sql, "SELECT * FROM (");
	for (const char *hole; (hole = strstr(s, "%s")) != NULL; s = hole + 2) {
		strbuf_add(&sql, s, (size_t)(hole - s));
		strbuf_str(&sql, nulls);
	}
	strbuf_str(&sql, s);
	strbuf_str(&sql, ") q ORDER BY q.relname COLLATE \"C\", "
	    "q.conname COLLATE \"C\"");
	return pg_exec(p, r, sql.s, NULL, 0, e);
}

int
catalog_read(struct vec *out, struct arena *a, struct pg *p, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *cols = NULL, *cons = NULL;
	int n = 0, at = 0;

	if (pg_exec(p, &cols, columns_sql, NULL, 0, e) < 0 ||
	    read_cons(&cons, p, e) < 0)
		return err_wrap(e, "cannot read the database's tables");
	for (int i = 0; i < pg_count(cols); i += same_table(cols, i))
		n++;
	const struct table **v = arena_alloc(a, (size_t)n + 1, sizeof(*v));
	n = 0;
	for (int i = 0; i < pg_count(cols);) {
		struct table *t = arena_make(a, struct table);
		int k = same_table(cols, i);
		t->name = sym_get(a, pg_get(cols, i, C_TABLE));
		columns_get(t, a, cols, i, k);
		cons_get(t, a, cons, &at);
		v[n++] = t;
		i += k;
	}
	*out = (struct vec){ .v = v, .n = (uint32_t)n };
	return 0;
}

/* Views on views are held by those that they are made of. */
static const char views_sql[] = "WITH " TABLES
	"SELECT v.relname, t.relname || ' ' || string_agg(a.attname, ' ' "
	"ORDER BY a.attnum) FROM pg_depend d JOIN t ON t.oid = d.refobjid "
	"JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass "
	"AND r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class "
	"JOIN pg_attribute a ON a.attrelid = t.oid "
	"AND a.attnum = d.refobjsubid "
	"WHERE d.refclassid = 'pg_class'::regclass AND v.oid <> t.oid "
	"AND v.relkind IN ('v', 'm') "
	"GROUP BY v.oid, v.relname, t.relname "
	"ORDER BY v.relname, t.relname";

int
catalog_views(const struct by_hand **out, struct arena *a, struct pg *p,
    struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	if (pg_exec(p, &r, views_sql, NULL, 0, e) < 0)
		return err_wrap(e, "cannot read the database's views");
	*out = NULL;
	for (int i = 0; i < pg_count(r); i++)
		*out = by_hand_live(a, *out, sym_get(a, pg_get(r, i, 0)),
		    sym_get(a, pg_get(r, i, 1)));
	return 0;
}

int
catalog_applied(struct applied **out, uint32_t *n, struct arena *a,
    struct pg *p, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *there = NULL, *r = NULL;

	*out = NULL;
	*n = 0;
	if (pg_exec(p, &there, "SELECT to_regclass('django_migrations') "
	    "IS NOT NULL", NULL, 0, e) < 0)
		return err_wrap(e, "cannot read django_migrations");
	if (!pg_true(there, 0, 0))
		return 0;
	if (pg_exec(p, &r, "SELECT app, name FROM django_migrations "
	    "ORDER BY id", NULL, 0, e) < 0)
		return err_wrap(e, "cannot read django_migrations");
	*n = (uint32_t)pg_count(r);
	*out = arena_array(a, struct applied, *n);
	for (uint32_t i = 0; i < *n; i++) {
		(*out)[i].app = sym_get(a, pg_get(r, (int)i, 0));
		(*out)[i].name = sym_get(a, pg_get(r, (int)i, 1));
	}
	return 0;
}

int
catalog_size(int64_t *rows, int64_t *bytes, struct pg *p, const char *table,
    struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	*rows = *bytes = -1;
	if (pg_exec(p, &r, "SELECT c.reltuples::bigint, "
	    "pg_total_relation_size(c.oid) FROM pg_class c "
	    "WHERE c.relnamespace = current_schema()::regnamespace "
	    "AND c.relname = $1", &table, 1, e) < 0)
		return err_wrap(e, "the size of \"%s\"", table);
	if (pg_count(r) == 1) {
		*rows = pg_int(r, 0, 0);
		*bytes = pg_int(r, 0, 1);
	}
	return 0;
}

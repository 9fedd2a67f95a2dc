#include "read/sql.h"

#include <ctype.h>
#include <pg_query.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "read/sqlparse.h"

#define SQL_MAX (512u << 10)
#define CHAIN_MAX 4000		/* links of a chain: the parser recurses */

struct ddl *
ddl_add(struct statement *s, enum ddl_kind kind, sym table)
{
	struct ddl *d = list_add(s->a, &s->out);

	d->kind = kind;
	d->table = table;
	d->line = s->line;
	d->sql = s->sql;
	return d;
}

void
ddl_opaque(struct statement *s, sym table, const char *why)
{
	ddl_add(s, DDL_OPAQUE, table)->why = sym_get(s->a, why);
}

void
ddl_locks(struct statement *s, const char *mode)
{
	s->out.v[s->out.n - 1].lock = mode;
}

void
ddl_temporary(struct statement *s, sym table)
{
	struct ddl *d = ddl_add(s, DDL_NOTHING, NULL);

	d->name = table;
	d->setting = SETTING_TEMPORARY;
}

static void
on_index(struct statement *s, json_t *v)
{
	sym table = pq_table(s->a, pq_get(v, "relation"));
	struct con *c = arena_make(s->a, struct con);

	if (table == NULL) {
		ddl_opaque(s, NULL, "an index of no table");
		return;
	}
	sql_index(s->a, c, table, v);
	struct ddl *d = ddl_add(s, DDL_ADD_CON, table);
	d->con = c;
	d->name = c->name;
	d->concurrently = pq_bool(v, "concurrent");
	d->if_exists = pq_bool(v, "if_not_exists");
}

/* The name of what DROP drops: a list of names, the schema public left out. */
static sym
object_name(struct arena *a, json_t *j)
{
	json_t *items = pq_get(pq_get(j, "List"), "items");
	size_t n = json_array_size(items);
	const char *last = pq_last(items);
	const char *schema = n > 1 ? pq_str(pq_get(json_array_get(items,
	    n - 2), "String"), "sval") : NULL;

	if (last == NULL)
		return NULL;
	return schema == NULL || streq(schema, "public") ? sym_get(a, last) :
	    sym_printf(a, "%s.%s", schema, last);
}

/* DROP POLICY, RULE: the table of which it is a part. */
static sym
part_of(struct arena *a, json_t *v)
{
	json_t *names = pq_get(pq_get(json_array_get(pq_get(v, "objects"), 0),
	    "List"), "items");
	size_t n = json_array_size(names);

	if (n < 2 || (!pq_is(v, "removeType", "OBJECT_POLICY") &&
	    !pq_is(v, "removeType", "OBJECT_RULE")))
		return NULL;
	return sym_get(a, pq_str(pq_get(json_array_get(names, n - 2), "String"),
	    "sval"));
}

static void
on_drop(struct statement *s, json_t *v)
{
	static const char *const held[] = { "OBJECT_TYPE", "OBJECT_DOMAIN",
	    "OBJECT_SCHEMA", "OBJECT_EXTENSION", "OBJECT_FUNCTION",
	    "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE" };
	json_t *objects = pq_get(v, "objects");
	bool cascade = pq_is(v, "behavior", "DROP_CASCADE");
	bool table = pq_is(v, "removeType", "OBJECT_TABLE");
	bool index = pq_is(v, "removeType", "OBJECT_INDEX");

	for (size_t i = 0; i < countof(held); i++)
		if (pq_is(v, "removeType", held[i]) && cascade) {
			ddl_opaque(s, NULL, "what CASCADE takes along is not "
			    "known");
			return;
		}
	if (pq_is(v, "removeType", "OBJECT_TRIGGER")) {
		sql_drop_trigger(s, v);
		return;
	}
	if (!table && !index) {		/* a view may be a model's table */
		ddl_opaque(s, part_of(s->a, v), "DROP of what code, a default "
		    "or a trigger may use");
		ddl_locks(s, "ACCESS EXCLUSIVE");
		return;
	}
	for (size_t i = 0; i < json_array_size(objects); i++) {
		sym name = object_name(s->a, json_array_get(objects, i));
		struct ddl *d = ddl_add(s, table ? DDL_DROP_TABLE :
		    DDL_DROP_CON, table ? name : NULL);
		d->name = name;
		d->cascade = cascade;
		d->if_exists = pq_bool(v, "missing_ok");
		d->concurrently = pq_bool(v, "concurrent");
	}
}

static void
on_rename(struct statement *s, json_t *v)
{
	sym table = pq_table(s->a, pq_get(v, "relation"));
	sym to = sym_get(s->a, pq_str(v, "newname"));
	sym name = sym_get(s->a, pq_str(v, "subname"));
	struct ddl *d;

	if (pq_is(v, "renameType", "OBJECT_TABLE")) {
		d = ddl_add(s, DDL_RENAME_TABLE, table);
	} else if (pq_is(v, "renameType", "OBJECT_COLUMN") &&
	    pq_is(v, "relationType", "OBJECT_TABLE")) {
		d = ddl_add(s, DDL_RENAME_COLUMN, table);
	} else if (pq_is(v, "renameType", "OBJECT_TABCONSTRAINT")) {
		d = ddl_add(s, DDL_RENAME_CON, table);
	} else if (pq_is(v, "renameType", "OBJECT_INDEX")) {
		d = ddl_add(s, DDL_RENAME_CON, NULL);
		name = table;
	} else {
		ddl_opaque(s, table, "RENAME of what is not a table, a column, "
		    "a constraint or an index");
		ddl_locks(s, "ACCESS EXCLUSIVE");
		return;
	}
	d->name = name;
	d->to = to;
	d->if_exists = pq_bool(v, "missing_ok");
}

static void
on_rows(struct statement *s, json_t *v)
{
	ddl_add(s, DDL_DATA, pq_table(s->a, pq_get(v, "relation")))->every =
	    pq_get(v, "whereClause") == NULL;
}

static void
on_constraints(struct statement *s, json_t *v)
{
	ddl_add(s, pq_bool(v, "deferred") ? DDL_NOTHING : DDL_CONSTRAINTS_NOW,
	    NULL);
}

static void
on_extension(struct statement *s, json_t *v)
{
	struct ddl *d = ddl_add(s, DDL_EXTENSION, NULL);

	d->name = sym_get(s->a, pq_str(v, "extname"));
	d->if_exists = pq_bool(v, "if_not_exists");
}

static void
on_table_as(struct statement *s, json_t *v)
{
	sym table = pq_table(s->a, pq_get(pq_get(v, "into"), "rel"));

	if (pq_is(v, "objtype", "OBJECT_MATVIEW"))
		ddl_add(s, DDL_OTHER, NULL);
	else if (pq_is(pq_get(pq_get(v, "into"), "rel"), "relpersistence", "t"))
		ddl_temporary(s, table);
	else
		ddl_opaque(s, table, "a table made by a query");
}

static const struct {
	const char *type;
	void (*read)(struct statement *s, json_t *v);
	enum ddl_kind kind;	/* where there is nothing to read */
} statements[] = {
	{ "CreateStmt", sql_create_table, 0 }, { "AlterTableStmt", sql_alter_table, 0 },
	{ "IndexStmt", on_index, 0 }, { "DropStmt", on_drop, 0 }, { "RenameStmt", on_rename, 0 },
	{ "SelectStmt", sql_select, 0 }, { "TruncateStmt", sql_truncate, 0 },
	{ "ConstraintsSetStmt", on_constraints, 0 }, { "CreateExtensionStmt", on_extension, 0 },
	{ "CreateTableAsStmt", on_table_as, 0 }, { "AlterObjectSchemaStmt", sql_to_schema, 0 },
	{ "InsertStmt", NULL, DDL_DATA }, { "UpdateStmt", on_rows, 0 }, { "DeleteStmt", on_rows, 0 },
	{ "MergeStmt", NULL, DDL_DATA }, { "CopyStmt", NULL, DDL_DATA },
	{ "CommentStmt", sql_comment, 0 }, { "GrantStmt", sql_grant, 0 }, { "GrantRoleStmt", sql_grant, 0 },
	{ "VariableSetStmt", sql_set, 0 }, { "VariableShowStmt", NULL, DDL_NOTHING },
	{ "VacuumStmt", sql_vacuum, 0 }, { "LockStmt", sql_lock, 0 }, { "NotifyStmt", NULL, DDL_NOTHING },
	{ "AlterDefaultPrivilegesStmt", sql_default_rights, 0 },
	{ "CreateSeqStmt", NULL, DDL_OTHER }, { "CreateEnumStmt", NULL, DDL_OTHER },
	{ "AlterEnumStmt", sql_enum, 0 }, { "CreateDomainStmt", NULL, DDL_OTHER },
	{ "CompositeTypeStmt", NULL, DDL_OTHER }, { "CreateRangeStmt", NULL, DDL_OTHER }, { "CreateFunctionStmt", sql_function, 0 },
	{ "ViewStmt", sql_view, 0 }, { "CreateSchemaStmt", NULL, DDL_OTHER },
	{ "DefineStmt", sql_define, 0 }, { "CreateStatsStmt", sql_statistics, 0 },
	{ "CreateTrigStmt", sql_trigger, 0 }, { "AlterStatsStmt", NULL, DDL_OTHER }, { "ReindexStmt", sql_rebuild, 0 }, { "RefreshMatViewStmt", sql_refresh, 0 },
	{ "AlterCollationStmt", NULL, DDL_OTHER },
	{ "CreateRoleStmt", NULL, DDL_OTHER },
	{ "ClusterStmt", sql_rebuild, 0 },
	{ "CreatePolicyStmt", sql_of_table, 0 }, { "AlterPolicyStmt", sql_of_table, 0 },
	{ "RuleStmt", sql_of_table, 0 },
};

static void
read_statement(struct statement *s, json_t *stmt)
{
	const char *type;
	json_t *v = pq_node(stmt, &type);

	for (size_t i = 0; i < countof(statements); i++) {
		if (!streq(statements[i].type, type))
			continue;
		if (statements[i].read != NULL)
			statements[i].read(s, v);
		else
			ddl_add(s, statements[i].kind, pq_table(s->a,
			    pq_get(v, "relation")));
		return;
	}
	if (streq(type, "DoStmt"))
		ddl_opaque(s, NULL, "a DO block");
	else if (streq(type, "TransactionStmt"))
		ddl_opaque(s, NULL, "it begins or ends a transaction itself");
	else
		ddl_opaque(s, NULL, sym_printf(s->a, "%s is not read", type));
}

/* libpg_query recurses over chains such as 1+1+1+…: one that long is not
 * given to it. */
static bool
too_chained(const char *s, size_t n)
{
	static const char *const links[] = { "and", "or", "not", "union",
	    "intersect", "except", "join", "is", "in", "like", "collate",
	    "isnull", "notnull", "at", "between" };
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\'') {
			const char *q = memchr(s + i + 1, '\'', n - i - 1);
			i = q != NULL ? (size_t)(q - s) : n;
		} else if (isalpha((unsigned char)s[i])) {
			size_t k = 0;
			while (i + k < n && (isalnum((unsigned char)s[i + k]) ||
			    s[i + k] == '_'))
				k++;
			for (size_t w = 0; w < countof(links); w++)
				count += strlen(links[w]) == k &&
				    strncasecmp(links[w], s + i, k) == 0;
			i += k - 1;
		} else if (strchr("+-*/%^<>=|&~!@#?:[.", s[i]) != NULL) {
			count++;
		}
	}
	return count > CHAIN_MAX;
}

static uint32_t
lines(const char *s, size_t n)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += s[i] == '\n';
	return count;
}

/* The bytes of one statement, blanks and comments before it left out. */
static void
slice(struct statement *s, const char *text, json_t *raw, uint32_t line)
{
	size_t len = strlen(text);
	size_t at = (size_t)json_integer_value(pq_get(raw, "stmt_location"));
	size_t n = (size_t)json_integer_value(pq_get(raw, "stmt_len"));

	at = at > len ? len : at;
	n = n == 0 || n > len - at ? len - at : n;
	for (;;) {
		size_t k = strspn(text + at, " \t\r\n");
		k = k > n ? n : k;
		at += k;
		n -= k;
		if (n < 2 || text[at] != '-' || text[at + 1] != '-')
			break;
		k = strcspn(text + at, "\n");
		k = k > n ? n : k;
		at += k;
		n -= k;
	}
	s->line = line > 0 ? line + lines(text, at) : 0;
	while (n > 0 && isspace((unsigned char)text[at + n - 1]))
		n--;
	char *copy = arena_alloc(s->a, n + 1, 1);
	memcpy(copy, text + at, n);
	s->sql = copy;
}

static void
read_tree(struct statement *s, const char *text, json_t *tree, uint32_t line)
{
	json_t *stmts = pq_get(tree, "stmts");

	for (size_t i = 0; i < json_array_size(stmts); i++) {
		json_t *raw = json_array_get(stmts, i);
		slice(s, text, raw, line);
		read_statement(s, pq_get(raw, "stmt"));
	}
}

/* The parser is PostgreSQL 15's: may another one take it, or a driver that
 * fills something in? */
static bool
newer(const char *text)
{
	static const char *const words[] = { "$", "virtual", "json", "merge",
	    "returning", "overlaps", "period", "without", "any_value",
	    "system_user", "storage", "unicode", "enforced", "partition",
	    "copy", "vacuum", "analyze", "explain", "maintain", "inherit",
	    "0x", "0o", "0b", "lc_", "import", "subscription", "greatest" };
	bool digits = false;

	for (const char *s = text; *s != '\0'; s++)	/* 1_000 */
		digits |= isdigit((unsigned char)s[0]) && s[1] == '_' &&
		    isdigit((unsigned char)s[2]);
	for (size_t i = 0; i < countof(words) && !digits; i++)
		digits = strcasestr(text, words[i]) != NULL;
	return digits;
}

void
sql_read(struct ddls *out, struct arena *a, const char *text, uint32_t line)
{
	struct statement s = { .a = a, .sql = text, .line = line };
	size_t len = strlen(text);

	if (len > SQL_MAX || too_chained(text, len)) {
		ddl_opaque(&s, NULL, len > SQL_MAX ? "too long to be read" :
		    "too many operators to be read");
	} else {
		PgQueryParseResult r = pg_query_parse(text);
		json_t *tree = r.error == NULL && r.parse_tree != NULL ?
		    json_loads(r.parse_tree, 0, NULL) : NULL;
		if (tree != NULL) {
			read_tree(&s, text, tree, line);
		} else {
			ddl_opaque(&s, NULL, sym_printf(a,
			    "cannot be read here: %.200s", r.error != NULL ?
			    r.error->message : "too deeply nested"));
			s.out.v[s.out.n - 1].refused = r.error != NULL &&
			    starts_with(r.error->message, "syntax error") &&
			    !newer(text);
		}
		json_decref(tree);
		pg_query_free_parse_result(r);
	}
	out->v = s.out.v;
	out->n = s.out.n;
}

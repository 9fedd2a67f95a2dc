/* Columns, constraints and indexes out of PostgreSQL's parse tree. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "read/sqlparse.h"

#define NAME_BYTES 63

/* As PostgreSQL makes a name out of a table, a column and a label: the longer
 * part gives way. */
static sym
object_name(struct arena *a, const char *table, const char *column,
    const char *label)
{
	size_t n = strlen(table), m = strlen(column);
	size_t over = strlen(label) + 1 + (m > 0);

	while (n + m + over > NAME_BYTES) {
		if (n > m)
			n--;
		else
			m--;
	}
	return sym_printf(a, "%.*s%s%.*s_%s", (int)n, table, m > 0 ? "_" : "",
	    (int)m, column, label);
}

static sym
joined(struct arena *a, const sym *cols, uint16_t n)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (uint16_t i = 0; i < n && b.len < NAME_BYTES; i++)
		strbuf_printf(&b, "%s%s", i > 0 ? "_" : "",
		    cols[i] != NULL ? cols[i] : "expr");
	return sym_get(a, b.s);
}

static const sym *
name_list(struct arena *a, json_t *list, uint16_t *n)
{
	size_t k = json_array_size(list);
	sym *v = arena_array(a, sym, k + 1);

	*n = 0;
	for (size_t i = 0; i < k && i < UINT16_MAX; i++)
		v[(*n)++] = sym_get(a, pq_str(pq_get(json_array_get(list, i),
		    "String"), "sval"));
	return v;
}

/* The key columns of an index or an exclusion constraint; expressions leave
 * a NULL and their text. */
static void
index_keys(struct arena *a, struct con *c, json_t *params, bool exclude)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	size_t n = json_array_size(params);
	sym *cols = arena_array(a, sym, n + 1);

	for (size_t i = 0; i < n && i < UINT16_MAX; i++) {
		json_t *p = json_array_get(params, i);
		if (exclude)	/* {"List": {"items": [elem, operator]}} */
			p = json_array_get(pq_get(pq_get(p, "List"), "items"),
			    0);
		json_t *elem = pq_get(p, "IndexElem");
		cols[c->ncols++] = sym_get(a, pq_str(elem, "name"));
		json_t *expr = pq_get(elem, "expr");
		if (expr != NULL) {
			sym text = sql_said(a, expr);
			strbuf_printf(&b, "%s%s", b.len > 0 ? ", " : "",
			    text != NULL ? text : "?");
		}
		if (c->opclass == NULL)
			c->opclass = sym_get(a, pq_last(pq_get(elem,
			    "opclass")));
	}
	c->cols = cols;
	if (b.len > 0)
		c->expr = sym_get(a, b.s);
}

void
sql_index(struct arena *a, struct con *out, sym table, json_t *stmt)
{
	json_t *include = pq_get(stmt, "indexIncludingParams");
	const char *method = pq_str(stmt, "accessMethod");
	json_t *where = pq_get(stmt, "whereClause");

	*out = (struct con){ .kind = pq_bool(stmt, "unique") ? CON_UNIQUE :
	    CON_INDEX };
	index_keys(a, out, pq_get(stmt, "indexParams"), false);
	sym *v = arena_array(a, sym, json_array_size(include) + 1);
	for (size_t i = 0; i < json_array_size(include); i++)
		v[out->ninclude++] = sym_get(a, pq_str(pq_get(json_array_get(
		    include, i), "IndexElem"), "name"));
	out->include = v;
	if (method != NULL && !streq(method, "btree"))
		out->method = sym_get(a, method);
	if (where != NULL) {
		sym text = sql_said(a, where);
		out->where = text != NULL ? text : sym_get(a, "?");
	}
	out->nulls_equal = pq_bool(stmt, "nulls_not_distinct");
	const char *name = pq_str(stmt, "idxname");
	out->name = name != NULL ? sym_get(a, name) : object_name(a, table,
	    joined(a, out->cols, out->ncols), "idx");
}

static sym
on_delete(struct arena *a, json_t *c)
{
	const char *s = pq_str(c, "fk_del_action");

	switch (s != NULL ? *s : 'a') {
	case 'r':
		return sym_get(a, "RESTRICT");
	case 'c':
		return sym_get(a, "CASCADE");
	case 'n':
		return sym_get(a, "SET NULL");
	case 'd':
		return sym_get(a, "SET DEFAULT");
	default:
		return NULL;
	}
}

/* The only column that a check names, for its name. */
static const char *
only_column(json_t *j, const char *found, bool *many, int depth)
{
	const char *key;
	json_t *v;

	if (depth > 200)
		return found;
	if (json_is_array(j)) {
		for (size_t i = 0; i < json_array_size(j); i++)
			found = only_column(json_array_get(j, i), found, many,
			    depth + 1);
		return found;
	}
	if (!json_is_object(j))
		return found;
	json_object_foreach(j, key, v) {
		if (!streq(key, "ColumnRef")) {
			found = only_column(v, found, many, depth + 1);
			continue;
		}
		const char *name = pq_last(pq_get(v, "fields"));
		*many |= found != NULL && name != NULL && !streq(found, name);
		found = name;
	}
	return found;
}

static void
read_key(struct arena *a, struct con *out, sym column, json_t *c)
{
	json_t *keys = pq_get(c, "keys");

	if (keys != NULL) {
		out->cols = name_list(a, keys, &out->ncols);
	} else if (column != NULL) {
		sym *v = arena_array(a, sym, 1);
		v[0] = column;
		out->cols = v;
		out->ncols = 1;
	}
	out->include = name_list(a, pq_get(c, "including"), &out->ninclude);
	out->nulls_equal = pq_bool(c, "nulls_not_distinct");
}

static void
read_foreign(struct arena *a, struct con *out, sym column, json_t *c)
{
	json_t *attrs = pq_get(c, "fk_attrs"), *refs = pq_get(c, "pk_attrs");
	uint16_t n;

	if (attrs != NULL) {
		out->cols = name_list(a, attrs, &out->ncols);
	} else if (column != NULL) {
		sym *v = arena_array(a, sym, 1);
		v[0] = column;
		out->cols = v;
		out->ncols = 1;
	}
	out->ref_table = pq_table(a, pq_get(c, "pktable"));
	const sym *v = name_list(a, refs, &n);
	out->ref_col = n > 0 ? v[0] : NULL;
	out->on_delete = on_delete(a, c);
}

static sym
default_name(struct arena *a, const struct con *c, sym table, sym column,
    json_t *j)
{
	bool many = false;

	switch (c->kind) {
	case CON_PK:
		return object_name(a, table, "", "pkey");
	case CON_UNIQUE:
		return object_name(a, table, joined(a, c->cols, c->ncols),
		    "key");
	case CON_FK:
		return object_name(a, table, joined(a, c->cols, c->ncols),
		    "fkey");
	case CON_EXCLUDE:
		return object_name(a, table, joined(a, c->cols, c->ncols),
		    "excl");
	default:
		break;
	}
	const char *one = column != NULL ? column :
	    only_column(pq_get(j, "raw_expr"), NULL, &many, 0);
	return object_name(a, table, one != NULL && !many ? one : "", "check");
}

int
sql_constraint(struct arena *a, struct con *out, sym table, sym column,
    json_t *c)
{
	static const struct { const char *type; enum con_kind kind; } kinds[] = {
		{ "CONSTR_PRIMARY", CON_PK }, { "CONSTR_UNIQUE", CON_UNIQUE },
		{ "CONSTR_CHECK", CON_CHECK }, { "CONSTR_FOREIGN", CON_FK },
		{ "CONSTR_EXCLUSION", CON_EXCLUDE },
	};
	const char *type = pq_str(c, "contype");
	size_t k = 0;

	while (k < countof(kinds) && !streq(kinds[k].type, type))
		k++;
	if (k == countof(kinds))
		return -1;
	*out = (struct con){ .kind = kinds[k].kind,
	    .deferrable = pq_bool(c, "deferrable"),
	    .not_valid = pq_bool(c, "skip_validation") };
	if (out->kind == CON_PK || out->kind == CON_UNIQUE)
		read_key(a, out, column, c);
	else if (out->kind == CON_FK)
		read_foreign(a, out, column, c);
	else if (out->kind == CON_EXCLUDE)
		index_keys(a, out, pq_get(c, "exclusions"), true);
	else if ((out->expr = sql_said(a, pq_get(c, "raw_expr"))) == NULL)
		out->expr = sym_get(a, "?");
	if (out->kind == CON_EXCLUDE) {
		out->method = sym_get(a, pq_str(c, "access_method"));
		if (pq_get(c, "where_clause") != NULL &&
		    (out->where = sql_said(a, pq_get(c, "where_clause"))) == NULL)
			out->where = sym_get(a, "?");
	}
	const char *name = pq_str(c, "conname");
	out->name = name != NULL ? sym_get(a, name) :
	    default_name(a, out, table, column, c);
	return 0;
}

static void
set_default(struct arena *a, struct column *c, json_t *expr)
{
	const char *type;
	json_t *v = pq_node(expr, &type);

	while (streq(type, "TypeCast"))
		v = pq_node(pq_get(v, "arg"), &type);
	if (streq(type, "A_Const") && pq_bool(v, "isnull"))
		return;		/* DEFAULT NULL is none */
	c->dflt = streq(type, "A_Const") ? DFLT_CONST : DFLT_EXPR;
	c->dflt_sql = sql_said(a, expr);
}

void
sql_column(struct arena *a, struct column_cons *out, sym table, json_t *def)
{
	json_t *cons = pq_get(def, "constraints");
	const char *type = pq_last(pq_get(pq_get(def, "typeName"), "names"));
	struct column *c = &out->col;

	*out = (struct column_cons){ 0 };
	c->name = sym_get(a, pq_str(def, "colname"));
	c->type = sql_type(a, pq_get(def, "typeName"));
	c->collation = sym_get(a, pq_last(pq_get(pq_get(def, "collClause"),
	    "collname")));
	if (type != NULL && (strstr(type, "serial") != NULL)) {
		c->dflt = DFLT_SERIAL;
		c->notnull = true;
	}
	if (pq_get(def, "raw_default") != NULL)
		set_default(a, c, pq_get(def, "raw_default"));
	for (size_t i = 0; i < json_array_size(cons); i++) {
		json_t *k = pq_get(json_array_get(cons, i), "Constraint");
		struct con con;
		if (pq_is(k, "contype", "CONSTR_NOTNULL")) {
			c->notnull = true;
		} else if (pq_is(k, "contype", "CONSTR_DEFAULT")) {
			set_default(a, c, pq_get(k, "raw_expr"));
		} else if (pq_is(k, "contype", "CONSTR_IDENTITY")) {
			c->dflt = DFLT_IDENTITY;
			c->always = pq_is(k, "generated_when", "a");
			c->notnull = true;
		} else if (pq_is(k, "contype", "CONSTR_GENERATED")) {
			c->dflt = DFLT_GENERATED;
			c->dflt_sql = sql_said(a, pq_get(k, "raw_expr"));
		} else if (pq_is(k, "contype", "CONSTR_ATTR_DEFERRABLE") &&
		    out->cons.n > 0) {
			out->cons.v[out->cons.n - 1].deferrable = true;
		} else if (sql_constraint(a, &con, table, c->name, k) == 0) {
			c->notnull |= con.kind == CON_PK;
			*list_add(a, &out->cons) = con;
		}
	}
}

static int
by_name(const void *x, const void *y)
{
	return strcmp(((const struct con *)x)->name,
	    ((const struct con *)y)->name);
}

/* A primary key named after the columns makes them NOT NULL. */
static void
key_columns(struct column *cols, uint32_t n, const struct con *pk)
{
	for (uint16_t k = 0; k < pk->ncols; k++)
		for (uint32_t i = 0; i < n; i++)
			cols[i].notnull |= cols[i].name == pk->cols[k];
}

void
sql_create_table(struct statement *s, json_t *stmt)
{
	sym table = pq_table(s->a, pq_get(stmt, "relation"));
	json_t *elts = pq_get(stmt, "tableElts");
	struct list(struct column) cols = { 0 };
	struct list(struct con) cons = { 0 };

	if (pq_is(pq_get(stmt, "relation"), "relpersistence", "t")) {
		ddl_temporary(s, table);
		return;
	}
	if (pq_get(stmt, "partspec") != NULL) {
		ddl_opaque(s, table, "a partitioned table takes no row for "
		    "which it has no partition");
		return;
	}
	if (pq_get(stmt, "inhRelations") != NULL ||
	    pq_get(stmt, "ofTypename") != NULL) {
		ddl_opaque(s, table, "a table that inherits or is a partition");
		return;
	}
	for (size_t i = 0; i < json_array_size(elts); i++) {
		const char *type;
		json_t *v = pq_node(json_array_get(elts, i), &type);
		if (streq(type, "ColumnDef")) {
			struct column_cons c;
			sql_column(s->a, &c, table, v);
			*list_add(s->a, &cols) = c.col;
			for (uint32_t k = 0; k < c.cons.n; k++)
				*list_add(s->a, &cons) = c.cons.v[k];
		} else if (streq(type, "Constraint")) {
			struct con c;
			if (sql_constraint(s->a, &c, table, NULL, v) == 0)
				*list_add(s->a, &cons) = c;
		} else {
			ddl_opaque(s, table, "a table made LIKE another");
			return;
		}
	}
	for (uint32_t i = 0; i < cons.n; i++)
		if (cons.v[i].kind == CON_PK)
			key_columns(cols.v, cols.n, &cons.v[i]);
	if (cols.n > UINT16_MAX || cons.n > UINT16_MAX || table == NULL) {
		ddl_opaque(s, table, "too large a table");
		return;
	}
	if (cons.n > 1)
		qsort(cons.v, cons.n, sizeof(*cons.v), by_name);
	struct table *t = arena_make(s->a, struct table);
	t->name = table;
	t->cols = cols.v;
	t->ncols = (uint16_t)cols.n;
	t->cons = cons.v;
	t->ncons = (uint16_t)cons.n;
	struct ddl *d = ddl_add(s, DDL_CREATE_TABLE, table);
	d->whole = t;
	d->if_exists = pq_bool(stmt, "if_not_exists");
}

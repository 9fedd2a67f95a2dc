/* The constraints and indexes that a model's fields and options ask for. */
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

sym
model_column(const struct code *c, const struct model *m, sym field)
{
	const struct field *f = model_field(m, field);

	if (f == NULL && (strcmp(field, "pk") == 0 ||
	    streq(field, model_pk(c, m)->name)))
		f = model_pk(c, m);
	return f != NULL && f->column != NULL ? f->column : field;
}

/* ---- constraints of one field ---- */

struct con
con_plain(struct arena *a, enum con_kind kind, const sym *cols, uint16_t n)
{
	return (struct con){ .kind = kind, .ncols = n, .generated = true,
		.cols = arena_copy(a, cols, n * sizeof(*cols)) };
}

/* Part of the key: unique by it, whatever the field says. */
static bool
is_pk(const struct code *c, const struct model *m, const struct field *f)
{
	return f->primary_key || model_pk(c, m) == f;
}

int
con_field_unique(const struct code *c, const struct model *m,
    const struct field *f, struct con *con)
{
	if (!f->unique || is_pk(c, m, f) || f->column == NULL)
		return 0;
	*con = con_plain(c->a, CON_UNIQUE, &f->column, 1);
	con->name = name_index(c->a, model_table(c, m), &f->column, 1,
	    "_uniq");
	return 1;
}

int
con_field_check(const struct code *c, const struct model *m,
    const struct field *f, struct con *con)
{
	if (!field_check(f))
		return 0;
	*con = con_plain(c->a, CON_CHECK, &f->column, 1);
	con->name = name_index(c->a, model_table(c, m), &f->column, 1,
	    "_check");
	con->expr = sym_printf(c->a, "%s >= 0", sql_name(c->a, f->column));
	return 1;
}

int
con_field_index(const struct code *c, const struct model *m,
    const struct field *f, struct con *con)
{
	if (f->cls != NULL && f->cls->spatial && f->call != NULL &&
	    value_bool(f->call, "spatial_index", true, NULL)) {
		*con = con_plain(c->a, CON_INDEX, &f->column, 1);
		con->method = sym_get(c->a, "gist");
		con->name = name_index(c->a, model_table(c, m), &f->column, 1,
		    "_id");
		return 1;
	}
	if (!f->db_index || f->unique || is_pk(c, m, f) || f->column == NULL)
		return 0;
	*con = con_plain(c->a, CON_INDEX, &f->column, 1);
	con->name = name_index(c->a, model_table(c, m), &f->column, 1, "");
	return 1;
}

int
con_field_like(const struct code *c, const struct model *m,
    const struct field *f, struct con *con)
{
	if ((!f->db_index && !f->unique && !is_pk(c, m, f)) ||
	    f->column == NULL)
		return 0;
	sym type = field_type(c, f, 0);
	bool text = type != NULL && starts_with(type, "text");
	if (type == NULL || strchr(type, '[') != NULL ||
	    (!text && !starts_with(type, "character varying")))
		return 0;
	*con = con_plain(c->a, CON_INDEX, &f->column, 1);
	con->name = name_index(c->a, model_table(c, m), &f->column, 1,
	    "_like");
	con->opclass = sym_get(c->a, text ? "text_pattern_ops" :
	    "varchar_pattern_ops");
	return 1;
}

int
con_field_fk(const struct code *c, const struct model *m,
    const struct field *f, struct con *con)
{
	if (f->kind != FIELD_FK || !f->db_constraint || f->column == NULL)
		return 0;
	struct target t = field_target(c, f);
	if (t.table == NULL || t.column == NULL)
		return 0;
	*con = con_plain(c->a, CON_FK, &f->column, 1);
	con->name = name_fk(c->a, model_table(c, m), f->column, t.table,
	    t.column);
	con->ref_table = t.table;
	con->ref_col = t.column;
	con->deferrable = true;
	con->outside = t.model == NULL;
	const struct value *v = f->call != NULL ?
	    value_arg(f->call, "on_delete", 1) : NULL;
	if (v != NULL && v->kind == VALUE_NAME) {
		static const char *const dbs[][2] = {
			{ "DB_CASCADE", "CASCADE" },
			{ "DB_SET_NULL", "SET NULL" },
			{ "DB_SET_DEFAULT", "SET DEFAULT" },
		};
		for (size_t i = 0; i < countof(dbs); i++)
			if (ends_with(v->name, dbs[i][0]))
				con->on_delete = sym_get(c->a, dbs[i][1]);
	}
	return 1;
}

/* ---- constraints of a model ---- */

struct con
con_together(const struct code *c, const struct model *m, const sym *fields,
    uint16_t n, enum con_kind kind)
{
	sym *cols = arena_array(c->a, sym, n);

	for (uint16_t i = 0; i < n; i++)
		cols[i] = model_column(c, m, fields[i]);
	struct con con = con_plain(c->a, kind, cols, n);
	con.name = name_index(c->a, model_table(c, m), cols, n,
	    kind == CON_UNIQUE ? "_uniq" : "_idx");
	return con;
}

static const char *
last(const char *dotted)
{
	const char *dot = strrchr(dotted, '.');

	return dot != NULL ? dot + 1 : dotted;
}

static sym
names_joined(struct arena *a, const struct value *v)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = 0; v != NULL && i < v->n; i++)
		strbuf_printf(&b, "%s%s", i > 0 ? ", " : "",
		    v->items[i]->kind == VALUE_STR ? v->items[i]->text : "?");
	return b.len > 0 ? sym_get(a, b.s) : NULL;
}

/* fields=['a', '-b'], or expressions; their text in con->expr where plain
 * column names do not say it all. */
static void
keys(const struct code *c, const struct model *m, const struct value *v,
    struct con *con)
{
	const struct value *fields = value_arg(v, "fields", -1);
	const struct value *ops = value_arg(v, "opclasses", -1);
	uint32_t n = fields != NULL ? fields->n : v->n;
	sym *cols = arena_array(c->a, sym, n + 1u);
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	bool plain = true;

	for (uint32_t i = 0; i < n; i++) {
		const struct value *e = fields != NULL ? fields->items[i] :
		    v->items[i];
		struct syms used = { 0 };

		strbuf_str(&b, i > 0 ? ", " : "");
		if (e->kind == VALUE_STR) {
			bool desc = e->text[0] == '-';

			cols[i] = model_column(c, m, sym_get(c->a,
			    e->text + desc));
			strbuf_str(&b, sql_name(c->a, cols[i]));
			if (ops != NULL && i < ops->n)
				strbuf_printf(&b, " %s", ops->items[i]->text);
			strbuf_str(&b, desc ? " DESC" : "");
			plain = plain && !desc && ops == NULL;
			continue;
		}
		sym text = sql_expr(c, m, e, &used);
		if (used.n == 1 && streq(text, sql_name(c->a, used.v[0])))
			cols[i] = used.v[0];
		else
			plain = false;
		strbuf_printf(&b, cols[i] != NULL ? "%s" : "(%s)", text);
	}
	con->cols = cols;
	con->ncols = (uint16_t)n;
	con->opclass = names_joined(c->a, ops);
	if (!plain)
		con->expr = sym_get(c->a, b.s);
}

static void
extras(const struct code *c, const struct model *m, const struct value *v,
    struct con *con)
{
	const struct value *inc = value_arg(v, "include", -1);
	const struct value *where = value_arg(v, "condition", -1);
	struct syms used = { 0 };

	if (inc != NULL && inc->n > 0) {
		sym *cols = arena_array(c->a, sym, inc->n);

		for (uint32_t i = 0; i < inc->n; i++)
			if (inc->items[i]->kind == VALUE_STR)
				cols[con->ninclude++] = model_column(c, m,
				    value_str(c->a, inc->items[i]));
		con->include = cols;
	}
	if (where != NULL && where->kind != VALUE_NONE) {
		con->where = sql_expr(c, m, where, &used);
		con->q = where;
	}
}

struct con
con_index(const struct code *c, const struct model *m, const struct value *v)
{
	static const char *const methods[][2] = {
		{ "GinIndex", "gin" }, { "GistIndex", "gist" },
		{ "BrinIndex", "brin" }, { "HashIndex", "hash" },
		{ "SpGistIndex", "spgist" }, { "BloomIndex", "bloom" },
	};
	struct con con = { .kind = CON_INDEX, .name = call_name(c->a, v) };

	for (size_t i = 0; i < countof(methods); i++)
		if (strcmp(last(v->name), methods[i][0]) == 0)
			con.method = sym_get(c->a, methods[i][1]);
	keys(c, m, v, &con);
	extras(c, m, v, &con);
	if (con.name == NULL) {
		con.generated = true;
		con.name = name_index(c->a, model_table(c, m), con.cols,
		    con.ncols, "_idx");
	}
	return con;
}

static void
exclusion(const struct code *c, const struct model *m, const struct value *v,
    struct con *con)
{
	const struct value *list = value_arg(v, "expressions", -1);
	sym type = value_str(c->a, value_arg(v, "index_type", -1));
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct syms used = { 0 };

	con->method = type != NULL ? sym_lower(c->a, type) :
	    sym_get(c->a, "gist");
	for (uint32_t i = 0; list != NULL && i < list->n; i++) {
		const struct value *pair = list->items[i];

		if (pair->n != 2)
			continue;
		const struct value *key = pair->items[0];
		sym op = value_str(c->a, pair->items[1]);
		sym text = key->kind == VALUE_STR ? sql_name(c->a,
		    model_column(c, m, value_str(c->a, key))) :
		    sql_expr(c, m, key, &used);
		if (key->kind == VALUE_STR)
			*list_add(c->a, &used) = model_column(c, m,
			    value_str(c->a, key));
		if (op == NULL) {	/* RangeOperators.OVERLAPS, a name */
			const char *n = pair->items[1]->name;

			op = n == NULL ? "?" : ends_with(n, "OVERLAPS") ?
			    "&&" : ends_with(n, "EQUAL") ? "=" : last(n);
		}
		strbuf_printf(&b, "%s%s WITH %s", i > 0 ? ", " : "", text, op);
	}
	con->expr = sym_get(c->a, b.s);
	con->cols = used.v;
	con->ncols = (uint16_t)used.n;
}

static bool
deferred(const struct value *v)
{
	const struct value *d = value_arg(v, "deferrable", -1);

	return d != NULL && d->kind != VALUE_NONE;
}

struct con
con_constraint(const struct code *c, const struct model *m,
    const struct value *v)
{
	struct con con = { .name = call_name(c->a, v) };
	const char *cls = last(v->name);

	con.deferrable = deferred(v);
	if (ends_with(cls, "CheckConstraint")) {
		const struct value *q = value_arg(v, "condition", -1);
		struct syms used = { 0 };

		if (q == NULL)
			q = value_arg(v, "check", -1);
		con.kind = CON_CHECK;
		con.q = q;
		con.expr = q != NULL ? sql_expr(c, m, q, &used) : NULL;
		con.cols = used.v;
		con.ncols = (uint16_t)used.n;
		return con;
	}
	if (ends_with(cls, "ExclusionConstraint")) {
		con.kind = CON_EXCLUDE;
		exclusion(c, m, v, &con);
		extras(c, m, v, &con);
		return con;
	}
	con.kind = CON_UNIQUE;
	keys(c, m, v, &con);
	extras(c, m, v, &con);
	const struct value *nulls = value_arg(v, "nulls_distinct", -1);
	con.nulls_equal = nulls != NULL && nulls->kind == VALUE_BOOL &&
	    nulls->i == 0;
	return con;
}

bool
con_unique_index(const struct con *c)
{
	bool plain = true;

	for (uint16_t i = 0; i < c->ncols; i++)
		plain = plain && c->cols[i] != NULL;
	return c->kind == CON_UNIQUE && (!plain || c->where != NULL ||
	    c->ninclude > 0 || c->opclass != NULL);
}

/* One field as a column: what it points to, what fills it. */
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

/* Apps that most projects have and few keep in their own tree. */
static const struct { const char *label, *table, *column, *type; } contrib[] = {
	{ "auth.user", "auth_user", "id", "integer" },
	{ "auth.group", "auth_group", "id", "integer" },
	{ "auth.permission", "auth_permission", "id", "integer" },
	{ "contenttypes.contenttype", "django_content_type", "id", "integer" },
	{ "sites.site", "django_site", "id", "integer" },
	{ "sessions.session", "django_session", "session_key", "character varying(40)" },
};

/* The catalogue knows tables that no migration here has made. */
static void
target_live(const struct code *c, struct target *t)
{
	const struct table *live = c->s->live != NULL ?
	    vec_find(c->s->live, t->table) : NULL;

	for (uint16_t i = 0; live != NULL && i < live->ncons; i++) {
		const struct con *k = &live->cons[i];

		if (k->kind != CON_PK || k->ncols != 1)
			continue;
		const struct column *col = table_col(live, k->cols[0]);
		t->column = k->cols[0];
		t->type = col != NULL ? col->type : NULL;
	}
}

static struct target
target_outside(const struct code *c, sym label)
{
	struct target t = { .column = "id" };

	for (size_t i = 0; i < countof(contrib); i++)
		if (strcmp(contrib[i].label, label) == 0)
			t = (struct target){ contrib[i].table,
				contrib[i].column, contrib[i].type, 0, 0 };
	if (t.table == NULL) {
		struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

		strbuf_str(&b, label);
		for (char *s = b.s; *s != '\0'; s++)
			if (*s == '.')
				*s = '_';
		t.table = name_cut(c->a, b.s, 63);
	}
	t.table = sym_get(c->a, t.table);
	t.column = sym_get(c->a, t.column);
	t.type = sym_get(c->a, t.type);
	target_live(c, &t);
	return t;
}

struct target
field_target(const struct code *c, const struct field *f)
{
	struct target t = { 0 };

	if (f->to == NULL)
		return t;
	const struct model *m = models_find(c->models, f->to);
	if (m == NULL)
		return target_outside(c, f->to);
	t.model = model_concrete(c, m);
	/* a proxy of a model that is in no migration here */
	if (t.model->opt->proxy && t.model->nbases > 0)
		return target_outside(c, t.model->bases[0]);
	t.table = model_table(c, t.model);
	t.field = f->to_field != NULL ? model_field(t.model, f->to_field) :
	    NULL;
	if (t.field == NULL)
		t.field = model_pk(c, t.model);
	t.column = t.field->column;
	return t;
}

sym
field_outside(const struct code *c, const struct field *f)
{
	for (int i = 0; i < 16 && f->kind == FIELD_FK; i++) {
		const struct target t = field_target(c, f);

		if (t.field == NULL)
			return t.table;
		f = t.field;
	}
	return NULL;
}

bool
field_check(const struct field *f)
{
	return f->cls != NULL && f->cls->positive;
}

static bool
is_text(const struct field *f)
{
	return f->cls != NULL && f->cls->empty &&
	    strcmp(f->cls->name, "BinaryField") != 0;
}

/* Defaults that are called: what they give, as far as it can be said. */
static sym
default_called(const struct code *c, const struct field *f,
    const struct value *v, bool *known)
{
	const char *dot = strrchr(v->name, '.');
	const char *last = dot != NULL ? dot + 1 : v->name;
	bool json = f->cls != NULL && strcmp(f->cls->name, "JSONField") == 0;

	if (strcmp(last, "dict") == 0 && v->n == 0)
		return json ? "'{}'::jsonb" : "''";
	if (strcmp(last, "list") == 0 && v->n == 0)
		return json ? "'[]'::jsonb" : "'{}'";
	if (strcmp(last, "str") == 0 && v->n == 0)
		return "''";
	if (strcmp(last, "bool") == 0 && v->n == 0)
		return "false";
	*known = false;
	return sym_printf(c->a, "<%s()>", v->name);
}

/* A constant the way the field's own class would write it. */
static sym
default_typed(const struct code *c, const struct field *f,
    const struct value *v, sym text)
{
	const char *cls = f->cls != NULL ? f->cls->name : "";

	if (strcmp(cls, "BooleanField") == 0 && v->kind == VALUE_INT)
		return v->i != 0 ? "true" : "false";
	if (is_text(f) && v->kind == VALUE_INT)
		return sym_printf(c->a, "'%s'", text);
	if (strcmp(cls, "FloatField") == 0 && v->kind == VALUE_INT)
		return sym_printf(c->a, "%s.0", text);
	if (strcmp(cls, "JSONField") == 0 && v->kind != VALUE_CALL)
		return sym_printf(c->a, "'%s'::jsonb",
		    v->kind == VALUE_DICT ? "{…}" : text);
	if ((strcmp(cls, "IntegerField") == 0 || strcmp(cls,
	    "PositiveIntegerField") == 0) && v->kind == VALUE_BOOL)
		return v->i != 0 ? "1" : "0";
	return text;
}

static sym
default_empty(const struct code *c, const struct value *v)
{
	(void)c;
	if (v->kind == VALUE_DICT)
		return "'{}'::jsonb";
	return v->n == 0 ? "'{}'" : NULL;
}

sym
field_default(const struct code *c, const struct field *f, bool *known)
{
	const struct value *v = f->call != NULL ?
	    value_arg(f->call, "default", -1) : NULL;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	*known = true;
	if (v == NULL) {
		if (f->implicit && streq(f->name, "_order"))
			return "0";
		if (f->call == NULL || f->cls == NULL)
			return NULL;
		if (!f->null && f->cls->empty &&
		    value_bool(f->call, "blank", false, NULL))
			return strcmp(f->cls->name, "BinaryField") == 0 ?
			    "'\\x'::bytea" : "''";
		if (f->cls->now && (value_bool(f->call, "auto_now", false,
		    NULL) || value_bool(f->call, "auto_now_add", false,
		    NULL))) {
			*known = false;
			return "<now()>";
		}
		return NULL;
	}
	if (v->kind == VALUE_NONE)
		return NULL;
	if (v->kind == VALUE_NAME)
		return default_called(c, f, v, known);
	if (sql_value(&b, v))
		return default_typed(c, f, v, sym_get(c->a, b.s));
	if ((v->kind == VALUE_DICT || v->kind == VALUE_LIST) && v->n == 0)
		return default_empty(c, v);
	*known = false;
	strbuf_reset(&b);
	strbuf_char(&b, '<');
	value_print(&b, v);
	strbuf_char(&b, '>');
	return sym_get(c->a, b.s);
}

/* db_default: the database's own. None is none. */
static void
column_filled(const struct code *c, const struct model *m,
    const struct field *f, struct column *col)
{
	struct syms cols = { 0 };
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (f->cls != NULL && f->cls->automatic) {
		col->dflt = c->s->django >= 401 || c->s->django == 0 ?
		    DFLT_IDENTITY : DFLT_SERIAL;
		return;
	}
	if (f->call == NULL)
		return;
	if (f->cls != NULL && f->cls->shape == SHAPE_GENERATED) {
		const struct value *e = value_arg(f->call, "expression", 0);

		col->dflt = DFLT_GENERATED;
		col->is_virtual = !value_bool(f->call, "db_persist", true,
		    NULL);
		col->dflt_sql = e != NULL ? sql_expr(c, m, e, &cols) : NULL;
		return;
	}
	const struct value *v = value_arg(f->call, "db_default", -1);
	if (v == NULL || v->kind == VALUE_NONE || (v->kind == VALUE_CALL &&
	    v->n == 1 && v->items[0]->kind == VALUE_NONE))
		return;
	if (sql_value(&b, v)) {
		col->dflt = DFLT_CONST;
		col->dflt_sql = default_typed(c, f, v, sym_get(c->a, b.s));
		return;
	}
	col->dflt = DFLT_EXPR;
	sym text = sql_expr(c, m, v, &cols);
	/* Django puts what is not a constant in brackets */
	col->dflt_sql = sym_printf(c->a, "(%s)", text);
}

static sym
collation(const struct code *c, const struct field *f, int depth)
{
	if (f->kind == FIELD_FK && depth < 16) {
		const struct target t = field_target(c, f);

		return t.field != NULL ? collation(c, t.field, depth + 1) :
		    NULL;
	}
	return f->call != NULL ?
	    value_str(c->a, value_arg(f->call, "db_collation", -1)) : NULL;
}

struct column
field_column(const struct code *c, const struct model *m,
    const struct field *f)
{
	struct column col = { .name = f->column };
	bool known;

	col.type = field_type(c, f, 0);
	col.collation = collation(c, f, 0);
	col.notnull = !f->null || f->primary_key;
	col.field = sym_printf(c->a, "%s.%s", m->name, f->name);
	column_filled(c, m, f, &col);
	col.writes_null = f->null && col.dflt != DFLT_GENERATED;
	if (f->call == NULL)
		return col;
	const struct value *v = value_arg(f->call, "default", -1);
	col.py_default = v != NULL ? v->kind != VALUE_NONE :
	    f->cls != NULL && f->cls->now &&
	    (value_bool(f->call, "auto_now", false, NULL) ||
	    value_bool(f->call, "auto_now_add", false, NULL));
	if (v != NULL && col.py_default) {
		sym text = field_default(c, f, &known);
		col.py_value = known ? text : NULL;
	}
	return col;
}

/* Constants, conditions and expressions as SQL, for people and for names. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

sym
sql_name(struct arena *a, sym name)
{
	char b[130];
	size_t n = name != NULL ? strlen(name) : 0;

	if (n == 0 || n > sizeof(b) - 2)
		return sym_printf(a, "\"%s\"", name != NULL ? name : "?");
	b[0] = b[n + 1] = '"';
	memcpy(b + 1, name, n);
	return sym_getn(a, b, n + 2);
}

static void
quote(struct strbuf *b, const char *s, size_t n)
{
	strbuf_char(b, '\'');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\'')
			strbuf_char(b, '\'');
		strbuf_char(b, s[i]);
	}
	strbuf_char(b, '\'');
}

static const char *
last(const char *dotted)
{
	const char *dot = strrchr(dotted, '.');

	return dot != NULL ? dot + 1 : dotted;
}

/* datetime.date(2026, 1, 2), datetime.datetime(…, tzinfo=utc) */
static bool
date_value(struct strbuf *b, const struct value *v, bool time)
{
	int64_t p[7] = { 0 };

	if (v->n < 3 || v->n > 7)
		return false;
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->items[i]->kind != VALUE_INT)
			return false;
		p[i] = v->items[i]->i;
	}
	strbuf_printf(b, "'%04d-%02d-%02d", (int)p[0], (int)p[1], (int)p[2]);
	if (time)
		strbuf_printf(b, " %02d:%02d:%02d", (int)p[3], (int)p[4],
		    (int)p[5]);
	if (time && p[6] != 0)
		strbuf_printf(b, ".%06d", (int)p[6]);
	strbuf_str(b, !time ? "'::date" : v->nkw > 0 ? "+00:00'::timestamptz" :
	    "'::timestamp");
	return true;
}

static bool
call_value(struct strbuf *b, const struct value *v)
{
	const char *name = last(v->name);

	if (strcmp(name, "Decimal") == 0 && v->n == 1 &&
	    (v->items[0]->kind == VALUE_STR ||
	    v->items[0]->kind == VALUE_FLOAT)) {
		strbuf_add(b, v->items[0]->text, v->items[0]->len > 0 ?
		    v->items[0]->len : strlen(v->items[0]->text));
		return true;
	}
	if ((strcmp(name, "Decimal") == 0 || strcmp(name, "Value") == 0) &&
	    v->n == 1)
		return sql_value(b, v->items[0]);
	if (strcmp(name, "date") == 0)
		return date_value(b, v, false);
	if (strcmp(name, "datetime") == 0)
		return date_value(b, v, true);
	if (strcmp(name, "UUID") == 0 && v->n == 1 &&
	    v->items[0]->kind == VALUE_STR) {
		quote(b, v->items[0]->text, v->items[0]->len);
		strbuf_str(b, "::uuid");
		return true;
	}
	return false;
}

bool
sql_value(struct strbuf *b, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NONE:
		strbuf_str(b, "NULL");
		return true;
	case VALUE_BOOL:
		strbuf_str(b, v->i != 0 ? "true" : "false");
		return true;
	case VALUE_INT:
		if (v->text != NULL && v->len > 0)
			strbuf_add(b, v->text, v->len);
		else
			strbuf_printf(b, "%lld", (long long)v->i);
		return true;
	case VALUE_FLOAT:
		strbuf_str(b, v->text);
		return true;
	case VALUE_STR:
		quote(b, v->text, v->len);
		return true;
	case VALUE_CALL:
		return call_value(b, v);
	default:
		return false;
	}
}

struct say {
	const struct code *c;
	const struct model *m;
	struct syms *cols;
	struct strbuf *b;
	int depth;
};

static bool expr(struct say *s, const struct value *v);

static bool
column(struct say *s, const char *name, size_t n)
{
	sym field = sym_getn(s->c->a, name, n);
	const struct field *f = strcmp(field, "pk") == 0 ?
	    model_pk(s->c, s->m) : model_field(s->m, field);

	for (uint32_t i = 0; f == NULL && i < s->m->nfields; i++)
		if (streq(s->m->fields[i]->column, field))
			f = s->m->fields[i];
	sym col = f != NULL ? f->column : strcmp(field, "id") == 0 ? field :
	    NULL;
	if (col == NULL)
		return false;
	bool there = false;
	for (uint32_t i = 0; i < s->cols->n; i++)
		there = there || s->cols->v[i] == col;
	if (!there)
		*list_add(s->c->a, s->cols) = col;
	strbuf_str(s->b, sql_name(s->c->a, col));
	return true;
}

static const struct { const char *name, *op; } lookups[] = {
	{ "exact", "=" }, { "gt", ">" }, { "gte", ">=" }, { "lt", "<" },
	{ "lte", "<=" }, { "regex", "~" }, { "iregex", "~*" },
	{ "contains", "@>" }, { "contained_by", "<@" }, { "overlap", "&&" },
};

static bool
in_list(struct say *s, const struct value *v)
{
	strbuf_str(s->b, " IN (");
	for (uint32_t i = 0; i < v->n; i++) {
		if (i > 0)
			strbuf_str(s->b, ", ");
		if (!expr(s, v->items[i]))
			return false;
	}
	strbuf_char(s->b, ')');
	return v->n > 0;
}

static bool
is_boolean(const struct say *s, sym field)
{
	const struct field *f = model_field(s->m, field);

	return f != NULL && f->cls != NULL &&
	    strcmp(f->cls->name, "BooleanField") == 0;
}

/* price__gte=0 */
static bool
condition(struct say *s, const char *key, const struct value *v)
{
	const char *sep = strstr(key, "__");
	size_t n = sep != NULL ? (size_t)(sep - key) : strlen(key);
	const char *op = sep != NULL ? sep + 2 : "exact";
	bool list = v->kind == VALUE_LIST || v->kind == VALUE_TUPLE ||
	    v->kind == VALUE_SET;

	if (v->kind == VALUE_BOOL && strcmp(op, "exact") == 0 &&
	    is_boolean(s, sym_getn(s->c->a, key, n))) {
		if (v->i == 0)
			strbuf_str(s->b, "NOT ");
		return column(s, key, n);
	}
	if (!column(s, key, n))
		return false;
	if (strcmp(op, "isnull") == 0 || (v->kind == VALUE_NONE &&
	    strcmp(op, "exact") == 0)) {
		strbuf_str(s->b, v->kind == VALUE_BOOL && v->i == 0 ?
		    " IS NOT NULL" : " IS NULL");
		return true;
	}
	if (strcmp(op, "in") == 0 && list)
		return in_list(s, v);
	if (strcmp(op, "range") == 0 && list && v->n == 2) {
		strbuf_str(s->b, " BETWEEN ");
		if (!expr(s, v->items[0]))
			return false;
		strbuf_str(s->b, " AND ");
		return expr(s, v->items[1]);
	}
	for (size_t i = 0; i < countof(lookups); i++)
		if (strcmp(op, lookups[i].name) == 0) {
			strbuf_printf(s->b, " %s ", lookups[i].op);
			return expr(s, v);
		}
	return false;
}

static bool
q_part(struct say *s, const struct value *v)
{
	if (v->kind == VALUE_TUPLE && v->n == 2 &&
	    v->items[0]->kind == VALUE_STR)
		return condition(s, value_str(s->c->a, v->items[0]),
		    v->items[1]);
	return expr(s, v);
}

/* Q(('a', 1), Q(…), b=2, _connector='OR', _negated=True) */
static bool
q_call(struct say *s, const struct value *v)
{
	sym con = value_str(s->c->a, value_arg(v, "_connector", -1));
	bool not = value_bool(v, "_negated", false, NULL);
	uint32_t parts = v->n, done = 0;

	for (uint32_t i = 0; i < v->nkw; i++)
		parts += v->kw[i].name[0] != '_';
	if (not)
		strbuf_str(s->b, "NOT ");
	bool group = parts > 1 || not;
	if (group)
		strbuf_char(s->b, '(');
	for (uint32_t i = 0; i < v->n + v->nkw; i++) {
		const struct kwarg *k = i >= v->n ? &v->kw[i - v->n] : NULL;

		if (k != NULL && k->name[0] == '_')
			continue;
		if (done++ > 0)
			strbuf_printf(s->b, " %s ", con != NULL ? con : "AND");
		if (k != NULL ? !condition(s, k->name, k->value) :
		    !q_part(s, v->items[i]))
			return false;
	}
	if (group)
		strbuf_char(s->b, ')');
	return true;
}

/* A function's argument: a string names a field. */
static bool
argument(struct say *s, const struct value *v)
{
	if (v->kind == VALUE_STR)
		return column(s, v->text, v->len);
	return expr(s, v);
}

static bool
operands(struct say *s, const struct value *x, const char *op, size_t n,
    const struct value *y)
{
	strbuf_char(s->b, '(');
	if (!argument(s, x))
		return false;
	strbuf_printf(s->b, " %.*s ", (int)n, op);
	if (!argument(s, y))
		return false;
	strbuf_char(s->b, ')');
	return true;
}

static bool
function(struct say *s, const char *name, const struct value *v)
{
	static const struct { const char *cls, *sql; } names[] = {
		{ "Now", "STATEMENT_TIMESTAMP" }, { "Cast", NULL },
		{ "RandomUUID", "GEN_RANDOM_UUID" }, { "Concat", NULL },
		{ "Case", NULL }, { "When", NULL }, { "RawSQL", NULL },
		{ "Func", NULL }, { "Trunc", NULL }, { "Extract", NULL },
		{ "SearchVector", NULL }, { "Collate", NULL },
	};
	const char *sql = NULL;

	for (size_t i = 0; i < countof(names); i++) {
		if (strcmp(names[i].cls, name) != 0)
			continue;
		if (names[i].sql == NULL)
			return false;
		sql = names[i].sql;
	}
	if (!starts_with(v->name, "django.") || v->nkw > 0)
		return false;
	for (const char *p = sql != NULL ? sql : name; *p != '\0'; p++)
		strbuf_char(s->b, (char)toupper((unsigned char)*p));
	strbuf_char(s->b, '(');
	for (uint32_t i = 0; i < v->n; i++) {
		if (i > 0)
			strbuf_str(s->b, ", ");
		if (!argument(s, v->items[i]))
			return false;
	}
	strbuf_char(s->b, ')');
	return true;
}

/* Cast('a', models.IntegerField()) */
static bool
cast(struct say *s, const struct value *v)
{
	const struct value *to = value_arg(v, "output_field", 1);

	if (v->n == 0 || to == NULL || to->kind != VALUE_CALL)
		return false;
	sym type = field_type(s->c, field_read(s->c->a, s->c->s, s->m->app,
	    s->m->name, "cast", to), 0);
	strbuf_char(s->b, '(');
	if (type == NULL || !argument(s, v->items[0]))
		return false;
	strbuf_printf(s->b, ")::%s", type);
	return true;
}

static bool
call(struct say *s, const struct value *v)
{
	const char *name = last(v->name);

	if (sql_value(s->b, v))
		return true;
	if (strcmp(name, "Q") == 0)
		return q_call(s, v);
	if (strcmp(name, "F") == 0 && v->n == 1 &&
	    v->items[0]->kind == VALUE_STR)
		return column(s, v->items[0]->text, v->items[0]->len);
	if (strcmp(name, "CombinedExpression") == 0 && v->n == 3 &&
	    v->items[1]->kind == VALUE_STR)
		return operands(s, v->items[0], v->items[1]->text,
		    v->items[1]->len, v->items[2]);
	if (v->n == 2 && strchr("|&+-*/%", v->name[0]) != NULL)
		return operands(s, v->items[0], v->name[0] == '|' ? "OR" :
		    v->name[0] == '&' ? "AND" : v->name,
		    v->name[0] == '|' ? 2 : v->name[0] == '&' ? 3 : 1,
		    v->items[1]);
	if (v->n == 1 && v->name[0] == '~') {
		strbuf_str(s->b, "NOT (");
		bool good = expr(s, v->items[0]);
		strbuf_char(s->b, ')');
		return good;
	}
	if (strcmp(name, "OrderBy") == 0 && v->n == 1) {
		if (!argument(s, v->items[0]))
			return false;
		if (value_bool(v, "descending", false, NULL))
			strbuf_str(s->b, " DESC");
		return true;
	}
	if (strcmp(name, "ExpressionWrapper") == 0 && v->n > 0)
		return expr(s, v->items[0]);
	if (strcmp(name, "OpClass") == 0 && v->n > 0)
		return argument(s, v->items[0]);
	if (strcmp(name, "Cast") == 0)
		return cast(s, v);
	return function(s, name, v);
}

static bool
expr(struct say *s, const struct value *v)
{
	if (s->depth > 64 || (v->kind != VALUE_CALL && !sql_value(s->b, v)))
		return false;
	if (v->kind != VALUE_CALL)
		return true;
	s->depth++;
	size_t at = s->b->len;
	bool good = call(s, v);
	if (!good)
		strbuf_cut(s->b, at);
	s->depth--;
	return good;
}

/* Fields named in what cannot be said in SQL: any string that is one. */
static void
columns_in(struct say *s, const struct value *v, int depth)
{
	struct strbuf waste STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf *b = s->b;

	if (depth > 32)
		return;
	s->b = &waste;
	if (v->kind == VALUE_STR && v->len < 200) {
		const char *sep = memmem(v->text, v->len, "__", 2);

		column(s, v->text, sep != NULL ? (size_t)(sep - v->text) :
		    v->len);
	}
	s->b = b;
	for (uint32_t i = 0; i < v->n; i++)
		columns_in(s, v->items[i], depth + 1);
	for (uint32_t i = 0; i < v->nkw; i++) {
		const char *sep = strstr(v->kw[i].name, "__");

		s->b = &waste;
		column(s, v->kw[i].name, sep != NULL ?
		    (size_t)(sep - v->kw[i].name) : strlen(v->kw[i].name));
		s->b = b;
		columns_in(s, v->kw[i].value, depth + 1);
	}
}

sym
sql_expr(const struct code *c, const struct model *m, const struct value *v,
    struct syms *cols)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct say s = { c, m, cols, &b, 0 };

	if (!expr(&s, v)) {
		strbuf_reset(&b);
		columns_in(&s, v, 0);
		value_print(&b, v);
	}
	return sym_getn(c->a, b.s, b.len);
}

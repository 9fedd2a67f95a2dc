#include <string.h>

#include "base/util.h"
#include "read/sqlparse.h"

json_t *
pq_node(json_t *j, const char **type)
{
	void *it = json_is_object(j) ? json_object_iter(j) : NULL;

	*type = it != NULL ? json_object_iter_key(it) : "";
	return it != NULL ? json_object_iter_value(it) : NULL;
}

json_t *
pq_get(json_t *j, const char *key)
{
	return json_is_object(j) ? json_object_get(j, key) : NULL;
}

const char *
pq_str(json_t *j, const char *key)
{
	json_t *v = pq_get(j, key);

	return json_is_string(v) ? json_string_value(v) : NULL;
}

bool
pq_bool(json_t *j, const char *key)
{
	return json_is_true(pq_get(j, key));
}

bool
pq_is(json_t *j, const char *key, const char *word)
{
	return streq(pq_str(j, key), word);
}

const char *
pq_last(json_t *list)
{
	size_t n = json_array_size(list);

	return n > 0 ? pq_str(pq_get(json_array_get(list, n - 1), "String"),
	    "sval") : NULL;
}

sym
pq_table(struct arena *a, json_t *v)
{
	const char *schema = pq_str(v, "schemaname");
	const char *name = pq_str(v, "relname");

	if (name == NULL)
		return NULL;
	if (schema == NULL || streq(schema, "public"))
		return sym_get(a, name);
	return sym_printf(a, "%s.%s", schema, name);
}

/* What format_type() calls the types that have a name in the standard. */
static const struct { const char *name, *shown; } types[] = {
	{ "int2", "smallint" }, { "int4", "integer" }, { "int8", "bigint" },
	{ "float4", "real" }, { "float8", "double precision" }, { "bool", "boolean" },
	{ "varchar", "character varying" }, { "bpchar", "character" }, { "char", "\"char\"" },
	{ "timestamp", "timestamp without time zone" }, { "timestamptz", "timestamp with time zone" },
	{ "time", "time without time zone" }, { "timetz", "time with time zone" },
	{ "varbit", "bit varying" }, { "decimal", "numeric" },
	{ "serial", "integer" }, { "serial4", "integer" }, { "bigserial", "bigint" }, { "serial8", "bigint" },
	{ "smallserial", "smallint" }, { "serial2", "smallint" },
};

/* The words inside (…): constants and names only. */
static bool
typmods(struct strbuf *b, json_t *mods, bool numeric)
{
	size_t n = json_array_size(mods);

	for (size_t i = 0; i < n; i++) {
		const char *type;
		json_t *m = pq_node(json_array_get(mods, i), &type);
		json_t *num = pq_get(pq_get(m, "ival"), "ival");
		if (i > 0)
			strbuf_char(b, ',');
		if (streq(type, "A_Const") && pq_get(m, "ival") != NULL)
			strbuf_printf(b, "%lld", (long long)json_integer_value(num));
		else if (streq(type, "ColumnRef") &&
		    pq_last(pq_get(m, "fields")) != NULL)
			strbuf_str(b, pq_last(pq_get(m, "fields")));
		else
			return false;
	}
	if (numeric && n == 1)
		strbuf_str(b, ",0");
	return true;
}

sym
sql_type(struct arena *a, json_t *t)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf mods STRBUF_SCOPED = STRBUF_INIT;
	json_t *names = pq_get(t, "names");
	const char *name = pq_last(names);
	size_t n = json_array_size(names);

	if (name == NULL)
		return NULL;
	const char *schema = n > 1 ? pq_str(pq_get(json_array_get(names,
	    n - 2), "String"), "sval") : NULL;
	bool own = schema == NULL || streq(schema, "pg_catalog");
	const char *shown = name;
	for (size_t i = 0; own && i < countof(types); i++)
		if (streq(types[i].name, name))
			shown = types[i].shown;
	if (!own && !streq(schema, "public"))
		strbuf_printf(&b, "%s.", schema);
	bool have = json_array_size(pq_get(t, "typmods")) > 0 &&
	    !streq(name, "interval");
	if (have && !typmods(&mods, pq_get(t, "typmods"),
	    streq(shown, "numeric")))
		return NULL;
	size_t head = strcspn(shown, " ");
	if (have && (starts_with(shown, "time") || starts_with(shown, "bit")) &&
	    !streq(shown, "bit varying"))
		strbuf_printf(&b, "%.*s(%s)%s", (int)head, shown, mods.s,
		    shown + head);
	else if (have)
		strbuf_printf(&b, "%s(%s)", shown, mods.s);
	else
		strbuf_str(&b, shown);
	if (json_array_size(pq_get(t, "arrayBounds")) > 0)
		strbuf_str(&b, "[]");
	return sym_get(a, b.s);
}

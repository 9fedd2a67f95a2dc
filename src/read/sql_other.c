/* Statements that touch no table of a model, or may: calls, settings, rights,
 * views, functions, types. */
#include <string.h>

#include "base/util.h"
#include "read/sqlparse.h"

/* Settings that only say how long one waits, how much is used, what is told:
 * no statement means something else by them. */
static bool
settable(const char *name)
{
	static const char *const known[] = { "lock_timeout", "statement_timeout",
	    "idle_in_transaction_session_timeout", "idle_session_timeout",
	    "deadlock_timeout", "client_min_messages", "log_min_messages",
	    "log_statement", "log_min_duration_statement", "work_mem",
	    "maintenance_work_mem", "temp_buffers", "synchronous_commit",
	    "application_name", "max_parallel_workers_per_gather",
	    "max_parallel_maintenance_workers", "vacuum_cost_delay",
	    "vacuum_cost_limit" };

	for (size_t i = 0; i < countof(known); i++)
		if (streq(known[i], name))
			return true;
	return false;
}

/* A call that a SELECT may make without it being a change of ours. */
static bool
harmless(json_t *call)
{
	static const char *const known[] = { "nextval", "currval",
	    "pg_get_serial_sequence", "coalesce", "max", "min", "count", "now",
	    "lower", "upper", "pg_advisory_lock",
	    "pg_advisory_unlock", "pg_advisory_xact_lock", "version",
	    "current_setting", "sum", "length", "setval" };
	json_t *names = pq_get(call, "funcname");
	json_t *first = json_array_get(pq_get(call, "args"), 0);
	const char *name = pq_last(names);
	size_t n = json_array_size(names);

	if (n > 2 || (n == 2 && !pq_is(pq_get(json_array_get(names, 0),
	    "String"), "sval", "pg_catalog")))
		return false;
	if (streq(name, "set_config"))
		return settable(pq_str(pq_get(pq_get(first, "A_Const"),
		    "sval"), "sval"));
	for (size_t i = 0; i < countof(known); i++)
		if (streq(known[i], name))
			return true;
	return false;
}

/* A function called in j that is not known to do nothing; NULL: none. */
static const char *
strange_call(json_t *j, int depth)
{
	const char *key, *name = NULL;
	json_t *v;

	if (depth > 1000)
		return "…";
	if (json_is_array(j)) {
		for (size_t i = 0; i < json_array_size(j) && name == NULL; i++)
			name = strange_call(json_array_get(j, i), depth + 1);
		return name;
	}
	if (!json_is_object(j))
		return NULL;
	json_object_foreach(j, key, v) {
		if (streq(key, "FuncCall") && !harmless(v))
			name = pq_last(pq_get(v, "funcname"));
		if (streq(key, "intoClause") || streq(key, "InsertStmt") ||
		    streq(key, "UpdateStmt") || streq(key, "DeleteStmt"))
			name = key;
		if (name == NULL)
			name = strange_call(v, depth + 1);
		if (name != NULL)
			return name;
	}
	return NULL;
}

/* Is a function of that name called in j? */
static bool
calls(json_t *j, const char *name, int depth)
{
	bool found = false;
	const char *key;
	json_t *v;

	if (depth > 1000)
		return true;
	for (size_t i = 0; json_is_array(j) && i < json_array_size(j); i++)
		found = found || calls(json_array_get(j, i), name, depth + 1);
	if (!json_is_object(j))
		return found;
	json_object_foreach(j, key, v)
		found = found || (streq(key, "FuncCall") &&
		    streq(pq_last(pq_get(v, "funcname")), name)) ||
		    calls(v, name, depth + 1);
	return found;
}

void
sql_select(struct statement *s, json_t *v)
{
	const char *name = strange_call(v, 0);

	if (name == NULL)	/* what a sequence gives next is data */
		ddl_add(s, calls(v, "setval", 0) ? DDL_DATA : DDL_NOTHING,
		    NULL);
	else
		ddl_opaque(s, NULL, sym_printf(s->a, "SELECT with %s", name));
}

void
sql_to_schema(struct statement *s, json_t *v)
{
	ddl_opaque(s, pq_table(s->a, pq_get(v, "relation")), pq_is(v,
	    "objectType", "OBJECT_TABLE") ? "a table moved to another schema" :
	    "what is moved to another schema is not found where it was");
}

void
sql_grant(struct statement *s, json_t *v)
{
	if (pq_bool(v, "is_grant"))
		ddl_add(s, DDL_NOTHING, NULL);
	else
		ddl_opaque(s, NULL, "rights that are taken away");
}

void
sql_default_rights(struct statement *s, json_t *v)
{
	sql_grant(s, pq_get(v, "action"));
}

/* Who runs the next statements, in which schema, and how they are read. */
void
sql_set(struct statement *s, json_t *v)
{
	const char *name = pq_str(v, "name");

	if (settable(name)) {
		struct ddl *d = ddl_add(s, DDL_NOTHING, NULL);

		d->name = sym_get(s->a, name);
		d->setting = pq_bool(v, "is_local") ? SETTING_LOCAL :
		    pq_is(v, "kind", "VAR_SET_VALUE") ? SETTING_STAYS :
		    SETTING_RESET;
	} else
		ddl_opaque(s, NULL, sym_printf(s->a, "SET %s", name == NULL ?
		    "of all settings" : name));
}

/* A new one disturbs nobody; one that is replaced is what deployed code or a
 * default may use. */
void
sql_view(struct statement *s, json_t *v)
{
	json_t *view = pq_get(v, "view");

	if (pq_is(view, "relpersistence", "t"))
		ddl_temporary(s, pq_table(s->a, view));
	else if (pq_bool(v, "replace"))
		ddl_opaque(s, NULL, "a view or a function that is replaced");
	else
		ddl_add(s, DDL_OTHER, NULL);
}

/* One with arguments that fit better than those of a function of the same
 * name, PostgreSQL's or an extension's, is called in its stead. */
void
sql_function(struct statement *s, json_t *v)
{
	json_t *params = pq_get(v, "parameters");

	for (size_t i = 0; i < json_array_size(params); i++) {
		json_t *p = pq_get(json_array_get(params, i),
		    "FunctionParameter");

		if (pq_is(p, "mode", "FUNC_PARAM_OUT") ||
		    pq_is(p, "mode", "FUNC_PARAM_TABLE"))
			continue;
		ddl_opaque(s, NULL, "a function with arguments may be called "
		    "in the place of another of its name");
		return;
	}
	sql_view(s, v);
}

/* Types, collations, text search; operators and aggregates are chosen by
 * what fits best, as functions are. */
void
sql_define(struct statement *s, json_t *v)
{
	if (pq_is(v, "kind", "OBJECT_AGGREGATE") ||
	    pq_is(v, "kind", "OBJECT_OPERATOR"))
		ddl_opaque(s, NULL, "an operator or aggregate may be used in "
		    "the place of another of its name");
	else
		sql_view(s, v);
}

void
sql_enum(struct statement *s, json_t *v)
{
	if (pq_str(v, "oldVal") != NULL)
		ddl_opaque(s, NULL, "a value of a type that is renamed");
	else {
		struct ddl *d = ddl_add(s, DDL_OTHER, NULL);

		d->name = sym_get(s->a, pq_str(v, "newVal"));
		d->setting = SETTING_VALUE;
	}
}

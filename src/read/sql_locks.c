/* Statements that leave tables as they are, and lock or rewrite them. */
#include "base/util.h"
#include "read/sqlparse.h"

void
sql_truncate(struct statement *s, json_t *v)
{
	json_t *list = pq_get(v, "relations");

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct ddl *d = ddl_add(s, DDL_DATA, pq_table(s->a,
		    pq_get(json_array_get(list, i), "RangeVar")));

		d->lock = "ACCESS EXCLUSIVE";
		d->cascade = pq_is(v, "behavior", "DROP_CASCADE");
	}
}

void
sql_statistics(struct statement *s, json_t *v)
{
	ddl_add(s, DDL_OTHER, pq_table(s->a, pq_get(json_array_get(pq_get(v,
	    "relations"), 0), "RangeVar")))->lock = "SHARE UPDATE EXCLUSIVE";
}

/* Policies and rules decide over a table's rows. */
void
sql_of_table(struct statement *s, json_t *v)
{
	bool policy = pq_get(v, "policy_name") != NULL;

	ddl_opaque(s, pq_table(s->a, pq_get(v, policy ? "table" : "relation")),
	    policy ? "a policy hides rows" :
	    "a rule does something else instead");
	ddl_locks(s, "ACCESS EXCLUSIVE");
}

void
sql_lock(struct statement *s, json_t *v)
{
	static const char *const modes[] = { "", "ACCESS SHARE", "ROW SHARE",
	    "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
	    "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE" };
	json_t *list = pq_get(v, "relations");
	size_t mode = (size_t)json_integer_value(pq_get(v, "mode"));

	for (size_t i = 0; i < json_array_size(list); i++)
		ddl_add(s, DDL_NOTHING, pq_table(s->a, pq_get(json_array_get(
		    list, i), "RangeVar")))->lock = mode > 0 &&
		    mode < countof(modes) ? modes[mode] : "ACCESS EXCLUSIVE";
}

/* COMMENT ON TABLE t, ON COLUMN t.c: the names of the object. */
void
sql_comment(struct statement *s, json_t *v)
{
	json_t *names = pq_get(pq_get(pq_get(v, "object"), "List"), "items");
	size_t n = json_array_size(names);
	bool column = pq_is(v, "objtype", "OBJECT_COLUMN");
	struct ddl *d = ddl_add(s, DDL_NOTHING, NULL);

	if ((!column && !pq_is(v, "objtype", "OBJECT_TABLE")) || n < 1u + column)
		return;
	json_t *name = pq_get(json_array_get(names, n - 1 - column), "String");
	d->table = sym_get(s->a, pq_str(name, "sval") != NULL ?
	    pq_str(name, "sval") : pq_str(name, "str"));
	d->lock = "SHARE UPDATE EXCLUSIVE";
}

static bool
option(json_t *params, const char *name)
{
	for (size_t i = 0; i < json_array_size(params); i++)
		if (pq_is(pq_get(json_array_get(params, i), "DefElem"),
		    "defname", name))
			return true;
	return false;
}

/* REINDEX TABLE, CLUSTER. Planning reads each index of a table: one that is
 * locked stops reads of the table too. */
void
sql_rebuild(struct statement *s, json_t *v)
{
	bool index = pq_is(v, "kind", "REINDEX_OBJECT_INDEX");
	bool reindex = index || pq_is(v, "kind", "REINDEX_OBJECT_TABLE");
	struct ddl *d = ddl_add(s, DDL_OTHER, index ? NULL : pq_table(s->a,
	    pq_get(v, "relation")));

	d->builds = reindex;
	d->rewrites = !reindex;
	d->lock = "ACCESS EXCLUSIVE";
	if (option(pq_get(v, "params"), "concurrently")) {
		d->lock = "SHARE UPDATE EXCLUSIVE";
		d->alone = "REINDEX CONCURRENTLY";
	} else if (!index && d->table == NULL) {
		d->alone = reindex ? "REINDEX of all" : "CLUSTER of all";
	}
}

/* VACUUM FULL writes the table anew, as CLUSTER does. ANALYZE: the same node. */
void
sql_vacuum(struct statement *s, json_t *v)
{
	bool vacuum = pq_bool(v, "is_vacuumcmd");
	bool full = vacuum && option(pq_get(v, "options"), "full");
	json_t *rels = pq_get(v, "rels");
	size_t n = json_array_size(rels);

	for (size_t i = 0; i < n || i == 0; i++) {
		struct ddl *d = ddl_add(s, DDL_NOTHING, pq_table(s->a,
		    pq_get(pq_get(json_array_get(rels, i), "VacuumRelation"),
		    "relation")));

		d->alone = vacuum ? "VACUUM" : NULL;
		d->rewrites = full;
		d->lock = d->table == NULL ? NULL : full ? "ACCESS EXCLUSIVE" :
		    "SHARE UPDATE EXCLUSIVE";
	}
}

/* What reads a materialized view waits, unless CONCURRENTLY. */
void
sql_refresh(struct statement *s, json_t *v)
{
	ddl_add(s, DDL_OTHER, pq_table(s->a, pq_get(v, "relation")))->lock =
	    pq_bool(v, "concurrent") ? "EXCLUSIVE" : "ACCESS EXCLUSIVE";
}

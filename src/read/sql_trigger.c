/* Triggers. Which function one runs is told; what that does, whoever knows
 * the functions says. */
#include "base/util.h"
#include "read/sqlparse.h"

void
sql_trigger(struct statement *s, json_t *v)
{
	struct ddl *d = ddl_add(s, DDL_OTHER, pq_table(s->a,
	    pq_get(v, "relation")));

	d->name = sym_get(s->a, pq_str(v, "trigname"));
	d->to = sym_get(s->a, pq_last(pq_get(v, "funcname")));
	d->lock = "SHARE ROW EXCLUSIVE";
}

/* DROP TRIGGER x ON t */
void
sql_drop_trigger(struct statement *s, json_t *v)
{
	json_t *names = pq_get(pq_get(json_array_get(pq_get(v, "objects"), 0),
	    "List"), "items");
	size_t n = json_array_size(names);
	json_t *table = n < 2 ? NULL : pq_get(json_array_get(names, n - 2),
	    "String");
	struct ddl *d = ddl_add(s, DDL_OTHER, sym_get(s->a, pq_str(table,
	    "sval")));

	d->name = sym_get(s->a, pq_last(names));
	d->lock = "ACCESS EXCLUSIVE";
}

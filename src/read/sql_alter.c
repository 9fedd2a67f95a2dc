/* ALTER TABLE, command by command. */
#include <string.h>

#include "base/util.h"
#include "read/sqlparse.h"

static void
add_con(struct statement *s, sym table, const struct con *c, sym using_index)
{
	struct ddl *d = ddl_add(s, DDL_ADD_CON, table);

	d->con = arena_copy(s->a, c, sizeof(*c));
	d->name = c->name;
	d->to = using_index;
}

static void
add_column(struct statement *s, sym table, json_t *cmd)
{
	struct column_cons c;

	sql_column(s->a, &c, table, pq_get(pq_get(cmd, "def"), "ColumnDef"));
	struct ddl *d = ddl_add(s, DDL_ADD_COLUMN, table);
	d->col = arena_copy(s->a, &c.col, sizeof(c.col));
	d->name = c.col.name;
	d->if_exists = pq_bool(cmd, "missing_ok");
	for (uint32_t i = 0; i < c.cons.n; i++) {
		add_con(s, table, &c.cons.v[i], NULL);
		s->out.v[s->out.n - 1].of_column = true;
	}
}

static void
add_constraint(struct statement *s, sym table, json_t *cmd)
{
	json_t *c = pq_get(pq_get(cmd, "def"), "Constraint");
	const char *index = pq_str(c, "indexname");
	struct con con;

	if (sql_constraint(s->a, &con, table, NULL, c) < 0) {
		ddl_opaque(s, table, "a constraint of an unknown kind");
		return;
	}
	if (index != NULL && pq_str(c, "conname") == NULL)
		con.name = sym_get(s->a, index);
	add_con(s, table, &con, sym_get(s->a, index));
	/* a primary key makes its columns NOT NULL */
	for (uint16_t i = 0; con.kind == CON_PK && i < con.ncols; i++)
		ddl_add(s, DDL_SET_NOT_NULL, table)->name = con.cols[i];
}

static void
set_default(struct statement *s, sym table, json_t *cmd, sym name)
{
	json_t *expr = pq_get(cmd, "def");
	const char *type;
	json_t *v = pq_node(expr, &type);

	while (streq(type, "TypeCast"))
		v = pq_node(pq_get(v, "arg"), &type);
	if (expr == NULL || (streq(type, "A_Const") && pq_bool(v, "isnull"))) {
		ddl_add(s, DDL_DROP_DEFAULT, table)->name = name;
		return;
	}
	struct column *c = arena_make(s->a, struct column);
	c->name = name;
	c->dflt = streq(type, "A_Const") ? DFLT_CONST : DFLT_EXPR;
	c->dflt_sql = sql_said(s->a, expr);
	struct ddl *d = ddl_add(s, DDL_SET_DEFAULT, table);
	d->name = name;
	d->col = c;
}

static void
set_type(struct statement *s, sym table, json_t *cmd, sym name)
{
	json_t *def = pq_get(pq_get(cmd, "def"), "ColumnDef");
	struct column *c = arena_make(s->a, struct column);

	c->name = name;
	c->type = sql_type(s->a, pq_get(def, "typeName"));
	c->collation = sym_get(s->a, pq_last(pq_get(pq_get(def, "collClause"),
	    "collname")));
	struct ddl *d = ddl_add(s, DDL_TYPE, table);
	d->name = name;
	d->col = c;
	d->using = pq_get(def, "raw_default") != NULL;
}

#define AE "ACCESS EXCLUSIVE"
#define SRE "SHARE ROW EXCLUSIVE"
#define SUE "SHARE UPDATE EXCLUSIVE"

static const struct { const char *sub; enum ddl_kind kind; const char *lock; } simple[] = {
	{ "AT_DropColumn", DDL_DROP_COLUMN, NULL }, { "AT_DropNotNull", DDL_DROP_NOT_NULL, NULL },
	{ "AT_SetNotNull", DDL_SET_NOT_NULL, NULL }, { "AT_DropConstraint", DDL_DROP_CON, NULL },
	{ "AT_ValidateConstraint", DDL_VALIDATE, NULL }, { "AT_AddIdentity", DDL_ADD_IDENTITY, NULL },
	{ "AT_DropIdentity", DDL_DROP_IDENTITY, NULL },
	{ "AT_SetStatistics", DDL_OTHER, SUE },
	{ "AT_SetStorage", DDL_OTHER, AE }, { "AT_SetCompression", DDL_OTHER, AE },
	{ "AT_SetOptions", DDL_OTHER, SUE }, { "AT_ResetOptions", DDL_OTHER, SUE },
	{ "AT_SetRelOptions", DDL_OTHER, SUE }, { "AT_ResetRelOptions", DDL_OTHER, SUE },
	{ "AT_ReplaceRelOptions", DDL_OTHER, AE }, { "AT_ClusterOn", DDL_OTHER, SUE },
	{ "AT_DropCluster", DDL_OTHER, SUE }, { "AT_ReplicaIdentity", DDL_OTHER, AE },
	{ "AT_SetTableSpace", DDL_OTHER, AE }, { "AT_SetLogged", DDL_OTHER, AE },
	{ "AT_SetUnLogged", DDL_OTHER, AE },
	{ "AT_DropOids", DDL_NOTHING, AE },
};

/* What is not read, and yet known to lock less than all. */
static const struct { const char *sub, *lock; } weaker[] = {
	{ "AT_EnableTrig", SRE }, { "AT_EnableAlwaysTrig", SRE }, { "AT_EnableReplicaTrig", SRE },
	{ "AT_DisableTrig", SRE }, { "AT_EnableTrigAll", SRE }, { "AT_DisableTrigAll", SRE },
	{ "AT_EnableTrigUser", SRE }, { "AT_DisableTrigUser", SRE },
	{ "AT_AttachPartition", SUE },
};

static void
unread(struct statement *s, sym table, json_t *cmd, const char *sub)
{
	const char *mode = AE;

	ddl_opaque(s, table, sub != NULL && starts_with(sub, "AT_") ?
	    sym_printf(s->a, "ALTER TABLE … %s", sub + 3) :
	    "an unknown ALTER TABLE");
	for (size_t i = 0; i < countof(weaker); i++)
		if (streq(weaker[i].sub, sub))
			mode = weaker[i].lock;
	if (pq_bool(pq_get(pq_get(cmd, "def"), "PartitionCmd"), "concurrent")) {
		mode = SUE;
		s->out.v[s->out.n - 1].alone = "DETACH PARTITION CONCURRENTLY";
	}
	ddl_locks(s, mode);
}

/* The only one of a table's options that locks it against all. */
static bool
catalogs(json_t *cmd)
{
	json_t *list = pq_get(pq_get(pq_get(cmd, "def"), "List"), "items");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (pq_is(pq_get(json_array_get(list, i), "DefElem"), "defname",
		    "user_catalog_table"))
			return true;
	return false;
}

/* DEFAULT is nothing for a table without a primary key. */
static bool
identifies(json_t *cmd)
{
	json_t *r = pq_get(pq_get(cmd, "def"), "ReplicaIdentityStmt");

	return pq_is(r, "identity_type", "f") || pq_is(r, "identity_type", "i");
}

static void
command(struct statement *s, sym table, json_t *cmd)
{
	const char *sub = pq_str(cmd, "subtype");
	sym name = sym_get(s->a, pq_str(cmd, "name"));

	if (streq(sub, "AT_AddColumn")) {
		add_column(s, table, cmd);
	} else if (streq(sub, "AT_AddConstraint")) {
		add_constraint(s, table, cmd);
	} else if (streq(sub, "AT_ColumnDefault")) {
		set_default(s, table, cmd, name);
	} else if (streq(sub, "AT_AlterColumnType")) {
		set_type(s, table, cmd, name);
	} else if (streq(sub, "AT_ReplicaIdentity") && !identifies(cmd)) {
		ddl_opaque(s, table, "REPLICA IDENTITY that may leave its rows "
		    "without one: then UPDATE and DELETE are refused");
		ddl_locks(s, AE);
	} else {
		for (size_t i = 0; i < countof(simple); i++) {
			if (!streq(simple[i].sub, sub))
				continue;
			struct ddl *d = ddl_add(s, simple[i].kind, table);
			d->name = name;
			d->lock = catalogs(cmd) ? AE : simple[i].lock;
			d->always = pq_is(pq_get(pq_get(cmd, "def"),
			    "Constraint"), "generated_when", "a");
			d->rewrites = ends_with(sub, "Logged") ||
			    streq(sub, "AT_SetTableSpace");
			d->cascade = pq_is(cmd, "behavior", "DROP_CASCADE");
			d->if_exists = pq_bool(cmd, "missing_ok");
			return;
		}
		unread(s, table, cmd, sub);
	}
}

void
sql_alter_table(struct statement *s, json_t *stmt)
{
	sym table = pq_table(s->a, pq_get(stmt, "relation"));
	json_t *cmds = pq_get(stmt, "cmds");

	if (!pq_is(stmt, "objtype", "OBJECT_TABLE")) {
		if (pq_is(stmt, "objtype", "OBJECT_INDEX"))
			ddl_add(s, DDL_OTHER, table);
		else
			ddl_opaque(s, table, "ALTER of what is not a table");
		return;
	}
	uint32_t first = s->out.n;
	for (size_t i = 0; i < json_array_size(cmds); i++)
		command(s, table, pq_get(json_array_get(cmds, i),
		    "AlterTableCmd"));
	for (uint32_t i = first; pq_bool(stmt, "missing_ok") && i < s->out.n;
	    i++)
		s->out.v[i].if_exists = true;
}

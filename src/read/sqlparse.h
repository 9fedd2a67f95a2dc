/* PostgreSQL's parse tree as JSON, walked. */
#ifndef READ_SQLPARSE_H
#define READ_SQLPARSE_H

#include <jansson.h>

#include "base/strbuf.h"
#include "read/sql.h"

struct statement {
	struct arena *a;
	const char *sql;	/* the statement's own text */
	uint32_t line;
	struct list(struct ddl) out;
};

/* {"CreateStmt": {…}}: its inside, and its name in *type. */
json_t *pq_node(json_t *j, const char **type);
json_t *pq_get(json_t *j, const char *key);	/* NULL through */
const char *pq_str(json_t *j, const char *key);	/* NULL: none */
bool pq_bool(json_t *j, const char *key);
bool pq_is(json_t *j, const char *key, const char *word);
/* The last name of [{"String": …}, …]; NULL: none. */
const char *pq_last(json_t *list);
sym pq_table(struct arena *a, json_t *range_var);

struct ddl *ddl_add(struct statement *s, enum ddl_kind kind, sym table);
void ddl_opaque(struct statement *s, sym table, const char *why);
void ddl_locks(struct statement *s, const char *mode);	/* the last one does */
/* A table of this session, which hides another one of its name. */
void ddl_temporary(struct statement *s, sym table);

/* "character varying(20)" */
sym sql_type(struct arena *a, json_t *type_name);
/* The expression as SQL text; NULL: one of a kind that is not printed. */
sym sql_said(struct arena *a, json_t *expr);

/* A column with its constraints, which are named as PostgreSQL would. */
struct column_cons {
	struct column col;
	struct list(struct con) cons;
};
void sql_column(struct arena *a, struct column_cons *out, sym table,
    json_t *def);
/* 0: read; -1: one of a kind that is not modelled. */
int sql_constraint(struct arena *a, struct con *out, sym table, sym column,
    json_t *constraint);
void sql_index(struct arena *a, struct con *out, sym table, json_t *stmt);
void sql_create_table(struct statement *s, json_t *stmt);
void sql_alter_table(struct statement *s, json_t *stmt);

/* ---- sql_other.c ---- */
void sql_select(struct statement *s, json_t *stmt);
void sql_to_schema(struct statement *s, json_t *stmt);
void sql_grant(struct statement *s, json_t *stmt);
void sql_default_rights(struct statement *s, json_t *stmt);
void sql_set(struct statement *s, json_t *stmt);
void sql_view(struct statement *s, json_t *stmt);
void sql_function(struct statement *s, json_t *stmt);
void sql_define(struct statement *s, json_t *stmt);
void sql_enum(struct statement *s, json_t *stmt);

/* ---- sql_trigger.c ---- */
void sql_trigger(struct statement *s, json_t *stmt);
void sql_drop_trigger(struct statement *s, json_t *stmt);

/* ---- sql_locks.c ---- */
void sql_truncate(struct statement *s, json_t *stmt);
void sql_statistics(struct statement *s, json_t *stmt);
void sql_of_table(struct statement *s, json_t *stmt);
void sql_lock(struct statement *s, json_t *stmt);
void sql_comment(struct statement *s, json_t *stmt);
void sql_rebuild(struct statement *s, json_t *stmt);
void sql_vacuum(struct statement *s, json_t *stmt);
void sql_refresh(struct statement *s, json_t *stmt);

#endif

/* PostgreSQL through libpq: a connection, a statement, its rows. */
#ifndef ACT_PG_H
#define ACT_PG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"

struct pg;
struct pg_rows;

/* application_name "sluice WHAT"; TCP keepalive; connect_timeout; a statement
 * has a minute, unless the caller SETs otherwise. Secrets never reach e. */
int pg_open(struct pg **out, const char *conninfo, const char *what,
    int64_t timeout_ms, struct err *e);
void pg_free(struct pg *p);
int pg_pid(const struct pg *p);
int pg_server(const struct pg *p);	/* server_version_num */
int pg_socket(const struct pg *p);
/* Parameters as text, n of them; a NULL is NULL. *rows may be NULL. */
int pg_exec(struct pg *p, struct pg_rows **rows, const char *sql,
    const char *const *param, int n, struct err *e);
int pg_script(struct pg *p, const char *sql, struct err *e); /* no parameters */
/* SQLSTATE of the last failure, "" when it had none (the link broke). */
const char *pg_state(const struct pg *p);
int pg_count(const struct pg_rows *r);
int pg_affected(const struct pg_rows *r);
const char *pg_get(const struct pg_rows *r, int row, int col); /* NULL: null */
int64_t pg_int(const struct pg_rows *r, int row, int col);	/* null: 0 */
bool pg_true(const struct pg_rows *r, int row, int col);
void pg_rows_free(struct pg_rows *r);

/* Is the session still there, without waiting? 1: an answer has come or all
 * is quiet. 0: the link is gone, or a question sent `patience` ms ago has no
 * answer. At most one small question every `every` ms is sent. Nothing else
 * may be run on such a session. */
int pg_alive(struct pg *p, int64_t every, int64_t patience, struct err *e);

/* One element more of an array literal that is begun by "" and ended by
 * pg_array_end; a NULL is NULL. */
void pg_array_add(struct strbuf *b, const char *s);
void pg_array_end(struct strbuf *b);

#endif

/* PostgreSQL through libpq: a connection, a statement, its rows. */
#ifndef ACT_PG_H
#define ACT_PG_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct pg;
struct pg_rows;

/* application_name "sluice WHAT"; TCP keepalive; connect_timeout; times in
 * the session are bounded by the caller's SETs. Secrets never reach e. */
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
int pg_count(const struct pg_rows *r);
const char *pg_get(const struct pg_rows *r, int row, int col); /* NULL: null */
void pg_rows_free(struct pg_rows *r);

#endif

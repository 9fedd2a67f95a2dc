/* What the modules of this room share among themselves. */
#ifndef ACT_ACT_H
#define ACT_ACT_H

#include "act/pg.h"
#include "base/util.h"

static inline void
cleanup_pg_rows_free(struct pg_rows **r)
{
	pg_rows_free(*r);
}

/* The cluster's system identifier, which a dump that is loaded elsewhere
 * does not take along; where it may not be read, the database's oid. */
#define SYSTEM_SQL							\
	"SELECT CASE WHEN has_function_privilege("			\
	"'pg_control_system()', 'EXECUTE') THEN 'control' ELSE 'oid' END,"\
	" current_database(),"						\
	" (SELECT oid FROM pg_database WHERE datname = current_database())"
int system_read(struct strbuf *system, struct strbuf *database, struct pg *p,
    struct err *e);

/* A transaction that writes to the ledger, under the lease; its end keeps it
 * (r 0), or takes it back and gives -1. */
struct ledger_pen;
int ledger_begin(const struct ledger_pen *w, struct err *e);
int ledger_end(const struct ledger_pen *w, int r, struct err *e);

struct lane;
/* Starts Django in a release on the lane's host, as l->django. */
int django_open(struct lane *l, sym release, struct err *e);

#endif

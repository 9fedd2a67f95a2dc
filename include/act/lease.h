/* One deployment at a time on a database: an advisory lock on an autocommit
 * session of its own, held while we live; who and why beside it. */
#ifndef ACT_LEASE_H
#define ACT_LEASE_H

#include "act/pg.h"
#include "base/strbuf.h"

struct lease;

/* 1: taken, *out is yours. 0: held by someone else, told in *holder (who,
 * host, pid, since when, why). -1: err. */
int lease_take(struct lease **out, struct strbuf *holder,
    const char *conninfo, const char *target, const char *why,
    struct err *e);
/* Who has it, asked over any session. 1: somebody, in *holder. 0: nobody. */
int lease_holder(struct strbuf *holder, struct pg *p, struct err *e);
int64_t lease_serial(const struct lease *l);
/* Raises the serial: what was begun under the old one and has not got to its
 * check cannot go on. 1: done. 0: a migration's transaction that has checked
 * still runs. -1: err. */
int lease_renew(struct lease *l, struct err *e);
/* To a serial above `seen`, which a host has. 1: done. 0, -1: as lease_renew. */
int lease_raise(struct lease *l, int64_t seen, struct err *e);
/* 1: still ours. 0: lost. Cheap; asked every turn of the loop. */
int lease_check(struct lease *l, struct err *e);
void lease_free(struct lease *l);

#endif

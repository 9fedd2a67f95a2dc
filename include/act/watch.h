/* A second connection that looks at the migrating session: who blocks it, who
 * queues behind it, how far an index build is. */
#ifndef ACT_WATCH_H
#define ACT_WATCH_H

#include "act/pg.h"
#include "base/strbuf.h"

struct watch_view {
	int blocked;		/* sessions that wait behind it */
	int64_t blocked_ms;	/* the longest of them */
	bool waiting;		/* it waits for a lock itself */
	int percent;		/* of an index build; -1: none */
	char text[256];		/* for people: "waits for pid 12 (psql, idle in transaction 4 s)" */
};
int watch_look(struct watch_view *v, struct pg *p, int pid, struct err *e);
/* 1: a migration of Sluice's runs in this database, whoever began it; which
 * one is in b. 0: none. */
int watch_migrating(struct strbuf *b, struct pg *p, struct err *e);
int watch_cancel(struct pg *p, int pid, struct err *e);

#endif

/* Locks of statements, one after the other. */
#ifndef JUDGE_LOCKS_H
#define JUDGE_LOCKS_H

#include <stdarg.h>

#include "judge/ask.h"

struct locking {
	struct arena *a;
	const struct settings *s;
	const struct world *before;	/* of the whole migration */
	const struct world *steps;	/* after each change, or NULL */
	struct vec have;		/* before the next statement */
	const struct ddl *d;
	bool dropped_fk;		/* in this change */
	struct list(struct hazard) out;
};

struct hazard *lock(struct locking *l, sym table, const char *mode);
void locks_change(struct locking *l, const struct change *c);

#endif

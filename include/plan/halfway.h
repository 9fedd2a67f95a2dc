/* A migration without a transaction of its own that did not get to its end:
 * what the catalogue says of it. Pure. */
#ifndef PLAN_HALFWAY_H
#define PLAN_HALFWAY_H

#include "judge/world.h"

struct halfway {
	sym key;		/* "app.name" */
	enum { HALFWAY_NOTHING, HALFWAY_PART, HALFWAY_ALL } stands;
	bool unseen;		/* it has parts that no catalogue shows: rows, Python */
	bool old_runs;		/* the release gone back to runs on what stands;
				 * the caller's to say */
	sym text;		/* what of it stands, in words */
};

/* Compares whatever m changes with how it is in `live`. */
void halfway_look(struct halfway *out, struct arena *a, const struct moved *m,
    const struct vec *live);

#endif

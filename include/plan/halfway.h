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

/* Where it stopped: `at` of its `n` operations stand, whole, and the catalogue
 * shows nothing of the others. */
struct halfway_cut {
	bool sure;		/* false: text and by_hand are for a person */
	uint32_t at, n;
	const sym *invalid;	/* indexes whose build did not end: in the way */
	uint32_t ninvalid;
	sym text;		/* each operation: is done, is not, is half done */
	sym by_hand;		/* the statements that are left, with "; " */
};

/* Forward, operations from `at` on are still to be run; back, those before it
 * to be reversed. */
void halfway_cut(struct halfway_cut *out, struct arena *a,
    const struct moved *m, const struct vec *live, bool back);

/* Compares whatever m changes with how it is in `live`. */
void halfway_look(struct halfway *out, struct arena *a, const struct moved *m,
    const struct vec *live);

#endif

/* Questions to all hosts of a target side by side, outside the loop: what
 * serves there, what is there, whether a deploy would find what it needs. */
#ifndef ACT_HOST_H
#define ACT_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "read/config.h"

struct host_view {
	const struct cfg_host *host;
	bool reached;
	sym why;		/* not reached, or something is amiss; NULL */
	sym linked;		/* what `current` leads to; NULL: nothing yet */
	sym live;		/* what was restarted last; NULL: never, or a
				 * switch stopped half-way: linked != live */
	const sym *releases;	/* whole ones, oldest first */
	uint32_t nreleases;
	int64_t free_kb;	/* below the target's path; -1 unknown */
	int64_t skew_s;		/* its clock minus ours, in seconds */
	int64_t serial;		/* of the newest deploy that was there; 0: none */
	int64_t switched;	/* when it last was (epoch); 0: never, or unknown */
	sym before;		/* what it was switched from; NULL */
	sym missing;		/* tools the agent needs, with commas; NULL */
};

/* Fills v[0..t->nhosts). A host that cannot be asked is told in its view, so
 * this does not fail. */
void hosts_view(struct host_view *v, struct arena *a,
    const struct cfg_project *p, const struct cfg_target *t,
    int64_t timeout_ms);
/* What it attests: a release when `linked` and `live` are the same, else NULL. */
sym host_attests(const struct host_view *v);

#endif

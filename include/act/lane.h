/* One lane of the loop: its steps run in order, other lanes beside it.
 *
 * A kind answers two questions about a step, both without blocking: is it so
 * already (ask), make it so (make). Each is called with l->state 0 first and
 * then again whenever one of the lane's links can move or l->wake has come,
 * until it answers something else than ANSWER_WAIT. The loop only polls: the
 * kind calls link_pump() and link_reply() itself, so a lost link is its own to
 * open again or to fail. Links stay open in the lane from step to step and are
 * freed by the loop. After a deadline the loop lets go of the step: it frees
 * the links, never `own`, and the lane is not used again in that run. */
#ifndef ACT_LANE_H
#define ACT_LANE_H

#include <stdint.h>

#include "act/link.h"
#include "plan/plan.h"
#include "read/config.h"

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_WAIT };	/* -1: failed, why in e */

struct deploy;			/* act/run.h: what all lanes share */
struct lane {
	sym name;		/* a host's, or "db" */
	struct deploy *d;
	const struct cfg_host *host;	/* the lane's; for "db" the release host */
	struct link *agent;	/* opened by the first step that needs it */
	struct link *django;	/* lane "db" only */
	sym django_at;		/* the release that it runs in */
	int state;		/* the kind's own; 0 at the start of ask and of make */
	int64_t wake;		/* clock_ms(); 0: when the link moves */
	int64_t deadline;	/* of this ask or make; set by the loop, may be moved on */
	void *own;		/* the kind's own; freed by it before it answers */
	struct strbuf note;	/* what to show beside the step, e.g. "waits for pid 12 …" */
};

struct kind {
	int (*ask)(struct lane *l, const struct step *s, struct err *e);
	int (*make)(struct lane *l, const struct step *s, struct err *e);
};
extern const struct kind kind_stage, kind_current, kind_health, kind_prune,
    kind_census;				/* act/host.c */
extern const struct kind kind_balance;		/* act/balance.c */
extern const struct kind kind_migration;	/* act/django.c */
extern const struct kind kind_soak, kind_floor, kind_publish;	/* act/run.c */

#endif

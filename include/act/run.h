/* The loop: deploy, resume, rollback and sluice-migrate are rows of steps,
 * carried out wave by wave, lanes side by side, every turn in the ledger. */
#ifndef ACT_RUN_H
#define ACT_RUN_H

#include "act/lane.h"
#include "act/lease.h"
#include "act/ledger.h"
#include "act/pg.h"

struct table_lock { sym table; const char *mode; };	/* "ACCESS EXCLUSIVE" */

/* What all lanes share. */
struct deploy {
	const struct config *cfg;
	const struct cfg_project *project;
	const struct cfg_target *target;
	struct arena *a;
	struct pg *db;		/* ledger and questions */
	struct pg *watch;
	struct lease *lease;
	int64_t serial;		/* for the hosts, where there is no lease */
	struct ledger_run run;
	struct plan *plan;
	sym commit;		/* of plan->to */
	int artefact;		/* descriptor of the tar to stage; -1: none */
	size_t artefact_size;
	char artefact_sha[65];
	/* tables to lock before a migration, or its way back, from
	 * judge/locks: how many; NULL: nobody knows */
	uint32_t (*locks)(struct deploy *d, const char *app, const char *name,
	    bool back, const struct table_lock **out);
	/* where a migration without a transaction that was begun stopped: 1,
	 * or 0 where it has one or nobody knows; NULL: nobody knows */
	int (*stopped)(struct deploy *d, const char *app, const char *name,
	    bool back, struct halfway_cut *out, struct err *e);
	struct repo *repo;	/* NULL: no git (the ledger has it all) */
	bool finish;		/* a soak is over at once */
	/* how far it got, for whoever shows it */
	void (*show)(void *ctx, const struct deploy *d, const struct lane *l,
	    const struct step *s, const char *event);
	void *show_ctx;
};

/* How this deploy writes to the ledger. */
static inline struct ledger_pen
deploy_pen(const struct deploy *d)
{
	return (struct ledger_pen){ d->db, d->target->name,
	    d->lease == NULL ? 0 : lease_serial(d->lease) };
}

enum run_end { RUN_DONE, RUN_FAILED, RUN_INTERRUPTED, RUN_LOST,
	RUN_SOAKING	/* until plan_soaks_until(): run it again with resume */
};
/* Carries out what is not yet done of d->plan. 0 and up: enum run_end. A
 * failed step's words are in e. With `resume`, steps in doubt are asked
 * before they are made. The step that a crash test wants to die at is in
 * $SLUICE_CRASH ("SEQ:before" or "SEQ:after" it is made, or found to be made
 * and not yet marked: raises SIGKILL). */
int run_plan(struct deploy *d, bool resume, struct err *e);

#endif

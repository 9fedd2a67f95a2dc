/* A run from its lease to its last row: what sluice-deploy, sluice-rollback
 * and sluice-migrate have in common. */
#ifndef PROG_GO_H
#define PROG_GO_H

#include "act/run.h"
#include "prog/load.h"
#include "show/progress.h"

enum {				/* exit codes beyond 0 to 3 */
	EXIT_BACK = 4,		/* failed; the old release serves everywhere */
	EXIT_HELD = 5,		/* failed; a person must look */
	EXIT_LATER = 6		/* interrupted: --resume */
};

struct go {
	struct site s;
	struct deploy d;
	struct plan plan;
	struct progress progress;
	struct judged judged;
	struct code old, new;	/* old.release NULL: first deploy */
	const char *why;
	sym goal;		/* as in struct ledger_run */
	int64_t began;
	struct host_view *views;	/* as they were before a run; NULL: ask */
};

/* The configuration names hosts. */
int go_named_hosts(struct go *g, struct err *e);
/* Takes the lease; refused (ERR_REFUSED) it says who has it. */
int go_lease(struct go *g, struct err *e);
/* After it is let go of. 0: another has it, and it is told. */
int go_lease_again(struct go *g, struct err *e);
/* The last run, if it is not ended or is held. 1: *run and g->plan. */
int go_unfinished(struct go *g, struct ledger_run *run, struct err *e);
int go_refuse_unfinished(const struct go *g, const struct ledger_run *run,
    struct err *e);
/* The tar of the commit, in a file without a name. */
int go_artefact(struct go *g, const char *commit, struct err *e);
/* Migrations of third-party apps as Django on the release host has them,
 * from a release that is staged. */
int go_third(struct go *g, const char *release, struct source_file **out,
    uint32_t *n, struct err *e);
/* What each host attests; NULL where it cannot be asked. Hosts that cannot
 * be reached are told, and counted in *down. */
int go_hosts(struct go *g, sym **on, uint32_t *down, struct err *e);
/* All that can be asked of each host, in the order of the configuration; asked
 * again only after a run that changes what is live. */
struct host_view *go_views(struct go *g);
/* Before anything is touched: every host reached, agent and disk fine. */
int go_check_hosts(struct go *g, struct err *e);

/* A revision to a full commit id; ERR_CONFIG where there is none. */
int go_commit(struct go *g, sym *commit, const char *rev, struct err *e);
/* Writes g->plan to the ledger as a run of its own. */
int go_begin(struct go *g, const char *kind, struct err *e);
/* What became of a run; of a release. Under our lease only. */
int go_mark(struct go *g, int64_t run, const char *status, const char *why,
    struct err *e);
int go_set(struct go *g, const char *release, const char *status,
    struct err *e);
/* Carries it out. Gives enum run_end; the ledger says how it ended, but for
 * a failure, which is the caller's to judge. */
int go_run(struct go *g, bool resume, struct err *e);
/* Judges what the plan's own rows brought: for locks, and for the way back. */
int go_judge_rows(struct go *g, struct err *e);
/* The way back of g->plan's rows, on what the hosts attest. */
int go_plan_back(struct go *g, struct plan *back, struct plan_done *done,
    const sym *on, struct err *e);
/* The automatic way back from the failure `why` of g->plan. Exit code. */
int go_back(struct go *g, const struct err *why, struct err *e);
/* What an end of the loop means; `why` is the loop's error. Exit code. */
int go_ended(struct go *g, int end, const struct err *why, struct err *e);

/* A run that is open is in the way, unless it has soaked: then it is gone on
 * with first. 0: none is open any more. Else the exit code. */
int go_open(struct go *g, bool dry, struct err *e);
/* The run soaks: the lease is let go of, and taken again when it is over.
 * Exit code of the rest. */
int go_soak(struct go *g, struct err *e);
/* go_run, and what its end means. Exit code. */
int go_carry(struct go *g, bool resume, struct err *e);

/* The live release's code, or nothing on the first deploy; then the commit's. */
int go_codes(struct go *g, const char *commit, struct err *e);
/* Judges the commit on what is live, and plans. */
int go_judge_plan(struct go *g, sym to, struct err *e);
/* What a deploy of the commit would do, shown and no more. Exit code. */
int go_look(struct go *g, const char *commit, bool json, struct err *e);
/* A commit to the target: stage, judge, migrate, roll, migrate. Exit code. */
int go_ship(struct go *g, const char *commit, struct err *e);
/* One phase of its migrations alone. Exit code. */
int go_phase(struct go *g, const char *commit, enum forward phase, bool dry,
    struct err *e);
/* Continues the run that is not ended, whatever its kind. Exit code. */
int go_resume(struct go *g, const struct ledger_run *run, struct err *e);
/* The way back that was asked for; `dry` shows it only. Exit code. */
int go_undo(struct go *g, const struct opts *o, bool dry, struct err *e);
/* What a rollback of more than one hop that was resumed has still before it;
 * `run` is done. Exit code. */
int go_undo_rest(struct go *g, const struct ledger_run *run, struct err *e);
/* The way back of the hosts alone where the database cannot be reached, for
 * the reason `why`. Exit code. */
int go_blind(struct go *g, const struct opts *o, const struct err *why,
    struct err *e);
/* Writes down what go_blind did, once the ledger is there again. */
int go_reconcile(struct go *g, struct err *e);
/* What the lanes share, as far as it is known before the plan. */
void go_fill(struct go *g);
void go_close(struct go *g);
/* What their mains have in common: options as for opts_read, run, trouble
 * told, everything closed. The exit code. */
int go_main(int argc, char **argv, const char *letters, bool has_rev,
    const char *help, int (*run)(struct go *, const struct opts *,
    struct err *));

/* Plan rows that a person must see before it goes; true: a note refuses. */
bool plan_refused(const struct plan *p);
void plan_say(const struct plan *p, const struct judged *j, bool json);

#endif

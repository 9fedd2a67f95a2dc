/* The ledger: every release and every step, in PostgreSQL's schema sluice. */
#ifndef ACT_LEDGER_H
#define ACT_LEDGER_H

#include "act/pg.h"
#include "plan/plan.h"
#include "read/source.h"

/* Makes the schema on first use; two first uses at once are fine. Refuses
 * when the rows say they belong to another system or target (a copy). */
int ledger_open(struct pg *p, const char *target, struct err *e);
/* As ledger_open, but makes nothing. 1: it is there. 0: not made yet. */
int ledger_there(struct pg *p, const char *target, struct err *e);

struct ledger_release {
	sym id, commit, status;	/* "staged" "live" "old" "failed" */
	int64_t at;		/* epoch */
	sym who;
};
struct ledger_run {		/* a deploy or a rollback in progress or past */
	int64_t id;
	sym kind, from, to;
	sym status;	/* "running" "soaking" "done" "failed" "held" "back" */
	sym who, why;
	int64_t started, ended;		/* ended 0: not yet */
	int64_t serial;			/* the lease's, that wrote last */
	sym goal;	/* of a rollback: the release to get to in the end, then
			 * what may be lost, with spaces; NULL or "": this one */
};

/* Who writes. Refused (ERR_REFUSED), and nothing is written, where the lease
 * has not this serial any more; 0: not asked. */
struct ledger_pen { struct pg *p; const char *target; int64_t serial; };

/* Sources are kept once by digest. A release that is there already stays as
 * it is, and so do its files; those that it has not are added. */
int ledger_release_put(const struct ledger_pen *w,
    const struct ledger_release *r, const struct source_file *files,
    uint32_t nfiles, struct err *e);
int ledger_release_get(struct pg *p, struct arena *a, const char *target,
    const char *id, struct ledger_release *out, struct source_file **files,
    uint32_t *nfiles, struct err *e);	/* 0: no such; files may be NULL */
/* One release is "live": what was becomes "old". */
int ledger_release_set(const struct ledger_pen *w, const char *id,
    const char *status, struct err *e);
int ledger_releases(struct pg *p, struct arena *a, const char *target,
    struct ledger_release **out, uint32_t *n, struct err *e); /* newest first */
int ledger_live(struct pg *p, struct arena *a, const char *target, sym *id,
    struct err *e);			/* 0: none yet */
int ledger_floor(struct pg *p, struct arena *a, const char *target, sym *id,
    struct err *e);			/* 0: none */
int ledger_floor_set(const struct ledger_pen *w, const char *id,
    struct err *e);

/* All rows before the first starts, in one INSERT. Sets run->id; "running"
 * unless run->status says otherwise. */
int ledger_run_new(const struct ledger_pen *w, struct ledger_run *run,
    const struct plan *plan, struct err *e);
/* plan may be NULL; else its steps as the ledger has them, notes none. */
int ledger_run_last(struct pg *p, struct arena *a, const char *target,
    struct ledger_run *out, struct plan *plan, struct err *e); /* 0: none */
int ledger_run_steps(struct pg *p, struct arena *a, const char *target,
    const struct ledger_run *run, struct plan *plan, struct err *e);
int ledger_runs(struct pg *p, struct arena *a, const char *target, int most,
    struct ledger_run **out, uint32_t *n, struct err *e);
/* A migration that was begun by a run before and did not get to its end: 1,
 * and what was said of it ("" if nothing). 0: none such. */
int ledger_stopped(struct pg *p, struct arena *a, const char *target,
    const char *migration, sym *said, struct err *e);
/* What changed since the last call, in one statement. */
struct ledger_mark { uint32_t seq; enum step_status status; const char *note; };
int ledger_mark(const struct ledger_pen *w, int64_t run,
    const struct ledger_mark *m, uint32_t n, struct err *e);
/* "running" or "soaking" open it again, anything else ends it. NULL why: the
 * words that are there stay. */
int ledger_run_end(const struct ledger_pen *w, int64_t run,
    const char *status, const char *why, struct err *e);

#endif

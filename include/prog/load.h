/* The way from a configuration to verdicts: config -> source -> migrations ->
 * graph -> worlds -> judgement. Shared by the programs that deploy. */
#ifndef PROG_LOAD_H
#define PROG_LOAD_H

#include "act/catalog.h"
#include "act/ledger.h"
#include "act/pg.h"
#include "judge/graph.h"
#include "judge/verdict.h"
#include "judge/ways.h"
#include "plan/plan.h"
#include "prog/opts.h"
#include "read/config.h"
#include "read/repo.h"
#include "read/source.h"

/* A target as it stands. */
struct site {
	struct arena *a;
	struct config cfg;
	const struct cfg_project *project;
	const struct cfg_target *target;
	struct repo *repo;	/* NULL: none here */
	struct pg *db;
	bool ledger;		/* it is there */
	sym live;		/* release id; NULL: none yet */
	/* site_facts */
	struct settings settings;
	struct vec have;
	struct applied *applied;
	uint32_t napplied;
	/* site_others */
	const struct served *others;
	uint32_t nothers;
};

/* Where sluice.ini is: -c, $SLUICE_CONFIG, the top of the work tree; in a
 * bare repository `git config sluice.config`, then <gitdir>/sluice.ini. */
int site_config(struct site *s, const struct opts *o, struct err *e);
/* Then the database, and what the ledger says is live. Makes the ledger if
 * `make`. What can be wrong here on this machine is to be looked at before. */
int site_connect(struct site *s, bool make, struct err *e);
/* Both. */
int site_open(struct site *s, const struct opts *o, bool make, struct err *e);
int site_facts(struct site *s, struct err *e);
bool site_applied(const struct site *s, const struct migration *m);
void site_close(struct site *s);

/* A release's code. */
struct code {
	sym release, commit;		/* release NULL: not one yet */
	struct source_file *files;	/* what the ledger keeps of it */
	uint32_t nfiles;
	struct migration *all;
	uint32_t n;
	struct graph graph;
	const sym *wrong;		/* what people have to mend; all of it */
	uint32_t nwrong;
	bool third;			/* third-party sources are known */
};

/* Third-party migrations, as Django on a host has them: path is
 * "third-party:APP/NAME.py". They are kept among a release's files. */
#define THIRD_PARTY "third-party:"

int code_commit(struct code *c, struct site *s, const char *commit,
    const struct source_file *third, uint32_t nthird, struct err *e);
/* 1: read. 0: the ledger has no such release. */
int code_release(struct code *c, struct site *s, const char *release,
    struct err *e);
/* The third-party files among those of a code. */
void code_third(const struct code *c, struct arena *a,
    struct source_file **out, uint32_t *n);
/* Says what is wrong, each on a line of stderr; true: nothing is. */
bool code_fine(const struct code *c);

/* What stands between two codes on this database. `old` NULL: first deploy. */
struct judged {
	struct ways ways;
	struct release release;	/* the first of them */
	struct judgement j;
};
void site_judge(struct judged *out, struct site *s, const struct code *old,
    const struct code *new);
/* The same for the way back: what the rows of a deploy apply counts as pending
 * again, on a schema that is replayed, since the catalogue is past it. */
void site_judge_back(struct judged *out, struct site *s,
    const struct code *old, const struct code *new, const struct plan *went);
/* Where the plan is refused: what a deploy before left half done may be why. */
int site_stopped(struct site *s, const struct judged *j, struct plan *p,
    struct err *e);
/* The plan holds in every way that open conditions may turn out. */
void site_prove(struct plan *p, struct site *s, const struct plan_facts *f,
    const struct judged *j);
/* Counts the rows that pending migrations would fail on; told in p's notes:
 * a refusal, unless a migration before it may mend them. */
int site_rows(struct site *s, const struct judged *j, struct plan *p,
    struct err *e);
/* Facts for the planner; on[i] may be NULL (not asked). */
void site_plan_facts(struct plan_facts *f, struct site *s,
    const struct judged *j, sym from, sym to, const sym *on);

/* Reads the code of releases that hosts serve beside the two: judged as old
 * code, too. */
int site_others(struct site *s, const sym *on, sym from, sym to,
    struct err *e);
/* What is to be repeated once the old code is gone. */
void site_repeats(struct plan_facts *f, struct site *s, const struct code *old,
    const struct code *new);

/* "1,25%" to sizes; at least one. */
int batches_parse(uint32_t **out, uint32_t *n, struct arena *a,
    const char *text, uint32_t nhosts, struct err *e);

#endif

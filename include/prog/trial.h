/* A range of commits, an index or a folder judged as the release it would be:
 * what the hooks and sluice-check do, without a database. */
#ifndef PROG_TRIAL_H
#define PROG_TRIAL_H

#include "judge/graph.h"
#include "judge/verdict.h"
#include "judge/world.h"
#include "read/config.h"
#include "read/source.h"
#include "show/verdict.h"

struct trial {
	struct settings settings;
	struct migrations base, head;
	struct graph base_graph, graph;
	struct replay before, after;	/* of the base; of what is pending on it */
	struct release release;
	struct judgement j;		/* pending migrations, in order */
	struct verdict_wrong *wrong;	/* what stops before judging */
	uint32_t nwrong;
};

/* Django's and PostgreSQL's versions, the user model, … from the file. */
void trial_settings(struct settings *s, struct arena *a,
    const struct cfg_project *p);
/* base NULL: nothing is deployed yet. 0: *t is whole; t->nwrong or
 * !t->j.fine refuse. exceptions: "app.name,…" that may differ from the base.
 * each: every pending migration as a release of its own, which is a hint. */
struct trial_ask {
	const struct cfg_project *project;
	const char *exceptions;
	struct source *base, *head;
	bool each;
};
int trial_run(struct trial *t, struct arena *a, const struct trial_ask *ask,
    struct err *e);
bool trial_fine(const struct trial *t);

#endif

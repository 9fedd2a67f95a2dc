/* A range of commits, an index or a folder judged as the release it would be:
 * what the hooks and sluice-check do, without a database. */
#ifndef PROG_TRIAL_H
#define PROG_TRIAL_H

#include "judge/graph.h"
#include "judge/verdict.h"
#include "judge/ways.h"
#include "judge/world.h"
#include "read/config.h"
#include "read/source.h"
#include "show/verdict.h"

/* Migrations to be found by app and name. */
struct trial_names { const struct migration **v; uint32_t n; };

struct trial {
	struct settings settings;
	struct migrations base, head;
	struct trial_names base_names, head_names;
	struct graph base_graph, graph;
	struct ways ways;		/* of what is pending on the base */
	struct release release;		/* the first of them */
	struct judgement j;		/* pending migrations, in order */
	struct verdict_wrong *wrong;	/* what stops before judging */
	uint32_t nwrong;
	struct list(sym) renamed;	/* files told to get their old name */
};

/* What the base branch has already, beside what is deployed. */
struct trial_branch {
	struct repo *repo;
	sym tip, tip_name;	/* as the remote has it; NULL: not known */
	sym fork;		/* where this left it; NULL: as tip */
	sym tree;		/* of the head: a tree or commit by id */
	enum trial_at {		/* what is judged, for what is to be typed */
		AT_COMMITS,
		AT_INDEX,
		AT_OTHER_INDEX,	/* git's own, of commit -a or commit PATH */
		AT_MERGE
	} at;
};

/* Django's and PostgreSQL's versions, the user model, … from the file. */
void trial_settings(struct settings *s, struct arena *a,
    const struct cfg_project *p);
/* base NULL: nothing is deployed yet. 0: *t is whole; t->nwrong or
 * !t->j.fine refuse. exceptions: "app.name,…" that may differ from the base.
 * each: every pending migration as a release of its own, which is a hint.
 * why: what the base is, in words; NULL: what is deployed. binds: who asks
 * puts for= into persons' tags, so that none is refused for want of it. */
struct trial_ask {
	const struct cfg_project *project;
	const char *exceptions;
	struct source *base, *head;
	sym commit;		/* of the base; NULL: it has none */
	bool each, binds;
	const char *why;
	const struct trial_branch *branch;	/* NULL: not asked */
};
int trial_run(struct trial *t, struct arena *a, const struct trial_ask *ask,
    struct err *e);
/* -1: the project's root is not there, and migrations are elsewhere. */
int trial_root(struct source *head, const struct cfg_project *p,
    struct err *e);
/* One more of what stops before judging. */
void trial_wrong(struct trial *t, struct arena *a, sym path, uint32_t line,
    sym text);
/* The line that gives that file back as the base has it. */
sym trial_undo(struct arena *a, const struct trial_ask *ask, const char *path);
/* "app.name" among names by comma? */
bool trial_listed(const char *names, const struct migration *m);
/* The one of that app and name; all syms are of one arena. */
const struct migration *trial_find(const struct trial_names *all,
    const struct migration *m);
/* All that a squash replaces is in the base: it is applied with that. */
bool trial_squashes(const struct trial_names *base, const struct migration *m);
bool trial_fine(const struct trial *t);

#endif

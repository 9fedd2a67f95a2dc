/* A release in every way that its files' open conditions may turn out: one
 * condition is the same everywhere, and the worst of all ways holds. */
#ifndef JUDGE_WAYS_H
#define JUDGE_WAYS_H

#include "judge/verdict.h"

/* What is judged, not yet replayed. Conditions of pending migrations are taken
 * both ways, each with each; those of what lies before alone all hold or none
 * does. Where pending migrations have more than WAYS_CONDS, all stay open: what
 * stands under one is opaque. */
#define WAYS_CONDS 3

struct ways_ask {
	const struct migration *const *base, *const *pending;	/* in order */
	uint32_t nbase, npending;
	/* what the deployed code is; NULL: as base */
	const struct graph *old;
	bool first;			/* none is deployed */
	const struct vec *have;		/* the live catalogue; NULL: as base */
	const struct graph *graph;
	const struct served *others;
	uint32_t nothers;
	const struct settings *s;
	bool each;			/* ways_alone() will be asked */
};

struct way {
	const struct choice *choices;
	uint32_t nchoices;
	struct world before;		/* what the base comes to */
	struct replay after;		/* of what is pending on it */
	struct release release;
};

struct ways {
	struct way *v;			/* one at least */
	uint32_t n;
	bool open;			/* too many conditions to go through */
	/* then: both where all hold and where none does, for
	 * those that have one condition at most; NULL */
	struct way *two;
};

void ways_make(struct ways *out, struct arena *a, const struct ways_ask *ask);
/* The same ways for one of the pending migrations alone. */
void ways_alone(struct ways *out, struct arena *a, const struct ways *w,
    uint32_t which);
/* As judge_release for one way. What is not so in all of them is told with the
 * condition under which it is. */
void ways_judge(struct judgement *out, struct arena *a, const struct ways *w,
    const struct settings *s);

#endif

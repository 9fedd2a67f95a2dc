/* A release being judged: what corners, phases and words share. */
#ifndef JUDGE_JUDGING_H
#define JUDGE_JUDGING_H

#include "judge/ask.h"

struct judging {
	struct arena *a;
	const struct release *r;
	const struct settings *s;
	struct judgement *out;
	uint32_t n;
	struct vec *at;		/* schema before the first, after the first, … */
	struct findings base;	/* (old, old) */
	uint64_t *needs;	/* rows of bits: does i need j? */
	uint32_t words;		/* in a row */
	bool first;		/* no code is deployed */
};

enum degree never_worst(const struct verdict *v, const struct reason **which);
struct names schema_touched(struct judging *j, const struct vec *x,
    const struct vec *y);
bool pending_needs(const struct judging *j, uint32_t i, uint32_t on);

/* gist.c: what a migration does, in words */
void gist(struct judging *j, struct verdict *v, const struct moved *m);
enum corner { CORNER_A, CORNER_B, CORNER_NEW };
void phrase(struct judging *j, struct findings *f, const struct moved *m,
    enum corner c);

/* rows.c: what rows must be like before it */
void rows(struct judging *j, struct verdict *v, const struct moved *m);

/* fixes.c: the way to write it */
void fixes(struct judging *j, struct verdict *v, const struct moved *m);

/* phase.c: from verdicts and tags to the phase of each */
void phases(struct judging *j);

#endif

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
	struct names *touched;	/* by each; of one alone nobody asks */
	uint64_t *needs;	/* rows of bits: does i need j? */
	uint32_t words;		/* in a row */
	bool first;		/* no code is deployed */
	struct memo memo;
	bool mute;		/* only degrees are asked for, no texts */
};

/* All but the phases. */
void judge_corners(struct judging *j);
enum forward forward_of(const struct verdict *v, bool first);
enum degree never_worst(const struct verdict *v, const struct reason **which);
void reason_add(struct judging *j, struct findings *f, const struct reason *r);
struct findings reasons_old(struct judging *j, const struct vec *before,
    const struct vec *after);
struct findings reasons_new(struct judging *j, const struct vec *with,
    const struct vec *without);
/* without.c: the schema after k (or before it: !itself) and all that does not
 * need k. */
struct vec schema_without(struct judging *j, uint32_t k, bool itself);
/* A migration, or a part of one, and the corners it makes. */
struct square {
	const struct moved *m;
	struct vec before, after;	/* what old code meets */
	struct vec without, with;	/* and new code, all else being done */
	struct findings a, b;
};
void square_ask(struct judging *j, struct square *q);
bool is_opaque(const struct moved *m);
bool pending_needs(const struct judging *j, uint32_t i, uint32_t on);

/* midway.c: what live code meets between statements that nothing makes one;
 * added to the reasons */
void midway(struct judging *j, struct square *q);
/* Which operation of the file, from 1, is the change of? */
uint32_t operation_number(const struct moved *m, uint32_t change);

/* reverse.c: on what rows the way back fails, in words; NULL: on none */
sym reverse_fails(struct arena *a, const struct moved *m);
/* What a change of type makes less of, in words; NULL: nothing. */
sym type_cuts(struct arena *a, const struct ddl *d, const struct column *was);

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

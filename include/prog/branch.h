/* What the base branch has that is not deployed yet: its migrations stay as
 * they are too, and their numbers are taken. */
#ifndef PROG_BRANCH_H
#define PROG_BRANCH_H

#include "prog/trial.h"

/* Adds to t->wrong: two migrations with one number, the one on top of the
 * other, or the other on the base branch; what is there already and was
 * edited, renamed or removed. t->release must be whole. */
int branch_compare(struct trial *t, struct arena *a,
    const struct trial_ask *ask, struct err *e);

/* The part of it that is of numbers: for each app with a clash one remark, of
 * all that is to be done, as it can be typed. */
int clash_find(struct trial *t, struct arena *a, const struct trial_ask *ask,
    struct err *e);
/* 1: *out is the migration in that blob; its app is "". 0: there is none. */
int branch_migration(struct migration *out, struct arena *a, struct repo *r,
    sym path, sym blob, struct err *e);

/* What the index here is about to become. `merge`: git says so. */
enum trial_at branch_at(const struct repo *r, bool merge);

/* Fills tip, tip_name and fork for `head`; 0 even where there is no such
 * branch. remote NULL: origin. */
int branch_find(struct trial_branch *b, struct arena *a,
    const struct cfg_project *p, const char *head, const char *remote,
    struct err *e);
/* -1: branch_find found none, but [project] base names one: a slip there would
 * pass for a first release. Before the first commit there is none yet. */
int branch_known(const struct trial_branch *b, const struct cfg_project *p,
    struct err *e);

#endif

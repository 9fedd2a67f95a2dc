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

/* Fills tip, tip_name and fork for `head`; 0 even where there is no such
 * branch. remote NULL: origin. */
int branch_find(struct trial_branch *b, struct arena *a,
    const struct cfg_project *p, const char *head, const char *remote,
    struct err *e);

#endif

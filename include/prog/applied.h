/* What is deployed stays what it is, however the head's files say it: a
 * migration may be made by another file, a squash stands for others. */
#ifndef PROG_APPLIED_H
#define PROG_APPLIED_H

#include "prog/trial.h"

/* Adds to t->wrong the tables and columns that the head's migrations of what
 * is deployed build and the base's do not, or the other way round. t->before
 * must be whole. Nothing is replayed where no squash of what is deployed is
 * new and no such migration's operations differ. */
void applied_compare(struct trial *t, struct arena *a,
    const struct trial_ask *ask);

#endif

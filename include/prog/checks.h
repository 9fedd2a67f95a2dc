/* What sluice-doctor looks at. */
#ifndef PROG_CHECKS_H
#define PROG_CHECKS_H

#include "prog/go.h"

/* Prints a line a finding, or one object. 0: nothing fails. 1: something. */
int checks_run(struct go *g, const struct opts *o);

#endif

/* What the gate's own files share. */
#ifndef SRC_GATE_H
#define SRC_GATE_H

#include "base/err.h"

/* "what: libgit2's words" */
int gate_git(struct err *e, const char *what);

#endif

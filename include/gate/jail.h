/* A cell for what was pushed: little time, memory and disk, no sockets, no
 * other processes, nothing to write to but its own folders. */
#ifndef GATE_JAIL_H
#define GATE_JAIL_H

#include "base/err.h"

struct jail {
	int seconds;		/* of processor time */
	const char *const *folders;	/* that may be written to; NULL-ended */
	char *const *argv;
};

/* Limits hold everywhere; the rest where the kernel (Linux) allows it, each
 * for itself. Goes into the cell and runs argv there: 0 and up is its exit
 * code. Whoever calls this is spent: it must be a process of its own, and
 * when it is killed everything in the cell is. */
int jail_run(const struct jail *j, struct err *e);

#endif

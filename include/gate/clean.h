/* Is makemigrations clean on an exported tree? Asked of the project's own
 * Python, without a database. */
#ifndef GATE_CLEAN_H
#define GATE_CLEAN_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

enum clean {
	CLEAN_YES,
	CLEAN_NO,		/* a migration is missing: said has Django's words */
	CLEAN_CONFLICT,		/* an app has two last migrations */
	CLEAN_MISSING,		/* there is no Python with Django */
	CLEAN_UNKNOWN		/* could not tell, and why */
};

struct clean_job {
	const char *python;	/* a path, or a name for PATH */
	const char *tree;	/* the export's top folder */
	const char *root;	/* of manage.py in it, "." for the top */
	const char *settings;
	const char *command;	/* the project's own check, run by sh in root:
				 * 0 clean, 1 not; NULL: our helper */
	const char *worktree;	/* the developer's; NULL: none */
	const char *jail;	/* for pushed code on a server: the program
				 * that shuts in what it is told to run
				 * (sluice-gate jail), in an empty
				 * environment; NULL: it is the developer's */
	int64_t timeout_ms, limit_ms;	/* what is left; what is configured */
};

/* 0: *out is the answer and `said` the words to it. -1: err. */
int clean_check(enum clean *out, struct strbuf *said,
    const struct clean_job *job, struct err *e);

/* Where a PATH has that name. */
bool clean_on_path(char out[PATH_MAX], const char *name, const char *path);

#endif

/* Another program, exec'd with pipes, always reaped, never a shell. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strbuf.h"

enum child_io { CHILD_INHERIT, CHILD_NULL, CHILD_PIPE };

struct child {
	pid_t pid;		/* -1: not running */
	int in, out, err;	/* our ends; -1 where not piped */
	int status;		/* of waitpid, once reaped */
};

#define CHILD_INIT { -1, -1, -1, -1, 0 }

struct child_spec {
	char *const *argv;	/* argv[0] is searched on PATH */
	char *const *env;	/* NULL: ours */
	const char *cwd;	/* NULL: ours */
	enum child_io in, out, err;
	bool err_to_out;	/* 2>&1 */
	bool own_group;		/* setpgid, so that child_kill takes all of it */
};

/* Exec errors are told here, not by a strange exit code. Every descriptor
 * but 0 to 2 is closed in the child. */
int child_start(struct child *c, const struct child_spec *s, struct err *e);
/* 1: ended, c->status is set. 0: timeout_ms passed (-1: no limit). */
int child_wait(struct child *c, int64_t timeout_ms, struct err *e);
void child_kill(struct child *c, int sig);
/* TERM, a grace, KILL, reap, close what is open. Safe on a dead one. */
void child_end(struct child *c, int64_t grace_ms);
int child_exit(const struct child *c);	/* exit code; 128+n for a signal */

/* Feeds `input`, collects output, waits. 0: ran, the exit code is in *code.
 * -1: could not start, or the deadline passed (the group is killed), or the
 * output was larger than out->max. out and errs may be the same or NULL. */
int child_run(const struct child_spec *s, const char *input, size_t len,
    struct strbuf *out, struct strbuf *errs, int64_t timeout_ms, int *code,
    struct err *e);

/* SIGINT, SIGTERM, SIGHUP, SIGCHLD reach poll() through this descriptor.
 * signals_seen() gives the last of INT, TERM, HUP, or 0, and drains it;
 * signals_count() how many of them came. SIGPIPE is ignored. */
int signals_fd(struct err *e);
int signals_seen(void);
int signals_count(void);

#endif

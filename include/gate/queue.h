/* Deploys that a push starts: they outlive the pusher, one at a time for a
 * target, and of those that wait the newest wins. All state is in files below
 * <gitdir>/sluice/: TARGET.lock (held by the runner), TARGET.next, log/. */
#ifndef GATE_QUEUE_H
#define GATE_QUEUE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"

struct queue {
	const char *dir;	/* <gitdir>/sluice */
	const char *target;
};

/* Makes `commit` the next to be deployed; *log is the file that its deploy
 * will write. 1: put. 0: one runs already, told in *busy, and `wait` is false,
 * so nothing was put. With `wait`, *busy tells the same and is not empty. Of
 * the target's older logs only the last are kept. */
int queue_put(const struct queue *q, const char *commit, bool wait,
    struct strbuf *log, struct strbuf *busy, struct err *e);
/* Starts a runner: `argv` in a session of its own. */
int queue_start(char *const *argv, struct err *e);
/* The runner: while there is a next one, runs argv + its commit, in `cwd`,
 * with its output in its log and its exit code in LOG.rc. At once 0 where
 * another runner is at work: that one will do it. */
int queue_run(const struct queue *q, char *const *argv, const char *cwd,
    struct err *e);
/* Shows a log on descriptor `out` as it grows. 0 and up: the deploy's exit
 * code. -1: its runner is gone, or a newer push took its place; why. */
int queue_follow(const struct queue *q, const char *log, int out,
    struct err *e);

#endif

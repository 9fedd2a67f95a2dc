/* git itself, run as a program: where its answer is the law (which folder the
 * hooks are in, what is staged) and where libgit2 would be too slow to load. */
#ifndef GATE_GITCMD_H
#define GATE_GITCMD_H

#include "base/err.h"
#include "base/strbuf.h"

/* Runs "git WORD…" in dir (NULL: here), adds what it prints to out. 0 and up:
 * git's exit code; what it said on stderr is in e when that is not 0. The
 * environment is ours, GIT_INDEX_FILE and the like included. */
int gitcmd_run(struct strbuf *out, const char *dir, const struct strbuf *input,
    struct err *e, ...) __attribute__((sentinel));
/* The same, one line without its newline. */
int gitcmd_line(struct strbuf *out, const char *dir, struct err *e, ...)
    __attribute__((sentinel));

/* Our environment without what git sets for the repository it runs a hook
 * in: for children that must not work on that one. NULL-terminated, borrows
 * from environ; free() the vector. */
char **gitcmd_clean_env(void);

#endif

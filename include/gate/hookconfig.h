/* Hooks in a repository's configuration, which git runs from 2.54 on: no file
 * is written, so none is in the way. Those in the hooks folder run as well. */
#ifndef GATE_HOOKCONFIG_H
#define GATE_HOOKCONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"

/* Does the git here run them? 1, 0, or -1; *version is what it calls itself. */
int hookconfig_known(struct strbuf *version, struct err *e);
/* 1: ours is there for hook NAME; stale: of other text than we'd write. */
int hookconfig_state(bool *stale, struct strbuf *program, const char *dir,
    const char *name, const char *want, struct err *e);
/* 1: written. 0: was there as it is already. */
int hookconfig_put(const char *dir, const char *name, const char *program,
    struct err *e);
/* 1: taken out. 0: none of ours there. */
int hookconfig_remove(const char *dir, const char *name, struct err *e);

#endif

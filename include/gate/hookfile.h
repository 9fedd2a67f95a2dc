/* The files in a repository's hooks folder: ours put in, what stood there kept
 * and run first, and given back by the very bytes. */
#ifndef GATE_HOOKFILE_H
#define GATE_HOOKFILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"

/* What stood there before us is kept beside our hook under this ending. */
#define HOOK_BEFORE ".before-sluice"

/* Where a repository's hooks are. */
struct hook_place {
	struct strbuf dir;	/* absolute; need not exist yet */
	struct strbuf top;	/* work tree, or the bare repository */
	bool bare;
	struct strbuf refuse;	/* why nothing may be written there, and the
				 * line to add by hand; empty: go ahead */
};
#define HOOK_PLACE_INIT { STRBUF_INIT, STRBUF_INIT, false, STRBUF_INIT }

/* Asks git about the repository at or above dir (NULL: here). */
int hook_place(struct hook_place *p, const char *dir, struct err *e);
void hook_place_release(struct hook_place *p);

enum hook_owner { HOOK_NONE, HOOK_OURS, HOOK_FOREIGN, HOOK_BEHIND };
struct hook_state {
	enum hook_owner owner;	/* HOOK_BEHIND: ours, run by another manager
				 * that keeps it as NAME.legacy */
	bool before;		/* something stood there before ours */
	bool stale;		/* ours, but of other text than we'd write */
	bool gone;		/* ours, and its program is not there */
	struct strbuf program;	/* that ours runs */
};
#define HOOK_STATE_INIT { HOOK_NONE, false, false, false, STRBUF_INIT }

int hook_state(struct hook_state *s, const char *dir, const char *name,
    const char *program, struct err *e);
/* 1: written. 0: stood there as it is already. */
int hook_put(const char *dir, const char *name, const char *program,
    struct err *e);
/* 1: taken out, and what was there before is back. 0: none of ours there. */
int hook_remove(const char *dir, const char *name, struct err *e);

#endif

/* What is staged for the commit that git is about to make, and new text for
 * it. Works on the index that git names (GIT_INDEX_FILE), through git itself
 * where the index is written, so that every kind of index stays whole. */
#ifndef GATE_STAGE_H
#define GATE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "read/repo.h"
#include "read/source.h"

struct staged {
	sym path;
	sym blob;		/* id; all zeros when deleted */
	char mode[8];		/* "100644" */
	char status;		/* 'A' 'M' 'D' 'T' */
};

/* From what git says (stageraw.h). */
int stage_list(struct staged **out, uint32_t *n, struct arena *a,
    const struct strbuf *raw, struct err *e);
/* The tree that a commit made now would have, from that list: without asking
 * git, where it is plain. */
int stage_tree(struct strbuf *tree, struct repo *r, const struct staged *f,
    uint32_t n, struct err *e);
/* `git commit PATH` commits a temporary index: a change to that one would be
 * taken back by the next commit. */
bool stage_temporary(void);
int stage_text(struct strbuf *b, struct repo *r, const char *blob,
    struct err *e);
/* Any blob, by "COMMIT:path" or id. 0: there is none. */
int stage_read(struct strbuf *b, struct repo *r, const char *rev,
    struct err *e);

/* New text for one staged file, whose blob it becomes. 1: on disk too, where
 * the file had just the staged text, or that with the CRLF that git takes
 * away. 0: staged only; the file on disk differs and is not touched. */
int stage_write(struct repo *r, struct arena *a, struct staged *f,
    const struct strbuf *was, const struct strbuf *now, struct err *e);

#endif

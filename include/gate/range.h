/* What a commit or a push is to be judged against, and the lines that git
 * tells its hooks about refs. */
#ifndef GATE_RANGE_H
#define GATE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "read/config.h"
#include "read/repo.h"

/* What is deployed, as far as this repository knows. */
struct range_base {
	sym commit;		/* NULL: nothing is */
	sym why;		/* the ref it was taken from, in words */
};

/* Every distinct commit under refs/sluice/deployed/ of this project's
 * targets (`target` NULL: all of them), whose objects are here. */
int range_deployed(struct range_base **out, uint32_t *n, struct arena *a,
    struct repo *r, const struct config *c, const struct cfg_project *p,
    const char *target, struct err *e);
/* The same, or else one: the merge base of `head` ("HEAD" or an id) with the
 * project's base branch at `remote` (NULL: origin), else `fallback` (an id, or
 * NULL), else nothing. */
int range_bases(struct range_base **out, uint32_t *n, struct arena *a,
    struct repo *r, const struct config *c, const struct cfg_project *p,
    const char *head, const char *remote, const char *fallback,
    struct err *e);

/* The tip of the project's base branch at `remote` (NULL: origin), else here.
 * 0: there is none. */
int range_branch(sym *tip, sym *name, struct arena *a, struct repo *r,
    const struct cfg_project *p, const char *remote, struct err *e);
/* Migrations that differ between two trees or commits. */
struct range_file {
	sym path;
	sym old, new;		/* blobs; NULL: not there */
};
int range_files(struct range_file **out, uint32_t *n, struct arena *a,
    struct repo *r, const char *from, const char *to, struct err *e);
/* Names in a folder of that tree or commit. 0: there is no such folder. */
int range_folder(const char ***out, uint32_t *n, struct arena *a,
    struct repo *r, const char *tree, const char *folder, struct err *e);

/* "LOCAL-REF LOCAL REMOTE-REF REMOTE" of pre-push, "OLD NEW REF" of the
 * server's hooks. An id of zeros becomes NULL. */
struct range_line {
	sym ref;		/* at the receiving side */
	sym old, new;		/* there before (pre-push: as far as known); pushed */
};
int range_lines(struct range_line **out, uint32_t *n, struct arena *a,
    const struct strbuf *text, bool push, struct err *e);
/* In a partial clone: lets git bring what two trees hold and is not here. base
 * may be NULL. */
int range_fetch(struct repo *r, const char *base, const char *tip,
    struct err *e);
/* Is any file `what` that differs between the two? base NULL: that the tip
 * holds. */
int range_touches(struct repo *r, const char *base, const char *tip,
    bool (*what)(const char *path), struct err *e);
/* A pushed tree may be made to be too large to read: -1 and why, when it has
 * more files, or more bytes of Python, than that. */
int range_limits(struct repo *r, const char *tip, int64_t files,
    int64_t bytes, struct err *e);
/* "a,b*" as fnmatch patterns; NULL matches all. */
bool range_listed(const char *globs, const char *name);

#endif

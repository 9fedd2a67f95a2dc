/* A tree of git's written out into a folder, without a work tree, an index or
 * a filter: what is about to be committed or was pushed, as files to import. */
#ifndef GATE_EXPORT_H
#define GATE_EXPORT_H

#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "read/repo.h"

struct export_limit {
	int64_t files, bytes;		/* past one it refuses; 0: none */
	bool no_links;			/* symbolic links are left out */
};

/* The tree that a commit made now would have: `git write-tree`. */
int export_staged(struct strbuf *tree, struct repo *r, struct err *e);
/* Tree or commit, by id, into the folder `to`, which is there and empty. */
int export_tree(struct repo *r, const char *id, const char *to,
    const struct export_limit *limit, struct err *e);
/* Ignored files that the export needs, "a, b/c", linked from the work tree.
 * Names that are not there, or leave the tree, are passed over. */
int export_link(const char *to, const char *worktree, const char *names,
    struct err *e);

#endif

/* A git repository through libgit2, as a hook sees it (FROM_ENV) or a program. */
#ifndef READ_REPO_H
#define READ_REPO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct repo;

/* dir NULL: from GIT_DIR and the current folder, quarantine included. */
int repo_open(struct repo **out, const char *dir, struct err *e);
/* The same as with NULL, whoever owns it: for who asked git already. */
int repo_open_trusted(struct repo **out, struct err *e);
void repo_free(struct repo *r);
const char *repo_gitdir(const struct repo *r);
const char *repo_workdir(const struct repo *r);	/* NULL: bare */
bool repo_bare(const struct repo *r);
/* libgit2's own, borrowed: for gate, which writes blobs and reads trees. */
struct git_repository *repo_git(struct repo *r);
/* A revision to a full commit id. 0: there is no such commit. */
int repo_commit(struct repo *r, sym *out, struct arena *a, const char *rev,
    struct err *e);
int repo_merge_base(struct repo *r, sym *out, struct arena *a,
    const char *x, const char *y, struct err *e);	/* 0: none */
/* refs/sluice/deployed/TARGET and such. 0: no such ref. */
int repo_ref(struct repo *r, sym *out, struct arena *a, const char *name,
    struct err *e);
int repo_ref_set(struct repo *r, const char *name, const char *commit,
    const char *why, struct err *e);

#endif

/* A tree of files to read from: a commit, the index, or a folder. */
#ifndef READ_SOURCE_H
#define READ_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "read/config.h"
#include "read/migration.h"

struct repo;
struct source;

int source_commit(struct source **out, struct repo *r, const char *commit,
    struct err *e);
/* Refused where not all is merged. */
int source_index(struct source **out, struct repo *r, struct err *e);
int source_folder(struct source **out, const char *dir, struct err *e);
/* Files in memory, as the ledger keeps them: path, text. */
struct source_file { sym path; const char *text; size_t len; };
int source_memory(struct source **out, const struct source_file *f,
    uint32_t n, struct err *e);
void source_free(struct source *s);

/* 1: read, appended to b. 0: there is no such file. Links are not followed. */
int source_read(struct source *s, struct strbuf *b, const char *path,
    struct err *e);
/* Calls each(path) for every file, sorted; a non-zero return ends it. */
int source_walk(struct source *s,
    int (*each)(void *ctx, const char *path, size_t size), void *ctx,
    struct err *e);
/* All paths of files below the tree as a tar stream's content would need. */

/* A module that a migration had a part of, or looked for. */
struct cache_need {
	sym dotted;
	sym path;		/* NULL: it was not there */
	sym id;			/* its blob's, 20 bytes */
};

/* Every app's migrations below the project's root, read. App labels are
 * those that a folder's own migrations use for each other. */
struct migrations {
	struct migration *v;
	uint32_t n;
	struct source_file *files;	/* their sources and the modules they need */
	uint32_t nfiles;
	struct unread { sym path; sym why; uint32_t line; } *unread;
	uint32_t nunread;		/* files that cannot be parsed, links, compiled
					 * ones, those in a folder of another name;
					 * dependencies that cannot be read */
	/* of git's: what was read by blob id, and the modules it needed */
	struct read_blob { sym path, id; struct migration *m; } *blobs;
	uint32_t nblobs;
	struct cache_need *needs;
	uint32_t nneeds;
};
int source_migrations(struct migrations *out, struct arena *a,
    struct source *s, const struct cfg_project *p, struct err *e);
/* The same without `files`, and fast: beside what another tree of the project
 * gave in the same arena (NULL: none), files that are equal are not read
 * again; of git's, nor is what the cache in the repository knows. */
int source_migrations_beside(struct migrations *out, struct arena *a,
    struct source *s, const struct cfg_project *p,
    const struct migrations *other, struct err *e);

#endif

/* What the modules of this room share. */
#ifndef READ_READ_H
#define READ_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "read/source.h"

/* Edits (insert, delete, replace, swap) between two short words. */
size_t word_distance(const char *a, const char *b);

/* "what: libgit2's own words". The one way in for its errors. */
int err_git(struct err *e, int rc, const char *what);

/* A migration with a reader of its own; text must outlive it. *line: where it
 * cannot be parsed. Settle again when the app label was mended. */
struct reader;
/* remarks.c: what its functions seem to do, from their text */
void migration_remark(struct migration *m, const char *text, size_t len);
int migration_parse(struct migration *out, struct reader *r, const char *app,
    const char *path, const char *dotted, const char *text, size_t len,
    uint32_t *line, struct err *e);
/* -1: the __init__.py of a folder of migrations is more than a mark. */
int init_parse(struct reader *r, const char *path, const char *dotted,
    const char *text, size_t len, uint32_t *line, struct err *e);
void migration_settle(struct migration *m);
/* given.c: what reading depends on beside the files */
sym given_scope(struct arena *a, sym root, const struct cfg_project *p);
sym path_dotted(struct arena *a, const char *path);

/* The bracket that has no partner, and its line; 0: all have; BRACKETS_DEEP:
 * nested so deeply that parsing would take long; BRACKETS_MANY: so many tokens
 * that it would take too much memory. */
#define BRACKETS_DEEP 'd'
#define BRACKETS_MANY 'm'
char bracket_wrong(const char *text, size_t len, uint32_t *line);

/* *out: the text with the ends of its lines as newlines. -1: Python would not
 * take it for UTF-8. */
int text_plain(const char **out, struct arena *a, const char *text,
    size_t len, bool *ascii, uint32_t *line, struct err *e);
/* -1: an identifier may be another one to Python. */
struct syntax;
int names_plain(const struct syntax *s, uint32_t *line, struct err *e);

/* A tree of files, whatever it is made of. */
struct source {
	const struct source_ops {
		int (*read)(struct source *s, struct strbuf *b,
		    const char *path, struct err *e);
		/* sorted; sizes are asked for only if `sizes`; links and
		 * submodules are among them only if not */
		int (*walk)(struct source *s, bool sizes,
		    int (*each)(void *ctx, const char *path, size_t size),
		    void *ctx, struct err *e);
		void (*free)(struct source *s);
		/* Blobs have ids in some; NULL in the others. 1, 0 or -1 as
		 * read; what walk is at has its id in s->id. */
		int (*id_of)(struct source *s, sym *id, struct arena *a,
		    const char *path, struct err *e);
		int (*read_id)(struct source *s, struct strbuf *b, sym id,
		    const char *path, struct err *e);
	} *ops;
	const char *id;		/* CACHE_ID bytes; NULL: none */
	bool link;		/* walk is at a link or a submodule */
	const char *cache;	/* the folder that keeps what was read; NULL */
};

/* place.c: what Django makes of a file, by its path. STRAY: nothing, unless the
 * settings say MIGRATION_MODULES; its text tells whether it is a migration. */
enum place { PLACE_NONE, PLACE_INIT, PLACE_FILE, PLACE_LINK, PLACE_COMPILED,
	PLACE_STRAY };
enum place place_of(const char *path, bool link);
bool blob_empty(const char *id);	/* of git's */
/* "" or "web/": where the project stands in its tree. */
sym root_prefix(struct arena *a, const struct cfg_project *p);

#define SOURCE_FILES_MAX 1000000u	/* a tree may be a bomb */
#define SOURCE_DEPTH_MAX 100

/* "a/b.py": relative, no empty part, no "." and no "..". */
bool path_plain(const char *path);
/* Folders that hold no code of the project's own. */
bool dir_skipped(const char *name, size_t len);

#endif

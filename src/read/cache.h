/* What was read before, by blob id: one file below the repository's own git
 * folder, a few generations in it. It is never needed: a file that is torn, of
 * another version, somebody else's or not there is an empty one. */
#ifndef READ_CACHE_H
#define READ_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "read/migration.h"
#include "read/source.h"

#define CACHE_ID 20		/* bytes of a blob's id */
#define CACHE_BYTES_MAX (16u << 20)
#define CACHE_PARTS_MAX 8u
#define CACHE_RECORD_MAX (256u << 10)

struct cache;

/* folder NULL: nothing is kept past this run.
 * scope: what else the reading depends on, as the project's root. */
struct cache *cache_open(const char *folder, const char *scope,
    struct arena *a);
/* The modules of each generation have to be as they were then: the caller
 * tells, once for each. */
uint32_t cache_parts(const struct cache *c);
uint32_t cache_needs(struct cache *c, uint32_t part,
    struct cache_need **out);
void cache_part_holds(struct cache *c, uint32_t part);

/* 1: *out is that migration. 0: the file has none. -1: not known. */
int cache_get(struct cache *c, struct migration **out, const char *path,
    const char *id);
/* m NULL: the file has none. It is looked at again by cache_write. */
void cache_put(struct cache *c, const char *path, const char *id,
    const struct migration *m);
/* Keeps what was put; needs: of all that is not `alone` in it. */
void cache_write(struct cache *c, const struct cache_need *needs, uint32_t n);
void cache_close(struct cache *c);
/* The same by pipe: all that was put and is `alone`, and its way back. */
void cache_send(struct cache *c, struct strbuf *out);
void cache_receive(struct cache *c, const struct strbuf *b);
uint64_t cache_sum(const void *p, size_t n, uint64_t h);

/* cache_code.c: a migration as bytes, and its strings by number */
struct cache_strings {
	struct arena *a;
	struct list(struct cache_string { const char *s; size_t n; }) v;
	uint32_t *slots, nslots;
};
struct cache_text {			/* the strings of a part of the file */
	const char *bytes;
	const unsigned char *offsets;	/* n + 1 of them */
	uint32_t n, size;
	sym *known;			/* interned so far */
	struct arena *a;
};
uint32_t cache_string(struct cache_strings *t, const char *s, size_t n);
void cache_strings_release(struct cache_strings *t);
/* NULL: there is no such string. */
sym cache_sym(struct cache_text *t, uint32_t i, size_t *n);
bool cache_encode(struct strbuf *b, struct cache_strings *t,
    const struct migration *m);
bool cache_decode(struct migration *out, struct cache_text *t,
    const unsigned char *p, size_t n);

#endif

#include "read/pool.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

#include "base/util.h"

#define BLOCK (256u << 10)
#define SMALL 64u		/* sizes in steps that have a list of their own */

struct piece {			/* its bytes follow */
	alignas(max_align_t) size_t size;
	struct piece *next;	/* of those given back */
};

struct block {
	struct block *next;
	alignas(max_align_t) unsigned char mem[];
};

/* The first block stays for the next parse. */
static struct {
	struct block *blocks;
	unsigned char *at, *end;
	struct piece *back[SMALL + 64];	/* given back, by size */
} pool;

/* The list for n bytes, which become so many as all in it have. */
static size_t
list_for(size_t *n)
{
	size_t steps = (*n + sizeof(struct piece) - 1) / sizeof(struct piece);

	if (steps < SMALL) {
		*n = steps * sizeof(struct piece);
		return steps;
	}
	unsigned bits = 64 - (unsigned)__builtin_clzll(*n - 1);
	*n = (size_t)1 << bits;
	return SMALL + bits;
}

static void
block_add(size_t n)
{
	size_t size = n > BLOCK ? n : BLOCK;
	struct block *b = xmalloc(sizeof(*b) + size);

	b->next = pool.blocks;
	pool.blocks = b;
	pool.at = b->mem;
	pool.end = b->mem + size;
}

static void *
pool_malloc(size_t n)
{
	size_t list = list_for(&n);
	struct piece *p = pool.back[list];

	if (p != NULL) {
		pool.back[list] = p->next;
		return p + 1;
	}
	if ((size_t)(pool.end - pool.at) < sizeof(*p) + n)
		block_add(sizeof(*p) + n);
	p = (struct piece *)(void *)pool.at;
	pool.at += sizeof(*p) + n;
	p->size = n;
	return p + 1;
}

static void *
pool_calloc(size_t n, size_t size)
{
	return memset(pool_malloc(n * size), 0, n * size);
}

static void
pool_free(void *mem)
{
	if (mem == NULL)
		return;
	struct piece *p = (struct piece *)mem - 1;
	size_t n = p->size, list = list_for(&n);

	p->next = pool.back[list];
	pool.back[list] = p;
}

static void *
pool_realloc(void *mem, size_t n)
{
	size_t was = mem != NULL ? ((struct piece *)mem - 1)->size : 0;

	if (mem != NULL && n <= was)
		return mem;
	void *more = pool_malloc(n);
	if (mem != NULL)
		memcpy(more, mem, was);
	pool_free(mem);
	return more;
}

void
pool_begin(void)
{
	if (pool.blocks == NULL)
		block_add(BLOCK);
	ts_set_allocator(pool_malloc, pool_calloc, pool_realloc, pool_free);
}

void
pool_end(void)
{
	while (pool.blocks->next != NULL) {
		struct block *next = pool.blocks->next;

		free(pool.blocks);
		pool.blocks = next;
	}
	pool.at = pool.blocks->mem;
	pool.end = pool.blocks->mem + BLOCK;
	memset(pool.back, 0, sizeof(pool.back));
}

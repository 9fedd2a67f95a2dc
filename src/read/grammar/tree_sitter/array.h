/* The growing array that the grammar's scanner keeps its indents in. */
#ifndef GRAMMAR_ARRAY_H
#define GRAMMAR_ARRAY_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "tree_sitter/alloc.h"

#define Array(T) struct { T *contents; uint32_t size, capacity; }

static inline void *
array_room(void *p, uint32_t *capacity, uint32_t want, size_t each)
{
	if (want <= *capacity)
		return p;
	uint32_t n = *capacity > 4 ? *capacity : 4;
	while (n < want)
		n *= 2;
	p = ts_realloc(p, n * each);
	if (p == NULL)
		abort();
	*capacity = n;
	return p;
}

#define array_init(a) \
	((a)->contents = NULL, (a)->size = 0, (a)->capacity = 0)
#define array_reserve(a, n) \
	((a)->contents = array_room((a)->contents, &(a)->capacity, (n), \
	    sizeof(*(a)->contents)))
#define array_push(a, x) \
	(array_reserve((a), (a)->size + 1), (a)->contents[(a)->size++] = (x))
#define array_get(a, i) (assert((uint32_t)(i) < (a)->size), &(a)->contents[i])
#define array_back(a) array_get((a), (a)->size - 1)
#define array_pop(a) ((a)->contents[--(a)->size])
#define array_clear(a) ((a)->size = 0)
#define array_delete(a) (ts_free((a)->contents), array_init(a))

#endif

/* Many small things with one life, and the names they share. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* An interned string: equal text in one arena is the same pointer, so names
 * are compared with ==. Compare across arenas with strcmp. */
typedef const char *sym;

struct arena;

struct arena *arena_new(void);
/* For what is soon thrown away; names are those of the other one, which has to
 * outlive it. */
struct arena *arena_scratch(struct arena *of);
void arena_free(struct arena *a);
/* Zeroed, aligned for anything; lives until arena_free. */
void *arena_alloc(struct arena *a, size_t n, size_t size);
#define arena_make(a, type) ((type *)arena_alloc((a), 1, sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), (n), sizeof(type)))
void *arena_copy(struct arena *a, const void *p, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *a);

sym sym_get(struct arena *a, const char *s);	/* NULL gives NULL */
sym sym_getn(struct arena *a, const char *s, size_t n);
sym sym_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
sym sym_lower(struct arena *a, const char *s);	/* ASCII */
/* One word for a shell that a person pastes into: bare where it is plain, in
 * '…', and what a terminal must not get in $'…'. */
sym sym_word(struct arena *a, const char *word);

/* A growing array in an arena: the old space is left behind on growth.
 *	struct list(struct op) ops = { 0 };
 *	struct op *o = list_add(a, &ops);	zeroed, at the end */
#define list(type) { type *v; uint32_t n, cap; }
#define list_add(a, l)							\
	((__typeof__((l)->v))list_grow((a), (void **)&(l)->v, &(l)->n,	\
	    &(l)->cap, sizeof(*(l)->v)))
void *list_grow(struct arena *a, void **v, uint32_t *n, uint32_t *cap,
    size_t size);

#endif

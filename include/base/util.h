/* Cleanup by scope, sizes, and the allocation that does not fail. */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* CLEANUP(git_tree_free) git_tree *tree = NULL; frees at the end of scope.
 * CLEANUP_FN(git_tree, git_tree_free) once in the file makes it known. */
#define CLEANUP(fn) __attribute__((cleanup(cleanup_##fn)))
#define CLEANUP_FN(type, fn)						\
	static inline void cleanup_##fn(type **p)			\
	{								\
		if (*p != NULL)						\
			fn(*p);						\
	}

/* The way out of a CLEANUP scope: gives the pointer and forgets it. */
#define take(p) __extension__ ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })

#define countof(a) (sizeof(a) / sizeof((a)[0]))

/* Out of memory ends the program with a message: there is no plan B. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);

/* NULL equals NULL only. Inline: names are compared all day, and most differ
 * in their pointers and first bytes already. */
static inline bool
streq(const char *a, const char *b)
{
	if (a == b)
		return true;
	return a != NULL && b != NULL && *a == *b && strcmp(a, b) == 0;
}

static inline bool
is_among(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(list[i], name))
			return true;
	return false;
}
#define AMONG(list, name) is_among(list, countof(list), name)
/* For tables in memory: it differs from machine to machine. */
static inline uint32_t
hash_bytes(const char *s, size_t n)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	uint64_t h = n * k, w;

	for (; n >= sizeof(w); n -= sizeof(w), s += sizeof(w)) {
		memcpy(&w, s, sizeof(w));
		h = (h ^ w) * k;
		h ^= h >> 29;
	}
	for (w = 0; n > 0; n--)
		w = w << 8 | (unsigned char)*s++;
	h = (h ^ w) * k;
	return (uint32_t)(h >> 32);
}
/* qsort; at once where all is in order already, as it mostly is. */
void sort_items(void *v, size_t n, size_t size,
    int (*cmp)(const void *, const void *));
static inline bool
starts_with(const char *s, const char *prefix)
{
	return *prefix == '\0' || (*s == *prefix &&
	    strncmp(s, prefix, strlen(prefix)) == 0);
}
bool ends_with(const char *s, const char *suffix);

#endif

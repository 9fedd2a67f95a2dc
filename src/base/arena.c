#include "base/arena.h"

#include <ctype.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"

#define BLOCK (64u << 10)

struct block {
	struct block *next;
	size_t used, size;
	alignas(max_align_t) unsigned char mem[];
};

struct name {			/* an interned string: hash, then its text */
	uint32_t hash, len;
	char text[];
};

struct arena {
	struct block *blocks;
	size_t total;
	struct arena *of;	/* whose names it shares; NULL: its own */
	struct name **names;	/* open addressing, a power of two */
	size_t nnames, slots;
};

struct arena *
arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

struct arena *
arena_scratch(struct arena *of)
{
	struct arena *a = arena_new();

	a->of = of->of != NULL ? of->of : of;
	return a;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	while (a->blocks != NULL) {
		struct block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	free(a->names);
	free(a);
}

static struct block *
block_new(struct arena *a, size_t n)
{
	size_t size = n > BLOCK / 4 ? n : BLOCK;
	struct block *b = xmalloc(sizeof(*b) + size);

	b->used = 0;
	b->size = size;
	a->total += size;
	if (a->blocks != NULL && n > BLOCK / 4) {
		/* a large one goes behind, so that the open block stays open */
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		b->next = a->blocks;
		a->blocks = b;
	}
	return b;
}

void *
arena_alloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
		bytes = SIZE_MAX / 2;	/* xmalloc says so and ends */
	bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct block *b = a->blocks;
	if (b == NULL || b->size - b->used < bytes)
		b = block_new(a, bytes);
	void *p = b->mem + b->used;
	b->used += bytes;
	memset(p, 0, bytes);
	return p;
}

void *
arena_copy(struct arena *a, const void *p, size_t n)
{
	void *q = arena_alloc(a, n, 1);

	if (n > 0)
		memcpy(q, p, n);
	return q;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_copy(a, s, strlen(s) + 1);
}

static char * __attribute__((format(printf, 2, 0)))
vprint(struct arena *a, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;

	va_copy(again, ap);
	int n = text_printf(small, sizeof(small), fmt, ap);
	char *s = arena_alloc(a, (size_t)n + 1, 1);
	if ((size_t)n < sizeof(small))
		memcpy(s, small, (size_t)n + 1);
	else
		vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = vprint(a, fmt, ap);
	va_end(ap);
	return s;
}

size_t
arena_used(const struct arena *a)
{
	return a->total + a->slots * sizeof(*a->names);
}

static void
names_grow(struct arena *a)
{
	size_t slots = a->slots > 0 ? a->slots * 2 : 1024;
	struct name **names = xcalloc(slots, sizeof(*names));

	for (size_t i = 0; i < a->slots; i++) {
		if (a->names[i] == NULL)
			continue;
		size_t k = a->names[i]->hash & (slots - 1);
		while (names[k] != NULL)
			k = (k + 1) & (slots - 1);
		names[k] = a->names[i];
	}
	free(a->names);
	a->names = names;
	a->slots = slots;
}

sym
sym_getn(struct arena *a, const char *s, size_t n)
{
	uint32_t h = hash_bytes(s, n);

	a = a->of != NULL ? a->of : a;
	if ((a->nnames + 1) * 4 > a->slots * 3)
		names_grow(a);
	size_t k = h & (a->slots - 1);
	for (; a->names[k] != NULL; k = (k + 1) & (a->slots - 1))
		if (a->names[k]->hash == h && a->names[k]->len == n &&
		    memcmp(a->names[k]->text, s, n) == 0)
			return a->names[k]->text;
	struct name *m = arena_alloc(a, 1, sizeof(*m) + n + 1);
	m->hash = h;
	m->len = (uint32_t)n;
	memcpy(m->text, s, n);
	a->names[k] = m;
	a->nnames++;
	return m->text;
}

sym
sym_get(struct arena *a, const char *s)
{
	return s != NULL ? sym_getn(a, s, strlen(s)) : NULL;
}

sym
sym_printf(struct arena *a, const char *fmt, ...)
{
	char small[256];		/* nearly all of them fit */
	va_list ap;

	va_start(ap, fmt);
	int n = text_printf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(small))
		return sym_getn(a, small, (size_t)n);
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	va_start(ap, fmt);
	strbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	return sym_getn(a, b.s, b.len);
}

sym
sym_word(struct arena *a, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
	struct strbuf clean STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (*word != '\0' && word[strspn(word, plain)] == '\0')
		return sym_get(a, word);
	strbuf_clean(&clean, word, strlen(word), false);
	bool odd = !streq(clean.s, word);
	strbuf_str(&b, odd ? "$'" : "'");
	for (; *word != '\0'; word++)
		if (odd && (*word < ' ' || *word >= 0x7f))
			strbuf_printf(&b, "\\%03o", (unsigned char)*word);
		else if (odd && strchr("'\\", *word) != NULL)
			strbuf_printf(&b, "\\%c", *word);
		else if (*word == '\'')
			strbuf_str(&b, "'\\''");
		else
			strbuf_char(&b, *word);
	strbuf_char(&b, '\'');
	return sym_get(a, b.s);
}

sym
sym_lower(struct arena *a, const char *s)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (; *s != '\0'; s++)
		strbuf_char(&b, *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s);
	return sym_getn(a, b.s, b.len);
}

void *
list_grow(struct arena *a, void **v, uint32_t *n, uint32_t *cap, size_t size)
{
	if (*n == *cap) {
		/* of large things there are mostly few */
		uint32_t more = *cap > 0 ? *cap * 2 : size < 64 ? 8 : 2;
		void *p = arena_alloc(a, more, size);

		if (*n > 0)
			memcpy(p, *v, *n * size);
		*v = p;
		*cap = more;
	}
	return (unsigned char *)*v + (*n)++ * size;
}

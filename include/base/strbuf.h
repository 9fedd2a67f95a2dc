/* A byte string that grows up to a hard maximum; always NUL-terminated. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
	char *s;		/* never NULL: "" when empty */
	size_t len, cap, max;
	bool over;		/* something did not fit and was left out */
};

extern char strbuf_empty[1];
#define STRBUF_MAX (64u << 20)
#define STRBUF_INIT { strbuf_empty, 0, 0, STRBUF_MAX, false }
#define STRBUF_LIMIT(n) { strbuf_empty, 0, 0, (n), false }
/* struct strbuf b SCOPED = STRBUF_INIT; */
#define STRBUF_SCOPED __attribute__((cleanup(strbuf_release)))

void strbuf_release(struct strbuf *b);
void strbuf_reset(struct strbuf *b);
void strbuf_add(struct strbuf *b, const void *p, size_t n);
void strbuf_str(struct strbuf *b, const char *s);
static inline void
strbuf_char(struct strbuf *b, char c)
{
	if (b->len + 1 >= b->cap || b->len >= b->max) {
		strbuf_add(b, &c, 1);
		return;
	}
	b->s[b->len++] = c;
	b->s[b->len] = '\0';
}
void strbuf_printf(struct strbuf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* vsnprintf; ten times as fast where only %s, %.*s and %lld stand in fmt. */
int text_printf(char *out, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
void strbuf_cut(struct strbuf *b, size_t len);	/* shorten to len */
void strbuf_drop(struct strbuf *b, size_t n);	/* drop n from the front */
char *strbuf_take(struct strbuf *b);		/* malloc'd; b is empty again */
/* Text from outside, fit for a terminal: control characters become '?',
 * bytes that are not UTF-8 too; newline and tab stay if `lines`. */
void strbuf_clean(struct strbuf *b, const char *s, size_t n, bool lines);

#endif

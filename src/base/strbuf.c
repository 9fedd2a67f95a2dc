#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

char strbuf_empty[1];

void
strbuf_release(struct strbuf *b)
{
	if (b->cap > 0)
		free(b->s);
	b->s = strbuf_empty;
	b->len = b->cap = 0;
	b->over = false;
}

void
strbuf_reset(struct strbuf *b)
{
	strbuf_cut(b, 0);
	b->over = false;
}

/* How many of n more bytes fit; there is room for that many afterwards. */
static size_t
grow(struct strbuf *b, size_t n)
{
	size_t room = b->max > b->len ? b->max - b->len : 0;

	if (n > room) {
		b->over = true;
		n = room;
	}
	if (n > 0 && b->len + n + 1 > b->cap) {
		size_t cap = b->cap > 0 ? b->cap : 64;

		while (cap < b->len + n + 1)
			cap *= 2;
		b->s = xrealloc(b->cap > 0 ? b->s : NULL, cap, 1);
		b->cap = cap;
	}
	return n;
}

void
strbuf_add(struct strbuf *b, const void *p, size_t n)
{
	n = grow(b, n);
	if (n == 0)
		return;
	memcpy(b->s + b->len, p, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void
strbuf_str(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

/* A number's text, which ends at end. */
static const char *
digits(char *end, long long i)
{
	unsigned long long u = i < 0 ? 0 - (unsigned long long)i :
	    (unsigned long long)i;

	do
		*--end = (char)('0' + u % 10);
	while ((u /= 10) > 0);
	if (i < 0)
		*--end = '-';
	return end;
}

/* As snprintf, where %s, %.*s and %lld are all that stands in fmt and it fits;
 * else -1. */
static int
join(char *out, size_t size, const char *fmt, va_list ap)
{
	size_t n = 0;

	for (; *fmt != '\0'; fmt++) {
		const char *s = fmt;
		char number[24];
		size_t len = 1;

		if (*fmt != '%') {
			;
		} else if (fmt[1] == 's') {
			s = va_arg(ap, const char *);
			len = s != NULL ? strlen(s) : size;
			fmt += 1;
		} else if (starts_with(fmt, "%.*s")) {
			int most = va_arg(ap, int);
			s = va_arg(ap, const char *);
			if (s == NULL || most < 0)
				return -1;
			/* libpg_query has a strnlen, and would be linked */
			const char *end = memchr(s, '\0', (size_t)most);
			len = end != NULL ? (size_t)(end - s) : (size_t)most;
			fmt += 3;
		} else if (starts_with(fmt, "%lld")) {
			s = digits(number + sizeof(number), va_arg(ap, long long));
			len = (size_t)(number + sizeof(number) - s);
			fmt += 3;
		} else {
			return -1;
		}
		if (len >= size - n)
			return -1;
		memcpy(out + n, s, len);
		n += len;
	}
	out[n] = '\0';
	return (int)n;
}

int
text_printf(char *out, size_t size, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = join(out, size, fmt, ap);
	if (n < 0)
		n = vsnprintf(out, size, fmt, again);
	va_end(again);
	return n;
}

void
strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;

	char small[256];		/* nearly all of it fits */

	va_copy(again, ap);
	int n = text_printf(small, sizeof(small), fmt, ap);
	if (n > 0 && (size_t)n < sizeof(small)) {
		strbuf_add(b, small, (size_t)n);
	} else if (n > 0) {
		char *text = xmalloc((size_t)n + 1);

		vsnprintf(text, (size_t)n + 1, fmt, again);
		strbuf_add(b, text, (size_t)n);
		free(text);
	}
	va_end(again);
}

void
strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(b, fmt, ap);
	va_end(ap);
}

void
strbuf_cut(struct strbuf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->s[len] = '\0';
}

void
strbuf_drop(struct strbuf *b, size_t n)
{
	if (n >= b->len) {
		strbuf_cut(b, 0);
		return;
	}
	memmove(b->s, b->s + n, b->len - n + 1);
	b->len -= n;
}

char *
strbuf_take(struct strbuf *b)
{
	char *s = b->cap > 0 ? b->s : xstrdup("");

	b->s = strbuf_empty;
	b->len = b->cap = 0;
	b->over = false;
	return s;
}

/* Length of the valid UTF-8 character at s, 0 if it is none. */
static size_t
utf8_len(const unsigned char *s, size_t n)
{
	static const struct { unsigned char lo, hi; size_t len; uint32_t min; }
	    leads[] = {
		{ 0xc2, 0xdf, 2, 0x80 }, { 0xe0, 0xef, 3, 0x800 },
		{ 0xf0, 0xf4, 4, 0x10000 },
	};

	for (size_t i = 0; i < countof(leads); i++) {
		if (s[0] < leads[i].lo || s[0] > leads[i].hi)
			continue;
		if (leads[i].len > n)
			return 0;
		uint32_t c = s[0] & (0x7fu >> leads[i].len);
		for (size_t k = 1; k < leads[i].len; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[k] & 0x3fu);
		}
		bool bad = c < leads[i].min || c > 0x10ffff ||
		    (c >= 0xd800 && c <= 0xdfff) || (c >= 0x80 && c < 0xa0) ||
		    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
		return bad ? 0 : leads[i].len;
	}
	return 0;
}

void
strbuf_clean(struct strbuf *b, const char *s, size_t n, bool lines)
{
	const unsigned char *u = (const unsigned char *)s;

	for (size_t i = 0; i < n;) {
		size_t k = 0;

		while (i + k < n && u[i + k] >= 0x20 && u[i + k] < 0x7f)
			k++;
		strbuf_add(b, s + i, k);
		i += k;
		if (i == n)
			break;
		k = u[i] >= 0x80 ? utf8_len(u + i, n - i) : 1;
		bool plain = u[i] >= 0x20 && u[i] != 0x7f;
		if (lines && (u[i] == '\n' || u[i] == '\t'))
			plain = true;
		if (k == 0 || !plain) {
			strbuf_char(b, '?');
			i++;
			continue;
		}
		strbuf_add(b, s + i, k);
		i += k;
	}
}

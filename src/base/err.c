#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts an incomplete UTF-8 sequence that truncation left at the end. */
static void
cut_char(char *s)
{
	size_t n = strlen(s);
	size_t k = n;

	while (k > 0 && n - k < 4 && ((unsigned char)s[k - 1] & 0xc0) == 0x80)
		k--;
	if (k == 0 || (unsigned char)s[k - 1] < 0xc0)
		return;
	unsigned char lead = (unsigned char)s[k - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (n - (k - 1) < want)
		s[k - 1] = '\0';
}

static void __attribute__((format(printf, 3, 0)))
set(struct err *e, enum err_kind kind, const char *fmt, va_list ap)
{
	char text[sizeof(e->msg)];	/* fmt's arguments may be e->msg */

	vsnprintf(text, sizeof(text), fmt, ap);
	cut_char(text);
	memcpy(e->msg, text, sizeof(text));
	e->kind = kind;
}

int
err_set(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, ERR_TROUBLE, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_kind(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, kind, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	set(e, ERR_TROUBLE, fmt, ap);
	va_end(ap);
	return err_set(e, "%s: %s", e->msg, strerror(saved));
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	enum err_kind kind = e->kind;
	char inner[sizeof(e->msg)];
	va_list ap;

	memcpy(inner, e->msg, sizeof(inner));
	va_start(ap, fmt);
	set(e, kind, fmt, ap);
	va_end(ap);
	return err_kind(e, kind, "%s: %s", e->msg, inner);
}

void
err_clear(struct err *e)
{
	e->kind = ERR_NONE;
	e->msg[0] = '\0';
}

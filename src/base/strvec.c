#include "base/strvec.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"

void
strvec_release(struct strvec *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i]);
	free(v->v);
	v->v = NULL;
	v->n = v->cap = 0;
}

static void
push(struct strvec *v, char *owned)
{
	if (v->n + 2 > v->cap) {
		v->cap = v->cap > 0 ? v->cap * 2 : 8;
		v->v = xrealloc(v->v, v->cap, sizeof(*v->v));
	}
	v->v[v->n++] = owned;
	v->v[v->n] = NULL;
}

void
strvec_push(struct strvec *v, const char *s)
{
	push(v, xstrdup(s));
}

void
strvec_pushf(struct strvec *v, const char *fmt, ...)
{
	struct strbuf b = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	push(v, strbuf_take(&b));
}

void
strvec_pushl(struct strvec *v, ...)
{
	va_list ap;
	const char *s;

	va_start(ap, v);
	while ((s = va_arg(ap, const char *)) != NULL)
		strvec_push(v, s);
	va_end(ap);
}

/* One word from *p on into b; false: an open quote. */
static bool
word(struct strbuf *b, const char **p)
{
	char quote = '\0';

	for (; **p != '\0'; (*p)++) {
		char c = **p;

		if (quote == '\0' && strchr(" \t\n", c) != NULL)
			break;
		if (quote == '\0' && (c == '\'' || c == '"'))
			quote = c;
		else if (c == quote)
			quote = '\0';
		else if (c == '\\' && quote != '\'' && (*p)[1] != '\0')
			strbuf_char(b, *++*p);
		else
			strbuf_char(b, c);
	}
	return quote == '\0';
}

int
strvec_split(struct strvec *v, const char *words)
{
	const char *p = words;

	for (;;) {
		p += strspn(p, " \t\n");
		if (*p == '\0')
			return 0;
		struct strbuf b = STRBUF_INIT;
		bool closed = word(&b, &p);
		push(v, strbuf_take(&b));
		if (!closed)
			return -1;
	}
}

/* Strings and numbers as they are spelt. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "read/module.h"

struct spelling {
	bool raw, bytes, format;
	bool lost;		/* a character that is not known here */
};

static void
add_utf8(struct strbuf *b, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c < 0x80) {
		strbuf_char(b, (char)c);
	} else if (c < 0x800) {
		strbuf_char(b, (char)(0xc0 | c >> 6));
		strbuf_char(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		strbuf_char(b, (char)(0xe0 | c >> 12));
		strbuf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_char(b, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_char(b, (char)(0xf0 | c >> 18));
		strbuf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_char(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* Up to n hexadecimal digits; gives how many there were. */
static size_t
hex_digits(const char *s, const char *end, size_t n, uint32_t *out)
{
	size_t i = 0;

	*out = 0;
	for (; i < n && s + i < end && isxdigit((unsigned char)s[i]); i++) {
		char c = (char)tolower((unsigned char)s[i]);
		*out = *out * 16 +
		    (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return i;
}

/* The escape at s (after its backslash); gives where it ends. */
static const char *
escape(struct strbuf *b, struct spelling *sp, const char *s,
    const char *end)
{
	static const char from[] = "\\'\"abfnrtv";
	static const char to[] = "\\'\"\a\b\f\n\r\t\v";
	const char *plain = *s != '\0' ? strchr(from, *s) : NULL;
	uint32_t c = 0;

	if (plain != NULL) {
		strbuf_char(b, to[plain - from]);
		return s + 1;
	}
	if (*s == '\n')
		return s + 1;
	if (*s == '\r')
		return s + 1 + (s + 1 < end && s[1] == '\n');
	if (*s >= '0' && *s <= '7') {
		int n = 0;
		for (; n < 3 && s < end && *s >= '0' && *s <= '7'; n++)
			c = c * 8 + (uint32_t)(*s++ - '0');
	} else if (*s == 'x') {
		s += 1 + hex_digits(s + 1, end, 2, &c);
	} else if (!sp->bytes && (*s == 'u' || *s == 'U')) {
		s += 1 + hex_digits(s + 1, end, *s == 'u' ? 4 : 8, &c);
	} else if (!sp->bytes && *s == 'N' && s + 1 < end && s[1] == '{') {
		const char *close = memchr(s, '}', (size_t)(end - s));
		s = close != NULL ? close + 1 : end;
		c = 0xfffd;
		sp->lost = true;
	} else {
		strbuf_char(b, '\\');
		strbuf_char(b, *s);
		return s + 1;
	}
	sp->lost |= c > 0x10ffff || (c >= 0xd800 && c < 0xe000);
	if (sp->bytes)
		strbuf_char(b, (char)c);
	else
		add_utf8(b, c);
	return s;
}

static void
decode(struct strbuf *b, struct spelling *sp, const char *s,
    const char *end)
{
	while (s < end) {
		if (*s == '\\' && !sp->raw && s + 1 < end) {
			s = escape(b, sp, s + 1, end);
		} else if (*s == '\r') {
			strbuf_char(b, '\n');
			s += 1 + (s + 1 < end && s[1] == '\n');
		} else if (sp->format && (*s == '{' || *s == '}') &&
		    s + 1 < end && s[1] == *s) {
			strbuf_char(b, *s);
			s += 2;
		} else {
			size_t n = 1;
			while (s + n < end && strchr("\\\r{}", s[n]) == NULL)
				n++;
			strbuf_add(b, s, n);
			s += n;
		}
	}
}

/* {expression}: false where it is not a plain constant. */
static bool
interpolate(struct reader *r, struct scope *s, struct strbuf *b,
    uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t what = node_field(y, node, F_EXPRESSION);

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c))
		if (y->v[c].kind == N_FORMAT || y->v[c].kind == N_CONVERSION)
			return false;
	return what != 0 && text_of(b, eval_force(r, eval(r, s, what)));
}

const struct value *
eval_string(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	const char *p = y->text + y->v[node].start;
	const char *end = y->text + y->v[node].end;
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(SYNTAX_BYTES_MAX * 2);
	struct spelling sp = { 0 };

	for (; p < end && isalpha((unsigned char)*p); p++) {
		sp.raw |= *p == 'r' || *p == 'R';
		sp.bytes |= *p == 'b' || *p == 'B';
		sp.format |= *p == 'f' || *p == 'F';
	}
	size_t q = end - p >= 6 && p[0] == p[1] && p[1] == p[2] ? 3 : 1;
	if ((size_t)(end - p) < 2 * q)
		return value_opaque_new(r, s, node, "a string");
	p += q;
	end -= q;
	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		if (y->v[c].kind != N_INTERPOLATION)
			continue;
		decode(&b, &sp, p, y->text + y->v[c].start);
		if (!interpolate(r, s, &b, c))
			return value_opaque_new(r, s, node,
			    "an f-string of what is not constant");
		p = y->text + y->v[c].end;
	}
	decode(&b, &sp, p, end);
	if (b.over || sp.lost)
		return value_opaque_new(r, s, node, b.over ? "too large" :
		    "a character by its name");
	return value_text(r, sp.bytes ? VALUE_BYTES : VALUE_STR, b.s, b.len,
	    y->v[node].line);
}

const struct value *
eval_number(struct reader *r, struct scope *s, uint32_t node)
{
	const struct node *n = &s->m->syn.v[node];
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(65536);
	int base = 10;
	char *end;

	for (uint32_t i = n->start; i < n->end; i++)
		if (s->m->syn.text[i] != '_')
			strbuf_char(&b, s->m->syn.text[i]);
	const char *t = b.s;
	if (t[0] == '0' && t[1] != '\0' && strchr("xXoObB", t[1]) != NULL) {
		base = strchr("xX", t[1]) != NULL ? 16 :
		    strchr("oO", t[1]) != NULL ? 8 : 2;
		t += 2;
	}
	errno = 0;
	long long i = strtoll(t, &end, base);
	if (n->kind == N_INTEGER && errno == 0 && end != t && *end == '\0')
		return value_int_new(r, i, n->line);
	return value_text(r, n->kind == N_INTEGER && *end == '\0' ?
	    VALUE_INT : VALUE_FLOAT, b.s, b.len, n->line);
}

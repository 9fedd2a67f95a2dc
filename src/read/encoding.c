/* The bytes of a Python file, as Python takes them: their encoding, the ends
 * of their lines, and identifiers that are other ones to it. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/read.h"
#include "read/syntax.h"

/* One character of UTF-8; 0: not one. */
static size_t
utf8(const unsigned char *s, size_t len, uint32_t *out)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 :
	    s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	*out = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*out = *out << 6 | (s[i] & 0x3fu);
	}
	if ((n == 3 && (*out < 0x800 || (*out & 0xf800) == 0xd800)) ||
	    (n == 4 && (*out < 0x10000 || *out > 0x10ffff)))
		return 0;
	return n;
}

/* The name after "coding:" in a comment line; 0 bytes: there is none. */
static size_t
cookie(const char *line, size_t len, const char **name)
{
	size_t i = 0;

	while (i < len && (line[i] == ' ' || line[i] == '\t' ||
	    line[i] == '\f'))
		i++;
	if (i == len || line[i] != '#')
		return 0;
	for (; i + 7 < len; i++) {
		if (memcmp(line + i, "coding", 6) != 0 ||
		    (line[i + 6] != ':' && line[i + 6] != '='))
			continue;
		i += 7;
		while (i < len && (line[i] == ' ' || line[i] == '\t'))
			i++;
		size_t n = 0;
		while (i + n < len && (isalnum((unsigned char)line[i + n]) ||
		    strchr("-_.", line[i + n]) != NULL))
			n++;
		*name = line + i;
		return n;
	}
	return 0;
}

static bool
encoding_read(const char *name, size_t n, bool ascii)
{
	static const char *const always[] = { "utf-8", "utf8", "u8", "ascii",
	    "us-ascii", "utf-8-unix", "utf-8-sig" };
	static const char *const plain[] = { "latin-1", "latin1",
	    "iso-8859-1", "iso-latin-1", "iso-8859-15", "cp1252" };
	char low[32] = "";

	if (n >= sizeof(low))
		return false;
	for (size_t i = 0; i < n; i++)
		low[i] = name[i] == '_' ? '-' :
		    (char)tolower((unsigned char)name[i]);
	for (size_t i = 0; i < countof(always); i++)
		if (streq(always[i], low))
			return true;
	for (size_t i = 0; i < countof(plain); i++)
		if (ascii && streq(plain[i], low))
			return true;
	return false;
}

/* PEP 263: a comment in the first line, or in the second one after nothing
 * but a comment. */
static int
check_cookie(const char *text, size_t len, bool ascii, uint32_t *line,
    struct err *e)
{
	const char *end = text + len;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	for (uint32_t k = 1; k <= 2 && text < end; k++) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = nl != NULL ? (size_t)(nl - text) :
		    (size_t)(end - text), blank = 0;
		const char *name = "";
		size_t got = cookie(text, n, &name);
		if (got > 0 && !encoding_read(name, got, ascii)) {
			*line = k;
			return err_set(e, "written in the encoding '%.*s', "
			    "which is not read", (int)(got < 40 ? got : 40),
			    name);
		}
		while (blank < n && strchr(" \t\f\r", text[blank]) != NULL)
			blank++;
		if (got > 0 || nl == NULL || (blank < n && text[blank] != '#'))
			break;
		text = nl + 1;
	}
	return 0;
}

/* ASCII, with no NUL and no carriage return, so already as Python takes it? */
static bool
is_simple(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80 && memchr(text, '\r', len) == NULL &&
	    memchr(text, '\0', len) == NULL;
}

int
text_plain(const char **out, struct arena *a, const char *text, size_t len,
    bool *ascii, uint32_t *line, struct err *e)
{
	char *mended = NULL;
	uint32_t at = 1, c;

	*ascii = true;
	for (size_t i = is_simple(text, len) ? len : 0; i < len; ) {
		size_t n = utf8((const unsigned char *)text + i, len - i, &c);
		if (n == 0 || c == 0) {
			*line = at;
			return err_set(e, n == 0 ? "not UTF-8" :
			    "holds a NUL byte");
		}
		*ascii &= n == 1;
		if (c == '\r' && (i + 1 == len || text[i + 1] != '\n')) {
			if (mended == NULL)
				mended = memcpy(arena_alloc(a, len + 1, 1),
				    text, len);
			mended[i] = '\n';
			at++;
		}
		at += c == '\n';
		i += n;
	}
	*out = mended != NULL ? mended : text;
	return check_cookie(*out, len, *ascii, line, e);
}

/* Is a character the same to Python, which compares identifiers by NFKC? */
static bool
is_stable(uint32_t c)
{
	static const struct { uint32_t from, to; } same[] = {
		{ 0, 0x7f }, { 0xc0, 0x131 }, { 0x134, 0x13e },
		{ 0x141, 0x148 }, { 0x14a, 0x17e }, { 0x180, 0x1c3 },
		{ 0x1cd, 0x1f0 }, { 0x1f4, 0x24f }, { 0x388, 0x3ce },
		{ 0x400, 0x482 }, { 0x48a, 0x52f }, { 0x531, 0x556 },
		{ 0x561, 0x586 }, { 0x5d0, 0x5ea }, { 0x621, 0x64a },
		{ 0x3041, 0x3096 }, { 0x30a1, 0x30fa }, { 0x4e00, 0x9fff },
		{ 0xac00, 0xd7a3 },
	};

	for (size_t i = 0; i < countof(same); i++)
		if (c >= same[i].from && c <= same[i].to)
			return true;
	return false;
}

int
names_plain(const struct syntax *s, uint32_t *line, struct err *e)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct node *n = &s->v[i];
		uint32_t c = 0;
		if (n->kind != N_IDENTIFIER)
			continue;
		for (size_t k = n->start, w = 1; k < n->end && w > 0; k += w) {
			w = utf8((const unsigned char *)s->text + k,
			    n->end - k, &c);
			if (w > 0 && is_stable(c))
				continue;
			*line = n->line;
			return err_set(e, "the name '%.*s' may be another one "
			    "to Python, which normalizes it",
			    (int)(n->end - n->start < 60 ?
			    n->end - n->start : 60), s->text + n->start);
		}
	}
	return 0;
}

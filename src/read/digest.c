#include "read/digest.h"

#include <ctype.h>
#include <string.h>

#include "base/hex.h"
#include "base/strbuf.h"
#include "base/util.h"

#define INDENTS 100

struct scan {
	struct arena *a;
	struct tag *t;
	const char *text;
	size_t len, i;
	uint32_t line;
	const struct span *skip;
	uint32_t nskip, at;
	int open;			/* brackets */
	bool comma, fresh;		/* a comma not told yet; a new line */
	size_t indents[INDENTS];
	int nindents;
	struct strbuf b, string;	/* what is digested, and a part of it */
};

/* A person's line counts for more than the machine's; two of a person that
 * differ are a mistake. */
static void
found_tag(struct scan *s, const char *line, size_t len, uint32_t lineno)
{
	struct tag t;

	tag_parse(&t, s->a, line, len, lineno);
	if (t.source == TAG_NONE || (t.source == TAG_AUTO &&
	    s->t->source != TAG_NONE))
		return;
	if (s->t->source == TAG_PERSON) {
		if (s->t->wrong == NULL)
			s->t->wrong = sym_printf(s->a,
			    "a second tag on line %u", lineno);
		return;
	}
	*s->t = t;
}

static bool
skipped(struct scan *s)
{
	while (s->at < s->nskip && s->i >= s->skip[s->at].end)
		s->at++;
	return s->at < s->nskip && s->i >= s->skip[s->at].start;
}

static void
told(struct scan *s, const char *p, size_t n)
{
	if (skipped(s)) {
		s->comma = false;
		return;
	}
	if (s->comma && !(n == 1 && strchr(")]}", *p) != NULL))
		strbuf_str(&s->b, ",\n");
	s->comma = false;
	strbuf_add(&s->b, p, n);
	strbuf_char(&s->b, '\n');
}

/* Depth of a line that begins a statement, as a change of level. */
static void
indent(struct scan *s, size_t column)
{
	while (s->nindents > 0 && s->indents[s->nindents - 1] > column) {
		s->nindents--;
		strbuf_str(&s->b, "<\n");
	}
	if (column > (s->nindents > 0 ? s->indents[s->nindents - 1] : 0) &&
	    s->nindents < INDENTS) {
		s->indents[s->nindents++] = column;
		strbuf_str(&s->b, ">\n");
	}
}

static void
comment(struct scan *s)
{
	const char *p = s->text + s->i;
	const char *nl = memchr(p, '\n', s->len - s->i);
	size_t n = nl != NULL ? (size_t)(nl - p) : s->len - s->i;

	found_tag(s, p, n, s->line);
	s->i += n;
}

/* A string's own bytes without its quotes; a line of SQL that is a tag is
 * taken as one. */
static void
string_body(struct scan *s, const char *p, size_t n, uint32_t line)
{
	struct strbuf *b = &s->string;

	strbuf_reset(b);
	strbuf_char(b, '"');
	for (size_t i = 0; i < n; line++) {
		const char *nl = memchr(p + i, '\n', n - i);
		size_t k = nl != NULL ? (size_t)(nl - p) - i : n - i;
		size_t w = 0;
		while (w < k && (p[i + w] == ' ' || p[i + w] == '\t'))
			w++;
		if (k - w > 10 && memcmp(p + i + w, "-- sluice:", 10) == 0) {
			found_tag(s, p + i + w, k - w, line);
		} else {
			for (size_t j = i; j < i + k; j++)
				if (p[j] != '\r' && !(p[j] == '\\' &&
				    j + 1 < n && (p[j + 1] == '"' ||
				    p[j + 1] == '\'')))
					strbuf_char(b, p[j]);
			if (nl != NULL)
				strbuf_char(b, '\n');
		}
		i += k + (nl != NULL);
	}
	told(s, b->s, b->len);
}

static void
string(struct scan *s)
{
	const char *p = s->text + s->i, *end = s->text + s->len;
	char q = *p;
	size_t k = end - p >= 3 && p[1] == q && p[2] == q ? 3 : 1;
	const char *from = p + k;
	uint32_t line = s->line;

	for (p = from; p < end; p++) {
		if (*p == '\\' && p + 1 < end) {
			p++;
			s->line += *p == '\n';
			continue;
		}
		if (*p == '\n') {
			s->line++;
			if (k == 1)
				break;
		}
		if (*p == q && (k == 1 || (end - p >= 3 && p[1] == q &&
		    p[2] == q)))
			break;
	}
	size_t after = (size_t)(p - s->text) + (p < end ? k : 0);
	string_body(s, from, (size_t)(p - from), line);
	s->i = after < s->len ? after : s->len;
}

static bool
word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (c & 0x80) != 0;
}

static void
word(struct scan *s)
{
	size_t n = 0;

	while (s->i + n < s->len && word_char(s->text[s->i + n]))
		n++;
	const char *p = s->text + s->i;
	bool quote = n <= 2 && s->i + n < s->len &&
	    (p[n] == '"' || p[n] == '\'');
	if (!quote || (*p != 'u' && *p != 'U'))
		told(s, p, n);
	s->i += n;
	if (quote)
		string(s);
}

static void
mark(struct scan *s)
{
	char c = s->text[s->i];

	s->open += strchr("([{", c) != NULL;
	s->open -= strchr(")]}", c) != NULL && s->open > 0;
	if (c == ',' && !skipped(s)) {
		if (s->comma)
			strbuf_str(&s->b, ",\n");
		s->comma = true;
	} else {
		told(s, &c, 1);
	}
	s->i++;
}

static void
newline(struct scan *s)
{
	s->i++;
	s->line++;
	if (s->open == 0)
		s->fresh = true;
}

/* At the first byte of a token that begins a statement's line. */
static void
statement(struct scan *s)
{
	size_t start = s->i, column = 0;

	while (start > 0 && s->text[start - 1] != '\n')
		start--;
	for (size_t i = start; i < s->i; i++)
		column += s->text[i] == '\t' ? 8 - column % 8 : 1;
	s->fresh = false;
	if (s->comma)
		strbuf_str(&s->b, ",\n");
	s->comma = false;
	if (!skipped(s)) {
		strbuf_str(&s->b, ";\n");
		indent(s, column);
	}
}

void
digest_read(char out[17], struct tag *t, struct arena *a, const char *text,
    size_t len, const struct span *skip, uint32_t n)
{
	struct scan s = { .a = a, .t = t, .text = text, .len = len,
	    .line = 1, .skip = skip, .nskip = n, .fresh = true,
	    .b = STRBUF_INIT, .string = STRBUF_INIT };
	char hex[65];

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.i = 3;
	while (s.i < s.len) {
		char c = text[s.i];
		if (c == '\n') {
			newline(&s);
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' ||
		    c == '\\' || c == '\0') {
			s.i++;
		} else if (c == '#') {
			comment(&s);
		} else {
			if (s.fresh)
				statement(&s);
			if (word_char(c))
				word(&s);
			else if (c == '"' || c == '\'')
				string(&s);
			else
				mark(&s);
		}
	}
	sha256_hex(hex, s.b.s, s.b.len);
	memcpy(out, hex, 16);
	out[16] = '\0';
	strbuf_release(&s.b);
	strbuf_release(&s.string);
}

#include "gate/tagline.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define REASON_MAX 160

CLEANUP_FN(struct arena, arena_free)

/* One line without control characters, cut at a character. */
static void
reason_add(struct strbuf *b, const char *text)
{
	size_t from = b->len;

	strbuf_clean(b, text, strlen(text), false);
	if (b->len - from <= REASON_MAX)
		return;
	size_t at = from + REASON_MAX;
	while (at > from && ((unsigned char)b->s[at] & 0xc0) == 0x80)
		at--;
	strbuf_cut(b, at);
	strbuf_str(b, "...");
}

void
tagline_make(struct strbuf *b, const struct verdict *v)
{
	if (v->opaque || v->refused != NULL ||
	    (v->phase != FWD_SAFE && v->phase != FWD_UNSAFE))
		return;
	bool safe = v->phase == FWD_SAFE;
	const struct reason *r = findings_first(safe ? &v->b : &v->a);
	strbuf_printf(b, "# sluice: %s auto -- ", safe ? "safe" : "unsafe");
	if (v->pulled != NULL && (!safe || v->removes))
		reason_add(b, v->pulled);
	else if (v->forward == FWD_EITHER && !safe && !v->removes &&
	    v->drops == NULL && r != NULL)
		reason_add(b, r->text);
	else if (v->forward == FWD_EITHER)
		strbuf_str(b, safe ? "old and new code run with it and without it" :
			"old and new code run with it and without it; what it removes goes last");
	else if (r != NULL)
		reason_add(b, r->text);
	else
		strbuf_str(b, safe ? "the old code runs with it" :
			"the old code does not run with it");
}

/* In the largest unit that says it exactly, as duration_parse() reads it. */
static void
delay_add(struct strbuf *b, int64_t ms)
{
	static const struct { int64_t ms; const char *name; } units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" },
		{ 1000, "s" }, { 1, "ms" },
	};
	size_t i = 0;

	while (ms % units[i].ms != 0)
		i++;
	strbuf_printf(b, " delay=%lld%s", (long long)(ms / units[i].ms),
	    units[i].name);
}

void
tagline_person(struct strbuf *b, const struct migration *m,
    const struct tag *t)
{
	static const char *const words[] = { NULL, "safe", "unsafe", "never" };

	strbuf_printf(b, "# sluice: %s for=%.8s", words[t->value], m->bound);
	if (t->reverse != TAG_UNSET)
		strbuf_printf(b, " reverse=%s", words[t->reverse]);
	if (t->delay_ms > 0)
		delay_add(b, t->delay_ms);
	if (t->repeat)
		strbuf_str(b, " repeat");
	if (t->because != NULL) {
		strbuf_str(b, " because \"");
		for (const char *p = t->because; *p != '\0'; p++)
			strbuf_char(b, *p == '"' ? '\'' :
				(unsigned char)*p < ' ' ? ' ' : *p);
		strbuf_char(b, '"');
	}
}

struct line { const char *s; size_t n; };	/* with its line end */

static bool
next_line(struct line *l, const char **p, const char *end)
{
	if (*p >= end)
		return false;
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	l->s = *p;
	l->n = (size_t)((nl != NULL ? nl + 1 : end) - *p);
	*p += l->n;
	return true;
}

/* Blanks, `operations`, then = or += or a type's colon. */
static bool
is_operations(const struct line *l, size_t *indent)
{
	static const char word[] = "operations";
	size_t i = 0;

	while (i < l->n && (l->s[i] == ' ' || l->s[i] == '\t'))
		i++;
	*indent = i;
	if (i == 0 || l->n - i < sizeof(word) ||
	    memcmp(l->s + i, word, sizeof(word) - 1) != 0)
		return false;
	for (i += sizeof(word) - 1; i < l->n && l->s[i] == ' '; i++)
		;
	return i < l->n && (l->s[i] == '=' || l->s[i] == ':' ||
	    (l->s[i] == '+' && i + 1 < l->n && l->s[i + 1] == '='));
}

static void
add_tag(struct strbuf *out, const struct line *at, size_t indent,
    const char *tag)
{
	bool crlf = at->n >= 2 && at->s[at->n - 2] == '\r';

	strbuf_add(out, at->s, indent);
	strbuf_str(out, tag);
	strbuf_str(out, crlf ? "\r\n" : "\n");
}

/* The old line goes where the new one stands, whichever comes first. */
static bool
rewrite(struct strbuf *out, const struct strbuf *text, uint32_t old,
    const char *tag)
{
	const char *p = text->s;
	const char *end = text->s + text->len;
	struct line l;
	bool in_class = false, done = false;
	size_t indent;

	for (uint32_t n = 1; next_line(&l, &p, end); n++) {
		in_class |= l.n > 15 && memcmp(l.s, "class Migration", 15) == 0;
		if (old == n && *tag != '\0') {
			size_t i = strspn(l.s, " \t");
			const char *hash = memchr(l.s, '#', l.n);
			if (hash != l.s + i) {	/* behind code: keep that */
				strbuf_add(out, l.s, (size_t)(hash - l.s));
				strbuf_str(out, tag);
				strbuf_str(out, "\n");
			} else {
				add_tag(out, &l, i, tag);
			}
			done = true;
			continue;
		}
		if (old == 0 && in_class && !done &&
		    is_operations(&l, &indent)) {
			add_tag(out, &l, indent, tag);
			done = true;
		}
		strbuf_add(out, l.s, l.n);
	}
	return done;
}

/* A line that only looks like it, in a string, would change things. */
static int
verify(const struct strbuf *out, const struct strbuf *text,
    const struct migration *m, bool bound, struct err *e)
{
	CLEANUP(arena_free) struct arena *a = arena_new();
	struct migration was = { 0 }, is = { 0 };

	if (migration_read(&was, a, m->app, m->path, text->s, text->len, NULL,
		e) != 1 ||
	    migration_read(&is, a, m->app, m->path, out->s, out->len, NULL,
		e) != 1 ||
	    is.tag.source == TAG_NONE || !streq(was.digest, is.digest) ||
	    (bound && (is.tag.bound == NULL || is.tag.wrong != NULL ||
	    !starts_with(m->bound, is.tag.bound))))
		return err_set(e, "'%s': there is no place for a tag that can "
		    "be told for sure", m->path);
	return 1;
}

int
tagline_put(struct strbuf *out, const struct strbuf *text,
    const struct migration *m, const char *tag, struct err *e)
{
	uint32_t old = m->tag.source == TAG_AUTO ||
	    m->tag.source == TAG_PERSON ? m->tag.line : 0;

	if (!rewrite(out, text, old, tag))
		return err_set(e, "'%s': no line with its operations is found "
		    "to put the tag above", m->path);
	if (out->len == text->len && memcmp(out->s, text->s, out->len) == 0)
		return 0;
	return verify(out, text, m, false, e);
}

int
tagline_bind(struct strbuf *out, const struct strbuf *text,
    const struct migration *m, struct err *e)
{
	static const char mark[] = "sluice:";
	const char *p = text->s;
	struct line l = { NULL, 0 };

	if (m->tag.source != TAG_PERSON || m->tag.bound != NULL)
		return 0;
	for (uint32_t n = 0; n < m->tag.line; n++)
		if (!next_line(&l, &p, text->s + text->len))
			return 0;
	const char *at = l.s == NULL ? NULL :
	    memmem(l.s, l.n, mark, sizeof(mark) - 1);
	if (at == NULL)
		return 0;
	at += sizeof(mark) - 1;
	size_t blank = strspn(at, " \t");
	if (!starts_with(at + blank, "because"))	/* behind the verdict */
		at += blank + strcspn(at + blank, " \t\r\n");
	strbuf_add(out, text->s, (size_t)(at - text->s));
	strbuf_printf(out, " for=%.8s", m->bound);
	strbuf_add(out, at, text->len - (size_t)(at - text->s));
	return verify(out, text, m, true, e);
}

#include "read/tag.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "read/read.h"

#define WORD_MAX 300

static const char *const words[] = { "safe", "unsafe", "auto", "for=",
    "reverse=", "delay=", "repeat", "because" };

/* Keeps the first complaint. */
static void
wrong(struct tag *t, struct arena *a, const char *what, const char *word)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (t->wrong != NULL)
		return;
	strbuf_clean(&b, word, strlen(word), false);
	t->wrong = sym_printf(a, "%s '%s'", what, b.s);
}

static void
unknown(struct tag *t, struct arena *a, const char *word)
{
	const char *best = NULL;
	size_t least = 3;

	wrong(t, a, "unknown word", word);
	for (size_t i = 0; i < countof(words); i++) {
		size_t n = strlen(words[i]);
		char head[WORD_MAX];
		snprintf(head, sizeof(head), "%s", word);
		if (words[i][n - 1] == '=' && strchr(head, '=') != NULL)
			head[strcspn(head, "=") + 1] = '\0';
		size_t d = word_distance(head, words[i]);
		if (d < least) {
			least = d;
			best = words[i];
		}
	}
	if (best != NULL && strstr(t->wrong, "unknown word") == t->wrong)
		t->wrong = sym_printf(a, "%s; did you mean '%s'?", t->wrong,
		    best);
}

static void
set_reverse(struct tag *t, struct arena *a, const char *v)
{
	if (streq(v, "safe"))
		t->reverse = TAG_SAFE;
	else if (streq(v, "unsafe"))
		t->reverse = TAG_UNSAFE;
	else if (streq(v, "never"))
		t->reverse = TAG_NEVER;
	else
		wrong(t, a, "reverse= takes safe, unsafe or never, not", v);
}

static void
set_bound(struct tag *t, struct arena *a, const char *v)
{
	size_t n = strspn(v, "0123456789abcdef");

	if (v[n] != '\0' || n < 8 || n > 16)
		wrong(t, a, "for= takes 8 to 16 hex digits, not", v);
	else
		t->bound = sym_get(a, v);
}

static void
set_word(struct tag *t, struct arena *a, const char *word)
{
	if (streq(word, "safe") || streq(word, "unsafe")) {
		enum tag_value v = *word == 's' ? TAG_SAFE : TAG_UNSAFE;
		if (t->value != TAG_UNSET && t->value != v)
			wrong(t, a, "both safe and unsafe at", word);
		t->value = v;
	} else if (streq(word, "auto")) {
		t->source = TAG_AUTO;
	} else if (streq(word, "repeat")) {
		t->repeat = true;
	} else if (starts_with(word, "for=")) {
		set_bound(t, a, word + 4);
	} else if (starts_with(word, "reverse=")) {
		set_reverse(t, a, word + 8);
	} else if (starts_with(word, "delay=")) {
		t->delay_ms = duration_parse(word + 6);
		if (t->delay_ms < 0)
			wrong(t, a, "delay= takes a duration such as 2h, not",
			    word + 6);
	} else {
		unknown(t, a, word);
	}
}

/* because "…": what is between the quotes; the place after them. */
static const char *
set_because(struct tag *t, struct arena *a, const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	const char *close = s < end && *s == '"' ?
	    memchr(s + 1, '"', (size_t)(end - s - 1)) : NULL;
	if (close == NULL) {
		wrong(t, a, "a reason in \"…\" must follow", "because");
		return end;
	}
	const char *from = s + 1, *to = close;
	while (from < to && isspace((unsigned char)*from))
		from++;
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	if (from == to)
		wrong(t, a, "an empty reason after", "because");
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	strbuf_clean(&b, from, (size_t)(to - from), false);
	t->because = sym_get(a, b.s);
	return close + 1;
}

/* The text after "# sluice:", or NULL. */
static const char *
ours(const char *s, const char *end)
{
	while (s < end && (*s == '#' || *s == '-' || *s == ' ' || *s == '\t'))
		s++;
	return end - s >= 7 && memcmp(s, "sluice:", 7) == 0 ? s + 7 : NULL;
}

void
tag_parse(struct tag *t, struct arena *a, const char *line, size_t len,
    uint32_t lineno)
{
	const char *end = line + len, *s = ours(line, end);
	uint32_t n = 0;

	*t = (struct tag){ .source = TAG_NONE };
	if (s == NULL)
		return;
	t->source = TAG_PERSON;
	t->line = lineno;
	for (;; n++) {
		while (s < end && isspace((unsigned char)*s))
			s++;
		const char *from = s;
		while (s < end && !isspace((unsigned char)*s))
			s++;
		size_t k = (size_t)(s - from);
		if (k == 0 || (k >= 2 && from[0] == '-' && from[1] == '-'))
			break;
		char word[WORD_MAX];
		snprintf(word, sizeof(word), "%.*s",
		    (int)(k < WORD_MAX ? k : WORD_MAX - 1), from);
		if (streq(word, "because"))
			s = set_because(t, a, s, end);
		else
			set_word(t, a, word);
	}
	if (n == 0)
		wrong(t, a, "says nothing:", "sluice:");
	if (t->source == TAG_AUTO)	/* derived anew, never trusted */
		t->wrong = NULL;
}

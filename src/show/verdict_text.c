#include "show/verdict.h"

#include <string.h>

#include "base/util.h"

#define INDENT "         "

static void
clean(struct strbuf *b, const char *s)
{
	if (s != NULL)
		strbuf_clean(b, s, strlen(s), false);
}

/* Indented lines of a text that may have several. */
static void
block(struct strbuf *b, const char *indent, const char *s)
{
	while (*s != '\0') {
		size_t n = strcspn(s, "\n");

		if (n > 0) {
			strbuf_str(b, indent);
			strbuf_clean(b, s, n, true);
		}
		strbuf_char(b, '\n');
		s += n + (s[n] == '\n');
	}
}

const char *
verdict_word(const struct verdict *v)
{
	if (v->refused != NULL && v->forward != FWD_NEVER &&
	    v->forward != FWD_SPLIT && v->forward != FWD_OPAQUE)
		return "refused";
	return forward_name[v->phase];
}

static bool
refused(const struct verdict *v)
{
	return v->refused != NULL ||
	    (v->phase != FWD_SAFE && v->phase != FWD_UNSAFE);
}

static void
word(struct strbuf *b, const struct verdict_show *s, const struct verdict *v)
{
	const char *w = verdict_word(v);

	if (s->colour)
		strbuf_str(b, refused(v) ? "\033[31m" :
			v->phase == FWD_UNSAFE ? "\033[33m" : "\033[32m");
	strbuf_printf(b, "%-8s", w);
	if (s->colour)
		strbuf_str(b, "\033[0m");
	strbuf_char(b, ' ');
}

static void
reasons(struct strbuf *b, const struct findings *f, const char *corner,
    const char *told)
{
	for (uint32_t i = 0; i < f->n; i++) {
		const struct reason *r = &f->v[i];

		if (told != NULL && strstr(told, r->text) != NULL)
			continue;
		strbuf_printf(b, INDENT "%s, %s: ", corner,
		    degree_name[r->degree]);
		clean(b, r->text);
		if (r->m != NULL && r->line > 0) {
			strbuf_str(b, " (");
			clean(b, r->m->path);
			strbuf_printf(b, ":%u)", r->line);
		}
		strbuf_char(b, '\n');
	}
}

/* Some hazards are none of locks. */
static bool
is_lock(const struct hazard *h)
{
	static const char *const other[] = { "data-with-schema", "long-name",
	    "concurrently-in-transaction", "same-value-unique", "no-effect",
	    "no-way-back", "imports-model", "whole-table-write", "setting" };

	for (size_t i = 0; i < countof(other); i++)
		if (streq(h->code, other[i]))
			return false;
	return true;
}

/* A lock that is short is no hazard: it has no text, and shows when asked. */
static void
hazards(struct strbuf *b, const char *what, const struct hazard *v, uint32_t n,
    bool all)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct hazard *h = &v[i];

		if (h->text == NULL && !all)
			continue;
		strbuf_printf(b, INDENT "%s: ", what == NULL ? is_lock(h) ?
			"lock" : "also" : what);
		if (h->text != NULL)
			clean(b, h->text);
		else
			strbuf_printf(b, "%s on \"%s\", for a moment", h->lock,
			    h->table != NULL ? h->table : "");
		strbuf_char(b, '\n');
	}
}

static bool
hazardous(const struct verdict *v)
{
	for (uint32_t i = 0; i < v->nhazards; i++)
		if (v->hazards[i].text != NULL)
			return true;
	return false;
}

/* A lock is told, not refused: where the way around it is. */
static void
elsewhere(struct strbuf *b, const struct verdict_show *s,
    const struct verdict *v)
{
	bool lock = false;

	for (uint32_t i = 0; i < v->nhazards; i++)
		lock |= v->hazards[i].text != NULL && is_lock(&v->hazards[i]);
	if (!lock || v->nfixes == 0 || s->again == NULL)
		return;
	strbuf_str(b, INDENT "another way: ");
	clean(b, s->again);
	strbuf_char(b, '\n');
}

static void
fixes(struct strbuf *b, const struct verdict *v)
{
	for (uint32_t i = 0; i < v->nfixes; i++) {
		strbuf_str(b, INDENT "the way to write it: ");
		clean(b, v->fixes[i].title);
		strbuf_char(b, '\n');
		if (v->fixes[i].code != NULL)
			block(b, INDENT "    ", v->fixes[i].code);
	}
}

/* Nothing to tell a person about. */
static bool
fine(const struct verdict *v)
{
	return !refused(v) && v->phase == FWD_SAFE && !hazardous(v) &&
	    v->drops == NULL && v->overruled == NULL;
}

static void
way_back(struct strbuf *b, const struct verdict *v)
{
	const char *const more[] = { v->loses, v->fails };

	strbuf_printf(b, INDENT "way back: %s", v->irreversible ? "none" :
		forward_name[v->reverse]);
	for (size_t i = 0; i < countof(more); i++) {
		strbuf_str(b, more[i] != NULL ? "; " : "");
		clean(b, more[i]);
	}
	strbuf_char(b, '\n');
	if (!v->irreversible)
		hazards(b, "way back, lock", v->back, v->nback, false);
}

static void
one(struct strbuf *b, const struct verdict_show *s, const struct verdict *v)
{
	word(b, s, v);
	clean(b, v->m->path);
	strbuf_char(b, '\n');
	if (v->refused != NULL) {
		const char *nl = strchrnul(v->refused, '\n');

		strbuf_str(b, INDENT "refused: ");
		strbuf_clean(b, v->refused, (size_t)(nl - v->refused), false);
		strbuf_char(b, '\n');
		block(b, INDENT "    ", nl + (*nl == '\n'));
	}
	const char *told = s->explain ? NULL : v->refused;
	if (refused(v) || s->explain || v->phase == FWD_UNSAFE)
		reasons(b, &v->a, "old code on the new schema", told);
	if (refused(v) || s->explain)
		reasons(b, &v->b, "new code on the old schema", told);
	reasons(b, &v->never, "new code on the new schema", told);
	if (v->pulled != NULL && (v->phase == FWD_UNSAFE || s->explain)) {
		strbuf_str(b, INDENT);
		clean(b, v->pulled);
		strbuf_char(b, '\n');
	}
	if (v->overruled != NULL) {
		strbuf_str(b, INDENT "overruled by its tag: ");
		clean(b, v->overruled);
		strbuf_char(b, '\n');
	}
	if (v->drops != NULL) {
		strbuf_str(b, INDENT);
		clean(b, v->drops);
		strbuf_char(b, '\n');
	}
	hazards(b, NULL, v->hazards, v->nhazards, s->explain);
	if (s->explain)
		way_back(b, v);
	if (refused(v) || s->explain)
		fixes(b, v);
	else
		elsewhere(b, s, v);
}

bool
verdict_waits(const struct verdict_show *s, const struct verdict *v)
{
	const char *end = strrchr(v->m->path, '/');
	size_t n = end != NULL ? (size_t)(end - v->m->path) + 1 : 0;

	for (uint32_t i = 0; i < s->nwrong; i++) {
		const char *path = s->wrong[i].path;

		if (s->wrong[i].holds && path != NULL && strncmp(path, v->m->path, n) == 0 &&
		    strchr(path + n, '/') == NULL)
			return true;
	}
	return false;
}

static void
summary(struct strbuf *b, const struct verdict_show *s)
{
	uint32_t safe = 0, unsafe = 0, no = 0, wait = 0;
	const struct judgement *j = s->j;

	for (uint32_t i = 0; i < j->n; i++) {
		if (verdict_waits(s, &j->v[i]))
			wait++;
		else if (refused(&j->v[i]))
			no++;
		else if (j->v[i].phase == FWD_SAFE)
			safe++;
		else
			unsafe++;
	}
	strbuf_printf(b, "%u migration%s: ", j->n, j->n == 1 ? "" : "s");
	if (j->n == 0 || wait < j->n)
		strbuf_printf(b, "%u safe, %u unsafe", safe, unsafe);
	if (no > 0)
		strbuf_printf(b, ", %u refused", no);
	if (wait > 0)
		strbuf_printf(b, "%s%u judged once that is mended",
		    wait < j->n ? ", " : "", wait);
	strbuf_char(b, '\n');
}

void
verdict_text(struct strbuf *b, const struct verdict_show *s)
{
	for (uint32_t i = 0; i < s->nwrong; i++) {
		const struct verdict_wrong *w = &s->wrong[i];

		if (w->path != NULL)
			clean(b, w->path);
		if (w->path != NULL && w->line > 0)
			strbuf_printf(b, ":%u", w->line);
		if (w->path != NULL)
			strbuf_str(b, ": ");
		const char *nl = strchrnul(w->text, '\n');
		strbuf_clean(b, w->text, (size_t)(nl - w->text), false);
		strbuf_char(b, '\n');
		block(b, "    ", nl + (*nl == '\n'));
	}
	if (s->j == NULL)
		return;
	for (uint32_t i = 0; i < s->j->n; i++) {
		const struct verdict *v = &s->j->v[i];
		bool asked = s->which == NULL || s->which(s->ctx, v);

		if (!verdict_waits(s, v) && (refused(v) ||
		    (asked && (s->all || s->explain || !fine(v)))))
			one(b, s, v);
	}
	reasons(b, &s->j->never, "together, new code on the new schema", NULL);
	if (s->j->n > 0 || s->nwrong == 0)
		summary(b, s);
}

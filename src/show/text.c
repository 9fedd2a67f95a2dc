#include "show/text.h"

#include <string.h>

#include "base/clock.h"
#include "base/util.h"

#include <stdlib.h>

void
text_ink(struct strbuf *b, bool colour, enum ink ink)
{
	static const char *const code[] = { "\033[0m", "\033[1m", "\033[2m",
		"\033[31m", "\033[32m", "\033[33m" };

	if (colour)
		strbuf_str(b, code[ink]);
}

static void
clean(struct strbuf *b, const char *s)
{
	strbuf_clean(b, s, strlen(s), true);
}

/* " of RELEASE", unless whoever reads it knows. */
static void
named(struct strbuf *b, bool brief, const char *what, sym release)
{
	strbuf_str(b, what);
	if (!brief)
		strbuf_printf(b, " %s", release);
}

void
text_step(struct strbuf *b, const struct step *s, bool brief)
{
	switch (s->kind) {
	case STEP_STAGE:
		named(b, brief, "stage", s->subject);
		break;
	case STEP_MIGRATION:
		strbuf_str(b, streq(s->want, "applied") ? "apply " :
		    streq(s->want, "repeated") ? "repeat " : "reverse ");
		clean(b, s->subject);
		break;
	case STEP_BALANCE:
		strbuf_str(b, streq(s->want, "drained") ? "drain" :
		    "back into the balancer");
		break;
	case STEP_CURRENT:
		named(b, brief, "restart on", s->want);
		if (brief)
			strbuf_str(b, " the release");
		break;
	case STEP_HEALTH:
		strbuf_str(b, "healthy");
		break;
	case STEP_SOAK:
		strbuf_str(b, "watch it for ");
		duration_print(b, strtoll(s->want, NULL, 10));
		break;
	case STEP_CENSUS:
		named(b, brief, "every host attests", s->want);
		if (brief)
			strbuf_str(b, " the release");
		break;
	case STEP_FLOOR:
		named(b, brief, "no release older than", s->want);
		strbuf_str(b, brief ? " this from here on" : " from here on");
		break;
	case STEP_PUBLISH:
		named(b, brief, "publish", s->want);
		break;
	case STEP_PRUNE:
		strbuf_printf(b, "keep %s releases", s->want);
		break;
	}
}

static const struct verdict *
verdict_of(const struct judgement *j, sym subject)
{
	for (uint32_t i = 0; j != NULL && i < j->n; i++) {
		const struct migration *m = j->v[i].m;
		size_t n = strlen(m->app);
		if (strncmp(subject, m->app, n) == 0 && subject[n] == '.' &&
		    streq(subject + n + 1, m->name))
			return &j->v[i];
	}
	return NULL;
}

static void
below(struct strbuf *b, bool colour, enum ink ink, const char *what,
    const char *text)
{
	strbuf_str(b, "            ");
	text_ink(b, colour, ink);
	strbuf_str(b, what);
	clean(b, text);
	text_ink(b, colour, INK_NONE);
	strbuf_char(b, '\n');
}

static void
reasons(struct strbuf *b, bool colour, const struct findings *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].text != NULL && f->v[i].degree != DEGREE_OK)
			below(b, colour, INK_DIM, "", f->v[i].text);
}

/* Why it stands in this phase, and what it does while it runs. */
static void
verdict_lines(struct strbuf *b, bool colour, const struct verdict *v)
{
	reasons(b, colour, &v->a);
	reasons(b, colour, &v->b);
	for (uint32_t i = 0; i < v->nhazards; i++)
		if (v->hazards[i].text != NULL)
			below(b, colour, INK_YELLOW, "", v->hazards[i].text);
	if (v->pulled != NULL && v->phase == FWD_UNSAFE)
		below(b, colour, INK_DIM, "", v->pulled);
	if (v->overruled != NULL)
		below(b, colour, INK_YELLOW, "overruled by its tag: ",
		    v->overruled);
	if (v->refused != NULL)
		below(b, colour, INK_RED, "refused: ", v->refused);
}

void
text_notes(struct strbuf *b, const struct plan *p, bool colour)
{
	static const struct { const char *word; enum ink ink; } kinds[] = {
		[NOTE_INFO] = { "", INK_NONE },
		[NOTE_WARN] = { "warning: ", INK_YELLOW },
		[NOTE_REFUSE] = { "refused: ", INK_RED },
		[NOTE_LOSES] = { "loses: ", INK_YELLOW },
	};

	for (uint32_t i = 0; i < p->nnotes; i++) {
		text_ink(b, colour, kinds[p->notes[i].kind].ink);
		strbuf_str(b, kinds[p->notes[i].kind].word);
		clean(b, p->notes[i].text);
		text_ink(b, colour, INK_NONE);
		strbuf_char(b, '\n');
	}
}

/* What is live while a phase goes on, for the heading. */
static const char *
meanwhile(const struct plan *p, sym phase)
{
	static const struct { const char *phase, *there, *back; } words[] = {
		{ "stage", "nothing live changes", "nothing live changes" },
		{ "safe", "old code serves on every schema below",
		    "old code serves again, on every schema below" },
		{ "roll", "old and new code serve side by side",
		    "new and old code serve side by side" },
		{ "unsafe", "new code alone serves on every schema below",
		    "new code alone serves on every schema below" },
		{ "finish", "the release is live", "the way back is done" },
	};
	bool back = streq(p->kind, "rollback");

	for (size_t i = 0; i < countof(words); i++)
		if (streq(words[i].phase, phase))
			return back ? words[i].back : words[i].there;
	return "";
}

static void
row(struct strbuf *b, const struct step *s, const struct verdict *v,
    bool why, bool colour)
{
	strbuf_printf(b, "  %4u  %-6s ", s->seq, s->lane);
	text_step(b, s, false);
	if (v != NULL) {
		text_ink(b, colour, INK_DIM);
		strbuf_printf(b, "  (%s)", forward_name[v->forward]);
		text_ink(b, colour, INK_NONE);
	}
	if (s->status != STEP_TODO)
		strbuf_printf(b, "  [%s]", step_status_name[s->status]);
	strbuf_char(b, '\n');
	if (v != NULL && s->status == STEP_TODO && why &&
	    streq(s->want, "applied"))
		verdict_lines(b, colour, v);
}

static void
title(struct strbuf *b, const struct plan *p, bool colour)
{
	text_ink(b, colour, INK_BOLD);
	strbuf_printf(b, "%s on %s: ", p->kind, p->target);
	if (p->from != NULL && *p->from != '\0')
		strbuf_printf(b, "%s -> ", p->from);
	strbuf_str(b, p->to == NULL || *p->to == '\0' ? "nothing" : p->to);
	text_ink(b, colour, INK_NONE);
	strbuf_printf(b, "\n  plan %.12s, %u steps\n", p->digest, p->n);
}

void
text_plan(struct strbuf *b, const struct plan *p, const struct judgement *j,
    bool colour)
{
	bool why = p->from != NULL && *p->from != '\0';
	sym phase = NULL;

	title(b, p, colour);
	for (uint32_t i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];
		if (!streq(s->phase, phase)) {
			phase = s->phase;
			text_ink(b, colour, INK_BOLD);
			strbuf_printf(b, "%s", phase);
			text_ink(b, colour, INK_NONE);
			strbuf_printf(b, ": %s\n", meanwhile(p, phase));
		}
		row(b, s, s->kind == STEP_MIGRATION ?
		    verdict_of(j, s->subject) : NULL, why, colour);
	}
	text_notes(b, p, colour);
}

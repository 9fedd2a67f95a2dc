#include "show/progress.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/util.h"
#include "show/text.h"

#define NOTE_AFTER 1000		/* ms */
#define NOTE_EVERY 2000

static void
line_out(const struct progress *p, struct strbuf *b)
{
	strbuf_char(b, '\n');
	p->out(p->ctx, b);
}

static void
moment(struct strbuf *b)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[16];

	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	strbuf_str(b, text);
}

/* Nothing about one step: the run itself. */
static void
run_event(const struct progress *p, const char *event)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	text_ink(&b, p->colour, INK_YELLOW);
	strbuf_str(&b, streq(event, "stopping") ?
	    "stopping: what is going on is finished first (once more drops it)"
	    : "dropped: the ledger says how far it got");
	text_ink(&b, p->colour, INK_NONE);
	line_out(p, &b);
}

static void
phase_line(struct progress *p, const struct deploy *d, const struct step *s)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (streq(p->phase, s->phase))
		return;
	p->phase = s->phase;
	text_ink(&b, p->colour, INK_BOLD);
	strbuf_printf(&b, "-- %s %s: %s", d->plan->kind, d->plan->to,
	    s->phase);
	text_ink(&b, p->colour, INK_NONE);
	line_out(p, &b);
}

/* The row's own clock: its place, or -1. */
static ptrdiff_t
place(struct progress *p, const struct deploy *d, const struct step *s)
{
	if (p->began == NULL || p->n < d->plan->n) {
		p->began = arena_array(d->a, int64_t, d->plan->n + 1);
		p->noted = arena_array(d->a, int64_t, d->plan->n + 1);
		p->n = d->plan->n;
	}
	ptrdiff_t i = s - d->plan->steps;
	return i < 0 || i >= (ptrdiff_t)p->n ? -1 : i;
}

/* What a row says meanwhile changes often: told every few seconds. */
static bool
note_due(struct progress *p, ptrdiff_t i)
{
	int64_t now = clock_ms();

	if (i < 0 || now - p->began[i] < NOTE_AFTER ||
	    now - p->noted[i] < NOTE_EVERY)
		return false;
	p->noted[i] = now;
	return true;
}

static void
word(struct strbuf *b, const struct progress *p, const char *event)
{
	static const struct { const char *event, *word; enum ink ink; } w[] = {
		{ "start", "  ..  ", INK_DIM }, { "done", "  ok  ", INK_GREEN },
		{ "already", " was  ", INK_GREEN },
		{ "failed", " FAIL ", INK_RED }, { "note", "      ", INK_DIM },
	};

	for (size_t i = 0; i < countof(w); i++) {
		if (!streq(w[i].event, event))
			continue;
		text_ink(b, p->colour, w[i].ink);
		strbuf_str(b, w[i].word);
		text_ink(b, p->colour, INK_NONE);
	}
}

void
progress_event(void *ctx, const struct deploy *d, const struct lane *l,
    const struct step *s, const char *event)
{
	struct progress *p = ctx;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (s == NULL) {
		run_event(p, event);
		return;
	}
	ptrdiff_t at = place(p, d, s);
	if (streq(event, "note") && !note_due(p, at))
		return;
	phase_line(p, d, s);
	if (streq(event, "start") && at >= 0)
		p->began[at] = clock_ms();
	moment(&b);
	word(&b, p, event);
	strbuf_printf(&b, "%-6s ", l->name);
	text_step(&b, s, true);
	if (at >= 0 && p->began[at] != 0 && (streq(event, "done") ||
	    streq(event, "failed"))) {
		strbuf_str(&b, ", ");
		duration_print(&b, clock_ms() - p->began[at]);
	}
	if (l->note.len > 0) {
		bool loud = streq(event, "failed");
		strbuf_str(&b, loud ? ": " : "; ");
		strbuf_clean(&b, l->note.s, l->note.len, loud);
	}
	line_out(p, &b);
}

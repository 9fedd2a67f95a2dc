/* The steps of a host's lane: each asks agent.sh, which can be asked twice. */
#include "act/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/lane.h"
#include "act/run.h"
#include "act/talk.h"
#include "base/clock.h"
#include "base/util.h"

#define SPARE_MS 20000		/* for the link, beyond what the agent may take */
#define AGAIN_MS 500		/* between two looks at a host's health */
#define ONE_LOOK_S 15

/* What a lane keeps between two calls. */
struct own {
	struct talk talk;
	int64_t end;		/* of a wait that is ours */
	char said[512];		/* by the last look that was a no */
};

static struct own *
own(struct lane *l)
{
	if (l->state == 0 || l->own == NULL) {
		struct own *o = xcalloc(1, sizeof(*o));

		talk_init(&o->talk, l->d->project, l->d->target, l->host,
		    &l->agent);
		o->talk.serial = l->d->lease == NULL ? l->d->serial :
		    lease_serial(l->d->lease);
		l->own = o;
		l->state = 1;
	}
	return l->own;
}

/* The kind's answer: lets go of what the lane kept, unless it waits on. */
static int
answer(struct lane *l, int r)
{
	struct own *o = l->own;

	if (r == ANSWER_WAIT) {
		l->wake = o->talk.wake;
		return r;
	}
	talk_release(&o->talk);
	free(o);
	l->own = NULL;
	l->wake = 0;
	return r;
}

static int64_t
seconds(int64_t ms)
{
	return ms <= 1000 ? 1 : (ms + 999) / 1000;
}

static void
note(struct lane *l, const char *text)
{
	strbuf_reset(&l->note);
	strbuf_str(&l->note, text);
}

/* A request whose ok is a yes and whose no is a no. */
static int
ask_plain(struct lane *l, const char *request, struct err *e)
{
	static const int answers[] = { ANSWER_WAIT, ANSWER_YES, ANSWER_NO };
	int r = talk_ask(&own(l)->talk, request, e);

	return answer(l, r < 0 ? -1 : answers[r]);
}

/* One that must be made so: a no is why it failed. */
static int
make_plain(struct lane *l, const char *request, struct err *e)
{
	struct own *o = own(l);
	int r = talk_ask(&o->talk, request, e);

	if (r == TALK_NO)
		r = err_set(e, "%s: %s", l->host->name, o->talk.text.s);
	return answer(l, r < 0 ? -1 : r == TALK_OK ? ANSWER_YES : ANSWER_WAIT);
}

/* --- stage ---------------------------------------------------------------- */

enum { STAGE_NEED = 1, STAGE_PUT, STAGE_BUILD };

static int
stage_ask(struct lane *l, const struct step *s, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct own *o = own(l);

	strbuf_printf(&b, "need %s %s", s->subject, l->d->artefact_sha);
	int r = talk_ask(&o->talk, b.s, e);
	if (r <= 0)
		return answer(l, r < 0 ? -1 : ANSWER_WAIT);
	return answer(l, streq(o->talk.text.s, "staged") ? ANSWER_YES :
	    ANSWER_NO);
}

/* After what the host said to its last request; the next state, 0: done. */
static int
stage_next(struct lane *l, struct own *o)
{
	if (l->state == STAGE_BUILD || streq(o->talk.text.s, "staged"))
		return 0;
	if (l->state == STAGE_NEED && streq(o->talk.text.s, "send")) {
		note(l, "uploading");
		return STAGE_PUT;
	}
	note(l, "building");
	return STAGE_BUILD;
}

static void
stage_request(struct strbuf *b, struct lane *l, struct own *o, sym release)
{
	const struct deploy *d = l->d;

	o->talk.fd = -1;
	strbuf_reset(b);
	switch (l->state) {
	case STAGE_NEED:
		strbuf_printf(b, "need %s %s", release, d->artefact_sha);
		break;
	case STAGE_PUT:
		o->talk.fd = d->artefact;
		o->talk.size = d->artefact_size;
		strbuf_printf(b, "put %s %s %zu", release, d->artefact_sha,
		    d->artefact_size);
		break;
	case STAGE_BUILD:
		strbuf_printf(b, "build %s %s %s %lld", release,
		    d->commit != NULL ? d->commit : "none", d->artefact_sha,
		    (long long)seconds(d->target->step_timeout));
		break;
	}
}

static int
stage_make(struct lane *l, const struct step *s, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct own *o = own(l);

	for (;;) {
		stage_request(&b, l, o, s->subject);
		int r = talk_ask(&o->talk, b.s, e);
		if (r == TALK_WAIT)
			return answer(l, ANSWER_WAIT);
		if (r == TALK_NO)
			r = err_set(e, "%s: %s", l->host->name, o->talk.text.s);
		if (r < 0)
			return answer(l, -1);
		int next = stage_next(l, o);
		if (next == 0)
			return answer(l, ANSWER_YES);
		l->state = next;
		l->deadline = clock_ms() + l->d->target->step_timeout + SPARE_MS;
	}
}

const struct kind kind_stage = { stage_ask, stage_make };

/* --- current -------------------------------------------------------------- */

static int
current_ask(struct lane *l, const struct step *s, struct err *e)
{
	struct strbuf want STRBUF_SCOPED = STRBUF_INIT;
	struct own *o = own(l);
	int r = talk_ask(&o->talk, "current", e);

	if (r <= 0)
		return answer(l, r < 0 ? -1 : ANSWER_WAIT);
	strbuf_printf(&want, "%s %s", s->want, s->want);
	return answer(l, streq(o->talk.text.s, want.s) ? ANSWER_YES :
	    ANSWER_NO);
}

static int
current_make(struct lane *l, const struct step *s, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	int64_t most = l->d->target->step_timeout;

	if (l->state == 0)
		l->deadline = clock_ms() + most + SPARE_MS;
	strbuf_printf(&b, "switch %s %lld", s->want, (long long)seconds(most));
	return make_plain(l, b.s, e);
}

const struct kind kind_current = { current_ask, current_make };

/* --- health --------------------------------------------------------------- */

static void
health_request(struct strbuf *b, int64_t left, sym release)
{
	int64_t most = seconds(left);

	strbuf_printf(b, "health %s %lld", release,
	    (long long)(most < ONE_LOOK_S ? most : ONE_LOOK_S));
}

static int
health_ask(struct lane *l, const struct step *s, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	health_request(&b, l->d->target->health_timeout, s->subject);
	return ask_plain(l, b.s, e);
}

/* Until it is well, for so long as the configuration allows. */
static int
health_make(struct lane *l, const struct step *s, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	int64_t now = clock_ms(), most = l->d->target->health_timeout;
	bool first = l->state == 0;
	struct own *o = own(l);

	if (first) {
		o->end = now + most;
		l->deadline = o->end + SPARE_MS;
	}
	if (o->talk.at == TALK_IDLE && o->talk.wake > now)
		return answer(l, ANSWER_WAIT);
	health_request(&b, most, s->subject);
	int r = talk_ask(&o->talk, b.s, e);
	if (r != TALK_NO)
		return answer(l, r < 0 ? -1 : r == TALK_OK ? ANSWER_YES :
		    ANSWER_WAIT);
	snprintf(o->said, sizeof(o->said), "%s", o->talk.text.s);
	note(l, o->said);
	if (clock_ms() + AGAIN_MS < o->end) {
		o->talk.wake = clock_ms() + AGAIN_MS;
		return answer(l, ANSWER_WAIT);
	}
	err_set(e, "%s: not well after %lld s: %s", l->host->name,
	    (long long)seconds(most), o->said);
	return answer(l, -1);
}

const struct kind kind_health = { health_ask, health_make };

/* --- prune ---------------------------------------------------------------- */

static int
prune_ask(struct lane *l, const struct step *s, struct err *e)
{
	(void)l, (void)s, (void)e;
	return ANSWER_NO;
}

/* What cannot be cleared away is told, but is no reason to go back. */
static int
prune_make(struct lane *l, const struct step *s, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	const struct plan *p = l->d->plan;
	int keep = (int)strtol(s->want, NULL, 10);

	strbuf_printf(&b, "prune %d %s", keep > 0 ? keep : 1, p->to);
	if (p->from != NULL && *p->from != '\0')
		strbuf_printf(&b, " %s", p->from);
	struct own *o = own(l);
	int r = talk_ask(&o->talk, b.s, e);
	if (r == TALK_WAIT)
		return answer(l, ANSWER_WAIT);
	if (r < 0) {
		strbuf_reset(&l->note);
		strbuf_printf(&l->note, "old releases stay: %s", e->msg);
		err_clear(e);
	}
	return answer(l, ANSWER_YES);
}

const struct kind kind_prune = { prune_ask, prune_make };

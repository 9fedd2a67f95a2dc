/* All hosts side by side, by short agents of our own: what a census counts,
 * and what is asked outside the loop. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/host.h"
#include "act/lane.h"
#include "act/run.h"
#include "act/talk.h"
#include "base/clock.h"
#include "base/util.h"

#define TURN_MS 50
#define AGAIN_MS 500
#define SPARE_MS 30000

struct voice {			/* one host's */
	struct link *link;
	struct talk talk;
	int at;			/* which question */
	int64_t again;		/* not before; 0: now */
	bool done, yes;
	char said[512];
};

struct census {
	struct voice *v;
	uint32_t n;
	int64_t end;
	char request[128];
	bool once;
};

static struct voice *
voices_new(const struct cfg_project *p, const struct cfg_target *t)
{
	struct voice *v = xcalloc(t->nhosts, sizeof(*v));

	for (uint32_t i = 0; i < t->nhosts; i++)
		talk_init(&v[i].talk, p, t, &t->hosts[i], &v[i].link);
	return v;
}

static void
voices_free(struct voice *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		talk_release(&v[i].talk);
		link_free(v[i].link);
	}
	free(v);
}

/* Hosts that are being talked to; there is room for so many. */
static bool
room(const struct voice *v, uint32_t n, const struct cfg_target *t)
{
	int open = 0;

	for (uint32_t i = 0; i < n; i++)
		open += v[i].link != NULL;
	return t->at_once <= 0 || open < t->at_once;
}

/* How many times as long it takes, since not all are asked at once. */
static int64_t
rounds(const struct cfg_target *t)
{
	return t->at_once <= 0 ? 1 : 1 + t->nhosts / (uint32_t)t->at_once;
}

/* After this something is taken away or given back: then no host may be
 * passed over. */
static bool
strict(const struct plan *p, const struct step *s)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->steps[i].wave > s->wave &&
		    (p->steps[i].kind == STEP_MIGRATION ||
		    p->steps[i].kind == STEP_FLOOR))
			return true;
	return false;
}

/* --- the step ------------------------------------------------------------- */

static void
voice_turn(struct voice *v, const struct census *c)
{
	struct err e = ERR_INIT;
	int64_t now = clock_ms();

	if (v->done || v->again > now)
		return;
	int r = talk_ask(&v->talk, c->request, &e);
	if (r == TALK_WAIT)
		return;
	v->yes = r == TALK_OK;
	if (r == TALK_NO)	/* the old ones may be about to end */
		snprintf(v->said, sizeof(v->said), "%s: %s",
		    v->talk.host->name, v->talk.text.s);
	else if (r < 0)
		snprintf(v->said, sizeof(v->said), "%.500s", e.msg);
	v->done = r != TALK_NO || c->once || now >= c->end;
	v->again = now + AGAIN_MS;
	if (v->done || !room(c->v, c->n, v->talk.target)) {
		link_free(v->link);
		v->link = NULL;
	}
}

static int
census_end(struct lane *l, struct census *c, int r)
{
	voices_free(c->v, c->n);
	free(c);
	l->own = NULL;
	l->wake = 0;
	return r;
}

/* ANSWER_NO: e tells who is not so, and why. */
static int
census_turn(struct lane *l, const struct step *s, bool once, struct err *e)
{
	const struct cfg_target *t = l->d->target;
	struct strbuf no STRBUF_SCOPED = STRBUF_INIT;
	struct census *c = l->own;
	uint32_t left = 0, missing = 0;

	if (l->state == 0) {
		l->state = 1;
		/* it may be a process of an older release itself */
		link_free(take(l->django));
		l->own = c = xcalloc(1, sizeof(*c));
		*c = (struct census){ voices_new(l->d->project, t), t->nhosts,
		    clock_ms() + t->drain_timeout + t->health_timeout, "", once };
		snprintf(c->request, sizeof(c->request), "attest %s", s->want);
		l->deadline = c->end + rounds(t) * (4 * t->connect_timeout +
		    SPARE_MS);
	}
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->v[i].link != NULL || room(c->v, c->n, t))
			voice_turn(&c->v[i], c);
		left += !c->v[i].done;
		missing += c->v[i].done && !c->v[i].yes;
		if (!c->v[i].yes && c->v[i].said[0] != '\0')
			strbuf_printf(&no, "%s%s", no.len > 0 ? "; " : "",
			    c->v[i].said);
	}
	strbuf_reset(&l->note);
	strbuf_str(&l->note, no.s);
	l->wake = clock_ms() + TURN_MS;
	if (left > 0)
		return ANSWER_WAIT;
	if (no.len == 0 || (missing <= (uint32_t)t->max_failed && !once &&
	    !strict(l->d->plan, s)))
		return census_end(l, c, ANSWER_YES);
	err_set(e, "not every host serves %s alone: %s", s->want, no.s);
	return census_end(l, c, ANSWER_NO);
}

static int
census_ask(struct lane *l, const struct step *s, struct err *e)
{
	int r = census_turn(l, s, true, e);

	if (r == ANSWER_NO)
		err_clear(e);
	return r;
}

static int
census_make(struct lane *l, const struct step *s, struct err *e)
{
	int r = census_turn(l, s, false, e);

	return r == ANSWER_NO ? -1 : r;
}

const struct kind kind_census = { census_ask, census_make };

/* --- outside the loop ----------------------------------------------------- */

static const char *const questions[] = { "current", "list", "probe" };

static sym
not_dash(struct arena *a, const char *s)
{
	return s == NULL || *s == '\0' || streq(s, "-") ? NULL : sym_get(a, s);
}

static void
view_list(struct host_view *v, struct arena *a, char *text)
{
	struct list(sym) found = { 0 };
	char *one;

	while ((one = strsep(&text, " ")) != NULL)
		if (*one != '\0')
			*list_add(a, &found) = sym_get(a, one);
	v->releases = found.v;
	v->nreleases = found.n;
}

static void
view_probe(struct host_view *v, struct arena *a, char *text)
{
	char *one;

	while ((one = strsep(&text, " ")) != NULL) {
		char *value = strchr(one, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		if (streq(one, "time"))
			v->skew_s = strtoll(value, NULL, 10) - clock_epoch();
		else if (streq(one, "free"))
			v->free_kb = strtoll(value, NULL, 10);
		else if (streq(one, "serial"))
			v->serial = strtoll(value, NULL, 10);
		else if (streq(one, "switched"))
			v->switched = strtoll(value, NULL, 10);
		else if (streq(one, "before"))
			v->before = not_dash(a, value);
		else if (streq(one, "missing"))
			v->missing = not_dash(a, value);
	}
}

static void
view_set(struct host_view *v, struct arena *a, int question, char *text)
{
	v->reached = true;
	if (question == 0) {
		char *live = strchr(text, ' ');

		if (live != NULL)
			*live++ = '\0';
		v->linked = not_dash(a, text);
		v->live = not_dash(a, live);
	} else if (question == 1) {
		view_list(v, a, text);
	} else {
		view_probe(v, a, text);
	}
}

static void
view_turn(struct host_view *view, struct voice *v, struct arena *a)
{
	struct err e = ERR_INIT;
	int r = TALK_OK;

	while (!v->done && r != TALK_WAIT) {
		r = talk_ask(&v->talk, questions[v->at], &e);
		if (r > 0)
			view_set(view, a, v->at++, v->talk.text.s);
		else if (r < 0)
			view->why = sym_get(a, e.msg);
		v->done = r < 0 || v->at == (int)countof(questions);
	}
	if (v->done && v->link != NULL)
		link_free(take(v->link));
}

void
hosts_view(struct host_view *view, struct arena *a,
    const struct cfg_project *p, const struct cfg_target *t,
    int64_t timeout_ms)
{
	struct voice *v = voices_new(p, t);
	struct pollfd *polled = xcalloc(3 * t->nhosts + 1, sizeof(*polled));
	int64_t end = clock_ms() + rounds(t) * timeout_ms;
	uint32_t left = t->nhosts;

	for (uint32_t i = 0; i < t->nhosts; i++)
		view[i] = (struct host_view){ .host = &t->hosts[i],
		    .free_kb = -1 };
	while (left > 0 && clock_ms() < end) {
		int n = 0;

		left = 0;
		for (uint32_t i = 0; i < t->nhosts; i++) {
			if (v[i].link != NULL || v[i].done ||
			    room(v, t->nhosts, t))
				view_turn(&view[i], &v[i], a);
			left += !v[i].done;
			if (!v[i].done && v[i].link != NULL)
				n += link_poll(v[i].link, &polled[n]);
		}
		if (left > 0)
			poll(polled, (nfds_t)n, TURN_MS);
	}
	for (uint32_t i = 0; i < t->nhosts; i++)
		if (!v[i].done)
			view[i].why = sym_printf(a, "%s: no answer in time",
			    t->hosts[i].name);
	free(polled);
	voices_free(v, t->nhosts);
}

sym
host_attests(const struct host_view *v)
{
	return v->reached && v->linked != NULL && streq(v->linked, v->live) ?
	    v->linked : NULL;
}

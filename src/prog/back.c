/* After a failure and after a crash. */
#include "prog/go.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/watch.h"
#include "base/clock.h"
#include "base/util.h"

/* Code of the run's two releases, from the ledger. */
static int
codes_read(struct go *g, struct err *e)
{
	bool back = streq(g->plan.kind, "rollback");
	sym from = back ? g->plan.to : g->plan.from;
	sym to = back ? g->plan.from : g->plan.to;

	if (g->new.graph.order == NULL || !streq(g->new.release, to)) {
		int got = code_release(&g->new, &g->s, to, e);
		if (got <= 0)
			return got < 0 ? -1 : err_set(e, "the ledger does not "
			    "know release %s", to);
	}
	if (from == NULL || *from == '\0') {
		g->old = (struct code){ 0 };
		return 0;
	}
	if (g->old.graph.order == NULL || !streq(g->old.release, from)) {
		int got = code_release(&g->old, &g->s, from, e);
		if (got <= 0)
			return got < 0 ? -1 : err_set(e, "the ledger does not "
			    "know release %s", from);
	}
	return 0;
}

int
go_judge_rows(struct go *g, struct err *e)
{
	if (site_facts(&g->s, e) < 0 || codes_read(g, e) < 0)
		return -1;
	site_judge_back(&g->judged, &g->s,
	    g->old.release == NULL ? NULL : &g->old, &g->new, &g->plan);
	return 0;
}

static bool
applied_row(const struct site *s, const char *key)
{
	for (uint32_t k = 0; k < s->napplied; k++) {
		const struct applied *x = &s->applied[k];
		size_t n = strlen(x->app);
		if (strncmp(key, x->app, n) == 0 && key[n] == '.' &&
		    streq(key + n + 1, x->name))
			return true;
	}
	return false;
}

/* Does the old code run on what stands now? NULL: it does; else the worst
 * reason, if it is as bad as that, why not. */
static const struct reason *
old_breaks(struct go *g, enum degree least)
{
	struct release *r = &g->judged.release;
	struct findings f = { 0 }, base = { 0 };

	runs_on(&f, g->s.a, &r->old.want, &g->s.have, NULL, &g->s.settings);
	runs_on(&base, g->s.a, &r->old.want, &r->old.have, NULL,
	    &g->s.settings);
	findings_minus(&f, &base);
	return findings_worst(&f) < least ? NULL : findings_first(&f);
}

/* One without a transaction that was begun and is not recorded. true: some of
 * it stands, or may. */
static bool
halfway(struct go *g, struct plan_done *done, struct halfway *v,
    const struct step *s)
{
	const struct release *r = &g->judged.release;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct migration *m = r->v[i]->m;
		size_t n = strlen(m->app);
		if (m->atomic || strncmp(s->subject, m->app, n) != 0 ||
		    s->subject[n] != '.' || !streq(s->subject + n + 1, m->name))
			continue;
		struct halfway *h = &v[done->nhalfway];
		const struct ways *w = &g->judged.ways;
		for (uint32_t k = 0; k < w->n; k++) {
			*h = (struct halfway){ 0 };
			halfway_look(h, g->s.a, w->v[k].release.v[i],
			    &g->s.have);
			if (h->stands != HALFWAY_NOTHING || h->unseen)
				break;
		}
		if (h->stands == HALFWAY_NOTHING && !h->unseen)
			return false;
		h->old_runs = old_breaks(g, DEGREE_MAY) ==
		    NULL;
		done->nhalfway++;
		return true;
	}
	return false;
}

/* Rows in doubt: the database knows which migrations stand. */
static void
rows_settle(struct go *g, struct plan_done *done)
{
	struct halfway *v = arena_array(g->s.a, struct halfway, g->plan.n + 1);

	for (uint32_t i = 0; i < g->plan.n; i++) {
		struct step *s = &g->plan.steps[i];
		if (s->kind != STEP_MIGRATION || s->status == STEP_TODO ||
		    s->status == STEP_DROPPED || streq(s->want, "repeated"))
			continue;
		bool stands = applied_row(&g->s, s->subject);
		if (stands == streq(s->want, "applied"))
			s->status = STEP_DONE;
		else
			s->status = !stands && halfway(g, done, v, s) ?
			    STEP_FAILED : STEP_TODO;
	}
	done->halfway = v;
}

/* A session that a lost link or a killed deploy left behind may still change
 * what the way back is made for. */
static int
still_runs(struct go *g, struct plan *back, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	int got = watch_migrating(&b, g->s.db, e);
	if (got <= 0)
		return got;
	struct plan_note *n = arena_make(g->s.a, struct plan_note);
	n->kind = NOTE_REFUSE;
	n->text = sym_printf(g->s.a, "%s: wait for its end, or cancel it", b.s);
	*back = (struct plan){ .target = g->plan.target,
	    .kind = sym_get(g->s.a, "rollback"), .from = g->plan.to,
	    .to = g->plan.from, .notes = n, .nnotes = 1 };
	return 1;
}

int
go_plan_back(struct go *g, struct plan *back, struct plan_done *done,
    const sym *on, struct err *e)
{
	struct plan_facts f;

	int runs = still_runs(g, back, e);
	if (runs != 0)
		return runs < 0 ? -1 : 0;
	if (site_others(&g->s, on, g->plan.from, g->plan.to, e) < 0 ||
	    go_judge_rows(g, e) < 0)
		return -1;
	rows_settle(g, done);
	if (done->code_only) {
		/* what is less was so before as well: drift */
		const struct reason *r = old_breaks(g, DEGREE_BREAKS);
		done->unfit = r == NULL ? NULL : r->text;
	}
	done->steps = g->plan.steps;
	done->n = g->plan.n;
	site_plan_facts(&f, &g->s, &g->judged, g->plan.from, g->plan.to, on);
	plan_back(back, g->s.a, &f, done);
	if (!plan_refused(back))
		site_prove(back, &g->s, &f, &g->judged);
	return 0;
}

static int
held(struct go *g, const struct err *why, struct err *e)
{
	const char *status = *g->plan.from == '\0' ? "failed" : "held";

	if (go_mark(g, g->d.run.id, status, why->msg, e) < 0)
		return -1;
	if (streq(g->plan.kind, "rollback"))
		warn("held: `sluice-deploy --resume %s` tries again once it is "
		    "mended", g->s.target->name);
	else if (streq(status, "held"))
		warn("held: `sluice-deploy --resume %s` tries again once it is "
		    "mended, `sluice-rollback %s` goes back",
		    g->s.target->name, g->s.target->name);
	else
		warn("the first release failed: there is none to go back to; "
		    "mend it and deploy again");
	return EXIT_HELD;
}

/* The rows of the way back, in place of those that failed. */
static int
back_run(struct go *g, const struct plan *back, const struct err *why,
    struct err *e)
{
	int64_t went = g->d.run.id;
	sym from = g->plan.from, failed = g->plan.to;

	warn("going back to %s", from);
	for (uint32_t i = 0; i < back->nnotes; i++)
		if (back->notes[i].kind != NOTE_INFO)
			warn("%s", back->notes[i].text);
	g->plan = *back;
	if (go_begin(g, "rollback", e) < 0 ||
	    go_mark(g, went, "failed", why->msg, e) < 0)
		return -1;
	int end = go_run(g, false, e);
	if (end == RUN_DONE) {
		if (go_mark(g, went, "back", NULL, e) < 0 ||
		    go_set(g, failed, "failed", e) < 0)
			return -1;
		warn("%s failed; %s serves everywhere", failed, from);
		return EXIT_BACK;
	}
	if (end < 0)
		return -1;
	if (end == RUN_INTERRUPTED)
		return EXIT_LATER;
	struct err again = *e;
	warn("%s", again.msg);
	return held(g, &again, e);
}

int
go_back(struct go *g, const struct err *why, struct err *e)
{
	struct plan back = { 0 };
	struct plan_done done = { .automatic = true };
	sym *on = NULL;
	uint32_t down = 0;

	if (*g->plan.from == '\0' ||
	    !streq(g->s.target->on_failure, "back"))
		return held(g, why, e);
	if (go_hosts(g, &on, &down, e) < 0 ||
	    go_plan_back(g, &back, &done, on, e) < 0)
		return -1;
	if (plan_refused(&back)) {
		plan_say(&back, NULL, false);
		return held(g, why, e);
	}
	return back_run(g, &back, why, e);
}

/* What went on is ended, and the ledger may not know how. */
static int
lost(const struct go *g, const struct err *why)
{
	warn("%s", why->msg);
	warn("held: what was going on is finished, nothing more is begun; "
	    "`sluice-deploy --resume %s` goes on", g->s.target->name);
	return EXIT_HELD;
}

/* What an end of the loop means for a deploy, a rollback or a migrate. */
int
go_ended(struct go *g, int end, const struct err *why, struct err *e)
{
	switch (end) {
	case RUN_DONE:
		return 0;
	case RUN_INTERRUPTED:
		warn("interrupted: `sluice-deploy --resume %s` goes on",
		    g->s.target->name);
		return EXIT_LATER;
	case RUN_LOST:
		return lost(g, why);
	case RUN_SOAKING:
		return go_soak(g, e);
	case RUN_FAILED:
		warn("%s", why->msg);
		if (streq(g->plan.kind, "deploy"))
			return go_back(g, why, e);
		return held(g, why, e);
	}
	return -1;
}

int
go_carry(struct go *g, bool resume, struct err *e)
{
	struct err why = ERR_INIT;

	int end = go_run(g, resume, &why);
	if (end < 0) {
		*e = why;
		return -1;
	}
	int code = go_ended(g, end, &why, e);
	return code < 0 ? lost(g, e) : code;
}

/* After a failure and after a crash. */
#include "prog/go.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"

/* Code of the run's two releases, from the ledger. */
static int
codes_read(struct go *g, struct err *e)
{
	sym from = g->plan.from, to = g->plan.to;

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

/* Rows in doubt: the database knows which migrations stand. */
static void
rows_settle(struct go *g)
{
	for (uint32_t i = 0; i < g->plan.n; i++) {
		struct step *s = &g->plan.steps[i];
		if (s->kind != STEP_MIGRATION || s->status == STEP_TODO ||
		    s->status == STEP_DROPPED)
			continue;
		bool stands = false;
		for (uint32_t k = 0; k < g->s.napplied; k++) {
			const struct applied *x = &g->s.applied[k];
			size_t n = strlen(x->app);
			stands |= strncmp(s->subject, x->app, n) == 0 &&
			    s->subject[n] == '.' &&
			    streq(s->subject + n + 1, x->name);
		}
		bool done = stands == streq(s->want, "applied");
		s->status = done ? STEP_DONE : STEP_TODO;
	}
}

int
go_plan_back(struct go *g, struct plan *back, struct plan_done *done,
    const sym *on, struct err *e)
{
	struct plan_facts f;

	if (go_judge_rows(g, e) < 0)
		return -1;
	rows_settle(g);
	done->steps = g->plan.steps;
	done->n = g->plan.n;
	site_plan_facts(&f, &g->s, &g->judged, g->plan.from, g->plan.to, on);
	plan_back(back, g->s.a, &f, done);
	if (!plan_refused(back))
		plan_prove(back, g->s.a, &f, &g->judged.release,
		    &g->s.settings);
	return 0;
}

static int
held(struct go *g, const struct err *why, struct err *e)
{
	const char *status = *g->plan.from == '\0' ? "failed" : "held";

	if (ledger_run_end(g->s.db, g->d.run.id, status, why->msg, e) < 0)
		return -1;
	warn("%s", why->msg);
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

	warn("%s", why->msg);
	warn("going back to %s", from);
	g->plan = *back;
	if (go_begin(g, "rollback", e) < 0 ||
	    ledger_run_end(g->s.db, went, "failed", why->msg, e) < 0)
		return -1;
	int end = go_run(g, false, e);
	if (end == RUN_DONE) {
		if (ledger_run_end(g->s.db, went, "back", NULL, e) < 0 ||
		    ledger_release_set(g->s.db, g->s.target->name, failed,
		    "failed", e) < 0)
			return -1;
		warn("%s failed; %s serves everywhere", failed, from);
		return EXIT_BACK;
	}
	if (end < 0)
		return -1;
	if (end == RUN_INTERRUPTED)
		return EXIT_LATER;
	struct err again = *e;
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
		warn("%s", why->msg);
		warn("held: what was going on is finished, nothing more is "
		    "begun; `sluice-deploy --resume %s` goes on",
		    g->s.target->name);
		return EXIT_HELD;
	case RUN_FAILED:
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
	if (end >= 0)
		return go_ended(g, end, &why, e);
	*e = why;
	return -1;
}

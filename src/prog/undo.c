/* The way back that a person asked for: an open deploy as far as it came, else
 * the live release, hop by hop. */
#include "prog/go.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* The deploy that made `live` what it is. 1: in *run and g->plan. */
static int
run_of(struct go *g, const char *live, struct ledger_run *run, struct err *e)
{
	struct ledger_run *all = NULL;
	uint32_t n = 0;

	if (ledger_runs(g->s.db, g->s.a, g->s.target->name, 1000, &all, &n,
	    e) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		if (!streq(all[i].kind, "deploy") ||
		    !streq(all[i].to, live) || !streq(all[i].status, "done"))
			continue;
		*run = all[i];
		return ledger_run_steps(g->s.db, g->s.a, g->s.target->name,
		    run, &g->plan, e) < 0 ? -1 : 1;
	}
	return 0;
}

static void
accept_all(struct go *g, struct plan_done *done, const struct opts *o)
{
	sym *v = arena_array(g->s.a, sym, o->accept.n + 1);

	for (size_t i = 0; i < o->accept.n; i++)
		v[i] = sym_get(g->s.a, o->accept.v[i]);
	done->accepted = v;
	done->naccepted = (uint32_t)o->accept.n;
	done->code_only = o->code_only;
}

/* A release that was live is old now; one that never got there has failed. */
static int
undone_mark(struct go *g, const char *release, struct err *e)
{
	struct plan kept = g->plan;
	struct ledger_run run = { 0 };

	int done = run_of(g, release, &run, e);
	g->plan = kept;
	return done < 0 ? -1 : go_set(g, release, done > 0 ? "old" : "failed",
	    e);
}

enum how {
	HOP_DO,
	HOP_SHOW,
	HOP_LATER	/* one that comes after others: said only if refused */
};

/* By then every host serves what is undone. */
static void
as_if(struct go *g, sym **on)
{
	*on = arena_array(g->s.a, sym, g->s.target->nhosts + 1);
	for (uint32_t i = 0; i < g->s.target->nhosts; i++)
		(*on)[i] = g->plan.to;
}

/* Undoes the rows in g->plan. Exit code. */
static int
undo(struct go *g, const struct ledger_run *run, const struct opts *o,
    enum how how, struct err *e)
{
	struct plan back = { 0 };
	struct plan_done done = { 0 };
	sym *on = NULL;
	uint32_t down = 0;

	accept_all(g, &done, o);
	if (how == HOP_LATER)
		as_if(g, &on);
	if ((on == NULL && go_hosts(g, &on, &down, e) < 0) ||
	    go_plan_back(g, &back, &done, on, e) < 0)
		return -1;
	if (how != HOP_LATER || plan_refused(&back))
		plan_say(&back, &g->judged, o->json);
	if (plan_refused(&back) || how != HOP_DO)
		return plan_refused(&back);
	sym undone = g->plan.to;
	g->plan = back;
	if (go_begin(g, "rollback", e) < 0)
		return -1;
	if ((run->ended == 0 || streq(run->status, "held")) &&
	    go_mark(g, run->id, "back", NULL, e) < 0)
		return -1;
	int code = go_carry(g, false, e);
	if (code == 0 && undone_mark(g, undone, e) < 0)
		return -1;
	return code;
}

/* A stage that is open has changed nothing live. */
static int
drop_stage(struct go *g, const struct ledger_run *run, struct err *e)
{
	if (go_mark(g, run->id, "back", "dropped", e) < 0 ||
	    go_set(g, run->to, "failed", e) < 0)
		return -1;
	warn("%s was being staged; nothing live had changed", run->to);
	return 0;
}

/* From `live`, as it is or (HOP_LATER) will be. */
static int
hop(struct go *g, const struct opts *o, sym live, enum how how, struct err *e)
{
	struct ledger_run run = { 0 };

	int open = how == HOP_LATER ? 0 : go_unfinished(g, &run, e);
	if (open < 0)
		return -1;
	if (open > 0 && streq(run.kind, "stage"))
		return how == HOP_SHOW ? 0 : drop_stage(g, &run, e);
	if (open > 0 && !streq(run.kind, "deploy"))
		return go_refuse_unfinished(g, &run, e);
	if (open == 0) {
		if (live == NULL || *live == '\0')
			return err_kind(e, ERR_REFUSED, "nothing is live on "
			    "'%s' that could be taken back",
			    g->s.target->name);
		int got = run_of(g, live, &run, e);
		if (got <= 0)
			return got < 0 ? -1 : err_kind(e, ERR_REFUSED, "the "
			    "ledger has no deploy that made %s live", live);
	}
	return undo(g, &run, o, how, e);
}

/* RELEASE must be one that the way back leads through. */
static int
check_release(struct go *g, const char *to, struct err *e)
{
	struct ledger_release rel = { 0 };

	if (to == NULL)
		return 0;
	int got = ledger_release_get(g->s.db, g->s.a, g->s.target->name, to,
	    &rel, NULL, NULL, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_kind(e, ERR_CONFIG, "there is no release '%s' on "
		    "'%s': sluice-status lists them", to, g->s.target->name);
	return 0;
}

/* A way back of several hops is refused before its first is begun. The one
 * that a plan is shown of is the first. */
static int
look_ahead(struct go *g, const struct opts *o, struct err *e)
{
	struct ledger_run open = { 0 };
	sym live = g->s.live;

	int got = go_unfinished(g, &open, e);
	if (got < 0)
		return -1;
	if (got > 0 && !streq(open.kind, "stage") &&
	    !streq(open.kind, "deploy"))
		return 0;		/* the first hop says why not */
	if (got > 0 && streq(open.kind, "deploy"))
		live = open.from;
	else if (live != NULL) {
		got = run_of(g, live, &open, e);
		if (got < 0)
			return -1;
		live = got > 0 ? open.from : NULL;
	}
	while (live != NULL && !streq(live, o->rev)) {
		int code = hop(g, o, live, HOP_LATER, e);
		if (code > 0 && *g->plan.from == '\0')
			warn("release %s is not on the way back", o->rev);
		if (code != 0)
			return code < 0 ? err_wrap(e, "release %s is not on "
			    "the way back", o->rev) : code;
		live = g->plan.from;
	}
	return 0;
}

/* Down to o->rev, or one. */
static int
hops(struct go *g, const struct opts *o, bool dry, struct err *e)
{
	struct strbuf goal STRBUF_SCOPED = STRBUF_INIT;

	strbuf_str(&goal, o->rev == NULL ? "" : o->rev);
	for (size_t i = 0; o->rev != NULL && i < o->accept.n; i++)
		strbuf_printf(&goal, " %s", o->accept.v[i]);
	g->goal = sym_get(g->s.a, goal.s);
	int code = 0;
	if (o->rev != NULL)
		code = look_ahead(g, o, e);
	while (code == 0) {
		code = hop(g, o, g->s.live, dry ? HOP_SHOW : HOP_DO, e);
		if (code != 0 || dry)
			return code;
		if (ledger_live(g->s.db, g->s.a, g->s.target->name,
		    &g->s.live, e) < 0)
			return -1;
		if (o->rev == NULL || streq(o->rev, g->s.live))
			return 0;
	}
	return code;
}

int
go_undo(struct go *g, const struct opts *o, bool dry, struct err *e)
{
	if (!g->s.ledger)
		return err_kind(e, ERR_REFUSED, "nothing was deployed to '%s' "
		    "yet", g->s.target->name);
	if (check_release(g, o->rev, e) < 0)
		return -1;
	g->why = o->because != NULL ? sym_get(g->s.a, o->because) :
	    sym_get(g->s.a, "rollback");
	if (!dry && go_lease(g, e) < 0)
		return -1;
	if (o->rev != NULL && streq(o->rev, g->s.live)) {
		warn("%s is live already", o->rev);
		return 0;
	}
	return hops(g, o, dry, e);
}

int
go_undo_rest(struct go *g, const struct ledger_run *run, struct err *e)
{
	char *words = arena_strdup(g->s.a, run->goal), *one;
	struct opts o = { .rev = strsep(&words, " ") };

	if (undone_mark(g, run->from, e) < 0 ||
	    ledger_live(g->s.db, g->s.a, g->s.target->name, &g->s.live, e) < 0)
		return -1;
	if (*o.rev == '\0' || streq(o.rev, g->s.live))
		return 0;
	while ((one = strsep(&words, " ")) != NULL)
		strvec_push(&o.accept, one);
	int code = hops(g, &o, false, e);
	strvec_release(&o.accept);
	return code;
}

/* Between the roll and the unsafe migrations: nobody is shut out. Whoever ends
 * the soak first, by --finish, by a rollback or by the next deploy, has it. */
#include "prog/go.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/util.h"

#define LOOK_MS 1000

/* What became of our run; NULL: cannot be told just now. */
static sym
status_now(struct go *g)
{
	struct ledger_run *all = NULL;
	struct err ignored = ERR_INIT;
	uint32_t n = 0;

	if (ledger_runs(g->s.db, g->s.a, g->s.target->name, 20, &all, &n,
	    &ignored) < 0)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		if (all[i].id == g->d.run.id)
			return all[i].status;
	return NULL;
}

/* Another has ended it: it is neither soaking any more nor at a standstill. */
static bool
is_over(struct go *g, sym *now)
{
	*now = status_now(g);
	return *now != NULL && !streq(*now, "soaking") &&
	    !streq(*now, "running");
}

/* 1: it is over, or another has ended it. 0: interrupted. */
static int
wait_until(struct go *g, int64_t until, struct err *e)
{
	struct pollfd p = { .fd = signals_fd(e), .events = POLLIN };

	if (p.fd < 0)
		return -1;
	while (clock_epoch() < until) {
		int64_t left = (until - clock_epoch()) * 1000;
		if (poll(&p, 1, left < LOOK_MS ? (int)left : LOOK_MS) > 0) {
			int sig = signals_seen();
			if (sig == SIGINT || sig == SIGTERM)
				return 0;
		}
		sym now = NULL;
		if (is_over(g, &now))
			return 1;
	}
	return 1;
}

static int
ended_by_another(const struct go *g, const char *status)
{
	warn("another went on with %s meanwhile: the run is %s", g->plan.to,
	    status);
	return streq(status, "done") ? 0 : streq(status, "back") ?
	    EXIT_BACK : streq(status, "held") ? EXIT_HELD : EXIT_LATER;
}

int
go_open(struct go *g, bool dry, struct err *e)
{
	struct ledger_run run = { 0 };
	int open = g->s.ledger ? go_unfinished(g, &run, e) : 0;

	if (open <= 0)
		return open;
	if (dry || !streq(run.status, "soaking") ||
	    plan_soaks_until(&g->plan) > clock_epoch())
		return go_refuse_unfinished(g, &run, e);
	warn("%s has soaked: its unsafe migrations go first", run.to);
	int code = go_resume(g, &run, e);
	return code != 0 ? code : ledger_live(g->s.db, g->s.a,
	    g->s.target->name, &g->s.live, e) < 0 ? -1 : 0;
}

int
go_soak(struct go *g, struct err *e)
{
	struct strbuf at STRBUF_SCOPED = STRBUF_INIT;
	int64_t until = plan_soaks_until(&g->plan);
	sym now = NULL;

	if (go_mark(g, g->d.run.id, "soaking", NULL, e) < 0)
		return -1;
	lease_free(take(g->d.lease));
	stamp_print(&at, until);
	warn("%s %sis soaking until %s; the lease is free; `sluice-deploy "
	    "--finish %s` ends it", g->plan.to, streq(g->plan.kind, "deploy") ?
	    "serves everywhere and " : "", at.s, g->s.target->name);
	int over = wait_until(g, until, e);
	if (over <= 0) {
		if (over == 0)
			warn("interrupted: it goes on soaking; `sluice-deploy "
			    "--resume %s` after %s", g->s.target->name, at.s);
		return over == 0 ? EXIT_LATER : -1;
	}
	if (is_over(g, &now))
		return ended_by_another(g, now);
	int got = go_lease_again(g, e);
	if (got <= 0)
		return got < 0 ? -1 : EXIT_LATER;
	if (is_over(g, &now))
		return ended_by_another(g, now);
	if (ledger_run_steps(g->s.db, g->s.a, g->s.target->name, &g->d.run,
	    &g->plan, e) < 0 ||
	    go_mark(g, g->d.run.id, "running", NULL, e) < 0)
		return -1;
	return go_carry(g, true, e);
}

/* Takes a commit to a target: stage it on every host, apply the safe
 * migrations, roll the hosts, apply the unsafe ones, publish. Reads sluice.ini,
 * the repository, the database and the hosts; writes the ledger.
 *
 * Exit codes: 0 done (or live already), 1 refused, 2 usage or configuration,
 * 3 could not tell or reach, 4 failed and reverted (the old release serves
 * everywhere), 5 failed and held (a person must look), 6 interrupted. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "prog/go.h"

static const char help[] =
"usage: sluice-deploy [-c FILE] TARGET [COMMIT] [-n] [--because TEXT]\n"
"       sluice-deploy [-c FILE] TARGET --resume | --finish\n\n"
"Takes COMMIT (HEAD) to TARGET, a [target] of sluice.ini, without an outage:\n"
"stages it on every host, applies the safe migrations, rolls the hosts, applies\n"
"the unsafe ones. On a failure the hosts go back by themselves.\n\n"
"  -n, --dry-run    show the plan and do nothing\n"
"      --resume     go on with a run that was interrupted, killed or held\n"
"      --finish     the same, and end the soak now\n"
"      --because T  why, for the ledger and for whoever is refused meanwhile\n"
"  -c, --config F   the configuration, instead of the work tree's sluice.ini\n\n"
"Exit code: 0 done, 1 refused, 2 usage or configuration, 3 could not tell or\n"
"reach, 4 failed and reverted, 5 failed and held, 6 interrupted.\n";

/* 1: it is live already. */
static int
is_live(struct site *s, const char *commit, struct err *e)
{
	struct ledger_release rel = { 0 };

	if (s->live == NULL)
		return 0;
	int got = ledger_release_get(s->db, s->a, s->target->name, s->live,
	    &rel, NULL, NULL, e);
	return got <= 0 ? got : streq(rel.commit, commit);
}

static int
deploy(struct go *g, const char *commit, struct err *e)
{
	int code = go_open(g, false, e);

	if (code != 0)
		return code;
	if (go_reconcile(g, e) < 0)
		return -1;
	int live = is_live(&g->s, commit, e);
	if (live < 0)
		return -1;
	if (live > 0) {
		warn("commit %.12s is live on '%s' already, as %s", commit,
		    g->s.target->name, g->s.live);
		return 0;
	}
	if (site_facts(&g->s, e) < 0 || go_codes(g, commit, e) < 0)
		return -1;
	if (!code_fine(&g->new))
		return 1;
	if (go_check_hosts(g, e) < 0)
		return -1;
	return go_ship(g, commit, e);
}

static int
resume(struct go *g, bool dry, struct err *e)
{
	struct ledger_run run = { 0 };

	int open = g->s.ledger ? go_unfinished(g, &run, e) : 0;
	if (open < 0)
		return -1;
	if (open == 0) {
		warn("there is nothing to resume on '%s'",
		    g->s.target->name);
		return 0;
	}
	if (dry) {
		plan_say(&g->plan, NULL, false);
		return 0;
	}
	return go_resume(g, &run, e);
}

static int
run(struct go *g, const struct opts *o, struct err *e)
{
	bool again = o->resume || o->finish;
	sym commit = NULL;

	if (site_config(&g->s, o, e) < 0 || go_named_hosts(g, e) < 0 ||
	    (!again && go_commit(g, &commit, o->rev, e) < 0) ||
	    site_connect(&g->s, !o->dry, e) < 0)
		return -1;
	if (o->dry && !again)
		return go_look(g, commit, false, e);
	g->d.finish = o->finish;
	g->why = o->because != NULL ? sym_get(g->s.a, o->because) : again ?
	    sym_get(g->s.a, "resume") :
	    sym_printf(g->s.a, "deploy of %.12s", commit);
	if (o->dry)
		return resume(g, true, e);
	if (go_lease(g, e) < 0)
		return -1;
	return again ? resume(g, false, e) : deploy(g, commit, e);
}

int
main(int argc, char **argv)
{
	return go_main(argc, argv, "cnrfb", true, help, run);
}

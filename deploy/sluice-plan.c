/* What a deploy or a rollback would do, instant by instant. Reads sluice.ini,
 * the repository, the database and the ledger; writes nothing.
 *
 * Exit codes: 0 it would go, 1 it would be refused, 2 usage or configuration,
 * 3 could not tell or reach. */
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "prog/go.h"

static const char help[] =
"usage: sluice-plan [-c FILE] TARGET [COMMIT] [--json]\n"
"       sluice-plan [-c FILE] TARGET --rollback [RELEASE] [--json]\n\n"
"Shows what sluice-deploy would do with COMMIT (HEAD), or sluice-rollback with\n"
"what is live: every step in order, the migrations with their verdicts, and what\n"
"serves meanwhile. Touches nothing.\n\n"
"      --rollback   the way back\n"
"      --json       one object, with the plan's digest\n"
"  -c, --config F   the configuration, instead of the work tree's sluice.ini\n\n"
"Exit code: 0 it would go, 1 refused, 2 usage or configuration, 3 could not\n"
"tell or reach.\n";

static int
forward(struct go *g, const struct opts *o, struct err *e)
{
	sym commit = NULL;

	if (go_named_hosts(g, e) < 0 || go_commit(g, &commit, o->rev, e) < 0 ||
	    site_connect(&g->s, false, e) < 0)
		return -1;
	return go_look(g, commit, o->json, e);
}

static int
run(struct go *g, const struct opts *o, struct err *e)
{
	if (site_config(&g->s, o, e) < 0)
		return -1;
	if (!o->rollback)
		return forward(g, o, e);
	return site_connect(&g->s, false, e) < 0 ? -1 :
	    go_undo(g, o, true, e);
}

int
main(int argc, char **argv)
{
	return go_main(argc, argv, "cjR", true, help, run);
}

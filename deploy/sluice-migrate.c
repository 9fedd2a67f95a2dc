/* One phase of migrations only, where something else puts the code live: a
 * Procfile's release line, a Kubernetes Job, a CI step. Django runs on the
 * release host, from a release that is staged there.
 *
 * Exit codes: 0 done, 1 refused, 2 usage or configuration, 3 could not tell or
 * reach, 5 failed and held, 6 interrupted (sluice-deploy --resume). */
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "prog/go.h"

static const char help[] =
"usage: sluice-migrate [-c FILE] TARGET --phase safe|unsafe [COMMIT]\n\n"
"Applies one phase of COMMIT's (HEAD) migrations to TARGET's database and nothing\n"
"else: `safe` before the new code is live, `unsafe` once no old code runs any more.\n"
"Django runs on the release host, where the commit is staged if it is not yet.\n\n"
"  -n, --dry-run    show the plan and do nothing\n"
"      --because T  why, for the ledger\n"
"  -c, --config F   the configuration, instead of the work tree's sluice.ini\n\n"
"Exit code: 0 done, 1 refused, 2 usage or configuration, 3 could not tell or\n"
"reach, 5 failed and held, 6 interrupted (sluice-deploy --resume goes on).\n";

static int
phase_run(struct go *g, const struct opts *o, enum forward phase, struct err *e)
{
	sym commit = NULL;

	if (site_config(&g->s, o, e) < 0 || go_named_hosts(g, e) < 0 ||
	    go_commit(g, &commit, o->rev, e) < 0 ||
	    site_connect(&g->s, !o->dry, e) < 0)
		return -1;
	g->why = o->because != NULL ? sym_get(g->s.a, o->because) :
	    sym_printf(g->s.a, "%s migrations of %.12s", o->phase, commit);
	if (!o->dry && go_lease(g, e) < 0)
		return -1;
	int code = go_open(g, o->dry, e);
	if (code != 0)
		return code;
	if (site_facts(&g->s, e) < 0 || go_codes(g, commit, e) < 0)
		return -1;
	if (!code_fine(&g->new))
		return 1;
	return go_phase(g, commit, phase, o->dry, e);
}

static int
run(struct go *g, const struct opts *o, struct err *e)
{
	if (streq(o->phase, "safe"))
		return phase_run(g, o, FWD_SAFE, e);
	if (streq(o->phase, "unsafe"))
		return phase_run(g, o, FWD_UNSAFE, e);
	return err_kind(e, ERR_CONFIG, "which phase? --phase safe or "
	    "--phase unsafe (%s -h tells more)", prog_name());
}

int
main(int argc, char **argv)
{
	return go_main(argc, argv, "cnpb", true, help, run);
}

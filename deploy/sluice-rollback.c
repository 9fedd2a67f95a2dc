/* The way back, from wherever the release got to: an open deploy is undone as
 * far as it came, else the live release, hop by hop down to RELEASE. Reads the
 * ledger, the database and the hosts; needs no git.
 *
 * Exit codes: 0 done, 1 refused, 2 usage or configuration, 3 could not tell or
 * reach, 5 failed and held, 6 interrupted (sluice-deploy --resume). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "prog/go.h"

static const char help[] =
"usage: sluice-rollback [-c FILE] TARGET [RELEASE] [-n] [--accept NAME]…\n"
"                       [--code-only] [--because TEXT]\n\n"
"Takes TARGET back to RELEASE (the one before): reverses the unsafe migrations\n"
"while the new code runs, takes the hosts back, then reverses the safe ones. What\n"
"cannot be reversed or loses data is said first, and refused unless accepted.\n\n"
"  -n, --dry-run      show the plan and do nothing\n"
"      --accept NAME  app.migration whose loss may be, or \"all\"\n"
"      --code-only    the hosts alone, where the old code runs on the schema; goes\n"
"                     without the database, too (--accept schema)\n"
"      --because T    why, for the ledger\n"
"  -c, --config F     the configuration, instead of the work tree's sluice.ini\n\n"
"Exit code: 0 done, 1 refused, 2 usage or configuration, 3 could not tell or\n"
"reach, 5 failed and held, 6 interrupted (sluice-deploy --resume goes on).\n";

static int
run(struct go *g, const struct opts *o, struct err *e)
{
	if (site_open(&g->s, o, false, e) < 0) {
		struct err why = *e;
		if (!o->code_only || g->s.target == NULL || g->s.db != NULL ||
		    e->kind != ERR_TROUBLE)
			return -1;
		err_clear(e);
		return go_blind(g, o, &why, e);
	}
	return go_undo(g, o, o->dry, e);
}

int
main(int argc, char **argv)
{
	return go_main(argc, argv, "cnaob", true, help, run);
}

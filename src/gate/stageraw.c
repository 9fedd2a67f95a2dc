#include "gate/stageraw.h"

#include "gate/gitcmd.h"

int
stageraw_get(struct strbuf *out, const char *dir, struct err *e)
{
	return gitcmd_run(out, dir, NULL, e, "diff", "--cached", "--raw",
	    "--no-abbrev", "--no-renames", "--no-ext-diff",
	    "--ignore-submodules=none", "-z", NULL) == 0 ? 0 : -1;
}

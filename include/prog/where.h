/* Which sluice.ini holds for a repository; for programs without a database. */
#ifndef PROG_WHERE_H
#define PROG_WHERE_H

#include "read/config.h"
#include "read/repo.h"

/* The repository here, as git's environment names it. Its index is left to git
 * itself: libgit2 refuses the whole repository for a kind that it cannot read
 * (sparse, split), and a hook's GIT_INDEX_FILE may be of any kind. */
int where_repo(struct repo **out, struct err *e);

/* `given` (-c), else $SLUICE_CONFIG, else sluice.ini at the top of the work
 * tree; in a bare repository `git config sluice.config`, else <gitdir>/
 * sluice.ini. An ERR_CONFIG when it is not there says what to write. */
int where_config(struct config *c, struct arena *a, struct repo *r,
    const char *given, struct err *e);
/* Another of our programs: the one beside this, else the one on PATH. */
sym where_program(struct arena *a, const char *name);
/* The project's Python: below its root or the top of the work tree, or below
 * the main work tree's; a bare name is for PATH. */
sym where_python(struct arena *a, struct repo *r,
    const struct cfg_project *p);

#endif

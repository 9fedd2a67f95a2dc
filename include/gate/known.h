/* Trees whose makemigrations was found clean, so that it need not be asked
 * again: an empty file for each below <gitdir>/sluice/clean, named by a digest
 * of the tree's sources and data, the project's Python and what is installed
 * in it. */
#ifndef GATE_KNOWN_H
#define GATE_KNOWN_H

#include "base/err.h"
#include "gate/clean.h"
#include "read/repo.h"

/* The digest for this job on that tree; job->tree is not looked at. link: the
 * ignored files that the export takes along, or NULL. */
int known_key(char key[65], struct repo *r, const char *tree,
    const struct clean_job *job, const char *link, struct err *e);
bool known_clean(struct repo *r, const char *key);
/* Best effort: what cannot be remembered is asked again. */
void known_remember(struct repo *r, const char *key);

#endif

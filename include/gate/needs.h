/* Files that migrations are made of beside themselves, as far as they were
 * read here: one of them staged makes a commit ours to judge. Kept below the
 * git folder; links nothing, since it is asked at every commit. */
#ifndef GATE_NEEDS_H
#define GATE_NEEDS_H

#include <stdbool.h>

#include "base/strbuf.h"

/* 1: *out is the list. 0: none is kept yet. */
int needs_read(struct strbuf *out, const char *gitdir);
bool needs_has(const struct strbuf *list, const char *path);
void needs_add(struct strbuf *list, const char *path);	/* once */
/* It is a hint: where it cannot be written there is none. */
void needs_write(const struct strbuf *list, const char *gitdir);
/* The git folder of the index that git's environment names. */
void needs_gitdir(struct strbuf *out);

#endif

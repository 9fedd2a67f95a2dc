/* A first sluice.ini for a repository that has none, from what is found. */
#ifndef GATE_SURVEY_H
#define GATE_SURVEY_H

#include "base/err.h"
#include "base/strbuf.h"

/* Writes TOP/sluice.ini. 1: written, and `said` tells what was taken from
 * where. 0: there is one, or no manage.py to start from (told). */
int survey_write(struct strbuf *said, const char *top, struct err *e);

/* What a bare repository lacks beside the hooks, and the lines to run. */
void survey_server(struct strbuf *said, const char *top);

/* Hook managers whose configuration stands in the tree: how theirs can run
 * ours, for a team that installs by them. Nothing where there are none. */
void survey_managers(struct strbuf *said, const char *top);

#endif

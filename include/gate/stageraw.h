/* What is staged, as git tells it: asked once, handed on. */
#ifndef GATE_STAGERAW_H
#define GATE_STAGERAW_H

#include "base/err.h"
#include "base/strbuf.h"

/* ":MODE MODE ID ID STATUS\0path\0" for each file; dir NULL: here. */
int stageraw_get(struct strbuf *out, const char *dir, struct err *e);

#endif

/* What the gate's own files share. */
#ifndef SRC_GATE_H
#define SRC_GATE_H

#include "base/err.h"
#include "base/strbuf.h"

/* "what: libgit2's words" */
int gate_git(struct err *e, const char *what);

/* A path inside '…' of sh; and back, up to the closing quote. */
void gate_quote(struct strbuf *b, const char *s);
void gate_unquote(struct strbuf *b, const char *s);

#endif

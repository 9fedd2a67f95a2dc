/* The machine's tag as a line of a migration's text. */
#ifndef GATE_TAGLINE_H
#define GATE_TAGLINE_H

#include "base/err.h"
#include "base/strbuf.h"
#include "judge/verdict.h"

/* "# sluice: unsafe auto -- why", or nothing where there is no phase. */
void tagline_make(struct strbuf *b, const struct verdict *v);
/* A person's: "# sluice: safe for=… because "why"", with the other words of
 * t (reverse=, delay=, repeat) in between. */
void tagline_person(struct strbuf *b, const struct migration *m,
    const struct tag *t);

/* The text with that line above `operations`, in place of an older line of
 * ours at line `old` (0: none). 1: out differs from text. 0: it is there
 * already. -1: there is no place for it that can be told. Reads the result
 * again: the operations must be the same. */
int tagline_put(struct strbuf *out, const struct strbuf *text,
    const struct migration *m, const char *tag, struct err *e);
/* The text with `for=` put into a person's tag that is not bound yet. 1: out
 * differs. 0: there is nothing to bind. -1: it cannot be done for sure. */
int tagline_bind(struct strbuf *out, const struct strbuf *text,
    const struct migration *m, struct err *e);

#endif

/* Plans and verdicts as text for people. */
#ifndef SHOW_TEXT_H
#define SHOW_TEXT_H

#include "base/strbuf.h"
#include "plan/plan.h"

/* What a step does: "apply shop.0005_source", "drain"; brief: which release
 * it is about is known. */
void text_step(struct strbuf *b, const struct step *s, bool brief);
/* The rows by phase, with what is live meanwhile, and the notes. The verdicts
 * stand beside the migrations when j is not NULL. */
void text_plan(struct strbuf *b, const struct plan *p,
    const struct judgement *j, bool colour);
void text_notes(struct strbuf *b, const struct plan *p, bool colour);

/* "\033[31m…" and back, or nothing. */
enum ink { INK_NONE, INK_BOLD, INK_DIM, INK_RED, INK_GREEN, INK_YELLOW };
void text_ink(struct strbuf *b, bool colour, enum ink ink);

#endif

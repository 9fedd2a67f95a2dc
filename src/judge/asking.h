/* One table being asked about: what runs_on.c and ask_columns.c share. */
#ifndef JUDGE_ASKING_H
#define JUDGE_ASKING_H

#include "judge/ask.h"

struct ask {
	struct findings *f;
	struct arena *a;
	const struct vec *want, *have;
	const struct settings *s;
	const struct table *w, *h;	/* the table now asked about */
	struct memo *memo;		/* or NULL */
};

/* One more reason. Texts are predicates: whoever knows the corner puts the
 * subject before them («deployed code still …»). */
void found(struct ask *q, enum reason_kind kind, enum degree degree,
    const struct column *field, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* ask_columns.c: the first three questions, to q->w and q->h */
void ask_columns(struct ask *q);
void ask_unknown(struct ask *q);
void ask_known(struct ask *q);

#endif

/* Putting a plan together: rows, waves and notes. */
#ifndef PLAN_BUILD_H
#define PLAN_BUILD_H

#include "plan/plan.h"

struct build {
	struct arena *a;
	const struct plan_facts *f;
	struct list(struct step) steps;
	struct list(struct plan_note) notes;
	uint32_t wave;		/* of the next row */
	sym phase;		/* of the next row */
};

struct step *build_step(struct build *b, enum step_kind kind, sym lane,
    sym subject, sym want);
/* Rows after this come when those before it are done. */
void build_wave(struct build *b, const char *phase);
void build_note(struct build *b, int kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool build_refused(const struct build *b);
/* Hosts to `want`, batch by batch, in the order given (indexes into hosts). */
void build_roll(struct build *b, const uint32_t *hosts, uint32_t n, sym want);
/* Steps, notes and the digest; no steps where a note refuses. */
void build_end(struct build *b, struct plan *out);

sym migration_key(struct arena *a, const struct migration *m); /* app.name */
const struct verdict *verdict_of(const struct plan_facts *f, sym key);
bool is_first(const struct plan_facts *f);

/* Is a thing of the catalogue as the other, for what can be compared? */
bool halfway_col_like(const struct column *x, const struct column *y);
bool halfway_con_like(const struct con *x, const struct con *y);

#endif

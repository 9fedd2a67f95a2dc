/* One operation on the models, and what is wrong with it. */
#ifndef JUDGE_CHANGING_H
#define JUDGE_CHANGING_H

#include "judge/judge.h"

struct change_state {
	struct arena *a;
	const struct settings *s;
	const struct op *op;
	sym app;
	struct models *models;
	sym why;
	enum mistake kind;	/* of why */
};


struct togethers togethers_read(struct arena *a, const struct value *v);
struct options *options_read(struct arena *a, const struct value *dict);
void model_create(struct change_state *x);

/* mistake.c: says what is wrong, unless something was said already. */
void mistake(struct change_state *x, enum mistake kind, sym why);
/* Does what is written here name a field that the model has not? Django looks
 * each of them up. */
void fields_known(struct change_state *x, const struct model *m,
    const struct value *v);

#endif

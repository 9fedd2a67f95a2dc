/* A chain of migrations that does not go out in one hop may go in two: which
 * commit in between is the first. */
#include "base/clock.h"
#include "base/util.h"
#include "gate/touch.h"
#include "prog/hook.h"

#define LOOKED_AT 12		/* commits that bring migrations */
#define STEPS 2000
#define SPARE_MS 5000

/* 1: may go from one to the other in one hop. */
static int
goes(struct hook *h, const struct cfg_project *p, const char *from,
    const char *to, struct err *e)
{
	struct trial_ask ask = { .project = p,
		.exceptions = h->cfg.hooks.exceptions };
	struct trial t = { 0 };
	int r = source_commit(&ask.base, h->repo, from, e);

	if (r == 0)
		r = source_commit(&ask.head, h->repo, to, e);
	if (r == 0)
		r = trial_run(&t, h->a, &ask, e);
	source_free(ask.base);
	source_free(ask.head);
	return r < 0 ? -1 : trial_fine(&t);
}

/* 1: *out is where it has to stop over. 0: no such commit was found. */
int
hook_stopover(sym *out, struct hook *h, const struct cfg_project *p,
    const char *base, const char *tip, struct err *e)
{
	sym at = tip, next = NULL;
	int looked = 0, r = 0;

	for (int i = 0; i < STEPS && looked < LOOKED_AT; i++, at = next) {
		r = repo_commit(h->repo, &next, h->a,
		    sym_printf(h->a, "%s^1", at), e);
		if (r <= 0 || streq(next, base) ||
		    (h->until > 0 && clock_ms() + SPARE_MS > h->until))
			return r < 0 ? -1 : 0;
		r = range_touches(h->repo, next, at, touch_judged, e);
		if (r == 0)
			continue;
		looked++;
		if (r > 0 && (r = goes(h, p, next, tip, e)) == 1)
			r = goes(h, p, base, next, e);
		*out = next;
		if (r != 0)
			return r;
	}
	return 0;
}

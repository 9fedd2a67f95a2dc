/* The kinds of step that need neither host nor Django. */
#include "act/run.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/util.h"
#include "read/repo.h"

static int
never(struct lane *l, const struct step *s, struct err *e)
{
	(void)l, (void)s, (void)e;
	return ANSWER_NO;
}

/* The loop does not come here before it is over. */
static int
soak_make(struct lane *l, const struct step *s, struct err *e)
{
	(void)l, (void)s, (void)e;
	return ANSWER_YES;
}

static int
floor_ask(struct lane *l, const struct step *s, struct err *e)
{
	sym at = NULL;

	if (ledger_floor(l->d->db, l->d->a, l->d->target->name, &at, e) < 0)
		return -1;
	return streq(at, s->want) ? ANSWER_YES : ANSWER_NO;
}

static int
floor_make(struct lane *l, const struct step *s, struct err *e)
{
	struct ledger_pen w = deploy_pen(l->d);

	return ledger_floor_set(&w, s->want, e) < 0 ? -1 : ANSWER_YES;
}

static int
publish_ask(struct lane *l, const struct step *s, struct err *e)
{
	sym live = NULL;

	if (ledger_live(l->d->db, l->d->a, l->d->target->name, &live, e) < 0)
		return -1;
	return l->d->repo == NULL && streq(live, s->want) ? ANSWER_YES :
	    ANSWER_NO;
}

/* The ref is for hooks and people; the ledger is what counts. So a ref that
 * cannot be written is told, and no more. */
static int
publish_ref(struct lane *l, const char *release, struct err *e)
{
	struct deploy *d = l->d;
	struct ledger_release rel = { 0 };
	struct err why = ERR_INIT;

	int got = ledger_release_get(d->db, d->a, d->target->name, release,
	    &rel, NULL, NULL, e);
	if (got < 0 || d->repo == NULL)
		return got;
	sym name = sym_printf(d->a, "refs/sluice/deployed/%s",
	    d->target->name);
	sym text = sym_printf(d->a, "sluice: %s is live", release);
	if (got == 0)
		strbuf_printf(&l->note, "the ledger does not know %s",
		    release);
	else if (repo_ref_set(d->repo, name, rel.commit, text, &why) < 0)
		strbuf_printf(&l->note, "%s not written: %s", name, why.msg);
	return 0;
}

static int
publish_make(struct lane *l, const struct step *s, struct err *e)
{
	struct ledger_pen w = deploy_pen(l->d);

	if (ledger_release_set(&w, s->want, "live", e) < 0)
		return -1;
	return publish_ref(l, s->want, e) < 0 ? -1 : ANSWER_YES;
}

const struct kind kind_soak = { never, soak_make };
const struct kind kind_floor = { floor_ask, floor_make };
const struct kind kind_publish = { publish_ask, publish_make };

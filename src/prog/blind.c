/* The hosts alone, put back while the database cannot be reached. The number
 * that fences off older deploys comes from the hosts themselves, and what was
 * done stands in their journals until the ledger can be written again. */
#include "prog/go.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "act/host.h"
#include "base/clock.h"
#include "base/util.h"

static bool
has_release(const struct host_view *v, const char *id)
{
	for (uint32_t i = 0; i < v->nreleases; i++)
		if (streq(v->releases[i], id))
			return true;
	return false;
}

/* The newest that any host serves; NULL: none does. */
static sym
newest_served(const struct go *g, const struct host_view *v)
{
	sym found = NULL;

	for (uint32_t i = 0; i < g->s.target->nhosts; i++)
		if (v[i].linked != NULL &&
		    (found == NULL || strcmp(v[i].linked, found) > 0))
			found = v[i].linked;
	return found;
}

/* What all hosts that serve `live` had served before it. */
static sym
one_before(const struct go *g, const struct host_view *v, const char *live)
{
	sym found = NULL;

	for (uint32_t i = 0; i < g->s.target->nhosts; i++) {
		if (v[i].linked == NULL || !streq(v[i].linked, live))
			continue;
		if (v[i].before == NULL ||
		    (found != NULL && !streq(v[i].before, found)))
			return NULL;
		found = v[i].before;
	}
	return found;
}

static int
check_stands(const struct go *g, const struct host_view *v, const char *to,
    struct err *e)
{
	for (uint32_t i = 0; i < g->s.target->nhosts; i++)
		if (v[i].reached && !has_release(&v[i], to))
			return err_kind(e, ERR_REFUSED, "release %s is not on "
			    "host '%s': nothing was touched", to,
			    v[i].host->name);
	return 0;
}

static int64_t
serial_above(const struct go *g, const struct host_view *v)
{
	int64_t serial = clock_epoch();

	for (uint32_t i = 0; i < g->s.target->nhosts; i++)
		if (v[i].serial >= serial)
			serial = v[i].serial + 1;
	return serial;
}

static int
blind_run(struct go *g, struct err *e)
{
	struct err why = ERR_INIT;

	signal(SIGHUP, SIG_IGN);
	g->d.run.kind = g->plan.kind;
	int end = run_plan(&g->d, false, &why);
	if (end < 0) {
		*e = why;
		return -1;
	}
	if (end == RUN_DONE) {
		warn("every host serves %s; the ledger does not know it yet: "
		    "the next deploy or rollback writes it down", g->plan.to);
		return 0;
	}
	warn("%s; the same command goes on", end == RUN_INTERRUPTED ?
	    "interrupted" : why.msg);
	return end == RUN_INTERRUPTED ? EXIT_LATER : EXIT_HELD;
}

int
go_blind(struct go *g, const struct opts *o, const struct err *why,
    struct err *e)
{
	const struct host_view *v = go_views(g);
	struct judged none = { 0 };
	struct plan_facts f;
	struct plan_done done = { .code_only = true, .blind = true };
	sym *on = NULL;
	uint32_t down = 0;

	warn("%s", why->msg);
	sym live = newest_served(g, v);
	if (live == NULL)
		return err_set(e, "no host can be reached that serves a "
		    "release");
	sym to = o->rev != NULL ? sym_get(g->s.a, o->rev) :
	    one_before(g, v, live);
	if (to == NULL)
		return err_kind(e, ERR_REFUSED, "the hosts do not agree on "
		    "what was served before %s: name a release", live);
	if (check_stands(g, v, to, e) < 0 || go_hosts(g, &on, &down, e) < 0)
		return -1;
	sym *accept = arena_array(g->s.a, sym, o->accept.n + 1);
	for (size_t i = 0; i < o->accept.n; i++)
		accept[i] = sym_get(g->s.a, o->accept.v[i]);
	done.accepted = accept;
	done.naccepted = (uint32_t)o->accept.n;
	site_plan_facts(&f, &g->s, &none, to, live, on);
	plan_back(&g->plan, g->s.a, &f, &done);
	plan_say(&g->plan, NULL, o->json);
	if (plan_refused(&g->plan) || o->dry)
		return plan_refused(&g->plan);
	go_fill(g);
	g->d.serial = serial_above(g, v);
	return blind_run(g, e);
}

/* What all hosts attest, where it is one release and not the ledger's. */
static sym
elsewhere(struct go *g, int64_t *at)
{
	const struct host_view *v = go_views(g);
	sym one = NULL;

	for (uint32_t i = 0; i < g->s.target->nhosts; i++) {
		sym on = host_attests(&v[i]);
		if (on == NULL || (one != NULL && !streq(on, one)))
			return NULL;
		one = on;
		if (v[i].switched > *at)
			*at = v[i].switched;
	}
	return streq(one, g->s.live) ? NULL : one;
}

int
go_reconcile(struct go *g, struct err *e)
{
	struct ledger_release rel = { 0 };
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct plan kept = g->plan;
	struct step s[] = {
		{ .seq = 1, .wave = 1, .lane = "db", .subject = "hosts",
		    .kind = STEP_CENSUS, .phase = "finish" },
		{ .seq = 2, .wave = 2, .lane = "db", .subject = "deployed",
		    .kind = STEP_PUBLISH, .phase = "finish" },
	};
	int64_t at = 0;

	sym on = g->s.live == NULL ? NULL : elsewhere(g, &at);
	if (on == NULL)
		return 0;
	int got = ledger_release_get(g->s.db, g->s.a, g->s.target->name, on,
	    &rel, NULL, NULL, e);
	if (got <= 0)
		return got;
	strbuf_str(&b, "put back without the ledger, ");
	stamp_print(&b, at);
	warn("every host serves %s, %s: the ledger is told", on, b.s);
	s[0].want = s[1].want = on;
	g->plan = (struct plan){ .target = g->s.target->name, .steps = s,
	    .n = 2, .from = g->s.live, .to = on };
	sym why = g->why;
	g->why = sym_get(g->s.a, b.s);
	got = go_begin(g, "rollback", e);
	if (got == 0)
		got = go_run(g, false, e);
	g->why = why;
	g->plan = kept;
	if (got != RUN_DONE)
		return got < 0 ? -1 : err_wrap(e, "writing down what hosts "
		    "serve");
	g->s.live = on;
	return 0;
}

/* Releases, what each host serves, pending migrations, history. Reads the
 * ledger, django_migrations and the hosts; writes nothing.
 *
 * Exit codes: 0 told, 2 usage or configuration, 3 could not tell or reach. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/host.h"
#include "base/clock.h"
#include "base/util.h"
#include "prog/go.h"
#include "show/json.h"
#include "show/text.h"

static const char help[] =
"usage: sluice-status [-c FILE] TARGET [--json]\n\n"
"Shows TARGET as it is: what is live, what every host serves, migrations that the\n"
"live release has and the database has not, releases, and the latest runs.\n\n"
"      --json       one object\n"
"  -c, --config F   the configuration, instead of the work tree's sluice.ini\n\n"
"Exit code: 0 told, 2 usage or configuration, 3 could not tell or reach.\n";

#define HISTORY 10

struct state {
	struct ledger_release *releases;
	struct ledger_run *runs;
	uint32_t nreleases, nruns, npending, down;
	const struct migration **pending;
	sym *on;
	sym floor;
	int64_t soaks;		/* until; 0: nothing does */
};

static int
pending_read(struct state *st, struct go *g, struct err *e)
{
	struct code c = { 0 };

	if (g->s.live == NULL)
		return 0;
	int got = code_release(&c, &g->s, g->s.live, e);
	if (got <= 0)
		return got;
	st->pending = arena_alloc(g->s.a, c.graph.n + 1,
	    sizeof(*st->pending));
	for (uint32_t i = 0; i < c.graph.n; i++)
		if (!site_applied(&g->s, c.graph.order[i]))
			st->pending[st->npending++] = c.graph.order[i];
	return 0;
}

static int
state_read(struct state *st, struct go *g, struct err *e)
{
	const char *target = g->s.target->name;
	struct pg *db = g->s.db;
	struct arena *a = g->s.a;

	if (go_hosts(g, &st->on, &st->down, e) < 0)
		return -1;
	if (!g->s.ledger)
		return 0;
	if (site_facts(&g->s, e) < 0 ||
	    ledger_releases(db, a, target, &st->releases, &st->nreleases,
	    e) < 0 ||
	    ledger_runs(db, a, target, HISTORY, &st->runs, &st->nruns,
	    e) < 0 || ledger_floor(db, a, target, &st->floor, e) < 0)
		return -1;
	if (st->nruns > 0 && streq(st->runs[0].status, "soaking")) {
		if (ledger_run_steps(db, a, target, &st->runs[0], &g->plan,
		    e) < 0)
			return -1;
		st->soaks = plan_soaks_until(&g->plan);
	}
	return pending_read(st, g, e);
}

static void
runs_text(struct strbuf *b, const struct state *st)
{
	if (st->nruns > 0)
		strbuf_str(b, "history\n");
	for (uint32_t i = 0; i < st->nruns; i++) {
		const struct ledger_run *r = &st->runs[i];
		strbuf_str(b, "  ");
		stamp_print(b, r->started);
		strbuf_printf(b, "  %-8s %-7s %s", r->kind, r->status, r->to);
		if (r->ended != 0) {
			strbuf_str(b, ", ");
			duration_print(b, (r->ended - r->started) * 1000);
		}
		strbuf_printf(b, ", by %s", r->who);
		if (*r->why != '\0') {
			strbuf_str(b, ": ");
			strbuf_clean(b, r->why, strlen(r->why), false);
		}
		strbuf_char(b, '\n');
	}
}

static void
host_text(struct strbuf *b, const struct state *st, const struct go *g,
    uint32_t i)
{
	const char *on = st->on[i];
	bool open = st->nruns > 0 && st->runs[0].ended == 0;

	strbuf_printf(b, "  %-10s %s", g->s.target->hosts[i].name,
	    on == NULL ? "cannot be asked" : *on == '\0' ? "nothing" : on);
	if (on != NULL && *on != '\0' && !open && g->s.live != NULL &&
	    !streq(on, g->s.live) && g->views[i].switched != 0) {
		strbuf_str(b, ", put there without the ledger ");
		stamp_print(b, g->views[i].switched);
	}
	strbuf_char(b, '\n');
}

static void
state_text(struct strbuf *b, const struct state *st, const struct go *g)
{
	const struct cfg_target *t = g->s.target;

	strbuf_printf(b, "%s: %s\n", t->name, g->s.live == NULL ?
	    "nothing is live yet" : g->s.live);
	if (st->floor != NULL)
		strbuf_printf(b, "the schema admits no release older than %s\n",
		    st->floor);
	if (st->soaks != 0) {
		strbuf_printf(b, "%s is soaking until ", st->runs[0].to);
		stamp_print(b, st->soaks);
		strbuf_char(b, '\n');
	}
	strbuf_str(b, "hosts\n");
	for (uint32_t i = 0; i < t->nhosts; i++)
		host_text(b, st, g, i);
	strbuf_printf(b, "pending migrations: %s\n",
	    st->npending == 0 ? "none" : "");
	for (uint32_t i = 0; i < st->npending; i++)
		strbuf_printf(b, "  %s.%s\n", st->pending[i]->app,
		    st->pending[i]->name);
	if (st->nreleases > 0)
		strbuf_str(b, "releases\n");
	for (uint32_t i = 0; i < st->nreleases; i++)
		strbuf_printf(b, "  %-32s %-7s %.12s\n", st->releases[i].id,
		    st->releases[i].status, st->releases[i].commit);
	runs_text(b, st);
}

static void
state_json(struct strbuf *b, const struct state *st, const struct go *g)
{
	const struct cfg_target *t = g->s.target;
	json_t *o = json_object(), *hosts = json_array();
	json_t *releases = json_array(), *runs = json_array();
	json_t *pending = json_array();

	json_object_set_new(o, "format", json_integer(1));
	json_object_set_new(o, "target", json_text(t->name));
	json_object_set_new(o, "live", json_text(g->s.live));
	json_object_set_new(o, "floor", json_text(st->floor));
	json_object_set_new(o, "soaking_until", st->soaks == 0 ? json_null() :
	    json_integer(st->soaks));
	for (uint32_t i = 0; i < t->nhosts; i++) {
		json_t *h = json_object();
		json_object_set_new(h, "name", json_text(t->hosts[i].name));
		json_object_set_new(h, "release", json_text(st->on[i]));
		json_array_append_new(hosts, h);
	}
	for (uint32_t i = 0; i < st->npending; i++) {
		struct strbuf k STRBUF_SCOPED = STRBUF_INIT;
		strbuf_printf(&k, "%s.%s", st->pending[i]->app,
		    st->pending[i]->name);
		json_array_append_new(pending, json_text(k.s));
	}
	for (uint32_t i = 0; i < st->nreleases; i++)
		json_array_append_new(releases,
		    json_release(&st->releases[i]));
	for (uint32_t i = 0; i < st->nruns; i++)
		json_array_append_new(runs, json_run(&st->runs[i]));
	json_object_set_new(o, "hosts", hosts);
	json_object_set_new(o, "pending", pending);
	json_object_set_new(o, "releases", releases);
	json_object_set_new(o, "history", runs);
	json_print(b, o);
}

static int
run(struct go *g, const struct opts *o, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct state st = { 0 };

	if (site_open(&g->s, o, false, e) < 0 || state_read(&st, g, e) < 0)
		return -1;
	if (o->json) {
		state_json(&b, &st, g);
	} else {
		state_text(&text, &st, g);
		strbuf_clean(&b, text.s, text.len, true);
	}
	say(STDOUT_FILENO, &b);
	return st.down > 0 ? 3 : 0;
}

int
main(int argc, char **argv)
{
	return go_main(argc, argv, "cj", false, help, run);
}

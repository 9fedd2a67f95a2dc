#include "prog/checks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/balance.h"
#include "act/host.h"
#include "act/hostkey.h"
#include "base/clock.h"
#include "base/util.h"
#include "prog/drift.h"
#include "show/json.h"
#include "show/text.h"

#define DRIFT_MOST 20
#define FREE_MB_LEAST 1024

enum health { FINE, WORRY, FAILS };

struct checks {
	struct go *g;
	json_t *all;		/* NULL: text */
	bool colour, fails;
	uint32_t drifts;
};

static void
tell(struct checks *c, enum health h, const char *about, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void
tell(struct checks *c, enum health h, const char *about, const char *fmt, ...)
{
	static const char *const words[] = { "ok  ", "warn", "FAIL" };
	static const char *const names[] = { "ok", "warn", "fail" };
	static const enum ink inks[] = { INK_GREEN, INK_YELLOW, INK_RED };
	struct strbuf t STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(&t, fmt, ap);
	va_end(ap);
	c->fails |= h == FAILS;
	if (c->all != NULL) {
		json_t *o = json_object();
		json_object_set_new(o, "status", json_text(names[h]));
		json_object_set_new(o, "about", json_text(about));
		json_object_set_new(o, "text", json_text(t.s));
		json_array_append_new(c->all, o);
		return;
	}
	text_ink(&b, c->colour, inks[h]);
	strbuf_str(&b, words[h]);
	text_ink(&b, c->colour, INK_NONE);
	strbuf_printf(&b, " %s: ", about);
	strbuf_clean(&b, t.s, t.len, true);
	strbuf_char(&b, '\n');
	say(STDOUT_FILENO, &b);
}

/* --- the configuration and the repository --- */

static void
check_config(struct checks *c)
{
	const struct site *s = &c->g->s;
	const struct cfg_target *t = s->target;

	tell(c, FINE, "configuration", "%s", s->cfg.path);
	if (s->project->settings == NULL)
		tell(c, FAILS, "configuration", "[project] has no settings = "
		    "…, the module that Django is to load");
	if (t->nhosts == 0)
		tell(c, FAILS, "configuration", "target '%s' has no [host]",
		    t->name);
	if (t->restart == NULL)
		tell(c, WORRY, "configuration", "no restart = …: after the "
		    "switch the old code goes on running");
	if (t->health == NULL)
		tell(c, WORRY, "configuration", "no health = …: a release "
		    "that does not work is not noticed");
	if (t->nhosts > 1 && t->haproxy == NULL)
		tell(c, WORRY, "configuration", "no haproxy = …: hosts are "
		    "not drained before they are restarted");
}

static void
check_repo(struct checks *c)
{
	struct site *s = &c->g->s;
	struct err e = ERR_INIT;
	sym commit = NULL;

	if (s->repo == NULL)
		tell(c, WORRY, "repository", "none here: a deploy needs one, "
		    "a rollback does not");
	else if (repo_commit(s->repo, &commit, s->a, "HEAD", &e) <= 0)
		tell(c, WORRY, "repository", "%s has no commit yet",
		    repo_gitdir(s->repo));
	else
		tell(c, FINE, "repository", "%s, HEAD is %.12s",
		    repo_gitdir(s->repo), commit);
}

/* --- the database --- */

static const char rights_sql[] =
	"SELECT current_user, current_setting('server_version'), "
	"has_database_privilege(current_database(), 'CREATE'), "
	"has_schema_privilege(current_schema(), 'CREATE'), "
	"(SELECT count(*) FROM pg_class c JOIN pg_namespace n "
	"ON n.oid = c.relnamespace WHERE n.nspname = current_schema() "
	"AND c.relkind IN ('r', 'p') "
	"AND NOT pg_has_role(c.relowner, 'USAGE')), "
	"to_regclass('django_migrations') IS NOT NULL, "
	"pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')";

static int
check_rights(struct checks *c)
{
	struct pg_rows *r = NULL;
	struct err e = ERR_INIT;

	if (pg_exec(c->g->s.db, &r, rights_sql, NULL, 0, &e) < 0) {
		tell(c, FAILS, "database", "%s", e.msg);
		return -1;
	}
	tell(c, FINE, "database", "PostgreSQL %s, as role '%s'",
	    pg_get(r, 0, 1), pg_get(r, 0, 0));
	if (!pg_true(r, 0, 2))
		tell(c, c->g->s.ledger ? WORRY : FAILS, "database", "the role "
		    "may not create a schema here, which the ledger needs: "
		    "GRANT CREATE ON DATABASE … TO %s", pg_get(r, 0, 0));
	if (!pg_true(r, 0, 3))
		tell(c, FAILS, "database", "the role may not create tables: "
		    "GRANT CREATE ON SCHEMA … TO %s", pg_get(r, 0, 0));
	if (pg_int(r, 0, 4) > 0)
		tell(c, FAILS, "database", "%s tables belong to another role, "
		    "so they cannot be altered: ALTER TABLE … OWNER TO, or "
		    "GRANT that role TO %s", pg_get(r, 0, 4),
		    pg_get(r, 0, 0));
	tell(c, FINE, "django_migrations", "%s", pg_true(r, 0, 5) ? "there" :
	    "not there yet: the first deploy makes it");
	if (!pg_true(r, 0, 6))
		tell(c, WORRY, "database", "the role sees its own sessions "
		    "only, so who blocks a migration may stay unknown: GRANT "
		    "pg_read_all_stats TO %s", pg_get(r, 0, 0));
	pg_rows_free(r);
	return 0;
}

static void
check_ledger(struct checks *c)
{
	struct site *s = &c->g->s;
	struct ledger_run run = { 0 };
	struct err e = ERR_INIT;

	if (!s->ledger) {
		tell(c, FINE, "ledger", "not there yet: the first deploy "
		    "makes it");
		return;
	}
	int open = go_unfinished(c->g, &run, &e);
	if (open < 0)
		tell(c, FAILS, "ledger", "%s", e.msg);
	else if (open > 0)
		tell(c, WORRY, "ledger", "the %s of %s is %s: sluice-deploy "
		    "--resume goes on, sluice-rollback goes back", run.kind,
		    run.to, run.status);
	else
		tell(c, FINE, "ledger", "%s is live", s->live == NULL ?
		    "nothing" : s->live);
}

static void
check_lease(struct checks *c)
{
	struct strbuf holder STRBUF_SCOPED = STRBUF_INIT;
	struct err e = ERR_INIT;

	int held = c->g->s.ledger ? lease_holder(&holder, c->g->s.db, &e) : 0;
	if (held < 0)
		tell(c, FAILS, "lease", "%s", e.msg);
	else if (held > 0)
		tell(c, WORRY, "lease", "%s has it: a deploy is refused until "
		    "its end", holder.s);
	else
		tell(c, FINE, "lease", "nobody has it");
}

static void
drift_line(void *ctx, const char *text)
{
	struct checks *c = ctx;

	if (++c->drifts <= DRIFT_MOST)
		tell(c, WORRY, "drift", "%s", text);
}

/* What the deployed release's migrations build, and what is there. */
static void
check_drift(struct checks *c)
{
	struct site *s = &c->g->s;
	struct code code = { 0 };
	struct world built = { 0 };
	struct err e = ERR_INIT;

	if (s->live == NULL)
		return;
	if (site_facts(s, &e) < 0 || code_release(&code, s, s->live,
	    &e) <= 0) {
		tell(c, FAILS, "drift", "%s", e.msg);
		return;
	}
	struct settings set = s->settings;
	set.live = NULL;
	replay_end(&built, s->a, code.graph.order, code.graph.n, &set);
	uint32_t n = drift_find(&built.have, &s->have, code.third,
	    drift_line, c);
	if (n == 0)
		tell(c, FINE, "drift", "none: the database is what %s's "
		    "migrations build", s->live);
	else if (n > DRIFT_MOST)
		tell(c, WORRY, "drift", "and %u more", n - DRIFT_MOST);
}

static void
check_database(struct checks *c)
{
	struct site *s = &c->g->s;
	const struct cfg_target *t = s->target;
	struct err e = ERR_INIT;

	if (pg_open(&s->db, t->database, prog_name(), t->connect_timeout,
	    &e) < 0) {
		tell(c, FAILS, "database", "%s", e.msg);
		return;
	}
	int there = ledger_there(s->db, t->name, &e);
	s->ledger = there > 0;
	if (there > 0 && ledger_live(s->db, s->a, t->name, &s->live, &e) < 0)
		there = -1;
	if (check_rights(c) < 0)
		return;
	if (there < 0) {
		tell(c, FAILS, "ledger", "%s", e.msg);
		return;
	}
	check_ledger(c);
	check_lease(c);
	check_drift(c);
}

/* --- hosts --- */

/* The keys that a host shows. true: one is known, so it is worth a visit. */
static bool
check_keys(struct checks *c, const struct cfg_host *h)
{
	const struct cfg_target *t = c->g->s.target;
	struct strvec files STRVEC_SCOPED = STRVEC_INIT;
	struct hostkey k[8];
	struct err e = ERR_INIT;
	bool known = false;

	hostkey_files(&files, h->known_hosts);
	int n = hostkey_offered(k, (int)countof(k), t, h, &e);
	if (n < 0)
		tell(c, FAILS, h->name, "%s", e.msg);
	for (int i = 0; i < n; i++) {
		struct strbuf where STRBUF_SCOPED = STRBUF_INIT;
		enum hostkey_is is = HOSTKEY_UNKNOWN;
		if (hostkey_look(&is, &where, &files, h->address, h->port,
		    &k[i], &e) < 0)
			tell(c, FAILS, h->name, "%s", e.msg);
		else if (is == HOSTKEY_CHANGED)
			tell(c, FAILS, h->name, "its key has changed: it shows "
			    "%s %s, %s expects another; find out why, then "
			    "take that line out", k[i].type, k[i].print,
			    where.s);
		else if (is == HOSTKEY_REVOKED)
			tell(c, FAILS, h->name, "its key %s is revoked",
			    k[i].print);
		else if (is == HOSTKEY_UNKNOWN)
			tell(c, FAILS, h->name, "its key is not known: %s %s; "
			    "compare it with what the host's console says, "
			    "then sluice-doctor %s --accept-host-key %s",
			    k[i].type, k[i].print, t->name, h->name);
		else
			tell(c, FINE, h->name, "key %s %s is known",
			    k[i].type, k[i].print);
		known |= is == HOSTKEY_KNOWN;
	}
	return known;
}

static void
check_host(struct checks *c, const struct host_view *v)
{
	const char *name = v->host->name;

	if (!v->reached) {
		const char *why = v->why != NULL ? v->why : "not reached";
		size_t n = strlen(name);
		if (strncmp(why, name, n) == 0 && starts_with(why + n, ": "))
			why += n + 2;
		tell(c, FAILS, name, "%s", why);
		return;
	}
	tell(c, FINE, name, "reached; serves %s", v->linked == NULL ?
	    "nothing yet" : v->linked);
	if (v->missing != NULL)
		tell(c, FAILS, name, "these programs are missing: %s (flock "
		    "and setsid come with util-linux): install them",
		    v->missing);
	if (!streq(v->linked, v->live))
		tell(c, WORRY, name, "a switch stopped half-way: current is "
		    "%s, restarted was %s", v->linked != NULL ? v->linked :
		    "nothing", v->live != NULL ? v->live : "nothing");
	if (v->free_kb >= 0 && v->free_kb / 1024 < FREE_MB_LEAST)
		tell(c, WORRY, name, "only %" PRId64 " MB are free below %s: "
		    "make room, or keep fewer releases (keep)",
		    v->free_kb / 1024, v->host->path);
	if (llabs(v->skew_s) > 5)
		tell(c, WORRY, name, "its clock is off by %" PRId64 " s: let it "
		    "follow a time server", v->skew_s);
}

static void
check_hosts(struct checks *c)
{
	const struct cfg_target *t = c->g->s.target;
	const struct host_view *v = go_views(c->g);

	for (uint32_t i = 0; i < t->nhosts; i++) {
		bool known = !streq(t->ssh, "sluice-ssh") ||
		    check_keys(c, &t->hosts[i]);
		if (known || v[i].reached)
			check_host(c, &v[i]);
	}
}

/* --- the balancer --- */

static void
check_balancer(struct checks *c)
{
	const struct cfg_target *t = c->g->s.target;
	struct err e = ERR_INIT;

	if (t->haproxy == NULL)
		return;
	if (balance_reach(t->haproxy, t->connect_timeout, &e) < 0)
		tell(c, FAILS, "haproxy", "%s", e.msg);
	else
		tell(c, FINE, "haproxy", "%s answers", t->haproxy);
}

int
checks_run(struct go *g, const struct opts *o)
{
	struct checks c = { .g = g, .all = o->json ? json_array() : NULL,
	    .colour = colour_wanted(STDOUT_FILENO) };
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	check_config(&c);
	check_repo(&c);
	check_database(&c);
	check_hosts(&c);
	check_balancer(&c);
	if (c.all != NULL) {
		json_t *all = json_object();
		json_object_set_new(all, "format", json_integer(1));
		json_object_set_new(all, "target",
		    json_text(g->s.target->name));
		json_object_set_new(all, "checks", c.all);
		json_print(&b, all);
		say(STDOUT_FILENO, &b);
	}
	return c.fails;
}

/* A deploy in two runs: staging, which changes nothing live and lets Django
 * on the release host say which apps there are, and then all the rest. */
#include "prog/go.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "show/text.h"

/* Where nothing is live, nothing may ever have been: all migrations would go
 * before the roll, with no old code to mind. */
static int
first_check(struct go *g, struct err *e)
{
	struct ledger_release *all = NULL;
	uint32_t n = 0;

	if (!g->s.ledger || g->s.live != NULL)
		return 0;
	if (ledger_releases(g->s.db, g->s.a, g->s.target->name, &all, &n,
	    e) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (streq(all[i].status, "old"))
			return err_kind(e, ERR_REFUSED, "the ledger has "
			    "releases that were live (%s) and none that is, so "
			    "what old code there is cannot be told: UPDATE "
			    "sluice.release SET status = 'live' WHERE target = "
			    "'%s' AND id = '…' says it", all[i].id,
			    g->s.target->name);
	return 0;
}

int
go_codes(struct go *g, const char *commit, struct err *e)
{
	struct site *s = &g->s;
	struct source_file *third = NULL;
	uint32_t n = 0;

	if (first_check(g, e) < 0)
		return -1;
	if (s->live != NULL) {
		int got = code_release(&g->old, s, s->live, e);
		if (got <= 0)
			return got < 0 ? -1 : err_set(e, "the ledger does not "
			    "know its live release %s", s->live);
		code_third(&g->old, s->a, &third, &n);
	}
	return code_commit(&g->new, s, commit, third, n, e);
}

int
go_judge_plan(struct go *g, sym to, struct err *e)
{
	struct site *s = &g->s;
	struct plan_facts f;
	sym *on = NULL;
	uint32_t down = 0;

	g->new.release = to;
	if (g->d.lease != NULL && (go_hosts(g, &on, &down, e) < 0 ||
	    site_others(s, on, s->live, to, e) < 0))
		return -1;
	site_judge(&g->judged, s, g->old.release == NULL ? NULL : &g->old,
	    &g->new);
	site_plan_facts(&f, s, &g->judged, s->live, to, on);
	site_repeats(&f, s, &g->old, &g->new);
	plan_deploy(&g->plan, s->a, &f);
	if (!plan_refused(&g->plan))
		site_prove(&g->plan, s, &f, &g->judged);
	if (!plan_refused(&g->plan))
		return site_rows(s, &g->judged, &g->plan, e);
	return s->ledger ? site_stopped(s, &g->judged, &g->plan, e) : 0;
}

int
go_look(struct go *g, const char *commit, bool json, struct err *e)
{
	if (site_facts(&g->s, e) < 0 || go_codes(g, commit, e) < 0)
		return -1;
	if (!code_fine(&g->new))
		return 1;
	if (go_judge_plan(g, sym_getn(g->s.a, commit, 12), e) < 0)
		return -1;
	plan_say(&g->plan, &g->judged, json);
	if (!g->new.third)
		warn("migrations of third-party apps are asked from Django "
		    "once the release is staged, and come on top");
	return plan_refused(&g->plan);
}

static sym
release_id(struct arena *a, const char *commit)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32];

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	return sym_printf(a, "%s-%.12s", stamp, commit);
}

static int
refuse(struct go *g)
{
	plan_say(&g->plan, &g->judged, false);
	return 1;
}

/* The rows of phase "stage" alone. */
static void
only_stage(struct plan *p)
{
	uint32_t n = 0;

	while (n < p->n && p->steps[n].kind == STEP_STAGE)
		n++;
	p->n = n;
	p->nnotes = 0;
}

static int
release_put(struct go *g, struct err *e)
{
	struct ledger_release rel = { .id = g->new.release,
	    .commit = g->new.commit, .status = sym_get(g->s.a, "staged"),
	    .at = clock_epoch(), .who = g->d.run.who };

	if (rel.who == NULL)
		rel.who = getenv("SLUICE_WHO");
	if (rel.who == NULL)
		rel.who = sym_get(g->s.a, "");
	struct ledger_pen w = deploy_pen(&g->d);
	return ledger_release_put(&w, &rel, g->new.files, g->new.nfiles, e);
}

/* A stage that failed leaves what is live alone. */
static int
stage_ended(struct go *g, int end, const struct err *why, struct err *e)
{
	if (end != RUN_FAILED)
		return go_ended(g, end, why, e);
	if (go_mark(g, g->d.run.id, "failed", why->msg, e) < 0 ||
	    go_set(g, g->plan.to, "failed", e) < 0)
		return -1;
	warn("%s", why->msg);
	warn("staging failed; nothing live has changed");
	return EXIT_BACK;
}

static void
summary(const struct go *g, const char *what)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	uint32_t migrations = 0;

	for (uint32_t i = 0; i < g->plan.n; i++)
		migrations += g->plan.steps[i].kind == STEP_MIGRATION;
	strbuf_printf(&b, "%s: %s %s, %u host%s, %u migration%s, ",
	    g->s.target->name, what, g->plan.to, g->s.target->nhosts,
	    g->s.target->nhosts == 1 ? "" : "s", migrations,
	    migrations == 1 ? "" : "s");
	duration_print(&b, clock_ms() - g->began);
	strbuf_char(&b, '\n');
	say(STDOUT_FILENO, &b);
}

/* Release `to` is staged; now Django says what else there is to migrate.
 * 0: known. 1: it is not fine, and told. */
static int
learn(struct go *g, sym to, struct err *e)
{
	struct source_file *third = NULL;
	uint32_t n = 0;

	if (go_third(g, to, &third, &n, e) < 0 ||
	    code_commit(&g->new, &g->s, g->d.commit, third, n, e) < 0)
		return -1;
	g->new.release = to;
	if (!code_fine(&g->new))
		return 1;
	return release_put(g, e);
}

/* Carries out g->plan from its first row. Exit code. */
static int
carry_out(struct go *g, const char *kind, const char *what, struct err *e)
{
	plan_say(&g->plan, &g->judged, false);
	if (go_begin(g, kind, e) < 0)
		return -1;
	int code = go_carry(g, false, e);
	if (code == 0)
		summary(g, what);
	return code;
}

static int
go_rest(struct go *g, struct err *e)
{
	sym to = g->plan.to;

	int code = learn(g, to, e);
	if (code != 0)
		return code;
	if (go_judge_plan(g, to, e) < 0)
		return -1;
	if (plan_refused(&g->plan)) {
		if (go_set(g, to, "failed", e) < 0)
			return -1;
		return refuse(g);
	}
	for (uint32_t i = 0; i < g->plan.n; i++)
		if (g->plan.steps[i].kind == STEP_STAGE)
			g->plan.steps[i].status = STEP_DONE;
	return carry_out(g, "deploy", "serves", e);
}

static int
stage_run(struct go *g, bool resume, struct err *e)
{
	struct err why = ERR_INIT;

	int end = go_run(g, resume, &why);
	if (end < 0)
		*e = why;
	return end < 0 ? -1 : stage_ended(g, end, &why, e);
}

int
go_ship(struct go *g, const char *commit, struct err *e)
{
	sym to = release_id(g->s.a, commit);

	g->d.commit = sym_get(g->s.a, commit);
	if (go_judge_plan(g, to, e) < 0)
		return -1;
	if (plan_refused(&g->plan))
		return refuse(g);
	if (go_artefact(g, commit, e) < 0)
		return -1;
	only_stage(&g->plan);
	if (release_put(g, e) < 0 || go_begin(g, "stage", e) < 0)
		return -1;
	int code = stage_run(g, false, e);
	return code != 0 ? code : go_rest(g, e);
}

static int
resume_stage(struct go *g, struct err *e)
{
	if (go_codes(g, g->d.commit, e) < 0 ||
	    go_artefact(g, g->d.commit, e) < 0)
		return -1;
	int code = stage_run(g, true, e);
	return code != 0 ? code : go_rest(g, e);
}

/* Runs before this one that a crash left open: this one took their place. */
static int
close_older(struct go *g, const struct ledger_run *run, const char *status,
    struct err *e)
{
	struct ledger_run *all = NULL;
	uint32_t n = 0;

	if (ledger_runs(g->s.db, g->s.a, g->s.target->name, 10, &all, &n,
	    e) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (all[i].id != run->id && all[i].ended == 0 &&
		    go_mark(g, all[i].id, status, NULL, e) < 0)
			return -1;
	return 0;
}

int
go_resume(struct go *g, const struct ledger_run *run, struct err *e)
{
	struct ledger_release rel = { 0 };
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (ledger_release_get(g->s.db, g->s.a, g->s.target->name, run->to,
	    &rel, NULL, NULL, e) < 0)
		return -1;
	g->d.commit = rel.commit;
	g->d.run = *run;
	strbuf_printf(&b, "resuming the %s of %s\n", run->kind, run->to);
	say(STDERR_FILENO, &b);
	if (go_mark(g, run->id, "running", NULL, e) < 0 ||
	    site_facts(&g->s, e) < 0)
		return -1;
	if (streq(run->kind, "stage"))
		return resume_stage(g, e);
	if (go_judge_rows(g, e) < 0)
		return -1;
	if (streq(run->kind, "rollback") && close_older(g, run, "back", e) < 0)
		return -1;
	int code = go_carry(g, true, e);
	if (code == 0)
		summary(g, streq(run->kind, "migrate") ? "migrated for" :
		    "serves");
	if (code == 0 && streq(run->kind, "rollback"))
		code = go_undo_rest(g, run, e);
	return code;
}

/* --- one phase alone --- */

static void
judge_phase(struct go *g, sym to, enum forward phase)
{
	struct plan_facts f;

	g->new.release = to;
	site_judge(&g->judged, &g->s, g->old.release == NULL ? NULL : &g->old,
	    &g->new);
	site_plan_facts(&f, &g->s, &g->judged, g->s.live, to, NULL);
	site_repeats(&f, &g->s, &g->old, &g->new);
	plan_migrate(&g->plan, g->s.a, &f, phase);
}

/* The newest release of the commit that may still stand on the release host;
 * NULL: none. */
static int
release_of(struct go *g, sym *id, struct err *e)
{
	struct ledger_release *all = NULL;
	uint32_t n = 0;

	if (ledger_releases(g->s.db, g->s.a, g->s.target->name, &all, &n,
	    e) < 0)
		return -1;
	for (uint32_t i = 0; i < n && *id == NULL; i++)
		if (streq(all[i].commit, g->d.commit) &&
		    !streq(all[i].status, "failed"))
			*id = all[i].id;
	return 0;
}

/* On the release host alone; what stands there already is found by asking. */
static int
stage_one(struct go *g, sym to, struct err *e)
{
	const struct cfg_target *t = g->s.target;
	struct step *s = arena_make(g->s.a, struct step);

	s->seq = s->wave = 1;
	s->kind = STEP_STAGE;
	s->lane = t->release_host != NULL ? t->release_host : t->hosts[0].name;
	s->subject = to;
	s->want = sym_get(g->s.a, "staged");
	s->phase = sym_get(g->s.a, "stage");
	g->plan.steps = s;
	g->plan.n = 1;
	g->plan.nnotes = 0;
	if (go_artefact(g, g->d.commit, e) < 0 || release_put(g, e) < 0 ||
	    go_begin(g, "stage", e) < 0)
		return -1;
	return stage_run(g, true, e);
}

int
go_phase(struct go *g, const char *commit, enum forward phase, bool dry,
    struct err *e)
{
	sym to = NULL;

	g->d.commit = sym_get(g->s.a, commit);
	if (g->s.ledger && release_of(g, &to, e) < 0)
		return -1;
	if (to == NULL)
		to = release_id(g->s.a, commit);
	judge_phase(g, to, phase);
	if (dry || plan_refused(&g->plan)) {
		plan_say(&g->plan, &g->judged, false);
		return plan_refused(&g->plan);
	}
	int code = stage_one(g, to, e);
	if (code == 0)
		code = learn(g, to, e);
	if (code != 0)
		return code;
	judge_phase(g, to, phase);
	if (plan_refused(&g->plan))
		return refuse(g);
	return carry_out(g, "migrate", "migrated for", e);
}

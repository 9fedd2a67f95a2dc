#include "prog/go.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/catalog.h"
#include "act/host.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/util.h"
#include "show/json.h"
#include "show/text.h"

#define ARCHIVE_MS 300000

static void
line_err(void *ctx, const struct strbuf *b)
{
	(void)ctx;
	say(STDERR_FILENO, b);
}

/* Tables that a migration locks against readers or writers: all of them are
 * locked first, in one order. Those that are not there yet are passed over. */
static uint32_t
locks(struct deploy *d, const char *app, const char *name, bool back,
    const struct table_lock **out)
{
	struct go *g = d->show_ctx;
	const struct judgement *j = &g->judged.j;
	struct list(struct table_lock) found = { 0 };

	for (uint32_t i = 0; i < j->n; i++) {
		const struct verdict *v = &j->v[i];
		if (!streq(v->m->app, app) || !streq(v->m->name, name))
			continue;
		const struct hazard *all = back ? v->back : v->hazards;
		uint32_t n = back ? v->nback : v->nhazards;
		for (uint32_t k = 0; k < n; k++) {
			const struct hazard *h = &all[k];
			if (h->table != NULL &&
			    (streq(h->lock, "ACCESS EXCLUSIVE") ||
			    streq(h->lock, "SHARE ROW EXCLUSIVE")))
				*list_add(d->a, &found) = (struct table_lock){
				    h->table, h->lock };
		}
	}
	*out = found.v;
	return found.n;
}

static int
stopped(struct deploy *d, const char *app, const char *name, bool back,
    struct halfway_cut *out, struct err *e)
{
	struct go *g = d->show_ctx;
	const struct release *r = &g->judged.release;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct migration *m = r->v[i]->m;
		struct vec live = { 0 };
		if (!streq(m->app, app) || !streq(m->name, name))
			continue;
		if (m->atomic)
			return 0;
		if (catalog_read(&live, d->a, d->db, e) < 0)
			return -1;
		halfway_cut(out, d->a, r->v[i], &live, back);
		out->sure &= m->nconds == 0;	/* it is one way of several */
		return 1;
	}
	return 0;
}

static void
shown(void *ctx, const struct deploy *d, const struct lane *l,
    const struct step *s, const char *event)
{
	struct go *g = ctx;

	progress_event(&g->progress, d, l, s, event);
}

void
go_fill(struct go *g)
{
	struct site *s = &g->s;
	struct deploy *d = &g->d;

	d->cfg = &s->cfg;
	d->project = s->project;
	d->target = s->target;
	d->a = s->a;
	d->db = s->db;
	d->plan = &g->plan;
	d->repo = s->repo;
	d->locks = locks;
	d->stopped = stopped;
	d->show = shown;
	d->show_ctx = g;
	d->artefact = -1;
	g->progress.out = line_err;
	g->progress.colour = colour_wanted(STDERR_FILENO);
}

/* A host that has seen a higher number than ours (the hosts alone were put
 * back, by a clock that was ahead) would shut us out. */
static int
raise_above(struct go *g, struct err *e)
{
	const struct host_view *v = go_views(g);
	int64_t most = 0;

	for (uint32_t i = 0; i < g->s.target->nhosts; i++)
		if (v[i].serial > most)
			most = v[i].serial;
	return most < lease_serial(g->d.lease) ? 0 :
	    lease_raise(g->d.lease, most, e) < 0 ? -1 : 0;
}

int
go_named_hosts(struct go *g, struct err *e)
{
	const struct cfg_target *t = g->s.target;

	return t->nhosts > 0 ? 0 : err_kind(e, ERR_CONFIG, "%s: target '%s' "
	    "has no host: add a [host NAME] section with target = %s",
	    g->s.cfg.path, t->name, t->name);
}

int
go_lease(struct go *g, struct err *e)
{
	struct strbuf holder STRBUF_SCOPED = STRBUF_INIT;
	const struct cfg_target *t = g->s.target;

	g->began = clock_ms();
	signal(SIGHUP, SIG_IGN);	/* a pusher may go away at any time */
	if (go_named_hosts(g, e) < 0)
		return -1;
	int got = lease_take(&g->d.lease, &holder, t->database, t->name,
	    g->why, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_kind(e, ERR_REFUSED, "'%s' is being deployed to by "
		    "%s; wait for its end", t->name, holder.s);
	go_fill(g);
	if (pg_open(&g->d.watch, t->database, "watch", t->connect_timeout,
	    e) < 0)
		return -1;
	return raise_above(g, e);
}

int
go_lease_again(struct go *g, struct err *e)
{
	struct strbuf holder STRBUF_SCOPED = STRBUF_INIT;
	const struct cfg_target *t = g->s.target;

	pg_free(take(g->d.watch));
	pg_free(take(g->s.db));
	g->d.db = NULL;
	if (pg_open(&g->s.db, t->database, prog_name(), t->connect_timeout,
	    e) < 0 || pg_open(&g->d.watch, t->database, "watch",
	    t->connect_timeout, e) < 0)
		return -1;
	g->d.db = g->s.db;
	int got = lease_take(&g->d.lease, &holder, t->database, t->name,
	    g->why, e);
	if (got == 0)
		warn("'%s' is being deployed to by %s", t->name, holder.s);
	return got;
}

int
go_unfinished(struct go *g, struct ledger_run *run, struct err *e)
{
	int got = ledger_run_last(g->s.db, g->s.a, g->s.target->name, run,
	    &g->plan, e);

	if (got <= 0)
		return got;
	return run->ended == 0 || streq(run->status, "held");
}

int
go_refuse_unfinished(const struct go *g, const struct ledger_run *run,
    struct err *e)
{
	struct strbuf at STRBUF_SCOPED = STRBUF_INIT;

	if (streq(run->status, "soaking")) {
		stamp_print(&at, plan_soaks_until(&g->plan));
		return err_kind(e, ERR_REFUSED, "%s is soaking until %s: "
		    "`sluice-deploy --finish %s` ends that%s", run->to, at.s,
		    g->s.target->name, streq(run->kind, "deploy") ?
		    ", `sluice-rollback` takes it back" : "");
	}
	stamp_print(&at, run->started);
	return err_kind(e, ERR_REFUSED, "the %s of %s, begun %s by %s, is %s: "
	    "`sluice-deploy --resume` goes on with it%s", run->kind, run->to,
	    at.s, run->who,
	    streq(run->status, "held") ? "held" : "not ended",
	    streq(run->kind, "deploy") || streq(run->kind, "stage") ?
	    ", `sluice-rollback` takes it back" : "");
}

/* SHA-256 of a file that is open. */
static int
digest_file(struct deploy *d, struct err *e)
{
	struct stat st;

	if (fstat(d->artefact, &st) < 0)
		return err_sys(e, "the artefact");
	d->artefact_size = (size_t)st.st_size;
	void *p = mmap(NULL, d->artefact_size, PROT_READ, MAP_PRIVATE,
	    d->artefact, 0);
	if (p == MAP_FAILED)
		return err_sys(e, "the artefact");
	sha256_hex(d->artefact_sha, p, d->artefact_size);
	munmap(p, d->artefact_size);
	return 0;
}

static int
archive(struct go *g, const char *commit, const char *path, struct err *e)
{
	struct strbuf dir STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf said STRBUF_SCOPED = STRBUF_LIMIT(65536);
	struct strvec v STRVEC_SCOPED = STRVEC_INIT;
	int code = 0;

	strbuf_printf(&dir, "--git-dir=%s", repo_gitdir(g->s.repo));
	strvec_pushl(&v, "git", dir.s, "archive", "--format=tar", "-o", path,
	    commit, (char *)NULL);
	struct child_spec spec = { .argv = v.v, .in = CHILD_NULL,
	    .out = CHILD_NULL, .err = CHILD_PIPE };
	if (child_run(&spec, NULL, 0, NULL, &said, ARCHIVE_MS, &code, e) < 0)
		return err_wrap(e, "git archive");
	if (code != 0)
		return err_set(e, "git archive of %.12s failed: %s", commit,
		    said.s);
	return 0;
}

int
go_artefact(struct go *g, const char *commit, struct err *e)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	char *dir = NULL;

	if (g->s.repo == NULL)
		return err_kind(e, ERR_CONFIG, "there is no git repository "
		    "here to take %.12s from: go into a clone of it", commit);
	if (dir_temp(&dir, "sluice", e) < 0)
		return -1;
	strbuf_printf(&path, "%s/release.tar", dir);
	int r = archive(g, commit, path.s, e);
	if (r == 0) {
		g->d.artefact = open(path.s, O_RDONLY | O_CLOEXEC);
		if (g->d.artefact < 0)
			r = err_sys(e, "cannot open '%s'", path.s);
	}
	struct err ignored = ERR_INIT;
	dir_remove(dir, &ignored);
	free(dir);
	return r < 0 ? -1 : digest_file(&g->d, e);
}

bool
plan_refused(const struct plan *p)
{
	for (uint32_t i = 0; i < p->nnotes; i++)
		if (p->notes[i].kind == NOTE_REFUSE)
			return true;
	return false;
}

void
plan_say(const struct plan *p, const struct judged *j, bool json)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (json)
		json_print(&b, json_plan(p, j == NULL ? NULL : &j->j));
	else
		text_plan(&b, p, j == NULL ? NULL : &j->j,
		    colour_wanted(STDOUT_FILENO));
	say(STDOUT_FILENO, &b);
}

int
go_commit(struct go *g, sym *commit, const char *rev, struct err *e)
{
	struct site *s = &g->s;
	const char *name = rev == NULL ? "HEAD" : rev;

	if (s->repo == NULL)
		return err_kind(e, ERR_CONFIG, "there is no git repository "
		    "here: go into a clone of the project");
	int got = repo_commit(s->repo, commit, s->a, name, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return err_kind(e, ERR_CONFIG, "there is no commit '%s' in %s: "
		    "fetch it, or name another", name, repo_gitdir(s->repo));
	return 0;
}

static sym
whoever(struct arena *a)
{
	const char *named = getenv("SLUICE_WHO");
	const struct passwd *pw = getpwuid(getuid());

	if (named != NULL && *named != '\0')
		return sym_get(a, named);
	return pw == NULL ? sym_printf(a, "uid %u", (unsigned)getuid()) :
	    sym_get(a, pw->pw_name);
}

int
go_begin(struct go *g, const char *kind, struct err *e)
{
	struct arena *a = g->s.a;

	g->plan.kind = sym_get(a, kind);
	g->d.run = (struct ledger_run){ .kind = g->plan.kind,
	    .from = g->plan.from, .to = g->plan.to,
	    .status = sym_get(a, "running"), .who = whoever(a),
	    .why = g->why == NULL ? sym_get(a, "") : g->why,
	    .goal = g->goal,
	    .serial = lease_serial(g->d.lease) };
	g->progress.phase = NULL;
	g->progress.began = NULL;
	if (!streq(kind, "stage"))
		g->views = NULL;
	struct ledger_pen w = deploy_pen(&g->d);
	return ledger_run_new(&w, &g->d.run, &g->plan, e);
}

int
go_mark(struct go *g, int64_t run, const char *status, const char *why,
    struct err *e)
{
	struct ledger_pen w = deploy_pen(&g->d);

	return ledger_run_end(&w, run, status, why, e);
}

int
go_set(struct go *g, const char *release, const char *status, struct err *e)
{
	struct ledger_pen w = deploy_pen(&g->d);

	return ledger_release_set(&w, release, status, e);
}

int
go_run(struct go *g, bool resume, struct err *e)
{
	int end = run_plan(&g->d, resume, e);

	if (!streq(g->plan.kind, "stage"))
		g->views = NULL;	/* what they showed is over */
	if (end == RUN_DONE && go_mark(g, g->d.run.id, "done", NULL, e) < 0)
		return RUN_LOST;
	return end;
}

void
go_close(struct go *g)
{
	if (g->d.artefact > 2)
		close(g->d.artefact);
	pg_free(g->d.watch);
	lease_free(g->d.lease);
	site_close(&g->s);
}

int
go_main(int argc, char **argv, const char *letters, bool has_rev,
    const char *help, int (*run)(struct go *, const struct opts *,
    struct err *))
{
	struct go g = { .d = { .artefact = -1 } };
	struct err e = ERR_INIT;
	struct opts o;

	prog_start(argv[0]);
	opts_read(&o, argc, argv, letters, has_rev, help);
	int code = run(&g, &o, &e);
	if (code < 0)
		code = trouble(&e);
	go_close(&g);
	strvec_release(&o.accept);
	return code;
}

/* Code and verdicts: from a commit or the ledger to what a plan is made of. */
#include "prog/load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "read/upserts.h"

static void
wrong_add(struct code *c, struct arena *a, sym text)
{
	sym *more = arena_array(a, sym, c->nwrong + 1);

	if (c->nwrong > 0)
		memcpy(more, c->wrong, c->nwrong * sizeof(*more));
	more[c->nwrong++] = text;
	c->wrong = more;
}

static void
files_add(struct code *c, struct arena *a, const struct source_file *f,
    uint32_t n)
{
	struct source_file *all = arena_array(a, struct source_file,
	    c->nfiles + n + 1);

	if (c->nfiles > 0)
		memcpy(all, c->files, c->nfiles * sizeof(*all));
	if (n > 0)
		memcpy(all + c->nfiles, f, n * sizeof(*all));
	c->files = all;
	c->nfiles += n;
}

static bool
app_there(const struct migration *v, uint32_t n, const char *app)
{
	for (uint32_t i = 0; i < n; i++)
		if (streq(v[i].app, app))
			return true;
	return false;
}

/* "third-party:APP/NAME.py" to its app; NULL: it is another file. */
static sym
third_app(struct arena *a, const struct source_file *f)
{
	const char *app = f->path + strlen(THIRD_PARTY);

	if (!starts_with(f->path, THIRD_PARTY) || strchr(app, '/') == NULL)
		return NULL;
	return sym_getn(a, app, (size_t)(strchr(app, '/') - app));
}

/* Third-party migrations beside the project's own; an app that the project
 * has itself (MIGRATION_MODULES) is the project's. */
static int
third_read(struct code *c, struct site *s, const struct source_file *f,
    uint32_t n, struct err *e)
{
	uint32_t own = c->n;
	struct migration *all = arena_array(s->a, struct migration,
	    c->n + n + 1);

	if (own > 0)
		memcpy(all, c->all, own * sizeof(*all));
	c->all = all;
	for (uint32_t i = 0; i < n; i++) {
		sym app = third_app(s->a, &f[i]);
		if (app == NULL || app_there(all, own, app))
			continue;
		int got = migration_read(&all[c->n], s->a, app, f[i].path,
		    f[i].text, f[i].len, NULL, e);
		if (got < 0)
			return err_wrap(e, "%s", f[i].path);
		c->n += got > 0;
	}
	c->third = n > 0;
	return 0;
}

static void
graph_read(struct code *c, struct site *s, const struct migrations *own)
{
	graph_build(&c->graph, s->a, c->all, c->n, s->applied, s->napplied,
	    &s->settings);
	for (uint32_t i = 0; i < c->graph.nwrong; i++) {
		const struct graph_wrong *w = &c->graph.wrong[i];
		bool wants = false;

		for (uint32_t k = 0; k < own->nunread && !wants; k++)
			wants = graph_wants(w, own->unread[k].path);
		if (!wants)
			wrong_add(c, s->a, w->text);
	}
}

/* The project's own files, then the third-party ones. */
static int
code_read(struct code *c, struct site *s, struct source *src,
    const struct source_file *third, uint32_t nthird, struct err *e)
{
	struct migrations m = { 0 };

	if (source_migrations(&m, s->a, src, s->project, e) < 0)
		return -1;
	c->all = m.v;
	c->n = m.n;
	files_add(c, s->a, m.files, m.nfiles);
	files_add(c, s->a, third, nthird);
	for (uint32_t i = 0; i < m.nunread; i++)
		wrong_add(c, s->a, m.unread[i].line == 0 ?
		    sym_printf(s->a, "%s: %s", m.unread[i].path,
		    m.unread[i].why) :
		    sym_printf(s->a, "%s:%" PRIu32 ": %s", m.unread[i].path,
		    m.unread[i].line, m.unread[i].why));
	if (third_read(c, s, third, nthird, e) < 0)
		return -1;
	graph_read(c, s, &m);
	return 0;
}

int
code_commit(struct code *c, struct site *s, const char *commit,
    const struct source_file *third, uint32_t nthird, struct err *e)
{
	struct source *src = NULL;

	*c = (struct code){ .commit = sym_get(s->a, commit) };
	if (source_commit(&src, s->repo, commit, e) < 0)
		return -1;
	int r = code_read(c, s, src, third, nthird, e);
	source_free(src);
	return r < 0 ? err_wrap(e, "commit %.12s", commit) : 0;
}

int
code_release(struct code *c, struct site *s, const char *release,
    struct err *e)
{
	struct ledger_release rel = { 0 };
	struct source_file *all = NULL;
	struct source *src = NULL;
	uint32_t n = 0, own = 0, nthird = 0;

	*c = (struct code){ .release = sym_get(s->a, release) };
	int got = ledger_release_get(s->db, s->a, s->target->name, release,
	    &rel, &all, &n, e);
	if (got <= 0)
		return got;
	c->commit = rel.commit;
	struct source_file *f = arena_array(s->a, struct source_file, 2 * n + 1);
	struct source_file *third = f + n;
	for (uint32_t i = 0; i < n; i++) {
		if (starts_with(all[i].path, THIRD_PARTY))
			third[nthird++] = all[i];
		else
			f[own++] = all[i];
	}
	if (source_memory(&src, f, own, e) < 0)
		return -1;
	int r = code_read(c, s, src, third, nthird, e);
	source_free(src);
	return r < 0 ? err_wrap(e, "release %s", release) : 1;
}

void
code_third(const struct code *c, struct arena *a, struct source_file **out,
    uint32_t *n)
{
	*out = arena_array(a, struct source_file, c->nfiles + 1);
	*n = 0;
	for (uint32_t i = 0; i < c->nfiles; i++)
		if (starts_with(c->files[i].path, THIRD_PARTY))
			(*out)[(*n)++] = c->files[i];
}

bool
code_fine(const struct code *c)
{
	for (uint32_t i = 0; i < c->nwrong; i++)
		warn("%s", c->wrong[i]);
	return c->nwrong == 0;
}

/* Splits Django's order in two; parents stay first in both halves. */
struct halves {
	const struct migration **done, **pending;
	uint32_t ndone, npending;
};

static struct halves
halve(struct site *s, const struct graph *g, const struct plan *went)
{
	struct halves h = { .done = arena_alloc(s->a, g->n + 1,
	    sizeof(*h.done)), .pending = arena_alloc(s->a, g->n + 1,
	    sizeof(*h.pending)) };

	for (uint32_t i = 0; i < g->n; i++) {
		const struct migration *m = g->order[i];
		sym key = sym_printf(s->a, "%s.%s", m->app, m->name);
		bool pending = went == NULL && !site_applied(s, m);
		for (uint32_t k = 0; went != NULL && k < went->n; k++)
			pending |= went->steps[k].kind == STEP_MIGRATION &&
			    !streq(went->steps[k].want, "repeated") &&
			    streq(went->steps[k].subject, key);
		if (pending)
			h.pending[h.npending++] = m;
		else
			h.done[h.ndone++] = m;
	}
	return h;
}

/* The code itself is looked at only where it matters what it upserts; a
 * commit that is not here is not looked at. */
static void
upserted(struct site *s, const struct code *old, const struct code *new)
{
	const struct code *const both[] = { old, new };
	struct upserts u = { 0 };

	for (size_t i = 0; i < countof(both); i++) {
		struct source *src = NULL;
		struct err e = ERR_INIT;

		if (s->repo == NULL || both[i] == NULL ||
		    both[i]->commit == NULL || source_commit(&src, s->repo,
		    both[i]->commit, &e) < 0)
			continue;
		if (upserts_find(&u, s->a, src, s->project->root, &e) < 0)
			warn("%s", e.msg);
		source_free(src);
	}
	s->settings.upserts = u.v;
	s->settings.nupserts = u.n;
}

static void
judge(struct judged *out, struct site *s, const struct code *old,
    const struct code *new, const struct plan *went)
{
	struct halves h = halve(s, &new->graph, went);
	struct settings set = s->settings;

	set.live = NULL;
	*out = (struct judged){ 0 };
	ways_make(&out->ways, s->a, &(struct ways_ask){ .base = h.done,
	    .nbase = h.ndone, .pending = h.pending, .npending = h.npending,
	    .old = old != NULL ? &old->graph : NULL, .first = old == NULL,
	    .have = went == NULL ? &s->have : NULL, .graph = &new->graph,
	    .others = s->others, .nothers = s->nothers, .s = &set });
	out->release = out->ways.v[0].release;
	ways_judge(&out->j, s->a, &out->ways,
	    went == NULL ? &s->settings : &set);
	if (!judgement_upserts(&out->j))
		return;
	upserted(s, old, new);
	set.upserts = s->settings.upserts;
	set.nupserts = s->settings.nupserts;
	ways_judge(&out->j, s->a, &out->ways,
	    went == NULL ? &s->settings : &set);
}

void
site_prove(struct plan *p, struct site *s, const struct plan_facts *f,
    const struct judged *j)
{
	for (uint32_t i = 0; i < j->ways.n; i++)
		plan_prove(p, s->a, f, &j->ways.v[i].release, &s->settings);
}

void
site_judge(struct judged *out, struct site *s, const struct code *old,
    const struct code *new)
{
	judge(out, s, old, new, NULL);
	for (uint32_t i = 0; i < out->j.n; i++)	/* nobody could bind theirs */
		out->j.v[i].unbound &= out->j.v[i].m->path != NULL &&
		    !starts_with(out->j.v[i].m->path, THIRD_PARTY);
	judgement_bound(&out->j, s->a);
}

void
site_judge_back(struct judged *out, struct site *s, const struct code *old,
    const struct code *new, const struct plan *went)
{
	judge(out, s, old, new, went);
}

int
batches_parse(uint32_t **out, uint32_t *n, struct arena *a, const char *text,
    uint32_t nhosts, struct err *e)
{
	struct list(uint32_t) l = { 0 };

	for (const char *p = text == NULL ? "1" : text; *p != '\0';) {
		char *end;
		unsigned long k = strtoul(p, &end, 10);
		if (end == p || k == 0 || k > 100000)
			return err_kind(e, ERR_CONFIG, "batches = %s: sizes or "
			    "shares like \"1,25%%\" are understood", text);
		if (*end == '%') {
			k = (k * nhosts + 99) / 100;
			end++;
		}
		*list_add(a, &l) = k == 0 ? 1 : (uint32_t)k;
		while (*end == ' ' || *end == ',')
			end++;
		p = end;
	}
	*out = l.v;
	*n = l.n;
	return 0;
}

int
site_others(struct site *s, const sym *on, sym from, sym to, struct err *e)
{
	struct list(struct served) found = { 0 };
	struct settings set = s->settings;

	set.live = NULL;
	for (uint32_t i = 0; on != NULL && i < s->target->nhosts; i++) {
		bool known = on[i] == NULL || *on[i] == '\0' ||
		    streq(on[i], from) || streq(on[i], to);
		for (uint32_t k = 0; !known && k < found.n; k++)
			known = streq(found.v[k].id, on[i]);
		if (known)
			continue;
		struct code c = { 0 };
		struct replay r = { 0 };
		int got = code_release(&c, s, on[i], e);
		if (got < 0)
			return -1;
		if (got == 0)
			continue;	/* the proof says that it is not known */
		replay_run(&r, s->a, c.graph.order, c.graph.n, &set);
		*list_add(s->a, &found) = (struct served){ on[i], r.end.want };
	}
	s->others = found.v;
	s->nothers = found.n;
	return 0;
}

/* Tagged `repeat` by a person, and not in the old code. */
static void
repeats(struct plan_facts *f, struct site *s, const struct code *old,
    const struct code *new)
{
	sym *v = arena_array(s->a, sym, new->graph.n + 1);

	for (uint32_t i = 0; i < new->graph.n; i++) {
		const struct migration *m = new->graph.order[i];
		bool there = !m->tag.repeat;
		for (uint32_t k = 0; !there && k < old->graph.n; k++)
			there = streq(old->graph.order[k]->name, m->name) &&
			    streq(old->graph.order[k]->app, m->app);
		if (!there)
			v[f->nrepeat++] = sym_printf(s->a, "%s.%s", m->app,
			    m->name);
	}
	f->repeat = v;
}

void
site_repeats(struct plan_facts *f, struct site *s, const struct code *old,
    const struct code *new)
{
	f->nrepeat = 0;
	if (old->release != NULL)
		repeats(f, s, old, new);
}

void
site_plan_facts(struct plan_facts *f, struct site *s, const struct judged *j,
    sym from, sym to, const sym *on)
{
	const struct cfg_target *t = s->target;
	sym *hosts = arena_array(s->a, sym, t->nhosts + 1);
	bool balanced = t->haproxy != NULL;
	uint32_t *batches = NULL;
	struct err bad = ERR_INIT;	/* looked at before: site_check */

	*f = (struct plan_facts){ .target = t->name, .to = to,
	    .from = from == NULL ? sym_get(s->a, "") : from,
	    .hosts = hosts, .on = on, .nhosts = t->nhosts,
	    .judged = &j->j, .soak_ms = t->soak, .keep = t->keep,
	    .applied = s->applied, .napplied = s->napplied };
	for (uint32_t i = 0; i < t->nhosts; i++) {
		hosts[i] = t->hosts[i].name;
		balanced &= t->hosts[i].balancer != NULL;
	}
	f->balanced = balanced;
	batches_parse(&batches, &f->nbatches, s->a, t->batches, t->nhosts,
	    &bad);
	f->batches = batches;
}

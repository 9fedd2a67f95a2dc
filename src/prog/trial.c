#include "prog/trial.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "gate/touch.h"
#include "read/upserts.h"
#include "prog/applied.h"
#include "prog/branch.h"

#define DJANGO_LTS 502		/* assumed where the configuration is silent */
#define POSTGRESQL 15

void
trial_settings(struct settings *s, struct arena *a,
    const struct cfg_project *p)
{
	*s = (struct settings){
		.django = p->django > 0 ? p->django : DJANGO_LTS,
		.server = p->server > 0 ? p->server : POSTGRESQL,
		.user_model = p->user_model != NULL ?
		    sym_lower(a, p->user_model) : NULL,
		.auto_field = p->auto_field,
	};
	struct class_map *m = arena_array(a, struct class_map, p->nfields + 1);
	for (uint32_t i = 0; i < p->nfields; i++)
		m[i] = (struct class_map){ p->fields[i].key,
			p->fields[i].value };
	s->classes = m;
	s->nclasses = p->nfields;
}

static void
wrong_add(struct trial *t, struct arena *a, struct verdict_wrong w)
{
	struct verdict_wrong *all = arena_array(a, struct verdict_wrong,
	    t->nwrong + 1);

	if (t->nwrong > 0)
		memcpy(all, t->wrong, t->nwrong * sizeof(*all));
	all[t->nwrong++] = w;
	t->wrong = all;
}

void
trial_wrong(struct trial *t, struct arena *a, sym path, uint32_t line,
    sym text)
{
	wrong_add(t, a, (struct verdict_wrong){ path, line, true, text });
}

static int
name_cmp(const struct migration *x, const struct migration *y)
{
	int c = x->app == y->app ? 0 : strcmp(x->app, y->app);

	return c != 0 ? c : x->name == y->name ? 0 : strcmp(x->name, y->name);
}

/* Of one name, in the order of the tree. */
static int
place_cmp(const void *x, const void *y)
{
	const struct migration *const *p = x, *const *q = y;
	int c = name_cmp(*p, *q);

	return c != 0 ? c : (*p > *q) - (*p < *q);
}

static struct trial_names
names_of(struct arena *a, const struct migrations *all)
{
	struct trial_names t = { .n = all->n,
		.v = arena_alloc(a, all->n + 1u, sizeof(*t.v)) };

	for (uint32_t i = 0; i < all->n; i++)
		t.v[i] = &all->v[i];
	sort_items(t.v, t.n, sizeof(*t.v), place_cmp);
	return t;
}

const struct migration *
trial_find(const struct trial_names *all, const struct migration *m)
{
	uint32_t lo = 0;

	for (uint32_t hi = all->n; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (name_cmp(all->v[mid], m) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < all->n && name_cmp(all->v[lo], m) == 0 ? all->v[lo] : NULL;
}

bool
trial_squashes(const struct trial_names *base, const struct migration *m)
{
	for (uint32_t i = 0; i < m->nreplaces; i++) {
		struct migration old = { .app = m->replaces[i].app,
			.name = m->replaces[i].name };

		if (trial_find(base, &old) == NULL)
			return false;
	}
	return m->nreplaces > 0;
}

static bool
replaced(const struct migrations *head, const struct migration *m)
{
	for (uint32_t i = 0; i < head->n; i++)
		for (uint32_t k = 0; k < head->v[i].nreplaces; k++)
			if (head->v[i].replaces[k].name == m->name &&
			    head->v[i].replaces[k].app == m->app)
				return true;
	return false;
}

bool
trial_listed(const char *names, const struct migration *m)
{
	size_t app = strlen(m->app), name = strlen(m->name);

	for (const char *p = names; p != NULL && *p != '\0';) {
		p += strspn(p, ", \t");
		size_t n = strcspn(p, ", \t");
		if (n == app + 1 + name && strncmp(p, m->app, app) == 0 &&
		    p[app] == '.' && strncmp(p + app + 1, m->name, name) == 0)
			return true;
		p += n;
	}
	return false;
}

/* The same operations under another name that the base has not. */
static const struct migration *
renamed(const struct trial *t, const struct migration *old)
{
	for (uint32_t i = 0; i < t->head.n && old->ops.n > 0; i++) {
		const struct migration *m = &t->head.v[i];

		if (m->app == old->app && trial_find(&t->base_names, m) == NULL &&
		    streq(m->digest, old->digest))
			return m;
	}
	return NULL;
}

sym
trial_undo(struct arena *a, const struct trial_ask *ask, const char *path)
{
	return ask->commit == NULL ? "undo that" : sym_printf(a,
	    "git checkout %.12s -- %s", ask->commit, sym_word(a, path));
}

/* What is deployed is done: its migrations stay as they are. */
static void
compare(struct trial *t, struct arena *a, const struct trial_ask *ask)
{
	const char *has = ask->why != NULL ? ask->why : "what is deployed";

	for (uint32_t i = 0; i < t->base.n; i++) {
		const struct migration *old = &t->base.v[i];
		const struct migration *new = trial_find(&t->head_names, old);
		const struct migration *now = NULL;

		if (trial_listed(ask->exceptions, old) ||
		    (new != NULL && streq(new->digest, old->digest)) ||
		    (new == NULL && replaced(&t->head, old)))
			continue;
		if (new != NULL)
			trial_wrong(t, a, new->path, 0, sym_printf(a,
			    "the operations of %s.%s were changed, but %s has "
			    "it as it was: %s, and write a new migration",
			    new->app, new->name, has, trial_undo(a, ask,
			    new->path)));
		else if ((now = renamed(t, old)) != NULL) {
			*list_add(a, &t->renamed) = now->path;
			trial_wrong(t, a, now->path, 0, sym_printf(a,
			    "%s.%s was renamed to %s, but %s has it by its old "
			    "name, and would run it again: git mv %s %s",
			    old->app, old->name, now->name, has,
			    sym_word(a, now->path), sym_word(a, old->path)));
		} else
			trial_wrong(t, a, old->path, 0, sym_printf(a,
			    "%s.%s is gone, but %s has it: %s, and undo what it "
			    "does by a new migration", old->app, old->name, has,
			    trial_undo(a, ask, old->path)));
	}
}

static bool
for_want(const struct migrations *m, const struct graph_wrong *w)
{
	for (uint32_t i = 0; i < m->nunread; i++)
		if (graph_wants(w, m->unread[i].path))
			return true;
	return false;
}

static void
tell_unread(struct trial *t, struct arena *a)
{
	for (uint32_t i = 0; i < t->head.nunread; i++) {
		const struct unread *u = &t->head.unread[i];
		trial_wrong(t, a, u->path, u->line, u->why);
	}
	for (uint32_t i = 0; i < t->graph.nwrong; i++) {
		const struct graph_wrong *w = &t->graph.wrong[i];

		if (!for_want(&t->head, w))
			wrong_add(t, a, (struct verdict_wrong){ w->at->path, 0,
				false, w->text });
	}
}

/* Is there anything below the project's root, or migrations elsewhere? */
struct below { const char *root; bool there, elsewhere; };

static int
look_below(void *ctx, const char *path, size_t size)
{
	struct below *b = ctx;
	size_t n = strlen(b->root);

	(void)size;
	b->there |= strncmp(path, b->root, n) == 0 &&
	    (path[n] == '/' || ends_with(b->root, "/"));
	b->elsewhere |= strstr(path, "migrations/") != NULL &&
	    ends_with(path, ".py");
	return b->there;
}

/* A root that is not there would find nothing to judge, and pass all. */
int
trial_root(struct source *head, const struct cfg_project *p, struct err *e)
{
	struct below b = { .root = p->root };

	if (b.root == NULL || streq(b.root, "."))
		return 0;
	if (source_walk(head, look_below, &b, e) < 0)
		return -1;
	if (b.there || !b.elsewhere)
		return 0;
	return err_kind(e, ERR_CONFIG, "[project] root = %s: there is no such "
	    "folder in what is judged, and there are migrations elsewhere: say "
	    "where manage.py is", b.root);
}

static int
read_both(struct trial *t, struct arena *a, const struct trial_ask *ask,
    struct err *e)
{
	if (source_migrations_beside(&t->head, a, ask->head, ask->project,
		NULL, e) < 0 ||
	    (t->head.n == 0 && trial_root(ask->head, ask->project, e) < 0))
		return -1;
	if (ask->base != NULL && source_migrations_beside(&t->base, a,
		ask->base, ask->project, &t->head, e) < 0)
		return err_wrap(e, "what is deployed");
	t->base_names = names_of(a, &t->base);
	t->head_names = names_of(a, &t->head);
	struct applied *done = arena_array(a, struct applied, t->base.n + 1);
	for (uint32_t i = 0; i < t->base.n; i++)
		done[i] = (struct applied){ t->base.v[i].app,
			t->base.v[i].name };
	graph_build(&t->base_graph, a, t->base.v, t->base.n, done, t->base.n,
	    &t->settings);
	graph_build(&t->graph, a, t->head.v, t->head.n, done, t->base.n,
	    &t->settings);
	tell_unread(t, a);
	if (ask->base != NULL)
		compare(t, a, ask);
	return 0;
}

/* What is in the head and not in the base, in order, on top of that. */
static void
replay(struct trial *t, struct arena *a, bool each)
{
	const struct migration **pending = arena_alloc(a, t->graph.n + 1,
	    sizeof(*pending));
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->graph.n; i++)
		if (trial_find(&t->base_names, t->graph.order[i]) == NULL &&
		    !trial_squashes(&t->base_names, t->graph.order[i]))
			pending[n++] = t->graph.order[i];
	ways_make(&t->ways, a, &(struct ways_ask){ .base = t->base_graph.order,
	    .nbase = t->base_graph.n, .pending = pending, .npending = n,
	    .graph = &t->graph, .s = &t->settings, .each = each });
	t->release = t->ways.v[0].release;
}

static void
judge_each(struct trial *t, struct arena *a)
{
	t->j.v = arena_array(a, struct verdict, t->release.n + 1);
	t->j.fine = true;
	for (uint32_t i = 0; i < t->release.n; i++) {
		struct ways w;
		struct judgement j = { 0 };

		ways_alone(&w, a, &t->ways, i);
		ways_judge(&j, a, &w, &t->settings);
		t->j.fine &= j.fine;
		if (j.n == 1)
			t->j.v[t->j.n++] = j.v[0];
	}
}

static void
judge(struct trial *t, struct arena *a, const struct trial_ask *ask)
{
	t->j = (struct judgement){ 0 };
	if (ask->each)
		judge_each(t, a);
	else
		ways_judge(&t->j, a, &t->ways, &t->settings);
	if (!ask->binds)
		judgement_bound(&t->j, a);
}

/* The code itself is looked at only where it matters what it upserts. */
static int
upserted(struct trial *t, struct arena *a, const struct trial_ask *ask,
    struct err *e)
{
	struct upserts u = { 0 };

	if (upserts_find(&u, a, ask->head, ask->project->root, e) < 0 ||
	    (ask->base != NULL && upserts_find(&u, a, ask->base,
		ask->project->root, e) < 0))
		return -1;
	if (u.n == 0)
		return 0;
	t->settings.upserts = u.v;
	t->settings.nupserts = u.n;
	judge(t, a, ask);
	return 0;
}

int
trial_run(struct trial *t, struct arena *a, const struct trial_ask *ask,
    struct err *e)
{
	*t = (struct trial){ 0 };
	trial_settings(&t->settings, a, ask->project);
	if (read_both(t, a, ask, e) < 0)
		return -1;
	replay(t, a, ask->each);
	applied_compare(t, a, ask);
	if (branch_compare(t, a, ask, e) < 0)
		return -1;
	judge(t, a, ask);
	return judgement_upserts(&t->j) ? upserted(t, a, ask, e) : 0;
}

bool
trial_fine(const struct trial *t)
{
	return t->nwrong == 0 && t->j.fine;
}

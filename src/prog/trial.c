#include "prog/trial.h"

#include <string.h>

#include "base/util.h"

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
wrong(struct trial *t, struct arena *a, sym path, uint32_t line, sym text)
{
	struct verdict_wrong *all = arena_array(a, struct verdict_wrong,
	    t->nwrong + 1);

	if (t->nwrong > 0)
		memcpy(all, t->wrong, t->nwrong * sizeof(*all));
	all[t->nwrong++] = (struct verdict_wrong){ path, line, text };
	t->wrong = all;
}

/* All syms are of one arena. */
static const struct migration *
find(const struct migrations *all, const struct migration *m)
{
	for (uint32_t i = 0; i < all->n; i++)
		if (all->v[i].name == m->name && all->v[i].app == m->app)
			return &all->v[i];
	return NULL;
}

/* All that a squash replaces is in the base: it is applied with that. */
static bool
squashes_base(const struct migrations *base, const struct migration *m)
{
	for (uint32_t i = 0; i < m->nreplaces; i++) {
		struct migration old = { .app = m->replaces[i].app,
			.name = m->replaces[i].name };

		if (find(base, &old) == NULL)
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

static bool
listed(const char *names, const struct migration *m)
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

/* What is deployed is done: its migrations stay as they are. */
static void
compare(struct trial *t, struct arena *a, const char *exceptions)
{
	for (uint32_t i = 0; i < t->base.n; i++) {
		const struct migration *old = &t->base.v[i];
		const struct migration *new = find(&t->head, old);

		if (listed(exceptions, old))
			continue;
		if (new == NULL && !replaced(&t->head, old))
			wrong(t, a, old->path, 0, sym_printf(a,
			    "%s.%s is gone, but what is deployed has it: give "
			    "it back, and undo it by a new migration", old->app,
			    old->name));
		else if (new != NULL && strcmp(new->digest, old->digest) != 0)
			wrong(t, a, new->path, 0, sym_printf(a,
			    "the operations of %s.%s were changed, but what is "
			    "deployed has it as it was: undo that, and write a "
			    "new migration", new->app, new->name));
	}
}

static void
tell_unread(struct trial *t, struct arena *a)
{
	for (uint32_t i = 0; i < t->head.nunread; i++) {
		const struct unread *u = &t->head.unread[i];
		wrong(t, a, u->path, u->line, u->why);
	}
	for (uint32_t i = 0; i < t->graph.nwrong; i++) {
		const struct graph_wrong *w = &t->graph.wrong[i];
		wrong(t, a, w->at != NULL ? w->at->path : NULL, 0, w->text);
	}
}

static int
read_both(struct trial *t, struct arena *a, const struct cfg_project *p,
    struct source *base, struct source *head, struct err *e)
{
	if (base != NULL &&
	    source_migrations(&t->base, a, base, p, e) < 0)
		return err_wrap(e, "what is deployed");
	if (source_migrations(&t->head, a, head, p, e) < 0)
		return -1;
	struct applied *done = arena_array(a, struct applied, t->base.n + 1);
	for (uint32_t i = 0; i < t->base.n; i++)
		done[i] = (struct applied){ t->base.v[i].app,
			t->base.v[i].name };
	graph_build(&t->base_graph, a, t->base.v, t->base.n, done, t->base.n,
	    &t->settings);
	graph_build(&t->graph, a, t->head.v, t->head.n, done, t->base.n,
	    &t->settings);
	tell_unread(t, a);
	return 0;
}

int
trial_release(struct trial *t, struct arena *a, const struct cfg_project *p,
    const char *exceptions, struct source *base, struct source *head,
    struct err *e)
{
	*t = (struct trial){ 0 };
	trial_settings(&t->settings, a, p);
	if (read_both(t, a, p, base, head, e) < 0)
		return -1;
	if (base != NULL)
		compare(t, a, exceptions);
	const struct migration **pending = arena_alloc(a, t->graph.n + 1,
	    sizeof(*pending));
	uint32_t n = 0;
	for (uint32_t i = 0; i < t->graph.n; i++)
		if (find(&t->base, t->graph.order[i]) == NULL &&
		    !squashes_base(&t->base, t->graph.order[i]))
			pending[n++] = t->graph.order[i];
	for (uint32_t i = 0; i < n; i++)
		if (pending[i]->tag.wrong != NULL)
			wrong(t, a, pending[i]->path, pending[i]->tag.line,
			    pending[i]->tag.wrong);
	replay_run(&t->before, a, t->base_graph.order, t->base_graph.n,
	    &t->settings);
	replay_from(&t->after, a, &t->before.end, pending, n, &t->settings);
	const struct moved **v = arena_alloc(a, n + 1, sizeof(*v));
	for (uint32_t i = 0; i < n; i++)
		v[i] = &t->after.v[i];
	t->release = (struct release){ .old = t->before.end,
		.new = t->after.end, .v = v, .n = n, .graph = &t->graph };
	judge_release(&t->j, a, &t->release, &t->settings);
	return 0;
}

int
trial_alone(struct trial *t, struct arena *a, const struct cfg_project *p,
    struct source *head, struct err *e)
{
	*t = (struct trial){ 0 };
	trial_settings(&t->settings, a, p);
	if (read_both(t, a, p, NULL, head, e) < 0)
		return -1;
	replay_run(&t->after, a, t->graph.order, t->graph.n, &t->settings);
	t->j.v = arena_array(a, struct verdict, t->after.n + 1);
	t->j.fine = true;
	for (uint32_t i = 0; i < t->after.n; i++) {
		const struct moved **one = arena_alloc(a, 1, sizeof(*one));
		struct judgement j = { 0 };

		one[0] = &t->after.v[i];
		struct release r = { .old = one[0]->before,
			.new = one[0]->after, .v = one, .n = 1,
			.graph = &t->graph };
		judge_release(&j, a, &r, &t->settings);
		t->j.fine &= j.fine;
		if (j.n == 1)
			t->j.v[t->j.n++] = j.v[0];
	}
	return 0;
}

bool
trial_fine(const struct trial *t)
{
	return t->nwrong == 0 && t->j.fine;
}

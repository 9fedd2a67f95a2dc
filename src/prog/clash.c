/* Migrations whose number another has, and the way to give them new ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "gate/range.h"
#include "prog/branch.h"

/* One app's: those that are new here, in order, and what they are to be. */
struct app {
	struct trial *t;
	struct arena *a;
	const struct trial_branch *b;
	sym app, dir;
	const struct migration **v;
	sym *to;			/* their new names */
	uint32_t n;
	const char **there;		/* files that the base branch has */
	uint32_t nthere;
	sym last;			/* the last one there that is not here */
};

/* Digits before the first _; 0: it has no number. */
static size_t
digits(const char *name)
{
	size_t n = strspn(name, "0123456789");

	return name[n] == '_' && n < 10 ? n : 0;
}

static bool
same_number(const char *x, const char *y)
{
	size_t n = digits(x);

	return n > 0 && digits(y) == n && memcmp(x, y, n) == 0;
}

static long
number(const char *name)
{
	return digits(name) > 0 ? strtol(name, NULL, 10) : 0;
}

static uint32_t
order_of(const struct graph *g, const struct migration *m)
{
	uint32_t i = 0;

	while (i < g->n && g->order[i] != m)
		i++;
	return i;
}

static bool
is_here(const struct app *p, const char *file)
{
	for (uint32_t i = 0; i < p->t->head.n; i++) {
		const struct migration *m = &p->t->head.v[i];
		size_t n = strlen(m->name);

		if (m->app == p->app && strncmp(m->name, file, n) == 0 &&
		    streq(file + n, ".py"))
			return true;
	}
	return false;
}

static uint32_t
new_one(const struct app *p, sym app, sym name)
{
	uint32_t i = 0;

	while (i < p->n && (app != p->app || p->v[i]->name != name))
		i++;
	return i;
}

/* Two that were written side by side and then joined keep their numbers, as
 * makemigrations --merge leaves them; one on top of the other does not. */
static sym
clash_here(const struct app *p, const struct migration *m)
{
	const struct graph *g = &p->t->graph;

	for (uint32_t i = 0; i < p->t->head.n; i++) {
		const struct migration *o = &p->t->head.v[i];
		uint32_t x = order_of(g, m), y;

		if (o == m || o->app != m->app || o->nreplaces > 0 ||
		    !same_number(o->name, m->name))
			continue;
		y = order_of(g, o);
		if (x < g->n && y < g->n && graph_needs(g, x, y))
			return sym_printf(p->a, "%s.%s has the number of %s, "
			    "which it stands on", m->app, m->name, o->name);
	}
	return NULL;
}

/* One that the base branch got since we left it. */
static sym
clash_there(const struct app *p, const struct migration *m)
{
	for (uint32_t i = 0; i < p->nthere; i++)
		if (ends_with(p->there[i], ".py") &&
		    same_number(p->there[i], m->name) &&
		    !is_here(p, p->there[i]))
			return sym_printf(p->a, "%s.%s has the number of %s, "
			    "which %s has", m->app, m->name, p->there[i],
			    p->b->tip_name);
	return NULL;
}

/* No history in common: the one with the last number. */
static void
guess_last(struct app *p)
{
	for (uint32_t i = 0; i < p->nthere; i++) {
		size_t n = strlen(p->there[i]);

		if (ends_with(p->there[i], ".py") && digits(p->there[i]) > 0 &&
		    !is_here(p, p->there[i]) && (p->last == NULL ||
		    number(p->there[i]) > number(p->last)))
			p->last = sym_getn(p->a, p->there[i], n - 3);
	}
}

/* Of those that only the base branch has, one that no other stands on. */
static int
find_last(struct app *p, struct err *e)
{
	struct list(struct migration) all = { 0 };
	struct range_file *f = NULL;
	uint32_t n = 0;

	if (p->b->fork != NULL && range_files(&f, &n, p->a, p->b->repo,
		p->b->fork, p->b->tip, e) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		size_t dir = strlen(p->dir);
		struct migration m = { 0 };

		if (strncmp(f[i].path, p->dir, dir) != 0 ||
		    f[i].path[dir] != '/' || f[i].new == NULL ||
		    is_here(p, f[i].path + dir + 1))
			continue;
		int r = branch_migration(&m, p->a, p->b->repo, f[i].path,
		    f[i].new, e);
		if (r < 0)
			return -1;
		if (r > 0)
			*list_add(p->a, &all) = m;
	}
	for (uint32_t i = 0; i < all.n; i++) {
		bool needed = false;

		for (uint32_t k = 0; k < all.n; k++)
			for (uint32_t d = 0; d < all.v[k].ndeps; d++)
				needed |= streq(all.v[k].deps[d].app, p->app) &&
				    streq(all.v[k].deps[d].name,
				    all.v[i].name);
		if (!needed)
			p->last = all.v[i].name;
	}
	if (p->last == NULL)
		guess_last(p);
	return 0;
}

/* Each the number after the one before it, or its own where that is free. */
static void
rename_all(struct app *p)
{
	long last = 0;

	for (uint32_t i = 0; i < p->t->head.n; i++) {
		const struct migration *m = &p->t->head.v[i];
		if (m->app == p->app && new_one(p, m->app, m->name) == p->n &&
		    number(m->name) > last)
			last = number(m->name);
	}
	for (uint32_t i = 0; i < p->nthere; i++)
		if (!is_here(p, p->there[i]) && number(p->there[i]) > last)
			last = number(p->there[i]);
	for (uint32_t i = 0; i < p->n; i++) {
		const char *name = p->v[i]->name;
		int width = (int)digits(name);

		last = number(name) > last ? number(name) : last + 1;
		p->to[i] = sym_printf(p->a, "%0*ld%s", width, last,
		    name + width);
	}
}

static void
tell_moves(const struct app *p, struct strbuf *b)
{
	for (uint32_t i = p->n; i-- > 0;)	/* each makes place for the next */
		if (p->to[i] != p->v[i]->name)
			strbuf_printf(b, "\ngit mv %s %s",
			    sym_word(p->a, p->v[i]->path), sym_word(p->a,
			    sym_printf(p->a, "%s/%s.py", p->dir, p->to[i])));
}

/* What m is to depend on instead; NULL: it stays so. */
static sym
instead(const struct app *p, const struct migration *m, const struct dep *d)
{
	uint32_t i = new_one(p, d->app, d->name);

	if (i < p->n)
		return p->to[i] != d->name ? p->to[i] : NULL;
	return d->app == p->app && d->name != NULL && p->last != NULL &&
	    new_one(p, m->app, m->name) < p->n ? p->last : NULL;
}

/* Who stands on what has another name, or a neighbour from now on. */
static void
tell_edits(const struct app *p, struct strbuf *b)
{
	struct strbuf add STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = 0; i < p->t->release.n; i++) {
		const struct migration *m = p->t->release.v[i]->m;
		uint32_t k = new_one(p, m->app, m->name);
		sym path = k == p->n ? m->path : sym_printf(p->a, "%s/%s.py",
		    p->dir, p->to[k]);
		bool edited = false;

		for (uint32_t d = 0; d < m->ndeps; d++) {
			sym now = m->deps[d].swappable ? NULL :
			    instead(p, m, &m->deps[d]);
			if (now == NULL)
				continue;
			edited = true;
			strbuf_printf(b, "\nin %s write ('%s', '%s') for "
			    "('%s', '%s')", path, p->app, now, p->app,
			    m->deps[d].name);
		}
		if (edited)
			strbuf_printf(&add, " %s", sym_word(p->a, path));
	}
	if (add.len > 0)
		strbuf_printf(b, "\ngit add%s", add.s);
}

/* What is staged becomes a commit for as long as it takes: stash would bring
 * it back as a patch, which a neighbouring change defeats, or unstaged. */
static void
tell_rebase(const struct app *p, struct strbuf *b)
{
	bool staged = p->b->at == AT_INDEX;

	if (p->b->at == AT_MERGE)
		strbuf_str(b, "\ngit merge --abort\nand on the branch that "
		    "brings it:");
	if (staged)
		strbuf_str(b, "\ngit commit --no-verify -m unfinished");
	if (strchr(p->b->tip_name, ' ') != NULL)	/* "this branch" */
		strbuf_str(b, "\ngit pull --rebase");
	else
		strbuf_printf(b, "\ngit rebase --autostash %s",
		    p->b->tip_name);
	if (staged)
		strbuf_str(b, "\ngit reset --soft HEAD^");
}

static void
tell_clash(const struct app *p, const struct migration *m, sym what)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	strbuf_str(&b, what);
	strbuf_char(&b, ':');
	if (p->last != NULL)
		tell_rebase(p, &b);
	tell_moves(p, &b);
	tell_edits(p, &b);
	trial_wrong(p->t, p->a, m->path, 0, sym_get(p->a, b.s));
}

/* One that is to get its old name back clashes with that alone. */
static bool
concerned(const struct trial *t, const struct trial_ask *ask,
    const struct migration *m)
{
	for (uint32_t i = 0; i < t->renamed.n; i++)
		if (streq(t->renamed.v[i], m->path))
			return false;
	return digits(m->name) > 0 && m->nreplaces == 0 && m->path != NULL &&
	    strchr(m->path, '/') != NULL && !trial_listed(ask->exceptions, m);
}

static int
look(struct app *p, struct err *e)
{
	const struct trial_branch *b = p->b;
	sym what = NULL;
	uint32_t i = 0;

	if (b != NULL && b->tip != NULL && range_folder(&p->there, &p->nthere,
		p->a, b->repo, b->tip, p->dir, e) < 0)
		return -1;
	for (; i < p->n && what == NULL; i++) {
		what = clash_here(p, p->v[i]);
		if (what == NULL)
			what = clash_there(p, p->v[i]);
	}
	if (what == NULL || (p->nthere > 0 && find_last(p, e) < 0))
		return what == NULL ? 0 : -1;
	rename_all(p);
	tell_clash(p, p->v[i - 1], what);
	return 0;
}

int
clash_find(struct trial *t, struct arena *a, const struct trial_ask *ask,
    struct err *e)
{
	for (uint32_t i = 0; i < t->release.n; i++) {
		const struct migration *m = t->release.v[i]->m;
		struct app p = { .t = t, .a = a, .b = ask->branch,
			.app = m->app };
		bool again = !concerned(t, ask, m);

		for (uint32_t k = 0; k < i && !again; k++)
			again = t->release.v[k]->m->app == m->app &&
			    concerned(t, ask, t->release.v[k]->m);
		if (again)
			continue;
		p.dir = sym_getn(a, m->path,
		    (size_t)(strrchr(m->path, '/') - m->path));
		p.v = arena_alloc(a, t->release.n, sizeof(*p.v));
		p.to = arena_array(a, sym, t->release.n);
		for (uint32_t k = i; k < t->release.n; k++)
			if (t->release.v[k]->m->app == m->app &&
			    concerned(t, ask, t->release.v[k]->m))
				p.v[p.n++] = t->release.v[k]->m;
		if (look(&p, e) < 0)
			return -1;
	}
	return 0;
}

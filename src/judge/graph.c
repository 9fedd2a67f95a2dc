#include "judge/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"

#define NONE UINT32_MAX

enum place { HERE, REPLACED, NOT_USED };	/* NOT_USED: a squash left out */

struct node {
	const struct migration *m;
	enum place place;
	uint32_t by;			/* REPLACED: the squash */
	struct list(uint32_t) parents, children;
	uint8_t colour;			/* 0 new, 1 on the way, 2 done */
};

struct alias { sym app, name; uint32_t squash; };

struct build {
	struct graph *g;
	struct arena *a;
	struct node *v;			/* sorted by app and name */
	uint32_t n;
	struct alias *aliases;		/* names that squashes replace, sorted */
	uint32_t naliases;
	const struct settings *s;
	struct list(struct graph_wrong) wrong;
	struct list(const struct migration *) order;
	uint32_t *at;			/* node → place in order */
};

static int
key_cmp(sym app, sym name, sym app2, sym name2)
{
	int c = app == app2 ? 0 : strcmp(app, app2);

	return c != 0 ? c : strcmp(name, name2);
}

static int
migration_cmp(const void *x, const void *y)
{
	const struct migration *const *p = x, *const *q = y;
	int c = key_cmp((*p)->app, (*p)->name, (*q)->app, (*q)->name);

	return c != 0 ? c : strcmp((*p)->path != NULL ? (*p)->path : "",
	    (*q)->path != NULL ? (*q)->path : "");
}

static int
alias_cmp(const void *x, const void *y)
{
	const struct alias *p = x, *q = y;

	return key_cmp(p->app, p->name, q->app, q->name);
}

static struct graph_wrong *
wrong(struct build *b, int kind, const struct migration *m, sym text)
{
	struct graph_wrong *w = list_add(b->a, &b->wrong);

	w->kind = kind;
	w->app = m->app;
	w->text = text;
	w->at = m;
	return w;
}

/* First node that is not before (app, name). */
static uint32_t
lower_bound(const struct build *b, sym app, sym name)
{
	uint32_t lo = 0;

	for (uint32_t hi = b->n; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct migration *m = b->v[mid].m;

		if (key_cmp(m->app, m->name, app, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t
node_find(const struct build *b, sym app, sym name)
{
	uint32_t i = lower_bound(b, app, name);

	return i < b->n && key_cmp(b->v[i].m->app, b->v[i].m->name, app,
	    name) == 0 ? i : NONE;
}

static bool
app_known(const struct build *b, sym app)
{
	uint32_t i = lower_bound(b, app, "");

	return i < b->n && streq(b->v[i].m->app, app);
}

static void
sort_nodes(struct build *b, const struct migration *all, uint32_t n)
{
	const struct migration **p = arena_alloc(b->a, n + 1u, sizeof(*p));

	for (uint32_t i = 0; i < n; i++)
		p[i] = &all[i];
	sort_items(p, n, sizeof(*p), migration_cmp);
	b->v = arena_array(b->a, struct node, n + 1u);
	for (uint32_t i = 0; i < n; i++) {
		const struct migration *last =
		    b->n > 0 ? b->v[b->n - 1].m : NULL;

		if (last == NULL || key_cmp(last->app, last->name, p[i]->app,
		    p[i]->name) != 0) {
			b->v[b->n].m = p[i];
			b->v[b->n++].by = NONE;
			continue;
		}
		wrong(b, GRAPH_DUPLICATE, p[i], sym_printf(b->a,
		    "two migrations are called %s.%s: '%s' and '%s'; rename "
		    "one, or give its app another label", p[i]->app,
		    p[i]->name, last->path != NULL ? last->path : "?",
		    p[i]->path != NULL ? p[i]->path : "?"));
	}
}

static int
applied_cmp(const void *x, const void *y)
{
	const struct applied *p = x, *q = y;

	return key_cmp(p->app, p->name, q->app, q->name);
}

/* Does a squash stand for its originals? As Django decides it: when all or
 * none of them are applied; without a database, when originals are gone. */
static bool
squash_stands(struct build *b, const struct migration *m,
    const struct applied *applied, uint32_t napplied)
{
	uint32_t done = 0, gone = 0;
	struct applied key = { m->app, m->name };

	if (applied != NULL && bsearch(&key, applied, napplied, sizeof(key),
	    applied_cmp) != NULL)
		return true;
	for (uint32_t i = 0; i < m->nreplaces; i++) {
		key = (struct applied){ m->replaces[i].app,
			m->replaces[i].name };
		if (applied != NULL && bsearch(&key, applied, napplied,
		    sizeof(key), applied_cmp) != NULL)
			done++;
		if (node_find(b, key.app, key.name) == NONE)
			gone++;
	}
	if (applied == NULL)
		return gone > 0;
	if (done == 0 || done == m->nreplaces)
		return true;
	if (gone > 0)
		wrong(b, GRAPH_MISSING, m, sym_printf(b->a,
		    "%s.%s is applied in part and some migrations that it "
		    "replaces are gone; bring them back until all databases "
		    "are past them", m->app, m->name));
	return false;
}

static void
squashes(struct build *b, const struct applied *applied, uint32_t napplied)
{
	struct list(struct alias) names = { 0 };
	struct applied *done = NULL;

	if (applied != NULL) {
		done = arena_array(b->a, struct applied, napplied + 1u);
		if (napplied > 0)
			memcpy(done, applied, napplied * sizeof(*done));
		sort_items(done, napplied, sizeof(*done), applied_cmp);
	}
	for (uint32_t i = 0; i < b->n; i++) {
		const struct migration *m = b->v[i].m;

		if (m->nreplaces == 0)
			continue;
		if (!squash_stands(b, m, done, napplied)) {
			b->v[i].place = NOT_USED;
			continue;
		}
		for (uint32_t k = 0; k < m->nreplaces; k++) {
			const struct dep *d = &m->replaces[k];
			uint32_t old = node_find(b, d->app, d->name);

			if (old != NONE && old != i && b->v[old].by == NONE) {
				b->v[old].place = REPLACED;
				b->v[old].by = i;
			}
			struct alias *x = list_add(b->a, &names);
			*x = (struct alias){ d->app, d->name, i };
		}
	}
	if (names.n > 0)
		qsort(names.v, names.n, sizeof(*names.v), alias_cmp);
	b->aliases = names.v;
	b->naliases = names.n;
}

/* The node that stands for node i; a chain of squashes has an end. */
static uint32_t
standing(const struct build *b, uint32_t i)
{
	for (uint32_t hops = 0; i != NONE && b->v[i].place == REPLACED &&
	    hops < b->n; hops++)
		i = b->v[i].by;
	return i;
}

static void
edge(struct build *b, uint32_t child, uint32_t parent)
{
	child = standing(b, child);
	parent = standing(b, parent);
	if (child == NONE || parent == NONE || child == parent)
		return;
	struct node *c = &b->v[child];
	/* edges of one child come together: looking back finds a repeat */
	for (uint32_t i = c->parents.n; i > 0 && c->parents.n - i < 64; i--)
		if (c->parents.v[i - 1] == parent)
			return;
	*list_add(b->a, &c->parents) = parent;
	*list_add(b->a, &b->v[parent].children) = child;
}

/* A dependency on a squash that is not used goes to the last of those that
 * it would replace. */
static void
edge_to(struct build *b, uint32_t child, uint32_t parent, int depth)
{
	if (b->v[parent].place != NOT_USED || depth > 8) {
		edge(b, child, parent);
		return;
	}
	const struct migration *m = b->v[parent].m;
	for (uint32_t i = 0; i < m->nreplaces; i++) {
		uint32_t k = node_find(b, m->replaces[i].app,
		    m->replaces[i].name);
		if (k != NONE && k != parent)
			edge_to(b, child, k, depth + 1);
	}
}

/* __first__: of the app's standing ones, one without a parent in the app;
 * __latest__: one without a child in it. */
static uint32_t
app_end(const struct build *b, sym app, bool first)
{
	uint32_t i = lower_bound(b, app, "");

	for (; i < b->n && streq(b->v[i].m->app, app); i++) {
		const struct node *n = &b->v[i];
		uint32_t count = first ? n->parents.n : n->children.n;
		bool inside = n->place != HERE;

		for (uint32_t k = 0; k < count && !inside; k++)
			inside = streq(b->v[first ? n->parents.v[k] :
			    n->children.v[k]].m->app, app);
		if (!inside)
			return i;
	}
	return NONE;
}

static sym
setting_app(struct build *b, const struct dep *d)
{
	sym label = NULL;

	if (d->app != NULL && strcmp(d->app, "AUTH_USER_MODEL") == 0)
		label = b->s != NULL && b->s->user_model != NULL ?
		    b->s->user_model : "auth.user";
	for (uint32_t i = 0; b->s != NULL && i < b->s->nswapped; i++)
		if (streq(b->s->swapped[i].name, d->app))
			label = b->s->swapped[i].value;
	if (label == NULL)
		return NULL;
	const char *dot = strchr(label, '.');
	return dot != NULL ? sym_getn(b->a, label, (size_t)(dot - label)) :
	    label;
}

/* NONE: nothing to depend on here (told, if that is wrong). */
static uint32_t
dep_node(struct build *b, const struct migration *m, const struct dep *d)
{
	sym app = d->swappable ? setting_app(b, d) : d->app;

	if (app == NULL || d->name == NULL || !app_known(b, app))
		return NONE;	/* outside of the source: not ours to judge */
	uint32_t i = node_find(b, app, d->name);
	if (i != NONE)
		return i;
	bool first = d->swappable || strcmp(d->name, "__first__") == 0;
	if (first || strcmp(d->name, "__latest__") == 0)
		return streq(app, m->app) ? NONE : app_end(b, app, first);
	struct alias key = { app, d->name, 0 };
	const struct alias *x = b->naliases == 0 ? NULL : bsearch(&key,
	    b->aliases, b->naliases, sizeof(key), alias_cmp);
	if (x != NULL)
		return x->squash;
	wrong(b, GRAPH_MISSING, m, sym_printf(b->a,
	    "%s.%s depends on %s.%s, which is not there; commit that "
	    "migration too, or mend the dependency (%s:%u)", m->app, m->name,
	    app, d->name, m->path != NULL ? m->path : "?",
	    d->line))->missing = d->name;
	return NONE;
}

static void
edges(struct build *b, bool inside)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct migration *m = b->v[i].m;

		if (b->v[i].place == NOT_USED)
			continue;
		for (uint32_t k = 0; k < m->ndeps; k++) {
			const struct dep *d = &m->deps[k];

			if ((!d->swappable && streq(d->app, m->app)) != inside)
				continue;
			uint32_t p = dep_node(b, m, d);
			if (p != NONE)
				edge_to(b, i, p, 0);
		}
		for (uint32_t k = 0; !inside && k < m->nrun_before; k++) {
			uint32_t c = dep_node(b, m, &m->run_before[k]);

			if (c != NONE && b->v[c].place != NOT_USED)
				edge(b, c, i);
		}
	}
}

static int
index_cmp(const void *x, const void *y)
{
	const uint32_t *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static void
cycle(struct build *b, const uint32_t *way, uint32_t n, uint32_t to)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	uint32_t from = n, shown = 0;

	while (from > 0 && way[from - 1] != to)
		from--;
	from -= from > 0;
	for (uint32_t i = from; i < n && shown < 12; i++, shown++)
		strbuf_printf(&text, "%s.%s -> ", b->v[way[i]].m->app,
		    b->v[way[i]].m->name);
	strbuf_printf(&text, "%s%s.%s", n - from > 12 ? "… -> " : "",
	    b->v[to].m->app, b->v[to].m->name);
	wrong(b, GRAPH_CYCLE, b->v[to].m, sym_printf(b->a,
	    "migrations depend on each other in a circle: %s; take one of "
	    "these dependencies away", text.s));
}

/* Django's order: from each leaf, parents first, the later named of two
 * parents before the earlier one. */
static void
walk(struct build *b, uint32_t leaf)
{
	struct turn { uint32_t node; bool done; };
	struct list(struct turn) stack = { 0 };
	struct list(uint32_t) way = { 0 };

	*list_add(b->a, &stack) = (struct turn){ leaf, false };
	while (stack.n > 0) {
		struct turn t = stack.v[--stack.n];
		struct node *n = &b->v[t.node];

		if (t.done) {
			n->colour = 2;
			way.n--;
			b->at[t.node] = b->order.n;
			*list_add(b->a, &b->order) = n->m;
			continue;
		}
		if (n->colour == 1)
			cycle(b, way.v, way.n, t.node);
		if (n->colour != 0)
			continue;
		n->colour = 1;
		*list_add(b->a, &way) = t.node;
		*list_add(b->a, &stack) = (struct turn){ t.node, true };
		for (uint32_t i = 0; i < n->parents.n; i++)
			if (b->v[n->parents.v[i]].colour != 2)
				*list_add(b->a, &stack) =
				    (struct turn){ n->parents.v[i], false };
	}
}

static bool
is_leaf(const struct build *b, const struct node *n)
{
	for (uint32_t i = 0; i < n->children.n; i++)
		if (streq(b->v[n->children.v[i]].m->app, n->m->app))
			return false;
	return n->place == HERE;
}

static void
leaves_told(struct build *b, const struct node **leaf, uint32_t n)
{
	struct strbuf names STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = 0; i < n && i < 8; i++)
		strbuf_printf(&names, "%s%s", i == 0 ? "" : i + 1 == n ?
		    " and " : ", ", leaf[i]->m->name);
	if (n > 8)
		strbuf_printf(&names, " and %u more", n - 8);
	wrong(b, GRAPH_LEAVES, leaf[n - 1]->m, sym_printf(b->a,
	    "app '%s' has %u last migrations: %s; join them by "
	    "'python manage.py makemigrations --merge %s'",
	    leaf[0]->m->app, n, names.s, leaf[0]->m->app));
}

static void
walk_all(struct build *b)
{
	struct list(const struct node *) leaves = { 0 };

	for (uint32_t i = 0; i < b->n; i++) {
		struct node *n = &b->v[i];

		if (n->parents.n > 1)
			qsort(n->parents.v, n->parents.n,
			    sizeof(*n->parents.v), index_cmp);
		if (leaves.n > 0 && !streq(leaves.v[0]->m->app, n->m->app)) {
			if (leaves.n > 1)
				leaves_told(b, leaves.v, leaves.n);
			leaves.n = 0;
		}
		if (is_leaf(b, n))
			*list_add(b->a, &leaves) = n;
	}
	if (leaves.n > 1)
		leaves_told(b, leaves.v, leaves.n);
	for (uint32_t i = 0; i < b->n; i++)
		if (is_leaf(b, &b->v[i]))
			walk(b, i);
	for (uint32_t i = 0; i < b->n; i++)	/* what only a circle reaches */
		if (b->v[i].place == HERE && b->v[i].colour == 0)
			walk(b, i);
}

static void
parents_told(struct build *b)
{
	struct graph *g = b->g;
	const uint32_t **parents = arena_alloc(b->a, g->n + 1u,
	    sizeof(*parents));
	uint32_t *counts = arena_array(b->a, uint32_t, g->n + 1u);

	for (uint32_t i = 0; i < b->n; i++) {
		const struct node *n = &b->v[i];

		if (n->place != HERE)
			continue;
		uint32_t *p = arena_array(b->a, uint32_t, n->parents.n + 1u);
		for (uint32_t k = 0; k < n->parents.n; k++)
			p[k] = b->at[n->parents.v[k]];
		parents[b->at[i]] = p;
		counts[b->at[i]] = n->parents.n;
	}
	g->parents = parents;
	g->nparents = counts;
}

void
graph_build(struct graph *g, struct arena *a, const struct migration *all,
    uint32_t n, const struct applied *applied, uint32_t napplied,
    const struct settings *s)
{
	struct build b = { .g = g, .a = a, .s = s };

	memset(g, 0, sizeof(*g));
	sort_nodes(&b, all, n);
	b.at = arena_array(a, uint32_t, b.n + 1u);
	squashes(&b, applied, napplied);
	edges(&b, true);
	edges(&b, false);
	walk_all(&b);
	g->order = b.order.v;
	g->n = b.order.n;
	parents_told(&b);
	g->wrong = b.wrong.v;
	g->nwrong = b.wrong.n;
}

bool
graph_needs(const struct graph *g, uint32_t i, uint32_t j)
{
	if (i == j || i >= g->n || j >= g->n || j > i)
		return false;
	bool *need = xcalloc(g->n, sizeof(*need));

	/* parents come first, so one way down meets all of them */
	need[i] = true;
	for (uint32_t k = i; k > j; k--)
		for (uint32_t p = 0; need[k] && p < g->nparents[k]; p++)
			need[g->parents[k][p]] = true;
	bool yes = need[j];
	free(need);
	return yes;
}

bool
graph_wants(const struct graph_wrong *w, const char *path)
{
	const char *at = w->at->path, *slash = strrchr(path, '/');
	const char *end = at != NULL ? strrchr(at, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : path;
	size_t n = strcspn(name, ".");

	if (w->kind == GRAPH_MISSING)
		return w->missing != NULL && strlen(w->missing) == n &&
		    memcmp(w->missing, name, n) == 0;
	return w->kind == GRAPH_LEAVES && slash != NULL && end != NULL &&
	    slash - path == end - at &&
	    memcmp(path, at, (size_t)(end - at)) == 0;
}

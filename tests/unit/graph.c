/* judge/graph: Django's order, and what is wrong told so that it can be mended. */
#include "tap.h"

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "judge/graph.h"

static struct arena *a;

/* "app.name < app.dep app.dep ! app.replaced > app.run_before"; ends at NULL */
static struct migration
mig(const char *text)
{
	struct list(struct dep) deps = { 0 }, reps = { 0 }, before = { 0 };
	struct migration m = { 0 };
	char kind = 0;

	for (char *s = arena_strdup(a, text), *t; (t = strsep(&s, " "));) {
		char *dot = strchr(t, '.');

		if (dot == NULL) {
			kind = *t;
			continue;
		}
		sym app = sym_getn(a, t, (size_t)(dot - t));
		sym name = sym_get(a, dot + 1);
		if (kind == 0) {
			m.app = app;
			m.name = name;
			m.path = sym_printf(a, "%s/migrations/%s.py", app, name);
			continue;
		}
		struct dep *d = kind == '<' ? list_add(a, &deps) : kind == '!' ?
		    list_add(a, &reps) : list_add(a, &before);
		*d = (struct dep){ .app = app, .name = name, .line = 7,
			.swappable = strcmp(app, "AUTH_USER_MODEL") == 0 };
	}
	m.deps = deps.v;
	m.ndeps = deps.n;
	m.replaces = reps.v;
	m.nreplaces = reps.n;
	m.run_before = before.v;
	m.nrun_before = before.n;
	return m;
}

static struct graph
build(const char *const *text, const struct applied *ap, uint32_t nap,
    const struct settings *s)
{
	struct list(struct migration) all = { 0 };
	struct graph g;

	for (; *text != NULL; text++)
		*list_add(a, &all) = mig(*text);
	graph_build(&g, a, all.v, all.n, ap, nap, s);
	return g;
}

static const char *
shown(const struct graph *g)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = 0; i < g->n; i++)
		strbuf_printf(&b, "%s%s.%s", i > 0 ? " " : "",
		    g->order[i]->app, g->order[i]->name);
	return sym_get(a, b.s);
}

static void
test_order(void)
{
	const char *const t[] = { "b.1", "b.2 < b.1 a.1", "a.1",
		"a.2 < a.1 b.1", "c.1 < a.2 b.2", "c.0 > a.1", NULL };
	struct graph g = build(t, NULL, 0, NULL);

	is(shown(&g), "b.1 c.0 a.1 a.2 b.2 c.1", "as Django orders them");
	is_int(g.nwrong, 1, "only c's two leaves are wrong");
	like(g.wrong[0].text, "makemigrations --merge c", "and how to mend it");
	ok(graph_needs(&g, 5, 1) && !graph_needs(&g, 4, 3), "who needs whom");
}

static void
test_wrong(void)
{
	const char *const circle[] = { "a.1 < b.1", "b.1 < c.1", "c.1 < a.1",
		"a.2", NULL };
	struct graph g = build(circle, NULL, 0, NULL);

	is_int(g.n, 4, "a circle: all are still there, once");
	like(g.wrong[g.nwrong - 1].text, "in a circle: ", "told");
	const char *const gone[] = { "a.1", "a.2 < a.1 b.9", "b.1",
		"a.3 < a.2 zz.1", NULL };
	g = build(gone, NULL, 0, NULL);
	is_int(g.nwrong, 1, "an app from elsewhere is not missing");
	like(g.wrong[0].text,
	    "a.2 depends on b.9, which is not there", "a name is");
	ok(graph_wants(&g.wrong[0], "b/migrations/9.py") &&
	    !graph_wants(&g.wrong[0], "b/migrations/99.py"),
	    "unless that is what cannot be read");
	const char *const two[] = { "a.1", "a.2 < a.1", "a.4 < a.1", NULL };
	g = build(two, NULL, 0, NULL);
	ok(graph_wants(&g.wrong[0], "a/migrations/3.py") &&
	    !graph_wants(&g.wrong[0], "b/migrations/3.py"),
	    "so with two leaves: one may be below it");
	const char *const dup[] = { "a.1", "a.1", NULL };
	g = build(dup, NULL, 0, NULL);
	is_int(g.wrong[0].kind, GRAPH_DUPLICATE, "two of one name");
}

static void
test_squash(void)
{
	const char *const t[] = { "a.1", "a.2 < a.1", "a.1_2 ! a.1 a.2",
		"a.3 < a.2", "b.1 < a.1_2", NULL };
	struct graph g = build(t, NULL, 0, NULL);
	struct applied one[] = { { "a", "1" } };
	struct applied both[] = { { "a", "2" }, { "a", "1" } };

	is(shown(&g), "a.1 a.2 a.3 b.1", "without a database: the originals");
	g = build(t, one, 0, NULL);
	is(shown(&g), "a.1_2 a.3 b.1", "none applied: the squash");
	g = build(t, one, 1, NULL);
	is(shown(&g), "a.1 a.2 a.3 b.1", "one applied: the originals");
	g = build(t, both, 2, NULL);
	is(shown(&g), "a.1_2 a.3 b.1", "all applied: the squash");
	const char *const gone[] = { "a.1_2 ! a.1 a.2", "a.3 < a.2", NULL };
	g = build(gone, NULL, 0, NULL);
	is(shown(&g), "a.1_2 a.3", "originals gone: the squash");
	is_int(g.nwrong, 0, "and nothing is missing");
}

static void
test_named_ends(void)
{
	struct settings s = { .user_model = "people.person" };
	const char *const t[] = { "a.1 < AUTH_USER_MODEL.__first__",
		"people.1", "people.2 < people.1", "z.1 < people.__latest__",
		NULL };
	struct graph g = build(t, NULL, 0, &s);

	is(shown(&g), "people.1 a.1 people.2 z.1", "__first__, __latest__");
}

static void
test_large(void)
{
	struct list(struct migration) all = { 0 };
	struct graph g;
	int64_t t0 = clock_ms();

	for (int i = 0; i < 20000; i++) {
		struct migration *m = list_add(a, &all);

		*m = mig(i == 0 ? "a.00000" : sym_printf(a,
		    "a.%05d < a.%05d", i, i - 1));
	}
	graph_build(&g, a, all.v, all.n, NULL, 0, NULL);
	is_int(g.n, 20000, "a chain of 20,000 does not overflow");
	ok(clock_ms() - t0 < 1000, "in under a second");
	all.n = 0;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	strbuf_str(&b, "b.merge <");
	for (int i = 0; i < 5000; i++) {
		*list_add(a, &all) = mig(sym_printf(a, "b.%05d", i));
		strbuf_printf(&b, " b.%05d", i);
	}
	*list_add(a, &all) = mig(b.s);
	graph_build(&g, a, all.v, all.n, NULL, 0, NULL);
	is_int(g.nwrong, 0, "a merge of 5,000");
}

int
main(void)
{
	a = arena_new();
	test_order();
	test_wrong();
	test_squash();
	test_named_ends();
	test_large();
	arena_free(a);
	return done_testing();
}

/* What the replay says that the schema is, against what PostgreSQL says that
 * Django made: names, types, defaults, every constraint and index. */
#include "db.h"

#include "act/catalog.h"
#include "base/child.h"
#include "judge/graph.h"
#include "judge/world.h"
#include "read/source.h"

static const char prepare[] =
	"cd \"$SLUICE_TEST_PG\"; mkdir tree; cp -R "
	"\"$SLUICE_TEST_TOP\"/tests/desk/* tree; cd tree; "
	"export DESK_KEY='two $words' DESK_ZOO=1 "
	"DJANGO_SETTINGS_MODULE=desk.settings; "
	"\"$SLUICE_TEST_PY\" -m django migrate -v0 --skip-checks >/dev/null; "
	"at=$(\"$SLUICE_TEST_PY\" -c 'import django.contrib as c; "
	"print(c.__path__[0])'); "
	"for app in admin auth contenttypes redirects sessions sites; do "
	"mkdir $app; cp -R \"$at/$app/migrations\" $app; done";

static int
shell(const char *cmd)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-ec" },
	    xstrdup(cmd), NULL };
	struct child_spec s = { .argv = argv };
	struct err e = ERR_INIT;
	int code = -1;

	if (child_run(&s, NULL, 0, NULL, NULL, 120000, &code, &e) < 0)
		printf("# %s\n", e.msg);
	free(argv[2]);
	return code;
}

static const char *
s_or(const char *s)
{
	return s == NULL ? "-" : s;
}

/* An expression is spelled by Django on one side and by PostgreSQL on the
 * other: what computes it is not compared, that there is one is. */
static bool
col_same(const struct column *x, const struct column *y)
{
	bool spelled = x->dflt == DFLT_EXPR || x->dflt == DFLT_GENERATED;

	return streq(x->type, y->type) && streq(x->collation, y->collation) &&
	    x->notnull == y->notnull && x->dflt == y->dflt &&
	    (spelled || streq(x->dflt_sql, y->dflt_sql));
}

static bool
syms_same(const sym *x, int n, const sym *y, int m)
{
	if (n != m)
		return false;
	for (int i = 0; i < n; i++)
		if (!streq(x[i], y[i]))
			return false;
	return true;
}

static bool
con_same(const struct con *x, const struct con *y)
{
	return x->kind == y->kind && syms_same(x->cols, x->ncols, y->cols,
	    y->ncols) && syms_same(x->include, x->ninclude, y->include,
	    y->ninclude) && streq(x->ref_table, y->ref_table) &&
	    streq(x->ref_col, y->ref_col) &&
	    streq(x->on_delete, y->on_delete) &&
	    (x->where == NULL) == (y->where == NULL) &&
	    streq(x->method, y->method) && streq(x->opclass, y->opclass) &&
	    x->deferrable == y->deferrable && x->not_valid == y->not_valid &&
	    x->nulls_equal == y->nulls_equal && x->invalid == y->invalid;
}

static const struct con *
con_named(const struct table *t, const char *name)
{
	for (int i = 0; i < t->ncons; i++)
		if (streq(t->cons[i].name, name))
			return &t->cons[i];
	return NULL;
}

static const struct column *
col_named(const struct table *t, const char *name)
{
	for (int i = 0; i < t->ncols; i++)
		if (streq(t->cols[i].name, name))
			return &t->cols[i];
	return NULL;
}

/* The two tables are one: how many differences, each told. */
static int
differences(const struct table *live, const struct table *t)
{
	int n = 0;

	for (int i = 0; i < live->ncols; i++) {
		const struct column *x = &live->cols[i];
		const struct column *y = col_named(t, x->name);
		if (y != NULL && col_same(x, y))
			continue;
		n++;
		printf("# %s.%s is %s%s %d %s", live->name, x->name, x->type,
		    x->notnull ? " not null" : "", (int)x->dflt,
		    s_or(x->dflt_sql));
		if (y != NULL)
			printf(", replay: %s%s %d %s", s_or(y->type),
			    y->notnull ? " not null" : "", (int)y->dflt,
			    s_or(y->dflt_sql));
		putchar('\n');
	}
	for (int i = 0; i < t->ncols; i++)
		if (col_named(live, t->cols[i].name) == NULL && ++n > 0)
			printf("# no %s.%s\n", live->name, t->cols[i].name);
	for (int i = 0; i < live->ncons; i++) {
		const struct con *y = con_named(t, live->cons[i].name);
		if ((y == NULL || !con_same(&live->cons[i], y)) && ++n > 0)
			printf("# %s: %s %s\n", live->name,
			    live->cons[i].name, y == NULL ?
			    "is not in the replay" : "differs");
	}
	for (int i = 0; i < t->ncons; i++)
		if (con_named(live, t->cons[i].name) == NULL && ++n > 0)
			printf("# %s: no %s\n", live->name, t->cons[i].name);
	return n;
}

static void
compare(const struct vec *live, const struct vec *have)
{
	for (uint32_t i = 0; i < live->n; i++) {
		const struct table *x = live->v[i], *y = NULL;
		if (streq(x->name, "django_migrations") ||
		    streq(x->name, "told"))
			continue;
		for (uint32_t k = 0; k < have->n; k++)
			if (streq(have->v[k]->name, x->name))
				y = have->v[k];
		if (ok(y != NULL, "%s is in the replay", x->name))
			is_int(differences(x, y), 0, "and is the same");
	}
	is_int(have->n, live->n - 2, "no other tables");
}

static int
replay(struct vec *have, struct arena *a)
{
	struct err e = ERR_INIT;
	struct source *s = NULL;
	struct migrations ms = { 0 };
	struct cfg_project p = { .name = "", .root = ".",
	    .settings = "desk.settings" };
	struct settings st = { .django = 502, .server = 15,
	    .user_model = sym_get(a, "auth.user"),
	    .auto_field = sym_get(a, "django.db.models.BigAutoField") };
	struct graph g = { 0 };
	struct replay r = { 0 };
	char path[4200];

	snprintf(path, sizeof(path), "%s/tree", getenv("SLUICE_TEST_PG"));
	if (source_folder(&s, path, &e) < 0 ||
	    source_migrations(&ms, a, s, &p, &e) < 0) {
		printf("# %s\n", e.msg);
		source_free(s);
		return -1;
	}
	graph_build(&g, a, ms.v, ms.n, NULL, 0, &st);
	for (uint32_t i = 0; i < g.nwrong; i++)
		printf("# %s\n", g.wrong[i].text);
	replay_run(&r, a, g.order, g.n, &st);
	*have = r.end.have;
	source_free(s);
	return (int)g.n;
}

int
main(void)
{
	with_pg();
	const char *py = getenv("SLUICE_TEST_PY");
	struct arena *a = arena_new();
	struct err e = ERR_INIT;
	struct vec live = { 0 }, have = { 0 };

	if (py == NULL || access(py, X_OK) != 0) {
		printf("1..0 # skip no Django here: run 'sh tests/setup.sh'\n");
		return 0;
	}
	signals_fd(&e);
	is_int(shell(prepare), 0, "Django migrates");
	struct pg *p = db_open();
	is_int(catalog_read(&live, a, p, &e), 0, "the catalogue");
	ok(replay(&have, a) >= 26, "the replay");
	compare(&live, &have);
	pg_free(p);
	arena_free(a);
	return done_testing();
}

/* The replay of a folder, told in lines for tests/replay.t:
 *
 *	replay DIR [CONNINFO]	statements forth and back as Django emits them,
 *				then how models, replay and catalogue differ
 *
 * Without arguments: TAP over small worlds. */
#include "tap.h"

#include <stdlib.h>
#include <time.h>

#include "act/catalog.h"
#include "act/pg.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "judge/code.h"
#include "judge/graph.h"
#include "read/source.h"

static struct arena *a;
static int differ;

static void
flat(const char *s)
{
	for (; *s != '\0'; s++)
		putchar(*s == '\n' ? ' ' : *s);
	putchar('\n');
}

static void
statements(const struct moved *m, const char *way, const struct ddls *d,
    bool deferred)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (d->v[i].sql != NULL && d->v[i].deferred == deferred) {
			printf("%s.%s %s ", m->m->app, m->m->name, way);
			flat(d->v[i].sql);
		}
}

static void
tell(const struct moved *m)
{
	for (uint32_t i = 0; i < m->nchanges; i++)
		statements(m, "fwd", &m->changes[i].fwd, false);
	for (uint32_t i = 0; i < m->nchanges; i++)
		statements(m, "fwd", &m->changes[i].fwd, true);
	for (uint32_t i = m->nchanges; i > 0; i--)
		statements(m, "rev", &m->changes[i - 1].rev, false);
	for (uint32_t i = m->nchanges; i > 0; i--)
		statements(m, "rev", &m->changes[i - 1].rev, true);
	for (uint32_t i = 0; i < m->nchanges; i++)
		if (m->changes[i].why != OPAQUE_NOT)
			printf("# opaque %s.%s:%u: %d %s\n", m->m->app,
			    m->m->name, m->changes[i].op->line,
			    m->changes[i].why, m->changes[i].note != NULL ?
			    m->changes[i].note : "");
	for (uint32_t i = 0; i < m->nchanges; i++)
		if (m->changes[i].rev_why != OPAQUE_NOT)
			printf("# opaque back %s.%s:%u: %d %s\n", m->m->app,
			    m->m->name, m->changes[i].op->line,
			    m->changes[i].rev_why,
			    m->changes[i].rev_note != NULL ?
			    m->changes[i].rev_note : "");
}

static void __attribute__((format(printf, 1, 2)))
diff(const char *fmt, ...)
{
	va_list ap;

	differ++;
	fputs("# differs: ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static const char *
text(const char *s)
{
	return s != NULL ? s : "-";
}

static void
diff_columns(const char *what, const struct table *x, const struct table *y)
{
	for (uint16_t i = 0; i < x->ncols; i++) {
		const struct column *p = &x->cols[i];
		const struct column *q = table_col(y, p->name);

		if (q == NULL)
			diff("%s %s.%s is not there", what, x->name, p->name);
		else if (!streq(p->type, q->type) || p->notnull != q->notnull ||
		    p->dflt != q->dflt || !streq(p->collation, q->collation))
			diff("%s %s.%s: %s %d %d %s, %s %d %d %s", what,
			    x->name, p->name, text(p->type), p->notnull,
			    p->dflt, text(p->collation), text(q->type),
			    q->notnull, q->dflt, text(q->collation));
	}
	for (uint16_t i = 0; i < y->ncols; i++)
		if (table_col(x, y->cols[i].name) == NULL)
			diff("%s %s.%s is too much", what, x->name,
			    y->cols[i].name);
}

static bool
same_con(const struct con *p, const struct con *q, bool names)
{
	if (p->kind != q->kind || (names && !streq(p->name, q->name)))
		return false;
	if (names && (p->kind == CON_CHECK || p->kind == CON_EXCLUDE))
		return true;
	if (p->ncols != q->ncols || !streq(p->ref_table, q->ref_table) ||
	    !streq(p->ref_col, q->ref_col) || (p->where != NULL) !=
	    (q->where != NULL) || p->ninclude != q->ninclude ||
	    p->deferrable != q->deferrable || !streq(p->method != NULL ?
	    p->method : "btree", q->method != NULL ? q->method : "btree") ||
	    !streq(p->opclass, q->opclass) || p->nulls_equal != q->nulls_equal)
		return false;
	for (uint16_t i = 0; i < p->ncols; i++)
		if (!streq(p->cols[i], q->cols[i]))
			return false;
	return true;
}

static void
diff_cons(const char *what, const struct table *x, const struct table *y,
    const char *how, bool want)
{
	for (uint16_t i = 0; i < x->ncons; i++) {
		const struct con *p = &x->cons[i];
		bool found = false;

		for (uint16_t k = 0; k < y->ncons && !found; k++)
			found = same_con(p, &y->cons[k], !want ||
			    (!p->generated && !y->cons[k].generated));
		if (!found)
			diff("%s %s: %s %s (kind %d, on %s) %s", what, x->name,
			    how, text(p->name), p->kind, p->ncols > 0 ?
			    text(p->cols[0]) : "-", text(p->opclass));
	}
}

static void
diff_vecs(const char *what, const struct vec *x, const struct vec *y,
    bool want)
{
	for (uint32_t i = 0; i < x->n; i++) {
		const struct table *p = x->v[i];
		const struct table *q = vec_find(y, p->name);

		if (q == NULL) {
			diff("%s table %s is not there", what, p->name);
			continue;
		}
		diff_columns(what, p, q);
		diff_cons(what, p, q, "only the first has", want);
		diff_cons(what, q, p, "only the second has", want);
	}
	for (uint32_t i = 0; i < y->n; i++)
		if (vec_find(x, y->v[i]->name) == NULL &&
		    strcmp(y->v[i]->name, "django_migrations") != 0)
			diff("%s table %s is too much", what, y->v[i]->name);
}

static int
replay(const char *dir, const char *conninfo)
{
	struct err e = ERR_INIT;
	struct source *src;
	struct cfg_project p = { .name = "", .root = "." };
	struct migrations all = { 0 };
	struct settings s = { .django = 502, .server = 15,
		.auto_field = "BigAutoField" };
	struct graph g;
	struct replay r;

	s.user_model = getenv("USER_MODEL");
	if (getenv("DJANGO") != NULL)
		s.django = (int)strtol(getenv("DJANGO"), NULL, 10);
	if (source_folder(&src, dir, &e) < 0 ||
	    source_migrations(&all, a, src, &p, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 3;
	}
	for (uint32_t i = 0; i < all.nunread; i++)
		diff("unread %s: %s", all.unread[i].path, all.unread[i].why);
	graph_build(&g, a, all.v, all.n, NULL, 0, &s);
	for (uint32_t i = 0; i < g.nwrong; i++)
		diff("%s", g.wrong[i].text);
	size_t before = arena_used(a);
	clock_t t0 = clock();
	replay_run(&r, a, g.order, g.n, &s);
	size_t used = arena_used(a) - before;
	double ms = (double)(clock() - t0) * 1000.0 / CLOCKS_PER_SEC;
	for (uint32_t i = 0; i < r.n; i++)
		tell(&r.v[i]);
	diff_vecs("want and have:", &r.end.want, &r.end.have, true);
	struct vec whole = world_want(&r.end.models, &s, a);
	diff_vecs("want anew:", &r.end.want, &whole, false);
	if (conninfo != NULL) {
		struct vec live;
		struct pg *pg;

		if (pg_open(&pg, conninfo, "test", 5000, &e) < 0 ||
		    catalog_read(&live, a, pg, &e) < 0) {
			fprintf(stderr, "%s\n", e.msg);
			return 3;
		}
		diff_vecs("have and catalogue:", &r.end.have, &live, false);
		pg_free(pg);
	}
	printf("# %u migrations, %u tables, %d differences, replayed in "
	    "%.0f ms and %zu kB\n", r.n, r.end.want.n, differ, ms,
	    used / 1024);
	source_free(src);
	return differ != 0;
}

/* ---- small worlds ---- */

#define HEAD "from django.db import migrations, models\n" \
	"from django.conf import settings\n" \
	"import strange, x.fields\n" \
	"class Migration(migrations.Migration):\n    operations = [\n"

/* One operation a string; "app: text". Ends at NULL. */
static struct replay
world_of(const char *const *ops, const struct settings *s)
{
	struct list(const struct migration *) order = { 0 };
	struct replay r;
	struct err e = ERR_INIT;

	for (uint32_t i = 0; ops[i] != NULL; i++) {
		const char *colon = strstr(ops[i], ": ");
		sym app = sym_getn(a, ops[i], (size_t)(colon - ops[i]));
		struct migration *m = arena_make(a, struct migration);
		char *text = arena_printf(a, HEAD "        %s,\n    ]\n",
		    colon + 2);
		sym path = sym_printf(a, "%s/migrations/%04u_x.py", app, i + 1);

		if (migration_read(m, a, app, path, text, strlen(text), NULL,
		    &e) != 1) {
			ok(false, "read: %s", e.msg);
			continue;
		}
		*list_add(a, &order) = m;
	}
	replay_run(&r, a, order.v, order.n, s);
	/* the short way to the end leads to the same */
	struct world end;
	replay_end(&end, a, order.v, order.n, s);
	diff_vecs("end, want:", &r.end.want, &end.want, false);
	diff_vecs("end, have:", &r.end.have, &end.have, false);
	is_int(differ, 0, "the end alone is what it is step by step");
	return r;
}

static const char *
sql_of(const struct ddls *d)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = 0; i < d->n; i++)
		if (d->v[i].sql != NULL)
			strbuf_printf(&b, "%s%s", b.len > 0 ? "\n" : "",
			    d->v[i].sql);
	return sym_get(a, b.s);
}

static const struct column *
col(const struct vec *v, const char *table, const char *name)
{
	const struct table *t = vec_find(v, table);

	return t != NULL ? table_col(t, name) : NULL;
}

static const char *
points_to(const struct vec *v, const char *table, const char *column)
{
	const struct table *t = vec_find(v, table);

	for (uint16_t i = 0; t != NULL && i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK &&
		    streq(t->cons[i].cols[0], column))
			return t->cons[i].ref_table;
	return NULL;
}

#define FK(to) "models.ForeignKey('" to "', models.CASCADE)"
#define ID "('id', models.AutoField(primary_key=True))"

static void
test_keys(void)
{
	struct settings s = { .django = 502, .auto_field = "BigAutoField",
		.user_model = "acc.Person" };
	const char *const ops[] = {
		"shop: migrations.CreateModel('A', [" ID "])",
		"shop: migrations.CreateModel('B', [('a', " FK("A") "), "
		    "('u', models.ForeignKey(settings.AUTH_USER_MODEL, "
		    "models.CASCADE)), ('x', " FK("gone.Thing") ")])",
		"shop: migrations.CreateModel('C', [('m', "
		    "models.ManyToManyField('shop.B'))])",
		"shop: migrations.AlterField('a', 'id', "
		    "models.BigAutoField(primary_key=True))",
		NULL };
	struct replay r = world_of(ops, &s);
	const struct vec *w = &r.end.want;

	is(col(&r.v[1].after.want, "shop_b", "a_id")->type, "integer",
	    "a foreign key has the type of the key");
	is(col(w, "shop_b", "a_id")->type, "bigint", "as it is now");
	is(col(&r.end.have, "shop_b", "a_id")->type, "bigint",
	    "and the schema follows");
	is(col(w, "shop_b", "x_id")->type, NULL,
	    "of an app that is elsewhere it cannot be known");
	is(col(w, "shop_c_m", "id")->type, "bigint",
	    "a table of its own has the project's key");
	ok(col(w, "shop_b", "id") != NULL && col(w, "shop_b", "id")->dflt ==
	    DFLT_IDENTITY, "no primary key: an implied id");
	is(points_to(w, "shop_b", "u_id"), "acc_person",
	    "the user model is the configured one");
	ok(r.v[3].before.want.v != NULL && vec_find(&r.v[3].before.want,
	    "shop_c") == vec_find(w, "shop_c"),
	    "a table that is not touched keeps its pointer");
}

static void
test_inheritance(void)
{
	struct settings s = { .django = 502 };
	const char *const ops[] = {
		"a: migrations.CreateModel('P', [" ID "])",
		"a: migrations.CreateModel('Child', [('n', "
		    "models.IntegerField())], bases=('a.p',))",
		"a: migrations.CreateModel('Proxy', [], {'proxy': True}, "
		    "('a.p',))",
		"a: migrations.CreateModel('Not', [" ID "], "
		    "{'managed': False})",
		"b: migrations.CreateModel('D', [('p', " FK("a.Proxy") ")])",
		"b: migrations.CreateModel('Person', [], {'proxy': True}, "
		    "('auth.user',))",
		"b: migrations.CreateModel('E', [('p', " FK("b.Person") ")])",
		NULL };
	struct replay r = world_of(ops, &s);
	const struct vec *w = &r.end.want;

	ok(col(w, "a_child", "p_ptr_id") != NULL,
	    "an heir has a parent pointer");
	is(col(w, "a_child", "p_ptr_id")->type, "integer", "of its type");
	is_int(vec_find(w, "a_child")->ncols, 2, "and its own columns");
	ok(vec_find(w, "a_proxy") == NULL && vec_find(w, "a_not") == NULL,
	    "proxies and unmanaged models have no table here");
	ok(col(w, "b_d", "p_id") != NULL, "a foreign key to a proxy");
	is(points_to(w, "b_d", "p_id"), "a_p",
	    "points to the table behind it");
	is(points_to(w, "b_e", "p_id"), "auth_user",
	    "also where that is in no migration here");
}

static void
test_unread(void)
{
	struct settings s = { .django = 502, .classes = (struct class_map[]){
		{ "x.fields.Money", "DecimalField" } }, .nclasses = 1 };
	const char *const ops[] = {
		"a: migrations.CreateModel('M', [" ID ", "
		    "('p', x.fields.Money(max_digits=5, "
		    "decimal_places=2))])",
		"a: migrations.AddField('m', 'c', strange.Thing(null=True))",
		"a: migrations.AlterField('m', 'c', strange.Thing(null=True, "
		    "help_text='x'))",
		"a: migrations.AlterField('m', 'c', strange.Thing(null=True, "
		    "size=3))",
		"a: migrations.RemoveField('m', 'nothing')",
		"a: migrations.RunSQL('DROP TABLE nowhere')",
		"a: migrations.RunPython(strange.f)",
		NULL };
	struct replay r = world_of(ops, &s);

	is(col(&r.end.have, "a_m", "p")->type, "numeric(5,2)",
	    "the configuration says what a class is");
	is_int(r.v[1].changes[0].why, OPAQUE_NOT,
	    "a column of a class that cannot be known is added");
	ok(col(&r.end.have, "a_m", "c") != NULL &&
	    col(&r.end.have, "a_m", "c")->type == NULL, "without a type");
	is_int(r.v[2].changes[0].why, OPAQUE_NOT, "equal arguments: no change");
	is_int(r.v[3].changes[0].why, OPAQUE_FIELD, "others: cannot be judged");
	is_int(r.v[4].changes[0].why, OPAQUE_STATE, "a field that is not there");
	like(r.v[4].changes[0].note, "has no field 'nothing'", "is named");
	is_int(r.v[5].changes[0].why, OPAQUE_STATE, "a table that is not there");
	like(r.v[5].changes[0].note, "\"nowhere\"", "too");
	is_int(r.v[6].changes[0].why, OPAQUE_PYTHON, "Python is not run");
	ok(r.v[6].changes[0].irreversible, "and has no way back here");
}

static void
test_separate(void)
{
	struct settings s = { .django = 502 };
	const char *const ops[] = {
		"a: migrations.CreateModel('M', [" ID "])",
		"a: migrations.SeparateDatabaseAndState("
		    "database_operations=[migrations.RunSQL("
		    "'ALTER TABLE a_m ADD n integer NOT NULL DEFAULT 4', "
		    "'ALTER TABLE a_m DROP n')], state_operations=["
		    "migrations.AddField('m', 'n', models.IntegerField("
		    "default=4))])",
		"a: migrations.SeparateDatabaseAndState(state_operations=["
		    "migrations.RemoveField('m', 'n')])",
		"a: migrations.SeparateDatabaseAndState("
		    "database_operations=[migrations.RunSQL('DO $$ BEGIN "
		    "EXECUTE 1; END $$')], state_operations=["
		    "migrations.AddField('m', 'k', models.IntegerField())])",
		"b: migrations.SeparateDatabaseAndState(state_operations=["
		    "migrations.CreateModel('M', [" ID "], "
		    "{'db_table': 'a_m'})])",
		"a: migrations.SeparateDatabaseAndState(state_operations=["
		    "migrations.DeleteModel('M')])",
		"b: migrations.RunSQL('DO $$ BEGIN EXECUTE 1; END $$', "
		    "state_operations=[migrations.AddField('m', 'x', "
		    "models.IntegerField())])",
		"b: migrations.AddField('m', 'y', models.IntegerField())",
		"b: migrations.CreateModel('A', [" ID "])",
		"b: migrations.RemoveField('m', 'y')",
		NULL };
	struct replay r = world_of(ops, &s);

	is_int(col(&r.v[1].after.have, "a_m", "n")->dflt, DFLT_CONST,
	    "hand-written SQL keeps the default that Django would drop");
	is_int(r.v[1].nchanges, 2, "the SQL, then the state");
	is(sql_of(&r.v[1].changes[0].rev), "ALTER TABLE a_m DROP n",
	    "its way back is what is written");
	ok(col(&r.v[2].after.want, "a_m", "n") == NULL &&
	    col(&r.v[2].after.have, "a_m", "n") != NULL,
	    "a removal from the state alone leaves the column");
	is_int(r.v[3].changes[0].why, OPAQUE_SQL, "unread SQL");
	ok(vec_find(&r.v[3].after.have, "a_m")->trusted &&
	    col(&r.v[3].after.have, "a_m", "k") != NULL,
	    "then the table is taken from the code, on trust");
	is(vec_find(&r.end.want, "a_m")->model, "b.m",
	    "a model that moves to another app takes its table along");
}

static void
test_back(void)
{
	struct settings s = { .django = 502 };
	const char *const ops[] = {
		"a: migrations.CreateModel('T', [" ID "])",
		"a: migrations.CreateModel('M', [" ID ", "
		    "('n', models.IntegerField(null=True)), ('t', " FK("T")
		    ")])",
		"a: migrations.AlterField('m', 'n', models.IntegerField("
		    "default=7))",
		"a: migrations.RemoveField('m', 't')",
		"a: migrations.DeleteModel('M')",
		NULL };
	struct replay r = world_of(ops, &s);

	is(sql_of(&r.v[2].changes[0].fwd),
	    "ALTER TABLE \"a_m\" ALTER COLUMN \"n\" SET DEFAULT 7\n"
	    "UPDATE \"a_m\" SET \"n\" = 7 WHERE \"n\" IS NULL; "
	    "SET CONSTRAINTS ALL IMMEDIATE\n"
	    "ALTER TABLE \"a_m\" ALTER COLUMN \"n\" SET NOT NULL\n"
	    "ALTER TABLE \"a_m\" ALTER COLUMN \"n\" DROP DEFAULT",
	    "null to NOT NULL, in Django's four steps");
	is(sql_of(&r.v[2].changes[0].rev),
	    "ALTER TABLE \"a_m\" ALTER COLUMN \"n\" DROP NOT NULL",
	    "and back in one");
	like(sql_of(&r.v[3].changes[0].rev), "ADD COLUMN \"t_id\" integer NOT "
	    "NULL CONSTRAINT", "a foreign key comes back as one");
	is(sql_of(&r.v[4].changes[0].rev), "CREATE TABLE \"a_m\" (\"id\" "
	    "integer NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, "
	    "\"n\" integer NOT NULL)", "a table as it was last");
}

int
main(int argc, char **argv)
{
	a = arena_new();
	if (argc > 1) {
		int code = replay(argv[1], argc > 2 ? argv[2] : NULL);

		arena_free(a);
		return code;
	}
	test_keys();
	test_inheritance();
	test_unread();
	test_separate();
	test_back();
	arena_free(a);
	return done_testing();
}

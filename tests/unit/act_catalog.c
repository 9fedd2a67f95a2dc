/* src/act: the catalogue and the watch against a real PostgreSQL. */
#include "db.h"

#include "act/catalog.h"
#include "act/watch.h"
#include "base/child.h"
#include "base/clock.h"

static const char made[] =
	"CREATE TABLE parent (id serial PRIMARY KEY, code text UNIQUE);"
	"CREATE TABLE \"Odd \"\"name\" (x int);"
	"CREATE TABLE nothing ();"
	"CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.far (id int);"
	"CREATE TABLE child ("
	" id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" a int DEFAULT 5, b int DEFAULT -5, c text DEFAULT 'it''s::x',"
	" d text DEFAULT NULL, e timestamptz DEFAULT now(),"
	" f boolean NOT NULL DEFAULT false, g numeric(8,2) DEFAULT 1.50,"
	" h text DEFAULT 'a' || 'b', i varchar(9) DEFAULT 'new',"
	" j text COLLATE \"C\", k int GENERATED ALWAYS AS (a * 2) STORED,"
	" l int[], gone int, parent_id int NOT NULL,"
	" CONSTRAINT child_fk FOREIGN KEY (parent_id) REFERENCES parent (id)"
	"  ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,"
	" CONSTRAINT two UNIQUE (a, b),"
	" CONSTRAINT nn UNIQUE NULLS NOT DISTINCT (c),"
	" CONSTRAINT no_overlap EXCLUDE USING gist (int4range(a, b) WITH &&));"
	"ALTER TABLE child DROP COLUMN gone;"
	"ALTER TABLE child ADD CONSTRAINT late CHECK (a > 0 OR (b > 0)) "
	" NOT VALID;"
	"CREATE INDEX plain ON child (b, a) INCLUDE (c);"
	"CREATE INDEX by_expr ON child (lower(c), a) WHERE d IS NOT NULL;"
	"CREATE UNIQUE INDEX one_of ON child (c) WHERE (f);"
	"CREATE INDEX patt ON child (i varchar_pattern_ops);"
	"CREATE INDEX down ON child (a, b DESC);"
	"CREATE INDEX as_gin ON child USING gin (l);"
	"CREATE INDEX broken ON child (e);"
	"UPDATE pg_index SET indisvalid = false "
	" WHERE indexrelid = 'broken'::regclass;"
	"CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);"
	"CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM "
	" ('2026-01-01') TO ('2027-01-01');"
	"CREATE VIEW seen AS SELECT 1;"
	"CREATE MATERIALIZED VIEW mixed AS SELECT a, c, code FROM child "
	" JOIN parent ON parent.id = parent_id; CREATE VIEW again AS "
	" SELECT c FROM mixed;"
	"CREATE TABLE django_migrations (id serial PRIMARY KEY, app text, "
	" name text, applied timestamptz);"
	"INSERT INTO django_migrations (app, name) VALUES ('a', '0001_x'), "
	" ('b', '0001_y');";

static const char *const kinds[] = { "pk", "unique", "check", "fk",
	"exclude", "index" };
static const char *const dflts[] = { "", " const", " expr", " identity",
	" serial", " generated" };

static void
names_print(struct strbuf *b, const sym *v, int n)
{
	for (int i = 0; i < n; i++)
		strbuf_printf(b, "%s%s", i > 0 ? "," : " ",
		    v[i] == NULL ? "(expr)" : v[i]);
}

static void
con_print(struct strbuf *b, const struct con *c)
{
	strbuf_printf(b, "%s %s", c->name, kinds[c->kind]);
	names_print(b, c->cols, c->ncols);
	if (c->ninclude > 0)
		strbuf_str(b, " include");
	names_print(b, c->include, c->ninclude);
	if (c->ref_table != NULL)
		strbuf_printf(b, " -> %s.%s %s", c->ref_table, c->ref_col,
		    c->on_delete == NULL ? "no action" : c->on_delete);
	if (c->expr != NULL)
		strbuf_printf(b, " [%s]", c->expr);
	if (c->where != NULL)
		strbuf_printf(b, " where %s", c->where);
	if (c->method != NULL)
		strbuf_printf(b, " using %s", c->method);
	if (c->opclass != NULL)
		strbuf_printf(b, " %s", c->opclass);
	strbuf_printf(b, "%s%s%s%s", c->deferrable ? " deferrable" : "",
	    c->not_valid ? " not valid" : "", c->nulls_equal ?
	    " nulls equal" : "", c->invalid ? " invalid" : "");
}

static const struct table *child;

static void
col(const char *name, const char *want)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct arena *a = arena_new();

	for (int i = 0; child != NULL && i < child->ncols; i++) {
		const struct column *c = &child->cols[i];
		if (!streq(c->name, name))
			continue;
		strbuf_printf(&b, "%s%s%s%s %s%s%s", c->type,
		    c->collation != NULL ? " collate " : "",
		    c->collation != NULL ? c->collation : "",
		    c->notnull ? " not null" : "", dflts[c->dflt],
		    c->dflt_sql != NULL ? " " : "",
		    c->dflt_sql != NULL ? c->dflt_sql : "");
	}
	is(b.s, want, name);
	arena_free(a);
}

static void
con(const char *want)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	size_t n = strcspn(want, " ");

	for (int i = 0; child != NULL && i < child->ncons; i++)
		if (strlen(child->cons[i].name) == n &&
		    memcmp(child->cons[i].name, want, n) == 0)
			con_print(&b, &child->cons[i]);
	is(b.s, want, want);
}

static void
test_catalog(struct pg *p, struct arena *a)
{
	struct err e = ERR_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct vec v;

	const struct by_hand *views;
	is_int(catalog_views(&views, a, p, &e), 0, "views");
	for (; views != NULL; views = views->next)
		strbuf_printf(&b, "%s: %s; ", views->name, views->text);
	is(b.s, "mixed: parent id code; mixed: child a c parent_id; ",
	    "what they use of tables");
	strbuf_reset(&b);
	is_int(catalog_read(&v, a, p, &e), 0, "read");
	for (uint32_t i = 0; i < v.n; i++) {
		strbuf_printf(&b, "%s%s", i > 0 ? "," : "", v.v[i]->name);
		if (streq(v.v[i]->name, "child"))
			child = v.v[i];
	}
	is(b.s, "Odd \"name,child,django_migrations,nothing,parent,parts",
	    "tables, sorted; no partitions, no views, no other schema");
	col("id", "bigint not null  identity");
	ok(table_col(child, sym_get(a, "id"))->always, "always generated");
	col("a", "integer  const 5");
	col("b", "integer  const -5");
	col("c", "text  const 'it''s::x'");
	col("d", "text ");
	col("e", "timestamp with time zone  expr now()");
	col("f", "boolean not null  const false");
	col("g", "numeric(8,2)  const 1.50");
	col("h", "text  expr ('a'::text || 'b'::text)");
	col("i", "character varying(9)  const 'new'");
	col("j", "text collate C ");
	col("k", "integer  generated (a * 2)");
	col("l", "integer[] ");
	col("gone", "");
	con("child_pkey pk id");
	con("child_fk fk parent_id -> parent.id CASCADE deferrable");
	con("two unique a,b");
	con("nn unique c nulls equal");
	con("late check a,b [(a > 0) OR (b > 0)] not valid");
	con("plain index b,a include c");
	con("by_expr index (expr),a [lower(c), a] where d IS NOT NULL");
	con("one_of unique c where f");
	con("patt index i varchar_pattern_ops");
	con("down index a,b [a, b DESC]");
	con("no_overlap exclude (expr) [int4range(a, b) WITH &&] using gist");
	con("as_gin index l using gin");
	con("broken index e invalid");
	ok(child != NULL && child->ncons == 13, "and no other");
}

static void
test_more(struct pg *p, struct arena *a)
{
	struct err e = ERR_INIT;
	struct applied *v;
	uint32_t n = 0;
	int64_t rows, bytes;

	catalog_applied(&v, &n, a, p, &e);
	ok(n == 2 && streq(v[1].app, "b") && streq(v[1].name, "0001_y"),
	    "what is applied");
	db_run(p, "DROP TABLE django_migrations");
	is_int(catalog_applied(&v, &n, a, p, &e), 0, "no such table");
	is_int(n, 0, "is nothing applied");
	db_run(p, "INSERT INTO parent (code) SELECT i::text "
	    "FROM generate_series(1, 1000) i; ANALYZE parent");
	catalog_size(&rows, &bytes, p, "parent", &e);
	ok(rows == 1000 && bytes > 8192, "a size");
	catalog_size(&rows, &bytes, p, "none", &e);
	is_int(rows, -1, "of what is not there");
}

static void
psql(struct child *c, const char *sql)
{
	struct err e = ERR_INIT;
	char *const argv[] = { getenv("SLUICE_TEST_PSQL"), (char[]){ "-Xqc" },
	    xstrdup(sql), NULL };
	struct child_spec s = { .argv = argv, .out = CHILD_NULL,
	    .err = CHILD_NULL };

	if (child_start(c, &s, &e) < 0)
		printf("# %s\n", e.msg);
	free(argv[2]);
}

/* Until so many sessions wait for a lock. */
static void
waiters(struct pg *p, const char *n)
{
	for (int i = 0; i < 100 && strcmp(db_get(p, "SELECT count(*) FROM "
	    "pg_stat_activity WHERE wait_event_type = 'Lock'"), n) != 0; i++)
		clock_sleep(20);
}

static void
test_watch(struct pg *p)
{
	struct err e = ERR_INIT;
	struct watch_view v;
	struct child behind = CHILD_INIT, us = CHILD_INIT;
	struct pg *holder = db_open();
	int status = 0;

	db_run(holder, "BEGIN; LOCK TABLE parent IN ACCESS SHARE MODE");
	is_int(watch_look(&v, p, pg_pid(holder), &e), 0, "looked");
	ok(!v.waiting && v.blocked == 0 && v.percent == -1 &&
	    v.text[0] == '\0', "nothing to see");
	psql(&us, "BEGIN; LOCK TABLE parent");
	waiters(p, "1");
	psql(&behind, "SELECT count(*) FROM parent");
	waiters(p, "2");
	clock_sleep(100);
	int pid = (int)strtol(db_get(p, "SELECT pid FROM pg_stat_activity "
	    "WHERE query = 'BEGIN; LOCK TABLE parent' AND state = 'active'"), NULL,
	    10);
	is_int(watch_look(&v, p, pid, &e), 0, "looked");
	ok(v.waiting, "it waits");
	is_int(v.blocked, 1, "one waits behind it");
	ok(v.blocked_ms >= 100, "for some time");
	like(v.text, "(sluice test, idle in transaction ", "for whom");
	like(v.text, "); holds up 1 session for ", "and whom it holds up");
	printf("# %s\n", v.text);
	is_int(watch_cancel(p, pid, &e), 0, "cancelled");
	child_wait(&behind, 5000, &e);
	status = child_exit(&behind);
	is_int(status, 0, "who was behind goes on");
	child_wait(&us, 5000, &e);
	ok(child_exit(&us) != 0, "it ended");
	pg_free(holder);
}

int
main(void)
{
	with_pg();
	struct arena *a = arena_new();
	struct pg *p = db_open();
	struct err e = ERR_INIT;

	signals_fd(&e);
	db_run(p, made);
	test_catalog(p, a);
	test_more(p, a);
	test_watch(p);
	pg_free(p);
	arena_free(a);
	return done_testing();
}

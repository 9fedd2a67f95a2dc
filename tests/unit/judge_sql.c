/* What each statement of RunSQL comes to: its verdict, whether it is refused
 * as it is written, and its lock on a model's table, as pg_locks shows it on
 * PostgreSQL 15. */
#include "tap.h"

#include "base/util.h"
#include "judge/graph.h"
#include "judge/verdict.h"
#include "read/migration.h"

#define HEAD "from django.db import migrations, models\n\n\n" \
    "class Migration(migrations.Migration):\n" \

static const char first[] = HEAD
    "    operations = [\n"
    "        migrations.CreateModel('Customer', [\n"
    "            ('id', models.BigAutoField(primary_key=True)),\n"
    "            ('name', models.CharField(max_length=50)),\n"
    "            ('email', models.EmailField(null=True)),\n"
    "        ]),\n"
    "        migrations.CreateModel('Order', [\n"
    "            ('id', models.BigAutoField(primary_key=True)),\n"
    "            ('number', models.IntegerField()),\n"
    "            ('state', models.CharField(max_length=9)),\n"
    "            ('note', models.TextField(blank=True)),\n"
    "            ('customer', models.ForeignKey('shop.Customer', "
    "models.CASCADE)),\n"
    "            ('buyers', models.ManyToManyField('shop.Customer')),\n"
    "        ]),\n    ]\n";

/* '!': refused. AE ACCESS EXCLUSIVE, E EXCLUSIVE, SRE SHARE ROW EXCLUSIVE,
 * S SHARE, SUE SHARE UPDATE EXCLUSIVE, RE ROW EXCLUSIVE. */
static const struct { const char *sql, *want; } cases[] = {
	{ "CREATE TEMP TABLE shop_order (a int)", "opaque" },
	{ "CREATE TEMP TABLE x (a int); INSERT INTO x VALUES (1)", "opaque" },
	{ "CREATE TEMP TABLE x AS SELECT * FROM shop_order", "either" },
	{ "SELECT * INTO TEMP x FROM shop_order", "opaque" },
	{ "SELECT f()", "opaque" },
	{ "CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $$BEGIN EXECUTE 'DROP TABLE shop_order'; END$$",
	  "either" },
	{ "CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $$BEGIN DELETE FROM shop_order; END$$",
	  "either" },
	{ "CREATE PROCEDURE g() LANGUAGE plpgsql AS $$BEGIN NULL; END$$; CALL g()",
	  "opaque" },
	{ "DO $$BEGIN EXECUTE 'x'; END$$", "opaque" },
	{ "ALTER VIEW v RENAME TO w", "opaque" },
	{ "ALTER VIEW v RENAME COLUMN note TO n", "opaque" },
	{ "ALTER MATERIALIZED VIEW mv RENAME TO w", "opaque" },
	{ "ALTER TRIGGER tg ON shop_order RENAME TO g", "opaque AE" },
	{ "ALTER SEQUENCE sq RENAME TO s2", "opaque" },
	{ "ALTER TYPE en RENAME TO e2", "opaque" },
	{ "ALTER TYPE en ADD VALUE 'b'", "either" },
	{ "ALTER TYPE en ADD VALUE 'b'; CREATE TABLE xx (a en DEFAULT 'b')",
	  "opaque" },
	{ "ALTER DOMAIN dm RENAME TO d2", "opaque" },
	{ "ALTER DOMAIN dm ADD CHECK (value > 0)", "opaque" },
	{ "ALTER DOMAIN dm SET NOT NULL", "opaque" },
	{ "ALTER TABLE v RENAME TO w", "opaque" },
	{ "ALTER TABLE shop_order_id_seq RENAME TO z", "opaque AE" },
	{ "SET search_path = x", "opaque" },
	{ "SET LOCAL search_path = x", "opaque" },
	{ "SET ROLE postgres", "opaque" },
	{ "SET LOCAL ROLE postgres", "opaque" },
	{ "SET lock_timeout = '1s'", "either" },
	{ "SET LOCAL lock_timeout = '1s'", "either" },
	{ "SET statement_timeout = 0", "either" },
	{ "RESET statement_timeout", "either" },
	{ "SET TIME ZONE 'UTC'", "opaque" },
	{ "SET session_replication_role = replica", "opaque" },
	{ "COMMIT", "opaque" },
	{ "ROLLBACK", "opaque" },
	{ "BEGIN; ALTER TABLE shop_order ADD x int; COMMIT", "opaque AE" },
	{ "SAVEPOINT x", "opaque" },
	{ "COPY shop_order FROM STDIN", "opaque RE" },
	{ "COPY shop_order TO '/tmp/x'", "opaque RE" },
	{ "COPY (SELECT 1) TO STDOUT", "opaque" },
	{ "LOCK TABLE shop_order", "either AE" },
	{ "LOCK TABLE shop_order IN SHARE MODE", "either S" },
	{ "TRUNCATE shop_order", "opaque AE" },
	{ "TRUNCATE shop_customer CASCADE", "opaque AE" },
	{ "TRUNCATE shop_customer", "opaque AE" },
	{ "ALTER TABLE shop_order DISABLE TRIGGER tg", "opaque SRE" },
	{ "ALTER TABLE shop_order DISABLE TRIGGER ALL", "opaque SRE" },
	{ "ALTER TABLE shop_order ENABLE TRIGGER tg", "opaque SRE" },
	{ "ALTER TABLE shop_order SET (fillfactor=70)", "either SUE" },
	{ "ALTER TABLE shop_order SET (autovacuum_enabled=false)", "either SUE" },
	{ "ALTER TABLE shop_order RESET (fillfactor)", "either SUE" },
	{ "ALTER TABLE shop_order ATTACH PARTITION x FOR VALUES IN (1)", "opaque SUE" },
	{ "ALTER TABLE shop_order DETACH PARTITION x", "opaque AE" },
	{ "ALTER TABLE shop_order DETACH PARTITION x CONCURRENTLY", "opaque SUE" },
	{ "CREATE POLICY p ON shop_order USING (true)", "opaque AE" },
	{ "DROP POLICY p ON shop_order", "opaque AE" },
	{ "ALTER TABLE shop_order ENABLE ROW LEVEL SECURITY", "opaque AE" },
	{ "ALTER POLICY p ON shop_order USING (true)", "opaque AE" },
	{ "GRANT SELECT ON shop_order TO postgres", "either" },
	{ "REVOKE SELECT ON shop_order FROM postgres", "opaque" },
	{ "ALTER TABLE shop_order OWNER TO postgres", "opaque AE" },
	{ "ALTER SCHEMA public OWNER TO postgres", "opaque" },
	{ "CREATE EXTENSION pg_trgm", "either" },
	{ "CREATE EXTENSION IF NOT EXISTS citext CASCADE", "either" },
	{ "DROP EXTENSION pg_trgm", "opaque" },
	{ "CREATE SCHEMA s", "either" },
	{ "CREATE SCHEMA IF NOT EXISTS s CREATE TABLE t (a int)", "opaque" },
	{ "DROP SCHEMA s", "opaque" },
	{ "DROP SCHEMA s CASCADE", "opaque" },
	{ "ALTER TABLE shop_order ALTER note SET NOT NULL", "either AE" },
	{ "ALTER TABLE shop_customer ALTER email SET NOT NULL", "never AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x int DEFAULT (1/0)", "never AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x int DEFAULT 1", "either AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x int DEFAULT 'abc'", "never AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x int NOT NULL DEFAULT 'abc'",
	  "never AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x smallint DEFAULT 100000", "never AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x date DEFAULT '2020-99-01'",
	  "never AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x int DEFAULT 'abc'::int", "never AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x int DEFAULT random()", "either AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x uuid DEFAULT gen_random_uuid()",
	  "either AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x timestamptz DEFAULT now()",
	  "either AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x timestamptz DEFAULT clock_timestamp()",
	  "either AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x numeric DEFAULT sqrt(-1)", "never AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x int GENERATED ALWAYS AS (number / 0) STORED",
	  "unsafe AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x int GENERATED ALWAYS AS (number * 2) STORED",
	  "unsafe AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x text GENERATED ALWAYS AS (state || note) STORED",
	  "either AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x int GENERATED ALWAYS AS IDENTITY",
	  "either AE" },
	{ "ALTER TABLE shop_order ADD COLUMN x bigserial", "either AE" },
	{ "ALTER TABLE shop_order ALTER number ADD GENERATED ALWAYS AS IDENTITY",
	  "never AE" },
	{ "ALTER TABLE shop_order ALTER id DROP IDENTITY", "never AE" },
	{ "ALTER TABLE shop_order ALTER id SET GENERATED ALWAYS", "opaque AE" },
	{ "ALTER TABLE shop_order ALTER number DROP EXPRESSION", "opaque AE" },
	{ "ALTER TABLE shop_order ALTER number SET STATISTICS 100", "either SUE" },
	{ "ALTER TABLE shop_order ALTER note SET STORAGE EXTERNAL", "either AE" },
	{ "ALTER TABLE shop_order ALTER note SET COMPRESSION pglz", "either AE" },
	{ "COMMENT ON COLUMN shop_order.note IS 'x'", "either SUE" },
	{ "COMMENT ON TABLE shop_order IS 'x'", "either SUE" },
	{ "COMMENT ON VIEW v IS 'x'", "either" },
	{ "ALTER TABLE shop_order ADD CONSTRAINT c CHECK (1/0 > 0)", "unsafe AE" },
	{ "ALTER TABLE shop_order ALTER number SET DEFAULT (1/0)", "either AE" },
	{ "ALTER TABLE shop_order ALTER number SET DEFAULT 'abc'", "either AE" },
	{ "ALTER TABLE shop_order ALTER number SET DEFAULT 99999999999", "either AE" },
	{ "ALTER TABLE shop_order ALTER state SET DEFAULT 'too long for it'",
	  "either AE" },
	{ "ALTER TABLE shop_order ALTER number TYPE bigint", "either AE" },
	{ "ALTER TABLE shop_order ALTER number TYPE bigint USING number::bigint",
	  "either AE" },
	{ "ALTER TABLE shop_order ALTER state TYPE varchar(20)", "either AE" },
	{ "ALTER TABLE shop_order INHERIT shop_customer", "opaque AE" },
	{ "ALTER TABLE ONLY shop_order ADD COLUMN zz int", "either AE" },
	{ "ALTER TABLE shop_order CLUSTER ON shop_order_pkey", "either SUE" },
	{ "CREATE INDEX CONCURRENTLY i ON shop_order (number)", "either! SUE" },
	{ "CREATE STATISTICS st ON number, state FROM shop_order", "either SUE" },
	{ "CREATE UNLOGGED TABLE u (a int)", "either" },
	{ "ANALYZE shop_order", "either SUE" },
	{ "VACUUM shop_order", "either! SUE" },
	{ "ALTER ROLE postgres SET search_path = x", "opaque" },
	{ "DISCARD ALL", "opaque" },
	{ "PREPARE p AS DELETE FROM shop_order", "opaque" },
	{ "EXPLAIN ANALYZE DELETE FROM shop_order", "opaque" },
	{ "WITH x AS (DELETE FROM shop_order RETURNING 1) SELECT count(*) FROM x",
	  "opaque" },
	{ "SELECT lo_create(0)", "opaque" },
	{ "SELECT pg_terminate_backend(1)", "opaque" },
	{ "SELECT * FROM shop_order FOR UPDATE", "either" },
	{ "SELECT pg_advisory_lock(1)", "either" },
	{ "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
	  "opaque" },
	{ "DROP TRIGGER tg ON shop_order", "either AE" },
	{ "DROP INDEX shop_order_customer_id_f638df20", "either AE" },
	{ "DROP VIEW v", "opaque" },
	{ "CREATE FOREIGN TABLE ft (a int) SERVER s", "opaque" },
	{ "ALTER TABLE shop_order SET TABLESPACE x", "either AE" },
	{ "ALTER TABLE shop_order SET LOGGED", "either AE" },
	{ "ALTER INDEX shop_order_pkey SET (fillfactor=70)", "either" },
	{ "ALTER INDEX shop_order_pkey RENAME TO z", "either" },
	{ "CREATE TABLE p (a int) PARTITION BY RANGE (a)", "opaque" },
	{ "CREATE TABLE shop_order2 PARTITION OF p FOR VALUES FROM (1) TO (2)",
	  "opaque" },
	{ "CREATE RECURSIVE VIEW q(n) AS SELECT 1", "either" },
	{ "CREATE OR REPLACE VIEW v AS SELECT id, note FROM shop_order", "opaque" },
};

static const char *
letters(const char *mode)
{
	static const char *const names[][2] = {
		{ "ACCESS EXCLUSIVE", "AE" }, { "EXCLUSIVE", "E" },
		{ "SHARE ROW EXCLUSIVE", "SRE" }, { "SHARE", "S" },
		{ "SHARE UPDATE EXCLUSIVE", "SUE" }, { "ROW EXCLUSIVE", "RE" },
	};

	for (size_t i = 0; i < countof(names); i++)
		if (streq(names[i][0], mode))
			return names[i][1];
	return mode;
}

static sym
shown(struct arena *a, const struct verdict *v)
{
	const char *mode = NULL;

	for (uint32_t i = 0; i < v->nhazards && mode == NULL; i++)
		if (v->hazards[i].lock[0] != '\0' &&
		    starts_with(v->hazards[i].table, "shop_"))
			mode = v->hazards[i].lock;
	return sym_printf(a, "%s%s%s%s", forward_name[v->forward],
	    v->refused != NULL && v->forward != FWD_OPAQUE &&
	    v->forward != FWD_NEVER ? "!" : "", mode == NULL ? "" : " ",
	    mode == NULL ? "" : letters(mode));
}

static void
judge(const char *sql, const char *want)
{
	struct arena *a = arena_new();
	struct settings s = { .django = 502, .server = 15,
	    .auto_field = sym_get(a, "BigAutoField") };
	const char *text = arena_printf(a, HEAD "    dependencies = [('shop', "
	    "'0001_first')]\n    operations = [migrations.RunSQL(\"\"\"%s\"\"\", "
	    "'')]\n", sql);
	struct err e = ERR_INIT;
	struct migration m[2];
	struct replay r;

	ok(migration_read(&m[0], a, "shop", "0001_first.py", first,
	    strlen(first), NULL, &e) == 1 && migration_read(&m[1], a, "shop",
	    "0002_next.py", text, strlen(text), NULL, &e) == 1, "read");
	const struct migration *order[] = { &m[0], &m[1] };
	replay_run(&r, a, order, 2, &s);
	const struct moved *v = &r.v[1];
	struct release rel = { .old = r.v[0].after, .new = r.end, .v = &v,
	    .n = 1 };
	struct judgement j;
	judge_release(&j, a, &rel, &s);
	is(shown(a, &j.v[0]), want, sql);
	arena_free(a);
}

int
main(void)
{
	for (size_t i = 0; i < countof(cases); i++)
		judge(cases[i].sql, cases[i].want);
	return done_testing();
}

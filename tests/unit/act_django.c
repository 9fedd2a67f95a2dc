/* src/act: migrations by a real Django, with everything that can go wrong. */
#include "db.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "act/catalog.h"
#include "act/run.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"

static struct cfg_host host = { .name = "app1", .target = "shop",
	.address = "here" };
static struct cfg_project project = { .name = "", .root = ".",
	.settings = "desk.settings" };
static struct cfg_target target = { .name = "shop", .project = "",
	.ssh = "sluice-ssh", .max_blocked = 1, .retries = 3,
	.step_timeout = 30000, .lock_timeout = 300, .max_blocked_time = 200,
	.retry_delay = 200, .hosts = &host, .nhosts = 1 };
static struct plan plan = { .target = "shop", .kind = "deploy", .from = "",
	.to = "r1" };
static struct deploy d = { .project = &project, .target = &target,
	.plan = &plan, .artefact = -1 };
static struct lane lane = { .name = "db", .d = &d, .host = &host };
static struct strbuf notes = STRBUF_INIT;	/* every note there was */
static char folder[4096];

static void
shell(const char *cmd)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-ec" },
	    xstrdup(cmd), NULL };
	struct child_spec s = { .argv = argv };
	struct err e = ERR_INIT;
	int code = -1;

	if (child_run(&s, NULL, 0, NULL, NULL, 60000, &code, &e) < 0 ||
	    code != 0)
		printf("# %s: %d %s\n", cmd, code, e.msg);
	free(argv[2]);
}

/* What happens to the migration while it runs. */
static void (*meddle)(void);
static int64_t started;

static int
turn(const struct kind *k, bool ask, const struct step *s, struct err *e)
{
	struct pollfd p[3];
	int n = lane.django == NULL ? 0 : link_poll(lane.django, p);

	poll(p, (nfds_t)n, 20);
	if (meddle != NULL)
		meddle();
	int r = ask ? k->ask(&lane, s, e) : k->make(&lane, s, e);
	if (lane.note.len > 0 && strstr(notes.s, lane.note.s) == NULL)
		strbuf_printf(&notes, "%s\n", lane.note.s);
	return r;
}

static int
run_kind(bool ask, const char *subject, const char *want, struct err *e)
{
	struct step s = { 1, 1, "db", subject, want, STEP_MIGRATION,
	    STEP_TODO, "safe", 0 };
	int r = ANSWER_WAIT;

	lane.state = 0;
	started = clock_ms();
	err_clear(e);
	strbuf_reset(&notes);
	strbuf_reset(&lane.note);
	while (r == ANSWER_WAIT && clock_ms() - started < 30000)
		r = turn(&kind_migration, ask, &s, e);
	meddle = NULL;
	if (r < 0)
		printf("# %s: %s\n", subject, e->msg);
	return r;
}

static int
apply(const char *subject, struct err *e)
{
	return run_kind(false, subject, "applied", e);
}

static int
unapply(const char *subject, struct err *e)
{
	return run_kind(false, subject, "unapplied", e);
}

static int
ask(const char *subject, const char *want)
{
	struct err e = ERR_INIT;

	return run_kind(true, subject, want, &e);
}

static const char *locked[4];
static bool asked_back;
static uint32_t
tables(struct deploy *x, const char *app, const char *name, bool back,
    const struct table_lock **out)
{
	static struct table_lock v[4];
	uint32_t n = 0;

	(void)x, (void)app, (void)name;
	asked_back = back;
	for (; n < countof(v) && locked[n] != NULL; n++)
		v[n] = (struct table_lock){ locked[n], "ACCESS EXCLUSIVE" };
	*out = v;
	return n;
}

/* --- what can go wrong --- */

static void
test_plan(void)
{
	struct err e = ERR_INIT;

	is_int(apply("notes.0002_color", &e), -1,
	    "one whose parents are not applied is refused");
	like(e.msg, "Django would not run notes.0002_color alone", "said so");
	like(e.msg, "notes.0001_initial", "and which");
	is_int(apply("notes.0099_none", &e), -1, "one that is not there");
	like(e.msg, "this release has no migration notes.0099_none", "told");
	is(db_get(d.db, "SELECT to_regclass('notes_note')"), "",
	    "nothing was done");
}

static void
test_all_before(void)
{
	static const char *const first[] = { "contenttypes.0001_initial",
	    "contenttypes.0002_remove_content_type_name", "auth.0001_initial",
	    "auth.0002_alter_permission_name_max_length",
	    "auth.0003_alter_user_email_max_length",
	    "auth.0004_alter_user_username_opts",
	    "auth.0005_alter_user_last_login_null",
	    "auth.0006_require_contenttypes_0002",
	    "auth.0007_alter_validators_add_error_messages",
	    "auth.0008_alter_user_username_max_length",
	    "auth.0009_alter_user_last_name_max_length",
	    "auth.0010_alter_group_name_max_length",
	    "auth.0011_update_proxy_permissions",
	    "auth.0012_alter_user_first_name_max_length",
	    "notes.0001_initial" };
	struct err e = ERR_INIT;
	int64_t t = clock_ms();
	int good = 0;

	for (size_t i = 0; i < countof(first); i++) {
		good += apply(first[i], &e) == ANSWER_YES;
		if (e.msg[0] != '\0')
			printf("# %s: %s\n", first[i], e.msg);
	}
	is_int(good, countof(first), "all before it, one by one");
	printf("# %d migrations in %d ms\n", good, (int)(clock_ms() - t));
	is_int(ask("notes.0001_initial", "applied"), ANSWER_YES, "it is so");
	is_int(ask("notes.0001_initial", "unapplied"), ANSWER_NO,
	    "so it is not otherwise");
	is_int(apply("notes.0001_initial", &e), ANSWER_YES,
	    "made again, it is found made");
	ok(strtol(db_get(d.db, "SELECT count(*) FROM told"), NULL, 10) >= 15,
	    "post_migrate was sent each time");
	is(db_get(d.db, "SELECT count(*) FROM auth_permission "
	    "WHERE codename = 'add_user'"), "1", "permissions were made");
	is(db_get(d.db, "SELECT count(*) FROM pg_stat_activity "
	    "WHERE application_name LIKE 'sluice migration%'"), "0",
	    "no session is left idle");
}

static struct pg *other;

static void
release_late(void)
{
	if (strstr(notes.s, "try 2 of 4") != NULL && other != NULL) {
		pg_free(other);
		other = NULL;
	}
}

static void
test_lock(void)
{
	struct err e = ERR_INIT;

	locked[0] = "notes_note";
	locked[1] = "notes_nowhere";
	other = db_open();
	db_run(other, "BEGIN; LOCK TABLE notes_note IN ACCESS SHARE MODE");
	meddle = release_late;
	is_int(apply("notes.0002_color", &e), ANSWER_YES,
	    "a lock that is not to be had is asked for again");
	like(notes.s, "waits for session", "who has it is shown");
	like(notes.s, "sluice test, idle in transaction", "by name and state");
	like(notes.s, "try 2 of 4", "with the tries");

	other = db_open();
	db_run(other, "BEGIN; LOCK TABLE notes_note IN ACCESS SHARE MODE");
	target.retries = 1;
	is_int(unapply("notes.0002_color", &e), -1, "in the end it gives up");
	like(e.msg, "gave up after 2 tries: waits for session", "and says why");
	is_int(ask("notes.0002_color", "applied"), ANSWER_YES,
	    "all is as it was");
	pg_free(take(other));
	target.retries = 3;
	is_int(unapply("notes.0002_color", &e), ANSWER_YES, "backwards");
	ok(asked_back, "the locks of the way back");
	is_int(ask("notes.0002_color", "unapplied"), ANSWER_YES, "it is so");
	is_int(unapply("notes.0001_initial", &e), ANSWER_YES,
	    "backwards to nothing");
	is(db_get(d.db, "SELECT to_regclass('notes_note')"), "", "all gone");
	is_int(apply("notes.0001_initial", &e), ANSWER_YES, "and again");
	is_int(apply("notes.0002_color", &e), ANSWER_YES, "the next");
	is_int(unapply("notes.0001_initial", &e), -1,
	    "not while another needs it");
	like(e.msg, "needed by it and applied: notes.0002_color", "and which");
	locked[0] = locked[1] = NULL;
}

/* A table of any name, and one that Django writes with its schema. */
static void
test_odd_names(void)
{
	struct err e = ERR_INIT;

	db_run(d.db, "CREATE TABLE \"a.b,c=\"\"d\" (); CREATE SCHEMA \"o,s\"; "
	    "CREATE TABLE \"o,s\".\"t.u\" ()");
	locked[0] = "a.b,c=\"d";
	locked[1] = "o,s\".\"t.u";
	locked[2] = "no.such,=\"";
	target.retries = 0;
	for (int i = 0; i < 2; i++) {
		other = db_open();
		db_run(other, i == 0 ? "BEGIN; LOCK TABLE \"a.b,c=\"\"d\"" :
		    "BEGIN; LOCK TABLE \"o,s\".\"t.u\"");
		is_int(unapply("notes.0002_color", &e), -1,
		    "a table of an odd name is locked first");
		like(e.msg, "gave up after 1 tries: waits for session", "too");
		pg_free(take(other));
	}
	target.retries = 3;
	is_int(unapply("notes.0002_color", &e), ANSWER_YES, "when it is free");
	is_int(apply("notes.0002_color", &e), ANSWER_YES, "it goes");
	db_run(d.db, "DROP TABLE \"a.b,c=\"\"d\"; DROP SCHEMA \"o,s\" CASCADE");
	locked[0] = locked[1] = locked[2] = NULL;
}

static void
test_concurrent(void)
{
	struct err e = ERR_INIT;

	db_run(d.db, "CREATE INDEX by_color ON notes_note (color)");
	db_run(d.db, "UPDATE pg_index SET indisvalid = false "
	    "WHERE indexrelid = 'by_color'::regclass");
	is_int(apply("notes.0003_index", &e), ANSWER_YES,
	    "a half-built index does not stop the next build");
	is(db_get(d.db, "SELECT indisvalid FROM pg_index "
	    "WHERE indexrelid = 'by_color'::regclass"), "t", "it is valid");
}

static void
test_lease(void)
{
	struct err e = ERR_INIT;

	db_run(d.db, "UPDATE sluice.lease SET serial = serial + 1");
	is_int(apply("notes.0004_log", &e), -1, "a lost lease refuses it");
	is_int(e.kind, ERR_REFUSED, "as a refusal");
	like(e.msg, "the lease on 'shop' is no longer ours", "and says so");
	is_int(ask("notes.0004_log", "unapplied"), ANSWER_YES,
	    "nothing was done");
	db_run(d.db, "UPDATE sluice.lease SET serial = serial - 1");
}

/* Django may have a role of its own, which has to be let at the lease. */
static void
test_role(void)
{
	struct err e = ERR_INIT;

	db_run(d.db, "CREATE ROLE plain LOGIN; "
	    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain");
	shell("cd \"$SLUICE_TEST_PG/srv\"; cp env kept; "
	    "printf '\\nPGUSER=plain\\n' >>env");
	link_free(take(lane.django));
	is_int(apply("notes.0004_log", &e), -1, "a role without rights");
	like(e.msg, "GRANT USAGE ON SCHEMA sluice TO \"plain\"",
	    "is told what it needs");
	shell("cd \"$SLUICE_TEST_PG/srv\"; mv kept env");
	link_free(take(lane.django));
}

static struct child readers[3] = { CHILD_INIT, CHILD_INIT, CHILD_INIT };

/* Three readers come and stand behind the migration. */
static void
crowd(void)
{
	struct err e = ERR_INIT;
	char *const argv[] = { getenv("SLUICE_TEST_PSQL"), (char[]){ "-Xqc" },
	    (char[]){ "SELECT count(*) FROM notes_note" }, NULL };
	struct child_spec s = { .argv = argv, .out = CHILD_NULL };

	if (readers[0].pid != -1 || strcmp(db_get(d.watch, "SELECT count(*) "
	    "FROM pg_locks WHERE relation = 'notes_note'::regclass AND "
	    "mode = 'AccessExclusiveLock' AND granted"), "0") == 0)
		return;
	for (size_t i = 0; i < countof(readers); i++)
		child_start(&readers[i], &s, &e);
}

static void
test_watch(void)
{
	struct err e = ERR_INIT;

	locked[0] = "notes_note";
	meddle = crowd;
	is_int(apply("notes.0004_log", &e), ANSWER_YES,
	    "who holds up others is cancelled and tried again");
	like(notes.s, "try 1 of 4: holds up", "as the notes say");
	is(db_get(d.db, "SELECT count(*) FROM log"), "1", "done once");
	for (size_t i = 0; i < countof(readers); i++)
		child_end(&readers[i], 1000);
	locked[0] = NULL;
	is_int(unapply("notes.0004_log", &e), ANSWER_YES, "backwards");
	db_run(d.db, "TRUNCATE log RESTART IDENTITY");
}

static const char *cut_when;	/* the state of the migrating session */

/* Kills the link as soon as the session is in that state. */
static void
cut(void)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct err e = ERR_INIT;
	char path[5000];

	if (cut_when == NULL || strcmp(db_get(d.watch, cut_when), "0") == 0)
		return;
	cut_when = NULL;
	clock_sleep(200);
	snprintf(path, sizeof(path), "%s/link", folder);
	file_read(&b, path, &e);
	kill((pid_t)strtol(b.s, NULL, 10), SIGKILL);
	shell("rm -f \"$SLUICE_TEST_PG/srv/slow\"");
}

#define SESSION "SELECT count(*) FROM pg_stat_activity " \
	"WHERE application_name = 'sluice migration notes.0004_log' AND "

static void
test_lost_link(void)
{
	struct err e = ERR_INIT;
	int64_t serial = lease_serial(d.lease);

	/* within the transaction: it goes on without us, and is waited for */
	meddle = cut;
	cut_when = SESSION "state = 'active' AND query LIKE '%pg_sleep%'";
	is_int(apply("notes.0004_log", &e), ANSWER_YES,
	    "the link is lost while it runs");
	printf("# %s %s", e.msg, notes.s);
	like(notes.s, "looking what became of it", "as is told");
	is(db_get(d.db, "SELECT count(*) FROM log"), "1", "it ran once");
	is(db_get(d.db, "SELECT max(id) FROM log"), "1", "and not in vain, "
	    "though nobody heard what it printed");
	is_int(ask("notes.0004_log", "applied"), ANSWER_YES, "and is so");
	ok(lease_serial(d.lease) > serial, "what might still come is fenced");
	is_int(unapply("notes.0004_log", &e), ANSWER_YES, "backwards");
	db_run(d.db, "TRUNCATE log RESTART IDENTITY");

	/* before the transaction: another does it, the first one is refused */
	shell("touch \"$SLUICE_TEST_PG/srv/slow\"");
	meddle = cut;
	cut_when = SESSION "state = 'idle'";
	is_int(apply("notes.0004_log", &e), ANSWER_YES,
	    "the link is lost before it runs");
	clock_sleep(2500);
	is(db_get(d.db, "SELECT count(*) FROM log"), "1", "it ran once");
	printf("# %s", notes.s);
}

static void
test_irreversible(void)
{
	struct err e = ERR_INIT;

	is_int(apply("notes.0005_done", &e), ANSWER_YES, "RunPython");
	is(db_get(d.db, "SELECT count(*) FROM notes_tag WHERE name = 'done'"),
	    "1", "did its work");
	is_int(unapply("notes.0005_done", &e), -1, "it has no way back");
	is_int(e.kind, ERR_REFUSED, "so it is refused");
	like(e.msg, "notes.0005_done cannot be reversed", "and named");
	is_int(ask("notes.0005_done", "applied"), ANSWER_YES, "it stays");
}

static void
test_no_django(void)
{
	struct err e = ERR_INIT;

	link_free(take(lane.django));
	project.settings = "desk.nothing";
	is_int(apply("notes.0005_done", &e), -1, "settings that are not there");
	like(e.msg, "Django does not start", "are told");
	like(e.msg, "desk.nothing", "by name");
	project.settings = "desk.settings";
	plan.to = "r9";
	is_int(apply("notes.0099_none", &e), -1, "a release that is not there");
	like(e.msg, "the link to Django on app1 broke: ", "is told");
	printf("# %s\n", e.msg);
	plan.to = "r1";
}

/* --- the catalogue of what Django made --- */

static void
col_is(const struct vec *v, const char *t, const char *c, const char *type,
    bool notnull, enum dflt dflt, const char *sql)
{
	const struct table *x = vec_find(v, t);
	const struct column *y = x == NULL ? NULL : table_col(x, c);

	if (!ok(y != NULL && streq(y->type, type) && y->notnull == notnull &&
	    y->dflt == dflt && streq(y->dflt_sql, sql), "%s.%s %s", t, c, type)
	    && y != NULL)
		printf("# %s %d %d %s\n", y->type, y->notnull, (int)y->dflt,
		    y->dflt_sql);
}

static const struct con *
con_is(const struct vec *v, const char *t, const char *name,
    enum con_kind kind, int ncols, const char *first)
{
	const struct table *x = vec_find(v, t);
	const struct con *c = NULL;

	for (int i = 0; x != NULL && i < x->ncons; i++)
		if (strcmp(x->cons[i].name, name) == 0)
			c = &x->cons[i];
	if (!ok(c != NULL && c->kind == kind && c->ncols == ncols &&
	    streq(c->cols[0], first), "%s on %s", name, t))
		for (int i = 0; x != NULL && i < x->ncons; i++)
			printf("# has %s\n", x->cons[i].name);
	return c;
}

static void
test_catalog(void)
{
	struct err e = ERR_INIT;
	struct vec v;
	struct applied *done;
	uint32_t n = 0;

	is_int(catalog_read(&v, d.a, d.db, &e), 0, "the catalogue");
	if (e.msg[0] != '\0')
		printf("# %s\n", e.msg);
	col_is(&v, "notes_note", "id", "bigint", true, DFLT_IDENTITY, NULL);
	col_is(&v, "notes_note", "title", "character varying(80)", true,
	    DFLT_NONE, NULL);
	col_is(&v, "notes_note", "price", "numeric(8,2)", true, DFLT_NONE,
	    NULL);
	col_is(&v, "notes_note", "made", "timestamp with time zone", true,
	    DFLT_NONE, NULL);
	col_is(&v, "notes_note", "state", "character varying(9)", true,
	    DFLT_CONST, "'new'");
	col_is(&v, "notes_note", "author_id", "integer", false, DFLT_NONE,
	    NULL);
	col_is(&v, "log", "id", "integer", true, DFLT_SERIAL, NULL);
	con_is(&v, "notes_note", "notes_note_pkey", CON_PK, 1, "id");
	const struct con *c = con_is(&v, "notes_note", "one_orphan",
	    CON_UNIQUE, 1, "title");
	is(c == NULL ? NULL : c->where, "author_id IS NULL", "where");
	c = con_is(&v, "notes_tag", "notes_tag_name_0a88f217_like", CON_INDEX,
	    1, "name");
	is(c == NULL ? NULL : c->opclass, "varchar_pattern_ops", "opclass");
	c = con_is(&v, "notes_tag", "notes_tag_weight_check", CON_CHECK, 1,
	    "weight");
	is(c == NULL ? NULL : c->expr, "weight >= 0", "its expression");
	const struct table *t = vec_find(&v, "notes_note");
	for (int i = 0; t != NULL && i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK)
			ok(streq(t->cons[i].ref_table, "auth_user") &&
			    streq(t->cons[i].ref_col, "id") &&
			    t->cons[i].on_delete == NULL &&
			    t->cons[i].deferrable, "%s", t->cons[i].name);
	is_int(catalog_applied(&done, &n, d.a, d.db, &e), 0, "applied");
	is_int(n, 19, "all of them");
	int64_t rows, bytes;
	catalog_size(&rows, &bytes, d.db, "notes_tag", &e);
	ok(bytes > 0, "a table's size");
}

static bool
prepare(void)
{
	const char *py = getenv("SLUICE_TEST_PY");
	struct err e = ERR_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (py == NULL || access(py, X_OK) != 0)
		return false;
	snprintf(folder, sizeof(folder), "%s", getenv("SLUICE_TEST_PG"));
	shell("cd \"$SLUICE_TEST_PG\"; mkdir -p srv/releases bin; "
	    "cp -R \"$SLUICE_TEST_TOP/tests/desk\" srv/releases/r1; "
	    "printf '#!/bin/sh\\nexec %s %s/tests/desk/link.py \"$@\"\\n' "
	    "\"$SLUICE_TEST_PY\" \"$SLUICE_TEST_TOP\" >bin/sluice-ssh; "
	    "chmod +x bin/sluice-ssh; "
	    "printf '# ours\\n\\nexport DESK_KEY=\"two $words\"' >srv/env");
	strbuf_printf(&b, "%s/bin", folder);
	setenv("SLUICE_EXEC_PATH", b.s, 1);
	strbuf_reset(&b);
	strbuf_printf(&b, "%s/srv", folder);
	host.path = target.path = strbuf_take(&b);
	target.python = py;
	target.env = "env";
	signals_fd(&e);
	d.a = arena_new();
	d.locks = tables;
	d.db = db_open();
	d.watch = db_open();
	lane.note = (struct strbuf)STRBUF_LIMIT(4096);
	if (lease_take(&d.lease, &b, CONNINFO, "shop", "a test", &e) != 1)
		printf("# %s %s\n", b.s, e.msg);
	return true;
}

int
main(void)
{
	with_pg();
	if (!prepare()) {
		printf("1..0 # skip no Django here: run 'sh tests/setup.sh'\n");
		return 0;
	}
	test_plan();
	test_all_before();
	test_lock();
	test_odd_names();
	test_concurrent();
	test_lease();
	test_role();
	test_watch();
	test_lost_link();
	test_irreversible();
	test_catalog();
	test_no_django();
	link_free(lane.django);
	lease_free(d.lease);
	pg_free(d.watch);
	pg_free(d.db);
	arena_free(d.a);
	strbuf_release(&notes);
	strbuf_release(&lane.note);
	return done_testing();
}

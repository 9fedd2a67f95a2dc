/* src/act: pg, ledger and lease against a real PostgreSQL. */
#include "db.h"

#include <signal.h>
#include <sys/wait.h>

#include "act/lease.h"
#include "act/ledger.h"
#include "base/clock.h"

/* Forked before any connection is open: two uses at the same moment. */
static void
test_first_use(void)
{
	enum { N = 6 };
	int bad = 0;

	for (int i = 0; i < N; i++) {
		if (fork() != 0)
			continue;
		struct err e = ERR_INIT;
		struct pg *p = db_open();
		int r = ledger_open(p, "shop", &e);
		if (r < 0)
			printf("# %s\n", e.msg);
		pg_free(p);
		_exit(r == 0 ? 0 : 1);
	}
	for (int i = 0, status; i < N; i++)
		bad += wait(&status) < 0 || status != 0;
	is_int(bad, 0, "six first uses at once");

	struct pg *p = db_open();
	is(db_get(p, "SELECT count(*) FROM sluice.home"), "1", "one home");
	is(db_get(p, "SELECT count(*) FROM pg_class c WHERE relkind = 'r' "
	    "AND relnamespace = 'sluice'::regnamespace AND NOT EXISTS "
	    "(SELECT FROM pg_constraint WHERE conrelid = c.oid "
	    "AND contype = 'p')"), "0", "every table has a primary key");
	pg_free(p);
}

static void
test_copy(struct pg *p)
{
	struct err e = ERR_INIT;

	is_int(ledger_open(p, "shop", &e), 0, "opened again");
	is_int(ledger_there(p, "shop", &e), 1, "it is there");
	is_int(ledger_open(p, "staging", &e), -1, "another target is refused");
	is_int(e.kind, ERR_REFUSED, "as a refusal");
	like(e.msg, "belongs to target 'shop', and this is 'staging': a copy?",
	    "and says what it is");
	like(e.msg, "DROP SCHEMA sluice CASCADE", "and what to do");
	db_run(p, "BEGIN; UPDATE sluice.home SET system = '42'");
	is_int(ledger_open(p, "shop", &e), -1, "another cluster is refused");
	like(e.msg, "belongs to the system '42'", "and named");
	db_run(p, "UPDATE sluice.home SET version = 99");
	is_int(ledger_open(p, "shop", &e), -1, "a newer ledger is refused");
	like(e.msg, "newer Sluice", "and says so");
	db_run(p, "ROLLBACK");
}

static void
test_release(struct pg *p, struct arena *a)
{
	struct err e = ERR_INIT;
	struct ledger_pen w = { p, "shop", 0 };
	static const char odd[] = "x\0y\\ \xff'\n";
	struct source_file f[] = {
		{ sym_get(a, "b/m \"q\" {,}.py"), odd, sizeof(odd) - 1 },
		{ sym_get(a, "a.py"), "same", 4 },
		{ sym_get(a, "c.py"), "same", 4 },
		{ sym_get(a, "empty.py"), "", 0 },
	};
	struct ledger_release r = { "r1", "c0ffee", "staged", 1700000000,
	    "ann" }, got = { 0 }, *all = NULL;
	struct source_file *files = NULL;
	uint32_t n = 0;
	sym id = NULL;

	is_int(ledger_live(p, a, "shop", &id, &e), 0, "nothing is live yet");
	is_int(ledger_release_put(&w, &r, f, 4, &e), 0, "put");
	is_int(ledger_release_put(&w, &r, f, 4, &e), 0, "put again");
	is(db_get(p, "SELECT count(*) FROM sluice.source"), "3",
	    "equal texts are kept once");
	is_int(ledger_release_get(p, a, "shop", "r1", &got, &files, &n, &e),
	    1, "got");
	is(got.commit, "c0ffee", "its commit");
	is_int(got.at, 1700000000, "its time");
	is_int(n, 4, "its files");
	ok(n == 4 && streq(files[1].path, f[0].path) && files[1].len ==
	    f[0].len && memcmp(files[1].text, odd, f[0].len) == 0,
	    "any bytes come back");
	is_int(ledger_release_get(p, a, "shop", "r9", &got, NULL, NULL, &e), 0,
	    "one that is not there");
	r.id = "r2";
	r.at++;
	ledger_release_put(&w, &r, f, 1, &e);
	is_int(ledger_release_set(&w, "r1", "live", &e), 0, "r1 live");
	is_int(ledger_release_set(&w, "r2", "live", &e), 0, "r2 live");
	ledger_live(p, a, "shop", &id, &e);
	is(id, "r2", "one is live");
	is_int(ledger_releases(p, a, "shop", &all, &n, &e), 0, "all of them");
	ok(n == 2 && streq(all[0].id, "r2") && streq(all[1].status, "old"),
	    "newest first, the one before is old");
	is_int(ledger_release_set(&w, "r9", "live", &e), -1,
	    "no such release");
	ledger_live(p, a, "shop", &id, &e);
	is(id, "r2", "and nothing changed");
	is_int(ledger_floor(p, a, "shop", &id, &e), 0, "no floor");
	ledger_floor_set(&w, "r1", &e);
	is_int(ledger_floor_set(&w, "r2", &e), 0, "floor set");
	ledger_floor(p, a, "shop", &id, &e);
	is(id, "r2", "floor got");
}

static void
test_run(struct pg *p, struct arena *a)
{
	struct err e = ERR_INIT;
	struct ledger_pen w = { p, "shop", 0 };
	struct step s[] = {
		{ 1, 1, "app1", "r2", "staged", STEP_STAGE, STEP_TODO, "stage", 0 },
		{ 2, 2, "db", "shop.0002_x", "applied", STEP_MIGRATION,
		    STEP_TODO, "safe", 0 },
		{ 3, 3, "app1", "releases", "5", STEP_PRUNE, STEP_TODO,
		    "finish", 0 },
	};
	struct plan plan = { .target = "shop", .kind = "deploy", .from = "r1",
	    .to = "r2", .steps = s, .n = 3, .digest = "abc" }, back;
	struct ledger_run run = { .kind = "deploy", .from = "r1", .to = "r2",
	    .who = "ann", .why = "friday", .serial = 7 }, got, *all;
	uint32_t n = 0;

	is_int(ledger_run_last(p, a, "shop", &got, &back, &e), 0, "no run yet");
	is_int(ledger_run_new(&w, &run, &plan, &e), 0, "a run");
	ok(run.id > 0, "it has a number");
	struct ledger_mark m[] = { { 1, STEP_DOING, NULL },
	    { 1, STEP_DONE, "in 'no' \"time\"" }, { 2, STEP_FAILED, NULL } };
	is_int(ledger_mark(&w, run.id, m, 3, &e), 0,
	    "marks, two of them of one step");
	is_int(ledger_run_last(p, a, "shop", &got, &back, &e), 1, "read back");
	is(got.status, "running", "it runs");
	is(got.why, "friday", "its why");
	is_int(got.serial, 7, "its serial");
	is_int(got.ended, 0, "no end yet");
	is(back.digest, "abc", "the plan's digest");
	is_int(back.n, 3, "all steps");
	ok(back.n == 3 && back.steps[0].status == STEP_DONE &&
	    back.steps[1].status == STEP_FAILED &&
	    back.steps[2].status == STEP_TODO &&
	    back.steps[2].kind == STEP_PRUNE && back.steps[1].wave == 2 &&
	    streq(back.steps[1].subject, "shop.0002_x"), "as they are");
	is(db_get(p, "SELECT note FROM sluice.step WHERE seq = 1"),
	    "in 'no' \"time\"", "the last note of a step");
	struct ledger_mark none = { 9, STEP_DONE, NULL };
	is_int(ledger_mark(&w, run.id, &none, 1, &e), -1, "no such step");
	is_int(ledger_run_end(&w, run.id, "odd", NULL, &e), -1,
	    "a status that is none is refused");
	is_int(ledger_run_end(&w, run.id, "failed", "no luck", &e), 0, "ended");
	ledger_runs(p, a, "shop", 10, &all, &n, &e);
	ok(n == 1 && streq(all[0].status, "failed") && all[0].ended > 0 &&
	    streq(all[0].why, "no luck"), "and listed");
}

/* --- the lease --- */

/* A child takes it and waits to be killed. */
static pid_t
holder_start(void)
{
	int fd[2];
	char c;

	if (pipe(fd) < 0)
		exit(3);
	pid_t pid = fork();
	if (pid != 0) {
		close(fd[1]);
		if (read(fd[0], &c, 1) != 1)
			printf("# the holder said nothing\n");
		close(fd[0]);
		return pid;
	}
	struct err e = ERR_INIT;
	struct lease *l = NULL;
	struct strbuf b = STRBUF_INIT;
	setenv("SLUICE_WHO", "ann", 1);
	if (lease_take(&l, &b, CONNINFO, "shop", "deploy of c0ffee", &e) != 1)
		printf("# %s %s\n", b.s, e.msg);
	if (write(fd[1], "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Who has lost the lease writes nothing: each of the writers is refused, and
 * all is as it was. */
static void
test_fence(struct pg *p, int64_t ours)
{
	static const char all[] = "SELECT (SELECT array_agg(r ORDER BY id) "
	    "FROM sluice.run r)::text || (SELECT array_agg(s) FROM "
	    "sluice.step s)::text || (SELECT array_agg(r ORDER BY id) FROM "
	    "sluice.release r)::text || (SELECT release FROM sluice.floor)";
	struct err e = ERR_INIT;
	struct ledger_pen w = { p, "shop", ours }, late = { p, "shop", ours - 1 };
	struct ledger_run run = { .kind = "deploy", .from = "", .to = "r1",
	    .who = "", .why = "" };
	struct ledger_release rel = { "r3", "c0ffee", "staged", 1, "ann" };
	struct step s = { .seq = 1, .wave = 1, .lane = "db", .subject = "x",
	    .want = "y", .kind = STEP_FLOOR, .phase = "roll" };
	struct plan plan = { .steps = &s, .n = 1 };
	struct ledger_mark m = { 1, STEP_DONE, NULL };

	is_int(ledger_run_new(&w, &run, &plan, &e), 0, "a run under the lease");
	char *was = xstrdup(db_get(p, all));
	ok(*was != 0, "there is something to compare");
	is_int(ledger_mark(&late, run.id, &m, 1, &e), -1,
	    "who has an older serial marks nothing");
	like(e.msg, "the lease is another's now", "and is told");
	is_int(ledger_run_end(&late, run.id, "done", NULL, &e), -1,
	    "ends no run");
	like(e.msg, "the lease is another's now", "and is told");
	is_int(e.kind, ERR_REFUSED, "as a refusal");
	is_int(ledger_run_new(&late, &run, &plan, &e), -1, "begins none");
	is_int(ledger_release_put(&late, &rel, NULL, 0, &e), -1,
	    "puts no release");
	is_int(ledger_release_set(&late, "r1", "live", &e), -1,
	    "makes none live");
	is_int(ledger_floor_set(&late, "r1", &e), -1, "raises no floor");
	is(db_get(p, all), was, "all is as it was");
	is_int(ledger_mark(&w, run.id, &m, 1, &e), 0, "who has it does");
	is_int(ledger_run_end(&w, run.id, "done", NULL, &e), 0, "and ends it");
	db_run(p, "DELETE FROM sluice.run WHERE \"to\" = 'r1' AND digest = ''");
	free(was);
}

static void
test_lease(pid_t holder)
{
	struct err e = ERR_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct lease *l = NULL;

	is_int(lease_take(&l, &b, CONNINFO, "shop", "mine", &e), 0,
	    "the second is refused");
	like(b.s, "ann on ", "and told who");
	like(b.s, "since 20", "since when");
	like(b.s, "for 'shop': deploy of c0ffee", "and why");
	printf("# %s\n", b.s);
	int64_t t = clock_ms();
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	is_int(lease_take(&l, &b, CONNINFO, "shop", "mine", &e), 1,
	    "kill -9 of the holder frees it");
	ok(clock_ms() - t < 2000, "soon");
	int64_t first = lease_serial(l);
	ok(first >= clock_epoch() - 60, "the serial is not below the clock");
	is_int(lease_check(l, &e), 1, "it is ours");

	struct pg *p = db_open();
	is_int(lease_renew(l, &e), 1, "renewed");
	is_int(lease_serial(l), first + 1, "a new serial, known to us");
	ok(strtoll(db_get(p, "SELECT serial FROM sluice.lease"), NULL, 10) ==
	    first + 1, "and to the database");
	test_fence(p, first + 1);
	db_run(p, "BEGIN; SELECT FROM sluice.lease FOR SHARE");
	is_int(lease_renew(l, &e), 0, "not while a migration has it");
	db_run(p, "ROLLBACK");
	is_int(lease_check(l, &e), 1, "still ours");
	db_run(p, "SELECT pg_terminate_backend(backend) FROM sluice.lease");
	for (int i = 0; i < 40 && lease_check(l, &e) == 1; i++)
		clock_sleep(50);
	is_int(lease_check(l, &e), 0, "a lost session is a lost lease");
	printf("# %s\n", e.msg);
	lease_free(l);

	/* somebody's migration that outlives its deploy */
	db_run(p, "SET application_name = 'sluice migration a.0001_x'");
	db_run(p, "BEGIN; SELECT FROM sluice.lease FOR SHARE");
	strbuf_reset(&b);
	is_int(lease_take(&l, &b, CONNINFO, "shop", "x", &e), 0,
	    "refused while a migration of the deploy before runs");
	like(b.s, "still runs (sluice migration a.0001_x), begun by the "
	    "deploy before", "and told so");
	db_run(p, "ROLLBACK");
	pg_free(p);
}

static void
test_pg(void)
{
	struct err e = ERR_INIT;
	struct pg *p = NULL;

	is_int(pg_open(&p, "dbname=sesame password=sesame", "x", 2000, &e),
	    -1, "no such database");
	like(e.msg, "\"***\" does not exist", "a secret is not told");
	is_int(pg_open(&p, "postgresql://u:p@ss@h/d", "x", 2000, &e), -1,
	    "an '@' in a password");
	ok(strstr(e.msg, "ss@h") == NULL, "is not told either");
	is_int(e.kind, ERR_CONFIG, "and is a matter of configuration");
	is_int(pg_open(&p, "dbname = 'sesa me", "x", 2000, &e), -1,
	    "half an address");
	ok(strstr(e.msg, "sesa") == NULL, "is not shown");
	is_int(pg_open(&p, "host=/nowhere", "x", 2000, &e), -1, "no server");
	like(e.msg, "cannot reach the database", "says so");

	p = db_open();
	is(db_get(p, "SELECT application_name FROM pg_stat_activity "
	    "WHERE pid = pg_backend_pid()"), "sluice test", "a name");
	is_int(pg_script(p, "SELECT 1/0", &e), -1, "an error");
	is(e.msg, "division by zero", "in its own words");
	is(pg_state(p), "22012", "with its state");
	pg_free(p);
}

int
main(void)
{
	with_pg();
	struct arena *a = arena_new();

	test_first_use();
	pid_t holder = holder_start();
	struct pg *p = db_open();
	test_pg();
	test_copy(p);
	test_release(p, a);
	test_run(p, a);
	test_lease(holder);
	pg_free(p);
	arena_free(a);
	return done_testing();
}

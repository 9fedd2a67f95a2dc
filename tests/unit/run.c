/* The loop alone: kinds, ledger and lease are played here, and write down
 * what is asked of them, in order. */
#include "act/run.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/util.h"
#include "tap.h"

static struct arena *a;
static struct strbuf told = STRBUF_INIT;	/* what happened, in words */
static struct step rows[32];
static struct plan plan;
static struct cfg_host hosts[3];
static struct cfg_target target;
static struct config cfg;
static struct deploy d;
static struct err e;
static const char *fails;	/* subject whose make fails */
static const char *stands;	/* subject that is so already */
static int slow;		/* calls that a make waits */
static int lease_left;		/* turns until it is lost; -1: never */
static int most, going;		/* makes side by side */
static bool ledger_down;
static int64_t soak;		/* seconds */
static int term_at;		/* seq in whose make a TERM comes */

static int
play_ask(struct lane *l, const struct step *s, struct err *why)
{
	(void)l, (void)why;
	strbuf_printf(&told, "ask%u ", s->seq);
	return streq(s->subject, stands) ? ANSWER_YES : ANSWER_NO;
}

static int
play_make(struct lane *l, const struct step *s, struct err *why)
{
	if (l->state == 0) {
		strbuf_printf(&told, "make%u ", s->seq);
		if (++going > most)
			most = going;
		if (term_at == (int)s->seq)
			kill(getpid(), SIGTERM);
	}
	if (l->state++ < slow) {
		l->wake = clock_ms() + 2;
		return ANSWER_WAIT;
	}
	going--;
	if (streq(s->subject, fails))
		return err_set(why, "it broke");
	return ANSWER_YES;
}

#define PLAYED { play_ask, play_make }
const struct kind kind_stage = PLAYED, kind_current = PLAYED,
    kind_health = PLAYED, kind_prune = PLAYED, kind_census = PLAYED,
    kind_balance = PLAYED, kind_migration = PLAYED, kind_soak = PLAYED,
    kind_floor = PLAYED, kind_publish = PLAYED;
const char *const step_kind_name[] = { "stage", "migration", "balance",
	"current", "health", "soak", "census", "floor", "publish", "prune" };

int
ledger_mark(const struct ledger_pen *w, int64_t run,
    const struct ledger_mark *m, uint32_t n, struct err *why)
{
	static const char sign[] = "t>+!x";

	(void)w, (void)run;
	if (ledger_down)
		return err_set(why, "no connection");
	strbuf_str(&told, "[");
	for (uint32_t i = 0; i < n; i++)
		strbuf_printf(&told, "%u%c", m[i].seq, sign[m[i].status]);
	strbuf_str(&told, "] ");
	return 0;
}

int64_t
plan_soaks_until(const struct plan *p)
{
	return p->steps[0].began == 0 ? 0 : p->steps[0].began + soak;
}

int64_t
lease_serial(const struct lease *l)
{
	(void)l;
	return 1;
}

int
lease_check(struct lease *l, struct err *why)
{
	(void)l, (void)why;
	return lease_left < 0 || lease_left-- > 0;
}

void link_free(struct link *l) { (void)l; }
int link_poll(const struct link *l, struct pollfd *p)
{
	(void)l, (void)p;
	return 0;
}

static void
row(uint32_t wave, const char *lane, enum step_kind kind, const char *subject)
{
	rows[plan.n] = (struct step){ .seq = plan.n + 1, .wave = wave,
	    .lane = sym_get(a, lane), .subject = sym_get(a, subject),
	    .want = sym_get(a, "1"), .kind = kind,
	    .phase = sym_get(a, "roll") };
	plan.n++;
}

static void
fresh(void)
{
	strbuf_reset(&told);
	err_clear(&e);
	plan.n = 0;
	plan.steps = rows;
	fails = stands = NULL;
	slow = most = going = term_at = 0;
	lease_left = -1;
	ledger_down = false;
	target.max_failed = 0;
	target.step_timeout = 60000;
	d = (struct deploy){ .cfg = &cfg, .target = &target, .a = a,
	    .plan = &plan, .lease = (struct lease *)&d };
}

/* Two hosts in a wave, then the database. */
static void
three(void)
{
	fresh();
	row(1, "app1", STEP_CURRENT, "one");
	row(1, "app1", STEP_HEALTH, "two");
	row(1, "app2", STEP_CURRENT, "three");
	row(2, "db", STEP_MIGRATION, "four");
}

static void
order(void)
{
	three();
	is_int(run_plan(&d, false, &e), RUN_DONE, "all rows are done");
	is(told.s, "[1>3>] make1 make3 [1+3+2>] make2 [2+] [4>] make4 [4+] ",
	    "a row is marked before it is made, what ended with what begins");
	three();
	slow = 2;
	is_int(run_plan(&d, false, &e), RUN_DONE, "slow rows too");
	is_int(most, 2, "lanes side by side");
	three();
	rows[0].status = STEP_DONE;
	rows[2].status = STEP_DROPPED;
	run_plan(&d, false, &e);
	is(told.s, "[2>] make2 [2+] [4>] make4 [4+] ",
	    "what is done or dropped is left alone");
}

static void
resume(void)
{
	three();
	rows[0].status = STEP_DONE;
	rows[1].status = STEP_DOING;
	rows[2].status = STEP_FAILED;
	stands = "two";
	is_int(run_plan(&d, true, &e), RUN_DONE, "resumed");
	is(told.s, "ask2 ask3 [2+3>] make3 [3+] ask4 [4>] make4 [4+] ",
	    "what is not done is asked before it is made");
}

static void
failure(void)
{
	three();
	fails = "one";
	is_int(run_plan(&d, false, &e), RUN_FAILED, "a row fails");
	is(told.s, "[1>3>] make1 make3 [1!3+] ", "nothing is begun after it");
	is(e.msg, "current of one on app1: it broke", "and why is told");
	is_int((int)rows[1].status, STEP_TODO, "its lane stops there");
	three();
	fails = "one";
	target.max_failed = 1;
	is_int(run_plan(&d, false, &e), RUN_DONE, "a host may fail");
	is(told.s, "[1>3>] make1 make3 [1!3+] [4>] make4 [4+] ",
	    "then its lane is left, the rest goes on");
	three();
	fails = "four";
	target.max_failed = 1;
	is_int(run_plan(&d, false, &e), RUN_FAILED,
	    "the database is no host that may fail");
}

static void
lost(void)
{
	three();
	lease_left = 1;
	slow = 3;
	is_int(run_plan(&d, false, &e), RUN_LOST, "the lease is lost");
	ok(rows[0].status == STEP_DONE && rows[2].status == STEP_DONE,
	    "what was going on is finished");
	ok(strstr(told.s, "make2") == NULL && strstr(told.s, "make4") == NULL,
	    "nothing more is begun");
}

static void
ledger_lost(void)
{
	three();
	ledger_down = true;
	is_int(run_plan(&d, false, &e), RUN_LOST, "the ledger is down");
	is(told.s, "", "nothing is made that could not be marked");
	like(e.msg, "ledger cannot be written", "and that is told");
}

static void
interrupt(void)
{
	three();
	term_at = 1;
	slow = 2;
	is_int(run_plan(&d, false, &e), RUN_INTERRUPTED, "a TERM");
	ok(rows[0].status == STEP_DONE && rows[2].status == STEP_DONE,
	    "what was going on is finished");
	ok(rows[1].status == STEP_TODO && rows[3].status == STEP_TODO,
	    "nothing more is begun");
}

static void
late(void)
{
	three();
	slow = 1000000;
	target.step_timeout = 20;
	target.health_timeout = 0;
	is_int(run_plan(&d, false, &e), RUN_FAILED, "a row without an end");
	like(e.msg, "no end in sight", "is let go of at its deadline");
}

static void
at_once(void)
{
	three();
	slow = 2;
	target.at_once = 1;
	is_int(run_plan(&d, false, &e), RUN_DONE, "all, one after the other");
	is_int(most, 1, "no more lanes at once than the configuration says");
	target.at_once = 0;
}

/* The database's first row is a soak. */
static void
soaks(void)
{
	fresh();
	row(1, "db", STEP_SOAK, "soak");
	row(2, "db", STEP_FLOOR, "floor");
	soak = 3600;
	is_int(run_plan(&d, false, &e), RUN_SOAKING, "a soak is not waited for");
	is(told.s, "[1>] ", "it has begun");
	strbuf_reset(&told);
	is_int(run_plan(&d, true, &e), RUN_SOAKING, "resumed, it goes on");
	is(told.s, "", "from where it was");
	soak = -1;
	is_int(run_plan(&d, true, &e), RUN_DONE, "until it is over");
	is(told.s, "ask1 [1>] make1 [1+] ask2 [2>] make2 [2+] ", "then the rest");
	fresh();
	row(1, "db", STEP_SOAK, "soak");
	soak = 3600;
	d.finish = true;
	is_int(run_plan(&d, false, &e), RUN_DONE, "or is finished");
}

int
main(void)
{
	a = arena_new();
	cfg.path = "sluice.ini";
	hosts[0].name = sym_get(a, "app1");
	hosts[1].name = sym_get(a, "app2");
	target.hosts = hosts;
	target.nhosts = 2;
	order();
	resume();
	failure();
	lost();
	ledger_lost();
	interrupt();
	late();
	soaks();
	at_once();
	arena_free(a);
	strbuf_release(&told);
	return done_testing();
}

/* The kinds of a host's lane, played by hand: tests/host.t and tests/balance.t
 * give a configuration file and say on stdin what to do, one line each:
 *	ask|make KIND HOST SUBJECT WANT
 *	view | offered HOST | accept HOST | serial N (1 at first)
 * Alone there is nothing to run. */
#include "tap.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/host.h"
#include "act/hostkey.h"
#include "act/run.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/util.h"

static struct config cfg;
static struct plan plan = { .from = "", .to = "" };
static struct deploy d = { .artefact = -1, .plan = &plan };
static struct lane lanes[16];

static const struct { const char *name; const struct kind *kind; } kinds[] = {
	{ "stage", &kind_stage }, { "current", &kind_current },
	{ "health", &kind_health }, { "prune", &kind_prune },
	{ "census", &kind_census }, { "balance", &kind_balance },
};

static struct lane *
lane_of(const char *host)
{
	uint32_t i = 0;

	while (i < d.target->nhosts && !streq(d.target->hosts[i].name, host))
		i++;
	bool db = i == d.target->nhosts;
	struct lane *l = &lanes[db ? countof(lanes) - 1 : i];
	if (l->host == NULL) {
		l->name = sym_get(d.a, host);
		l->host = &d.target->hosts[db ? 0 : i];
		l->d = &d;
		l->note = (struct strbuf)STRBUF_LIMIT(4096);
	}
	return l;
}

static void
wait_lane(const struct lane *l)
{
	struct pollfd p[3];
	int n = l->agent == NULL ? 0 : link_poll(l->agent, p);
	int64_t left = l->wake == 0 ? 1000 : l->wake - clock_ms();

	poll(p, (nfds_t)n, left < 0 ? 0 : left > 1000 ? 1000 : (int)left);
}

static void
step(const char *how, const char *kind, const char *host, const char *subject,
    const char *want)
{
	static const char *const words[] = { "no", "yes" };
	struct err e = ERR_INIT;
	struct lane *l = lane_of(host);
	struct step s = { .lane = host, .subject = subject, .want = want };
	const struct kind *k = NULL;
	char last[300] = "";
	int r = ANSWER_WAIT;

	for (size_t i = 0; i < countof(kinds); i++)
		if (streq(kinds[i].name, kind))
			k = kinds[i].kind;
	l->state = 0;
	l->wake = 0;
	strbuf_reset(&l->note);
	l->deadline = clock_ms() + d.target->step_timeout;
	while (k != NULL && r == ANSWER_WAIT) {
		r = streq(how, "ask") ? k->ask(l, &s, &e) : k->make(l, &s, &e);
		if (l->note.len > 0 && !streq(l->note.s, last)) {
			snprintf(last, sizeof(last), "%s", l->note.s);
			fprintf(stderr, "note: %s\n", last);
		}
		if (r == ANSWER_WAIT && clock_ms() > l->deadline)
			r = err_set(&e, "past its deadline");
		if (r == ANSWER_WAIT)
			wait_lane(l);
	}
	printf("%s\n", r < 0 ? e.msg : words[r]);
	fflush(stdout);
}

static void
view(void)
{
	struct host_view v[16];

	hosts_view(v, d.a, d.project, d.target, 15000);
	for (uint32_t i = 0; i < d.target->nhosts; i++)
		printf("%s: %s, attests %s, %u releases, skew %d, room %s, "
		    "missing %s: %s\n", v[i].host->name,
		    v[i].reached ? "reached" : "not reached",
		    host_attests(&v[i]) != NULL ? host_attests(&v[i]) : "nothing",
		    v[i].nreleases, abs((int)v[i].skew_s) > 2,
		    v[i].free_kb > 0 ? "yes" : "no",
		    v[i].missing != NULL ? v[i].missing : "nothing",
		    v[i].why != NULL ? v[i].why : "fine");
	fflush(stdout);
}

static void
keys(const char *host, bool accept)
{
	struct hostkey k[4];
	struct err e = ERR_INIT;
	struct strbuf file STRBUF_SCOPED = STRBUF_INIT;
	int n = hostkey_offered(k, 4, d.target, lane_of(host)->host, &e);

	if (n < 0)
		printf("%s\n", e.msg);
	for (int i = 0; i < n; i++) {
		if (!accept)
			printf("%s %s\n", k[i].type, k[i].print);
		else if (hostkey_accept(lane_of(host)->host, &k[i], &file,
		    &e) < 0)
			printf("%s\n", e.msg);
		else
			printf("accepted in %s\n", file.s);
	}
	fflush(stdout);
}

/* As another deploy, with links of its own. */
static void
serial(long n)
{
	d.serial = n;
	for (size_t i = 0; i < countof(lanes); i++) {
		link_free(lanes[i].agent);
		lanes[i].agent = NULL;
	}
}

static void
line(char *text)
{
	char *w[5] = { NULL };

	for (int i = 0; i < 5; i++)
		w[i] = strsep(&text, " \n");
	if (streq(w[0], "view"))
		view();
	else if (streq(w[0], "offered") || streq(w[0], "accept"))
		keys(w[1], streq(w[0], "accept"));
	else if (streq(w[0], "serial"))
		serial(strtol(w[1], NULL, 10));
	else if (streq(w[0], "sleep"))
		clock_sleep(strtol(w[1], NULL, 10));
	else if (w[4] != NULL)
		step(w[0], w[1], w[2], w[3], w[4]);
}

static void
artefact(const char *path)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct err e = ERR_INIT;

	if (path == NULL || file_read(&b, path, &e) < 0)
		return;
	d.artefact = open(path, O_RDONLY | O_CLOEXEC);
	d.artefact_size = b.len;
	sha256_hex(d.artefact_sha, b.s, b.len);
}

int
main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	char text[1024];

	if (argc < 2) {
		printf("1..0 # skip played by tests/host.t and balance.t\n");
		return 0;
	}
	d.a = arena_new();
	if (config_load(&cfg, d.a, argv[1], &e) < 0 ||
	    (d.target = config_target(&cfg, NULL, &e)) == NULL ||
	    (d.project = config_project(&cfg, NULL, &e)) == NULL) {
		fprintf(stderr, "%s\n", e.msg);
		return 2;
	}
	artefact(argv[2]);
	d.commit = "c0ffee";
	d.serial = 1;
	while (fgets(text, sizeof(text), stdin) != NULL)
		line(text);
	for (size_t i = 0; i < countof(lanes); i++) {
		link_free(lanes[i].agent);
		if (lanes[i].host != NULL)
			strbuf_release(&lanes[i].note);
	}
	if (d.artefact >= 0)
		close(d.artefact);
	arena_free(d.a);
	return 0;
}

/* A host out of the balancer's rotation and back into it: haproxy's runtime
 * interface, one short connection a question, none of them waited for. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "act/balance.h"
#include "act/lane.h"
#include "act/run.h"
#include "base/clock.h"
#include "base/util.h"

#define TURN_MS 20		/* between two looks at our own socket */
#define AGAIN_MS 200		/* between two questions */
#define ONE_MS 5000		/* for one question */
#define SPARE_MS 10000
#define ANSWER_MAX (4u << 20)

enum { FIRST = 1, SET, SHOW };

struct balance {
	char backend[128];
	const char *server;	/* in backend, after its NUL */
	bool drain;
	int fd;			/* -1: no question is open */
	struct strbuf said, asked;
	size_t sent;
	int64_t by, end;
};

/* What the statistics say of one server. */
struct stat_row {
	char status[32];
	long now;		/* sessions, with those that queue for it */
};

/* --- one question --------------------------------------------------------- */

static int
dial_path(const char *path, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (strlen(path) >= sizeof(a.sun_path)) {
		close(fd);
		return err_kind(e, ERR_CONFIG, "haproxy: the path of its "
		    "socket is too long: '%s'", path);
	}
	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	err_sys(e, "haproxy: cannot connect to '%s'", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
dial_port(const char *host, const char *port, struct err *e)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM }, *all = NULL;
	int fd = -1, r = getaddrinfo(host, port, &want, &all);

	if (r != 0)
		return err_set(e, "haproxy: cannot find the address of '%s': %s",
		    host, gai_strerror(r));
	for (struct addrinfo *ai = all; ai != NULL && fd < 0; ai = ai->ai_next) {
		fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
		    SOCK_NONBLOCK, ai->ai_protocol);
		if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) != 0 &&
		    errno != EINPROGRESS) {
			err_sys(e, "haproxy: cannot connect to %s:%s", host,
			    port);
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(all);
	return fd;
}

/* A path has a slash; host:port has none. */
static int
dial(const char *where, struct err *e)
{
	const char *colon = strrchr(where, ':');
	size_t v6 = *where == '[';	/* [::1]:port */
	char host[256];

	if (strchr(where, '/') != NULL || colon == NULL)
		return dial_path(where, e);
	if ((size_t)(colon - where) >= sizeof(host) || (v6 && colon[-1] != ']'))
		return err_kind(e, ERR_CONFIG, "haproxy: not host:port: '%s'",
		    where);
	snprintf(host, sizeof(host), "%.*s",
	    (int)((size_t)(colon - where) - 2 * v6), where + v6);
	return dial_port(host, colon + 1, e);
}

static void
question_end(struct balance *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

/* 1: the whole answer is in b->said. 0: not yet. */
int
balance_reach(const char *where, int64_t ms, struct err *e)
{
	int fd = dial(where, e), bad = 0;
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t n = sizeof(bad);

	if (fd < 0)
		return -1;
	if (poll(&p, 1, (int)ms) <= 0)
		bad = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &n) < 0)
		bad = errno;
	close(fd);
	errno = bad;
	return bad == 0 ? 0 : err_sys(e, "haproxy: cannot connect to '%s'",
	    where);
}

static int
question_turn(struct balance *b, const char *where, struct err *e)
{
	char part[16384];
	ssize_t n;

	if (b->fd < 0) {
		b->fd = dial(where, e);
		if (b->fd < 0)
			return -1;
		b->sent = 0;
		b->by = clock_ms() + ONE_MS;
		strbuf_reset(&b->said);
	}
	if (clock_ms() > b->by)
		return err_set(e, "haproxy: '%s' does not answer", where);
	while (b->sent < b->asked.len) {
		n = send(b->fd, b->asked.s + b->sent, b->asked.len - b->sent,
		    MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			return 0;
		if (n < 0)
			return err_sys(e, "haproxy: cannot ask '%s'", where);
		b->sent += (size_t)n;
	}
	while ((n = read(b->fd, part, sizeof(part))) > 0)
		strbuf_add(&b->said, part, (size_t)n);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return err_sys(e, "haproxy: cannot read from '%s'", where);
	question_end(b);
	return 1;
}

/* --- what it said --------------------------------------------------------- */

/* Cuts one line into cells; "" for those that are not there. */
static int
cells(char *line, char **cell, int most)
{
	int n = 0;

	while (n < most && (cell[n] = strsep(&line, ",")) != NULL)
		n++;
	return n;
}

static int
column(char *const *head, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (streq(head[i], name))
			return i;
	return -1;
}

/* Cells by the names in the header line "# pxname,svname,…". */
static int
stat_row_read(struct stat_row *s, const struct balance *b, struct err *e)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_LIMIT(ANSWER_MAX);
	char *head[160], *cell[160], *rest, *line;

	strbuf_add(&text, b->said.s, b->said.len);
	rest = text.s;
	line = strsep(&rest, "\n");
	if (!starts_with(line, "# "))
		return err_set(e, "haproxy: %.200s", line);
	int n = cells(line + 2, head, countof(head));
	int px = column(head, n, "pxname"), sv = column(head, n, "svname");
	int st = column(head, n, "status"), now = column(head, n, "scur");
	int qu = column(head, n, "qcur");
	if (px < 0 || sv < 0 || st < 0 || now < 0 || qu < 0)
		return err_set(e, "haproxy: its statistics have no column "
		    "pxname, svname, status, scur or qcur");
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (cells(line, cell, countof(cell)) < n - 1 ||
		    !streq(cell[px], b->backend) || !streq(cell[sv], b->server))
			continue;
		snprintf(s->status, sizeof(s->status), "%.30s", cell[st]);
		s->now = strtol(cell[now], NULL, 10) +
		    strtol(cell[qu], NULL, 10);
		return 0;
	}
	return err_kind(e, ERR_CONFIG, "haproxy has no server '%s/%s' (the "
	    "host's balancer = BACKEND/SERVER)", b->backend, b->server);
}

static bool
is_drained(const struct stat_row *s)
{
	return (starts_with(s->status, "DRAIN") ||
	    starts_with(s->status, "MAINT")) && s->now == 0;
}

static bool
is_ready(const struct stat_row *s)
{
	return starts_with(s->status, "UP") || streq(s->status, "no check");
}

/* --- the step ------------------------------------------------------------- */

static int
begin(struct lane *l, const struct step *s, int state, struct err *e)
{
	struct balance *b = xcalloc(1, sizeof(*b));

	b->fd = -1;
	b->said = (struct strbuf)STRBUF_LIMIT(ANSWER_MAX);
	b->asked = (struct strbuf)STRBUF_LIMIT(1024);
	l->own = b;
	snprintf(b->backend, sizeof(b->backend), "%s", l->host->balancer);
	char *slash = strchr(b->backend, '/');
	if (slash == NULL)
		return err_kind(e, ERR_CONFIG, "host %s: balancer is not "
		    "BACKEND/SERVER: '%s'", l->host->name, l->host->balancer);
	*slash = '\0';
	b->server = slash + 1;
	b->drain = streq(s->want, "drained");
	/* back in rotation: what the balancer's own checks need */
	b->end = clock_ms() + (b->drain ? l->d->target->drain_timeout :
	    l->d->target->health_timeout);
	l->deadline = b->end + SPARE_MS;
	l->state = state;
	return 0;
}

static int
answer(struct lane *l, int r)
{
	struct balance *b = l->own;

	if (r == ANSWER_WAIT)
		return r;
	question_end(b);
	strbuf_release(&b->said);
	strbuf_release(&b->asked);
	free(b);
	l->own = NULL;
	l->wake = 0;
	return r;
}

/* 1: answered. 0: not yet. */
static int
question(struct lane *l, struct err *e)
{
	struct balance *b = l->own;

	l->wake = clock_ms() + TURN_MS;
	strbuf_reset(&b->asked);
	if (l->state == SET)
		strbuf_printf(&b->asked, "set server %s/%s state %s\n",
		    b->backend, b->server, b->drain ? "drain" : "ready");
	else	/* 4: servers only */
		strbuf_printf(&b->asked, "show stat %s 4 -1\n", b->backend);
	return question_turn(b, l->d->target->haproxy, e);
}

static bool
unbalanced(const struct lane *l)
{
	return l->d->target->haproxy == NULL || l->host->balancer == NULL;
}

static int
balance_ask(struct lane *l, const struct step *s, struct err *e)
{
	struct stat_row v = { "", 0 };

	if (unbalanced(l))
		return ANSWER_YES;
	if (l->state == 0 && begin(l, s, SHOW, e) < 0)
		return answer(l, -1);
	struct balance *b = l->own;
	int r = question(l, e);
	if (r == 0)
		return ANSWER_WAIT;
	if (r < 0 || stat_row_read(&v, b, e) < 0)
		return answer(l, -1);
	return answer(l, (b->drain ? is_drained(&v) : is_ready(&v)) ?
	    ANSWER_YES : ANSWER_NO);
}

/* We drain; maintenance is somebody's own doing, and stays. */
static int
first_done(struct lane *l, struct stat_row *v, struct err *e)
{
	if (stat_row_read(v, l->own, e) < 0)
		return -1;
	l->state = SET;
	if (!starts_with(v->status, "MAINT"))
		return 0;
	strbuf_reset(&l->note);
	strbuf_printf(&l->note, "haproxy says %s: left as it is", v->status);
	return ANSWER_YES;
}

/* Set: silence is consent. */
static int
set_done(struct lane *l, struct err *e)
{
	const struct balance *b = l->own;
	struct strbuf why STRBUF_SCOPED = STRBUF_LIMIT(300);

	strbuf_clean(&why, b->said.s, b->said.len, false);
	while (why.len > 0 && strchr(" ?", why.s[why.len - 1]) != NULL)
		strbuf_cut(&why, why.len - 1);
	if (why.len > 0)
		return err_kind(e, ERR_CONFIG, "haproxy refuses '%s/%s': %s",
		    b->backend, b->server, why.s);
	l->state = SHOW;
	return 0;
}

/* After a look: is it so, or does it take too long? */
static int
look(struct lane *l, const struct stat_row *v, struct err *e)
{
	const struct balance *b = l->own;
	bool late = clock_ms() >= b->end;

	strbuf_reset(&l->note);
	/* one that is down says so, though it drains */
	if (b->drain ? v->now == 0 : is_ready(v))
		return ANSWER_YES;
	if (b->drain)
		strbuf_printf(&l->note, "%ld session%s open", v->now,
		    v->now == 1 ? "" : "s");
	else
		strbuf_printf(&l->note, "haproxy says %s", v->status);
	if (!late) {
		l->wake = clock_ms() + AGAIN_MS;
		return ANSWER_WAIT;
	}
	if (!b->drain)
		return err_set(e, "haproxy does not take '%s/%s' back: it "
		    "says %s", b->backend, b->server, v->status);
	/* nothing new reaches it; what is open after so long is let go */
	strbuf_str(&l->note, " at the end of drain_timeout");
	return ANSWER_YES;
}

static int
balance_make(struct lane *l, const struct step *s, struct err *e)
{
	struct stat_row v = { "", 0 };

	if (unbalanced(l))
		return ANSWER_YES;
	if (l->state == 0 && begin(l, s, FIRST, e) < 0)
		return answer(l, -1);
	struct balance *b = l->own;
	int r;
	while ((r = question(l, e)) == 1 && l->state != SHOW) {
		if (l->state == FIRST)
			r = first_done(l, &v, e);
		else
			r = set_done(l, e);
		if (r != 0)
			return answer(l, r);
	}
	if (r == 0)
		return ANSWER_WAIT;
	if (r < 0 || stat_row_read(&v, b, e) < 0)
		return answer(l, -1);
	return answer(l, look(l, &v, e));
}

const struct kind kind_balance = { balance_ask, balance_make };

/* A command between our three descriptors and its own. One libssh2 call is
 * half done at most: while it is, nothing else is said on the session, for
 * libssh2 1.10 wants the very same call again. */
#include "act/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/link.h"
#include "base/clock.h"
#include "base/util.h"

#define BLOCK 32000		/* what fits one packet of libssh2 */
#define FLUSH_MS 5000		/* for a slow reader, once all is over */
#define STDERR SSH_EXTENDED_DATA_STDERR

/* libssh2 tells an exit code that never came as 0. So the far side never says
 * 0 but one more than the code; what cannot be told is cut to 253. */
static const char wrapper[] =
    "(eval \"$1\"); s=$?; [ $s -le 253 ] || s=253; exit $((s + 1))";

enum op { OP_NONE, OP_OUT, OP_ERR, OP_WRITE, OP_EOF, OP_CLOSED };

struct part {			/* bytes on their way */
	int fd;
	int flags;		/* to give back */
	char *bytes;
	size_t at, len;
	bool shut;		/* no more comes, or goes */
};

struct pump {
	struct ssh *x;
	LIBSSH2_CHANNEL *c;
	struct part in, out, err;
	enum op half;		/* the call that is half done */
	bool eof_sent, closed;
};

static void
part_init(struct part *p, int fd, char *bytes)
{
	struct stat st;

	*p = (struct part){ .fd = fd, .flags = -1, .bytes = bytes };
	/* a terminal or a file is shared with others, and does not block */
	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) ||
	    S_ISSOCK(st.st_mode))) {
		p->flags = fcntl(fd, F_GETFL);
		(void)fcntl(fd, F_SETFL, p->flags | O_NONBLOCK);
	}
}

static void
part_restore(const struct part *p)
{
	if (p->flags >= 0)
		(void)fcntl(p->fd, F_SETFL, p->flags);
}

/* Notes a call that stopped half-way. 1: moved. 0: not now. -1: broken. */
static int
after(struct pump *u, enum op op, ssize_t r, struct err *e)
{
	int dirs = libssh2_session_block_directions(u->x->s);

	u->half = r == LIBSSH2_ERROR_EAGAIN &&
	    (dirs & LIBSSH2_SESSION_BLOCK_OUTBOUND) ? op : OP_NONE;
	if (r >= 0)
		return r > 0;
	if (r == LIBSSH2_ERROR_EAGAIN)
		return 0;
	return err_ssh(e, u->x, "the connection was lost");
}

static int
do_read(struct pump *u, enum op op, struct part *p, int stream, struct err *e)
{
	if (p->len > 0)
		return 0;
	ssize_t n = libssh2_channel_read_ex(u->c, stream, p->bytes, BLOCK);
	int r = after(u, op, n, e);
	if (r > 0) {
		p->at = 0;
		p->len = (size_t)n;
	}
	return r;
}

static int
do_write(struct pump *u, struct err *e)
{
	struct part *p = &u->in;

	if (p->len == 0)
		return 0;
	ssize_t n = libssh2_channel_write_ex(u->c, 0, p->bytes + p->at, p->len);
	if (n == LIBSSH2_ERROR_CHANNEL_CLOSED ||
	    n == LIBSSH2_ERROR_CHANNEL_EOF_SENT) {
		p->len = 0;	/* the command did not want it */
		p->shut = true;
		u->half = OP_NONE;
		return 1;
	}
	int r = after(u, OP_WRITE, n, e);
	if (r > 0) {
		p->at += (size_t)n;
		p->len -= (size_t)n;
	}
	return r;
}

static int
do_eof(struct pump *u, struct err *e)
{
	if (u->eof_sent || !u->in.shut || u->in.len > 0)
		return 0;
	int n = libssh2_channel_send_eof(u->c);
	u->eof_sent = n == 0;
	return after(u, OP_EOF, n == 0 ? 1 : n, e);
}

/* The exit code comes after the end of the output: wait for the close. */
static int
do_closed(struct pump *u, struct err *e)
{
	if (u->closed || !libssh2_channel_eof(u->c))
		return 0;
	int n = libssh2_channel_wait_closed(u->c);
	u->closed = n == 0;
	return after(u, OP_CLOSED, n == 0 ? 1 : n, e);
}

static int
do_op(struct pump *u, enum op op, struct err *e)
{
	switch (op) {
	case OP_OUT: return do_read(u, op, &u->out, 0, e);
	case OP_ERR: return do_read(u, op, &u->err, STDERR, e);
	case OP_WRITE: return do_write(u, e);
	case OP_EOF: return do_eof(u, e);
	case OP_CLOSED: return do_closed(u, e);
	case OP_NONE: break;
	}
	return 0;
}

/* All that can be done on the session now. */
static int
session_turn(struct pump *u, struct err *e)
{
	int moved = 1;

	if (u->half != OP_NONE && do_op(u, u->half, e) < 0)
		return -1;
	while (moved && u->half == OP_NONE) {
		moved = 0;
		for (enum op op = OP_OUT; op <= OP_CLOSED &&
		    u->half == OP_NONE; op++) {
			int r = u->closed && op >= OP_WRITE ? 0 : do_op(u, op, e);
			if (r < 0)
				return -1;
			moved |= r;
		}
	}
	return 0;
}

/* stdin comes in only when what came before it is gone. */
static void
fill(struct part *p)
{
	ssize_t n = read(p->fd, p->bytes, BLOCK);

	if (n > 0) {
		p->at = 0;
		p->len = (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		p->shut = true;
	}
}

static void
drain(struct part *p)
{
	/* what is not a pipe of ours takes this much without blocking */
	size_t n = p->flags < 0 && p->len > 4096 ? 4096 : p->len;
	ssize_t put = write(p->fd, p->bytes + p->at, n);

	if (put < 0 && errno != EAGAIN && errno != EINTR)
		p->shut = true;
	if (put <= 0)
		return;
	p->at += (size_t)put;
	p->len -= (size_t)put;
}

static int
wait_and_move(struct pump *u, int timeout_ms)
{
	struct pollfd p[4] = {
		{ u->x->fd, 0, 0 },
		{ u->in.len == 0 && !u->in.shut ? u->in.fd : -1, POLLIN, 0 },
		{ u->out.fd, u->out.len > 0 ? POLLOUT : 0, 0 },
		{ u->err.shut ? -1 : u->err.fd,
		    u->err.len > 0 ? POLLOUT : 0, 0 },
	};

	if (u->half != OP_NONE)
		p[0].events = POLLOUT;
	else if (u->out.len == 0 || u->err.len == 0 || u->in.len > 0)
		p[0].events = POLLIN;
	if (u->closed)
		p[0].fd = p[1].fd = -1;
	int n = poll(p, 4, timeout_ms);
	if (n <= 0)
		return n;
	if (p[1].revents != 0)
		fill(&u->in);
	if (p[2].revents & (POLLERR | POLLHUP | POLLNVAL))
		u->out.shut = true;
	else if (p[2].revents != 0)
		drain(&u->out);
	if (p[3].revents & (POLLERR | POLLHUP | POLLNVAL))
		u->err.shut = true;
	else if (p[3].revents != 0)
		drain(&u->err);
	if (u->err.shut)
		u->err.len = 0;		/* nobody listens: not a reason to stop */
	return n;
}

static int
pump(struct pump *u, struct err *e)
{
	while (!u->closed || u->out.len > 0 || u->err.len > 0) {
		if (session_turn(u, e) < 0)
			return -1;
		if (u->closed && u->out.len == 0 && u->err.len == 0)
			break;
		int n = wait_and_move(u, u->closed ? FLUSH_MS : -1);
		if (u->out.shut)
			return err_set(e, "nobody reads our output any more");
		if (n == 0 && u->closed)
			return err_set(e, "nobody takes the rest of the output");
	}
	return 0;
}

static int
ended(struct pump *u, int *status, struct err *e)
{
	static const struct { const char *name; int number; } signals[] = {
		{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT },
		{ "ILL", SIGILL }, { "ABRT", SIGABRT }, { "FPE", SIGFPE },
		{ "KILL", SIGKILL }, { "SEGV", SIGSEGV }, { "PIPE", SIGPIPE },
		{ "ALRM", SIGALRM }, { "TERM", SIGTERM },
	};
	char *name = NULL;

	libssh2_channel_get_exit_signal(u->c, &name, NULL, NULL, NULL, NULL,
	    NULL);
	int code = libssh2_channel_get_exit_status(u->c);
	if (name != NULL) {
		*status = 253;
		for (size_t i = 0; i < countof(signals); i++)
			if (streq(name, signals[i].name))
				*status = 128 + signals[i].number;
		libssh2_free(u->x->s, name);
		return 0;
	}
	if (code == 0)
		return err_set(e, "the host closed the connection before it "
		    "told how the command ended; it may still run");
	*status = code - 1;
	return 0;
}

static int
start(struct pump *u, const char *command, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct ssh *x = u->x;
	int r;

	strbuf_str(&b, "sh -c ");
	quote_remote(&b, wrapper);
	strbuf_str(&b, " sluice ");
	quote_remote(&b, command);
	while ((u->c = libssh2_channel_open_session(x->s)) == NULL) {
		if (libssh2_session_last_errno(x->s) != LIBSSH2_ERROR_EAGAIN)
			return err_ssh(e, x, "the host opens no session");
		if (ssh_wait(x, e) < 0)
			return -1;
	}
	while ((r = libssh2_channel_process_startup(u->c, "exec", 4, b.s,
	    (unsigned)b.len)) == LIBSSH2_ERROR_EAGAIN)
		if (ssh_wait(x, e) < 0)
			return -1;
	return r == 0 ? 0 : err_ssh(e, x, "the host does not run commands");
}

int
ssh_run(struct ssh *x, const char *command, int *status, struct err *e)
{
	struct pump u = { .x = x };
	char *bytes = xmalloc(3 * BLOCK);

	x->deadline = clock_ms() + x->to->connect_ms;
	int r = start(&u, command, e);
	if (r == 0) {
		part_init(&u.in, 0, bytes);
		part_init(&u.out, 1, bytes + BLOCK);
		part_init(&u.err, 2, bytes + 2 * BLOCK);
		r = pump(&u, e);
		part_restore(&u.in);
		part_restore(&u.out);
		part_restore(&u.err);
	}
	if (r == 0)
		r = ended(&u, status, e);
	free(bytes);
	return r;
}

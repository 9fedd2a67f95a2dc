#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"

extern char **environ;

struct pipes { int in[2], out[2], err[2], told[2]; };

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_pipes(struct pipes *p)
{
	int *all[] = { p->in, p->out, p->err, p->told };

	for (size_t i = 0; i < countof(all); i++) {
		close_fd(&all[i][0]);
		close_fd(&all[i][1]);
	}
}

static int
open_pipes(struct pipes *p, const struct child_spec *s)
{
	if ((s->in == CHILD_PIPE && pipe2(p->in, O_CLOEXEC) != 0) ||
	    (s->out == CHILD_PIPE && pipe2(p->out, O_CLOEXEC) != 0) ||
	    (s->err == CHILD_PIPE && pipe2(p->err, O_CLOEXEC) != 0) ||
	    pipe2(p->told, O_CLOEXEC) != 0)
		return -1;
	return 0;
}

/* Only in the child, between fork and exec: async-signal-safe calls only. */
static int
put_fd(enum child_io io, int fd, int target)
{
	if (io == CHILD_INHERIT)
		return 0;
	if (io == CHILD_NULL)
		fd = open("/dev/null", target == 0 ? O_RDONLY : O_WRONLY);
	return fd < 0 ? -1 : dup2(fd, target);
}

/* execve's parameter is not const for old times' sake; nobody writes there. */
static char **
env_of(const struct child_spec *s)
{
	union { char *const *from; char **to; } u = { s->env };

	return u.to;
}

static void __attribute__((noreturn))
child_side(const struct child_spec *s, struct pipes *p)
{
	static const int reset[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < countof(reset); i++)
		signal(reset[i], SIG_DFL);
	/* keep the descriptor that tells exec's errno out of 0 to 2 */
	int told = fcntl(p->told[1], F_DUPFD_CLOEXEC, 10);
	if ((!s->own_group || setpgid(0, 0) == 0) &&
	    put_fd(s->in, p->in[0], 0) >= 0 &&
	    put_fd(s->out, p->out[1], 1) >= 0 &&
	    (s->err_to_out ? dup2(1, 2) : put_fd(s->err, p->err[1], 2)) >= 0 &&
	    (s->cwd == NULL || chdir(s->cwd) == 0)) {
		/* everything above 2 is closed when exec succeeds */
#ifdef CLOSE_RANGE_CLOEXEC
		if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
#endif
			for (int fd = 3; fd < 1024; fd++)
				fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (s->env != NULL)
			environ = env_of(s);
		execvp(s->argv[0], s->argv);
	}
	int saved = errno;
	if (write(told, &saved, sizeof(saved)) < 0)
		_exit(126);
	_exit(127);
}

int
child_start(struct child *c, const struct child_spec *s, struct err *e)
{
	struct pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int wrong = 0;

	*c = (struct child)CHILD_INIT;
	/* a child that closes its input early is told by its exit code */
	if (s->in == CHILD_PIPE)
		signal(SIGPIPE, SIG_IGN);
	if (open_pipes(&p, s) < 0) {
		err_sys(e, "cannot make a pipe");
		close_pipes(&p);
		return -1;
	}
	c->pid = fork();
	if (c->pid == 0)
		child_side(s, &p);
	if (c->pid < 0) {
		err_sys(e, "cannot start '%s'", s->argv[0]);
		close_pipes(&p);
		return -1;
	}
	close_fd(&p.told[1]);
	ssize_t n;
	do
		n = read(p.told[0], &wrong, sizeof(wrong));
	while (n < 0 && errno == EINTR);
	c->in = p.in[1];
	c->out = p.out[0];
	c->err = p.err[0];
	p.in[1] = p.out[0] = p.err[0] = -1;
	close_pipes(&p);
	if (n != (ssize_t)sizeof(wrong))
		return 0;
	child_end(c, 0);
	errno = wrong;
	return err_sys(e, "cannot run '%s'", s->argv[0]);
}

/* 1: reaped, or gone. 0: still runs. */
static int
reap(struct child *c, int flags)
{
	pid_t r;

	do
		r = waitpid(c->pid, &c->status, flags);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	c->pid = -1;
	return 1;
}

int
child_wait(struct child *c, int64_t timeout_ms, struct err *e)
{
	int64_t end = clock_ms() + timeout_ms;
	struct timespec pause = { .tv_nsec = 50000 };

	if (c->pid < 0)
		return 1;
	if (timeout_ms < 0)
		return reap(c, 0) ? 1 : err_sys(e, "cannot wait");
	while (!reap(c, WNOHANG)) {
		if (clock_ms() >= end)
			return 0;
		(void)nanosleep(&pause, NULL);
		if (pause.tv_nsec < 20000000)
			pause.tv_nsec *= 2;
	}
	return 1;
}

void
child_kill(struct child *c, int sig)
{
	if (c->pid <= 0)
		return;
	/* the group where it leads one, else the process itself */
	if (getpgid(c->pid) == c->pid)
		kill(-c->pid, sig);
	else
		kill(c->pid, sig);
}

void
child_end(struct child *c, int64_t grace_ms)
{
	struct err e = ERR_INIT;

	close_fd(&c->in);
	if (c->pid > 0 && grace_ms > 0 && child_wait(c, grace_ms / 2, &e) == 0)
		child_kill(c, SIGTERM);
	if (c->pid > 0 && child_wait(c, grace_ms / 2, &e) == 0)
		child_kill(c, SIGKILL);
	if (c->pid > 0)
		child_wait(c, -1, &e);
	close_fd(&c->out);
	close_fd(&c->err);
}

int
child_exit(const struct child *c)
{
	if (WIFSIGNALED(c->status))
		return 128 + WTERMSIG(c->status);
	return WEXITSTATUS(c->status);
}

struct feed {
	struct child *c;
	const char *input;
	size_t len;
	struct strbuf *out, *errs;
};

static int
feed_in(struct feed *f, struct err *e)
{
	ssize_t n = f->len > 0 ? write(f->c->in, f->input, f->len) : 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && errno != EPIPE)
		return err_sys(e, "cannot write to a program");
	if (n < 0)
		f->len = 0;	/* it does not want the rest: its exit code tells */
	else {
		f->input += n;
		f->len -= (size_t)n;
	}
	if (f->len == 0)
		close_fd(&f->c->in);
	return 0;
}

static int
feed_out(int *fd, struct strbuf *b, struct err *e)
{
	char part[16384];
	ssize_t n = read(*fd, part, sizeof(part));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return err_sys(e, "cannot read from a program");
	if (n == 0) {
		close_fd(fd);
		return 0;
	}
	strbuf_add(b, part, (size_t)n);
	if (b->over)
		return err_set(e, "its output is larger than %zu bytes", b->max);
	return 0;
}

static int
feed_turn(struct feed *f, int64_t end, struct err *e)
{
	struct pollfd p[3] = {
		{ f->c->in, POLLOUT, 0 }, { f->c->out, POLLIN, 0 },
		{ f->c->err, POLLIN, 0 },
	};
	int64_t left = end - clock_ms();

	if (left <= 0)
		return err_set(e, "it did not end in time");
	int n = poll(p, 3, left > 1000 ? 1000 : (int)left);
	if (n < 0 && errno != EINTR)
		return err_sys(e, "cannot poll");
	if (n <= 0)
		return 0;
	if (p[0].revents != 0 && feed_in(f, e) < 0)
		return -1;
	if (p[1].revents != 0 && feed_out(&f->c->out, f->out, e) < 0)
		return -1;
	if (p[2].revents != 0 && feed_out(&f->c->err, f->errs, e) < 0)
		return -1;
	return 0;
}

int
child_run(const struct child_spec *s, const char *input, size_t len,
    struct strbuf *out, struct strbuf *errs, int64_t timeout_ms, int *code,
    struct err *e)
{
	struct child_spec spec = *s;
	struct child c = CHILD_INIT;
	struct feed f = { &c, input, len, out, errs };
	int64_t end = timeout_ms < 0 ? INT64_MAX : clock_ms() + timeout_ms;
	int r = 0;

	spec.in = input != NULL ? CHILD_PIPE : CHILD_NULL;
	spec.out = out != NULL ? CHILD_PIPE : s->out;
	spec.err_to_out = out != NULL && errs == out;
	spec.err = errs != NULL && errs != out ? CHILD_PIPE : s->err;
	spec.own_group = true;
	if (child_start(&c, &spec, e) < 0)
		return -1;
	if (c.in >= 0)
		(void)fcntl(c.in, F_SETFL, O_NONBLOCK);
	while (r == 0 && (c.in >= 0 || c.out >= 0 || c.err >= 0))
		r = feed_turn(&f, end, e);
	if (r == 0) {
		int64_t left = timeout_ms < 0 ? -1 : end - clock_ms();

		r = child_wait(&c, left < 0 && timeout_ms >= 0 ? 0 : left, e);
		if (r == 0)
			err_set(e, "it did not end in time");
		r = r == 1 ? 0 : -1;
	}
	if (r < 0)
		child_kill(&c, SIGKILL);
	child_end(&c, 0);
	if (r < 0)
		return err_wrap(e, "'%s'", s->argv[0]);
	*code = child_exit(&c);
	return 0;
}

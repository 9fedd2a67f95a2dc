#include "gate/queue.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/strvec.h"
#include "base/util.h"

#define LOOK_MS 50
#define KEPT 49		/* logs of a target, beside the one to come */

static void
name(struct strbuf *b, const struct queue *q, const char *what)
{
	strbuf_printf(b, "%s/%s.%s", q->dir, q->target, what);
}

static int
lock_file(struct flock *l, const struct queue *q, struct err *e)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;

	*l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
	name(&path, q, "lock");
	int fd = open(path.s, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	return fd >= 0 ? fd : err_sys(e, "cannot open '%s'", path.s);
}

/* 1: the lock is ours, *fd holds it. 0: a runner is at work. */
static int
lock(int *fd, const struct queue *q, struct err *e)
{
	struct flock l;

	*fd = lock_file(&l, q, e);
	if (*fd < 0)
		return -1;
	if (fcntl(*fd, F_SETLK, &l) == 0)
		return 1;
	int r = errno == EAGAIN || errno == EACCES ? 0 :
	    err_sys(e, "cannot lock the queue of '%s'", q->target);
	close(*fd);
	*fd = -1;
	return r;
}

/* The pid of the runner; 0: none is at work. Takes no lock itself. */
static int
runner(const struct queue *q, struct err *e)
{
	struct flock l;
	int fd = lock_file(&l, q, e);

	if (fd < 0)
		return -1;
	int r = fcntl(fd, F_GETLK, &l) < 0 ?
	    err_sys(e, "cannot ask for the lock of '%s'", q->target) :
	    l.l_type == F_UNLCK ? 0 : l.l_pid > 0 ? (int)l.l_pid : 1;
	close(fd);
	return r;
}

/* "COMMIT LOG" of TARGET.next or TARGET.running; false: there is none. */
static bool
entry(const struct queue *q, const char *what, struct strbuf *commit,
    struct strbuf *log)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf text STRBUF_SCOPED = STRBUF_LIMIT(16384);
	struct err none = ERR_INIT;

	name(&path, q, what);
	if (!file_exists(path.s) || file_read(&text, path.s, &none) < 0)
		return false;
	size_t n = strcspn(text.s, " ");
	size_t end = strcspn(text.s, "\n");
	if (n >= end)
		return false;
	strbuf_add(commit, text.s, n);
	strbuf_add(log, text.s + n + 1, end - n - 1);
	return true;
}

static int
busy_with(const struct queue *q, struct strbuf *busy, struct err *e)
{
	struct strbuf commit STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf log STRBUF_SCOPED = STRBUF_INIT;
	int pid = runner(q, e);

	if (pid <= 0)
		return pid;
	if (entry(q, "running", &commit, &log))
		strbuf_printf(busy, "a deploy of %.12s to %s runs (pid %d, log "
		    "%s)", commit.s, q->target, pid, log.s);
	else
		strbuf_printf(busy, "a deploy to %s runs (pid %d)", q->target,
		    pid);
	return 0;
}

static int
text_cmp(const void *x, const void *y)
{
	char *const *p = x, *const *q = y;

	return strcmp(*p, *q);
}

/* Of the logs of deploys that ended the last are kept. Their names sort by
 * time. Best effort. */
static void
prune(const struct queue *q, const char *dir)
{
	struct strvec names STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	size_t n = strlen(q->target);
	DIR *d = opendir(dir);

	for (const struct dirent *de; d != NULL && (de = readdir(d)) != NULL;)
		if (starts_with(de->d_name, q->target) &&
		    de->d_name[n] == '-' && isdigit((unsigned char)
		    de->d_name[n + 1]) && ends_with(de->d_name, ".log.rc"))
			strvec_push(&names, de->d_name);
	if (d != NULL)
		closedir(d);
	if (names.n > 0)
		qsort(names.v, names.n, sizeof(*names.v), text_cmp);
	for (size_t i = 0; i + KEPT < names.n; i++) {
		strbuf_reset(&path);
		strbuf_printf(&path, "%s/%s", dir, names.v[i]);
		(void)unlink(path.s);
		strbuf_cut(&path, path.len - strlen(".rc"));
		(void)unlink(path.s);
	}
}

int
queue_put(const struct queue *q, const char *commit, bool wait,
    struct strbuf *log, struct strbuf *busy, struct err *e)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;

	strbuf_printf(&path, "%s/log", q->dir);
	if (dir_make(path.s, 0777, e) < 0 || busy_with(q, busy, e) < 0)
		return -1;
	if (busy->len > 0 && !wait)
		return 0;
	prune(q, path.s);
	strbuf_printf(log, "%s/%s-%lld-%.12s-%ld.log", path.s, q->target,
	    (long long)clock_epoch(), commit, (long)getpid());
	strbuf_printf(&text, "%s %s\n", commit, log->s);
	strbuf_reset(&path);
	name(&path, q, "next");
	return file_write(path.s, text.s, text.len, 0644, e) < 0 ? -1 : 1;
}

int
queue_start(char *const *argv, struct err *e)
{
	struct child c = CHILD_INIT;
	struct child_spec spec = { .argv = argv, .in = CHILD_NULL,
		.out = CHILD_NULL, .err = CHILD_NULL };

	/* not waited for: it goes on when we are gone */
	return child_start(&c, &spec, e);
}

/* Output of what is run from here on goes to the log. */
static int
log_to(const char *log, struct err *e)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_sys(e, "cannot write '%s'", log);
	bool ok = dup2(fd, 1) >= 0 && dup2(fd, 2) >= 0;
	close(fd);
	return ok ? 0 : err_sys(e, "cannot write '%s'", log);
}

static int
run_one(const struct queue *q, char *const *argv, const char *cwd,
    struct err *e)
{
	struct strbuf commit STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf log STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf rc STRBUF_SCOPED = STRBUF_INIT;
	struct strvec words STRVEC_SCOPED = STRVEC_INIT;
	struct child c = CHILD_INIT;

	if (!entry(q, "running", &commit, &log) || log_to(log.s, e) < 0)
		return err_set(e, "the queue of %s is torn", q->target);
	for (; *argv != NULL; argv++)
		strvec_push(&words, *argv);
	strvec_push(&words, commit.s);
	struct child_spec spec = { .argv = words.v, .cwd = cwd,
		.in = CHILD_NULL };
	int code = 3;
	if (child_start(&c, &spec, e) < 0 || child_wait(&c, -1, e) < 0) {
		struct strbuf why STRBUF_SCOPED = STRBUF_INIT;

		strbuf_clean(&why, e->msg, strlen(e->msg), false);
		dprintf(2, "sluice: %s\n", why.s);
	} else {
		code = child_exit(&c);
	}
	strbuf_printf(&rc, "%d\n", code);
	strbuf_str(&log, ".rc");
	return file_write(log.s, rc.s, rc.len, 0644, e);
}

int
queue_run(const struct queue *q, char *const *argv, const char *cwd,
    struct err *e)
{
	struct strbuf next STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf running STRBUF_SCOPED = STRBUF_INIT;
	int fd = -1;

	name(&next, q, "next");
	name(&running, q, "running");
	/* looks again after the lock is given back: a push in between found it
	 * taken and left its work to us */
	while (file_exists(next.s)) {
		int r = lock(&fd, q, e);
		if (r <= 0)
			return r;
		while (r >= 0 && rename(next.s, running.s) == 0)
			r = run_one(q, argv, cwd, e);
		close(fd);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* 1: it is still to come or at work. 0: not, and why. */
static int
expected(const struct queue *q, const char *log, struct err *e)
{
	static const char *const places[] = { "next", "running" };
	bool there = false;

	for (size_t i = 0; i < countof(places); i++) {
		struct strbuf commit STRBUF_SCOPED = STRBUF_INIT;
		struct strbuf its STRBUF_SCOPED = STRBUF_INIT;

		there |= entry(q, places[i], &commit, &its) &&
		    streq(its.s, log);
	}
	if (!there) {
		err_set(e, "a newer push took its place");
		return 0;
	}
	if (runner(q, e) > 0)
		return 1;
	err_set(e, "whoever ran the deploy is gone: see 'sluice-status %s', "
	    "then 'sluice-deploy %s --resume'", q->target, q->target);
	return 0;
}

static int
ended(const char *log, struct strbuf *text)
{
	struct strbuf rc STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;

	strbuf_printf(&rc, "%s.rc", log);
	return file_exists(rc.s) && file_read(text, rc.s, &none) == 0;
}

/* What the log has more since *at. */
static int
show_more(int *in, const char *log, int out, struct err *e)
{
	char buf[8192];
	ssize_t n;

	if (*in < 0)
		*in = open(log, O_RDONLY | O_CLOEXEC);
	while (*in >= 0 && (n = read(*in, buf, sizeof(buf))) > 0)
		if (fd_write_all(out, buf, (size_t)n, e) < 0)
			return -1;
	return 0;
}

int
queue_follow(const struct queue *q, const char *log, int out, struct err *e)
{
	struct strbuf rc STRBUF_SCOPED = STRBUF_INIT;
	int64_t missing = 0;
	int in = -1;
	int r = 0;

	while (r == 0) {
		bool over = ended(log, &rc);

		r = show_more(&in, log, out, e);
		if (r < 0 || over)
			break;
		clock_sleep(LOOK_MS);
		/* a runner needs a moment to start */
		if (expected(q, log, e) == 1)
			missing = 0;
		else if (++missing > 5000 / LOOK_MS && !ended(log, &rc))
			r = -1;
	}
	if (in >= 0)
		close(in);
	return r < 0 ? -1 : (int)strtol(rc.s, NULL, 10);
}

#include "act/link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/util.h"

#define LINE_MAX_BYTES (1u << 20)	/* of a reply */
#define TALK_MAX (64u << 10)		/* of stderr that nobody fetched */
#define GRACE_MS 1000

struct chunk {			/* what is queued: bytes, or a part of a file */
	struct strbuf bytes;
	int fd;			/* -1: bytes */
	off_t at;
	size_t left;
	struct chunk *next;
};

struct link {
	struct child c;
	struct chunk *first, **last;
	struct strbuf in, talk, tail;	/* tail: the newest line of stderr */
	bool ended;			/* its stdout is at the end */
};

void
quote_remote(struct strbuf *b, const char *word)
{
	strbuf_char(b, '\'');
	for (; *word != '\0'; word++)
		if (*word == '\'')
			strbuf_str(b, "'\\''");
		else
			strbuf_char(b, *word);
	strbuf_char(b, '\'');
}

/* sluice-ssh stands in $SLUICE_EXEC_PATH, beside us or in libexec. */
static void
find_ours(struct strbuf *b, const char *name)
{
	char self[PATH_MAX];
	const char *set = getenv("SLUICE_EXEC_PATH");

	if (set != NULL && *set != '\0') {
		strbuf_printf(b, "%s/%s", set, name);
		return;
	}
	/* beside the program, or where an installation of any prefix has it */
	static const char *const places[] = { "", "../libexec/sluice/" };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');
	for (size_t i = 0; slash != NULL && i < countof(places); i++) {
		slash[1] = '\0';
		strbuf_printf(b, "%s%s%s", self, places[i], name);
		if (file_exists(b->s))
			return;
		strbuf_reset(b);
	}
	strbuf_printf(b, "%s/%s", LIBEXEC, name);
}

static void
argv_ours(struct strvec *v, const char *path, const struct cfg_target *t,
    const struct cfg_host *h)
{
	strvec_push(v, path);
	if (h->known_hosts != NULL) {
		strvec_push(v, "-o");
		strvec_pushf(v, "KNOWN_HOSTS=%s", h->known_hosts);
	}
	strvec_push(v, "-T");
	strvec_pushf(v, "%lld", (long long)t->connect_timeout);
}

static void
argv_openssh(struct strvec *v, const struct cfg_target *t,
    const struct cfg_host *h)
{
	long long s = (t->connect_timeout + 999) / 1000;

	strvec_pushl(v, t->ssh, "-T", "-a", "-x", "-oBatchMode=yes",
	    "-oStrictHostKeyChecking=yes", "-oClearAllForwardings=yes",
	    "-oServerAliveInterval=15", "-oServerAliveCountMax=3",
	    "-oLogLevel=ERROR", NULL);
	strvec_pushf(v, "-oConnectTimeout=%lld", s > 0 ? s : 10);
	if (h->known_hosts != NULL)
		strvec_pushf(v, "-oUserKnownHostsFile=\"%s\"", h->known_hosts);
	if (h->identity != NULL)
		strvec_push(v, "-oIdentitiesOnly=yes");
}

void
link_argv(struct strvec *v, const struct cfg_target *t,
    const struct cfg_host *h)
{
	if (t->ssh == NULL || streq(t->ssh, "sluice-ssh")) {
		struct strbuf path STRBUF_SCOPED = STRBUF_INIT;

		find_ours(&path, "sluice-ssh");
		argv_ours(v, path.s, t, h);
	} else {
		argv_openssh(v, t, h);
	}
	if (h->port > 0) {
		strvec_push(v, "-p");
		strvec_pushf(v, "%d", h->port);
	}
	if (h->user != NULL)
		strvec_pushl(v, "-l", h->user, NULL);
	if (h->identity != NULL)
		strvec_pushl(v, "-i", h->identity, NULL);
}

int
link_open(struct link **out, const struct cfg_target *t,
    const struct cfg_host *h, const struct strvec *remote, struct err *e)
{
	struct strvec v STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf words STRBUF_SCOPED = STRBUF_INIT;

	link_argv(&v, t, h);
	for (size_t i = 0; i < remote->n; i++) {
		if (i > 0)
			strbuf_char(&words, ' ');
		quote_remote(&words, remote->v[i]);
	}
	strvec_pushl(&v, "--", h->address != NULL ? h->address : h->name,
	    words.s, NULL);
	struct link *l = xcalloc(1, sizeof(*l));
	l->last = &l->first;
	l->in = (struct strbuf)STRBUF_LIMIT(LINE_MAX_BYTES);
	l->talk = l->tail = (struct strbuf)STRBUF_LIMIT(TALK_MAX);
	/* a group of its own: Ctrl-C is for us, who finish the step */
	struct child_spec s = { .argv = v.v, .in = CHILD_PIPE,
	    .out = CHILD_PIPE, .err = CHILD_PIPE, .own_group = true };
	if (child_start(&l->c, &s, e) < 0) {
		free(l);
		return -1;
	}
	(void)fcntl(l->c.in, F_SETFL, O_NONBLOCK);
	(void)fcntl(l->c.out, F_SETFL, O_NONBLOCK);
	(void)fcntl(l->c.err, F_SETFL, O_NONBLOCK);
	*out = l;
	return 0;
}

static void
chunk_drop(struct link *l)
{
	struct chunk *c = l->first;

	l->first = c->next;
	if (l->first == NULL)
		l->last = &l->first;
	if (c->fd >= 0)
		close(c->fd);
	strbuf_release(&c->bytes);
	free(c);
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	while (l->first != NULL)
		chunk_drop(l);
	child_end(&l->c, GRACE_MS);
	strbuf_release(&l->in);
	strbuf_release(&l->talk);
	strbuf_release(&l->tail);
	free(l);
}

static struct chunk *
chunk_add(struct link *l)
{
	struct chunk *c = xcalloc(1, sizeof(*c));

	c->bytes = (struct strbuf)STRBUF_INIT;
	c->fd = -1;
	*l->last = c;
	l->last = &c->next;
	return c;
}

void
link_send(struct link *l, const void *p, size_t n)
{
	struct chunk *c = chunk_add(l);

	strbuf_add(&c->bytes, p, n);
	c->left = n;
}

void
link_send_file(struct link *l, int fd, size_t n)
{
	struct chunk *c = chunk_add(l);

	c->fd = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	c->left = n;
	if (c->fd < 0 && l->c.in >= 0) {	/* told as a link that is lost */
		close(l->c.in);
		l->c.in = -1;
	}
}

int
link_poll(const struct link *l, struct pollfd *p)
{
	int n = 0;

	if (l->first != NULL && l->c.in >= 0)
		p[n++] = (struct pollfd){ l->c.in, POLLOUT, 0 };
	if (!l->ended)
		p[n++] = (struct pollfd){ l->c.out, POLLIN, 0 };
	if (l->c.err >= 0)
		p[n++] = (struct pollfd){ l->c.err, POLLIN, 0 };
	return n;
}

/* 1: moved on. 0: would block. -1: nobody reads any more, or a short file. */
static int
chunk_move(struct link *l, struct chunk *c)
{
	char part[65536];
	const char *p = c->bytes.s + c->at;
	size_t n = c->left < sizeof(part) ? c->left : sizeof(part);

	if (c->fd >= 0 && n > 0) {	/* shared by the hosts: no lseek */
		ssize_t got = pread(c->fd, part, n, c->at);

		if (got <= 0)
			return -1;
		p = part;
		n = (size_t)got;
	}
	ssize_t put = n > 0 ? write(l->c.in, p, n) : 0;
	if (put < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	c->at += put;
	c->left -= (size_t)put;
	if (c->left == 0)
		chunk_drop(l);
	return 1;
}

static void
push_out(struct link *l)
{
	int r = 1;

	while (l->first != NULL && l->c.in >= 0 && r > 0)
		r = chunk_move(l, l->first);
	if (r < 0) {			/* its last words are on stderr */
		close(l->c.in);
		l->c.in = -1;
	}
}

/* Up to the end or until it would block. 1: at the end. */
static int
pull_in(int fd, struct strbuf *b)
{
	char part[16384];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0)
		strbuf_add(b, part, (size_t)n);
	return n == 0 || (errno != EAGAIN && errno != EINTR);
}

/* The newest whole line: what a lost link gives as its reason. */
static void
keep_tail(struct link *l, const char *s, size_t n)
{
	while (n > 0 && s[n - 1] == '\n')
		n--;
	if (n == 0)
		return;
	const char *nl = memrchr(s, '\n', n);
	const char *from = nl != NULL ? nl + 1 : s;
	strbuf_reset(&l->tail);
	strbuf_clean(&l->tail, from, n - (size_t)(from - s), false);
}

static void
pull_talk(struct link *l)
{
	struct strbuf raw STRBUF_SCOPED = STRBUF_LIMIT(1u << 20);

	if (l->c.err < 0)
		return;
	if (pull_in(l->c.err, &raw)) {
		close(l->c.err);
		l->c.err = -1;
	}
	keep_tail(l, raw.s, raw.len);
	strbuf_clean(&l->talk, raw.s, raw.len, true);
}

static int
lost(struct link *l, struct err *e)
{
	int64_t grace = l->c.in < 0 ? 500 : 100;
	struct err ignored = ERR_INIT;

	child_wait(&l->c, grace, &ignored);
	pull_talk(l);
	bool ended = l->c.pid < 0;
	int code = ended ? child_exit(&l->c) : 0;
	const char *why = l->tail.s;
	if (starts_with(why, "sluice-ssh: "))
		why += strlen("sluice-ssh: ");
	if (*why != '\0')
		return err_kind(e, code == LINK_REFUSED ? ERR_REFUSED :
		    ERR_TROUBLE, "%s", why);
	if (!ended)
		return err_set(e, "the connection was closed");
	return err_set(e, "the connection ended, exit code %d", code);
}

int
link_pump(struct link *l, struct err *e)
{
	push_out(l);
	pull_talk(l);
	if (!l->ended && pull_in(l->c.out, &l->in))
		l->ended = true;
	if (l->in.over)
		return err_set(e, "a reply is longer than %u bytes",
		    LINE_MAX_BYTES);
	if (memchr(l->in.s, '\n', l->in.len) != NULL)
		return 0;		/* what it still said comes first */
	return l->ended || l->c.in < 0 ? lost(l, e) : 0;
}

int
link_reply(struct link *l, struct strbuf *b)
{
	const char *nl = memchr(l->in.s, '\n', l->in.len);

	if (nl == NULL)
		return 0;
	size_t n = (size_t)(nl - l->in.s);
	strbuf_reset(b);
	strbuf_add(b, l->in.s, n);
	strbuf_drop(&l->in, n + 1);
	return 1;
}

void
link_talk(struct link *l, struct strbuf *b)
{
	strbuf_add(b, l->talk.s, l->talk.len);
	strbuf_reset(&l->talk);
}

/* Who we are to the host: a key from a file or from the agent. */
#include "act/ssh.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/hostkey.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/util.h"

#define KEY_MAX (64u << 10)
#define TRIES_MAX 5		/* sshd hangs up at its sixth */
#define RSA "ssh-rsa"

struct admit {
	struct ssh *x;
	struct strbuf tried;	/* for people */
	bool rsa;		/* one of them was an RSA key */
	int tries;
};

/* The type of a private key in OpenSSH's format stands in its clear part. */
static bool
is_rsa(const char *path)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(KEY_MAX);
	struct err ignored = ERR_INIT;
	unsigned char raw[512];
	char text[512];
	size_t n = 0;

	if (file_read(&b, path, &ignored) < 0)
		return false;
	if (strstr(b.s, "BEGIN RSA PRIVATE KEY") != NULL)
		return true;
	const char *p = strstr(b.s, "BEGIN OPENSSH PRIVATE KEY-----");
	if (p == NULL)
		return false;
	p += strlen("BEGIN OPENSSH PRIVATE KEY-----");
	for (; *p != '\0' && *p != '-' && n < sizeof(text); p++)
		if (*p != '\n' && *p != '\r')
			text[n++] = *p;
	int got = base64_get(raw, sizeof(raw), text, n / 4 * 4);
	return got > 0 && memmem(raw, (size_t)got, RSA, strlen(RSA)) != NULL;
}

static void
tried(struct admit *a, const char *what, const char *why)
{
	strbuf_printf(&a->tried, "%s%s%s%s", a->tried.len > 0 ? ", " : "",
	    what, why != NULL ? ": " : "", why != NULL ? why : "");
}

/* libssh2 calls it a refusal when the other side went away meanwhile. */
static bool
hung_up(const struct ssh *x)
{
	char c;
	ssize_t n = recv(x->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* 1: in. 0: not with this key. -1: err. */
static int
by_file(struct admit *a, const char *path, struct err *e)
{
	struct ssh *x = a->x;
	char *text = NULL;
	int r;

	if (access(path, R_OK) != 0) {
		err_sys(e, "cannot read '%s'", path);
		tried(a, e->msg, NULL);
		err_clear(e);
		return 0;
	}
	while ((r = libssh2_userauth_publickey_fromfile_ex(x->s, x->to->user,
	    (unsigned)strlen(x->to->user), NULL, path, "")) ==
	    LIBSSH2_ERROR_EAGAIN)
		if (ssh_wait(x, e) < 0)
			return -1;
	if (r == 0)
		return 1;
	libssh2_session_last_error(x->s, &text, NULL, 0);
	if (hung_up(x))
		return err_ssh(e, x, "the host hung up while we logged in");
	a->tries++;
	a->rsa |= is_rsa(path);
	tried(a, path, r == LIBSSH2_ERROR_FILE ? "not a key that can be used "
	    "without a passphrase" : "not admitted");
	return 0;
}

/* Only the identity's own key, where its public half lies beside it. */
static bool
wanted(const struct ssh_to *to, const struct libssh2_agent_publickey *k)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(KEY_MAX);
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct err ignored = ERR_INIT;
	struct hostkey h;

	if (to->identity == NULL)
		return true;
	strbuf_printf(&path, "%s.pub", to->identity);
	return file_read(&b, path.s, &ignored) < 0 ||
	    hostkey_make(&h, k->blob, k->blob_len) < 0 ||
	    strstr(b.s, h.blob) != NULL;
}

/* What the agent's socket is asked blocks: the program's alarm ends it. */
static int
by_agent_key(struct admit *a, LIBSSH2_AGENT *agent,
    struct libssh2_agent_publickey *k, struct err *e)
{
	struct hostkey h = { .type = "" };
	struct strbuf name STRBUF_SCOPED = STRBUF_INIT;
	int r;

	while ((r = libssh2_agent_userauth(agent, a->x->to->user, k)) ==
	    LIBSSH2_ERROR_EAGAIN)
		if (ssh_wait(a->x, e) < 0)
			return -1;
	if (r == 0)
		return 1;
	if (hung_up(a->x))
		return err_ssh(e, a->x, "the host hung up while we logged in");
	hostkey_make(&h, k->blob, k->blob_len);
	strbuf_str(&name, "the agent's ");
	strbuf_clean(&name, k->comment, strlen(k->comment), false);
	a->tries++;
	a->rsa |= streq(h.type, RSA);
	tried(a, name.s, "not admitted");
	return 0;
}

static int
by_agent(struct admit *a, struct err *e)
{
	struct libssh2_agent_publickey *k = NULL, *prev = NULL;
	LIBSSH2_AGENT *agent;
	int r = 0;

	if (getenv("SSH_AUTH_SOCK") == NULL)
		return 0;
	agent = libssh2_agent_init(a->x->s);
	if (agent == NULL)
		return 0;
	if (libssh2_agent_connect(agent) == 0 &&
	    libssh2_agent_list_identities(agent) == 0)
		while (r == 0 && a->tries < TRIES_MAX &&
		    libssh2_agent_get_identity(agent, &k, prev) == 0) {
			if (wanted(a->x->to, k))
				r = by_agent_key(a, agent, k, e);
			prev = k;
		}
	libssh2_agent_disconnect(agent);
	libssh2_agent_free(agent);
	return r;
}

static int
by_usual_files(struct admit *a, struct err *e)
{
	static const char *const names[] = { "id_ed25519", "id_ecdsa" };
	const char *home = getenv("HOME");
	int r = 0;

	for (size_t i = 0; home != NULL && r == 0 && i < countof(names); i++) {
		struct strbuf path STRBUF_SCOPED = STRBUF_INIT;

		strbuf_printf(&path, "%s/.ssh/%s", home, names[i]);
		if (file_exists(path.s) && a->tries < TRIES_MAX)
			r = by_file(a, path.s, e);
	}
	return r;
}

/* 1: asking was enough. 0: a public key may be shown. */
static int
methods(struct ssh *x, struct err *e)
{
	const char *user = x->to->user;
	char *list;

	while ((list = libssh2_userauth_list(x->s, user,
	    (unsigned)strlen(user))) == NULL) {
		if (libssh2_userauth_authenticated(x->s))
			return 1;
		if (libssh2_session_last_errno(x->s) != LIBSSH2_ERROR_EAGAIN)
			return err_ssh(e, x, "cannot log in");
		if (ssh_wait(x, e) < 0)
			return -1;
	}
	if (strstr(list, "publickey") == NULL)
		return err_kind(e, ERR_REFUSED, "%s does not admit '%s' by "
		    "public key, only by: %.100s", x->to->host, user, list);
	return 0;
}

int
ssh_admit(struct ssh *x, struct err *e)
{
	struct admit a = { .x = x, .tried = STRBUF_LIMIT(400) };

	x->deadline = clock_ms() + x->to->connect_ms;
	int r = methods(x, e);
	if (r == 0 && x->to->identity != NULL)
		r = by_file(&a, x->to->identity, e);
	if (r == 0)
		r = by_agent(&a, e);
	if (r == 0 && x->to->identity == NULL)
		r = by_usual_files(&a, e);
	if (r == 0) {
		r = err_kind(e, ERR_REFUSED, "%s does not admit '%s' (%s)%s",
		    x->to->host, x->to->user,
		    a.tried.len > 0 ? a.tried.s : "there is no key to show: "
		    "no identity, no agent, none of the usual files",
		    !a.rsa ? "" : "; libssh2 can show an RSA key only with "
		    "SHA-1, which servers refuse: use an ed25519 key, or set "
		    "'ssh = ssh' for the target");
	}
	strbuf_release(&a.tried);
	return r < 0 ? -1 : 0;
}

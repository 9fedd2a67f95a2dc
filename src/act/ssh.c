#include "act/ssh.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/hostkey.h"
#include "base/clock.h"
#include "base/util.h"

#define GOODBYE_MS 1000
#define WAY_OUT "set 'ssh = ssh' for the target, which uses OpenSSH"

int
err_ssh(struct err *e, struct ssh *x, const char *what)
{
	char *text = NULL;
	int code = libssh2_session_last_error(x->s, &text, NULL, 0);

	return err_set(e, "%s: %s (libssh2 %d)", what,
	    text != NULL && *text != '\0' ? text : "no reason given", code);
}

int
ssh_wait(struct ssh *x, struct err *e)
{
	struct pollfd p = { x->fd, 0, 0 };
	int dirs = libssh2_session_block_directions(x->s);
	int64_t left = x->deadline - clock_ms();

	if (left <= 0)
		return err_set(e, "no answer from %s in time (%lld ms)",
		    x->to->host, (long long)x->to->connect_ms);
	if (dirs & LIBSSH2_SESSION_BLOCK_OUTBOUND)
		p.events |= POLLOUT;
	if ((dirs & LIBSSH2_SESSION_BLOCK_INBOUND) || p.events == 0)
		p.events |= POLLIN;
	poll(&p, 1, left > 1000 ? 1000 : (int)left);
	return 0;
}

/* libssh2 says only that there is nothing in common: ask what the host has. */
static int
exchange_failed(struct ssh *x, struct err *e)
{
	struct ssh_offer o;
	struct strbuf why STRBUF_SCOPED = STRBUF_INIT;
	struct err ignored = ERR_INIT;
	int code = libssh2_session_last_errno(x->s);

	err_ssh(e, x, "cannot agree on keys");
	if ((code == LIBSSH2_ERROR_KEX_FAILURE ||
	    code == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE) &&
	    ssh_offer(&o, x->to, &ignored) == 0) {
		if (ssh_offer_why(&why, x, &o))
			err_kind(e, ERR_REFUSED, "%s, or " WAY_OUT, why.s);
		ssh_offer_release(&o);
	}
	return err_wrap(e, "%s:%d", x->to->host, x->to->port);
}

int
ssh_open(struct ssh *x, const struct ssh_to *to, const char *types,
    struct err *e)
{
	int r;

	*x = (struct ssh){ .to = to, .fd = -1,
	    .deadline = clock_ms() + to->connect_ms };
	x->fd = ssh_dial(to, x->deadline, e);
	if (x->fd < 0)
		return -1;
	x->s = libssh2_session_init();
	if (x->s == NULL)
		return err_set(e, "libssh2 cannot make a session");
	libssh2_session_set_blocking(x->s, 0);
	if (types != NULL)	/* a type that it does not know is left out */
		libssh2_session_method_pref(x->s, LIBSSH2_METHOD_HOSTKEY, types);
	while ((r = libssh2_session_handshake(x->s, x->fd)) ==
	    LIBSSH2_ERROR_EAGAIN)
		if (ssh_wait(x, e) < 0)
			return -1;
	return r == 0 ? 0 : exchange_failed(x, e);
}

void
ssh_close(struct ssh *x)
{
	struct err ignored = ERR_INIT;
	int64_t end = clock_ms() + GOODBYE_MS;

	x->deadline = end;
	if (x->s != NULL) {
		while (libssh2_session_disconnect(x->s, "done") ==
		    LIBSSH2_ERROR_EAGAIN && clock_ms() < end)
			if (ssh_wait(x, &ignored) < 0)
				break;
		/* with the socket shut the rest cannot wait for anything */
		shutdown(x->fd, SHUT_RDWR);
		while (libssh2_session_free(x->s) == LIBSSH2_ERROR_EAGAIN &&
		    clock_ms() < end)
			if (ssh_wait(x, &ignored) < 0)
				break;
	}
	x->s = NULL;
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}

/* Known types first: else libssh2 takes ecdsa and cries wolf where only the
 * ed25519 key is known. */
int
ssh_types(struct strbuf *b, const struct ssh_to *to, struct err *e)
{
	static const char all[] = "ssh-ed25519,ecdsa-sha2-nistp256,"
	    "ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-rsa";
	struct strvec files STRVEC_SCOPED = STRVEC_INIT;

	hostkey_files(&files, to->known_hosts);
	if (hostkey_types(b, &files, to->host, to->port, e) < 0)
		return -1;
	strbuf_printf(b, "%s%s", b->len > 0 ? "," : "", all);
	return 0;
}

static int
shown_key(struct hostkey *k, struct ssh *x, struct err *e)
{
	size_t n = 0;
	int type;
	const char *blob = libssh2_session_hostkey(x->s, &n, &type);

	if (blob == NULL || hostkey_make(k, blob, n) < 0)
		return err_set(e, "%s: cannot read the host's key", x->to->host);
	return 0;
}

int
ssh_trust(struct ssh *x, struct err *e)
{
	struct strvec files STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf where STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf name STRBUF_SCOPED = STRBUF_INIT;
	const struct ssh_to *to = x->to;
	struct hostkey k;
	enum hostkey_is is;

	hostkey_files(&files, to->known_hosts);
	if (shown_key(&k, x, e) < 0 || hostkey_look(&is, &where, &files,
	    to->host, to->port, &k, e) < 0)
		return -1;
	hostkey_name(&name, to->host, to->port);
	switch (is) {
	case HOSTKEY_KNOWN:
		return 0;
	case HOSTKEY_UNKNOWN:
		return err_kind(e, ERR_REFUSED, "the host key of %s is not "
		    "known: it shows %s %s; compare it with the host's own "
		    "(ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then run "
		    "'sluice-doctor TARGET --accept-host-key HOST'", name.s,
		    k.type, k.print);
	case HOSTKEY_CHANGED:
		return err_kind(e, ERR_REFUSED, "the host key of %s HAS "
		    "CHANGED: it shows %s %s, and %s says otherwise; somebody "
		    "may be in between: if the host was really given a new "
		    "key, remove that line, then run 'sluice-doctor TARGET "
		    "--accept-host-key HOST'", name.s, k.type, k.print, where.s);
	case HOSTKEY_REVOKED:
		break;
	}
	return err_kind(e, ERR_REFUSED, "the host key of %s is revoked: it "
	    "shows %s %s, which the known hosts mark as @revoked", name.s,
	    k.type, k.print);
}

/* Is `word` in the list "a,b,c"? */
static bool
list_has(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
		if ((p == list || p[-1] == ',') &&
		    (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

static int
show_one(struct strbuf *out, const struct ssh_to *to, const char *type,
    struct err *e)
{
	struct ssh x;
	struct hostkey k;
	int r = ssh_open(&x, to, type, e);

	if (r == 0)
		r = shown_key(&k, &x, e);
	if (r == 0) {
		hostkey_name(out, to->host, to->port);
		strbuf_printf(out, " %s %s %s\n", k.type, k.blob, k.print);
	}
	ssh_close(&x);
	return r;
}

int
ssh_show(struct strbuf *out, const struct ssh_to *to, struct err *e)
{
	static const char *const types[] = { "ssh-ed25519",
	    "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
	    "ecdsa-sha2-nistp521", "ssh-rsa" };
	struct ssh_offer o;
	int r = ssh_offer(&o, to, e);

	for (size_t i = 0; r == 0 && i < countof(types); i++)
		if (list_has(o.list[OFFER_HOSTKEY].s, types[i]))
			r = show_one(out, to, types[i], e);
	if (r == 0 && out->len == 0) {
		r = err_kind(e, ERR_REFUSED, "%s:%d shows only keys that "
		    "libssh2 %s cannot check (%s): give the host an ed25519 "
		    "key ('ssh-keygen -A' on it makes one), or " WAY_OUT,
		    to->host, to->port, libssh2_version(0),
		    o.list[OFFER_HOSTKEY].s);
		ssh_offer_release(&o);
		return r;
	}
	if (r == 0)
		ssh_offer_release(&o);
	return r;
}

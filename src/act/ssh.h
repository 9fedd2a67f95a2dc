/* sluice-ssh, inside: one connection by libssh2, its channel never blocks,
 * every wait has an end. Made for libssh2 1.10 and what it gets wrong. */
#ifndef ACT_SSH_H
#define ACT_SSH_H

#include <libssh2.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"

/* One of a server's offers before any key is exchanged, as it spells them. */
enum { OFFER_KEX, OFFER_HOSTKEY, OFFER_CIPHER, OFFER_CIPHER_BACK, OFFER_MAC,
	OFFER_MAC_BACK, OFFERS };
struct ssh_offer { struct strbuf list[OFFERS]; };

struct ssh_to {
	const char *host, *user, *identity, *known_hosts;
	int port;
	int64_t connect_ms;
};

struct ssh {
	const struct ssh_to *to;
	LIBSSH2_SESSION *s;
	int fd;
	int64_t deadline;	/* clock_ms() of what goes on now */
};

/* Connects and exchanges keys; `types`: host key types in the order wanted,
 * NULL for libssh2's own. Failures of the exchange say what is missing. */
int ssh_open(struct ssh *x, const struct ssh_to *to, const char *types,
    struct err *e);
void ssh_close(struct ssh *x);		/* a bounded goodbye */
/* Until the socket can do what libssh2 waits for. */
int ssh_wait(struct ssh *x, struct err *e);
/* "…: libssh2's words" */
int err_ssh(struct err *e, struct ssh *x, const char *what);

/* The host key types to ask for: those that are known first. */
int ssh_types(struct strbuf *b, const struct ssh_to *to, struct err *e);
/* Is the key that the host showed the one that is known for it? */
int ssh_trust(struct ssh *x, struct err *e);
/* Identity file, else agent, else the usual files. */
int ssh_admit(struct ssh *x, struct err *e);
/* Runs a command between our stdin, stdout and stderr. *status is its exit
 * code, 128+n for a signal; never 0 when none came. */
int ssh_run(struct ssh *x, const char *command, int *status, struct err *e);
/* known_hosts lines of every key that the host shows. */
int ssh_show(struct strbuf *out, const struct ssh_to *to, struct err *e);

int ssh_dial(const struct ssh_to *to, int64_t deadline, struct err *e);
int ssh_offer(struct ssh_offer *o, const struct ssh_to *to, struct err *e);
void ssh_offer_init(struct ssh_offer *o);
void ssh_offer_release(struct ssh_offer *o);
/* The lists of an unencrypted key exchange packet; -1: it is none. */
int ssh_offer_cut(struct ssh_offer *o, const void *packet, size_t n);
/* Why the two have no word in common; false: they seem to have. */
bool ssh_offer_why(struct strbuf *b, struct ssh *x, const struct ssh_offer *o);

size_t base64_size(size_t n);		/* with the NUL */
void base64_put(char *out, const void *p, size_t n);
int base64_get(void *out, size_t max, const char *s, size_t n); /* -1: not it */

#endif

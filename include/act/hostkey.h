/* A host's public key: what known_hosts says of it, what the host offers, and
 * how a person accepts one. The rules are OpenSSH's: hashed names, wildcards,
 * negation, @revoked; certificates are passed over. */
#ifndef ACT_HOSTKEY_H
#define ACT_HOSTKEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "read/config.h"

struct hostkey {
	char type[40];		/* "ssh-ed25519" */
	char print[52];		/* "SHA256:…", as ssh-keygen -l shows it */
	char blob[1400];	/* base64, as in known_hosts */
};
/* -1: not a public key that fits. */
int hostkey_make(struct hostkey *k, const void *blob, size_t n);

enum hostkey_is { HOSTKEY_KNOWN, HOSTKEY_UNKNOWN, HOSTKEY_CHANGED,
	HOSTKEY_REVOKED };

/* "name" for port 22, else "[name]:port". */
void hostkey_name(struct strbuf *b, const char *host, int port);
/* The files that are asked: `file`, or the person's and the system's. */
void hostkey_files(struct strvec *files, const char *file);
/* What the files say of a key that the host shows. A file that is not there
 * is empty. For CHANGED *where has file:line of the key that was expected. */
int hostkey_look(enum hostkey_is *is, struct strbuf *where,
    const struct strvec *files, const char *host, int port,
    const struct hostkey *k, struct err *e);
/* The types of the keys that are known for a host, with commas. */
int hostkey_types(struct strbuf *b, const struct strvec *files,
    const char *host, int port, struct err *e);

/* What the host shows now, asked by `sluice-ssh --show-host-key`, which
 * admits nobody and trusts nothing. Returns how many, at most `most`. */
int hostkey_offered(struct hostkey *k, int most, const struct cfg_target *t,
    const struct cfg_host *h, struct err *e);
/* Adds a line for the host to the first of its files, by rename, only when a
 * person asked for it by name. Refuses where another key of the same type
 * stands for the host. */
int hostkey_accept(const struct cfg_host *h, const struct hostkey *k,
    struct strbuf *file, struct err *e);

#endif

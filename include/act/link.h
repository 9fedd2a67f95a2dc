/* A child that answers one line to one request: agent.sh on a host through
 * sluice-ssh or ssh, django.py on the release host. Never blocks. */
#ifndef ACT_LINK_H
#define ACT_LINK_H

#include <stdint.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "read/config.h"

struct link;

/* What the transport exits with when trying again will not help: a host key
 * that is not known or has changed, a user key that is not admitted. */
enum { LINK_REFUSED = 254 };

/* Starts the transport to a host, running `remote` (one word per argument,
 * quoted here for the remote shell, by the one function that does it). */
int link_open(struct link **out, const struct cfg_target *t,
    const struct cfg_host *h, const struct strvec *remote, struct err *e);
void link_free(struct link *l);		/* ends the child, bounded grace */
void link_send(struct link *l, const void *p, size_t n);	/* queued */
/* A large upload in small memory: the descriptor's n bytes follow. */
void link_send_file(struct link *l, int fd, size_t n);
/* Descriptors to poll (in, out, err of the child): fills up to 3, returns
 * how many. link_pump moves what can be moved. */
struct pollfd;
int link_poll(const struct link *l, struct pollfd *p);
/* -1: the link is lost; why, of kind ERR_REFUSED where another try is vain. */
int link_pump(struct link *l, struct err *e);
/* 1: a reply line in b (without newline). 0: not yet. */
int link_reply(struct link *l, struct strbuf *b);
/* What the other side said on stderr since the last call, cleaned. */
void link_talk(struct link *l, struct strbuf *b);
void quote_remote(struct strbuf *b, const char *word);
/* The transport's program and options for a host, up to the host itself. */
void link_argv(struct strvec *v, const struct cfg_target *t,
    const struct cfg_host *h);

#endif

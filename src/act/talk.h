/* A conversation with agent.sh on one host: a connection that is opened when
 * needed and again when it is lost, one request and its reply at a time. The
 * agent can be asked anything twice: it joins what runs already. */
#ifndef ACT_TALK_H
#define ACT_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "act/link.h"
#include "base/strbuf.h"
#include "read/config.h"

struct talk {
	const struct cfg_project *project;
	const struct cfg_target *target;
	const struct cfg_host *host;
	int64_t serial;		/* the lease's; 0: only looks */
	struct link **link;	/* NULL in it, or one that has been greeted */
	int fd;			/* what follows the request; -1: nothing */
	size_t size;
	enum { TALK_IDLE, TALK_PAUSE, TALK_HELLO, TALK_REPLY } at;
	bool greeted;		/* it was reached before */
	int lost, noise;
	int64_t wake;		/* clock_ms() of the next call; 0: a link moves */
	int64_t hello_by;
	struct strbuf text;	/* of the reply, several lines */
};

enum talk_reply { TALK_WAIT, TALK_OK, TALK_NO };	/* -1: err */

void talk_init(struct talk *t, const struct cfg_project *p,
    const struct cfg_target *target, const struct cfg_host *h,
    struct link **link);
/* Asks `request` (the same at each call) until it answers something else
 * than TALK_WAIT; then the next one may be asked. */
int talk_ask(struct talk *t, const char *request, struct err *e);
void talk_release(struct talk *t);	/* frees a link in the middle of a word */

#endif

/* Reading on the other cores: children of ours, each with a share of the
 * files, that send up what they made of them in the form of the cache. What a
 * child does not send, for whatever reason, is read here. */
#ifndef READ_READERS_H
#define READ_READERS_H

#include "base/strbuf.h"

#define READERS_MAX 3
#define READERS_LEAST 64u	/* files that are worth it */

struct readers {
	struct { int pid, fd; } v[READERS_MAX];
	unsigned n;
};

/* Share i of n + 1 is for child i, the last one for the caller. */
void readers_start(struct readers *r, unsigned files,
    void (*work)(void *ctx, unsigned share, unsigned shares,
    struct strbuf *out), void *ctx);
/* What child i sent: nothing if it did not end well. Once for each. */
void readers_take(struct readers *r, unsigned i, struct strbuf *out);

#endif

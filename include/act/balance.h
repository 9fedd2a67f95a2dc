/* haproxy, asked through its administration socket. */
#ifndef ACT_BALANCE_H
#define ACT_BALANCE_H

#include <stdint.h>

#include "base/err.h"

/* Does it take connections at `where`, a path or host:port, within so long? */
int balance_reach(const char *where, int64_t ms, struct err *e);

#endif

/* What every program does at its start and its end, and the command lines of
 * those that deploy. */
#ifndef PROG_OPTS_H
#define PROG_OPTS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "base/strvec.h"

/* Descriptors 0 to 2 are open, SIGPIPE is ignored: who reads us may go away. */
void prog_start(const char *argv0);
const char *prog_name(void);
/* "sluice-x: …" on stderr; gives the exit code: 2 configuration, 1 refused,
 * 3 could not tell or reach. */
int trouble(const struct err *e);
/* A line of stderr, without control characters. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Writes it all, and does not mind a reader who left. */
void say(int fd, const struct strbuf *b);
bool colour_wanted(int fd);

struct opts {
	const char *config, *target, *rev;	/* NULL: not given */
	const char *phase, *because, *host_key;
	struct strvec accept;
	bool dry, json, resume, finish, rollback, code_only;
};

/* `letters`: which options this program has, of
 *	c --config  n --dry-run  j --json  r --resume  f --finish  b --because
 *	R --rollback  p --phase  a --accept  o --code-only  k --accept-host-key
 * -h (help to stdout, exit 0) and -V stand always. TARGET must be there; REV
 * may, if has_rev. Exits 2 on misuse, with a hint. */
void opts_read(struct opts *o, int argc, char **argv, const char *letters,
    bool has_rev, const char *help);

#endif

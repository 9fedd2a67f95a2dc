/* What config.c reads and config_link.c ties together. */
#ifndef READ_CONFPARSE_H
#define READ_CONFPARSE_H

#include "read/config.h"

enum section { S_PROJECT, S_TARGET, S_HOST, S_HOOKS, S_MAKE, S_SERVER, S_FIELDS,
	S_OPERATIONS, S_VALUES };

#define CONFIG_KEYS_MAX 96

/* What one section of the file is being read into. */
struct part {
	enum section kind;
	sym name;
	uint32_t line;
	void *at;
	uint32_t set[CONFIG_KEYS_MAX];	/* line of each key; 0: not set */
	struct list(struct cfg_pair) pairs;	/* of S_FIELDS and on */
};

struct key;

struct parser {
	struct config *c;
	struct arena *a;
	struct err *e;
	const char *text, *end;		/* what is still to be read */
	uint32_t line;
	bool indented, comment_cut;	/* the line: indented; holds a " ;" */
	bool failed;
	struct part *part;
	const struct key *last;
	struct list(struct part *) parts;
};

int config_bad(struct parser *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Refuses what that key cannot be, and says what it may be. */
int config_value(struct parser *p, enum section in, const char *name,
    const char *value);
int config_django(struct parser *p, int *at, const char *value);
/* The parts into config: hosts to their targets, targets to projects; rules
 * that span keys. */
int config_link(struct parser *p);

#endif

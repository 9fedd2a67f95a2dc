/* Names whose values are changed in ways that scope.c does not follow. */
#ifndef READ_SPOIL_H
#define READ_SPOIL_H

#include "read/module.h"

enum known_kind { K_VALUE, K_PARAMETER, K_IMPORT, K_FUNCTION, K_CLASS };

struct known {			/* a name, where it is bound */
	sym name;
	uint32_t fn;		/* function it is local to; 0: the module */
	uint32_t node;
	enum known_kind kind;
	bool clean;		/* import of Django's or Python's own */
};

struct change {			/* what a name stands for is changed here */
	sym name;
	uint32_t fn, at;
	bool deep;		/* in a way that is not followed at all */
};

struct spoil {
	struct reader *r;
	struct module *m;
	const struct syntax *y;
	struct list(struct known) names;	/* sorted */
	enum { NO_STAR, CLEAN_STAR, ANY_STAR } star;
	struct list(struct change) changes;
	struct list(uint32_t) called;	/* functions that reading it runs */
	struct { uint32_t node, end; } fns[SYNTAX_DEPTH_MAX + 1];
	uint32_t nfns;
	uint32_t value_end;	/* up to there, calls give a value that is used */
	uint32_t scans;		/* of the whole file, so far */
	uint32_t followed;	/* the attribute of an append that is followed */
};

/* names.c */
bool names_builtin(const char *name);
void names_read(struct spoil *x);
/* The functions that node i is in; call for each i in order. */
void names_enter(struct spoil *x, uint32_t i);
/* The name as seen from where names_enter() stands; NULL: not bound here. */
const struct known *names_find(const struct spoil *x, sym name);
/* Is name bound anew between two nodes? */
bool names_rebound(const struct spoil *x, sym name, uint32_t fn,
    uint32_t from, uint32_t to);
/* Bound once, to what cannot be changed: a number, a text. */
bool names_fixed(const struct spoil *x, const struct known *k);
/* unbound.c: the first name that importing the file looks for in vain; 0: none
 * that is sure. */
uint32_t names_unbound(struct spoil *x);
sym names_text(const struct spoil *x, uint32_t node);
uint32_t names_fn(const struct spoil *x);

/* hold.c: what else holds what is changed is spoilt as well. */
void hold_spread(struct spoil *x);
void spoil_add(struct spoil *x, sym name, uint32_t fn, uint32_t node);

#endif

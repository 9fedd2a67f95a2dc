/* What scope.c and branches.c share: a block on its way into a scope. */
#ifndef READ_SCOPE_H
#define READ_SCOPE_H

#include "read/module.h"

struct filling {
	struct reader *r;
	struct scope *s;
	struct scope *env;	/* where expressions are evaluated */
	struct under u;		/* where the block stands */
	bool unknown;		/* in a place that is not followed */
	bool failing;		/* in an `except` of what may not be there */
	uint8_t *left;		/* worlds in which the function has returned */
	struct turn *turn;	/* of the loop it is in */
	int depth;
};

struct turn {
	enum { GOES_ON, NEXT, ENDS } jump;
	bool lost;		/* it may or may not have jumped */
};

/* Does it run in some worlds only? */
static inline bool
filling_some(const struct filling *f)
{
	return under_some(f->u) || *f->left != 0;
}

sym scope_text(struct filling *f, uint32_t node);
struct binding *scope_bind(struct filling *f, sym name, enum bind_kind kind,
    uint32_t node);
/* All names of a target, bound to what is not followed. */
void scope_lose(struct filling *f, uint32_t target);
void scope_block(struct filling *f, uint32_t block);

/* branches.c */
void scope_if(struct filling *f, uint32_t node);
void scope_for(struct filling *f, uint32_t node);
void scope_while(struct filling *f, uint32_t node);
void scope_match(struct filling *f, uint32_t node);
void scope_try(struct filling *f, uint32_t node);
void scope_with(struct filling *f, uint32_t node);

#endif

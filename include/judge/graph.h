/* The order in which Django would run migrations, and what is wrong with it. */
#ifndef JUDGE_GRAPH_H
#define JUDGE_GRAPH_H

#include "judge/world.h"

struct graph_wrong {
	enum { GRAPH_LEAVES, GRAPH_MISSING, GRAPH_CYCLE, GRAPH_DUPLICATE } kind;
	sym app;
	sym text;		/* a whole sentence: what, where, what to do */
	sym missing;		/* GRAPH_MISSING: the name that is not there */
	const struct migration *at;
};

struct graph {
	const struct migration **order;	/* parents first, stable */
	uint32_t n;
	struct graph_wrong *wrong;
	uint32_t nwrong;
	/* parents of order[i] as indexes into order */
	const uint32_t *const *parents;
	const uint32_t *nparents;
};

/* A migration in django_migrations: decides which squashes stand. */
struct applied { sym app, name; };

/* `outside`: apps whose migrations are not in the source (third party): a
 * dependency on one of them is not missing. NULL: unknown apps are accepted. */
void graph_build(struct graph *g, struct arena *a,
    const struct migration *all, uint32_t n,
    const struct applied *applied, uint32_t napplied,
    const struct settings *s);
/* Is that so, for all we know, only because the file at `path`, which should
 * be a migration, could not be read? */
bool graph_wants(const struct graph_wrong *w, const char *path);
/* Does order[i] need order[j], directly or not? */
bool graph_needs(const struct graph *g, uint32_t i, uint32_t j);

#endif

/* Questions to Django on the release host, outside the loop. */
#ifndef ACT_DJANGO_H
#define ACT_DJANGO_H

#include "act/run.h"

struct django_source {		/* a migration of a third-party app */
	sym app, name;
	const char *text;
};

/* All of them that a staged release has, as Django finds its apps. Waits, for
 * at most step_timeout. */
int django_sources(const struct django_source **out, uint32_t *n,
    struct deploy *d, sym release, struct err *e);

#endif

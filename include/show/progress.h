/* A run as it goes: a line when a step begins, a line when it ends. */
#ifndef SHOW_PROGRESS_H
#define SHOW_PROGRESS_H

#include "act/run.h"

struct progress {
	void (*out)(void *ctx, const struct strbuf *line);
	void *ctx;
	bool colour;
	/* the run's own */
	sym phase;
	int64_t *began, *noted;	/* by row */
	uint32_t n;
};

/* For struct deploy: d->show = progress_event, d->show_ctx = a progress. */
void progress_event(void *ctx, const struct deploy *d, const struct lane *l,
    const struct step *s, const char *event);

#endif

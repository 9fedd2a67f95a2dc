/* Where the live catalogue is not what the migrations build. */
#ifndef PROG_DRIFT_H
#define PROG_DRIFT_H

#include "base/strbuf.h"
#include "judge/schema.h"

/* Calls each(ctx, text) for every difference. Tables that only the database
 * has are passed over unless `all`. Returns how many. */
uint32_t drift_find(const struct vec *built, const struct vec *live, bool all,
    void (*each)(void *ctx, const char *text), void *ctx);

#endif

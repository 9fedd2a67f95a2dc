/* Time: a clock that only goes forward, durations, and stamps for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "base/strbuf.h"

int64_t clock_ms(void);			/* monotonic */
int64_t clock_epoch(void);		/* seconds since 1970 */
void clock_sleep(int64_t ms);
/* "250ms" "30s" "5m" "2h" "7d"; a bare number is seconds. -1: not one. */
int64_t duration_parse(const char *s);	/* milliseconds */
void duration_print(struct strbuf *b, int64_t ms);	/* "1m 05s", "0.4s" */
void stamp_print(struct strbuf *b, int64_t epoch);	/* 2026-11-21 22:40:05Z */

#endif

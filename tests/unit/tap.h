/* TAP for unit tests: ok(), is(), is_int(), like(), then return done_testing(). */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_run, tap_failed;

static inline bool __attribute__((format(printf, 2, 3)))
ok(bool good, const char *fmt, ...)
{
	va_list ap;

	tap_run++;
	tap_failed += !good;
	printf("%sok %d - ", good ? "" : "not ", tap_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	return good;
}

static inline bool
is(const char *got, const char *want, const char *name)
{
	bool same = got == NULL || want == NULL ? got == want :
	    strcmp(got, want) == 0;

	if (!ok(same, "%s", name))
		printf("#  got: %s\n# want: %s\n", got != NULL ? got : "(null)",
		    want != NULL ? want : "(null)");
	return same;
}

static inline bool
is_int(int64_t got, int64_t want, const char *name)
{
	if (!ok(got == want, "%s", name))
		printf("#  got: %" PRId64 "\n# want: %" PRId64 "\n", got, want);
	return got == want;
}

static inline bool
like(const char *got, const char *part, const char *name)
{
	bool good = got != NULL && strstr(got, part) != NULL;

	if (!ok(good, "%s", name))
		printf("#  got: %s\n# want: … %s …\n",
		    got != NULL ? got : "(null)", part);
	return good;
}

static inline int
done_testing(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed != 0;
}

#endif

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

int64_t
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_epoch(void)
{
	return (int64_t)time(NULL);
}

void
clock_sleep(int64_t ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

int64_t
duration_parse(const char *s)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 },
	};
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	long long n = strtoll(s, &end, 10);
	if (errno != 0 || n > INT64_MAX / 86400000)
		return -1;
	for (size_t i = 0; i < countof(units); i++)
		if (strcmp(end, units[i].unit) == 0)
			return n * units[i].ms;
	return -1;
}

void
duration_print(struct strbuf *b, int64_t ms)
{
	int64_t s = ms / 1000;

	if (ms < 10000)
		strbuf_printf(b, "%" PRId64 ".%" PRId64 "s", s, ms % 1000 / 100);
	else if (s < 60)
		strbuf_printf(b, "%" PRId64 "s", s);
	else if (s < 3600)
		strbuf_printf(b, "%" PRId64 "m %02" PRId64 "s", s / 60, s % 60);
	else
		strbuf_printf(b, "%" PRId64 "h %02" PRId64 "m", s / 3600,
		    s % 3600 / 60);
}

void
stamp_print(struct strbuf *b, int64_t epoch)
{
	time_t t = (time_t)epoch;
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%SZ", &tm);
	strbuf_str(b, text);
}

/* A default that no row can hold: PostgreSQL refuses it when it fills it in. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "judge/ask.h"

static bool
too_long(const char *type, const char *s)
{
	unsigned max = 0;
	size_t n = 0;

	if (sscanf(type, "character varying(%u)", &max) != 1 || *s++ != '\'')
		return false;
	for (; *s != '\0' && (*s != '\'' || *++s == '\''); s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n > max;
}

/* 12, '12', -12; with a point only outside of quotes, where it is rounded. */
static bool
no_integer(const char *type, const char *s)
{
	static const struct { const char *type; long long max; } sizes[] = {
		{ "smallint", 32767 }, { "integer", 2147483647 },
		{ "bigint", 9223372036854775807 },
	};
	bool quoted = *s == '\'';
	char *end;

	for (size_t i = 0; i < countof(sizes); i++) {
		if (!streq(type, sizes[i].type))
			continue;
		s += quoted;
		s += strspn(s, " ");
		errno = 0;
		long long n = strtoll(s, &end, 10);
		if (end == s)	/* .5, (…), DEFAULT true */
			return (isalpha((unsigned char)*s) && quoted) ||
			    strcasecmp(s, "true") == 0 ||
			    strcasecmp(s, "false") == 0;
		if (quoted && *(end += strspn(end, " ")) == '.')
			return true;
		return errno == ERANGE || n > sizes[i].max ||
		    n < -sizes[i].max - 1;
	}
	return false;
}

static bool
no_moment(const char *type, const char *s)
{
	unsigned year, month, day;

	if (!streq(type, "date") && !starts_with(type, "timestamp"))
		return false;
	return sscanf(s, "'%4u-%2u-%2u", &year, &month, &day) == 3 &&
	    year > 31 && (month < 1 || month > 12 || day < 1 || day > 31);
}

bool
constant_fits(const char *type, const char *sql)
{
	return type == NULL || sql == NULL || (!too_long(type, sql) &&
	    !no_integer(type, sql) && !no_moment(type, sql));
}

bool
divides_by_zero(const char *sql)
{
	for (const char *s = sql; s != NULL && *s != '\0'; s++) {
		if (*s == '\'' || *s == '"') {
			const char *end = strchr(s + 1, *s);

			if (end == NULL)
				return false;
			s = end;
		} else if (*s == '/' || *s == '%') {
			const char *d = s + 1 + strspn(s + 1, " (");

			d += strspn(d, "0");
			if (d[-1] == '0' && !isdigit((unsigned char)*d) &&
			    *d != '.' && !isalpha((unsigned char)*d))
				return true;
		}
	}
	return false;
}

/* Which types take each other's values. */
#include "judge/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum family {
	FAMILY_OTHER, FAMILY_INT, FAMILY_NUMERIC, FAMILY_FLOAT, FAMILY_TEXT,
	FAMILY_CITEXT, FAMILY_TIME, FAMILY_NET
};

struct type {
	char base[80];
	long arg[2];		/* -1: none, -2: not a number */
	bool array;
	enum family family;
	int rank;		/* within its family */
};

static const struct { const char *name; enum family family; int rank; } known[] = {
	{ "smallint", FAMILY_INT, 5 },
	{ "integer", FAMILY_INT, 10 },
	{ "bigint", FAMILY_INT, 19 },
	{ "numeric", FAMILY_NUMERIC, 0 },
	{ "real", FAMILY_FLOAT, 1 },
	{ "double precision", FAMILY_FLOAT, 2 },
	{ "character varying", FAMILY_TEXT, 0 },
	{ "character", FAMILY_TEXT, 0 },
	{ "text", FAMILY_TEXT, 0 },
	{ "citext", FAMILY_CITEXT, 0 },
	{ "date", FAMILY_TIME, 1 },
	{ "timestamp with time zone", FAMILY_TIME, 2 },
	{ "timestamp without time zone", FAMILY_TIME, 2 },
	{ "cidr", FAMILY_NET, 1 },
	{ "inet", FAMILY_NET, 2 },
};

static long
number(const char **p)
{
	char *end = NULL;
	long n = strtol(*p, &end, 10);

	while (*end == ' ')
		end++;
	if (end == *p || (*end != ',' && *end != ')'))
		return -2;
	*p = *end == ',' ? end + 1 : end;
	return n;
}

/* "numeric(12,2)[]", "timestamp(3) with time zone" */
static struct type
parse(const char *s)
{
	struct type t = { .arg = { -1, -1 } };
	const char *open = strchr(s, '(');
	size_t n = strlen(s);

	if (ends_with(s, "[]")) {
		t.array = true;
		n -= 2;
	}
	size_t head = open == NULL ? n : (size_t)(open - s);
	if (head >= sizeof(t.base))
		head = sizeof(t.base) - 1;
	memcpy(t.base, s, head);
	if (open != NULL) {
		const char *p = open + 1, *close = strrchr(open, ')');

		t.arg[0] = number(&p);
		if (t.arg[0] != -2 && *p != ')')
			t.arg[1] = number(&p);
		if (close != NULL && !ends_with(close, "[]"))
			strncat(t.base, close + 1,
			    sizeof(t.base) - strlen(t.base) - 1);
	}
	for (size_t i = 0; i < countof(known); i++)
		if (streq(known[i].name, t.base)) {
			t.family = known[i].family;
			t.rank = known[i].rank;
		}
	return t;
}

static bool
odd(const struct type *t)
{
	return t->arg[0] == -2 || t->arg[1] == -2;
}

static enum degree
fit_length(const struct type *w, const struct type *h)
{
	if (h->arg[0] == -1 && !streq(h->base, "character"))
		return DEGREE_OK;
	if (odd(w) || odd(h) || w->arg[0] == -1)
		return DEGREE_MAY;
	return w->arg[0] <= h->arg[0] ? DEGREE_OK : DEGREE_MAY;
}

static enum degree
fit_numeric(const struct type *w, const struct type *h)
{
	if (h->arg[0] == -1)
		return DEGREE_OK;
	if (odd(w) || odd(h) || w->arg[0] == -1)
		return DEGREE_MAY;

	long ws = w->arg[1] < 0 ? 0 : w->arg[1];
	long hs = h->arg[1] < 0 ? 0 : h->arg[1];
	return ws <= hs && w->arg[0] - ws <= h->arg[0] - hs ? DEGREE_OK :
	    DEGREE_MAY;
}

static bool
is_number(enum family f)
{
	return f == FAMILY_INT || f == FAMILY_NUMERIC || f == FAMILY_FLOAT;
}

static enum degree
fit_family(const struct type *w, const struct type *h)
{
	switch (w->family) {
	case FAMILY_INT:
	case FAMILY_FLOAT:
		return w->rank <= h->rank ? DEGREE_OK : DEGREE_MAY;
	case FAMILY_NUMERIC:
		return fit_numeric(w, h);
	case FAMILY_TEXT:
	case FAMILY_CITEXT:
		return fit_length(w, h);
	case FAMILY_NET:
		return w->rank <= h->rank ? DEGREE_OK : DEGREE_MAY;
	case FAMILY_TIME:
		if (!streq(w->base, h->base))
			return DEGREE_MAY;
		break;
	case FAMILY_OTHER:
		break;
	}
	if (h->arg[0] == -1)
		return DEGREE_OK;
	return w->arg[0] != -1 && !odd(w) && !odd(h) &&
	    w->arg[0] <= h->arg[0] && w->arg[1] == h->arg[1] ? DEGREE_OK :
	    DEGREE_MAY;
}

enum degree
type_fit(const char *want, const char *have)
{
	if (want == NULL || have == NULL || streq(want, have))
		return DEGREE_OK;

	struct type w = parse(want), h = parse(have);
	if (w.array != h.array)
		return DEGREE_BREAKS;
	if (w.family == h.family && w.family != FAMILY_OTHER)
		return fit_family(&w, &h);
	if (w.family == FAMILY_OTHER && streq(w.base, h.base))
		return fit_family(&w, &h);
	if (is_number(w.family) && is_number(h.family))
		return DEGREE_MAY;
	/* the same text, compared without case */
	if ((w.family == FAMILY_TEXT && h.family == FAMILY_CITEXT) ||
	    (w.family == FAMILY_CITEXT && h.family == FAMILY_TEXT &&
	    h.arg[0] == -1))
		return DEGREE_NOTE;
	if ((w.family == FAMILY_TEXT || w.family == FAMILY_CITEXT) &&
	    (h.family == FAMILY_TEXT || h.family == FAMILY_CITEXT))
		return DEGREE_MAY;
	if ((streq(w.base, "json") && streq(h.base, "jsonb")) ||
	    (streq(w.base, "jsonb") && streq(h.base, "json")))
		return DEGREE_MAY;
	return DEGREE_BREAKS;
}

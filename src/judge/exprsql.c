/* The same, for a condition that is known as SQL text only: enough of the
 * grammar to find AND, OR, NOT, IS NULL and plain comparisons. The rest is
 * taken as strict (NULL in, NULL out) or, where it may not be, as anything. */
#include "judge/expr.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define DEPTH 40

static const char *
lex_quoted(struct token *t, const char *p, char quote)
{
	size_t n = 0;

	for (p++; *p != '\0'; p++) {
		if (*p == quote && *++p != quote)
			break;
		if (n + 1 < sizeof(t->text))
			t->text[n++] = *p;
	}
	t->text[n] = '\0';
	return p;
}

static const char *
lex_run(struct token *t, const char *p, const char *more)
{
	size_t n = 0;

	for (; *p != '\0' && (isalnum((unsigned char)*p) ||
	    strchr(more, *p) != NULL); p++)
		if (n + 1 < sizeof(t->text))
			t->text[n++] = (char)tolower((unsigned char)*p);
	t->text[n] = '\0';
	return p;
}

static const char *
lex_mark(struct token *t, const char *p)
{
	static const char *const two[] = { "::", "<>", "!=", "<=", ">=", "||" };

	for (size_t i = 0; i < countof(two); i++)
		if (starts_with(p, two[i])) {
			memcpy(t->text, two[i], 3);
			return p + 2;
		}
	t->text[0] = *p;
	t->text[1] = '\0';
	return p + 1;
}

bool
tokens_read(struct tokens *s, const char *p)
{
	while (s->n < TOKENS) {
		struct token *t = &s->t[s->n];

		while (isspace((unsigned char)*p))
			p++;
		if (*p == '\0')
			return true;
		if (*p == '"') {
			t->kind = TOK_QUOTED;
			p = lex_quoted(t, p, '"');
		} else if (*p == '\'') {
			t->kind = TOK_STRING;
			p = lex_quoted(t, p, '\'');
		} else if (isdigit((unsigned char)*p)) {
			t->kind = TOK_NUMBER;
			p = lex_run(t, p, ".");
		} else if (isalpha((unsigned char)*p) || *p == '_') {
			t->kind = TOK_WORD;
			p = lex_run(t, p, "_$");
		} else {
			t->kind = TOK_MARK;
			p = lex_mark(t, p);
		}
		s->n++;
	}
	return false;
}

bool
token_is(const struct tokens *s, int i, const char *word)
{
	return i < s->n && s->t[i].kind != TOK_STRING &&
	    s->t[i].kind != TOK_QUOTED && streq(s->t[i].text, word);
}

int
token_closing(const struct tokens *s, int i, int end)
{
	int depth = 0;

	for (; i < end; i++) {
		if (token_is(s, i, "(") || token_is(s, i, "["))
			depth++;
		else if ((token_is(s, i, ")") || token_is(s, i, "]")) && --depth == 0)
			return i;
	}
	return end;
}

/* The first such word outside of parentheses; -1: none. */
static int
outside(const struct tokens *s, int i, int end, const char *word)
{
	bool between = false;

	for (; i < end; i++) {
		if (token_is(s, i, "(") || token_is(s, i, "["))
			i = token_closing(s, i, end);
		else if (token_is(s, i, "between"))
			between = true;
		else if (token_is(s, i, word)) {
			if (!between || !streq(word, "and"))
				return i;
			between = false;
		}
	}
	return -1;
}

/* Past a cast: "::character varying(20)[]". */
int
token_past_cast(const struct tokens *s, int i, int end)
{
	for (i++; i < end && (s->t[i].kind == TOK_WORD ||
	    s->t[i].kind == TOK_QUOTED) && !token_is(s, i, "and") &&
	    !token_is(s, i, "or") && !token_is(s, i, "is") && !token_is(s, i, "not"); i++)
		;
	if (token_is(s, i, "("))
		i = token_closing(s, i, end) + 1;
	while (token_is(s, i, "[") || token_is(s, i, "]"))
		i++;
	return i;
}

/* A column alone, in parentheses and casts; NULL: something else. */
static const char *
lone_column(const struct tokens *s, int i, int end)
{
	const char *name = NULL;

	while (i < end) {
		if (token_is(s, i, "(") || token_is(s, i, ")")) {
			i++;
		} else if (token_is(s, i, "::")) {
			i = token_past_cast(s, i, end);
		} else if (name == NULL && (s->t[i].kind == TOK_WORD ||
		    s->t[i].kind == TOK_QUOTED) && !token_is(s, i + 1, "(")) {
			name = s->t[i++].text;
		} else {
			return NULL;
		}
	}
	return name;
}

static unsigned
is_null(const struct tokens *s, int i, int end, bool not)
{
	const char *name = lone_column(s, i, end);
	unsigned r = 0;

	if (name == NULL)
		return TRUTH_TRUE | TRUTH_FALSE;
	struct domain d = domain_of(name, s->want, s->have);
	r |= d.null ? TRUTH_TRUE : 0;
	r |= d.value ? TRUTH_FALSE : 0;
	return not ? truth_not(r) : r;
}

static bool
array_of_columns(const struct tokens *s, int i, int end)
{
	for (end = token_closing(s, i, end); i < end; i++)
		if (s->t[i].kind <= TOK_QUOTED &&
		    (column_of(s->want, s->t[i].text) != NULL ||
		    column_of(s->have, s->t[i].text) != NULL))
			return true;
	return false;
}

static bool
may_swallow_null(const struct tokens *s, int i, int end)
{
	static const char *const words[] = { "coalesce", "case", "is",
	    "nullif", "distinct", "concat", "concat_ws", "greatest", "least",
	    "null", "exists", "select", "num_nulls", "num_nonnulls", "or",
	    "and", "not", "row", "jsonb_build_object", "jsonb_build_array",
	    "json_build_object", "json_build_array" };

	for (; i < end; i++) {
		if (token_is(s, i, "::"))
			i = token_past_cast(s, i, end);
		if (i >= end)
			break;
		/* one that is not known may make something of it */
		if (s->t[i].kind == TOK_WORD && token_is(s, i + 1, "(") &&
		    !expr_knows(s->t[i].text))
			return true;
		/* an array of a NULL is none */
		if (token_is(s, i, "array") && array_of_columns(s, i + 1, end))
			return true;
		for (size_t j = 0; j < countof(words); j++)
			if (token_is(s, i, words[j]))
				return true;
	}
	return false;
}

/* column op constant, the column being a known constant itself */
static unsigned
constant(const struct tokens *s, int i, int end, const char *is)
{
	static const char *const ops[] = { "=", "<>", "<=", ">=", "<", ">" };

	for (size_t k = 0; k < countof(ops); k++) {
		int op = outside(s, i, end, ops[k]), v = op + 1;

		if (op < 0 || lone_column(s, i, op) == NULL)
			continue;
		while (token_is(s, v, "("))
			v++;
		char minus[96] = "";
		if (token_is(s, v, "-") && v++ > 0)
			minus[0] = '-';
		if (v >= end || (s->t[v].kind != TOK_STRING &&
		    s->t[v].kind != TOK_NUMBER && !token_is(s, v, "true") &&
		    !token_is(s, v, "false")))
			break;
		strncat(minus, s->t[v].text, sizeof(minus) - 2);
		return truth_compare(is, ops[k], minus);
	}
	return TRUTH_TRUE | TRUTH_FALSE;
}

static unsigned
strict(const struct tokens *s, int from, int end)
{
	unsigned r = TRUTH_TRUE | TRUTH_FALSE;
	const char *is = NULL;
	int columns = 0;

	if (may_swallow_null(s, from, end))
		return TRUTH_ANY;
	for (int i = from; i < end; i++) {
		if (token_is(s, i, "::"))
			i = token_past_cast(s, i, end) - 1;
		if (i >= end || (s->t[i].kind != TOK_WORD &&
		    s->t[i].kind != TOK_QUOTED) || token_is(s, i + 1, "(") ||
		    token_is(s, i, "true") || token_is(s, i, "false") || token_is(s, i, "in") ||
		    token_is(s, i, "any") || token_is(s, i, "array"))
			continue;
		struct domain d = domain_of(s->t[i].text, s->want, s->have);
		if (!d.value)
			return TRUTH_NULL;
		if (d.null)
			r |= TRUTH_NULL;
		is = d.is;
		columns++;
	}
	return columns == 1 && is != NULL ? constant(s, from, end, is) : r;
}

static unsigned
condition(const struct tokens *s, int i, int end, int depth)
{
	int cut;

	if (depth > DEPTH || i >= end)
		return TRUTH_ANY;
	while (token_is(s, i, "(") && token_closing(s, i, end) == end - 1) {
		i++;
		end--;
	}
	if ((cut = outside(s, i, end, "or")) >= 0)
		return truth_or(condition(s, i, cut, depth + 1),
		    condition(s, cut + 1, end, depth + 1));
	if ((cut = outside(s, i, end, "and")) >= 0)
		return truth_and(condition(s, i, cut, depth + 1),
		    condition(s, cut + 1, end, depth + 1));
	if (token_is(s, i, "not"))
		return truth_not(condition(s, i + 1, end, depth + 1));
	if (end - i > 2 && token_is(s, end - 1, "null") && token_is(s, end - 2, "is"))
		return is_null(s, i, end - 2, false);
	if (end - i > 3 && token_is(s, end - 1, "null") && token_is(s, end - 2, "not") &&
	    token_is(s, end - 3, "is"))
		return is_null(s, i, end - 3, true);
	return strict(s, i, end);
}

unsigned
truth_sql(const char *sql, const struct table *want,
    const struct table *have)
{
	struct tokens *s = xcalloc(1, sizeof(*s));
	unsigned r = TRUTH_ANY;

	s->want = want;
	s->have = have;
	if (tokens_read(s, sql)) {
		int i = token_is(s, 0, "check") ? 1 : 0;

		r = condition(s, i, s->n, 0);
	}
	free(s);
	return r;
}

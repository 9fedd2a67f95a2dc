/* What an expression may do to a row besides being true or false: fail, as a
 * cast or a sum can, or be NULL. What is not known here may do both. */
#include "judge/expr.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* They take every value, and give NULL for NULL only. In lower case; SQL's
 * names and those of Django's classes. */
static const char *const total[] = {
	"lower", "upper", "initcap", "length", "char_length", "octet_length",
	"bit_length", "trim", "btrim", "ltrim", "rtrim", "left", "right",
	"substr", "md5", "sha224", "sha256", "sha384", "sha512", "coalesce",
	"greatest", "least", "concat", "concat_ws", "replace", "reverse",
	"strpos", "position", "strindex", "starts_with", "unaccent",
	"immutable_unaccent", "date_trunc", "date_part", "extract", "timezone",
	"isfinite", "to_tsvector", "setweight", "array_length", "cardinality",
	"array_to_string", "num_nulls", "num_nonnulls", "sign", "row",
	"jsonb_typeof", "json_typeof", "to_json", "to_jsonb",
	"jsonb_build_object", "jsonb_build_array", "json_build_object",
	"json_build_array", "isempty", "now", "statement_timestamp",
	"transaction_timestamp", "clock_timestamp", "gen_random_uuid",
	"uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuidv4",
	"uuidv7", "random", "nextval", "txid_current", "pg_current_xact_id",
	/* Django */
	"f", "q", "value", "orderby", "opclass", "collate", "strindex",
	"truncdate", "truncday", "truncmonth", "truncyear", "trunchour",
	"truncweek", "extractyear", "extractmonth", "extractday", "sha1",
	"randomuuid", "expressionwrapper",
};

/* Words that stand before a bracket and are no function. */
static const char *const grammar[] = {
	"and", "or", "not", "in", "any", "all", "array", "case", "when", "then",
	"else", "is", "between", "like", "ilike", "similar", "to", "from",
	"check", "distinct", "escape", "values", "interval",
};

static bool
is_in(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(word, list[i]))
			return true;
	return false;
}

bool
expr_knows(const char *word)
{
	return is_in(word, total, countof(total)) ||
	    is_in(word, grammar, countof(grammar));
}

/* What stands before a cast: a column (its type in *type), a constant, or
 * something else. */
enum operand { OPERAND_CONSTANT, OPERAND_COLUMN, OPERAND_OTHER };

static enum operand
operand_before(const struct tokens *s, int i, const char **type)
{
	const struct column *c;

	while (i >= 0 && token_is(s, i, ")"))
		i--;
	if (i < 0)
		return OPERAND_OTHER;
	if (s->t[i].kind == TOK_STRING || s->t[i].kind == TOK_NUMBER ||
	    token_is(s, i, "]") || token_is(s, i, "true") ||
	    token_is(s, i, "false") || token_is(s, i, "null"))
		return OPERAND_CONSTANT;
	if (s->t[i].kind == TOK_MARK || (c = column_of(s->have, s->t[i].text))
	    == NULL || (i > 0 && !token_is(s, i - 1, "(") &&
	    token_is(s, i + 1, ")")))
		return OPERAND_OTHER;
	*type = c->type;
	return OPERAND_COLUMN;
}

static void
type_name(struct strbuf *b, const struct tokens *s, int from, int end)
{
	static const char *const other[][2] = {
		{ "int", "integer" }, { "int4", "integer" },
		{ "int8", "bigint" }, { "int2", "smallint" },
		{ "float8", "double precision" }, { "float4", "real" },
		{ "decimal", "numeric" }, { "bool", "boolean" },
		{ "timestamptz", "timestamp with time zone" },
		{ "varchar", "character varying" },
	};

	for (int i = from; i < end; i++) {
		const char *word = s->t[i].text;

		for (size_t k = 0; k < countof(other); k++)
			if (streq(word, other[k][0]))
				word = other[k][1];
		strbuf_printf(b, "%s%s", i > from && s->t[i].kind == TOK_WORD &&
		    s->t[i - 1].kind == TOK_WORD ? " " : "", word);
	}
}

static bool
is_moment(const char *type)
{
	return starts_with(type, "timestamp") || streq(type, "date");
}

static bool
cast_raises(const struct tokens *s, int i, int end)
{
	struct strbuf to STRBUF_SCOPED = STRBUF_INIT;
	const char *from = NULL;
	enum operand what = operand_before(s, i - 1, &from);

	type_name(&to, s, i + 1, end);
	if (what == OPERAND_CONSTANT)
		return false;		/* refused at once, or never */
	if (strchr(to.s, '[') == NULL && (starts_with(to.s, "text") ||
	    starts_with(to.s, "character") || streq(to.s, "bpchar") ||
	    streq(to.s, "citext")))
		return false;		/* cut to length without a word */
	if (what != OPERAND_COLUMN || from == NULL)
		return true;
	return type_fit(from, to.s) != DEGREE_OK &&
	    !(is_moment(from) && is_moment(to.s)) &&
	    !(streq(from, "integer") && streq(to.s, "boolean")) &&
	    !(streq(from, "boolean") && streq(to.s, "integer"));
}

/* An operator at i that fails for some values: sums run out of range, a
 * pattern that comes from a column may be none. */
static bool
mark_raises(const struct tokens *s, int i)
{
	bool first = i == 0 || token_is(s, i - 1, "(") ||
	    token_is(s, i - 1, ",") || token_is(s, i - 1, "=") ||
	    token_is(s, i - 1, "<") || token_is(s, i - 1, ">") ||
	    token_is(s, i - 1, "<=") || token_is(s, i - 1, ">=") ||
	    token_is(s, i - 1, "and") || token_is(s, i - 1, "[");

	if (token_is(s, i, "~")) {
		int next = token_is(s, i + 1, "*") ? i + 2 : i + 1;

		return next >= s->n || (s->t[next].kind != TOK_STRING &&
		    !token_is(s, next, "("));
	}
	if (token_is(s, i, "-") || token_is(s, i, "+"))
		return !first && !token_is(s, i + 1, ">");
	if (token_is(s, i, "*"))
		return i == 0 || (!token_is(s, i - 1, "~") &&
		    !token_is(s, i - 1, "("));
	return token_is(s, i, "/") || token_is(s, i, "%") ||
	    token_is(s, i, "^");
}

struct walk {
	const struct tokens *s;
	bool strict;		/* fails, if it has values to fail for */
	bool raises, null;
	bool live;		/* of a column that can have a value */
	int columns, filled;	/* up to there COALESCE has a last word */
};

static void
function(struct walk *w, int i)
{
	const char *name = w->s->t[i].text;
	int end = token_closing(w->s, i + 1, w->s->n);

	if (is_in(name, grammar, countof(grammar)))
		w->null |= streq(name, "case");
	else if (!is_in(name, total, countof(total)))
		w->raises = w->null = true;
	else if (streq(name, "coalesce") && end < w->s->n && end > 0 &&
	    (w->s->t[end - 1].kind == TOK_STRING ||
	    w->s->t[end - 1].kind == TOK_NUMBER ||
	    token_is(w->s, end - 1, "true") ||
	    token_is(w->s, end - 1, "false")))
		w->filled = end > w->filled ? end : w->filled;
}

static void
word(struct walk *w, int i)
{
	const struct tokens *s = w->s;
	const char *text = s->t[i].text;

	if (token_is(s, i, "case") || (token_is(s, i, "null") && i > 0 &&
	    !token_is(s, i - 1, "is") && !token_is(s, i - 1, "not")))
		w->null = true;
	if (column_of(s->want, text) == NULL &&
	    column_of(s->have, text) == NULL)
		return;
	struct domain d = domain_of(text, s->want, s->have);
	w->columns++;
	w->live |= d.value || d.is != NULL;
	w->null |= d.null && i > w->filled;
}

static void
walk(struct walk *w)
{
	const struct tokens *s = w->s;

	for (int i = 0; i < s->n; i++) {
		if (token_is(s, i, "::")) {
			int end = token_past_cast(s, i, s->n);

			w->strict |= cast_raises(s, i, end);
			i = end - 1;
		} else if (s->t[i].kind == TOK_MARK) {
			w->strict |= mark_raises(s, i);
			w->null |= token_is(s, i, "-") &&
			    token_is(s, i + 1, ">");
		} else if (s->t[i].kind == TOK_WORD &&
		    token_is(s, i + 1, "(")) {
			function(w, i);
		} else if (s->t[i].kind == TOK_WORD ||
		    s->t[i].kind == TOK_QUOTED) {
			word(w, i);
		}
	}
}

unsigned
expr_may(const char *sql, const struct table *want, const struct table *have)
{
	struct tokens *s = xcalloc(1, sizeof(*s));
	struct walk w = { .s = s, .filled = -1 };

	s->want = want;
	s->have = have;
	if (tokens_read(s, sql))
		walk(&w);
	else
		w.raises = w.null = true;
	/* of constants alone it always does, or never */
	w.raises |= w.strict && (w.live || (w.columns == 0 && have != NULL));
	free(s);
	return (w.raises ? EXPR_RAISES : 0) | (w.null ? EXPR_NULL : 0);
}

const struct column *
expr_column(const char *sql, const struct table *have)
{
	struct tokens *s = xcalloc(1, sizeof(*s));
	const struct column *c = NULL;

	/* lower("a") is as long as "a" */
	if (tokens_read(s, sql))
		for (int i = 0; i < s->n; i++) {
			bool keeps = token_is(s, i, "(") ||
			    token_is(s, i, ")") || token_is(s, i, "lower") ||
			    token_is(s, i, "upper") || token_is(s, i, "trim");

			if (c != NULL && !keeps)
				have = NULL;
			else if (!keeps)
				c = column_of(have, s->t[i].text);
			if (!keeps && c == NULL)
				break;
		}
	free(s);
	return have == NULL ? NULL : c;
}

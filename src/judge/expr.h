/* Sets of truth values, and the parts of a Q. */
#ifndef JUDGE_EXPR_H
#define JUDGE_EXPR_H

#include "judge/ask.h"
#include "read/value.h"

/* What a column can be in a row that the code writes. */
struct domain {
	bool null, value;
	const char *is;		/* always this constant (SQL text), or NULL */
};

struct domain domain_of(const char *field, const struct table *want,
    const struct table *have);

unsigned truth_not(unsigned x);
unsigned truth_and(unsigned x, unsigned y);
unsigned truth_or(unsigned x, unsigned y);
/* A constant's SQL text against a literal: "=", "<>", "<", "<=", ">", ">=". */
unsigned truth_compare(const char *sql, const char *op, const char *literal);

enum q_kind { Q_OTHER, Q_AND, Q_OR, Q_NOT };
enum q_kind q_kind(const struct value *q);
bool q_negated(const struct value *q);
/* ("field__lookup", value) */
bool q_pair(const struct value *item, const char **key,
    const struct value **v);

/* exprsql.c: a condition or an expression in SQL, in pieces. */
#define TOKENS 400
struct token {
	enum { TOK_WORD, TOK_QUOTED, TOK_STRING, TOK_NUMBER, TOK_MARK } kind;
	char text[80];		/* words in lower case */
};
struct tokens {
	struct token t[TOKENS];
	int n;
	const struct table *want, *have;
};
bool tokens_read(struct tokens *s, const char *sql);	/* false: too long */
bool token_is(const struct tokens *s, int i, const char *word);
/* Where the bracket at i ends; past the cast at i: "::numeric(9,2)[]". */
int token_closing(const struct tokens *s, int i, int end);
int token_past_cast(const struct tokens *s, int i, int end);
/* raises.c: a function known to take every value, or no function at all. */
bool expr_knows(const char *word);

#endif

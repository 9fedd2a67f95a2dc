/* What a Python expression in a migration comes to, without running it. */
#ifndef READ_VALUE_H
#define READ_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strbuf.h"

enum value_kind {
	VALUE_OPAQUE,	/* could not be read: text is the source, why the reason */
	VALUE_NONE,
	VALUE_BOOL,	/* i */
	VALUE_INT,	/* i; text where it does not fit */
	VALUE_FLOAT,	/* text */
	VALUE_STR,	/* text, len: any bytes, NUL included */
	VALUE_BYTES,	/* text, len */
	VALUE_LIST,	/* items */
	VALUE_TUPLE,	/* items */
	VALUE_SET,	/* items */
	VALUE_DICT,	/* items: key, value, key, value */
	VALUE_NAME,	/* name: dotted, imports resolved: "uuid.uuid4". Django's
			 * are in their short form, "django.db.models.CharField",
			 * "django.db.models.CASCADE", however they were imported */
	VALUE_CALL	/* name: the callee; items: positional; kw. Operators on
			 * Q and F come as the calls that Django makes of them:
			 * Q(…, _connector="OR"), CombinedExpression(…, "+", …) */
};

struct value;
struct kwarg {
	sym name;
	const struct value *value;
};

struct value {
	enum value_kind kind;
	uint32_t line;			/* 1-based; 0: not from a file */
	int64_t i;
	const char *text;
	size_t len;
	sym name;
	sym why;
	const struct value *const *items;
	uint32_t n;
	/* in a list, or one of several: worlds that it is not in */
	uint8_t not_in;
	const struct kwarg *kw;
	uint32_t nkw;
	sym base;	/* CALL of a class of the project: the Django class that it
			 * comes from, where its sources say so; else NULL.
			 * why: code of its own decides about the column, and
			 * i: about more than its type */
	bool maybe;	/* there only if what nobody can tell is so */
	bool either;	/* a part of it is not there in every world */
	uint16_t depth;	/* both bounded, so that recursion may be used */
	uint32_t weight;
};

/* Equal as Python would print them, sources aside; opaque values are equal
 * when their texts are. NULL equals NULL only. */
bool value_equal(const struct value *a, const struct value *b);
/* Any opaque part within? */
bool value_opaque(const struct value *v);
/* Keyword argument of a call, else its positional argument pos (-1: none). */
const struct value *value_arg(const struct value *call, const char *kw,
    int pos);
/* Constant arguments with a default; *known (may be NULL) turns false where
 * the argument is there but is not such a constant. */
bool value_bool(const struct value *call, const char *kw, bool dflt,
    bool *known);
int64_t value_int(const struct value *call, const char *kw, int64_t dflt,
    bool *known);
sym value_str(struct arena *a, const struct value *v);	/* NULL: not a str */
/* As Python source, the way repr() would write it. */
void value_print(struct strbuf *b, const struct value *v);

#endif

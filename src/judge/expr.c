/* Conditions in three-valued logic, for rows that a code version can write:
 * the answer is the set of what the condition may come to. */
#include "judge/ask.h"
#include "judge/expr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define DEPTH 40

unsigned
truth_not(unsigned x)
{
	return (x & TRUTH_NULL) | ((x & TRUTH_TRUE) ? TRUTH_FALSE : 0) |
	    ((x & TRUTH_FALSE) ? TRUTH_TRUE : 0);
}

unsigned
truth_and(unsigned x, unsigned y)
{
	unsigned r = 0;

	if ((x | y) & TRUTH_FALSE)
		r |= TRUTH_FALSE;
	if (x & y & TRUTH_TRUE)
		r |= TRUTH_TRUE;
	if (((x & TRUTH_NULL) && (y & (TRUTH_NULL | TRUTH_TRUE))) ||
	    ((y & TRUTH_NULL) && (x & (TRUTH_NULL | TRUTH_TRUE))))
		r |= TRUTH_NULL;
	return r;
}

unsigned
truth_or(unsigned x, unsigned y)
{
	return truth_not(truth_and(truth_not(x), truth_not(y)));
}

const struct column *
column_of(const struct table *t, const char *field)
{
	for (uint16_t i = 0; t != NULL && i < t->ncols; i++) {
		const struct column *c = &t->cols[i];
		const char *dot = c->field == NULL ? NULL :
		    strrchr(c->field, '.');

		if (streq(c->name, field) ||
		    (dot != NULL && streq(dot + 1, field)))
			return c;
	}
	for (uint16_t i = 0; t != NULL && i < t->ncols; i++) {
		size_t n = strlen(field);

		if (strncmp(t->cols[i].name, field, n) == 0 &&
		    streq(t->cols[i].name + n, "_id"))
			return &t->cols[i];
	}
	return NULL;
}

struct domain
domain_of(const char *field, const struct table *want,
    const struct table *have)
{
	struct domain d = { .null = true, .value = true };
	const struct column *w = column_of(want, field);

	if (want == NULL)
		return d;
	if (w != NULL) {
		d.null = !w->notnull;
		return d;
	}
	const struct column *h = column_of(have, field);
	if (h == NULL || h->dflt == DFLT_GENERATED)
		return d;
	d.null = h->dflt == DFLT_NONE && !h->notnull;
	d.value = !d.null;
	if (h->dflt == DFLT_CONST)
		d.is = h->dflt_sql;
	return d;
}

/* 'a'::text → a; (0) → 0. False: not a plain constant. */
static bool
plain(char *out, size_t size, const char *sql)
{
	size_t n = 0;

	while (*sql == '(' || *sql == ' ')
		sql++;
	if (*sql == '\'') {
		for (sql++; *sql != '\0' && n + 1 < size; sql++) {
			if (*sql == '\'' && *++sql != '\'')
				break;
			out[n++] = *sql;
		}
	} else {
		while (n + 1 < size && *sql != '\0' &&
		    strchr("0123456789.+-abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_", *sql) != NULL)
			out[n++] = *sql++;
		if (*sql == '(')
			return false;
	}
	out[n] = '\0';
	return true;
}

static bool
as_number(const char *s, double *n)
{
	char *end = NULL;

	*n = strtod(s, &end);
	return end != s && *end == '\0';
}

/* Compares as numbers where both are; else equality alone is certain. */
static bool
compare(const char *x, const char *y, int *cmp)
{
	double a, b;

	if (as_number(x, &a) && as_number(y, &b)) {
		*cmp = a < b ? -1 : a > b;
		return true;
	}
	*cmp = strcmp(x, y) == 0 ? 0 : 2;
	return true;
}

unsigned
truth_compare(const char *sql, const char *op, const char *literal)
{
	char x[256];
	int c = 0;

	if (!plain(x, sizeof(x), sql) || !compare(x, literal, &c))
		return TRUTH_TRUE | TRUTH_FALSE;
	if (streq(op, "="))
		return c == 0 ? TRUTH_TRUE : TRUTH_FALSE;
	if (streq(op, "<>"))
		return c == 0 ? TRUTH_FALSE : TRUTH_TRUE;
	if (c == 2)
		return TRUTH_TRUE | TRUTH_FALSE;
	bool yes = streq(op, "<") ? c < 0 : streq(op, "<=") ? c <= 0 :
	    streq(op, ">") ? c > 0 : c >= 0;
	return yes ? TRUTH_TRUE : TRUTH_FALSE;
}

/* A literal as text; NULL: it is not one. */
static const char *
literal(char *buf, size_t size, const struct value *v)
{
	switch (v->kind) {
	case VALUE_STR:
		return v->text;
	case VALUE_INT:
		if (v->text != NULL)
			return v->text;
		snprintf(buf, size, "%lld", (long long)v->i);
		return buf;
	case VALUE_FLOAT:
		return v->text;
	case VALUE_BOOL:
		return v->i ? "true" : "false";
	default:
		return NULL;
	}
}

static unsigned
compare_in(const char *sql, const struct value *list)
{
	unsigned r = TRUTH_FALSE;

	for (uint32_t i = 0; i < list->n; i++) {
		char buf[32];
		const char *text = literal(buf, sizeof(buf), list->items[i]);

		r = text == NULL ? TRUTH_ANY :
		    truth_or(r, truth_compare(sql, "=", text));
	}
	return r;
}

static bool
is_list(const struct value *v)
{
	return v->kind == VALUE_LIST || v->kind == VALUE_TUPLE ||
	    v->kind == VALUE_SET;
}

static unsigned
compare_value(const char *sql, const char *lookup, const struct value *v)
{
	static const struct { const char *lookup, *op; } ops[] = {
		{ "exact", "=" }, { "gt", ">" }, { "gte", ">=" },
		{ "lt", "<" }, { "lte", "<=" },
	};
	char buf[32];
	const char *text = literal(buf, sizeof(buf), v);

	if (streq(lookup, "in") && is_list(v))
		return compare_in(sql, v);
	for (size_t i = 0; text != NULL && i < countof(ops); i++)
		if (streq(lookup, ops[i].lookup))
			return truth_compare(sql, ops[i].op, text);
	return TRUTH_TRUE | TRUTH_FALSE;
}

/* field__lookup = value */
static unsigned
leaf(const char *key, const struct value *v, const struct table *want,
    const struct table *have)
{
	const char *cut = strstr(key, "__");
	const char *lookup = cut == NULL ? "exact" : cut + 2;
	char field[128];
	size_t n = cut == NULL ? strlen(key) : (size_t)(cut - key);
	unsigned r = 0;

	if (n >= sizeof(field))
		return TRUTH_ANY;
	memcpy(field, key, n);
	field[n] = '\0';

	struct domain d = domain_of(field, want, have);
	bool isnull = streq(lookup, "isnull") ||
	    (streq(lookup, "exact") && v->kind == VALUE_NONE);
	if (isnull) {
		bool yes = v->kind == VALUE_NONE || v->i != 0;

		r |= d.null ? (yes ? TRUTH_TRUE : TRUTH_FALSE) : 0;
		r |= d.value ? (yes ? TRUTH_FALSE : TRUTH_TRUE) : 0;
		return r;
	}
	if (strstr(lookup, "isnull") != NULL)
		return TRUTH_TRUE | TRUTH_FALSE;
	if (d.null)
		r |= TRUTH_NULL;
	if (d.value)
		r |= d.is != NULL ? compare_value(d.is, lookup, v) :
		    TRUTH_TRUE | TRUTH_FALSE;
	if (v->kind == VALUE_CALL || v->kind == VALUE_NAME ||
	    v->kind == VALUE_OPAQUE)
		r |= TRUTH_NULL;
	return r;
}

enum q_kind
q_kind(const struct value *q)
{
	const char *name = q->kind == VALUE_CALL ? q->name : NULL;
	const struct value *c = NULL;

	if (name == NULL)
		return Q_OTHER;
	if (streq(name, "|") || ends_with(name, "operator.or_"))
		return Q_OR;
	if (streq(name, "&") || ends_with(name, "operator.and_"))
		return Q_AND;
	if (streq(name, "~") || ends_with(name, "operator.invert"))
		return Q_NOT;
	if (!streq(name, "Q") && !ends_with(name, ".Q"))
		return Q_OTHER;
	c = value_arg(q, "_connector", -1);
	if (c == NULL || (c->kind == VALUE_STR && streq(c->text, "AND")))
		return Q_AND;
	return c->kind == VALUE_STR && streq(c->text, "OR") ? Q_OR : Q_OTHER;
}

bool
q_negated(const struct value *q)
{
	const struct value *n = value_arg(q, "_negated", -1);

	return n != NULL && n->kind == VALUE_BOOL && n->i != 0;
}

bool
q_pair(const struct value *item, const char **key, const struct value **v)
{
	if (item->kind != VALUE_TUPLE || item->n != 2 ||
	    item->items[0]->kind != VALUE_STR)
		return false;
	*key = item->items[0]->text;
	*v = item->items[1];
	return true;
}

static unsigned
walk(const struct value *q, const struct table *want,
    const struct table *have, int depth)
{
	enum q_kind kind = q_kind(q);
	unsigned r = kind == Q_OR ? TRUTH_FALSE : TRUTH_TRUE;
	const char *key = NULL;
	const struct value *v = NULL;

	if (kind == Q_OTHER || depth > DEPTH)
		return TRUTH_ANY;
	for (uint32_t i = 0; i < q->n; i++) {
		unsigned x = q_pair(q->items[i], &key, &v) ?
		    leaf(key, v, want, have) :
		    walk(q->items[i], want, have, depth + 1);

		r = kind == Q_OR ? truth_or(r, x) : truth_and(r, x);
	}
	for (uint32_t i = 0; i < q->nkw; i++) {
		if (q->kw[i].name[0] == '_')
			continue;
		unsigned x = leaf(q->kw[i].name, q->kw[i].value, want, have);

		r = kind == Q_OR ? truth_or(r, x) : truth_and(r, x);
	}
	return kind == Q_NOT || q_negated(q) ? truth_not(r) : r;
}

unsigned
truth_q(const struct value *q, const struct table *want,
    const struct table *have)
{
	return walk(q, want, have, 0);
}

unsigned
truth_of(const struct con *c, const struct table *want,
    const struct table *have)
{
	const char *sql = c->kind == CON_CHECK ? c->expr : c->where;

	if (c->q != NULL) {
		unsigned t = truth_q(c->q, want, have);

		if (t != TRUTH_ANY)
			return t;
	}
	return sql == NULL ? TRUTH_ANY : truth_sql(sql, want, have);
}

/* Operators on constants, and on the expressions of Django's ORM. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/module.h"

#define REPEAT_MAX 100000

/* The operator between two nodes: "+", "**", "not in". */
void
operator_text(const struct syntax *y, uint32_t from, uint32_t to, char out[8])
{
	size_t n = 0;
	bool comment = false;

	for (uint32_t i = y->v[from].end; i < y->v[to].start; i++) {
		char c = y->text[i];
		if (c == '\n' || c == '#')
			comment = c == '#';
		if (comment || isspace((unsigned char)c) || c == '\\')
			continue;
		if (n < 7)
			out[n++] = c;
	}
	out[n] = '\0';
}

const struct value *
value_call(struct reader *r, const char *name,
    const struct value *const *items, uint32_t n, uint32_t line)
{
	struct value *v = value_new(r, VALUE_CALL, line);

	v->name = sym_get(r->a, name);
	v->items = arena_copy(r->a, items, n * sizeof(*items));
	v->n = n;
	return value_seal(r, v);
}

static bool
is_q(const struct value *v)
{
	return v->kind == VALUE_CALL && streq(v->name, "django.db.models.Q");
}

static bool
is_either(const struct value *v)
{
	return v->kind == VALUE_OPAQUE && v->n > 0;
}

static bool
is_expression(const struct value *v)
{
	return v->kind == VALUE_CALL && !is_q(v) &&
	    starts_with(v->name, "django.db.models.");
}

static const struct value *
q_with(struct reader *r, const struct value *const *items, uint32_t n,
    const char *kw, const struct value *v)
{
	const struct value *q = value_call(r, "django.db.models.Q", items, n,
	    items[0]->line);
	struct value *w = arena_copy(r->a, q, sizeof(*q));

	if (kw != NULL && w->kind == VALUE_CALL) {
		struct kwarg k = { sym_get(r->a, kw), v };
		w->kw = arena_copy(r->a, &k, sizeof(k));
		w->nkw = 1;
	}
	return value_seal(r, w);
}

/* F("a") + 1 is CombinedExpression(F("a"), "+", Value(1)) to Django. */
static const struct value *
combine(struct reader *r, const struct value *a, const char *op,
    const struct value *b)
{
	const struct value *v[3] = { a, value_text(r, VALUE_STR, op,
	    strlen(op), a->line), b };

	for (int i = 0; i < 3; i += 2)
		if (!is_expression(v[i]))
			v[i] = value_call(r, "django.db.models.Value", &v[i],
			    1, a->line);
	return value_call(r, "django.db.models.CombinedExpression", v, 3,
	    a->line);
}

static const struct value *
int_op(struct reader *r, const char *op, int64_t a, int64_t b, uint32_t line)
{
	int64_t i;
	bool over = false;

	if (streq(op, "+"))
		over = __builtin_add_overflow(a, b, &i);
	else if (streq(op, "-"))
		over = __builtin_sub_overflow(a, b, &i);
	else if (streq(op, "*"))
		over = __builtin_mul_overflow(a, b, &i);
	else if ((streq(op, "//") || streq(op, "%")) && a >= 0 && b > 0)
		i = *op == '/' ? a / b : a % b;
	else if (streq(op, "<<") && a >= 0 && b >= 0 && b < 62 &&
	    a <= INT64_MAX >> b)
		i = a << b;
	else if (streq(op, "**") && b >= 0 && b < 128)
		for (i = 1; b > 0 && !over; b--)
			over = __builtin_mul_overflow(i, a, &i);
	else
		return NULL;
	return over ? NULL : value_int_new(r, i, line);
}

static const struct value *
text_op(struct reader *r, const char *op, const struct value *a,
    const struct value *b)
{
	struct strbuf t STRBUF_SCOPED = STRBUF_LIMIT(SYNTAX_BYTES_MAX);

	if (streq(op, "%") && a->kind == VALUE_STR)
		return text_percent(r, a, b);
	if (streq(op, "+") && b->kind == a->kind) {
		strbuf_add(&t, a->text, a->len);
		strbuf_add(&t, b->text, b->len);
	} else if (streq(op, "*") && b->kind == VALUE_INT && b->text == NULL &&
	    b->i <= REPEAT_MAX && (a->len == 0 || b->i <= 0 ||
	    (size_t)b->i <= SYNTAX_BYTES_MAX / a->len)) {
		for (int64_t i = 0; i < b->i; i++)
			strbuf_add(&t, a->text, a->len);
	} else {
		return NULL;
	}
	return t.over ? NULL : value_text(r, a->kind, t.s, t.len, a->line);
}

/* NULL: not one that is worked out here. */
static const struct value *
binary(struct reader *r, const char *op, const struct value *a,
    const struct value *b)
{
	const struct value *both[2] = { a, b };

	if (a->kind == VALUE_INT && b->kind == VALUE_INT && a->text == NULL &&
	    b->text == NULL)
		return int_op(r, op, a->i, b->i, a->line);
	if (a->kind == VALUE_STR || a->kind == VALUE_BYTES)
		return text_op(r, op, a, b);
	if (streq(op, "+") && (is_either(a) || is_either(b) ||
	    (a->kind == b->kind &&
	    (a->kind == VALUE_LIST || a->kind == VALUE_TUPLE))))
		return value_join(r, a, b, EVER);
	if (streq(op, "/") && a->kind == VALUE_CALL) {
		const struct value *path = path_divide(r, a, b);
		if (path != NULL)
			return path;
	}
	if (is_q(a) && is_q(b) && (streq(op, "|") || streq(op, "&") ||
	    streq(op, "^"))) {
		const char *word = *op == '|' ? "OR" : "XOR";
		return q_with(r, both, 2, *op == '&' ? NULL : "_connector",
		    value_text(r, VALUE_STR, word, strlen(word), a->line));
	}
	if ((is_expression(a) || is_expression(b)) && !is_q(a) && !is_q(b) &&
	    a->kind != VALUE_OPAQUE && b->kind != VALUE_OPAQUE)
		return combine(r, a, streq(op, "**") ? "^" : op, b);
	if (streq(op, "|") && a->kind == VALUE_DICT && b->kind == VALUE_DICT) {
		struct value *v = value_new(r, VALUE_DICT, a->line);
		const struct value **items = arena_array(r->a,
		    const struct value *, (size_t)a->n + b->n + 1);
		for (uint32_t i = 0; i < a->n; i++)
			items[v->n++] = a->items[i];
		for (uint32_t i = 0; i < b->n; i++)
			items[v->n++] = b->items[i];
		v->items = items;
		return value_seal(r, v);
	}
	return NULL;
}

const struct value *
eval_binary(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t left = node_field(y, node, F_LEFT);
	uint32_t right = node_field(y, node, F_RIGHT);
	char op[8];

	if (left == 0 || right == 0)
		return value_opaque_new(r, s, node, "an operator");
	operator_text(y, left, right, op);
	const struct value *a = eval_force(r, eval(r, s, left));
	const struct value *b = eval_force(r, eval(r, s, right));
	const struct value *v = binary(r, op, a, b);
	if (v != NULL)
		return v;
	const struct value *why = a->kind == VALUE_OPAQUE ? a : b;
	return value_opaque_new(r, s, node, why->kind == VALUE_OPAQUE ?
	    why->why : "an operator on what is not constant");
}

const struct value *
eval_unary(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t arg = node_field(y, node, F_ARGUMENT);

	if (arg == 0)
		return value_opaque_new(r, s, node, "an operator");
	const struct value *v = eval(r, s, arg);
	char op = y->text[y->v[node].start];
	if (y->v[node].kind == N_NOT) {
		int t = eval_truth(r, v);
		return t >= 0 ? value_bool_new(r, t == 0, v->line) :
		    value_opaque_new(r, s, node, "a condition");
	}
	if (v->kind == VALUE_INT && v->text == NULL && v->i != INT64_MIN &&
	    (op == '-' || op == '+'))
		return op == '+' ? v : value_int_new(r, -v->i, v->line);
	if ((v->kind == VALUE_FLOAT || v->kind == VALUE_INT) && op == '-' &&
	    v->text != NULL) {
		struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
		strbuf_printf(&b, "-%s", v->text);
		return value_text(r, v->kind, b.s, b.len, v->line);
	}
	v = eval_force(r, v);
	if (op == '~' && is_q(v))
		return q_with(r, &v, 1, "_negated",
		    value_bool_new(r, true, v->line));
	return value_opaque_new(r, s, node, "an operator on what is not constant");
}

/* a < b by Python's order: -1, 0, 1; 2 where it cannot be told. */
static int
order(const struct value *a, const struct value *b)
{
	if (a->kind == VALUE_INT && b->kind == VALUE_INT && a->text == NULL &&
	    b->text == NULL)
		return a->i < b->i ? -1 : a->i > b->i;
	if (a->kind == VALUE_TUPLE && b->kind == VALUE_TUPLE) {
		for (uint32_t i = 0; i < a->n && i < b->n; i++) {
			int o = order(a->items[i], b->items[i]);
			if (o != 0)
				return o;
		}
		return a->n < b->n ? -1 : a->n > b->n;
	}
	return 2;
}

static bool
constant(const struct value *v)
{
	return v->kind != VALUE_OPAQUE && v->kind != VALUE_NAME &&
	    v->kind != VALUE_CALL;
}

static bool
number(const struct value *v)
{
	return v->kind == VALUE_BOOL || v->kind == VALUE_INT ||
	    v->kind == VALUE_FLOAT;
}

/* a == b as Python takes it, to which True is 1: 1, 0, -1 */
static int
alike(const struct value *a, const struct value *b)
{
	int all = 1;

	if (value_equal(a, b))
		return 1;
	if (number(a) && number(b)) {
		if (a->kind == VALUE_FLOAT || b->kind == VALUE_FLOAT ||
		    a->text != NULL || b->text != NULL)
			return -1;
		return a->i == b->i;
	}
	if (a->kind != b->kind)
		return 0;
	if (a->kind == VALUE_SET || a->kind == VALUE_DICT)
		return -1;
	if (a->kind != VALUE_TUPLE && a->kind != VALUE_LIST)
		return 0;
	if (a->n != b->n)
		return 0;
	for (uint32_t i = 0; i < a->n && all != 0; i++) {
		int one = alike(a->items[i], b->items[i]);
		all = one == 1 ? all : one;
	}
	return all;
}

/* Any part of it that is not known? */
static bool
unsure(const struct value *v)
{
	bool out = value_opaque(v) || v->kind == VALUE_NAME ||
	    v->kind == VALUE_CALL;

	for (uint32_t i = 0; i < v->n && !out && v->kind == VALUE_TUPLE; i++)
		out = unsure(v->items[i]);
	return out;
}

/* A version of Django's that is not known, against one that all are above. */
static int
compare_oldest(const char *op, const struct value *b)
{
	const struct value three = { .kind = VALUE_INT, .i = 3 };
	const struct value two = { .kind = VALUE_INT, .i = 2 };
	const struct value *const items[] = { &three, &two };
	const struct value oldest = { .kind = VALUE_TUPLE, .items = items,
	    .n = countof(items) };

	if ((*op != '<' && *op != '>') || b->kind != VALUE_TUPLE ||
	    b->n > 2 || order(b, &oldest) > 0)
		return -1;
	return *op == '>';
}

/* 1, 0, -1: cannot be told */
static int
compare(const struct value *a, const char *op, const struct value *b)
{
	if (a->kind == VALUE_NAME && streq(a->name, "django.VERSION"))
		return compare_oldest(op, b);
	if (!constant(a) || !constant(b) || a->either || b->either)
		return -1;
	if (streq(op, "==") || streq(op, "!=")) {
		int same = unsure(a) || unsure(b) ? -1 : alike(a, b);
		return same < 0 ? -1 : same == (*op == '=');
	}
	if (streq(op, "is") || streq(op, "isnot"))
		return unsure(a) || unsure(b) ? -1 :
		    value_equal(a, b) == streq(op, "is");
	if (streq(op, "in") || streq(op, "notin")) {
		bool in = false, lost = unsure(a);
		if (b->kind == VALUE_STR && a->kind == VALUE_STR)
			in = memmem(b->text, b->len, a->text, a->len) != NULL;
		else if (b->kind == VALUE_STR)
			return -1;
		for (uint32_t i = 0; i < b->n; i += 1 + (b->kind == VALUE_DICT)) {
			int same = alike(a, b->items[i]);
			in |= same == 1;
			lost |= same < 0 || unsure(b->items[i]);
		}
		return lost && !in ? -1 : in == streq(op, "in");
	}
	int o = order(a, b);
	if (o == 2)
		return -1;
	if (streq(op, "<") || streq(op, "<="))
		return o < 0 || (o == 0 && op[1] == '=');
	if (streq(op, ">") || streq(op, ">="))
		return o > 0 || (o == 0 && op[1] == '=');
	return -1;
}

const struct value *
eval_compare(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t a = node_first(y, node);
	int all = 1;

	for (uint32_t b; all == 1 && a != 0 &&
	    (b = node_next(y, node, a)) != 0; a = b) {
		char op[8];
		operator_text(y, a, b, op);
		all = compare(eval_force(r, eval(r, s, a)), op,
		    eval_force(r, eval(r, s, b)));
	}
	return all >= 0 ? value_bool_new(r, all, y->v[node].line) :
	    value_opaque_new(r, s, node, "a condition");
}

const struct value *
eval_boolean(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t left = node_field(y, node, F_LEFT);
	uint32_t right = node_field(y, node, F_RIGHT);
	char op[8];

	if (left == 0 || right == 0)
		return value_opaque_new(r, s, node, "a condition");
	operator_text(y, left, right, op);
	const struct value *a = eval(r, s, left);
	int t = eval_truth(r, a);
	if (t >= 0)
		return t == streq(op, "or") ? a : eval(r, s, right);
	t = eval_truth(r, eval(r, s, right));
	if (t >= 0 && t == streq(op, "or"))
		return value_bool_new(r, t, y->v[node].line);
	return value_opaque_new(r, s, node, "a condition");
}

#include <string.h>

#include "base/util.h"
#include "read/module.h"

struct value *
value_new(struct reader *r, enum value_kind kind, uint32_t line)
{
	struct value *v = arena_make(r->a, struct value);

	v->kind = kind;
	v->line = line;
	return v;
}

static void
count(struct value *v, const struct value *part)
{
	if (part->depth >= v->depth)
		v->depth = (uint16_t)(part->depth + 1);
	v->either |= part->either || part->maybe || part->not_in != 0;
	if (__builtin_add_overflow(v->weight, part->weight, &v->weight))
		v->weight = UINT32_MAX;
}

static void
spoil(struct reader *r, struct value *v, const char *why)
{
	uint32_t line = v->line;

	*v = (struct value){ .kind = VALUE_OPAQUE, .line = line, .text = "…",
	    .len = strlen("…"), .why = sym_get(r->a, why), .weight = 1 };
}

/* Sums up a new value; one that grew beyond the bounds becomes opaque. */
const struct value *
value_seal(struct reader *r, struct value *v)
{
	v->weight = 1 + (uint32_t)(v->len < UINT32_MAX ? v->len / 8 :
	    UINT32_MAX / 8);
	v->depth = 0;
	v->either = false;
	for (uint32_t i = 0; i < v->n; i++)
		count(v, v->items[i]);
	for (uint32_t i = 0; i < v->nkw; i++)
		count(v, v->kw[i].value);
	if (v->depth > VALUE_DEPTH)
		spoil(r, v, "nested too deeply");
	else if (v->weight > READER_WEIGHT)
		spoil(r, v, "too large");
	return v;
}

const struct value *
value_opaque_new(struct reader *r, const struct scope *s, uint32_t node,
    const char *why)
{
	const struct node *n = &s->m->syn.v[node];
	struct value *v = value_new(r, VALUE_OPAQUE, n->line);

	v->text = s->m->syn.text + n->start;
	v->len = n->end - n->start;
	v->why = sym_get(r->a, why);
	v->weight = 1;
	return v;
}

const struct value *
value_text(struct reader *r, enum value_kind kind, const char *text,
    size_t len, uint32_t line)
{
	struct value *v = value_new(r, kind, line);
	char *s = arena_alloc(r->a, len + 1, 1);

	memcpy(s, text, len);
	v->text = s;
	v->len = len;
	return value_seal(r, v);
}

const struct value *
value_name(struct reader *r, const char *dotted, uint32_t line)
{
	struct value *v = value_new(r, VALUE_NAME, line);

	v->name = django_short(r->a, dotted);
	const struct value *known = given_value(r, v);
	return known != NULL ? known : value_seal(r, v);
}

const struct value *
value_int_new(struct reader *r, int64_t i, uint32_t line)
{
	struct value *v = value_new(r, VALUE_INT, line);

	v->i = i;
	return value_seal(r, v);
}

const struct value *
value_bool_new(struct reader *r, bool b, uint32_t line)
{
	struct value *v = value_new(r, VALUE_BOOL, line);

	v->i = b;
	return value_seal(r, v);
}

const struct value *
value_either(struct reader *r, const struct value *const *items, uint32_t n,
    const struct value *at)
{
	struct value *v = value_new(r, VALUE_OPAQUE, at->line);

	v->text = at->text != NULL && at->kind == VALUE_OPAQUE ? at->text :
	    "…";
	v->len = at->text != NULL && at->kind == VALUE_OPAQUE ? at->len :
	    strlen(v->text);
	v->why = sym_get(r->a, "depends on a condition");
	v->items = arena_copy(r->a, items, n * sizeof(*items));
	v->n = n;
	return value_seal(r, v);
}

const struct value *
value_under(struct reader *r, const struct value *v, struct under u)
{
	if (!under_some(u))
		return v;
	struct value *w = arena_copy(r->a, v, sizeof(*v));
	w->maybe |= u.maybe;
	w->not_in |= u.not_in;
	return w;
}

/* What the lists of an unknown choice come to: all of them, each in its own
 * worlds. */
static const struct value *
as_list(struct reader *r, const struct value *v)
{
	if (v->kind != VALUE_OPAQUE || v->n == 0)
		return v;
	struct value *all = value_new(r, VALUE_LIST, v->line);
	const struct value *sum = value_seal(r, all);
	for (uint32_t i = 0; i < v->n; i++) {
		sum = value_join(r, sum, eval_force(r, v->items[i]),
		    under_of(v->items[i]));
		if (sum == NULL)
			return v;
	}
	return sum;
}

const struct value *
value_join(struct reader *r, const struct value *a, const struct value *b,
    struct under u)
{
	a = as_list(r, a);
	b = as_list(r, b);
	if ((a->kind != VALUE_LIST && a->kind != VALUE_TUPLE) ||
	    (b->kind != VALUE_LIST && b->kind != VALUE_TUPLE))
		return NULL;
	struct value *v = value_new(r, a->kind, a->line);
	const struct value **items = arena_array(r->a, const struct value *,
	    (size_t)a->n + b->n);
	for (uint32_t i = 0; i < a->n; i++)
		items[i] = a->items[i];
	for (uint32_t i = 0; i < b->n; i++)
		items[a->n + i] = value_under(r, b->items[i], u);
	v->items = items;
	v->n = a->n + b->n;
	return value_seal(r, v);
}

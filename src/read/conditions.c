/* An `if` that cannot be decided here: which choice it is, and what is there in
 * the worlds that the choices of a file make. */
#include <string.h>

#include "base/util.h"
#include "read/module.h"

#define TEXT_LONG 60
#define NESTED_MOST 12

/* Worlds in which conds[i] holds. */
static const uint8_t holds[CONDS_MAX] = { 0xaa, 0xcc, 0xf0 };

struct asking {
	struct reader *r;
	struct scope *s;
	int depth, nested;
	bool turned;	/* its word is that of the other way */
};

/* Calls that give the same all the time that a process runs. */
static bool
lasts(const char *callee)
{
	static const char *const names[] = { "os.getenv", "os.environ.get",
	    "getattr", "hasattr", "bool", "int", "str", "len",
	    "django.apps.apps.is_installed" };

	for (size_t i = 0; i < countof(names); i++)
		if (streq(names[i], callee))
			return true;
	return starts_with(callee, "django.conf.settings.") &&
	    ends_with(callee, ".get");
}

/* As a word that is the same wherever the same is meant. */
static bool
value_word(struct asking *x, struct strbuf *b, const struct value *v)
{
	if (v->either)
		return false;
	if (v->kind == VALUE_NAME) {
		const struct value *w = eval_force(x->r, v);
		if (w->kind == VALUE_NAME)
			v = w;
		strbuf_str(b, v->name);
		return strchr(v->name, '.') != NULL &&
		    !starts_with(v->name, x->s->m->dotted);
	}
	if (v->kind == VALUE_OPAQUE || (v->kind == VALUE_CALL &&
	    (!lasts(v->name) || v->nkw > 0)))
		return false;
	if (v->kind != VALUE_CALL && v->kind != VALUE_LIST &&
	    v->kind != VALUE_TUPLE) {
		value_print(b, v);
		return v->n == 0;
	}
	strbuf_str(b, v->kind == VALUE_CALL ? v->name : "");
	strbuf_char(b, '(');
	for (uint32_t i = 0; i < v->n; i++) {
		strbuf_str(b, i > 0 ? ", " : "");
		if (!value_word(x, b, v->items[i]))
			return false;
	}
	strbuf_char(b, ')');
	return true;
}

/* The operator of a comparison; `a != b` is the other way of `a == b`. */
static const char *
way(struct asking *x, char op[8], bool alone)
{
	static const char *const ways[][2] = { { "!=", "==" },
	    { "notin", "in" }, { "isnot", "is" } };

	for (size_t i = 0; i < countof(ways) && alone; i++)
		if (streq(op, ways[i][0])) {
			x->turned = true;
			return ways[i][1];
		}
	return op;
}

/* Expressions too that come to no value here. */
static bool
node_word(struct asking *x, struct strbuf *b, uint32_t node)
{
	const struct syntax *y = &x->s->m->syn;
	uint32_t of = 0, at = 0;
	bool alone;
	char op[8];

	if (++x->depth > NESTED_MOST)
		return false;
	switch ((enum node_kind)y->v[node].kind) {
	case N_PAREN:
		of = node_first(y, node);
		return of != 0 && node_word(x, b, of);
	case N_SUBSCRIPT:
		of = node_field(y, node, F_VALUE);
		at = node_field(y, node, F_SUBSCRIPT);
		if (of == 0 || at == 0 || !node_word(x, b, of))
			return false;
		strbuf_char(b, '[');
		if (!node_word(x, b, at))
			return false;
		strbuf_char(b, ']');
		return true;
	case N_COMPARE:
		alone = x->depth == 1;
		for (of = node_first(y, node); of != 0; of = at) {
			if (!node_word(x, b, of))
				return false;
			at = node_next(y, node, of);
			if (at == 0)
				break;
			alone &= node_next(y, node, at) == 0;
			operator_text(y, of, at, op);
			strbuf_printf(b, " %s ", way(x, op, alone));
		}
		return of != 0;
	default:
		return value_word(x, b, eval(x->r, x->s, node));
	}
}

static sym
source_text(struct asking *x, uint32_t node)
{
	const struct node *n = &x->s->m->syn.v[node];
	const char *p = x->s->m->syn.text;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = n->start; i < n->end && b.len < TEXT_LONG; i++)
		if (p[i] > ' ' || p[i] < 0)
			strbuf_char(&b, p[i]);
		else if (b.len > 0 && b.s[b.len - 1] != ' ')
			strbuf_char(&b, ' ');
	if (b.len == TEXT_LONG)
		strbuf_str(&b, "…");
	return sym_get(x->r->a, b.s);
}

/* A choice that is a number of this file's worlds. Where it cannot be told
 * whether it is the same as another, it is one of its own; but what is asked
 * more than once in a place may turn out differently each time. */
static bool
choice(struct asking *x, uint32_t node, uint8_t *in)
{
	struct reader *r = x->r;
	const struct scope *s = x->s;
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(4096);
	struct condition c = { .line = s->m->syn.v[node].line };
	uint32_t i = 0;

	if (r->kept || (s->m->followed && s->fn == 0))
		return false;
	x->depth = 0;
	x->turned = false;
	if (node_word(x, &b, node) && !b.over) {
		c.id = sym_get(r->a, b.s);
		c.text = starts_with(c.id, "django.conf.") ?
		    sym_get(r->a, c.id + strlen("django.conf.")) : c.id;
	} else if (s == &s->m->top || s->node != 0) {
		x->turned = false;
		c.text = source_text(x, node);
		c.id = sym_printf(r->a, "%s:%u: %s", s->m->dotted,
		    s->m->syn.v[node].start, c.text);
	} else {
		return false;
	}
	while (i < r->conds.n && r->conds.v[i].id != c.id)
		i++;
	if (i == CONDS_MAX)
		return false;
	for (uint32_t k = 0; k < i && i == r->conds.n; k++)
		if (r->conds.v[k].text == c.text)
			c.text = sym_printf(r->a, "%s (line %u)", c.text,
			    c.line);
	if (i == r->conds.n)
		*list_add(r->a, &r->conds) = c;
	*in = x->turned ? (uint8_t)~holds[i] : holds[i];
	return true;
}

static bool worlds(struct asking *x, uint32_t node, uint8_t *in);

/* flag = not settings.X */
static bool
named(struct asking *x, uint32_t node, uint8_t *in)
{
	const struct syntax *y = &x->s->m->syn;
	sym name = sym_getn(x->r->a, y->text + y->v[node].start,
	    y->v[node].end - y->v[node].start);
	struct scope *was = x->s;
	struct bound f;

	name_find(x->r, x->s, name, &f);
	struct binding *b = f.b;
	struct scope *where = f.where;
	if (b == NULL || f.lost || b->kind != BIND_EXPR || under_some(b->u) || b->busy ||
	    b->env != NULL || where->m != x->s->m || eval(x->r, x->s,
	    node)->kind != VALUE_OPAQUE)
		return choice(x, node, in);
	uint32_t k = (uint32_t)(b - where->binds.v), limit = where->limit;
	b->busy = true;
	where->limit = k + 1;
	x->s = where;
	bool known = worlds(x, b->node, in);
	x->s = was;
	where->limit = limit;
	where->binds.v[k].busy = false;
	return known;
}

static bool
worlds(struct asking *x, uint32_t node, uint8_t *in)
{
	const struct syntax *y = &x->s->m->syn;
	uint32_t a = 0, b = 0, c = 0;
	uint8_t p, q, t;
	char op[8];

	if (++x->nested > NESTED_MOST)
		return false;
	int known = eval_truth(x->r, eval(x->r, x->s, node));
	*in = known == 1 ? ALL_WORLDS : 0;
	if (known >= 0)
		return true;
	switch ((enum node_kind)y->v[node].kind) {
	case N_PAREN:
		return (a = node_first(y, node)) != 0 && worlds(x, a, in);
	case N_NOT:
		a = node_field(y, node, F_ARGUMENT);
		if (a == 0 || !worlds(x, a, in))
			return false;
		*in = (uint8_t)~*in;
		return true;
	case N_BOOLEAN:
		a = node_field(y, node, F_LEFT);
		b = node_field(y, node, F_RIGHT);
		if (a == 0 || b == 0 || !worlds(x, a, &p) || !worlds(x, b, &q))
			return false;
		operator_text(y, a, b, op);
		*in = streq(op, "and") ? p & q : p | q;
		return true;
	case N_CONDITIONAL:
		a = node_first(y, node);
		b = a != 0 ? node_next(y, node, a) : 0;
		c = b != 0 ? node_next(y, node, b) : 0;
		if (c == 0 || !worlds(x, a, &p) || !worlds(x, b, &t) ||
		    !worlds(x, c, &q))
			return false;
		*in = (uint8_t)((t & p) | (~t & q));
		return true;
	case N_IDENTIFIER:
		return named(x, node, in);
	default:
		return choice(x, node, in);
	}
}

bool
condition_worlds(struct reader *r, struct scope *s, uint32_t node,
    uint8_t *in)
{
	struct asking x = { .r = r, .s = s };

	return worlds(&x, node, in);
}

const struct value *
eval_conditional(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t yes = node_first(y, node);
	uint32_t test = yes != 0 ? node_next(y, node, yes) : 0;
	uint32_t no = test != 0 ? node_next(y, node, test) : 0;

	if (no == 0)
		return value_opaque_new(r, s, node, "a condition");
	int t = eval_truth(r, eval(r, s, test));
	if (t >= 0)
		return eval(r, s, t == 1 ? yes : no);
	const struct value *a = eval(r, s, yes), *b = eval(r, s, no);
	if (value_equal(a, b))
		return a;
	struct under is = { .maybe = true }, not = { .maybe = true };
	uint8_t in;
	if (condition_worlds(r, s, test, &in)) {
		is = (struct under){ false, (uint8_t)~in };
		not = (struct under){ false, in };
	}
	const struct value *both[2] = { value_under(r, a, is),
	    value_under(r, b, not) };
	return value_either(r, both, 2, value_opaque_new(r, s, node, ""));
}

/* One of several, which it is in that world; NULL: that cannot be told. */
static const struct value *
one_of(const struct value *v, uint32_t world)
{
	const struct value *is = NULL;

	for (uint32_t i = 0; i < v->n; i++) {
		if ((v->items[i]->not_in >> world & 1) != 0)
			continue;
		if (is != NULL || v->items[i]->maybe)
			return NULL;
		is = v->items[i];
	}
	return is;
}

const struct value *
value_in_world(struct reader *r, const struct value *v, uint32_t world)
{
	if (!v->either)
		return v;
	if (v->kind == VALUE_OPAQUE) {
		const struct value *is = one_of(v, world);
		if (is == NULL)
			return v;
		struct value *w = arena_copy(r->a, is, sizeof(*is));
		w->not_in = 0;
		return value_in_world(r, w, world);
	}
	struct value *w = arena_copy(r->a, v, sizeof(*v));
	const struct value **items = arena_array(r->a, const struct value *,
	    v->n + 1);
	struct kwarg *kw = arena_array(r->a, struct kwarg, v->nkw + 1);
	w->n = 0;
	for (uint32_t i = 0; i < v->n; i++) {
		const struct value *part = v->items[i];
		if ((part->not_in >> world & 1) != 0)
			continue;
		if (part->not_in != 0) {
			struct value *here = arena_copy(r->a, part,
			    sizeof(*part));
			here->not_in = 0;
			part = here;
		}
		items[w->n++] = value_in_world(r, part, world);
	}
	for (uint32_t i = 0; i < v->nkw; i++)
		kw[i] = (struct kwarg){ v->kw[i].name,
		    value_in_world(r, v->kw[i].value, world) };
	w->items = items;
	w->kw = kw;
	return value_seal(r, w);
}

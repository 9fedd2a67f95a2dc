/* Expressions to values. Nothing is run: what needs running is opaque. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/module.h"

#define ITEMS_MAX 200000u

struct items {
	struct list(const struct value *) v;
};

struct kwargs {
	struct list(struct kwarg) v;
};

static sym
text_at(struct reader *r, const struct scope *s, uint32_t node)
{
	const struct node *n = &s->m->syn.v[node];

	return sym_getn(r->a, s->m->syn.text + n->start, n->end - n->start);
}

static void
add(struct reader *r, struct items *to, const struct value *v)
{
	if (to->v.n < ITEMS_MAX)
		*list_add(r->a, &to->v) = v;
}

static const struct value *
sequence(struct reader *r, enum value_kind kind, const struct items *from,
    uint32_t line)
{
	struct value *v = value_new(r, kind, line);

	v->items = from->v.v;
	v->n = from->v.n;
	return value_seal(r, v);
}

/* The values that iterating gives; NULL: cannot be told. */
static const struct value *
iterate(struct reader *r, const struct value *v)
{
	v = eval_force(r, v);
	if (v->kind == VALUE_LIST || v->kind == VALUE_TUPLE ||
	    v->kind == VALUE_SET)
		return v;
	if (v->kind == VALUE_OPAQUE && v->n > 0) {
		struct value *none = value_new(r, VALUE_LIST, v->line);
		return value_join(r, value_seal(r, none), v, EVER);
	}
	if (v->kind != VALUE_DICT)
		return NULL;
	struct items keys = { 0 };
	for (uint32_t i = 0; i + 1 < v->n; i += 2)
		add(r, &keys, v->items[i]);
	return sequence(r, VALUE_LIST, &keys, v->line);
}

static void
add_splat(struct reader *r, struct scope *s, struct items *to, uint32_t node)
{
	uint32_t inner = node_first(&s->m->syn, node);
	const struct value *over = inner != 0 ?
	    iterate(r, eval(r, s, inner)) : NULL;

	if (over == NULL) {
		add(r, to, value_opaque_new(r, s, node, "a list that is not "
		    "written out"));
		return;
	}
	for (uint32_t i = 0; i < over->n; i++)
		add(r, to, over->items[i]);
}

static const struct value *
eval_items(struct reader *r, struct scope *s, uint32_t node,
    enum value_kind kind)
{
	const struct syntax *y = &s->m->syn;
	struct items to = { 0 };

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		if (y->v[c].kind == N_SPLAT)
			add_splat(r, s, &to, c);
		else
			add(r, &to, eval(r, s, c));
	}
	return sequence(r, kind, &to, y->v[node].line);
}

static const struct value *
eval_dict(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	struct items to = { 0 };

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		uint32_t key = node_field(y, c, F_KEY);
		uint32_t value = node_field(y, c, F_VALUE);
		if (y->v[c].kind == N_PAIR && key != 0 && value != 0) {
			add(r, &to, eval(r, s, key));
			add(r, &to, eval(r, s, value));
			continue;
		}
		uint32_t inner = node_first(y, c);
		const struct value *more = y->v[c].kind == N_DICT_SPLAT &&
		    inner != 0 ? eval_force(r, eval(r, s, inner)) : NULL;
		if (more == NULL || more->kind != VALUE_DICT)
			return value_opaque_new(r, s, node,
			    "a dict that is not written out");
		for (uint32_t i = 0; i < more->n; i++)
			add(r, &to, more->items[i]);
	}
	return sequence(r, VALUE_DICT, &to, y->v[node].line);
}

struct comp {
	struct reader *r;
	uint32_t node;
	struct items to;
	struct under u;
	bool dict, lost;
};

/* One `for` or `if` of a comprehension and those after it. */
static void
comp_clause(struct comp *c, struct scope *s, uint32_t clause)
{
	const struct syntax *y = &s->m->syn;
	struct reader *r = c->r;

	while (clause != 0 && y->v[clause].kind != N_FOR_IN &&
	    y->v[clause].kind != N_IF_CLAUSE)
		clause = node_next(y, c->node, clause);
	if (c->lost || r->steps == 0)
		return;
	if (clause == 0) {
		uint32_t body = node_field(y, c->node, F_BODY);
		if (c->dict) {
			add(r, &c->to, eval(r, s, node_field(y, body, F_KEY)));
			body = node_field(y, body, F_VALUE);
		}
		c->lost |= c->dict && under_some(c->u);
		add(r, &c->to, value_under(r, eval(r, s, body), c->u));
		return;
	}
	uint32_t next = node_next(y, c->node, clause);
	if (y->v[clause].kind == N_IF_CLAUSE) {
		uint32_t test = node_first(y, clause);
		struct under u = c->u;
		uint8_t in = 0;
		c->lost |= test == 0 || !condition_worlds(r, s, test, &in);
		c->u.not_in |= (uint8_t)~in;
		if (in != 0)
			comp_clause(c, s, next);
		c->u = u;
		return;
	}
	uint32_t left = node_field(y, clause, F_LEFT);
	uint32_t right = node_field(y, clause, F_RIGHT);
	const struct value *over = left != 0 && right != 0 ?
	    iterate(r, eval(r, s, right)) : NULL;
	if (over == NULL) {
		c->lost = true;
		return;
	}
	for (uint32_t i = 0; i < over->n && !c->lost && r->steps > 0; i++) {
		struct scope *in = arena_make(r->a, struct scope);
		in->m = s->m;
		in->outer = s;
		in->dotted = s->dotted;
		in->fn = s->fn;
		scope_unpack(r, in, left, over->items[i]);
		struct under u = c->u;
		c->u = under_both(u, under_of(over->items[i]));
		comp_clause(c, in, next);
		c->u = u;
	}
}

static const struct value *
eval_comp(struct reader *r, struct scope *s, uint32_t node,
    enum value_kind kind)
{
	const struct syntax *y = &s->m->syn;
	struct comp c = { .r = r, .node = node, .dict = kind == VALUE_DICT };
	uint32_t body = node_field(y, node, F_BODY);

	if (body == 0 || (c.dict && (y->v[body].kind != N_PAIR ||
	    node_field(y, body, F_KEY) == 0 ||
	    node_field(y, body, F_VALUE) == 0)))
		return value_opaque_new(r, s, node, "a comprehension");
	comp_clause(&c, s, node_first(y, node));
	if (c.lost || r->steps == 0)
		return value_opaque_new(r, s, node,
		    "a comprehension over what is not written out");
	return sequence(r, kind, &c.to, y->v[node].line);
}

/* The arguments of a call; false: *x or **x that cannot be told. */
static bool
eval_args(struct reader *r, struct scope *s, uint32_t args,
    struct items *items, struct kwargs *kw)
{
	const struct syntax *y = &s->m->syn;

	if (y->v[args].kind == N_GENERATOR) {
		add(r, items, eval(r, s, args));
		return true;
	}
	for (uint32_t c = node_first(y, args); c != 0;
	    c = node_next(y, args, c)) {
		uint32_t inner = node_first(y, c);
		const struct value *v;
		if (y->v[c].kind == N_KEYWORD) {
			uint32_t name = node_field(y, c, F_NAME);
			uint32_t value = node_field(y, c, F_VALUE);
			if (name == 0 || value == 0)
				return false;
			struct kwarg *k = list_add(r->a, &kw->v);
			k->name = text_at(r, s, name);
			k->value = eval(r, s, value);
		} else if (y->v[c].kind == N_SPLAT) {
			v = inner != 0 ? iterate(r, eval(r, s, inner)) : NULL;
			for (uint32_t i = 0; v != NULL && i < v->n; i++)
				add(r, items, v->items[i]);
			if (v == NULL || v->either)
				return false;
		} else if (y->v[c].kind == N_DICT_SPLAT) {
			v = inner != 0 ? eval_force(r, eval(r, s, inner)) :
			    NULL;
			if (v == NULL || v->kind != VALUE_DICT)
				return false;
			for (uint32_t i = 0; i + 1 < v->n; i += 2) {
				struct kwarg *k = list_add(r->a, &kw->v);
				k->name = value_str(r->a, v->items[i]);
				k->value = v->items[i + 1];
				if (k->name == NULL)
					return false;
			}
		} else {
			add(r, items, eval(r, s, c));
		}
	}
	return true;
}

/* x.method(…) where x is a value: a string, a dict, an expression of F. */
static const struct value *
eval_method(struct reader *r, struct scope *s, uint32_t node,
    const struct value *self, sym method, const struct value *call)
{
	const struct value *v = NULL;

	if (self->either || call->either)
		return value_opaque_new(r, s, node, "depends on a condition");
	if (self->kind == VALUE_STR || self->kind == VALUE_BYTES ||
	    self->kind == VALUE_DICT || self->kind == VALUE_LIST ||
	    self->kind == VALUE_TUPLE)
		v = text_method(r, self, method, call);
	if (self->kind == VALUE_CALL)
		v = path_method(r, self, method, call);
	if (self->kind == VALUE_CALL &&
	    (streq(method, "asc") || streq(method, "desc")) &&
	    starts_with(self->name, "django.db.models.")) {
		struct value *o = value_new(r, VALUE_CALL, self->line);
		const struct value **items =
		    arena_array(r->a, const struct value *, 1);
		struct kwarg *kw = arena_array(r->a, struct kwarg,
		    call->nkw + 1);
		items[0] = self;
		o->name = sym_get(r->a, "django.db.models.OrderBy");
		o->items = items;
		o->n = 1;
		for (uint32_t i = 0; i < call->nkw; i++)
			kw[o->nkw++] = call->kw[i];
		if (streq(method, "desc"))
			kw[o->nkw++] = (struct kwarg){
			    sym_get(r->a, "descending"),
			    value_bool_new(r, true, self->line) };
		o->kw = kw;
		v = value_seal(r, o);
	}
	return v != NULL ? v : value_opaque_new(r, s, node, "a method's result");
}

static const struct value *
eval_call(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t fn = node_field(y, node, F_FUNCTION);
	uint32_t args = node_field(y, node, F_ARGUMENTS);
	struct items items = { 0 };
	struct kwargs kw = { 0 };

	if (fn == 0 || args == 0)
		return value_opaque_new(r, s, node, "a call");
	if (!eval_args(r, s, args, &items, &kw))
		return value_opaque_new(r, s, node,
		    "arguments that are not written out");
	struct value *v = value_new(r, VALUE_CALL, y->v[node].line);
	v->items = items.v.v;
	v->n = items.v.n;
	v->kw = kw.v.v;
	v->nkw = kw.v.n;
	if (y->v[fn].kind == N_ATTRIBUTE) {
		uint32_t object = node_field(y, fn, F_OBJECT);
		uint32_t attr = node_field(y, fn, F_ATTRIBUTE);
		const struct value *self = object != 0 && attr != 0 ?
		    eval(r, s, object) : NULL;
		if (self == NULL)
			return value_opaque_new(r, s, node, "a call");
		sym method = text_at(r, s, attr);
		if (self->kind == VALUE_NAME &&
		    !starts_with(self->name, "django."))
			self = eval_force(r, self);
		if (self->kind != VALUE_NAME) {
			v->name = method;
			return eval_method(r, s, node, self, method,
			    value_seal(r, v));
		}
		v->name = django_short(r->a, sym_printf(r->a, "%s.%s",
		    self->name, method));
	} else {
		const struct value *f = eval(r, s, fn);
		if (f->kind != VALUE_NAME)
			return value_opaque_new(r, s, node,
			    "a call of what is not a name");
		v->name = f->name;
	}
	const struct value *done = given_value(r, value_seal(r, v));
	if (done == NULL)
		done = text_call(r, v);
	if (done != NULL)
		return done;
	if (v->kind == VALUE_CALL && !starts_with(v->name, "django."))
		field_follow(r, v);
	return v;
}

static const struct value *
eval_attribute(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t object = node_field(y, node, F_OBJECT);
	uint32_t attr = node_field(y, node, F_ATTRIBUTE);

	if (object == 0 || attr == 0)
		return value_opaque_new(r, s, node, "an attribute");
	/* the dotted name as it is written, shortened at the end only */
	struct strbuf tail STRBUF_SCOPED = STRBUF_LIMIT(1024);
	uint32_t top = node;
	uint32_t attrs[32], n = 0;
	while (y->v[top].kind == N_ATTRIBUTE && n < countof(attrs)) {
		attrs[n] = node_field(y, top, F_ATTRIBUTE);
		top = node_field(y, top, F_OBJECT);
		if (attrs[n++] == 0 || top == 0)
			return value_opaque_new(r, s, node, "an attribute");
	}
	while (n > 0) {
		strbuf_char(&tail, '.');
		strbuf_str(&tail, text_at(r, s, attrs[--n]));
	}
	const struct value *v = eval(r, s, top);
	if (v->kind == VALUE_CALL) {
		const struct value *path = v;
		for (const char *p = tail.s; path != NULL && *p == '.'; ) {
			size_t len = strcspn(++p, ".");
			path = path_attribute(r, path, sym_getn(r->a, p,
			    len));
			p += len;
		}
		if (path != NULL)
			return path;
	}
	if (v->kind != VALUE_NAME)
		return value_opaque_new(r, s, node, v->kind == VALUE_OPAQUE ?
		    v->why : "an attribute of a value");
	return value_name(r, sym_printf(r->a, "%s%s", v->name, tail.s),
	    y->v[node].line);
}

/* x[:2]; NULL: another one */
static const struct value *
head_of(struct reader *r, struct scope *s, const struct value *v, uint32_t at)
{
	const struct syntax *y = &s->m->syn;
	uint32_t end = node_first(y, at);

	if (v->either || end == 0 ||
	    (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE) ||
	    y->v[end].size != y->v[at].size - 1 ||
	    y->text[y->v[at].start] != ':' || y->v[end].end != y->v[at].end)
		return NULL;
	const struct value *n = eval_force(r, eval(r, s, end));
	if (n->kind != VALUE_INT || n->text != NULL || n->i < 0 ||
	    y->text[y->v[at].start + 1] == ':')
		return NULL;
	struct value *out = arena_copy(r->a, v, sizeof(*v));
	if (n->i < out->n)
		out->n = (uint32_t)n->i;
	return value_seal(r, out);
}

static const struct value *
eval_subscript(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t of = node_field(y, node, F_VALUE);
	uint32_t at = node_field(y, node, F_SUBSCRIPT);

	if (of == 0 || at == 0)
		return value_opaque_new(r, s, node, "a subscript");
	const struct value *v = eval_force(r, eval(r, s, of));
	if (y->v[at].kind == N_SLICE) {
		v = head_of(r, s, v, at);
		return v != NULL ? v : value_opaque_new(r, s, node,
		    "a slice");
	}
	const struct value *k = eval_force(r, eval(r, s, at));
	if (v->either)
		return value_opaque_new(r, s, node, "depends on a condition");
	if (v->kind == VALUE_DICT)
		for (uint32_t i = 0; i + 1 < v->n; i += 2)
			if (value_equal(v->items[i], k))
				return v->items[i + 1];
	/* an enum's member, as makemigrations writes it */
	const char *last = v->kind == VALUE_NAME ? strrchr(v->name, '.') : NULL;
	if (last != NULL && isupper((unsigned char)last[1]) &&
	    value_str(r->a, k) != NULL)
		return value_name(r, sym_printf(r->a, "%s.%s", v->name,
		    value_str(r->a, k)), v->line);
	if ((v->kind == VALUE_LIST || v->kind == VALUE_TUPLE) &&
	    k->kind == VALUE_INT && k->text == NULL) {
		int64_t i = k->i < 0 ? k->i + (int64_t)v->n : k->i;
		if (i >= 0 && i < (int64_t)v->n)
			return v->items[i];
	}
	return value_opaque_new(r, s, node, "a subscript");
}

static const struct value *
eval_strings(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(SYNTAX_BYTES_MAX);
	enum value_kind kind = VALUE_STR;

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		const struct value *v = eval(r, s, c);
		if (v->kind != VALUE_STR && v->kind != VALUE_BYTES)
			return value_opaque_new(r, s, node,
			    v->why != NULL ? v->why : "a string");
		kind = v->kind;
		strbuf_add(&b, v->text, v->len);
	}
	return value_text(r, kind, b.s, b.len, y->v[node].line);
}

static const struct value *
eval_kind(struct reader *r, struct scope *s, uint32_t node)
{
	const struct syntax *y = &s->m->syn;
	uint32_t line = y->v[node].line;
	uint32_t inner = node_first(y, node);

	switch ((enum node_kind)y->v[node].kind) {
	case N_IDENTIFIER:
		return name_value(r, s, text_at(r, s, node), line);
	case N_ATTRIBUTE:
		return eval_attribute(r, s, node);
	case N_CALL:
		return eval_call(r, s, node);
	case N_STRING:
		return eval_string(r, s, node);
	case N_CONCATENATED:
		return eval_strings(r, s, node);
	case N_INTEGER:
	case N_FLOAT:
		return eval_number(r, s, node);
	case N_TRUE:
	case N_FALSE:
		return value_bool_new(r, y->v[node].kind == N_TRUE, line);
	case N_NONE:
		return value_seal(r, value_new(r, VALUE_NONE, line));
	case N_LIST:
		return eval_items(r, s, node, VALUE_LIST);
	case N_TUPLE:
	case N_EXPR_LIST:
		return eval_items(r, s, node, VALUE_TUPLE);
	case N_SET:
		return eval_items(r, s, node, VALUE_SET);
	case N_DICT:
		return eval_dict(r, s, node);
	case N_PAREN:
		if (inner != 0)
			return eval(r, s, inner);
		break;
	case N_NAMED:
		if ((inner = node_field(y, node, F_VALUE)) != 0)
			return eval(r, s, inner);
		break;
	case N_BINARY:
		return eval_binary(r, s, node);
	case N_UNARY:
	case N_NOT:
		return eval_unary(r, s, node);
	case N_BOOLEAN:
		return eval_boolean(r, s, node);
	case N_COMPARE:
		return eval_compare(r, s, node);
	case N_CONDITIONAL:
		return eval_conditional(r, s, node);
	case N_SUBSCRIPT:
		return eval_subscript(r, s, node);
	case N_LIST_COMP:
	case N_GENERATOR:
		return eval_comp(r, s, node, VALUE_LIST);
	case N_SET_COMP:
		return eval_comp(r, s, node, VALUE_SET);
	case N_DICT_COMP:
		return eval_comp(r, s, node, VALUE_DICT);
	case N_LAMBDA:
		return value_opaque_new(r, s, node, "a lambda");
	case N_ELLIPSIS:
		return value_name(r, "Ellipsis", line);
	default:
		break;
	}
	return value_opaque_new(r, s, node, "an expression that needs running");
}

const struct value *
eval(struct reader *r, struct scope *s, uint32_t node)
{
	if (r->steps == 0)
		return value_opaque_new(r, s, node, "too much to work out");
	if (r->depth > READER_DEPTH)
		return value_opaque_new(r, s, node, "nested too deeply");
	r->steps--;
	r->depth++;
	const struct value *v = eval_kind(r, s, node);
	r->depth--;
	return v;
}

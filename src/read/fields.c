/* Fields and operations of the project: what their __init__ makes of their
 * arguments. */
#include <string.h>

#include "base/util.h"
#include "read/module.h"

struct init {
	struct reader *r;
	struct scope *in;		/* its parameters */
	const struct syntax *y;
	uint32_t args, rest;		/* names of *args, **kwargs; 0: none */
	struct list(const struct value *) items, first;	/* first: handed on */
	struct list(struct kwarg) kw, out;
	struct list(struct kwarg) mine;	/* self.x = … */
	uint32_t cls;
	bool called;			/* super().__init__() */
	bool op;			/* of an operation */
};

static enum decides
decides(const struct init *x, sym name)
{
	if (!x->op)
		return field_decides(name);
	return op_decides(name) ? DECIDES_MORE : DECIDES_NOTHING;
}

static bool
is_text(const struct init *x, uint32_t node, const char *text)
{
	const struct node *n = &x->y->v[node];

	return n->end - n->start == strlen(text) &&
	    memcmp(x->y->text + n->start, text, strlen(text)) == 0;
}

static bool
same_name(const struct init *x, uint32_t a, uint32_t b)
{
	const struct node *p = &x->y->v[a], *q = &x->y->v[b];

	return a != 0 && b != 0 && p->end - p->start == q->end - q->start &&
	    memcmp(x->y->text + p->start, x->y->text + q->start,
	    p->end - p->start) == 0;
}

static sym
text_of_node(const struct init *x, uint32_t node)
{
	const struct node *n = &x->y->v[node];

	return sym_getn(x->r->a, x->y->text + n->start, n->end - n->start);
}

static void
kw_remove(struct init *x, sym name)
{
	for (uint32_t i = 0; i < x->kw.n; i++)
		if (x->kw.v[i].name == name)
			x->kw.v[i--] = x->kw.v[--x->kw.n];
}

/* **kwargs as they are now, for expressions that ask for one. */
static void
bind_rest(struct init *x)
{
	struct value *v = value_new(x->r, VALUE_DICT, 0);
	const struct value **items = arena_array(x->r->a,
	    const struct value *, 2 * (size_t)x->kw.n + 1);

	for (uint32_t i = 0; i < x->kw.n; i++) {
		sym name = x->kw.v[i].name;
		items[v->n++] = value_text(x->r, VALUE_STR, name,
		    strlen(name), 0);
		items[v->n++] = x->kw.v[i].value;
	}
	v->items = items;
	if (x->rest != 0)
		scope_unpack(x->r, x->in, x->rest, value_seal(x->r, v));
}

static bool
kw_set(struct init *x, sym name, const struct value *v, bool only_default)
{
	if (name == NULL)
		return false;
	for (uint32_t i = 0; i < x->kw.n; i++)
		if (x->kw.v[i].name == name && only_default)
			return true;
	kw_remove(x, name);
	*list_add(x->r->a, &x->kw) = (struct kwarg){ name, v };
	return true;
}

/* A parameter that is named takes its argument out of the others. */
static bool
parameter(struct init *x, uint32_t c, uint32_t name, bool positional)
{
	sym s = text_of_node(x, name);
	const struct value *v = NULL;
	uint32_t dflt = node_field(x->y, c, F_VALUE);

	for (uint32_t i = 0; i < x->kw.n; i++)
		if (x->kw.v[i].name == s)
			v = x->kw.v[i].value;
	kw_remove(x, s);
	if (v == NULL && positional && x->items.n > 0) {
		v = x->items.v[0];
		x->items.v++;
		x->items.n--;
		x->items.cap--;
	}
	if (v == NULL && dflt != 0)
		v = eval(x->r, x->in->outer, dflt);
	if (v == NULL)
		return false;
	scope_unpack(x->r, x->in, name, v);
	return true;
}

static bool
parameters(struct init *x, uint32_t list)
{
	const struct syntax *y = x->y;
	bool positional = true, first = true;

	for (uint32_t c = node_first(y, list); c != 0;
	    c = node_next(y, list, c), first = false) {
		const char *s = y->text + y->v[c].start;
		uint32_t name = c;
		while (name < c + y->v[c].size &&
		    y->v[name].kind != N_IDENTIFIER)
			name++;
		bool named = name < c + y->v[c].size;
		if (first)
			continue;	/* self */
		if (*s == '*') {
			bool two = s[1] == '*';
			positional = false;
			if (two)
				x->rest = named ? name : 0;
			else
				x->args = named ? name : 0;
		} else if (!named || !parameter(x, c, name, positional)) {
			return false;
		}
	}
	return true;
}

/* kwargs["x"]: its name */
static sym
subscript_name(const struct init *x, uint32_t node)
{
	uint32_t of = x->y->v[node].kind == N_SUBSCRIPT ?
	    node_field(x->y, node, F_VALUE) : 0;
	uint32_t at = of != 0 ? node_field(x->y, node, F_SUBSCRIPT) : 0;

	return at != 0 && same_name(x, of, x->rest) ?
	    value_str(x->r->a, eval(x->r, x->in, at)) : NULL;
}

static bool statement_call(struct init *x, uint32_t call);

static const struct value *
value_of(struct init *x, uint32_t node)
{
	uint32_t object = x->y->v[node].kind == N_ATTRIBUTE ?
	    node_field(x->y, node, F_OBJECT) : 0;
	sym name = object != 0 && is_text(x, object, "self") ?
	    text_of_node(x, node_field(x->y, node, F_ATTRIBUTE)) : NULL;

	for (uint32_t i = x->mine.n; i > 0 && name != NULL; i--)
		if (x->mine.v[i - 1].name == name)
			return x->mine.v[i - 1].value;
	return eval(x->r, x->in, node);
}

/* Is **kwargs only asked for an item in an expression? */
static bool
asks_only(const struct init *x, uint32_t node)
{
	const struct syntax *y = x->y;

	for (uint32_t i = node; i < node + y->v[node].size; i++) {
		uint32_t attr = i > node && y->v[i - 1].kind == N_ATTRIBUTE ?
		    node_field(y, i - 1, F_ATTRIBUTE) : 0;
		if (y->v[i].kind == N_IDENTIFIER && same_name(x, i, x->rest) &&
		    (attr == 0 || !is_text(x, attr, "get")))
			return false;
	}
	return true;
}

static bool
assignment(struct init *x, uint32_t node)
{
	uint32_t left = node_field(x->y, node, F_LEFT);
	uint32_t right = node_field(x->y, node, F_RIGHT);
	uint32_t object = left != 0 && x->y->v[left].kind == N_ATTRIBUTE ?
	    node_field(x->y, left, F_OBJECT) : 0;

	if (left == 0 || right == 0)
		return false;
	bool pops = x->y->v[right].kind == N_CALL && !asks_only(x, right);
	if (pops ? !statement_call(x, right) : !asks_only(x, right))
		return false;
	if (x->y->v[left].kind == N_IDENTIFIER && !pops &&
	    !same_name(x, left, x->rest) && !same_name(x, left, x->args)) {
		scope_unpack(x->r, x->in, left, eval(x->r, x->in, right));
		return true;
	}
	if (object != 0) {	/* self.x = …: what is the field's own */
		sym name = text_of_node(x, node_field(x->y, left, F_ATTRIBUTE));
		*list_add(x->r->a, &x->mine) = (struct kwarg){ name,
		    eval(x->r, x->in, right) };
		return is_text(x, object, "self") &&
		    decides(x, name) == DECIDES_NOTHING;
	}
	return !pops && kw_set(x, subscript_name(x, left), value_of(x, right),
	    false);
}

/* super().__init__(*args, **kwargs, x=…) */
static bool
call_super(struct init *x, uint32_t args)
{
	const struct syntax *y = x->y;
	bool rest = false, positional = false;

	for (uint32_t c = node_first(y, args); c != 0;
	    c = node_next(y, args, c)) {
		uint32_t in = node_first(y, c);
		if (y->v[c].kind == N_SPLAT && same_name(x, in, x->args)) {
			positional = true;
		} else if (y->v[c].kind == N_DICT_SPLAT &&
		    same_name(x, in, x->rest)) {
			rest = true;
		} else if (y->v[c].kind == N_KEYWORD) {
			uint32_t v = node_field(y, c, F_VALUE);
			*list_add(x->r->a, &x->out) = (struct kwarg){
			    text_of_node(x, in), v != 0 ? value_of(x, v) :
			    NULL };
			if (v == 0)
				return false;
		} else if (x->op && y->v[c].kind != N_SPLAT &&
		    y->v[c].kind != N_DICT_SPLAT) {
			*list_add(x->r->a, &x->first) = value_of(x, c);
		} else {
			return false;
		}
	}
	for (uint32_t i = 0; rest && i < x->kw.n; i++)
		*list_add(x->r->a, &x->out) = x->kw.v[i];
	if (!positional)
		x->items.n = 0;
	if (x->called)
		return false;
	return x->called = true;
}

/* super(), or super(of this class, self) */
static bool
is_super(const struct init *x, uint32_t call)
{
	uint32_t fn = node_field(x->y, call, F_FUNCTION);
	uint32_t args = node_field(x->y, call, F_ARGUMENTS);
	uint32_t first = args != 0 ? node_first(x->y, args) : 0;

	return fn != 0 && is_text(x, fn, "super") && (first == 0 ||
	    same_name(x, first, node_field(x->y, x->cls, F_NAME)));
}

static bool
statement_call(struct init *x, uint32_t call)
{
	const struct syntax *y = x->y;
	uint32_t fn = node_field(y, call, F_FUNCTION);
	uint32_t args = node_field(y, call, F_ARGUMENTS);
	uint32_t object = fn != 0 ? node_field(y, fn, F_OBJECT) : 0;
	uint32_t attr = object != 0 ? node_field(y, fn, F_ATTRIBUTE) : 0;

	if (attr == 0 || args == 0)
		return false;
	if (is_text(x, attr, "__init__") && y->v[object].kind == N_CALL)
		return is_super(x, object) && call_super(x, args);
	uint32_t first = node_first(y, args);
	uint32_t second = first != 0 ? node_next(y, args, first) : 0;
	if (!same_name(x, object, x->rest) || first == 0 ||
	    y->v[first].kind != N_STRING)
		return false;
	sym name = value_str(x->r->a, eval(x->r, x->in, first));
	if (is_text(x, attr, "setdefault") && second != 0)
		return kw_set(x, name, eval(x->r, x->in, second), true);
	if (is_text(x, attr, "pop") && name != NULL) {
		kw_remove(x, name);
		return true;
	}
	return false;
}

/* An `if` whose branches only set what is the field's own, or raise. */
static bool
neutral(struct init *x, uint32_t node)
{
	const struct syntax *y = x->y;

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		uint32_t in = node_first(y, c);
		uint32_t left = y->v[c].kind == N_STATEMENT && in != 0 &&
		    y->v[in].kind == N_ASSIGN ? node_field(y, in, F_LEFT) : 0;
		if (y->v[c].kind == N_BLOCK || y->v[c].kind == N_ELSE ||
		    y->v[c].kind == N_ELIF) {
			if (!neutral(x, c))
				return false;
		} else if (memcmp(y->text + y->v[c].start, "raise", 5) == 0) {
			continue;	/* or it would not be here */
		} else if (y->v[c].field == F_CONDITION) {
			if (!asks_only(x, c))
				return false;
		} else if (left == 0 || y->v[left].kind != N_ATTRIBUTE ||
		    !asks_only(x, in) || !assignment(x, in)) {
			return false;
		} else {	/* or it is not */
			x->mine.v[x->mine.n - 1].value = eval(x->r, x->in,
			    left);
		}
	}
	return true;
}

/* An `if` that decides about variables: what they are then is not known. */
static bool
vague(struct init *x, uint32_t node)
{
	const struct syntax *y = x->y;

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		uint32_t in = node_first(y, c);
		uint32_t left = y->v[c].kind == N_STATEMENT && in != 0 &&
		    y->v[in].kind == N_ASSIGN ? node_field(y, in, F_LEFT) : 0;
		if (y->v[c].kind == N_BLOCK || y->v[c].kind == N_ELSE ||
		    y->v[c].kind == N_ELIF) {
			if (!vague(x, c))
				return false;
		} else if (y->v[c].field == F_CONDITION) {
			if (!asks_only(x, c))
				return false;
		} else if (left == 0 || y->v[left].kind != N_IDENTIFIER ||
		    !asks_only(x, in)) {
			return false;
		} else {
			scope_unpack(x->r, x->in, left, value_opaque_new(x->r,
			    x->in, in, "depends on a condition"));
		}
	}
	return true;
}

static bool
statement(struct init *x, uint32_t c)
{
	const struct syntax *y = x->y;
	uint32_t in = node_first(y, c);
	enum node_kind k = in != 0 ? y->v[in].kind : N_OTHER;
	sym name;

	if (y->v[c].kind == N_PASS)
		return true;
	if (x->called)	/* the arguments are handed on */
		return !(x->op ? op_changes : field_changes)(y->text +
		    y->v[c].start, y->v[c].end - y->v[c].start) && memmem(y->text + y->v[c].start,
		    y->v[c].end - y->v[c].start, "__init__", 8) == NULL;
	if (y->v[c].kind == N_DELETE && in != 0 &&
	    (name = subscript_name(x, in)) != NULL) {
		kw_remove(x, name);
		return true;
	}
	if (y->v[c].kind == N_IF)
		return x->op ? vague(x, c) : neutral(x, c);
	uint32_t own = x->op && y->v[c].kind == N_FUNCTION ?
	    node_field(y, c, F_NAME) : 0;
	if (own != 0) {
		scope_unpack(x->r, x->in, own, value_name(x->r, sym_printf(
		    x->r->a, "%s.%s", x->in->dotted, text_of_node(x, own)),
		    y->v[c].line));
		return true;
	}
	if (y->v[c].kind != N_STATEMENT)
		return false;
	return k == N_STRING || (k == N_ASSIGN && assignment(x, in)) ||
	    (k == N_CALL && statement_call(x, in));
}

/* The arguments that one __init__ hands on; what it decides by itself. */
static enum decides
init_follow(struct reader *r, struct value *call, struct scope *cls,
    uint32_t fn, bool op)
{
	struct scope *in = arena_make(r->a, struct scope);
	struct init x = { .r = r, .in = in, .y = &cls->m->syn,
	    .cls = cls->node, .op = op };
	uint32_t body = node_field(x.y, fn, F_BODY);
	uint32_t params = node_field(x.y, fn, F_PARAMETERS);

	in->m = cls->m;
	in->outer = &cls->m->top;
	in->dotted = cls->dotted;
	in->fn = fn;
	for (uint32_t i = 0; i < call->n; i++)
		*list_add(r->a, &x.items) = call->items[i];
	for (uint32_t i = 0; i < call->nkw; i++)
		*list_add(r->a, &x.kw) = call->kw[i];
	if (body == 0 || params == 0 || !parameters(&x, params))
		return DECIDES_MORE;
	bind_rest(&x);
	for (uint32_t c = node_first(x.y, body); c != 0;
	    c = node_next(x.y, body, c))
		if (!statement(&x, c))
			return DECIDES_MORE;
		else
			bind_rest(&x);
	enum decides out = x.called ? DECIDES_NOTHING : DECIDES_MORE;
	for (uint32_t i = 0; i < x.out.n; i++) {
		const struct value *v = eval_force(r, x.out.v[i].value);
		enum decides d = op ? DECIDES_NOTHING :
		    field_decides(x.out.v[i].name);
		if (d > out && (value_opaque(v) || v->kind == VALUE_NAME ||
		    v->kind == VALUE_CALL))
			out = d;
	}
	for (uint32_t i = 0; i < x.items.n; i++)
		*list_add(r->a, &x.first) = x.items.v[i];
	call->items = x.first.v;
	call->n = x.first.n;
	call->kw = x.out.v;
	call->nkw = x.out.n;
	return out;
}

bool
op_follow(struct reader *r, struct value *call, const struct class_info *ci)
{
	for (uint32_t i = 0; i < ci->ninits; i++)
		if (init_follow(r, call, ci->inits[i].cls, ci->inits[i].fn,
		    true) != DECIDES_NOTHING)
			return false;
	return true;
}

void
field_follow(struct reader *r, struct value *call)
{
	struct class_info ci;
	struct value v = *call;

	class_follow(r, &ci, call->name);
	if (!ci.cls || ci.base == NULL || starts_with(ci.base,
	    "django.db.migrations.") || starts_with(ci.base,
	    "django.contrib.postgres.operations.")) {
		call->base = ci.field_own == NULL ? ci.base : NULL;
		return;
	}
	for (uint32_t i = 0; i < ci.ninits && ci.decides != DECIDES_MORE; i++) {
		enum decides d = init_follow(r, &v, ci.inits[i].cls,
		    ci.inits[i].fn, false);
		if (d > ci.decides) {
			ci.decides = d;
			ci.field_own = sym_get(r->a, "__init__");
		}
	}
	if (ci.decides != DECIDES_NOTHING) {
		call->why = sym_printf(r->a, "%s (%s:%u) decides by its own "
		    "%s", call->name, ci.where, ci.line, ci.field_own);
		call->i = ci.decides == DECIDES_MORE;
		return;
	}
	call->items = v.items;
	call->n = v.n;
	call->kw = v.kw;
	call->nkw = v.nkw;
	call->base = ci.base;
}

/* Does an argument of a field decide about its column, as a constant? */
static bool
settles(sym arg)
{
	static const char *const args[] = { "max_length", "max_digits",
	    "decimal_places", "null", "unique", "db_index", "primary_key",
	    "db_column", "db_constraint", "db_collation", "db_default",
	    "size", "dim", "srid", "geography" };

	return AMONG(args, arg);
}

const struct value *
field_settled(struct reader *r, const struct value *call)
{
	struct value *w = NULL;
	struct kwarg *kw = NULL;

	for (uint32_t i = 0; i < call->nkw; i++) {
		const struct kwarg *k = &call->kw[i];
		if (k->value->kind != VALUE_NAME || !settles(k->name))
			continue;
		const struct value *v = eval_force(r, k->value);
		if (v->either || (v->kind != VALUE_INT &&
		    v->kind != VALUE_BOOL && v->kind != VALUE_STR &&
		    v->kind != VALUE_NONE))
			continue;
		if (w == NULL) {
			w = arena_copy(r->a, call, sizeof(*call));
			kw = arena_copy(r->a, call->kw,
			    call->nkw * sizeof(*kw));
			w->kw = kw;
		}
		kw[i].value = v;
	}
	return w == NULL ? call : value_seal(r, w);
}

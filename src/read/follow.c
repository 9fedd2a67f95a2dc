/* From a name to what it stands for: bindings, and the project's own short
 * functions that return a value. */
#include <string.h>

#include "base/util.h"
#include "read/config.h"
#include "read/module.h"

static const struct value *
unknown(struct reader *r, const struct scope *s, const struct binding *b,
    const char *why)
{
	if (b->node != 0)
		return value_opaque_new(r, s, b->node, why);
	struct value *v = value_new(r, VALUE_OPAQUE, 0);
	v->text = b->name;
	v->len = strlen(b->name);
	v->why = sym_get(r->a, why);
	return value_seal(r, v);
}

/* What the name held before it is added to; NULL: nothing, or in some worlds
 * what a scope further out holds. */
static const struct value *
before(struct reader *r, struct scope *s, const struct binding *b)
{
	struct bound f;

	name_find(r, s, b->name, &f);
	if (f.b == NULL || (f.where != s && under_some(b->u)))
		return NULL;
	return eval_force(r, eval_binding(r, f.where, f.b));
}

/* xs.append(v), xs.extend(vs), xs.insert(i, v) */
static const struct value *
method_result(struct reader *r, struct scope *env, const struct binding *b,
    const struct value *was)
{
	const struct syntax *y = &env->m->syn;
	uint32_t first = node_first(y, b->node);
	uint32_t second = first != 0 ? node_next(y, b->node, first) : 0;
	bool insert = streq(b->dotted, "insert");
	uint32_t what = insert ? second : first;

	if (what == 0 || (was->kind != VALUE_LIST))
		return NULL;
	const struct value *v = eval(r, env, what);
	if (streq(b->dotted, "extend"))
		return value_join(r, was, eval_force(r, v), b->u);
	struct value *one = value_new(r, VALUE_LIST, v->line);
	const struct value **items = arena_array(r->a, const struct value *, 1);
	items[0] = v;
	one->items = items;
	one->n = 1;
	if (!insert)
		return value_join(r, was, value_seal(r, one), b->u);
	const struct value *at = eval(r, env, first);
	if (at->kind != VALUE_INT || at->text != NULL ||
	    (was->either && at->i != 0))
		return NULL;
	int64_t i = at->i < 0 ? at->i + (int64_t)was->n : at->i;
	i = i < 0 ? 0 : i > (int64_t)was->n ? (int64_t)was->n : i;
	struct value *head = arena_copy(r->a, was, sizeof(*was));
	struct value *tail = arena_copy(r->a, was, sizeof(*was));
	head->n = (uint32_t)i;
	tail->items = was->n > 0 ? was->items + i : NULL;
	tail->n = was->n - (uint32_t)i;
	return value_join(r, value_join(r, value_seal(r, head),
	    value_seal(r, one), b->u), value_seal(r, tail), EVER);
}

/* The items of one list or of the other. */
static const struct value *
either_list(struct reader *r, const struct value *a, struct under x,
    const struct value *b, struct under y)
{
	struct value *none = value_new(r, a->kind == VALUE_TUPLE ?
	    VALUE_TUPLE : VALUE_LIST, a->line);
	const struct value *v = value_join(r, value_seal(r, none), a, x);

	return v != NULL && b != NULL ? value_join(r, v, b, y) : v;
}

/* What the name held in this scope before; NULL: nothing. */
static const struct value *
held(struct reader *r, struct scope *s, const struct binding *b)
{
	struct binding *p = scope_own(s, b->name);
	struct bound f;

	if (s->stars.n == 0)
		return p != NULL ? eval_binding(r, s, p) : NULL;
	name_find(r, s, b->name, &f);
	if (f.b != NULL)
		return eval_binding(r, f.where, f.b);
	return f.from != NULL || f.lost ? unknown(r, s, b,
	    "bound in a way that is not followed") : NULL;
}

/* name = v where that is so in some worlds only; in the others it is as it
 * was, or has no value, which for a class is that of its bases. */
static const struct value *
sometimes(struct reader *r, struct scope *s, struct binding *b,
    const struct value *v)
{
	const struct value *was = held(r, s, b);
	struct under u = b->u, not = { u.maybe, u.maybe ? 0 :
	    (uint8_t)~u.not_in };

	if (was == NULL && s->node == 0)
		return v;
	if (was != NULL && value_equal(was, v) && !v->either)
		return v;
	const struct value *w = was == NULL ?
	    either_list(r, eval_force(r, v), u, NULL, u) :
	    either_list(r, eval_force(r, was), not, eval_force(r, v), u);
	if (w != NULL)
		return w;
	const struct value *both[2] = { value_under(r, v, u),
	    was != NULL ? value_under(r, was, not) : NULL };
	return value_either(r, both, was != NULL ? 2 : 1,
	    unknown(r, s, b, "depends on a condition"));
}

static const struct value *
work_out(struct reader *r, struct scope *s, struct binding *b)
{
	union { const struct scope *c; struct scope *m; } env =
	    { .c = b->env };
	struct scope *in = env.m != NULL ? env.m : s;
	const struct value *was, *v;

	switch (b->kind) {
	case BIND_IMPORT:
		return value_name(r, b->dotted, 0);
	case BIND_CLASS:
	case BIND_FUNCTION:
		return value_name(r, sym_printf(r->a, "%s.%s", s->dotted,
		    b->name), s->m->syn.v[b->node].line);
	case BIND_VALUE:
		return b->value;
	case BIND_EXPR:
		v = eval(r, in, b->node);
		return under_some(b->u) ? sometimes(r, s, b, v) :
		    v;
	case BIND_AUG:
		was = before(r, s, b);
		v = eval_force(r, eval(r, in, b->node));
		if (was == NULL)
			break;
		if (was->kind == VALUE_STR && v->kind == VALUE_STR &&
		    !under_some(b->u)) {
			struct strbuf t STRBUF_SCOPED =
			    STRBUF_LIMIT(SYNTAX_BYTES_MAX);
			strbuf_add(&t, was->text, was->len);
			strbuf_add(&t, v->text, v->len);
			return value_text(r, VALUE_STR, t.s, t.len, was->line);
		}
		v = value_join(r, was, v, b->u);
		return v != NULL ? v : unknown(r, s, b, "added to in a way "
		    "that is not followed");
	case BIND_METHOD:
		was = before(r, s, b);
		v = was != NULL ? method_result(r, in, b, was) : NULL;
		return v != NULL ? v : unknown(r, s, b, "changed in a way "
		    "that is not followed");
	case BIND_UNKNOWN:
		break;
	}
	return unknown(r, s, b, "bound in a way that is not followed");
}

const struct value *
eval_binding(struct reader *r, struct scope *s, struct binding *b)
{
	if (b->value != NULL)	/* it need not be of s: see stars.c */
		return b->value;
	uint32_t k = (uint32_t)(b - s->binds.v);
	uint32_t limit = s->limit;
	if (b->busy || r->depth > READER_DEPTH)
		return unknown(r, s, b, b->busy ? "defined by itself" :
		    "nested too deeply");
	bool kept = r->kept;

	b->busy = true;
	r->depth++;
	s->limit = k + 1;
	r->kept |= s->m->followed && s->fn == 0;
	const struct value *v = work_out(r, s, b);
	r->kept = kept;
	s->limit = limit;
	r->depth--;
	b = &s->binds.v[k];	/* the list may have moved */
	b->busy = false;
	b->value = v;
	return v;
}

/* The parameters of a function bound to the arguments of a call. */
static bool
bind_args(struct reader *r, struct scope *in, uint32_t params,
    const struct value *call)
{
	const struct syntax *y = &in->m->syn;
	uint32_t i = 0;

	for (uint32_t c = node_first(y, params); c != 0;
	    c = node_next(y, params, c)) {
		uint32_t name = y->v[c].kind == N_IDENTIFIER ? c :
		    y->v[c].kind == N_DEFAULT_PARAM ?
		    node_field(y, c, F_NAME) : 0;
		if (name == 0)
			return false;
		const char *text = arena_printf(r->a, "%.*s",
		    (int)(y->v[name].end - y->v[name].start),
		    y->text + y->v[name].start);
		const struct value *v = value_arg(call, text, (int)i++);
		if (v == NULL && name != c)
			v = eval(r, in->outer, node_field(y, c, F_VALUE));
		if (v == NULL)
			return false;
		scope_unpack(r, in, name, v);
	}
	return call->n <= i;
}

/* Every value that the function may return, in order, in its worlds. */
static const struct value *
returned(struct reader *r, struct scope *in)
{
	sym name = sym_get(r->a, SCOPE_RETURN);
	struct list(const struct value *) v = { 0 };
	struct under u = EVER;

	for (uint32_t i = 0; i < in->binds.n; i++) {
		struct binding *b = &in->binds.v[i];
		if (b->name != name || b->node == 0)
			continue;
		if (b->kind != BIND_EXPR)
			return NULL;
		in->limit = i + 1;
		const struct value *w = eval(r, in, b->node);
		in->limit = 0;
		u.maybe |= b->u.maybe;
		u.not_in = b->u.not_in;
		*list_add(r->a, &v) = value_under(r, w, u);
	}
	if (v.n == 0)
		return NULL;
	return v.n == 1 && !under_some(u) ? v.v[0] :
	    value_either(r, v.v, v.n, v.v[0]);
}

/* A generator, or one that must be awaited: its return is not its value. */
static bool
gives_later(const struct syntax *y, uint32_t fn)
{
	for (uint32_t i = fn + 1; i < fn + y->v[fn].size; i++)
		if (y->v[i].kind == N_YIELD)
			return true;
	return y->text[y->v[fn].start] == 'a';
}

static const struct value *
call_function(struct reader *r, struct scope *where, uint32_t fn,
    const struct value *call)
{
	const struct syntax *y = &where->m->syn;
	uint32_t body = node_field(y, fn, F_BODY);
	uint32_t params = node_field(y, fn, F_PARAMETERS);
	struct scope *in = arena_make(r->a, struct scope);
	uint32_t limit = where->limit;

	if (body == 0 || module_meddles(where->m, fn) || gives_later(y, fn))
		return NULL;
	in->m = where->m;
	in->fn = fn;
	in->outer = where->node == 0 ? where : &where->m->top;
	in->dotted = where->dotted;
	where->limit = 0;	/* it runs when all is bound */
	const struct value *v = NULL;
	if (params == 0 || bind_args(r, in, params, call)) {
		scope_fill(r, in, body);
		v = returned(r, in);
	}
	where->limit = limit;
	return v;
}

static const struct value *
known_name(struct reader *r, const struct value *v)
{
	if (ends_with(v->name, ".connection.vendor"))
		return value_text(r, VALUE_STR, "postgresql", 10, v->line);
	int django = r->lookup != NULL && r->lookup->project != NULL ?
	    r->lookup->project->django : 0;
	if (streq(v->name, "django.VERSION") && django > 0) {
		struct value *t = value_new(r, VALUE_TUPLE, v->line);
		const struct value **items =
		    arena_array(r->a, const struct value *, 5);
		items[0] = value_int_new(r, django / 100, v->line);
		items[1] = value_int_new(r, django % 100, v->line);
		items[2] = value_name(r, "django.VERSION[2]", v->line);
		items[3] = value_name(r, "django.VERSION[3]", v->line);
		items[4] = value_name(r, "django.VERSION[4]", v->line);
		t->items = items;
		t->n = 5;
		return value_seal(r, t);
	}
	return v;
}

static const struct value *
force(struct reader *r, const struct value *v)
{
	struct scope *where;

	if (v->kind == VALUE_NAME && (starts_with(v->name, "django.") ||
	    ends_with(v->name, ".connection.vendor")))
		return known_name(r, v);
	if ((v->kind != VALUE_NAME && v->kind != VALUE_CALL) ||
	    starts_with(v->name, "django."))
		return v;
	struct binding *b = dotted_find(r, v->name, &where);
	if (b == NULL && v->kind == VALUE_NAME && r->leads != NULL)
		return known_name(r, value_name(r, r->leads, v->line));
	if (b == NULL)
		return v;
	if (v->kind == VALUE_CALL) {
		const struct value *w = b->kind == BIND_FUNCTION &&
		    !b->dressed ?
		    call_function(r, where, b->node, v) : NULL;
		return w != NULL ? w : v;
	}
	if (b->kind == BIND_CLASS || b->kind == BIND_FUNCTION)
		return v;
	uint32_t limit = where->limit;
	where->limit = 0;
	const struct value *w = eval_binding(r, where, b);
	where->limit = limit;
	return w;
}

const struct value *
eval_force(struct reader *r, const struct value *v)
{
	for (int i = 0; i < 16 && r->depth <= READER_DEPTH; i++) {
		r->depth++;
		const struct value *w = force(r, v);
		r->depth--;
		if (w == v || (w->kind == v->kind && value_equal(w, v)))
			return w;
		v = w;
	}
	return v;
}

int
eval_truth(struct reader *r, const struct value *v)
{
	v = eval_force(r, v);
	if (v->either)
		return -1;
	switch (v->kind) {
	case VALUE_NONE:
		return 0;
	case VALUE_BOOL:
		return v->i != 0;
	case VALUE_INT:
		return v->text != NULL || v->i != 0;
	case VALUE_STR:
	case VALUE_BYTES:
		return v->len > 0;
	case VALUE_LIST:
	case VALUE_TUPLE:
	case VALUE_SET:
	case VALUE_DICT:
		return v->n > 0;
	case VALUE_NAME:
		return streq(v->name, "typing.TYPE_CHECKING") ? 0 : -1;
	case VALUE_OPAQUE:
	case VALUE_FLOAT:
	case VALUE_CALL:
		break;
	}
	return -1;
}

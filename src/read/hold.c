/* Who holds whom: a list that changes is changed for all that hold it. */
#include <string.h>

#include "base/util.h"
#include "read/spoil.h"

#define BUDGET 4000000u

enum how {
	AS_PART,	/* its items, or a copy of it */
	AS_ITEM,	/* the thing itself, in something else */
	AS_SAME		/* it is the same thing */
};

struct edge {
	sym holder, held;
	uint32_t fn, in, at;	/* held's function; where the edge stands */
	enum how how;
};

struct range { uint32_t start, end; };
struct set { struct list(sym) v; };

struct holding {
	struct spoil *x;
	struct list(struct edge) edges;
	struct list(struct range) loops;
	sym holder;
	uint32_t at;
	uint32_t budget;
};

static void
put_edge(struct holding *h, const struct known *k, enum how how)
{
	*list_add(h->x->r->a, &h->edges) = (struct edge){ h->holder, k->name,
	    k->fn, names_fn(h->x), h->at, how };
}

static void
add_edge(struct holding *h, sym held, enum how how)
{
	const struct known *k = names_find(h->x, held);

	/* a function counts where it is called */
	if (k != NULL && h->holder != held && (k->kind == K_VALUE ||
	    k->kind == K_PARAMETER || (k->kind == K_IMPORT && !k->clean &&
	    how != AS_PART)))
		put_edge(h, k, how);
}

static bool
copies(const struct spoil *x, uint32_t fn)
{
	static const char *const names[] = { "list", "tuple", "dict", "set",
	    "frozenset", "sorted", "len", "str", "range", "enumerate", "zip",
	    "reversed", "sum", "any", "all", "isinstance", "print" };
	sym name = names_text(x, fn);

	for (size_t i = 0; i < countof(names); i++)
		if (streq(names[i], name))
			return true;
	return false;
}

static void mentions(struct holding *h, uint32_t node, enum how how);

static void
mentions_in(struct holding *h, uint32_t node, enum how how)
{
	const struct syntax *y = h->x->y;

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c))
		mentions(h, c, how);
}

/* What an expression makes the holder hold. */
static void
mentions(struct holding *h, uint32_t node, enum how how)
{
	const struct syntax *y = h->x->y;
	const struct known *k;
	uint32_t fn;

	switch ((enum node_kind)y->v[node].kind) {
	case N_IDENTIFIER:
		if (y->v[node].field != F_ATTRIBUTE)
			add_edge(h, names_text(h->x, node), how);
		break;
	case N_PAREN:
	case N_CONDITIONAL:
	case N_BOOLEAN:
	case N_NAMED:
		mentions_in(h, node, how);
		break;
	case N_KEYWORD:
		if ((fn = node_field(y, node, F_VALUE)) != 0)
			mentions(h, fn, AS_ITEM);
		break;
	case N_CALL:
		fn = node_field(y, node, F_FUNCTION);
		k = fn != 0 && y->v[fn].kind == N_IDENTIFIER ?
		    names_find(h->x, names_text(h->x, fn)) : NULL;
		if (k != NULL && k->kind == K_FUNCTION)
			put_edge(h, k, AS_ITEM);
		if (fn != 0 && y->v[fn].kind == N_IDENTIFIER &&
		    copies(h->x, fn)) {
			mentions_in(h, node, AS_PART);
			break;
		}
		/* fallthrough */
	case N_LIST:
	case N_TUPLE:
	case N_EXPR_LIST:
	case N_SET:
	case N_DICT:
	case N_PAIR:
	case N_ARGS:
	case N_LAMBDA:
	case N_LIST_COMP:
	case N_GENERATOR:
	case N_SET_COMP:
	case N_DICT_COMP:
		mentions_in(h, node, how == AS_PART &&
		    y->v[node].kind == N_ARGS ? AS_PART : AS_ITEM);
		break;
	default:
		mentions_in(h, node, AS_PART);
		break;
	}
}

static void
targets(struct holding *h, uint32_t target, uint32_t value, enum how how)
{
	const struct syntax *y = h->x->y;

	if (y->v[target].kind == N_IDENTIFIER) {
		h->holder = names_text(h->x, target);
		mentions(h, value, how);
	} else if (y->v[target].kind != N_ATTRIBUTE &&
	    y->v[target].kind != N_SUBSCRIPT) {
		for (uint32_t c = node_first(y, target); c != 0;
		    c = node_next(y, target, c))
			targets(h, c, value, how == AS_SAME ? AS_ITEM : how);
	}
}

/* a = b = x: all of them are the same. */
static void
assigned(struct holding *h, uint32_t node)
{
	const struct syntax *y = h->x->y;
	uint32_t left = node_field(y, node, F_LEFT);
	uint32_t right = node_field(y, node, F_RIGHT), last = right;

	while (last != 0 && y->v[last].kind == N_ASSIGN)
		last = node_field(y, last, F_RIGHT);
	if (left == 0 || last == 0)
		return;
	targets(h, left, last, AS_SAME);
	uint32_t next = right != last ? node_field(y, right, F_LEFT) : 0;
	if (next != 0)
		targets(h, left, next, AS_SAME);
}

/* for a in b: what a is, b holds. */
static void
looped(struct holding *h, uint32_t node)
{
	const struct syntax *y = h->x->y;
	uint32_t left = node_field(y, node, F_LEFT);
	uint32_t right = node_field(y, node, F_RIGHT);

	if (left == 0 || right == 0)
		return;
	targets(h, left, right, AS_PART);
	for (uint32_t i = right; i < right + y->v[right].size; i++)
		if (y->v[i].kind == N_IDENTIFIER &&
		    y->v[i].field != F_ATTRIBUTE)
			targets(h, i, left, AS_ITEM);
}

/* xs.append(y) */
static void
called(struct holding *h, uint32_t node)
{
	const struct syntax *y = h->x->y;
	uint32_t fn = node_field(y, node, F_FUNCTION);
	uint32_t args = node_field(y, node, F_ARGUMENTS);
	uint32_t object = fn != 0 ? node_field(y, fn, F_OBJECT) : 0;
	uint32_t attr = object != 0 ? node_field(y, fn, F_ATTRIBUTE) : 0;

	if (attr == 0 || args == 0 || y->v[object].kind != N_IDENTIFIER)
		return;
	h->holder = names_text(h->x, object);
	const struct known *k = names_find(h->x, h->holder);
	if (k == NULL || (k->kind != K_VALUE && k->kind != K_PARAMETER))
		return;
	mentions_in(h, args, streq(names_text(h->x, attr), "extend") ?
	    AS_PART : AS_ITEM);
}

/* A function holds what it speaks of and does not bind itself. */
static void
defined(struct holding *h, uint32_t node)
{
	const struct syntax *y = h->x->y;
	uint32_t name = node_field(y, node, F_NAME);

	if (name == 0)
		return;
	h->holder = names_text(h->x, name);
	for (uint32_t i = node + 1; i < node + y->v[node].size; i++) {
		if (y->v[i].kind != N_IDENTIFIER ||
		    y->v[i].field == F_ATTRIBUTE)
			continue;
		const struct known *k = names_find(h->x,
		    names_text(h->x, i));
		if (k != NULL && k->fn != node)
			add_edge(h, k->name, AS_ITEM);
	}
}

static void
edges_of(struct holding *h, uint32_t i)
{
	const struct syntax *y = h->x->y;
	uint32_t left, right;

	h->at = i;
	switch ((enum node_kind)y->v[i].kind) {
	case N_ASSIGN:
		assigned(h, i);
		break;
	case N_AUG_ASSIGN:
		left = node_field(y, i, F_LEFT);
		right = node_field(y, i, F_RIGHT);
		if (left != 0 && right != 0)
			targets(h, left, right, AS_PART);
		break;
	case N_FOR:
		*list_add(h->x->r->a, &h->loops) =
		    (struct range){ i, i + y->v[i].size };
		/* fallthrough */
	case N_FOR_IN:
		h->at = y->v[i].kind == N_FOR_IN ? 0 : i; /* behind its body */
		looped(h, i);
		break;
	case N_WHILE:
		*list_add(h->x->r->a, &h->loops) =
		    (struct range){ i, i + y->v[i].size };
		break;
	case N_AS:
		left = node_first(y, i);
		right = left != 0 ? node_next(y, i, left) : 0;
		if (right != 0 && y->v[right].kind == N_AS_TARGET)
			targets(h, right, left, AS_SAME);
		break;
	case N_CALL:
		called(h, i);
		break;
	case N_FUNCTION:
		defined(h, i);
		break;
	default:
		break;
	}
}

/* Was the edge there when the change came? */
static bool
before(struct holding *h, const struct edge *e, const struct change *c,
    bool first)
{
	if (e->at < c->at)
		return !first || !names_rebound(h->x, e->held, e->fn, e->at,
		    c->at);
	for (uint32_t i = 0; i < h->loops.n; i++) {
		const struct range *l = &h->loops.v[i];
		if (h->budget > 0)
			h->budget--;
		if (c->at > l->start && e->at < l->end)
			return !first || !names_rebound(h->x, e->held, e->fn,
			    l->start, l->end);
	}
	return false;
}

static bool
has(const struct set *s, sym name)
{
	for (uint32_t i = 0; i < s->v.n; i++)
		if (s->v.v[i] == name)
			return true;
	return false;
}

static bool
put(struct holding *h, struct set *s, sym name)
{
	if (has(s, name))
		return false;
	*list_add(h->x->r->a, &s->v) = name;
	return true;
}

/* One round over all edges: the names that are changed as well. */
static bool
spread(struct holding *h, struct set *s, const struct change *c, sym name,
    bool down)
{
	bool more = false;

	for (uint32_t i = 0; i < h->edges.n && h->budget > 0; i++) {
		const struct edge *e = &h->edges.v[i];
		bool up = has(s, e->held);
		h->budget -= h->budget > s->v.n ? s->v.n + 1 : h->budget;
		if ((e->fn != c->fn && e->in != c->fn) ||
		    up == has(s, e->holder) || !before(h, e, c,
		    e->held == name))
			continue;
		if (up && (c->deep || e->held != name || e->how != AS_PART))
			more |= put(h, s, e->holder);
		else if (!up && (down || e->how == AS_SAME))
			more |= put(h, s, e->held);
	}
	return more;
}

static void
spoil_set(struct holding *h, const struct set *s, const struct change *c)
{
	for (uint32_t i = 0; i < s->v.n; i++) {
		const struct known *k = names_find(h->x, s->v.v[i]);
		/* what is added to, and held by none that is the same, is
		 * followed */
		if (k == NULL || k->kind == K_FUNCTION ||
		    (s->v.v[i] != c->name && names_fixed(h->x, k)) ||
		    (!c->deep && s->v.v[i] == c->name && s->v.n == 1))
			continue;
		spoil_add(h->x, k->name, k->fn, c->at != UINT32_MAX ? c->at :
		    k->node);
	}
}

void
hold_spread(struct spoil *x)
{
	struct holding h = { .x = x, .budget = BUDGET };

	if (x->changes.n == 0)
		return;
	x->nfns = 0;
	for (uint32_t i = 0; i < x->y->n; i++) {
		names_enter(x, i);
		edges_of(&h, i);
	}
	for (uint32_t i = 0; i < x->changes.n && h.budget > 0; i++) {
		const struct change *c = &x->changes.v[i];
		struct set s = { 0 };
		x->nfns = 0;
		if (c->fn != 0)
			x->fns[x->nfns++].node = c->fn;
		put(&h, &s, c->name);
		while (spread(&h, &s, c, c->name, c->deep))
			continue;
		spoil_set(&h, &s, c);
	}
	if (h.budget == 0 && x->m->wild == 0)
		x->m->wild = 1;
}

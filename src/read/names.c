/* What the names of a file are bound to, at a glance. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "read/spoil.h"

static const char *const builtins[] = { "dict", "list", "set", "str", "int",
    "bool", "float", "tuple", "frozenset", "bytes", "range", "len", "open",
    "sorted", "zip", "enumerate", "reversed", "isinstance", "issubclass",
    "print", "map", "filter", "any", "all", "sum", "min", "max", "repr",
    "getattr", "hasattr", "super", "type", "property", "object", "iter",
    "next", "staticmethod", "classmethod", "hash", "id", "abs", "round",
    "ord", "chr", "callable" };

bool
names_builtin(const char *name)
{
	for (size_t i = 0; i < countof(builtins); i++)
		if (streq(builtins[i], name))
			return true;
	return false;
}

sym
names_text(const struct spoil *x, uint32_t node)
{
	const struct node *n = &x->y->v[node];

	return sym_getn(x->r->a, x->y->text + n->start, n->end - n->start);
}

uint32_t
names_fn(const struct spoil *x)
{
	return x->nfns > 0 ? x->fns[x->nfns - 1].node : 0;
}

void
names_enter(struct spoil *x, uint32_t i)
{
	enum node_kind k = x->y->v[i].kind;

	while (x->nfns > 0 && i >= x->fns[x->nfns - 1].end)
		x->nfns--;
	if ((k == N_FUNCTION || k == N_LAMBDA) && x->nfns < countof(x->fns)) {
		x->fns[x->nfns].node = i;
		x->fns[x->nfns++].end = i + x->y->v[i].size;
	}
}

static struct known *
add(struct spoil *x, uint32_t node, enum known_kind kind, uint32_t fn)
{
	struct known *k = list_add(x->r->a, &x->names);

	*k = (struct known){ names_text(x, node), fn, node, kind, false };
	return k;
}

/* The names of a target; what is inside of a.b and a[b] is no target. */
static void
add_target(struct spoil *x, uint32_t node)
{
	const struct syntax *y = x->y;

	if (y->v[node].kind == N_IDENTIFIER)
		add(x, node, K_VALUE, names_fn(x));
	else if (y->v[node].kind != N_ATTRIBUTE &&
	    y->v[node].kind != N_SUBSCRIPT)
		for (uint32_t c = node_first(y, node); c != 0;
		    c = node_next(y, node, c))
			add_target(x, c);
}

static bool
is_clean(const char *from)
{
	return starts_with(from, "django.") || streq(from, "django") ||
	    module_of_python(from);
}

static void
add_imports(struct spoil *x, uint32_t node)
{
	const struct syntax *y = x->y;
	uint32_t module = node_field(y, node, F_MODULE);

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		if (y->v[c].kind == N_WILDCARD && module != 0 &&
		    x->star != ANY_STAR)
			x->star = is_clean(names_text(x, module)) ?
			    CLEAN_STAR : ANY_STAR;
		uint32_t alias = node_field(y, c, F_ALIAS);
		uint32_t path = module != 0 ? module : alias != 0 ?
		    node_field(y, c, F_NAME) : c;
		if (c == module || path == 0 || (alias == 0 &&
		    y->v[c].kind != N_DOTTED))
			continue;
		uint32_t first = node_first(y, c);
		struct known *k = add(x, alias != 0 ? alias :
		    first != 0 ? first : c, K_IMPORT, names_fn(x));
		sym from = names_text(x, path);
		k->clean = is_clean(from);
	}
}

static void
add_parameters(struct spoil *x, uint32_t list)
{
	const struct syntax *y = x->y;

	for (uint32_t c = node_first(y, list); c != 0;
	    c = node_next(y, list, c)) {
		uint32_t i = c;
		while (i < c + y->v[c].size && y->v[i].kind != N_IDENTIFIER)
			i++;
		if (i < c + y->v[c].size)
			add(x, i, K_PARAMETER, names_fn(x));
	}
}

static void
add_node(struct spoil *x, uint32_t i)
{
	const struct syntax *y = x->y;
	uint32_t c, up = x->nfns > 1 ? x->fns[x->nfns - 2].node : 0;

	switch ((enum node_kind)y->v[i].kind) {
	case N_IMPORT:
	case N_IMPORT_FROM:
		add_imports(x, i);
		break;
	case N_FUNCTION:
		if ((c = node_field(y, i, F_NAME)) != 0)
			add(x, c, K_FUNCTION, up)->node = i;
		break;
	case N_CLASS:
		if ((c = node_field(y, i, F_NAME)) != 0)
			add(x, c, K_CLASS, names_fn(x))->node = i;
		break;
	case N_PARAMETERS:
		add_parameters(x, i);
		break;
	case N_ASSIGN:
	case N_FOR:
	case N_FOR_IN:
		if ((c = node_field(y, i, F_LEFT)) != 0)
			add_target(x, c);
		break;
	case N_NAMED:
		if ((c = node_field(y, i, F_NAME)) != 0)
			add_target(x, c);
		break;
	case N_AS_TARGET:
		add_target(x, i);
		break;
	default:
		break;
	}
}

static int
by_name(const void *a, const void *b)
{
	const struct known *p = a, *q = b;

	if (p->name != q->name)
		return (uintptr_t)p->name < (uintptr_t)q->name ? -1 : 1;
	if (p->fn != q->fn)
		return p->fn < q->fn ? -1 : 1;
	return p->node < q->node ? -1 : p->node > q->node;
}

/* Where a name is bound in several ways, it is a value. */
static void
mend_kinds(struct spoil *x)
{
	struct known *first = x->names.v;

	for (uint32_t i = 1; i < x->names.n; i++) {
		struct known *k = &x->names.v[i];
		if (k->name != first->name || k->fn != first->fn)
			first = k;
		else if (k->kind < first->kind)
			first->kind = k->kind;
		if (first->kind != K_IMPORT || (first != k && !k->clean))
			first->clean = false;
	}
}

/* The first one of that name in fn that is bound behind a node. */
static const struct known *
first_of(const struct spoil *x, sym name, uint32_t fn, uint32_t behind)
{
	uint32_t lo = 0, hi = x->names.n;
	struct known key = { .name = name, .fn = fn, .node = behind };

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (by_name(&x->names.v[mid], &key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == x->names.n || x->names.v[lo].name != name ||
	    x->names.v[lo].fn != fn)
		return NULL;
	return &x->names.v[lo];
}

/* Names that only `import *` can have bound are imports as well. */
static void
add_loose(struct spoil *x)
{
	const struct syntax *y = x->y;
	struct list(uint32_t) at = { 0 };

	for (uint32_t i = 0; i < y->n; i++)
		if (y->v[i].kind == N_IDENTIFIER && y->v[i].field !=
		    F_ATTRIBUTE && y->v[i].field != F_NAME &&
		    !names_builtin(names_text(x, i)) &&
		    first_of(x, names_text(x, i), 0, 0) == NULL)
			*list_add(x->r->a, &at) = i;
	for (uint32_t i = 0; i < at.n; i++) {
		struct known *k = add(x, at.v[i], K_IMPORT, 0);
		k->clean = x->star == CLEAN_STAR;
		k->node = 1;	/* before all: it is not bound anew */
	}
	qsort(x->names.v, x->names.n, sizeof(*x->names.v), by_name);
}

void
names_read(struct spoil *x)
{
	x->nfns = 0;
	for (uint32_t i = 0; i < x->y->n; i++) {
		names_enter(x, i);
		add_node(x, i);
	}
	if (x->names.n > 0)
		qsort(x->names.v, x->names.n, sizeof(*x->names.v), by_name);
	if (x->star != NO_STAR)
		add_loose(x);
	mend_kinds(x);
}

const struct known *
names_find(const struct spoil *x, sym name)
{
	const struct known *k = NULL;

	for (uint32_t n = x->nfns; n > 0 && k == NULL; n--)
		k = first_of(x, name, x->fns[n - 1].node, 0);
	return k != NULL ? k : first_of(x, name, 0, 0);
}

bool
names_rebound(const struct spoil *x, sym name, uint32_t fn, uint32_t from,
    uint32_t to)
{
	const struct known *k = first_of(x, name, fn, from);

	return k != NULL && k->node < to;
}

bool
names_fixed(const struct spoil *x, const struct known *k)
{
	const struct syntax *y = x->y;
	uint32_t right = k->node + 1;

	if (k->kind != K_VALUE || right >= y->n ||
	    y->v[k->node].field != F_LEFT || y->v[right].field != F_RIGHT ||
	    names_rebound(x, k->name, k->fn, k->node, UINT32_MAX))
		return false;
	switch ((enum node_kind)y->v[right].kind) {
	case N_INTEGER:
	case N_FLOAT:
	case N_STRING:
	case N_CONCATENATED:
	case N_TRUE:
	case N_FALSE:
	case N_NONE:
		return true;
	default:
		return false;
	}
}

/* Where a file changes what a name stands for in a way that is not followed:
 * anything but `name = …`, `name += …` and name.append(…) as statements. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/spoil.h"

#define ROUNDS 4
#define SCANS 200u
#define MANY 500u	/* of a kind in one file: it is not followed */

static bool
among_text(const char *const *list, size_t n, const struct syntax *y,
    uint32_t node)
{
	size_t len = y->v[node].end - y->v[node].start;
	const char *s = y->text + y->v[node].start;

	for (size_t i = 0; i < n; i++)
		if (*list[i] == *s && strlen(list[i]) == len &&
		    memcmp(list[i], s, len) == 0)
			return true;
	return false;
}

/* Methods that leave what they are called on as it is. */
static const char *const pure[] = { "format", "join", "strip", "lstrip",
    "rstrip", "replace", "split", "splitlines", "upper", "lower", "title",
    "capitalize", "startswith", "endswith", "encode", "decode", "zfill", "get",
    "items", "keys", "values", "copy", "count", "index", "asc", "desc",
    "clone", "deconstruct", "format_map", "strftime", "isoformat", "read",
    "read_text", "exists", "joinpath", "resolve", "open", "as_posix",
    "with_suffix", "with_name", "union", "intersection", "difference",
    "total_seconds", "partition", "rpartition", "removeprefix",
    "removesuffix" };
/* Methods that do not, whatever they are called on. */
static const char *const changing[] = { "append", "extend", "insert", "remove",
    "pop", "popitem", "clear", "reverse", "sort", "update", "setdefault",
    "add", "discard" };
static const char *const quiet[] = { "__name__", "__doc__", "__file__",
    "__class__", "__module__", "__qualname__", "__version__", "__path__",
    "__members__", "__len__", "__str__", "__repr__" };
static const char *const wild[] = { "exec", "eval", "locals", "globals",
    "vars", "compile", "__import__", "__builtins__" };
static const char *const wild_attrs[] = { "modules", "_getframe", "f_locals",
    "f_globals", "currentframe" };
/* What Django reads of a migration. */
static const char *const class_names[] = { "operations", "dependencies",
    "replaces", "run_before", "atomic", "initial" };

void
spoil_add(struct spoil *x, sym name, uint32_t fn, uint32_t node)
{
	if (streq(name, "self") || streq(name, "cls") ||
	    module_spoilt(x->m, fn, name) != NULL)
		return;
	*list_add(x->r->a, &x->m->spoilt) = (struct spoilt){ name, fn, node };
}

static void
meddles(struct spoil *x, uint32_t fn)
{
	if (fn != 0 && !module_meddles(x->m, fn))
		*list_add(x->r->a, &x->m->meddling) = fn;
}

static bool
is_called(const struct spoil *x, uint32_t fn)
{
	for (uint32_t i = 0; i < x->called.n; i++)
		if (x->called.v[i] == fn)
			return true;
	return false;
}

/* Reading the file runs this function, if it runs the code around it. */
static void
call(struct spoil *x, uint32_t fn)
{
	uint32_t in = names_fn(x);

	if ((in == 0 || is_called(x, in)) && !is_called(x, fn))
		*list_add(x->r->a, &x->called) = fn;
}

/* What name stands for is changed at a node. */
static void
change(struct spoil *x, sym name, uint32_t at, bool deep)
{
	const struct known *k = names_find(x, name);

	/* what is done to the class itself is told by migration.c */
	if (k == NULL || streq(name, "self") || streq(name, "cls") ||
	    (k->kind == K_CLASS && streq(name, "Migration")))
		return;
	bool here = k->fn == names_fn(x);
	for (uint32_t n = x->nfns; n > 0 && x->fns[n - 1].node != k->fn; n--)
		meddles(x, x->fns[n - 1].node);
	if (k->kind == K_PARAMETER)
		meddles(x, k->fn);
	if (!here && !is_called(x, names_fn(x)))
		return;
	*list_add(x->r->a, &x->changes) = (struct change){ name, k->fn,
	    here ? at : UINT32_MAX, deep || !here };
	if (deep || !here)
		spoil_add(x, name, k->fn, at);
}

/* All names of an expression, which may be changed through it. */
static void
change_all(struct spoil *x, uint32_t node, uint32_t at, bool imports)
{
	const struct syntax *y = x->y;

	for (uint32_t i = node; i < node + y->v[node].size; i++) {
		if (y->v[i].kind != N_IDENTIFIER ||
		    y->v[i].field == F_ATTRIBUTE || y->v[i].field == F_NAME)
			continue;
		const struct known *k = names_find(x, names_text(x, i));
		if (k != NULL && (imports || (k->kind == K_VALUE &&
		    !names_fixed(x, k)) || k->kind == K_PARAMETER ||
		    (k->kind == K_IMPORT && !k->clean)))
			change(x, k->name, at, true);
	}
}

/* What a.b(c).d is a part of: a, not c; but of f(x).d it may be x. */
static void
change_chain(struct spoil *x, uint32_t node, uint32_t at)
{
	const struct syntax *y = x->y;

	for (;;) {
		enum node_kind k = y->v[node].kind;
		uint32_t up = k == N_ATTRIBUTE ? node_field(y, node, F_OBJECT) :
		    k == N_SUBSCRIPT ? node_field(y, node, F_VALUE) :
		    k == N_CALL ? node_field(y, node, F_FUNCTION) : 0;
		if (up == 0 || (k == N_CALL && y->v[up].kind != N_ATTRIBUTE))
			break;
		node = up;
	}
	change_all(x, node, at, true);
}

/* a.b = …, a[b] = … change a; so does `del`. */
static void
change_target(struct spoil *x, uint32_t node, bool gone)
{
	const struct syntax *y = x->y;
	uint32_t of;

	switch ((enum node_kind)y->v[node].kind) {
	case N_IDENTIFIER:
		if (gone)
			change(x, names_text(x, node), node, true);
		break;
	case N_ATTRIBUTE:
	case N_SUBSCRIPT:
		of = node_field(y, node, y->v[node].kind == N_ATTRIBUTE ?
		    F_OBJECT : F_VALUE);
		if (of != 0)
			change_chain(x, of, node);
		break;
	default:
		for (uint32_t c = node_first(y, node); c != 0;
		    c = node_next(y, node, c))
			change_target(x, c, gone);
	}
}

/* A function whose body was not kept: whatever it speaks of. */
static void
change_words(struct spoil *x, uint32_t fn, uint32_t at)
{
	const char *s = x->y->text + x->y->v[fn].start;
	const char *end = x->y->text + x->y->v[fn].end;

	while (s < end) {
		size_t n = 0;
		while (s + n < end && (isalnum((unsigned char)s[n]) ||
		    s[n] == '_' || (s[n] & 0x80) != 0))
			n++;
		if (n > 0) {
			sym word = sym_getn(x->r->a, s, n);
			const struct known *k = names_find(x, word);
			if (k != NULL && k->kind == K_VALUE)
				change(x, word, at, true);
			if (AMONG(wild, word) && x->m->wild == 0)
				x->m->wild = at;
		}
		s += n > 0 ? n : 1;
	}
}

/* Does a class have a method that changes what it is given? */
static bool
class_meddles(const struct spoil *x, uint32_t cls)
{
	const struct syntax *y = x->y;

	for (uint32_t i = cls; i < cls + y->v[cls].size; i++)
		if (y->v[i].kind == N_FUNCTION && module_meddles(x->m, i))
			return true;
	return false;
}

static bool
is_constructor(const char *name)
{
	name += strspn(name, "_");
	return isupper((unsigned char)*name);
}

/* May a call of such a name change its arguments? */
static bool
name_meddles(struct spoil *x, uint32_t at, sym name)
{
	const struct known *k = names_find(x, name);
	bool used = at < x->value_end;

	if (k == NULL)
		return !names_builtin(name) && !is_constructor(name) &&
		    (!used || streq(name, "setattr") ||
		    streq(name, "delattr"));
	switch (k->kind) {
	case K_VALUE:
	case K_PARAMETER:
		change(x, name, at, true);
		return true;
	case K_IMPORT:
		return !k->clean && !used && !is_constructor(name);
	case K_FUNCTION:
		call(x, k->node);
		if (node_field(x->y, k->node, F_BODY) != 0)
			return module_meddles(x->m, k->node);
		if (is_called(x, k->node))
			change_words(x, k->node, at);
		return true;
	case K_CLASS:
		for (uint32_t i = k->node; i < k->node +
		    x->y->v[k->node].size; i++)
			if (x->y->v[i].kind == N_FUNCTION)
				call(x, i);
		return class_meddles(x, k->node);
	}
	return true;
}

/* May a call of a method change its arguments? What it is called on is
 * changed unless it is known not to be. */
static bool
method_meddles(struct spoil *x, uint32_t at, uint32_t fn)
{
	const struct syntax *y = x->y;
	uint32_t attr = node_field(y, fn, F_ATTRIBUTE), top = fn;

	if (attr == 0 || fn == x->followed)
		return false;
	while (y->v[top].kind == N_ATTRIBUTE &&
	    node_field(y, top, F_OBJECT) != 0)
		top = node_field(y, top, F_OBJECT);
	const struct known *k = y->v[top].kind == N_IDENTIFIER ?
	    names_find(x, names_text(x, top)) : NULL;
	if (k != NULL && k->clean &&
	    isupper((unsigned char)y->text[y->v[attr].start]))
		return false;
	sym method = names_text(x, attr);
	if (AMONG(pure, method))
		return false;
	if (AMONG(changing, method) || starts_with(method, "__"))
		return true;	/* list.append(xs, …) */
	if (y->v[top].kind != N_IDENTIFIER)
		return at >= x->value_end && !is_constructor(method);
	if (k == NULL || k->clean || streq(k->name, "self") ||
	    streq(k->name, "cls"))
		return false;
	if (k->kind == K_VALUE || k->kind == K_PARAMETER) {
		change(x, k->name, at, true);
		return true;
	}
	return at >= x->value_end && !is_constructor(method);
}

static void
see_call(struct spoil *x, uint32_t i)
{
	const struct syntax *y = x->y;
	uint32_t fn = node_field(y, i, F_FUNCTION);
	uint32_t args = node_field(y, i, F_ARGUMENTS);
	bool dirty = true, set = false;

	if (fn == 0 || args == 0)
		return;
	if (y->v[fn].kind == N_IDENTIFIER) {
		sym name = names_text(x, fn);
		dirty = name_meddles(x, i, name);
		set = streq(name, "setattr") || streq(name, "delattr");
	} else if (y->v[fn].kind == N_ATTRIBUTE) {
		dirty = method_meddles(x, i, fn);
	} else {
		change_all(x, fn, i, false);
	}
	if (dirty)
		change_all(x, args, i, set);
}

static void
see_attribute(struct spoil *x, uint32_t i)
{
	const struct syntax *y = x->y;
	uint32_t object = node_field(y, i, F_OBJECT);
	uint32_t attr = node_field(y, i, F_ATTRIBUTE);

	if (object == 0 || attr == 0)
		return;
	const char *s = y->text + y->v[attr].start;
	if (isupper((unsigned char)*s) || (*s != '_' &&
	    !among_text(changing, countof(changing), y, attr) &&
	    !among_text(wild_attrs, countof(wild_attrs), y, attr)))
		return;
	sym name = names_text(x, attr);
	if (i == x->followed) {
		change(x, names_text(x, object), i, false);
		return;
	}
	if (AMONG(changing, name) || (starts_with(name, "__") &&
	    !AMONG(quiet, name)))
		change_chain(x, object, i);
	if (AMONG(wild_attrs, name) && x->nfns == 0 && x->m->wild == 0)
		x->m->wild = i;
}

/* name.append(…) that stands alone */
static void
see_statement(struct spoil *x, uint32_t i)
{
	static const char *const methods[] = { "append", "extend", "insert" };
	const struct syntax *y = x->y;
	uint32_t call = node_first(y, i);
	uint32_t fn = call != 0 && y->v[call].kind == N_CALL ?
	    node_field(y, call, F_FUNCTION) : 0;
	uint32_t object = fn != 0 ? node_field(y, fn, F_OBJECT) : 0;
	uint32_t attr = object != 0 ? node_field(y, fn, F_ATTRIBUTE) : 0;

	if (attr == 0 || y->v[object].kind != N_IDENTIFIER ||
	    !AMONG(methods, names_text(x, attr)))
		return;
	const struct known *k = names_find(x, names_text(x, object));
	if (k == NULL || k->kind != K_VALUE)
		return;
	x->followed = fn;
	x->value_end = i + y->v[i].size;
}

static bool
is_text(const struct syntax *y, uint32_t node)
{
	enum node_kind k = y->v[node].kind;
	uint32_t left = k == N_BINARY ? node_field(y, node, F_LEFT) : 0;

	return k == N_STRING || k == N_CONCATENATED || k == N_INTEGER ||
	    k == N_FLOAT || (left != 0 && is_text(y, left));
}

static void
see_augmented(struct spoil *x, uint32_t i)
{
	const struct syntax *y = x->y;
	uint32_t left = node_field(y, i, F_LEFT);
	uint32_t right = node_field(y, i, F_RIGHT);

	x->value_end = i + y->v[i].size;
	if (left == 0 || right == 0)
		return;
	if (y->v[left].kind != N_IDENTIFIER)
		change_target(x, left, false);
	else if (!is_text(y, right))
		change(x, names_text(x, left), i,
		    memchr(y->text + y->v[left].end, '+',
		    y->v[right].start - y->v[left].end) == NULL);
}

/* _ = fill(xs): the value of the call goes nowhere. */
static bool
goes_nowhere(struct spoil *x, uint32_t target, uint32_t value)
{
	const struct syntax *y = x->y;
	const struct node *t = &y->v[target];
	uint32_t fn = y->v[value].kind == N_CALL ?
	    node_field(y, value, F_FUNCTION) : 0;
	uint32_t attr = fn != 0 ? node_field(y, fn, F_ATTRIBUTE) : 0;

	if (fn == 0 || t->kind != N_IDENTIFIER || x->scans >= SCANS ||
	    is_constructor(y->text + y->v[attr != 0 ? attr : fn].start))
		return false;
	x->scans++;
	for (uint32_t i = 1; i < y->n; i++)
		if (i != target && y->v[i].kind == N_IDENTIFIER &&
		    y->v[i].end - y->v[i].start == t->end - t->start &&
		    memcmp(y->text + y->v[i].start, y->text + t->start,
		    t->end - t->start) == 0)
			return false;
	return !among_text(class_names, countof(class_names), y, target);
}

static void
see_assignment(struct spoil *x, uint32_t i)
{
	const struct syntax *y = x->y;
	uint32_t left = node_field(y, i, F_LEFT);
	uint32_t right = node_field(y, i, F_RIGHT);

	if (left == 0 || right == 0)
		return;
	change_target(x, left, false);
	if (i < x->value_end || !goes_nowhere(x, left, right))
		x->value_end = i + y->v[i].size;
}

static void
see(struct spoil *x, uint32_t i)
{
	const struct syntax *y = x->y;
	uint32_t c;

	switch ((enum node_kind)y->v[i].kind) {
	case N_STATEMENT:
		see_statement(x, i);
		break;
	case N_CALL:
		see_call(x, i);
		break;
	case N_ATTRIBUTE:
		see_attribute(x, i);
		break;
	case N_IDENTIFIER:
		if (y->v[i].field == F_ATTRIBUTE || y->v[i].field == F_NAME ||
		    x->nfns > 0 || x->m->wild != 0 ||
		    !among_text(wild, countof(wild), y, i))
			break;
		x->m->wild = i;
		break;
	case N_ASSIGN:
		see_assignment(x, i);
		break;
	case N_AUG_ASSIGN:
		see_augmented(x, i);
		break;
	case N_FOR:
	case N_FOR_IN:
		if ((c = node_field(y, i, F_LEFT)) != 0)
			change_target(x, c, false);
		break;
	case N_AS_TARGET:
		change_target(x, i, false);
		break;
	case N_DELETE:
		change_target(x, i, true);
		break;
	case N_NAMED:
		if ((c = node_field(y, i, F_NAME)) != 0)
			change(x, names_text(x, c), i, true);
		break;
	case N_GLOBAL:
		for (c = node_first(y, i); c != 0; c = node_next(y, i, c)) {
			spoil_add(x, names_text(x, c), 0, i);
			for (uint32_t n = 0; n < x->nfns; n++)
				spoil_add(x, names_text(x, c),
				    x->fns[n].node, i);
		}
		break;
	case N_RETURN:
		x->value_end = i + y->v[i].size;
		break;
	case N_DEFAULT_PARAM:
		c = node_field(y, i, F_VALUE);
		if (c != 0 && module_meddles(x->m, names_fn(x)))
			change_all(x, c, i, false);
		break;
	default:
		break;
	}
}

void
module_spoil(struct reader *r, struct module *m)
{
	struct spoil x = { .r = r, .m = m, .y = &m->syn };
	uint32_t was;

	names_read(&x);
	if (!m->followed)
		m->unbound = names_unbound(&x);
	/* what a function does to its arguments is known once it was seen */
	for (int round = 0; round < ROUNDS; round++) {
		was = m->meddling.n + x.called.n;
		x.changes.n = 0;
		x.nfns = 0;
		x.value_end = x.followed = 0;
		for (uint32_t i = 0; i < x.y->n && m->spoilt.n <= MANY &&
		    m->meddling.n <= MANY; i++) {
			names_enter(&x, i);
			see(&x, i);
		}
		hold_spread(&x);
		for (uint32_t i = 0; i < m->spoilt.n; i++) {
			const struct spoilt *s = &m->spoilt.v[i];
			x.nfns = 0;
			if (s->fn != 0)
				x.fns[x.nfns++].node = s->fn;
			const struct known *k = names_find(&x, s->name);
			if (k != NULL && k->kind == K_PARAMETER)
				meddles(&x, k->fn);
		}
		if (m->meddling.n > MANY || x.called.n > MANY ||
		    m->spoilt.n > MANY)
			m->wild = m->wild != 0 ? m->wild : 1;
		if (m->meddling.n + x.called.n == was || m->wild != 0)
			break;
	}
}

const struct spoilt *
module_spoilt(const struct module *m, uint32_t fn, sym name)
{
	for (uint32_t i = 0; i < m->spoilt.n; i++)
		if (m->spoilt.v[i].name == name && m->spoilt.v[i].fn == fn)
			return &m->spoilt.v[i];
	return NULL;
}

bool
module_meddles(const struct module *m, uint32_t fn)
{
	for (uint32_t i = 0; i < m->meddling.n; i++)
		if (m->meddling.v[i] == fn)
			return true;
	return false;
}

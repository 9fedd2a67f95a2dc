/* What a migration's file does as soon as Django imports it. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/module.h"
#include "read/read.h"

struct loading {
	struct reader *r;
	struct module *m;
	const struct syntax *y;
	struct loads *out;
};

/* Whatever they are called on, the database or the machine is changed. */
static const char *const acting[] = { "execute", "executemany", "cursor",
    "callproc", "call_command", "execute_from_command_line", "executescript",
    "system", "popen", "Popen", "check_call", "check_output" };
/* What a statement may do to a name of its own: spoil.c looks after it. */
static const char *const changing[] = { "append", "extend", "insert", "remove",
    "pop", "popitem", "clear", "reverse", "sort", "update", "setdefault",
    "add", "discard", "debug", "info", "warning", "error", "setLevel",
    "addHandler", "format", "join", "items", "keys", "values", "get",
    "deconstruct" };
static const char *const harmless[] = { "logging", "warnings", "sys", "typing",
    "os.path", "os.environ", "gettext", "locale", "random.seed",
    "django.setup", "django.utils" };
static const char *const builtins[] = { "print", "len", "isinstance", "str",
    "int", "list", "dict", "set", "tuple", "sorted", "repr", "range", "zip",
    "setattr", "delattr", "exec", "eval" };	/* the last: told elsewhere */

static sym
text(struct loading *x, uint32_t i)
{
	return sym_getn(x->r->a, x->y->text + x->y->v[i].start,
	    x->y->v[i].end - x->y->v[i].start);
}

static uint32_t
root_of(struct loading *x, uint32_t node)
{
	for (;;) {
		enum node_kind k = x->y->v[node].kind;
		uint32_t up = k == N_ATTRIBUTE ? node_field(x->y, node,
		    F_OBJECT) : k == N_SUBSCRIPT ? node_field(x->y, node,
		    F_VALUE) : 0;
		if (up == 0)
			return node;
		node = up;
	}
}

/* "django.core.management.call_command" for what is imported; NULL. */
static sym
imported(struct loading *x, uint32_t node)
{
	uint32_t root = root_of(x, node);

	if (x->y->v[root].kind != N_IDENTIFIER)
		return NULL;
	struct binding *b = scope_own(&x->m->top, text(x, root));
	/* UNKNOWN: an import that is changed here, but not a list's append */
	if (b == NULL || b->dotted == NULL || (b->kind != BIND_IMPORT &&
	    (b->kind != BIND_UNKNOWN || AMONG(changing, b->dotted))))
		return NULL;
	return sym_printf(x->r->a, "%s%.*s", b->dotted,
	    (int)(x->y->v[node].end - x->y->v[root].end),
	    x->y->text + x->y->v[root].end);
}

static bool
is_harmless(const char *dotted)
{
	for (size_t i = 0; i < countof(harmless); i++) {
		size_t n = strlen(harmless[i]);
		if (starts_with(dotted, harmless[i]) &&
		    (dotted[n] == '.' || dotted[n] == '[' ||
		    dotted[n] == '\0'))
			return true;
	}
	return false;
}

/* A call whose value is used: only what surely acts is told. */
static bool
acts(struct loading *x, uint32_t call)
{
	uint32_t fn = node_field(x->y, call, F_FUNCTION);
	sym from = fn != 0 ? imported(x, fn) : NULL;
	uint32_t attr = fn != 0 ? node_field(x->y, fn, F_ATTRIBUTE) : 0;

	if (from != NULL && starts_with(from, "subprocess."))
		return true;
	const char *dot = from != NULL ? strrchr(from, '.') : NULL;
	return AMONG(acting, attr != 0 ? text(x, attr) :
	    dot != NULL ? dot + 1 : "");
}

/* A call that is made for what it does. */
static bool
acts_alone(struct loading *x, uint32_t call)
{
	uint32_t fn = node_field(x->y, call, F_FUNCTION);

	if (fn == 0)
		return false;
	sym from = imported(x, fn);
	uint32_t attr = node_field(x->y, fn, F_ATTRIBUTE);
	sym name = text(x, attr != 0 ? attr : fn);
	if (from != NULL)
		return !is_harmless(from);
	if (attr == 0)
		return !AMONG(builtins, name) &&
		    !isupper((unsigned char)*name);
	return !AMONG(changing, name);
}

static void
found(struct loading *x, uint32_t node, const char *why)
{
	if (x->out->line != 0)
		return;
	x->out->line = x->y->v[node].line;
	x->out->why = why;
}

static void
see_statement(struct loading *x, uint32_t node)
{
	uint32_t c = node_first(x->y, node);
	enum node_kind k = c != 0 ? x->y->v[c].kind : N_OTHER;
	uint32_t end = c + (k == N_CALL ? 1 : x->y->v[c].size);

	if (c == 0 || k == N_ASSIGN || k == N_AUG_ASSIGN)
		return;
	for (uint32_t i = c; i < end; i++)
		if (x->y->v[i].kind == N_CALL && acts_alone(x, i))
			found(x, i, "it runs code as soon as it is loaded");
}

/* settings.X = 1: of what is imported, for all that runs. */
static void
see_assign(struct loading *x, uint32_t node)
{
	uint32_t left = node_field(x->y, node, F_LEFT);
	sym of = left != 0 && (x->y->v[left].kind == N_ATTRIBUTE ||
	    x->y->v[left].kind == N_SUBSCRIPT) ? imported(x, left) : NULL;

	if (of != NULL && !is_harmless(of))
		found(x, node, "it changes what it imports as soon as it is "
		    "loaded");
}

struct loads
module_loads(struct reader *r, struct module *m)
{
	struct loads out = { 0 };
	struct loading x = { r, m, &m->syn, &out };

	for (uint32_t i = 1; i < m->syn.n && out.line == 0; i++) {
		switch ((enum node_kind)m->syn.v[i].kind) {
		case N_FUNCTION:
		case N_LAMBDA:
			i += m->syn.v[i].size - 1;
			break;
		case N_STATEMENT:
			see_statement(&x, i);
			break;
		case N_CALL:
			if (acts(&x, i))
				found(&x, i, "it runs code as soon as it is "
				    "loaded");
			break;
		case N_ASSIGN:
		case N_AUG_ASSIGN:
			see_assign(&x, i);
			break;
		default:
			break;
		}
	}
	return out;
}

int
init_parse(struct reader *r, const char *path, const char *dotted,
    const char *text, size_t len, uint32_t *line, struct err *e)
{
	r->steps = READER_STEPS;
	r->own = NULL;
	struct module *m = module_new(r, dotted, path, false, text, len,
	    line, e);
	if (m == NULL)
		return -1;
	const struct binding *b = scope_own(&m->top, sym_get(r->a,
	    "__path__"));
	uint32_t odd = m->patched != 0 ? m->patched : m->wild != 0 ?
	    m->wild : b != NULL ? b->node : 0;
	if (odd == 0)
		return 0;
	*line = m->syn.v[odd].line;
	return err_set(e, "changes what Django's own classes or the "
	    "migrations beside it are");
}

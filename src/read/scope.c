/* What the statements of a block bind, one after the other. */
#include <string.h>

#include "base/util.h"
#include "read/module.h"

#define LOOP_MAX 2000u
#define BINDS_MAX 100000u

struct filling {
	struct reader *r;
	struct scope *s;
	struct scope *env;	/* where expressions are evaluated */
	bool maybe;		/* under a condition that is not decided */
	bool unknown;		/* in a place that is not followed */
	bool *done;		/* a function has returned */
	int depth;
};

static void fill(struct filling *f, uint32_t block);

static sym
text_sym(struct filling *f, uint32_t node)
{
	const struct node *n = &f->s->m->syn.v[node];

	return sym_getn(f->r->a, f->s->m->syn.text + n->start,
	    n->end - n->start);
}

/* "a . b" as the source has it, without blanks. */
static sym
dotted_sym(struct filling *f, uint32_t node)
{
	const struct node *n = &f->s->m->syn.v[node];
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = n->start; i < n->end; i++) {
		char c = f->s->m->syn.text[i];
		if (c != ' ' && c != '\t' && c != '\\' && c != '\n' &&
		    c != '\r')
			strbuf_char(&b, c);
	}
	return sym_getn(f->r->a, b.s, b.len);
}

static struct binding *
bind(struct filling *f, sym name, enum bind_kind kind, uint32_t node)
{
	struct binding *b = list_add(f->r->a, &f->s->binds);

	b->name = name;
	b->kind = f->unknown && kind != BIND_IMPORT && kind != BIND_CLASS &&
	    kind != BIND_FUNCTION ? BIND_UNKNOWN : kind;
	b->node = node;
	b->env = f->env != f->s ? f->env : NULL;
	b->maybe = f->maybe;
	return b;
}

/* a = …, a, b = …, (a, b) = …: names that are unpacked are matched where the
 * other side is written out as well. */
static void
fill_target(struct filling *f, uint32_t left, uint32_t right)
{
	const struct syntax *y = &f->s->m->syn;
	enum node_kind k = y->v[left].kind;

	if (k == N_IDENTIFIER) {
		bind(f, text_sym(f, left), BIND_EXPR, right);
		return;
	}
	if (k != N_PATTERN_LIST && k != N_TUPLE_PATTERN)
		return;
	enum node_kind rk = y->v[right].kind;
	bool match = rk == N_EXPR_LIST || rk == N_TUPLE;
	uint32_t from = match ? node_first(y, right) : 0;
	for (uint32_t c = node_first(y, left); c != 0;
	    c = node_next(y, left, c)) {
		if (y->v[c].kind == N_IDENTIFIER)
			bind(f, text_sym(f, c), from != 0 ? BIND_EXPR :
			    BIND_UNKNOWN, from != 0 ? from : right);
		from = from != 0 ? node_next(y, right, from) : 0;
	}
}

static void
fill_assign(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	uint32_t left = node_field(y, node, F_LEFT);
	uint32_t right = node_field(y, node, F_RIGHT);
	uint32_t last = right;

	if (left == 0 || right == 0)
		return;
	while (y->v[last].kind == N_ASSIGN) {	/* a = b = 1 */
		uint32_t next = node_field(y, last, F_RIGHT);
		if (next == 0)
			return;
		last = next;
	}
	fill_target(f, left, last);
	if (y->v[right].kind == N_ASSIGN)
		fill_assign(f, right);
}

static void
fill_augment(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	uint32_t left = node_field(y, node, F_LEFT);
	uint32_t right = node_field(y, node, F_RIGHT);

	if (left == 0 || right == 0 || y->v[left].kind != N_IDENTIFIER)
		return;
	const char *op = memchr(y->text + y->v[left].end, '=',
	    y->v[right].start - y->v[left].end);
	bool plus = op != NULL && op[-1] == '+';
	bind(f, text_sym(f, left), plus ? BIND_AUG : BIND_UNKNOWN, right);
}

/* operations.append(…) */
static void
fill_call(struct filling *f, uint32_t node)
{
	static const char *const methods[] = { "append", "extend", "insert" };
	const struct syntax *y = &f->s->m->syn;
	uint32_t fn = node_field(y, node, F_FUNCTION);
	uint32_t args = node_field(y, node, F_ARGUMENTS);

	if (fn == 0 || args == 0 || y->v[fn].kind != N_ATTRIBUTE)
		return;
	uint32_t object = node_field(y, fn, F_OBJECT);
	uint32_t attr = node_field(y, fn, F_ATTRIBUTE);
	if (object == 0 || attr == 0 || y->v[object].kind != N_IDENTIFIER)
		return;
	sym name = text_sym(f, object), method = text_sym(f, attr);
	struct scope *where;
	if (scope_find(f->s, name, &where) == NULL)
		return;
	for (size_t i = 0; i < countof(methods); i++)
		if (streq(methods[i], method)) {
			bind(f, name, BIND_METHOD, args)->dotted = method;
			return;
		}
	static const char *const spoils[] = { "remove", "pop", "clear",
	    "reverse", "sort", "update", "setdefault" };
	for (size_t i = 0; i < countof(spoils); i++)
		if (streq(spoils[i], method))
			bind(f, name, BIND_UNKNOWN, node);
}

static void
fill_statement(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		if (y->v[c].kind == N_ASSIGN)
			fill_assign(f, c);
		else if (y->v[c].kind == N_AUG_ASSIGN)
			fill_augment(f, c);
		else if (y->v[c].kind == N_CALL)
			fill_call(f, c);
	}
}

static void
fill_import(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		uint32_t name = c, alias = 0;
		if (y->v[c].kind == N_ALIASED) {
			name = node_field(y, c, F_NAME);
			alias = node_field(y, c, F_ALIAS);
		}
		if (name == 0 || y->v[name].kind != N_DOTTED)
			continue;
		sym dotted = dotted_sym(f, name);
		if (alias != 0) {
			bind(f, text_sym(f, alias), BIND_IMPORT, c)->dotted =
			    dotted;
			continue;
		}
		/* `import a.b.c` binds a */
		sym top = sym_getn(f->r->a, dotted, strcspn(dotted, "."));
		bind(f, top, BIND_IMPORT, c)->dotted = top;
	}
}

/* The module of `from …`: dots count from where this module stands. */
static sym
from_module(struct filling *f, uint32_t node)
{
	const struct module *m = f->s->m;

	if (m->syn.v[node].kind != N_RELATIVE)
		return dotted_sym(f, node);
	sym text = dotted_sym(f, node);
	size_t dots = strspn(text, ".");
	size_t len = strlen(m->dotted);
	for (size_t up = m->package ? 1 : 0; up < dots; up++) {
		while (len > 0 && m->dotted[len - 1] != '.')
			len--;
		len -= len > 0;
	}
	if (text[dots] == '\0')
		return sym_getn(f->r->a, m->dotted, len);
	return sym_printf(f->r->a, "%.*s%s%s", (int)len, m->dotted,
	    len > 0 ? "." : "", text + dots);
}

static void
fill_from(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	uint32_t module = node_field(y, node, F_MODULE);

	if (module == 0)
		return;
	sym from = from_module(f, module);
	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		uint32_t name = c, alias = 0;
		if (c == module)
			continue;
		if (y->v[c].kind == N_WILDCARD) {
			*list_add(f->r->a, &f->s->stars) = from;
			continue;
		}
		if (y->v[c].kind == N_ALIASED) {
			name = node_field(y, c, F_NAME);
			alias = node_field(y, c, F_ALIAS);
		}
		if (name == 0 || y->v[name].kind != N_DOTTED)
			continue;
		sym what = dotted_sym(f, name);
		bind(f, alias != 0 ? text_sym(f, alias) : what, BIND_IMPORT,
		    c)->dotted = sym_printf(f->r->a, "%s%s%s", from,
		    *from != '\0' ? "." : "", what);
	}
}

static void
fill_definition(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;

	if (y->v[node].kind == N_DECORATED)
		node = node_field(y, node, F_DEFINITION);
	uint32_t name = node != 0 ? node_field(y, node, F_NAME) : 0;
	if (name == 0)
		return;
	bind(f, text_sym(f, name), y->v[node].kind == N_CLASS ? BIND_CLASS :
	    BIND_FUNCTION, node);
}

/* -1: both ways are taken. */
static int
decide(struct filling *f, uint32_t condition)
{
	if (condition == 0 || f->unknown)
		return -1;
	return eval_truth(f->r, eval(f->r, f->env, condition));
}

static void
fill_if(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	struct filling sub = *f;
	int yes = decide(f, node_field(y, node, F_CONDITION));

	sub.maybe = f->maybe || yes < 0;
	if (yes != 0)
		fill(&sub, node_field(y, node, F_CONSEQUENCE));
	for (uint32_t c = node_first(y, node); c != 0 && yes != 1;
	    c = node_next(y, node, c)) {
		if (y->v[c].kind == N_ELSE) {
			fill(&sub, node_field(y, c, F_BODY));
		} else if (y->v[c].kind == N_ELIF) {
			yes = decide(f, node_field(y, c, F_CONDITION));
			sub.maybe |= yes < 0;
			if (yes != 0)
				fill(&sub, node_field(y, c, F_CONSEQUENCE));
		}
	}
}

/* A loop over a list that is written out is followed turn by turn. */
static void
fill_for(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	uint32_t left = node_field(y, node, F_LEFT);
	uint32_t right = node_field(y, node, F_RIGHT);
	uint32_t body = node_field(y, node, F_BODY);
	struct filling sub = *f;
	const struct value *over = left != 0 && right != 0 && !f->unknown ?
	    eval_force(f->r, eval(f->r, f->env, right)) : NULL;

	if (over == NULL || over->n > LOOP_MAX ||
	    (over->kind != VALUE_LIST && over->kind != VALUE_TUPLE)) {
		sub.unknown = true;
		fill(&sub, body);
		return;
	}
	for (uint32_t i = 0; i < over->n && f->r->steps > 0; i++) {
		f->r->steps--;
		sub.env = arena_make(f->r->a, struct scope);
		sub.env->m = f->s->m;
		sub.env->outer = f->env;
		sub.env->dotted = f->s->dotted;
		scope_unpack(f->r, sub.env, left, over->items[i]);
		fill(&sub, body);
	}
}

static void
fill_try(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;

	/* what `except` binds is for when the body fails: an import that is
	 * not there. The body is taken at its word. */
	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		if (y->v[c].field == F_BODY)
			fill(f, c);
		else if (y->v[c].kind == N_ELSE)
			fill(f, node_field(y, c, F_BODY));
		else if (y->v[c].kind == N_FINALLY)
			fill(f, node_first(y, c));
	}
}

static void
fill_one(struct filling *f, uint32_t c)
{
	const struct syntax *y = &f->s->m->syn;
	struct filling sub = *f;

	switch ((enum node_kind)y->v[c].kind) {
	case N_STATEMENT:
		fill_statement(f, c);
		break;
	case N_IMPORT:
		fill_import(f, c);
		break;
	case N_IMPORT_FROM:
		fill_from(f, c);
		break;
	case N_CLASS:
	case N_FUNCTION:
	case N_DECORATED:
		fill_definition(f, c);
		break;
	case N_IF:
		fill_if(f, c);
		break;
	case N_FOR:
		fill_for(f, c);
		break;
	case N_TRY:
		fill_try(f, c);
		break;
	case N_WITH:
		fill(f, node_field(y, c, F_BODY));
		break;
	case N_RETURN:
		bind(f, sym_get(f->r->a, SCOPE_RETURN), BIND_EXPR,
		    node_first(y, c));
		*f->done |= !f->maybe;
		break;
	case N_WHILE:
		sub.unknown = true;
		fill(&sub, node_field(y, c, F_BODY));
		break;
	default:
		break;
	}
}

static void
fill(struct filling *f, uint32_t block)
{
	const struct syntax *y = &f->s->m->syn;

	/* 0 is the module: inside of one it stands for "no block" */
	if (f->depth > 40 || (block == 0 && f->depth > 0))
		return;
	f->depth++;
	for (uint32_t c = node_first(y, block); c != 0 &&
	    f->s->binds.n < BINDS_MAX && !*f->done; c = node_next(y, block, c))
		fill_one(f, c);
	f->depth--;
}

void
scope_fill(struct reader *r, struct scope *s, uint32_t block)
{
	bool done = false;
	struct filling f = { .r = r, .s = s, .env = s, .done = &done };

	fill(&f, block);
}

void
scope_unpack(struct reader *r, struct scope *s, uint32_t target,
    const struct value *v)
{
	const struct syntax *y = &s->m->syn;
	struct filling f = { .r = r, .s = s, .env = s };
	enum node_kind k = y->v[target].kind;

	if (k == N_IDENTIFIER) {
		bind(&f, text_sym(&f, target), BIND_VALUE, target)->value = v;
		return;
	}
	if (k != N_PATTERN_LIST && k != N_TUPLE_PATTERN)
		return;
	uint32_t i = 0;
	bool seq = v->kind == VALUE_LIST || v->kind == VALUE_TUPLE;
	for (uint32_t c = node_first(y, target); c != 0;
	    c = node_next(y, target, c), i++) {
		if (y->v[c].kind != N_IDENTIFIER && !(seq && i < v->n))
			continue;
		if (seq && i < v->n)
			scope_unpack(r, s, c, v->items[i]);
		else
			bind(&f, text_sym(&f, c), BIND_UNKNOWN, c);
	}
}

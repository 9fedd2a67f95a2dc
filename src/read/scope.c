/* What the statements of a block bind, one after the other. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/scope.h"

#define BINDS_MAX 100000u
#define STARS_MAX 100u

sym
scope_text(struct filling *f, uint32_t node)
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

static bool
is_definition(enum bind_kind kind)
{
	return kind == BIND_IMPORT || kind == BIND_CLASS ||
	    kind == BIND_FUNCTION;
}

/* The kind that a binding has where it stands. */
static enum bind_kind
kind_here(struct filling *f, sym name, enum bind_kind kind)
{
	bool some = filling_some(f);
	struct binding *was = f->unknown || some ?
	    scope_own(f->s, name) : NULL;

	if (f->turn != NULL && f->turn->lost)
		return BIND_UNKNOWN;
	if (f->unknown && (!is_definition(kind) || was != NULL))
		return BIND_UNKNOWN;
	return some && is_definition(kind) && was != NULL ?
	    BIND_UNKNOWN : kind;
}

struct binding *
scope_bind(struct filling *f, sym name, enum bind_kind kind, uint32_t node)
{
	const struct module *m = f->s->m;
	const struct spoilt *s = m->spoilt.n > 0 ?
	    module_spoilt(m, f->s->fn, name) : NULL;
	struct binding *b = f->failing ? scope_own(f->s, name) : NULL;

	/* what is there is imported, and only where it is not something else */
	if (f->failing && b != NULL && (b->kind == BIND_IMPORT ||
	    kind == BIND_IMPORT))
		return arena_make(f->r->a, struct binding);
	kind = kind_here(f, name, kind);
	b = list_add(f->r->a, &f->s->binds);
	b->name = name;
	b->kind = s != NULL || m->wild != 0 ? BIND_UNKNOWN : kind;
	b->node = s != NULL ? s->node : m->wild != 0 ? m->wild : node;
	b->env = f->env != f->s ? f->env : NULL;
	b->u = f->u;
	b->u.not_in |= *f->left;
	return b;
}

/* All names of a target, bound to what is not followed. */
void
scope_lose(struct filling *f, uint32_t target)
{
	const struct syntax *y = &f->s->m->syn;

	if (y->v[target].kind == N_IDENTIFIER)
		scope_bind(f, scope_text(f, target), BIND_UNKNOWN, target);
	else if (y->v[target].kind != N_ATTRIBUTE &&
	    y->v[target].kind != N_SUBSCRIPT)
		for (uint32_t c = node_first(y, target); c != 0;
		    c = node_next(y, target, c))
			scope_lose(f, c);
}

/* a = …, a, b = …, (a, b) = …: names that are unpacked are matched where the
 * other side is written out as well. */
static void
fill_target(struct filling *f, uint32_t left, uint32_t right)
{
	const struct syntax *y = &f->s->m->syn;
	enum node_kind k = y->v[left].kind;

	if (k == N_IDENTIFIER) {
		scope_bind(f, scope_text(f, left), BIND_EXPR, right);
		return;
	}
	enum node_kind rk = y->v[right].kind;
	bool match = (k == N_PATTERN_LIST || k == N_TUPLE_PATTERN) &&
	    (rk == N_EXPR_LIST || rk == N_TUPLE);
	uint32_t from = match ? node_first(y, right) : 0;
	for (uint32_t c = node_first(y, left), e = from; c != 0;
	    c = node_next(y, left, c)) {
		if (y->v[c].kind != N_IDENTIFIER || e == 0 ||
		    y->v[e].kind == N_SPLAT)
			from = 0;	/* [a, *b] = …, a, b = *c */
		e = e != 0 ? node_next(y, right, e) : 0;
	}
	if (from == 0) {
		scope_lose(f, left);
		return;
	}
	for (uint32_t c = node_first(y, left); c != 0 && from != 0;
	    c = node_next(y, left, c)) {
		scope_bind(f, scope_text(f, c), BIND_EXPR, from);
		from = node_next(y, right, from);
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
	scope_bind(f, scope_text(f, left), plus ? BIND_AUG : BIND_UNKNOWN, right);
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
	sym name = scope_text(f, object), method = scope_text(f, attr);
	struct scope *where;
	if (scope_find(f->env, name, &where) == NULL)
		return;
	for (size_t i = 0; i < countof(methods); i++)
		if (streq(methods[i], method))
			scope_bind(f, name, where == f->s ? BIND_METHOD :
			    BIND_UNKNOWN, args)->dotted = method;
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

/* Is it an assignment to what decides about an operation or a column? */
static bool
is_patch(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	uint32_t attr = y->v[node].kind == N_ATTRIBUTE &&
	    y->v[node].field == F_LEFT ? node_field(y, node, F_ATTRIBUTE) : 0;

	if (attr == 0)
		return y->v[node].kind == N_CALL;	/* setattr() */
	sym name = scope_text(f, attr);
	return isupper((unsigned char)*name) || starts_with(name, "__") ||
	    starts_with(name, "database_") || starts_with(name, "state_") ||
	    streq(name, "apply") || streq(name, "unapply") ||
	    field_decides(name) != DECIDES_NOTHING;
}

/* models.CharField.db_type = …: for all that run after it. */
static void
see_patch(struct filling *f, const struct binding *b)
{
	if (b->kind == BIND_UNKNOWN && b->dotted != NULL && f->s->fn == 0 &&
	    f->s->m->patched == 0 && f->s->m->spoilt.n > 0 &&
	    (starts_with(b->dotted, "django.db") ||
	    streq(b->dotted, "django") ||
	    starts_with(b->dotted, "django.contrib.postgres")) &&
	    module_spoilt(f->s->m, 0, b->name) != NULL &&
	    is_patch(f, b->node))
		f->s->m->patched = b->node;
}

static void
bind_import(struct filling *f, sym name, uint32_t node, sym dotted)
{
	struct binding *b = scope_bind(f, name, BIND_IMPORT, node);

	b->dotted = dotted;
	see_patch(f, b);
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
			bind_import(f, scope_text(f, alias), c, dotted);
			continue;
		}
		/* `import a.b.c` binds a */
		sym top = sym_getn(f->r->a, dotted, strcspn(dotted, "."));
		bind_import(f, top, c, top);
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
fill_star(struct filling *f, sym from, uint32_t node)
{
	struct module *m = f->s->m;

	*list_add(f->r->a, &f->s->stars) = (struct star){ from,
	    f->s->binds.n, node, filling_some(f) || f->unknown };
	if (f->s->stars.n > STARS_MAX && m->wild == 0)
		m->wild = node;
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
			fill_star(f, from, c);
			continue;
		}
		if (y->v[c].kind == N_ALIASED) {
			name = node_field(y, c, F_NAME);
			alias = node_field(y, c, F_ALIAS);
		}
		if (name == 0 || y->v[name].kind != N_DOTTED)
			continue;
		sym what = dotted_sym(f, name);
		bind_import(f, alias != 0 ? scope_text(f, alias) : what, c,
		    sym_printf(f->r->a, "%s%s%s", from,
		    *from != '\0' ? "." : "", what));
	}
}

static void
fill_definition(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;

	bool dressed = y->v[node].kind == N_DECORATED;
	if (dressed)
		node = node_field(y, node, F_DEFINITION);
	uint32_t name = node != 0 ? node_field(y, node, F_NAME) : 0;
	if (name == 0)
		return;
	scope_bind(f, scope_text(f, name), y->v[node].kind == N_CLASS ? BIND_CLASS :
	    BIND_FUNCTION, node)->dressed = dressed;
}

static void
fill_one(struct filling *f, uint32_t c)
{
	const struct syntax *y = &f->s->m->syn;

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
		scope_if(f, c);
		break;
	case N_FOR:
		scope_for(f, c);
		break;
	case N_TRY:
		scope_try(f, c);
		break;
	case N_WITH:
		scope_with(f, c);
		break;
	case N_MATCH:
		scope_match(f, c);
		break;
	case N_JUMP:
		if (f->turn != NULL && filling_some(f))
			f->turn->lost = true;
		else if (f->turn != NULL)
			f->turn->jump = y->text[y->v[c].start] == 'b' ? ENDS :
			    NEXT;
		break;
	case N_RETURN:
		scope_bind(f, sym_get(f->r->a, SCOPE_RETURN), BIND_EXPR,
		    node_first(y, c));
		if (!f->u.maybe)
			*f->left |= (uint8_t)~f->u.not_in;
		break;
	case N_WHILE:
		scope_while(f, c);
		break;
	default:
		break;
	}
}

void
scope_block(struct filling *f, uint32_t block)
{
	const struct syntax *y = &f->s->m->syn;

	/* 0 is the module: inside of one it stands for "no block" */
	if (f->depth > 40 || (block == 0 && f->depth > 0))
		return;
	f->depth++;
	for (uint32_t c = node_first(y, block); c != 0 &&
	    f->s->binds.n < BINDS_MAX && *f->left != ALL_WORLDS && (f->turn == NULL ||
	    f->turn->jump == GOES_ON); c = node_next(y, block, c))
		fill_one(f, c);
	f->depth--;
	if (f->s->binds.n >= BINDS_MAX && f->s->m->wild == 0)
		f->s->m->wild = block != 0 ? block : 1;
}

void
scope_fill(struct reader *r, struct scope *s, uint32_t block)
{
	uint8_t left = 0;
	struct filling f = { .r = r, .s = s, .env = s, .left = &left };

	scope_block(&f, block);
}

void
scope_unpack(struct reader *r, struct scope *s, uint32_t target,
    const struct value *v)
{
	const struct syntax *y = &s->m->syn;
	uint8_t left = 0;
	struct filling f = { .r = r, .s = s, .env = s, .left = &left };
	enum node_kind k = y->v[target].kind;

	if (k == N_IDENTIFIER) {
		scope_bind(&f, scope_text(&f, target), BIND_VALUE, target)->value = v;
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
			scope_bind(&f, scope_text(&f, c), BIND_UNKNOWN, c);
	}
}

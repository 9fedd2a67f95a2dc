/* What the configuration says in the place of code that cannot be read here:
 * operation classes of others, what a name or a call stands for. */
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "read/config.h"
#include "read/module.h"
#include "read/read.h"

/* One expression that stands alone; NULL: it is not one. */
static const struct value *
expression(struct arena *a, const char *text)
{
	struct reader r = { .a = a, .steps = 1000 };
	struct err e = ERR_INIT;
	uint32_t line;
	const char *code = arena_printf(a, "known = (\n%s\n)\n", text);
	struct module *m = module_new(&r, "", "", false, code, strlen(code),
	    &line, &e);

	if (text[strspn(text, " \t")] == '\0' || m == NULL || m->top.binds.n != 1 ||
	    m->top.binds.v[0].kind != BIND_EXPR)
		return NULL;
	return eval(&r, &m->top, m->top.binds.v[0].node);
}

static bool
constant(const struct value *v)
{
	for (uint32_t i = 0; i < v->n; i++)
		if (!constant(v->items[i]))
			return false;
	return v->kind != VALUE_NAME && v->kind != VALUE_CALL &&
	    v->kind != VALUE_OPAQUE;
}

const struct value *
given_constant(struct arena *a, const char *text)
{
	const struct value *v = expression(a, text);

	return v != NULL && constant(v) ? v : NULL;
}

static sym
printed(struct arena *a, const struct value *v)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	value_print(&b, v);
	return sym_get(a, b.s);
}

sym
given_key(struct arena *a, const char *text)
{
	const struct value *v = expression(a, text);

	return v == NULL || (v->kind != VALUE_NAME && (v->kind != VALUE_CALL ||
	    value_opaque(v))) ? NULL : printed(a, v);
}

const struct value *
given_value(struct reader *r, const struct value *v)
{
	const struct cfg_project *p = r->lookup != NULL ? r->lookup->project :
	    NULL;
	sym text = NULL;

	for (uint32_t i = 0; p != NULL && i < p->nvalues; i++) {
		const struct cfg_value *k = &p->values[i];

		if (!starts_with(k->key, v->name))
			continue;
		if (text == NULL)
			text = printed(r->a, v);
		if (!streq(k->key, text))
			continue;
		struct value *w = arena_copy(r->a, k->value, sizeof(*w));
		w->line = v->line;
		return w;
	}
	return NULL;
}

const char *
given_operation(const struct reader *r, const char *cls)
{
	const struct cfg_project *p = r->lookup != NULL ? r->lookup->project :
	    NULL;

	for (uint32_t i = 0; p != NULL && i < p->noperations; i++)
		if (streq(p->operations[i].key, cls))
			return p->operations[i].value;
	return NULL;
}

sym
given_scope(struct arena *a, sym root, const struct cfg_project *p)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	strbuf_str(&b, root);
	if (p != NULL && p->django > 0)
		strbuf_printf(&b, "\n%d", p->django);
	for (uint32_t i = 0; p != NULL && i < p->noperations; i++)
		strbuf_printf(&b, "\n%s = %s", p->operations[i].key,
		    p->operations[i].value);
	for (uint32_t i = 0; p != NULL && i < p->nvalues; i++)
		strbuf_printf(&b, "\n%s: %s", p->values[i].key,
		    p->values[i].text);
	return sym_get(a, b.s);
}

/* What Django itself would stop at: names that the models have not. */
#include <string.h>

#include "base/util.h"
#include "judge/changing.h"

void
mistake(struct change_state *x, enum mistake kind, sym why)
{
	if (x->why != NULL)
		return;
	x->why = why;
	x->kind = kind;
}

/* As _meta.get_field() finds it, or a lookup that begins with it. */
static bool
has(struct change_state *x, const struct model *m, const char *name, size_t n)
{
	sym s = sym_getn(x->a, name, n);
	bool id = true;

	for (uint32_t i = 0; i < m->nfields; i++) {
		const struct field *f = m->fields[i];

		if (streq(f->name, s) || (f->kind == FIELD_FK &&
		    streq(sym_printf(x->a, "%s_id", f->name), s)))
			return true;
		id &= !f->primary_key;
	}
	return streq(s, "pk") || (id && streq(s, "id")) ||
	    (m->opt->order_wrt != NULL && streq(s, "_order"));
}

static void
look(struct change_state *x, const struct model *m, const char *name,
    size_t n)
{
	if (n > 0 && !has(x, m, name, n))
		mistake(x, MISTAKE_RUN, sym_printf(x->a, "model %s has no "
		    "field '%.*s' at this point", m->label, (int)n, name));
}

/* "state", "-number" */
static void
listed(struct change_state *x, const struct model *m, const struct value *v)
{
	if (v == NULL)
		return;
	if (v->kind == VALUE_STR && memchr(v->text, '\0', v->len) == NULL) {
		size_t minus = v->len > 0 && v->text[0] == '-';

		look(x, m, v->text + minus, v->len - minus);
	}
	if (v->kind == VALUE_LIST || v->kind == VALUE_TUPLE ||
	    v->kind == VALUE_SET)
		for (uint32_t i = 0; i < v->n; i++)
			listed(x, m, v->items[i]);
}

static size_t
lookup(const char *s)
{
	const char *end = strstr(s, "__");

	return end != NULL ? (size_t)(end - s) : strlen(s);
}

/* Q(state__in=…), F("number"), wherever they stand. */
static void
said(struct change_state *x, const struct model *m, const struct value *v)
{
	if (v == NULL || v->kind != VALUE_CALL)
		return;
	bool q = streq(v->name, "django.db.models.Q");
	const struct value *f = streq(v->name, "django.db.models.F") ?
	    value_arg(v, "name", 0) : NULL;

	if (f != NULL && f->kind == VALUE_STR)
		look(x, m, f->text, lookup(f->text));
	for (uint32_t i = 0; i < v->n; i++)
		said(x, m, v->items[i]);
	for (uint32_t i = 0; i < v->nkw; i++) {
		if (q && v->kw[i].name[0] != '_')
			look(x, m, v->kw[i].name, lookup(v->kw[i].name));
		said(x, m, v->kw[i].value);
	}
}

void
fields_known(struct change_state *x, const struct model *m,
    const struct value *v)
{
	if (v == NULL || m->mixed || m->nbases > 0)
		return;
	if (v->kind != VALUE_CALL) {
		listed(x, m, v);
	} else if (v->name != NULL && starts_with(v->name, "django.")) {
		listed(x, m, value_arg(v, "fields", -1));
		listed(x, m, value_arg(v, "include", -1));
		said(x, m, v);
	}
}

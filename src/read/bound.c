/* What a person's tag is bound to: the operations as they are written, and what
 * they run or build that stands in other files of the tree. */
#include <string.h>

#include "base/hex.h"
#include "base/util.h"
#include "read/module.h"
#include "read/read.h"

void
bound_module(struct reader *r, struct module *m)
{
	uint32_t i = r->used.n;

	for (uint32_t k = 0; k < r->used.n; k++)
		if (r->used.v[k] == m)
			return;
	(void)list_add(r->a, &r->used);		/* by name, whoever comes first */
	for (; i > 0 && strcmp(r->used.v[i - 1]->dotted, m->dotted) > 0; i--)
		r->used.v[i] = r->used.v[i - 1];
	r->used.v[i] = m;
}

static void
use_name(struct reader *r, sym name)
{
	size_t own = r->own != NULL ? strlen(r->own->dotted) : 0;
	struct scope *where;

	if (starts_with(name, "django.") || module_of_python(name) ||
	    (own > 0 && starts_with(name, r->own->dotted) &&
	    name[own] == '.'))
		return;
	while (strchr(name, '.') != NULL) {	/* shop.tools.Filler.run */
		struct binding *b = dotted_find(r, name, &where);
		if (b != NULL) {
			if (where->m != r->own)
				bound_module(r, where->m);
			return;
		}
		name = sym_getn(r->a, name, (size_t)(strrchr(name, '.') -
		    name));
	}
}

void
bound_use(struct reader *r, const struct value *v)
{
	if (v->kind == VALUE_NAME || v->kind == VALUE_CALL)
		use_name(r, v->name);
	for (uint32_t i = 0; i < v->n; i++)
		bound_use(r, v->items[i]);
	for (uint32_t i = 0; i < v->nkw; i++)
		bound_use(r, v->kw[i].value);
}

static void
add_sql(struct strbuf *b, const struct op_list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct op *o = &l->v[i];
		for (uint32_t k = 0; k < o->nsql; k++)
			strbuf_printf(b, "> %s\n", o->sql[k].text != NULL ?
			    o->sql[k].text : "");
		for (uint32_t k = 0; k < o->nrsql; k++)
			strbuf_printf(b, "< %s\n", o->rsql[k].text != NULL ?
			    o->rsql[k].text : "");
		add_sql(b, &o->db);
	}
}

static sym
sum_of(struct reader *r, struct module *m)
{
	char hex[65];

	if (m->sum == NULL) {
		sha256_hex(hex, m->syn.text, m->syn.len);
		m->sum = sym_get(r->a, hex);
	}
	return m->sum;
}

void
bound_class(struct reader *r, struct migration *m, struct module *in)
{
	char hex[65];
	sym all = sym_printf(r->a, "%s %s %s", m->digest, in->dotted,
	    sum_of(r, in));

	sha256_hex(hex, all, strlen(all));
	memcpy(m->digest, hex, sizeof(m->digest) - 1);
}

void
bound_read(struct reader *r, struct migration *m)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	char hex[65];

	memcpy(m->bound, m->digest, sizeof(m->bound));
	if (!r->looked)
		return;
	for (uint32_t i = 0; i < r->used.n; i++) {
		struct module *u = r->used.v[i];
		strbuf_printf(&b, "%s %s\n", u->dotted, sum_of(r, u));
	}
	add_sql(&b, &m->ops);
	if (b.len == 0)
		return;
	strbuf_str(&b, m->digest);
	sha256_hex(hex, b.s, b.len);
	memcpy(m->bound, hex, sizeof(m->bound) - 1);
}

/* Models looked up: their tables, keys, parents. */
#include "judge/code.h"

#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

static uint32_t
place(const struct models *m, sym label)
{
	uint32_t lo = 0;

	for (uint32_t hi = m->n; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->v[mid]->label == label)
			return mid;
		if (strcmp(m->v[mid]->label, label) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct model *
models_find(const struct models *m, sym label)
{
	if (label == NULL)
		return NULL;
	uint32_t i = place(m, label);

	return i < m->n && streq(m->v[i]->label, label) ? m->v[i] : NULL;
}

/* m with `put` places at i for the `drop` that are there; the first. */
static const struct model **
resize(struct arena *a, struct models *m, uint32_t i, uint32_t put,
    uint32_t drop)
{
	uint32_t n = m->n + put - drop;
	const struct model **w = m->own;

	if (w == NULL) {
		w = arena_alloc(a, n, sizeof(*w));
	} else if (n > m->room) {
		m->room = 2 * n;
		m->own = w = arena_alloc(a, m->room, sizeof(*w));
	}
	if (i > 0 && w != m->v)
		memcpy(w, m->v, i * sizeof(*w));
	if (m->n > i + drop)
		memmove(w + i + put, m->v + i + drop,
		    (m->n - i - drop) * sizeof(*w));
	m->v = w;
	m->n = n;
	return w + i;
}

struct models
models_own(struct arena *a)
{
	return (struct models){ .room = 32,
	    .own = arena_alloc(a, 32, sizeof(const struct model *)) };
}

void
models_put(struct arena *a, struct models *m, const struct model *x)
{
	uint32_t i = place(m, x->label);

	*resize(a, m, i, 1, i < m->n && streq(m->v[i]->label, x->label)) = x;
}

void
models_drop(struct arena *a, struct models *m, sym label)
{
	uint32_t i = place(m, label);

	if (i < m->n && streq(m->v[i]->label, label))
		(void)resize(a, m, i, 0, 1);
}

const struct field *
model_field(const struct model *m, sym name)
{
	for (uint32_t i = 0; i < m->nfields; i++)
		if (streq(m->fields[i]->name, name))
			return m->fields[i];
	return NULL;
}

sym
table_named(struct arena *a, const struct model *m)
{
	return name_cut(a, sym_printf(a, "%s_%s", m->app, m->name), 63);
}

sym
model_table(const struct code *c, const struct model *m)
{
	if (m->opt->db_table != NULL)
		return m->opt->db_table;
	return m->table != NULL ? m->table : table_named(c->a, m);
}

static bool
swapped(const struct settings *s, const struct model *m)
{
	sym now = NULL;

	if (m->opt->swappable == NULL)
		return false;
	if (strcmp(m->opt->swappable, "AUTH_USER_MODEL") == 0)
		now = s->user_model;
	for (uint32_t i = 0; i < s->nswapped; i++)
		if (streq(s->swapped[i].name, m->opt->swappable))
			now = s->swapped[i].value;
	return now != NULL && strcasecmp(now, m->label) != 0;
}

bool
model_managed(const struct code *c, const struct model *m)
{
	return !m->opt->unmanaged && !m->opt->proxy && !m->opt->abstract &&
	    !swapped(c->s, m);
}

const struct model *
model_concrete(const struct code *c, const struct model *m)
{
	for (int i = 0; m->opt->proxy && i < 16; i++) {
		const struct model *base = NULL;

		for (uint32_t k = 0; k < m->nbases && base == NULL; k++)
			base = models_find(c->models, m->bases[k]);
		if (base == NULL)
			break;
		m = base;
	}
	return m;
}

static const struct model *
parent(const struct code *c, const struct model *m)
{
	if (m->opt->proxy)
		return NULL;
	for (uint32_t i = 0; i < m->nbases; i++) {
		const struct model *base = models_find(c->models, m->bases[i]);

		if (base != NULL && !base->opt->abstract)
			return model_concrete(c, base);
	}
	return NULL;
}

/* The primary key that nobody wrote. */
static const struct field *
implied_pk(const struct code *c, const struct model *m)
{
	struct field *f = arena_make(c->a, struct field);
	const struct model *up = parent(c, m);

	f->primary_key = f->unique = f->implicit = f->db_constraint = true;
	if (up != NULL && up != m) {
		f->name = sym_printf(c->a, "%s_ptr", up->name);
		f->column = sym_printf(c->a, "%s_id", f->name);
		f->kind = FIELD_FK;
		f->cls = class_named("OneToOneField");
		f->to = up->label;
		f->parent_link = f->db_index = true;
		return f;
	}
	const char *cls = c->s->auto_field != NULL ? c->s->auto_field :
	    c->s->django >= 600 ? "BigAutoField" : "AutoField";
	const char *dot = strrchr(cls, '.');
	f->name = f->column = sym_get(c->a, "id");
	f->cls = class_named(dot != NULL ? dot + 1 : cls);
	if (f->cls == NULL)
		f->cls = class_named("BigAutoField");
	return f;
}

const struct field *
model_pk(const struct code *c, const struct model *m)
{
	for (uint32_t i = 0; i < m->nfields; i++)
		if (m->fields[i]->primary_key)
			return m->fields[i];
	/* a parent link that is written is the key even without the word */
	for (uint32_t i = 0; i < m->nfields; i++)
		if (m->fields[i]->parent_link && m->fields[i]->cls != NULL &&
		    m->fields[i]->cls->one)
			return m->fields[i];
	return implied_pk(c, m);
}

bool
together_is(const struct togethers *t, uint32_t i, const sym *v, uint16_t n)
{
	if (t->len[i] != n)
		return false;
	for (uint16_t k = 0; k < n; k++)
		if (!streq(t->v[i][k], v[k]))
			return false;
	return true;
}

/* Who points to a field: Django's reverse relations, in its order. */
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

/* related_name, else the model's name; Django sorts by it. */
static sym
key_of(struct arena *a, const struct model *m, const struct field *f,
    bool *hidden)
{
	sym name = f->call != NULL ?
	    value_str(a, value_arg(f->call, "related_name", -1)) : NULL;

	*hidden = name != NULL && ends_with(name, "+");
	return name != NULL ? name : m->name;
}

static bool
points(struct lower *l, const struct field *g, const struct model *m,
    const struct field *f)
{
	if (g->kind != FIELD_FK || g->to == NULL)
		return false;
	const struct model *t = models_find(l->from.models, g->to);
	if (t == NULL || model_concrete(&l->from, t) != m)
		return false;
	return g->to_field != NULL ? streq(g->to_field, f->name) :
	    f->primary_key || model_pk(&l->from, m) == f;
}

static void
add(struct lower *l, struct rels *out, struct rel r, int depth)
{
	for (uint32_t i = 0; i < out->n; i++)
		if (out->v[i].om == r.om && out->v[i].of == r.of)
			return;
	*list_add(l->a, out) = r;
	/* a key that is itself a foreign key passes it on */
	if (r.of->primary_key)
		rels_to(l, r.om, r.of, out, depth + 1);
}

/* The model after: the same, or what it was renamed to. */
static const struct model *
after(struct lower *l, const struct model *m)
{
	const struct model *n = models_find(l->to.models, m->label);

	if (n == NULL && l->op != NULL && l->op->kind == OP_RENAME_MODEL)
		n = models_find(l->to.models, sym_printf(l->a, "%s.%s", m->app,
		    l->back ? l->op->model : l->op->to));
	return n;
}

static void
ends(struct lower *l, const struct model *x, const struct model *nm,
    const struct field *m2m, const struct model *m, const struct field *f,
    struct rels *out, int depth)
{
	const struct field *nf = nm != NULL ? model_field(nm, m2m->name) : NULL;
	const struct model *y = nf != NULL ? m2m_model(&l->to, nm, nf) : NULL;

	for (uint32_t e = 0; y != NULL && e < x->nfields; e++)
		if (points(l, x->fields[e], m, f))
			add(l, out, (struct rel){ x, y, x->fields[e],
			    y->fields[e], sym_printf(l->a, "%s+", x->title),
			    true }, depth);
}

static int
rel_before(const struct rel *x, const struct rel *y)
{
	return strcmp(x->key, y->key) < 0;
}

void
rels_to(struct lower *l, const struct model *m, const struct field *f,
    struct rels *out, int depth)
{
	uint32_t first = out->n;

	if (depth > 8)
		return;
	for (uint32_t i = 0; i < l->from.models->n; i++) {
		const struct model *om = l->from.models->v[i];
		const struct model *nm = after(l, om);

		if (!model_managed(&l->from, om))
			continue;
		for (uint32_t k = 0; k < om->nfields; k++) {
			const struct field *g = om->fields[k];
			const struct model *x = m2m_model(&l->from, om, g);
			const struct field *nf = nm != NULL ?
			    model_field(nm, g->name) : NULL;
			bool hidden;

			if (x != NULL)
				ends(l, x, nm, g, m, f, out, depth);
			if (nf == NULL || !points(l, g, m, f))
				continue;
			sym key = key_of(l->a, om, g, &hidden);
			add(l, out, (struct rel){ om, nm, g, nf, key, hidden },
			    depth);
		}
	}
	for (uint32_t i = first + 1; depth == 0 && i < out->n; i++) {
		struct rel r = out->v[i];
		uint32_t k = i;

		for (; k > first && rel_before(&r, &out->v[k - 1]); k--)
			out->v[k] = out->v[k - 1];
		out->v[k] = r;
	}
}

/* A model as CreateModel writes it. */
#include <string.h>

#include "base/util.h"
#include "judge/changing.h"

struct togethers
togethers_read(struct arena *a, const struct value *v)
{
	struct togethers t = { 0 };

	if (v == NULL || (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE &&
	    v->kind != VALUE_SET) || v->n == 0)
		return t;
	bool flat = v->items[0]->kind == VALUE_STR;
	uint32_t n = flat ? 1 : v->n;
	const sym **lists = arena_alloc(a, n, sizeof(*lists));
	uint16_t *lens = arena_array(a, uint16_t, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct value *in = flat ? v : v->items[i];
		sym *names = arena_array(a, sym, in->n + 1u);

		for (uint32_t k = 0; k < in->n; k++)
			if (in->items[k]->kind == VALUE_STR)
				names[lens[i]++] = value_str(a, in->items[k]);
		lists[i] = names;
	}
	return (struct togethers){ lists, lens, n };
}

static struct calls
calls(const struct value *v)
{
	if (v == NULL || (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE))
		return (struct calls){ 0 };
	return (struct calls){ v->items, v->n };
}

static bool
truth(const struct value *v)
{
	return v != NULL && (v->kind == VALUE_BOOL || v->kind == VALUE_INT) &&
	    v->i != 0;
}

static const struct value *
dict_get(const struct value *d, const char *key)
{
	for (uint32_t i = 0; d != NULL && d->kind == VALUE_DICT &&
	    i + 1 < d->n; i += 2)
		if (d->items[i]->kind == VALUE_STR &&
		    streq(d->items[i]->text, key))
			return d->items[i + 1];
	return NULL;
}

struct options *
options_read(struct arena *a, const struct value *d)
{
	struct options *o = arena_make(a, struct options);
	const struct value *managed = dict_get(d, "managed");

	o->db_table = value_str(a, dict_get(d, "db_table"));
	o->unmanaged = managed != NULL && !truth(managed);
	o->proxy = truth(dict_get(d, "proxy"));
	o->abstract = truth(dict_get(d, "abstract"));
	o->swappable = value_str(a, dict_get(d, "swappable"));
	o->order_wrt = value_str(a, dict_get(d, "order_with_respect_to"));
	o->unique_together = togethers_read(a, dict_get(d, "unique_together"));
	o->index_together = togethers_read(a, dict_get(d, "index_together"));
	o->indexes = calls(dict_get(d, "indexes"));
	o->constraints = calls(dict_get(d, "constraints"));
	return o;
}

static void
bases_read(struct change_state *x, struct model *m, const struct value *v)
{
	sym *bases = arena_array(x->a, sym, v != NULL ? v->n + 1u : 1u);

	for (uint32_t i = 0; v != NULL && i < v->n; i++) {
		sym text = v->items[i]->kind == VALUE_STR ?
		    sym_lower(x->a, value_str(x->a, v->items[i])) : NULL;

		if (text != NULL && strchr(text, '.') == NULL)
			text = sym_printf(x->a, "%s.%s", x->app, text);
		if (text != NULL)
			bases[m->nbases++] = text;
		else
			m->mixed |= !streq(v->items[i]->name,
			    "django.db.models.Model");
	}
	m->bases = bases;
}

static void
fields_read(struct change_state *x, struct model *m, const struct value *v)
{
	if (v == NULL || (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE)) {
		mistake(x, MISTAKE_UNREAD, "the list of fields cannot be read");
		return;
	}
	const struct field **f = arena_alloc(x->a, v->n + 1u, sizeof(*f));
	for (uint32_t i = 0; i < v->n; i++) {
		const struct value *pair = v->items[i];

		if ((pair->kind != VALUE_TUPLE && pair->kind != VALUE_LIST) ||
		    pair->n != 2 || pair->items[0]->kind != VALUE_STR) {
			mistake(x, MISTAKE_UNREAD, "a field in the list cannot "
			    "be read");
			continue;
		}
		f[m->nfields++] = field_read(x->a, x->s, x->app, m->name,
		    value_str(x->a, pair->items[0]), pair->items[1]);
	}
	m->fields = f;
}

void
model_create(struct change_state *x)
{
	const struct op *op = x->op;
	struct model *m = arena_make(x->a, struct model);

	m->app = x->app;
	m->title = op->title != NULL ? op->title : op->model;
	m->name = op->model != NULL ? op->model : sym_lower(x->a, m->title);
	m->label = sym_printf(x->a, "%s.%s", x->app, m->name);
	m->table = table_named(x->a, m);
	m->opt = options_read(x->a, op->options);
	bases_read(x, m, op->bases);
	fields_read(x, m, op->fields);
	const struct model *was = models_find(x->models, m->label);
	if (was != NULL && !was->opt->unmanaged && !was->opt->proxy)
		mistake(x, MISTAKE_TWICE, sym_printf(x->a,
		    "model %s is there already", m->label));
	models_put(x->a, x->models, m);
}

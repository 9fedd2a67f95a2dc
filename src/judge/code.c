/* Operations applied to models. */
#include "judge/code.h"

#include <string.h>

#include "base/util.h"
#include "judge/changing.h"

/* ---- changing a model ---- */

static struct model *
edit(struct change_state *x, const struct model *m)
{
	struct model *n = arena_copy(x->a, m, sizeof(*m));

	models_put(x->a, x->models, n);
	return n;
}

static struct options *
edit_options(struct change_state *x, const struct model *m)
{
	struct model *n = edit(x, m);
	struct options *o = arena_copy(x->a, m->opt, sizeof(*o));

	n->opt = o;
	return o;
}

static const struct field **
edit_fields(struct change_state *x, struct model *m, uint32_t more)
{
	const struct field **f = arena_alloc(x->a, m->nfields + more,
	    sizeof(*f));

	if (m->nfields > 0)
		memcpy(f, m->fields, m->nfields * sizeof(*f));
	m->fields = f;
	return f;
}

/* The call without one keyword, or with it set to another value. */
static const struct value *
call_with(struct arena *a, const struct value *v, const char *kw,
    const struct value *to)
{
	struct value *n = arena_copy(a, v, sizeof(*v));
	struct kwarg *k = arena_array(a, struct kwarg, v->nkw + 1u);
	uint32_t used = 0;

	for (uint32_t i = 0; i < v->nkw; i++)
		if (strcmp(v->kw[i].name, kw) != 0)
			k[used++] = v->kw[i];
	if (to != NULL)
		k[used++] = (struct kwarg){ sym_get(a, kw), to };
	n->kw = k;
	n->nkw = used;
	return n;
}

const struct value *
call_without(struct arena *a, const struct value *v, const char *kw)
{
	return v != NULL && v->kind == VALUE_CALL ?
	    call_with(a, v, kw, NULL) : v;
}

/* A field that Django looks for among those of the model itself; AlterField
 * finds an inherited one too. */
static void
no_field(struct change_state *x, const struct model *m, sym name)
{
	bool alter = x->op->kind == OP_ALTER_FIELD;

	mistake(x, !alter ? MISTAKE_STATE : m->mixed || m->nbases > 0 ?
	    MISTAKE_UNREAD : MISTAKE_RUN, sym_printf(x->a,
	    "model %s has no field '%s' at this point", m->label, name));
}

static void
field_twice(struct change_state *x, const struct model *m, sym name)
{
	if (model_field(m, name) != NULL)
		mistake(x, MISTAKE_TWICE, sym_printf(x->a,
		    "model %s has a field '%s' already", m->label, name));
}

static void
put_field(struct change_state *x, const struct model *m)
{
	const struct op *op = x->op;
	const struct value *call = op->preserve_default ? op->value :
	    call_without(x->a, op->value, "default");
	const struct field *f = field_read(x->a, x->s, m->app, m->name,
	    op->name, call);
	bool there = model_field(m, op->name) != NULL;
	struct model *n = edit(x, m);
	const struct field **v = edit_fields(x, n, there ? 0 : 1);

	if (there) {
		for (uint32_t i = 0; i < n->nfields; i++)
			if (streq(v[i]->name, op->name))
				v[i] = f;
	} else {
		v[n->nfields++] = f;
	}
	if (op->kind == OP_ADD_FIELD)
		field_twice(x, m, op->name);
	else if (!there)
		no_field(x, m, op->name);
}

static void
remove_field(struct change_state *x, const struct model *m)
{
	if (model_field(m, x->op->name) == NULL) {
		no_field(x, m, x->op->name);
		return;
	}
	struct model *n = edit(x, m);
	const struct field **v = edit_fields(x, n, 0);
	uint32_t k = 0;
	for (uint32_t i = 0; i < n->nfields; i++)
		if (!streq(v[i]->name, x->op->name))
			v[k++] = v[i];
	n->nfields = k;
}

static struct togethers
togethers_renamed(struct arena *a, struct togethers t, sym from, sym to)
{
	const sym **v = arena_alloc(a, t.n + 1u, sizeof(*v));

	for (uint32_t i = 0; i < t.n; i++) {
		sym *names = arena_copy(a, t.v[i], t.len[i] * sizeof(*names));

		for (uint16_t k = 0; k < t.len[i]; k++)
			if (streq(names[k], from))
				names[k] = to;
		v[i] = names;
	}
	t.v = v;
	return t;
}

/* Foreign keys of other models that name the renamed field. */
static void
retarget_field(struct change_state *x, sym label, sym from, sym to)
{
	for (uint32_t i = 0; i < x->models->n; i++) {
		const struct model *m = x->models->v[i];
		struct model *n = NULL;

		for (uint32_t k = 0; k < m->nfields; k++) {
			const struct field *f = m->fields[k];

			if (!streq(f->to, label) || f->to_field == NULL ||
			    !streq(f->to_field, from))
				continue;
			if (n == NULL)
				edit_fields(x, n = edit(x, m), 0);
			struct field *g = arena_copy(x->a, f, sizeof(*f));
			g->to_field = to;
			const struct field **v = arena_copy(x->a, n->fields,
			    n->nfields * sizeof(*v));
			v[k] = g;
			n->fields = v;
		}
	}
}

static void
rename_field(struct change_state *x, const struct model *m)
{
	const struct op *op = x->op;
	const struct field *f = model_field(m, op->name);

	if (f == NULL) {
		no_field(x, m, op->name);
		return;
	}
	if (!streq(op->name, op->to))
		field_twice(x, m, op->to);
	struct options *o = edit_options(x, m);
	o->unique_together = togethers_renamed(x->a, o->unique_together,
	    op->name, op->to);
	o->index_together = togethers_renamed(x->a, o->index_together,
	    op->name, op->to);
	if (streq(o->order_wrt, op->name))
		o->order_wrt = op->to;
	struct model *n = edit(x, models_find(x->models, m->label));
	const struct field **v = edit_fields(x, n, 0);
	for (uint32_t i = 0; i < n->nfields; i++)
		if (v[i] == f)
			v[i] = field_renamed(x->a, f, op->to);
	retarget_field(x, m->label, op->name, op->to);
}

static const struct field *
field_moved(struct arena *a, const struct field *f, sym from, sym to)
{
	if (!streq(f->to, from) && !streq(f->through, from))
		return f;
	struct field *g = arena_copy(a, f, sizeof(*f));
	if (streq(f->to, from))
		g->to = to;
	if (streq(f->through, from))
		g->through = to;
	return g;
}

/* Everything that names a model by its old label. */
static void
relabel(struct change_state *x, sym from, sym to)
{
	for (uint32_t i = 0; i < x->models->n; i++) {
		const struct model *m = x->models->v[i];
		const struct field **v = arena_alloc(x->a, m->nfields + 1u,
		    sizeof(*v));
		sym *bases = arena_copy(x->a, m->bases,
		    m->nbases * sizeof(*bases));
		bool same = true;

		for (uint32_t k = 0; k < m->nfields; k++) {
			v[k] = field_moved(x->a, m->fields[k], from, to);
			same = same && v[k] == m->fields[k];
		}
		for (uint32_t k = 0; k < m->nbases; k++) {
			if (!streq(bases[k], from))
				continue;
			bases[k] = to;
			same = false;
		}
		if (same)
			continue;
		struct model *n = edit(x, m);
		n->fields = v;
		n->bases = bases;
	}
}

static void
rename_model(struct change_state *x, const struct model *m)
{
	struct model *n = arena_copy(x->a, m, sizeof(*m));

	n->title = x->op->title != NULL ? x->op->title : x->op->to;
	n->name = x->op->to;
	n->label = sym_printf(x->a, "%s.%s", m->app, n->name);
	n->table = table_named(x->a, n);
	if (!streq(n->label, m->label) &&
	    models_find(x->models, n->label) != NULL)
		mistake(x, MISTAKE_TWICE, sym_printf(x->a,
		    "model %s is there already", n->label));
	models_drop(x->a, x->models, m->label);
	models_put(x->a, x->models, n);
	relabel(x, m->label, n->label);
}

sym
call_name(struct arena *a, const struct value *call)
{
	return call != NULL && call->kind == VALUE_CALL ?
	    value_str(a, value_arg(call, "name", -1)) : NULL;
}

static struct calls
calls_edit(struct change_state *x, struct calls c, sym out,
    const struct value *in)
{
	const struct value **v = arena_alloc(x->a, c.n + 1u, sizeof(*v));
	uint32_t n = 0;
	bool found = out == NULL;

	for (uint32_t i = 0; i < c.n; i++) {
		if (out != NULL && streq(call_name(x->a, c.v[i]), out)) {
			found = true;
			if (in != NULL)
				v[n++] = in;
			in = NULL;
			continue;
		}
		v[n++] = c.v[i];
	}
	if (in != NULL)
		v[n++] = in;
	if (!found)
		mistake(x, MISTAKE_RUN, sym_printf(x->a,
		    "no index or constraint '%s' at this point", out));
	return (struct calls){ v, n };
}

static const struct value *
str_value(struct arena *a, sym s)
{
	struct value *v = arena_make(a, struct value);

	v->kind = VALUE_STR;
	v->text = s;
	v->len = strlen(s);
	return v;
}

static const struct value *
plain_index(struct arena *a, const struct value *fields, sym name)
{
	struct value *v = arena_make(a, struct value);
	struct kwarg *kw = arena_array(a, struct kwarg, 2);

	kw[0] = (struct kwarg){ sym_get(a, "fields"), fields };
	kw[1] = (struct kwarg){ sym_get(a, "name"), str_value(a, name) };
	v->kind = VALUE_CALL;
	v->name = sym_get(a, "django.db.models.Index");
	v->kw = kw;
	v->nkw = 2;
	return v;
}

static void
rename_index(struct change_state *x, const struct model *m)
{
	const struct op *op = x->op;
	struct options *o = edit_options(x, m);

	if (op->name != NULL) {
		for (uint32_t i = 0; i < o->indexes.n; i++) {
			const struct value *v = o->indexes.v[i];

			if (!streq(call_name(x->a, v), op->name))
				continue;
			o->indexes = calls_edit(x, o->indexes, op->name,
			    call_with(x->a, v, "name",
			    str_value(x->a, op->to)));
			return;
		}
		mistake(x, MISTAKE_RUN, sym_printf(x->a,
		    "no index '%s' at this point", op->name));
		return;
	}
	struct togethers old = togethers_read(x->a, op->value);
	struct togethers t = o->index_together;
	const sym **lists = arena_alloc(x->a, t.n + 1u, sizeof(*lists));
	uint16_t *lens = arena_array(x->a, uint16_t, t.n + 1u);
	uint32_t n = 0;
	for (uint32_t i = 0; i < t.n; i++) {
		if (old.n == 1 && together_is(&t, i, old.v[0], old.len[0]))
			continue;
		lists[n] = t.v[i];
		lens[n++] = t.len[i];
	}
	o->index_together = (struct togethers){ lists, lens, n };
	o->indexes = calls_edit(x, o->indexes, NULL,
	    plain_index(x->a, op->value, op->to));
}

static void
change_options(struct change_state *x, const struct model *m)
{
	const struct op *op = x->op;
	struct options *o = edit_options(x, m);

	switch (op->kind) {
	case OP_ALTER_MODEL_TABLE:
		o->db_table = op->to;
		break;
	case OP_ALTER_MODEL_OPTIONS:
		o->unmanaged = options_read(x->a, op->options)->unmanaged;
		break;
	case OP_ALTER_ORDER:
		o->order_wrt = op->to;
		break;
	case OP_ALTER_UNIQUE:
		o->unique_together = togethers_read(x->a, op->value);
		fields_known(x, m, op->value);
		break;
	case OP_ALTER_INDEX:
		o->index_together = togethers_read(x->a, op->value);
		fields_known(x, m, op->value);
		break;
	case OP_ADD_INDEX:
		fields_known(x, m, op->value);
		o->indexes = calls_edit(x, o->indexes, NULL, op->value);
		break;
	case OP_REMOVE_INDEX:
		o->indexes = calls_edit(x, o->indexes, op->name, NULL);
		break;
	case OP_ADD_CONSTRAINT:
		fields_known(x, m, op->value);
		o->constraints = calls_edit(x, o->constraints, NULL,
		    op->value);
		break;
	case OP_REMOVE_CONSTRAINT:
		o->constraints = calls_edit(x, o->constraints, op->name, NULL);
		break;
	case OP_ALTER_CONSTRAINT:
		o->constraints = calls_edit(x, o->constraints, op->name,
		    op->value);
		break;
	default:
		break;
	}
}

static void
change_model(struct change_state *x, const struct model *m)
{
	switch (x->op->kind) {
	case OP_DELETE_MODEL:
		models_drop(x->a, x->models, m->label);
		break;
	case OP_RENAME_MODEL:
		rename_model(x, m);
		break;
	case OP_ADD_FIELD:
	case OP_ALTER_FIELD:
		put_field(x, m);
		break;
	case OP_REMOVE_FIELD:
		remove_field(x, m);
		break;
	case OP_RENAME_FIELD:
		rename_field(x, m);
		break;
	case OP_RENAME_INDEX:
		rename_index(x, m);
		break;
	case OP_ALTER_MODEL_MANAGERS:
	case OP_ALTER_TABLE_COMMENT:
	case OP_VALIDATE_CONSTRAINT:
	case OP_REMOVE_TRIGGER:
		break;
	default:
		change_options(x, m);
	}
}

/* State operations alone: the database is not asked. */
static void
apply_state(struct change_state *x, const struct migration *m)
{
	for (uint32_t i = 0; i < x->op->state.n; i++) {
		const struct op *op = &x->op->state.v[i];
		enum mistake kind = MISTAKE_UNREAD;
		sym why = code_apply(x->models, x->models, op, m, x->s, x->a,
		    &kind);

		if (why == NULL && op->maybe)
			why = "it stands under a condition that cannot be "
			    "decided here";
		if (why != NULL)
			mistake(x, op->maybe || kind != MISTAKE_STATE ?
			    MISTAKE_UNREAD : kind, why);
	}
}

static void
apply(struct change_state *x, const struct migration *m)
{
	const struct op *op = x->op;

	switch (op->kind) {
	case OP_CREATE_MODEL:
		model_create(x);
		return;
	case OP_SEPARATE:
	case OP_RUN_SQL:
		apply_state(x, m);
		return;
	case OP_OPAQUE:
		mistake(x, MISTAKE_UNREAD, op->why != NULL ? op->why :
		    "it cannot be read");
		return;
	case OP_EXTENSION:
	case OP_COLLATION:
	case OP_REMOVE_COLLATION:
	case OP_RUN_PYTHON:
		return;
	default:
		break;
	}
	if (op->model == NULL) {
		mistake(x, MISTAKE_UNREAD, "the name of its model cannot be "
		    "read");
		return;
	}
	sym label = sym_printf(x->a, "%s.%s", m->app, op->model);
	const struct model *model = models_find(x->models, label);
	if (model != NULL)
		change_model(x, model);
	else
		mistake(x, MISTAKE_STATE, sym_printf(x->a,
		    "there is no model %s at this point", label));
}

sym
code_apply(struct models *out, const struct models *before,
    const struct op *op, const struct migration *m, const struct settings *s,
    struct arena *a, enum mistake *kind)
{
	struct change_state x = { .a = a, .s = s, .op = op, .app = m->app,
		.models = out };

	out->v = before->v;
	out->n = before->n;
	apply(&x, m);
	if (kind != NULL)
		*kind = x.kind;
	return x.why;
}

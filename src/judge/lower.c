/* An operation into statements, in either direction: the one place that knows
 * what each of Django's operations does to a database. Going back is going
 * from the models after to the models before. */
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

static sym
label_of(struct lower *l, sym name)
{
	return sym_printf(l->a, "%s.%s", l->app, name != NULL ? name : "?");
}

static const struct model *
from_model(struct lower *l)
{
	return models_find(l->from.models, l->label);
}

static const struct model *
to_model(struct lower *l)
{
	return models_find(l->to.models, l->label);
}

/* A field whose class makes of itself what its arguments do not say. */
static bool
own_code(struct lower *l, const struct field *f)
{
	if (!f->guessed || f->call == NULL || f->call->why == NULL ||
	    f->call->kind != VALUE_CALL || f->call->i == 0)
		return false;
	l->why = OPAQUE_FIELD;
	l->note = f->call->why;
	return true;
}

static void
create_or_delete(struct lower *l)
{
	bool create = (l->op->kind == OP_CREATE_MODEL) != l->back;
	const struct code *c = create ? &l->to : &l->from;
	const struct model *m = create ? to_model(l) : from_model(l);

	if (m == NULL || !model_managed(c, m))
		return;
	if (!create) {
		emit_drop(l, c, m);
		return;
	}
	emit_create(l, c, m);
	for (uint32_t i = 0; i < m->nfields && !l->back; i++)
		own_code(l, m->fields[i]);
}

/* Fields that point to the renamed model, then its own M2M tables. */
static void
rename_referrers(struct lower *l, const struct model *om,
    const struct model *nm)
{
	struct rels rels = { 0 };

	rels_to(l, om, model_pk(&l->from, om), &rels, 1);
	for (uint32_t i = 0; i < rels.n; i++)
		if (!rels.v[i].hidden && !rels.v[i].of->implicit)
			alter_field(l, rels.v[i].om, rels.v[i].of,
			    rels.v[i].nm, rels.v[i].nf);
	for (uint32_t i = 0; i < l->from.models->n; i++) {
		const struct model *x = l->from.models->v[i];
		const struct model *y = x == om ? nm :
		    models_find(l->to.models, x->label);

		for (uint32_t k = 0; y != NULL && k < x->nfields; k++) {
			const struct field *f = x->fields[k];
			const struct field *g = model_field(y, f->name);

			if (f->kind != FIELD_M2M || g == NULL ||
			    (x != om && !streq(f->to, om->label)))
				continue;
			alter_m2m(l, x, f, y, g);
		}
	}
}

static void
rename_model(struct lower *l)
{
	sym was = l->back ? l->op->to : l->op->model;
	sym is = l->back ? l->op->model : l->op->to;
	const struct model *om = models_find(l->from.models, label_of(l, was));
	const struct model *nm = models_find(l->to.models, label_of(l, is));

	if (om == NULL || nm == NULL || !model_managed(&l->to, nm))
		return;
	sym from = model_table(&l->from, om), to = model_table(&l->to, nm);
	if (streq(from, to) && l->s->django >= 400)
		return;
	emit_rename_table(l, from, to);
	rename_referrers(l, om, nm);
}

static void
alter_table(struct lower *l)
{
	const struct model *om = from_model(l), *nm = to_model(l);

	if (om == NULL || nm == NULL || !model_managed(&l->to, nm))
		return;
	emit_rename_table(l, model_table(&l->from, om),
	    model_table(&l->to, nm));
	for (uint32_t i = 0; i < om->nfields && i < nm->nfields; i++) {
		const struct model *p = m2m_model(&l->from, om, om->fields[i]);
		const struct model *q = m2m_model(&l->to, nm, nm->fields[i]);

		if (p != NULL && q != NULL)
			emit_rename_table(l, model_table(&l->from, p),
			    model_table(&l->to, q));
	}
}

/* The field with the default that it has for this one operation. */
static const struct field *
with_default(struct lower *l, const struct model *m, const struct field *f)
{
	const struct value *dflt = l->op->preserve_default ||
	    l->op->value == NULL || l->op->value->kind != VALUE_CALL ? NULL :
	    value_arg(l->op->value, "default", -1);

	if (dflt == NULL || f->call == NULL || f->call->kind != VALUE_CALL)
		return f;
	struct value *call = arena_copy(l->a, call_without(l->a, f->call,
	    "default"), sizeof(*call));
	struct kwarg *kw = arena_array(l->a, struct kwarg, call->nkw + 1u);
	if (call->nkw > 0)
		memcpy(kw, call->kw, call->nkw * sizeof(*kw));
	kw[call->nkw++] = (struct kwarg){ sym_get(l->a, "default"), dflt };
	call->kw = kw;
	struct field *g = arena_copy(l->a, field_read(l->a, l->s, m->app,
	    m->name, f->name, call), sizeof(*g));
	/* references follow renames; the written text does not */
	g->to = f->to;
	g->to_field = f->to_field;
	g->through = f->through;
	return g;
}

static bool
is_unread(const struct value *v)
{
	return v != NULL && (v->kind == VALUE_OPAQUE ||
	    v->kind >= VALUE_NAME);
}

/* What decides over the column and is not written out: unless it stays, it
 * cannot be judged. */
static void
arguments(struct lower *l, const struct model *m, const struct field *f,
    const struct field *old)
{
	static const char *const names[] = { "null", "unique", "primary_key",
	    "db_column", "db_constraint", "db_collation" };

	if (old == NULL && own_code(l, f))
		return;
	for (size_t i = 0; i < countof(names); i++) {
		const struct value *v = f->call == NULL ? NULL :
		    value_arg(f->call, names[i], -1);
		const struct value *w = old == NULL || old->call == NULL ?
		    NULL : value_arg(old->call, names[i], -1);

		if ((!is_unread(v) && !is_unread(w)) || (old != NULL && value_equal(v, w)))
			continue;
		l->why = OPAQUE_FIELD;
		l->note = sym_printf(l->a, "'%s' of field %s.%s cannot be read",
		    names[i], m->label, f->name);
		return;
	}
}

static void
add_or_remove(struct lower *l)
{
	bool in = (l->op->kind == OP_ADD_FIELD) != l->back;
	const struct code *c = in ? &l->to : &l->from;
	const struct model *m = in ? to_model(l) : from_model(l);
	const struct field *f = m != NULL ? model_field(m, l->op->name) : NULL;

	if (f == NULL || !model_managed(c, m))
		return;
	if (!in)
		emit_remove_field(l, c, m, f);
	else
		emit_add_field(l, c, m, l->op->kind == OP_ADD_FIELD ?
		    with_default(l, m, f) : f);
	if (in && !l->back)
		arguments(l, m, f, NULL);
}

static void
alter(struct lower *l)
{
	const struct model *om = from_model(l), *nm = to_model(l);
	sym was = l->op->name, is = l->op->name;

	if (l->op->kind == OP_RENAME_FIELD) {
		was = l->back ? l->op->to : l->op->name;
		is = l->back ? l->op->name : l->op->to;
	}
	if (om == NULL || nm == NULL || !model_managed(&l->to, nm))
		return;
	const struct field *f = model_field(om, was);
	const struct field *g = model_field(nm, is);
	if (f == NULL || g == NULL)
		return;
	alter_field(l, om, f, nm, l->op->kind == OP_ALTER_FIELD ?
	    with_default(l, nm, g) : g);
	if (l->op->kind == OP_ALTER_FIELD && l->why == OPAQUE_NOT)
		arguments(l, nm, g, f);
}

static void
order(struct lower *l)
{
	const struct model *om = from_model(l), *nm = to_model(l);

	if (om == NULL || nm == NULL || !model_managed(&l->to, nm) ||
	    (om->opt->order_wrt != NULL) == (nm->opt->order_wrt != NULL))
		return;
	bool in = nm->opt->order_wrt != NULL;
	const struct code *c = in ? &l->to : &l->from;
	struct fields f = model_columns(c, in ? nm : om);
	if (in)
		emit_add_field(l, c, nm, f.v[f.n - 1]);
	else
		emit_remove_field(l, c, om, f.v[f.n - 1]);
}

/* ---- unique_together, index_together ---- */

static bool
within(const struct togethers *t, const sym *v, uint16_t n)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (together_is(t, i, v, n))
			return true;
	return false;
}

static void
together_gone(struct lower *l, const struct model *m, const sym *fields,
    uint16_t n, enum con_kind kind)
{
	struct con con = con_together(&l->from, m, fields, n, kind);
	sym table = model_table(&l->from, m);
	struct syms v = cons_on(l, table, kind, con.cols, con.ncols);
	sym name = NULL;
	uint32_t found = 0;

	for (uint32_t i = 0; i < v.n; i++) {
		bool meta = false;
		const struct calls *own = kind == CON_UNIQUE ?
		    &m->opt->constraints : &m->opt->indexes;

		for (uint32_t k = 0; k < own->n; k++)
			meta = meta || streq(call_name(l->a, own->v[k]),
			    v.v[i]);
		if (meta)
			continue;
		found++;
		if (name == NULL || streq(v.v[i], con.name))
			name = v.v[i];
	}
	if (found > 1 && !streq(name, con.name))
		l->missing = sym_printf(l->a, "table \"%s\" has %u %s on these "
		    "columns; Django wants exactly one", table, found,
		    kind == CON_UNIQUE ? "unique constraints" : "indexes");
	if (name == NULL)
		name = con.name;	/* reported as missing */
	if (kind == CON_UNIQUE)
		emit_drop_con(l, table, kind, name);
	else
		emit_drop_index(l, table, name, false);
}

static void
togethers_change(struct lower *l)
{
	const struct model *om = from_model(l), *nm = to_model(l);
	bool u = l->op->kind == OP_ALTER_UNIQUE;
	enum con_kind kind = u ? CON_UNIQUE : CON_INDEX;

	if (om == NULL || nm == NULL || !model_managed(&l->to, nm))
		return;
	const struct togethers *p = u ? &om->opt->unique_together :
	    &om->opt->index_together;
	const struct togethers *q = u ? &nm->opt->unique_together :
	    &nm->opt->index_together;
	for (uint32_t i = 0; i < p->n; i++)
		if (p->len[i] > 0 && !within(q, p->v[i], p->len[i]))
			together_gone(l, om, p->v[i], p->len[i], kind);
	for (uint32_t i = 0; i < q->n; i++)
		if (q->len[i] > 0 && !within(p, q->v[i], q->len[i])) {
			struct con con = con_together(&l->to, nm, q->v[i],
			    q->len[i], kind);
			emit_con(l, model_table(&l->to, nm), &con, 0);
		}
}

/* ---- indexes and constraints that have a name ---- */

static const struct value *
named(struct lower *l, const struct model *m, bool index, sym name)
{
	const struct calls *c = index ? &m->opt->indexes : &m->opt->constraints;

	for (uint32_t i = 0; i < c->n; i++)
		if (streq(call_name(l->a, c->v[i]), name))
			return c->v[i];
	return NULL;
}

static void
drop_named(struct lower *l, sym table, const struct con *c, sym name,
    bool concurrently)
{
	if (c->kind == CON_INDEX || con_unique_index(c))
		emit_drop_index(l, table, name, concurrently);
	else
		emit_drop_con(l, table, c->kind == CON_FK ? CON_CHECK :
		    c->kind, name);
}

static void
add_named(struct lower *l)
{
	enum op_kind k = l->op->kind;
	bool index = k == OP_ADD_INDEX || k == OP_REMOVE_INDEX;
	bool in = (k == OP_ADD_INDEX || k == OP_ADD_CONSTRAINT) != l->back;
	const struct code *c = in ? &l->to : &l->from;
	const struct model *m = in ? to_model(l) : from_model(l);
	sym name = l->op->name != NULL ? l->op->name :
	    call_name(l->a, l->op->value);

	if (m == NULL || !model_managed(c, m))
		return;
	const struct value *v = named(l, m, index, name);
	if (v == NULL && l->op->value != NULL &&
	    l->op->value->kind == VALUE_CALL)
		v = l->op->value;
	if (v == NULL || v->kind != VALUE_CALL || v->name == NULL) {
		l->why = OPAQUE_STATE;
		l->note = sym_printf(l->a, "%s '%s' cannot be read", index ?
		    "index" : "constraint", name != NULL ? name : "?");
		return;
	}
	struct con con = index ? con_index(c, m, v) : con_constraint(c, m, v);
	if (!in) {
		drop_named(l, model_table(c, m), &con, con.name,
		    l->op->concurrently);
		return;
	}
	con.not_valid = l->op->not_valid && con.kind == CON_CHECK;
	emit_con(l, model_table(c, m), &con, l->op->concurrently ?
	    EMIT_CONCURRENTLY : 0);
}

static void
emit_rename_index(struct lower *l, sym table, sym from, sym to)
{
	emit(l, (struct ddl){ .kind = DDL_RENAME_CON, .table = table,
	    .name = from, .to = to, .sql = arena_printf(l->a,
	    "ALTER INDEX \"%s\" RENAME TO \"%s\"", from, to) });
}

static void
rename_index(struct lower *l)
{
	const struct model *m = from_model(l);

	if (m == NULL || !model_managed(&l->from, m))
		return;
	sym table = model_table(&l->from, m);
	if (l->op->name != NULL) {
		emit_rename_index(l, table, l->back ? l->op->to : l->op->name,
		    l->back ? l->op->name : l->op->to);
		return;
	}
	if (l->back || l->op->value == NULL)
		return;			/* Django does nothing either */
	sym *fields = arena_array(l->a, sym, l->op->value->n + 1u);
	uint16_t n = 0;
	for (uint32_t i = 0; i < l->op->value->n; i++)
		if (l->op->value->items[i]->kind == VALUE_STR)
			fields[n++] = value_str(l->a, l->op->value->items[i]);
	struct con con = con_together(&l->from, m, fields, n, CON_INDEX);
	struct syms v = cons_on(l, table, CON_INDEX, con.cols, con.ncols);
	emit_rename_index(l, table, v.n == 1 ? v.v[0] : con.name, l->op->to);
}

static void
validate(struct lower *l)
{
	const struct model *m = from_model(l);

	if (m == NULL || l->back || !model_managed(&l->from, m))
		return;
	sym t = model_table(&l->from, m);
	emit(l, (struct ddl){ .kind = DDL_VALIDATE, .table = t,
	    .name = l->op->name, .sql = arena_printf(l->a,
	    "ALTER TABLE \"%s\" VALIDATE CONSTRAINT \"%s\"", t, l->op->name) });
}

static void
comment(struct lower *l)
{
	const struct model *m = to_model(l);

	if (m == NULL || !model_managed(&l->to, m))
		return;
	emit_comment(l, model_table(&l->to, m), NULL);
}

static void
outside_tables(struct lower *l)
{
	bool ext = l->op->kind == OP_EXTENSION;
	bool in = (l->op->kind != OP_REMOVE_COLLATION) != l->back;
	const char *name = l->op->name != NULL ? l->op->name : "?";

	emit(l, (struct ddl){ .kind = ext ? DDL_EXTENSION : DDL_OTHER,
	    .name = l->op->name, .if_exists = ext, .sql = arena_printf(l->a,
	    "%s %s %s\"%s\"", in ? "CREATE" : "DROP", ext ? "EXTENSION" :
	    "COLLATION", !ext ? "" : in ? "IF NOT EXISTS " : "IF EXISTS ",
	    name) });
}

void
lower_op(struct lower *l)
{
	l->label = label_of(l, l->op->model);
	switch (l->op->kind) {
	case OP_OPAQUE:
		l->why = OPAQUE_OPERATION;
		l->note = l->op->why;
		break;
	case OP_CREATE_MODEL:
	case OP_DELETE_MODEL:
		create_or_delete(l);
		break;
	case OP_RENAME_MODEL:
		rename_model(l);
		break;
	case OP_ALTER_MODEL_TABLE:
		alter_table(l);
		break;
	case OP_ALTER_TABLE_COMMENT:
		comment(l);
		break;
	case OP_ALTER_ORDER:
		order(l);
		break;
	case OP_ALTER_UNIQUE:
	case OP_ALTER_INDEX:
		togethers_change(l);
		break;
	case OP_ADD_FIELD:
	case OP_REMOVE_FIELD:
		add_or_remove(l);
		break;
	case OP_ALTER_FIELD:
	case OP_RENAME_FIELD:
		alter(l);
		break;
	case OP_ADD_INDEX:
	case OP_REMOVE_INDEX:
	case OP_ADD_CONSTRAINT:
	case OP_REMOVE_CONSTRAINT:
		add_named(l);
		break;
	case OP_RENAME_INDEX:
		rename_index(l);
		break;
	case OP_VALIDATE_CONSTRAINT:
		validate(l);
		break;
	case OP_REMOVE_TRIGGER:
		by_hand_remove(l);
		break;
	case OP_EXTENSION:
	case OP_COLLATION:
	case OP_REMOVE_COLLATION:
		outside_tables(l);
		break;
	case OP_RUN_SQL:
		lower_sql(l);
		break;
	case OP_RUN_PYTHON:
		lower_python(l);
		break;
	case OP_ALTER_MODEL_OPTIONS:
	case OP_ALTER_MODEL_MANAGERS:
	case OP_ALTER_CONSTRAINT:
	case OP_SEPARATE:
		break;
	}
}

/* What models want of the database: tables with columns and constraints. */
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

/* ---- columns ---- */

static const struct field *
order_field(struct arena *a)
{
	struct field *f = arena_make(a, struct field);

	f->name = f->column = sym_get(a, "_order");
	f->cls = class_named("OrderWrt");
	f->implicit = true;
	return f;
}

/* The fields with a column, as CREATE TABLE lists them. */
struct fields
model_columns(const struct code *c, const struct model *m)
{
	struct fields out = { 0 };
	const struct field *pk = model_pk(c, m);

	if (pk->implicit)
		*list_add(c->a, &out) = pk;
	for (uint32_t i = 0; i < m->nfields; i++)
		if (m->fields[i]->column != NULL)
			*list_add(c->a, &out) = m->fields[i];
	if (m->opt->order_wrt != NULL && model_field(m, "_order") == NULL)
		*list_add(c->a, &out) = order_field(c->a);
	return out;
}

/* ---- a table ---- */

static void
add(const struct code *c, struct want_cons *out, struct con con, bool later)
{
	struct want_con *w = list_add(c->a, out);

	w->con = con;
	w->later = later;
}

static void
pk_con(const struct code *c, const struct model *m, struct want_cons *out)
{
	const struct field *pk = model_pk(c, m);
	struct con con = con_plain(c->a, CON_PK, &pk->column, 1);

	if (pk->kind == FIELD_COMPOSITE) {
		sym *cols = arena_array(c->a, sym, pk->call->n + 1u);

		con.ncols = 0;
		for (uint32_t i = 0; i < pk->call->n; i++)
			cols[con.ncols++] = model_column(c, m,
			    value_str(c->a, pk->call->items[i]));
		con.cols = cols;
	}
	con.name = name_pg(c->a, model_table(c, m), NULL, "pkey");
	add(c, out, con, false);
}

static void
cons_of_fields(const struct code *c, const struct model *m,
    const struct fields *f, struct want_cons *out)
{
	sym table = model_table(c, m);
	struct con con;

	for (uint32_t i = 0; i < f->n; i++) {
		if (con_field_unique(c, m, f->v[i], &con)) {
			con.name = name_pg(c->a, table, f->v[i]->column, "key");
			add(c, out, con, false);
		}
		if (con_field_check(c, m, f->v[i], &con)) {
			con.name = name_pg(c->a, table, f->v[i]->column,
			    "check");
			add(c, out, con, false);
		}
	}
	for (uint32_t i = 0; i < m->opt->unique_together.n; i++)
		if (m->opt->unique_together.len[i] > 0)
			add(c, out, con_together(c, m,
			    m->opt->unique_together.v[i],
			    m->opt->unique_together.len[i], CON_UNIQUE), true);
	for (uint32_t i = 0; i < f->n; i++)
		if (con_field_fk(c, m, f->v[i], &con))
			add(c, out, con, true);
}

static bool
readable(const struct value *v)
{
	return v->kind == VALUE_CALL && v->name != NULL;
}

void
want_cons(const struct code *c, const struct model *m, struct want_cons *out)
{
	const struct options *o = m->opt;
	struct fields f = model_columns(c, m);
	struct con con;

	pk_con(c, m, out);
	cons_of_fields(c, m, &f, out);
	for (uint32_t i = 0; i < o->constraints.n; i++) {
		if (!readable(o->constraints.v[i]))
			continue;
		con = con_constraint(c, m, o->constraints.v[i]);
		add(c, out, con, con_unique_index(&con) || con.nulls_equal);
	}
	for (uint32_t i = 0; i < f.n; i++) {
		if (con_field_index(c, m, f.v[i], &con))
			add(c, out, con, true);
		if (con_field_like(c, m, f.v[i], &con))
			add(c, out, con, true);
	}
	for (uint32_t i = 0; i < o->index_together.n; i++)
		if (o->index_together.len[i] > 0)
			add(c, out, con_together(c, m, o->index_together.v[i],
			    o->index_together.len[i], CON_INDEX), true);
	for (uint32_t i = 0; i < o->indexes.n; i++)
		if (readable(o->indexes.v[i]))
			add(c, out, con_index(c, m, o->indexes.v[i]), true);
}

/* A model as it was, and the table that it wanted. */
struct was {
	const struct model *m;
	const struct table *t;
	uint16_t field, col;		/* where the next ones will stand */
};

/* The column of a field that is as it was, if it speaks of no other. */
static const struct column *
column_was(struct was *w, const struct field *f)
{
	if (w->m == NULL || w->t == NULL || f->kind != FIELD_COLUMN)
		return NULL;
	uint32_t i = w->field;
	while (i < w->m->nfields && w->m->fields[i] != f)
		i++;
	if (i == w->m->nfields)
		return NULL;
	w->field = (uint16_t)(i + 1);
	uint16_t k = w->col;
	while (k < w->t->ncols && w->t->cols[k].name != f->column)
		k++;
	if (k == w->t->ncols || w->t->cols[k].dflt == DFLT_EXPR ||
	    w->t->cols[k].dflt == DFLT_GENERATED)
		return NULL;
	w->col = (uint16_t)(k + 1);
	return &w->t->cols[k];
}

static struct table *
want_table(const struct code *c, const struct model *m, struct was w)
{
	struct table *t = arena_make(c->a, struct table);
	struct fields f = model_columns(c, m);
	struct column *cols = arena_array(c->a, struct column, f.n + 1u);
	struct want_cons all = { .cap = f.n + 2 };

	all.v = arena_array(c->a, struct want_con, all.cap);
	t->name = model_table(c, m);
	t->model = m->label;
	for (uint32_t i = 0; i < f.n; i++) {
		const struct column *same = column_was(&w, f.v[i]);

		cols[t->ncols++] = same != NULL ? *same :
		    field_column(c, m, f.v[i]);
	}
	t->cols = cols;
	want_cons(c, m, &all);
	struct con *cons = arena_array(c->a, struct con, all.n + 1u);
	for (uint32_t i = 0; i < all.n; i++)
		cons[t->ncons++] = all.v[i].con;
	cons_sort(cons, t->ncons);
	t->cons = cons;
	return t;
}

/* ---- the table of a many-to-many ---- */

static const struct field *
end_field(const struct code *c, const struct field *f, sym name, sym to)
{
	struct field *g = arena_make(c->a, struct field);

	g->name = name;
	g->column = sym_printf(c->a, "%s_id", name);
	g->cls = class_named("ForeignKey");
	g->kind = FIELD_FK;
	g->to = to;
	g->db_index = true;
	g->db_constraint = f->db_constraint;
	g->implicit = true;
	return g;
}

const struct model *
m2m_model(const struct code *c, const struct model *m, const struct field *f)
{
	if (f->kind != FIELD_M2M || f->through != NULL || f->to == NULL)
		return NULL;
	const char *dot = strrchr(f->to, '.');
	sym to = sym_get(c->a, dot != NULL ? dot + 1 : f->to);
	bool self = streq(to, m->name);
	sym from_name = self ? sym_printf(c->a, "from_%s", to) : m->name;
	sym to_name = self ? sym_printf(c->a, "to_%s", to) : to;
	const struct field **fields = arena_alloc(c->a, 2, sizeof(*fields));
	sym *pair = arena_array(c->a, sym, 2);
	const sym **lists = arena_alloc(c->a, 1, sizeof(*lists));
	uint16_t *len = arena_array(c->a, uint16_t, 1);
	struct options *o = arena_make(c->a, struct options);
	struct model *x = arena_make(c->a, struct model);

	fields[0] = end_field(c, f, from_name, m->label);
	fields[1] = end_field(c, f, to_name, f->to);
	pair[0] = from_name;
	pair[1] = to_name;
	lists[0] = pair;
	len[0] = 2;
	o->unique_together = (struct togethers){ lists, len, 1 };
	o->db_table = f->db_table != NULL ? f->db_table : name_cut(c->a,
	    sym_printf(c->a, "%s_%s", model_table(c, m), f->name), 63);
	o->unmanaged = !model_managed(c, m);
	x->app = m->app;
	x->name = sym_printf(c->a, "%s_%s", m->name, f->name);
	x->title = sym_printf(c->a, "%s_%s", m->title, f->name);
	x->label = m->label;	/* its table goes with its owner */
	x->fields = fields;
	x->nfields = 2;
	x->opt = o;
	return x;
}

/* ---- all of them ---- */

static bool
con_equal(const struct con *x, const struct con *y)
{
	if (x->kind != y->kind || !streq(x->name, y->name) ||
	    x->ncols != y->ncols || x->ninclude != y->ninclude ||
	    !streq(x->ref_table, y->ref_table) ||
	    !streq(x->ref_col, y->ref_col) || !streq(x->expr, y->expr) ||
	    !streq(x->where, y->where) || !streq(x->method, y->method) ||
	    !streq(x->opclass, y->opclass) ||
	    !streq(x->on_delete, y->on_delete) || x->q != y->q ||
	    x->deferrable != y->deferrable || x->outside != y->outside ||
	    x->nulls_equal != y->nulls_equal)
		return false;
	for (uint16_t i = 0; i < x->ncols; i++)
		if (!streq(x->cols[i], y->cols[i]))
			return false;
	for (uint16_t i = 0; i < x->ninclude; i++)
		if (!streq(x->include[i], y->include[i]))
			return false;
	return true;
}

static bool
column_equal(const struct column *x, const struct column *y)
{
	return streq(x->name, y->name) && streq(x->type, y->type) &&
	    streq(x->collation, y->collation) && x->notnull == y->notnull &&
	    x->dflt == y->dflt && streq(x->dflt_sql, y->dflt_sql) &&
	    streq(x->field, y->field) && x->writes_null == y->writes_null &&
	    x->py_default == y->py_default && streq(x->py_value, y->py_value);
}

static bool
table_equal(const struct table *x, const struct table *y)
{
	if (x->ncols != y->ncols || x->ncons != y->ncons ||
	    !streq(x->model, y->model))
		return false;
	for (uint16_t i = 0; i < x->ncols; i++)
		if (!column_equal(&x->cols[i], &y->cols[i]))
			return false;
	for (uint16_t i = 0; i < x->ncons; i++)
		if (!con_equal(&x->cons[i], &y->cons[i]))
			return false;
	return true;
}

static const sym *
syms_kept(struct arena *a, const sym *v, uint16_t n)
{
	sym *w = arena_array(a, sym, n);

	for (uint16_t i = 0; i < n; i++)
		w[i] = sym_get(a, v[i]);
	return w;
}

/* A table that was built in a scratch, for good. */
static const struct table *
table_kept(struct arena *a, const struct table *t, const struct table *old)
{
	uint16_t at = 0;
	struct table *n = arena_copy(a, t, sizeof(*t));
	struct column *cols = arena_copy(a, t->cols, t->ncols * sizeof(*cols));
	struct con *cons = arena_copy(a, t->cons, t->ncons * sizeof(*cons));

	for (uint16_t i = 0; i < t->ncols; i++) {
		struct column *c = &cols[i];

		uint16_t k = at;

		while (old != NULL && k < old->ncols &&
		    old->cols[k].name != c->name)
			k++;
		if (old != NULL && k < old->ncols) {
			at = (uint16_t)(k + 1);
			if (old->cols[k].field == c->field)
				continue;	/* it was taken from there */
		}
		c->name = sym_get(a, c->name);
		c->type = sym_get(a, c->type);
		c->collation = sym_get(a, c->collation);
		c->dflt_sql = sym_get(a, c->dflt_sql);
		c->field = sym_get(a, c->field);
		c->py_value = sym_get(a, c->py_value);
	}
	for (uint16_t i = 0; i < t->ncons; i++) {
		struct con *c = &cons[i];

		c->name = sym_get(a, c->name);
		c->cols = syms_kept(a, c->cols, c->ncols);
		c->include = syms_kept(a, c->include, c->ninclude);
		c->ref_table = sym_get(a, c->ref_table);
		c->ref_col = sym_get(a, c->ref_col);
		c->on_delete = sym_get(a, c->on_delete);
		c->expr = sym_get(a, c->expr);
		c->where = sym_get(a, c->where);
		c->method = sym_get(a, c->method);
		c->opclass = sym_get(a, c->opclass);
	}
	n->name = sym_get(a, t->name);
	n->model = sym_get(a, t->model);
	n->cols = cols;
	n->cons = cons;
	return n;
}

static void
put(struct arena *a, struct vec *v, const struct table *t)
{
	const struct table *old = vec_find(v, t->name);

	if (old == NULL || !table_equal(old, t))
		*v = vec_put(a, *v, t);
}

static void
model_wants(const struct code *c, const struct model *m, struct was was,
    struct vec *out)
{
	static const struct was nothing;

	if (!model_managed(c, m))
		return;
	put(c->a, out, want_table(c, m, was));
	for (uint32_t i = 0; i < m->nfields; i++) {
		const struct model *x = m2m_model(c, m, m->fields[i]);

		if (x != NULL)
			put(c->a, out, want_table(c, x, nothing));
	}
}

struct vec
world_want(const struct models *m, const struct settings *s, struct arena *a)
{
	static const struct was nothing;
	struct code c = { a, m, s };
	struct vec out = vec_own(a, (struct vec){ 0 });

	for (uint32_t i = 0; i < m->n; i++)
		model_wants(&c, m->v[i], nothing, &out);
	out.own = NULL;
	return out;
}

/* ---- only what has changed ---- */

struct next {
	struct arena *a, *scratch;
	struct vec want;
	struct code before, after;
	struct list(sym) todo;		/* labels, each once */
};

static void
todo(struct next *n, sym label)
{
	for (uint32_t i = 0; i < n->todo.n; i++)
		if (streq(n->todo.v[i], label))
			return;
	*list_add(n->scratch, &n->todo) = label;
}

static bool
same_to_others(struct next *n, sym label)
{
	const struct model *x = models_find(n->before.models, label);
	const struct model *y = models_find(n->after.models, label);

	if (x == NULL || y == NULL)
		return x == y;
	x = model_concrete(&n->before, x);
	y = model_concrete(&n->after, y);
	const struct field *p = model_pk(&n->before, x);
	const struct field *q = model_pk(&n->after, y);
	return streq(p->column, q->column) &&
	    streq(model_table(&n->before, x), model_table(&n->after, y)) &&
	    streq(field_type(&n->before, p, 0), field_type(&n->after, q, 0));
}

/* Models whose tables speak of this one: foreign keys, heirs, proxies. */
static void
todo_referrers(struct next *n, sym label, bool all)
{
	for (uint32_t i = 0; i < n->after.models->n; i++) {
		const struct model *m = n->after.models->v[i];
		bool refers = false;

		for (uint32_t k = 0; k < m->nfields && !refers; k++)
			refers = streq(m->fields[k]->to, label) &&
			    (all || m->fields[k]->to_field != NULL);
		for (uint32_t k = 0; k < m->nbases && !refers; k++)
			refers = all && streq(m->bases[k], label);
		if (refers)
			todo(n, m->label);
	}
}

static void
redo(struct next *n, sym label)
{
	const struct model *m = models_find(n->after.models, label);
	struct vec mine = { 0 };

	if (m != NULL) {
		sym table = model_table(&n->after, m);
		struct was was = { .m = models_find(n->before.models, label),
			.t = vec_find(&n->want, table) };

		if (was.t != NULL && !streq(was.t->model, label))
			was.t = NULL;
		model_wants(&n->after, m, was, &mine);
	}
	for (uint32_t i = 0; i < n->want.n;) {
		const struct table *t = n->want.v[i];

		if (streq(t->model, label) && vec_find(&mine, t->name) == NULL)
			n->want = vec_drop(n->a, n->want, t->name);
		else
			i++;
	}
	for (uint32_t i = 0; i < mine.n; i++) {
		const struct table *old = vec_find(&n->want, mine.v[i]->name);

		if (old == NULL || !table_equal(old, mine.v[i]))
			n->want = vec_put(n->a, n->want,
			    table_kept(n->a, mine.v[i], old));
	}
}

struct vec
want_next(struct arena *a, const struct vec *want, const struct models *before,
    const struct models *after, const struct settings *s)
{
	struct arena *scratch;
	struct next n = { .a = a };
	uint32_t i = 0, k = 0;

	if (before->v == after->v)
		return *want;
	if (before->n == 0 && want->n == 0)
		return world_want(after, s, a);
	n.scratch = scratch = arena_new();
	n.want = vec_own(a, *want);
	n.before = (struct code){ scratch, before, s };
	n.after = (struct code){ scratch, after, s };

	while (i < before->n || k < after->n) {
		if (i < before->n && k < after->n &&
		    before->v[i] == after->v[k]) {
			i++;
			k++;
			continue;
		}
		int c = i == before->n ? 1 : k == after->n ? -1 :
		    strcmp(before->v[i]->label, after->v[k]->label);

		*list_add(scratch, &n.todo) = c > 0 ? after->v[k]->label :
		    before->v[i]->label;
		i += c <= 0;
		k += c >= 0;
	}
	for (uint32_t t = 0; t < n.todo.n; t++) {
		sym label = n.todo.v[t];

		redo(&n, label);
		todo_referrers(&n, label, !same_to_others(&n, label));
	}
	arena_free(scratch);
	n.want.own = NULL;
	return n.want;
}

#include "prog/applied.h"

#include <string.h>

#include "base/util.h"

/* Migrations of the head that may not build what the base's do. */
struct suspects { const struct migration **v; uint32_t n, cap; };

struct compare {
	struct trial *t;
	struct arena *a;
	struct suspects s;
	const char *has;
	uint32_t told;
};

static bool ops_equal(const struct op_list *x, const struct op_list *y);

static bool
sqls_equal(const struct sql_text *x, uint32_t n, const struct sql_text *y,
    uint32_t k)
{
	for (uint32_t i = 0; n == k && i < n; i++)
		if (!streq(x[i].text, y[i].text))
			return false;
	return n == k;
}

static bool
op_equal(const struct op *x, const struct op *y)
{
	return x->kind == y->kind && streq(x->cls, y->cls) &&
	    streq(x->model, y->model) && streq(x->title, y->title) &&
	    streq(x->name, y->name) && streq(x->to, y->to) &&
	    x->preserve_default == y->preserve_default &&
	    x->concurrently == y->concurrently &&
	    x->not_valid == y->not_valid && x->maybe == y->maybe &&
	    x->not_in == y->not_in &&
	    value_equal(x->value, y->value) &&
	    value_equal(x->fields, y->fields) &&
	    value_equal(x->options, y->options) &&
	    value_equal(x->bases, y->bases) &&
	    sqls_equal(x->sql, x->nsql, y->sql, y->nsql) &&
	    ops_equal(&x->db, &y->db) && ops_equal(&x->state, &y->state);
}

static bool
ops_equal(const struct op_list *x, const struct op_list *y)
{
	for (uint32_t i = 0; x->v != y->v && x->n == y->n && i < x->n; i++)
		if (!op_equal(&x->v[i], &y->v[i]))
			return false;
	return x->n == y->n;
}

static bool
builds_equal(const struct migration *x, const struct migration *y)
{
	if (x->nconds != y->nconds)
		return false;
	for (uint32_t i = 0; i < x->nconds; i++)
		if (!streq(x->conds[i].id, y->conds[i].id))
			return false;
	return ops_equal(&x->ops, &y->ops);
}

static bool
opaque(const struct migration *m)
{
	for (uint32_t i = 0; i < m->ops.n; i++)
		if (m->ops.v[i].kind == OP_OPAQUE)
			return true;
	return false;
}

static bool
replaces(const struct migration *m, const struct migration *old)
{
	for (uint32_t i = 0; i < m->nreplaces; i++)
		if (m->replaces[i].app == old->app &&
		    m->replaces[i].name == old->name)
			return true;
	return false;
}

/* Of what is applied; `old` NULL: m is a squash of that. */
static bool
differs(const struct migration *m, const struct migration *old)
{
	return old == NULL || ((!m->alone || !old->alone) &&
	    !builds_equal(m, old));
}

/* May differ, or cannot be compared: it stands as the base has it, so that the
 * others are compared all the same. */
static bool
settled(const struct trial_ask *ask, const struct migration *m,
    const struct migration *old)
{
	return trial_listed(ask->exceptions, m) || opaque(m) ||
	    (old != NULL && opaque(old));
}

/* What is applied, as it is written now; its suspects. */
static uint32_t
gather(struct compare *c, const struct trial_ask *ask,
    const struct migration **v)
{
	const struct trial *t = c->t;
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->graph.n; i++) {
		const struct migration *m = t->graph.order[i];
		const struct migration *old = trial_find(&t->base_names, m);

		if (old == NULL && !trial_squashes(&t->base_names, m))
			continue;
		bool other = differs(m, old), as_was = other &&
		    settled(ask, m, old);
		if (other && !as_was)
			*list_add(c->a, &c->s) = m;
		if (!as_was)
			v[n++] = m;
		else if (old != NULL)
			v[n++] = old;
		for (uint32_t k = 0; as_was && old == NULL &&
		    k < t->base_graph.n; k++)
			if (replaces(m, t->base_graph.order[k]))
				v[n++] = t->base_graph.order[k];
	}
	return n;
}

/* The suspect that a table is most likely of: one of its app. */
static const struct migration *
culprit(const struct compare *c, sym table)
{
	for (uint32_t i = 0; i < c->s.n; i++) {
		size_t n = strlen(c->s.v[i]->app);

		if (strncmp(table, c->s.v[i]->app, n) == 0 && table[n] == '_')
			return c->s.v[i];
	}
	return c->s.v[0];
}

static void
tell(struct compare *c, sym table, sym what)
{
	const struct migration *m = culprit(c, table);

	if (c->told++ >= 8)
		return;
	if (trial_find(&c->t->base_names, m) == NULL)
		trial_wrong(c->t, c->a, m->path, 0, sym_printf(c->a,
		    "the squash %s.%s does not build what it replaces, and "
		    "Django will not run it where that is applied: %s differs "
		    "from what %s has", m->app, m->name, what, c->has));
	else
		trial_wrong(c->t, c->a, m->path, 0, sym_printf(c->a,
		    "the operations of %s.%s were changed through another "
		    "file: %s differs from what %s has; undo that, and write a "
		    "new migration", m->app, m->name, what, c->has));
}

static bool
column_equal(const struct column *x, const struct column *y)
{
	return streq(x->type, y->type) && streq(x->collation, y->collation) &&
	    x->notnull == y->notnull && x->dflt == y->dflt &&
	    (x->dflt != DFLT_CONST || streq(x->dflt_sql, y->dflt_sql));
}

/* Generated names turn with the way that led there. */
static bool
con_equal(const struct con *x, const struct con *y)
{
	if (x->kind != y->kind || x->ncols != y->ncols)
		return false;
	if (x->kind == CON_CHECK)
		return streq(x->name, y->name) || streq(x->expr, y->expr);
	for (uint16_t i = 0; i < x->ncols; i++)
		if (!streq(x->cols[i], y->cols[i]))
			return false;
	return streq(x->ref_table, y->ref_table) && streq(x->where, y->where) &&
	    streq(x->opclass, y->opclass);
}

static const struct con *
con_lacking(const struct table *x, const struct table *y)
{
	for (uint16_t i = 0; i < x->ncons; i++) {
		uint16_t k = 0;

		while (k < y->ncons && !con_equal(&x->cons[i], &y->cons[k]))
			k++;
		if (k == y->ncons)
			return &x->cons[i];
	}
	return NULL;
}

static void
columns(struct compare *c, const struct table *x, const struct table *y,
    bool both)
{
	for (uint16_t i = 0; i < x->ncols; i++) {
		const struct column *p = &x->cols[i];
		const struct column *q = table_col(y, p->name);

		if (q == NULL || (both && !column_equal(p, q)))
			tell(c, x->name, sym_printf(c->a,
			    "column \"%s\" of table \"%s\"", p->name, x->name));
	}
}

static void
tables(struct compare *c, const struct table *x, const struct table *y)
{
	const struct con *con;
	uint32_t before = c->told;

	if (x->trusted || y->trusted)
		return;
	columns(c, x, y, true);
	columns(c, y, x, false);
	if (c->told > before)
		return;
	con = con_lacking(x, y);
	con = con != NULL ? con : con_lacking(y, x);
	if (con != NULL)
		tell(c, x->name, sym_printf(c->a, "constraint or index \"%s\" "
		    "of table \"%s\"", con->name, x->name));
}

static void
vecs(struct compare *c, const struct vec *x, const struct vec *y)
{
	struct names n = vec_touched(c->a, x, y);

	for (uint32_t i = 0; i < n.n; i++) {
		const struct table *p = vec_find(x, n.v[i]);
		const struct table *q = vec_find(y, n.v[i]);

		if (p != NULL && q != NULL)
			tables(c, p, q);
		else
			tell(c, n.v[i], sym_printf(c->a, "table \"%s\"",
			    n.v[i]));
	}
}

/* Those of the way; conditions that it knows nothing of all hold, or none
 * does. false: there are none of those. */
static bool
choices(struct settings *s, struct arena *a, const struct way *w,
    const struct migration *const *v, uint32_t n, bool holds)
{
	struct list(struct choice) all = { 0 };
	uint32_t was;

	for (uint32_t i = 0; i < w->nchoices; i++)
		*list_add(a, &all) = w->choices[i];
	was = all.n;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < v[i]->nconds; k++) {
			sym id = v[i]->conds[k].id;
			uint32_t x = 0;
			while (x < all.n && !streq(all.v[x].id, id))
				x++;
			if (x == all.n)
				*list_add(a, &all) = (struct choice){ id,
				    v[i]->conds[k].text, holds };
		}
	s->choices = all.v;
	s->nchoices = all.n;
	return all.n > was;
}

void
applied_compare(struct trial *t, struct arena *a, const struct trial_ask *ask)
{
	struct compare c = { .t = t, .a = a, .has = ask->why != NULL ?
		ask->why : "what is deployed" };
	struct world now;

	if (ask->base == NULL || t->nwrong > 0)
		return;
	const struct migration **v = arena_alloc(a, t->graph.n +
	    t->base_graph.n + 1u, sizeof(*v));
	uint32_t n = gather(&c, ask, v);
	if (c.s.n == 0)
		return;
	for (uint32_t i = 0; i < t->ways.n && c.told == 0; i++)
		for (int more = 0; more < 2 && c.told == 0; more++) {
			const struct world *was = &t->ways.v[i].before;
			struct settings s = t->settings;

			bool others = !t->ways.open && choices(&s, a,
			    &t->ways.v[i], v, n, more == 0);
			if (!others && more > 0)
				break;
			replay_end(&now, a, v, n, &s);
			vecs(&c, &was->have, &now.have);
			if (c.told == 0)
				vecs(&c, &was->want, &now.want);
		}
}

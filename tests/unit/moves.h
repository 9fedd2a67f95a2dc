/* Pending migrations from the tables that stand after each of them: the
 * statements are what differs. */
#ifndef TESTS_MOVES_H
#define TESTS_MOVES_H

#include "world.h"

struct m_ddls { struct ddl *v; uint32_t n; };

static inline struct ddl *
m_ddl(struct m_ddls *l, enum ddl_kind kind, sym table, sym name)
{
	struct ddl *d = &l->v[l->n++];

	d->kind = kind;
	d->table = table;
	d->name = name;
	return d;
}

static inline void
m_column(struct m_ddls *l, sym t, const struct column *x,
    const struct column *y)
{
	if (!streq(x->type, y->type))
		m_ddl(l, DDL_TYPE, t, x->name)->col = y;
	if (!x->notnull && y->notnull)
		m_ddl(l, DDL_SET_NOT_NULL, t, x->name);
	if (x->notnull && !y->notnull)
		m_ddl(l, DDL_DROP_NOT_NULL, t, x->name);
	if (x->dflt != y->dflt && y->dflt == DFLT_NONE)
		m_ddl(l, DDL_DROP_DEFAULT, t, x->name);
	else if (x->dflt != y->dflt)
		m_ddl(l, DDL_SET_DEFAULT, t, x->name)->col = y;
}

/* Of the column, if that is new with it. */
static inline void
m_con(struct m_ddls *l, const struct table *x, const struct con *c)
{
	struct ddl *d = m_ddl(l, DDL_ADD_CON, x->name, NULL);

	d->con = c;
	d->of_column = c->ncols == 1 && c->cols[0] != NULL &&
	    table_col(x, c->cols[0]) == NULL;
}

static inline void
m_table(struct m_ddls *l, const struct table *x, const struct table *y)
{
	for (uint16_t i = 0; i < x->ncons; i++)
		if (table_con(y, x->cons[i].name) == NULL)
			m_ddl(l, DDL_DROP_CON, x->name, x->cons[i].name);
	for (uint16_t i = 0; i < x->ncols; i++) {
		const struct column *c = table_col(y, x->cols[i].name);

		if (c == NULL)
			m_ddl(l, DDL_DROP_COLUMN, x->name, x->cols[i].name);
		else
			m_column(l, x->name, &x->cols[i], c);
	}
	for (uint16_t i = 0; i < y->ncols; i++)
		if (table_col(x, y->cols[i].name) == NULL)
			m_ddl(l, DDL_ADD_COLUMN, x->name, NULL)->col =
			    &y->cols[i];
	for (uint16_t i = 0; i < y->ncons; i++)
		if (table_con(x, y->cons[i].name) == NULL)
			m_con(l, x, &y->cons[i]);
}

static inline struct ddls
m_diff(struct arena *a, const struct vec *x, const struct vec *y)
{
	struct m_ddls l = { arena_array(a, struct ddl, 64), 0 };

	for (uint32_t i = 0; i < x->n; i++) {
		const struct table *t = vec_find(y, x->v[i]->name);

		if (t == NULL)
			m_ddl(&l, DDL_DROP_TABLE, x->v[i]->name, NULL)
			    ->cascade = true;
		else
			m_table(&l, x->v[i], t);
	}
	for (uint32_t i = 0; i < y->n; i++)
		if (vec_find(x, y->v[i]->name) == NULL)
			m_ddl(&l, DDL_CREATE_TABLE, y->v[i]->name, NULL)
			    ->whole = y->v[i];
	return (struct ddls){ l.v, l.n };
}

/* A migration "app.name" on top of `before`; wants what `want` says. It needs
 * `parent` (may be NULL). */
static inline struct moved *
m_move(struct arena *a, const char *key, const struct migration *parent,
    const struct world *before, struct vec want, struct vec have)
{
	struct moved *m = arena_make(a, struct moved);
	struct migration *f = arena_make(a, struct migration);
	struct change *c = arena_make(a, struct change);
	struct op *op = arena_make(a, struct op);
	const char *dot = strchr(key, '.');

	f->app = sym_getn(a, key, (size_t)(dot - key));
	f->name = sym_get(a, dot + 1);
	f->path = sym_printf(a, "%s/migrations/%s.py", f->app, f->name);
	memcpy(f->digest, "0123456789abcdef", 17);
	memcpy(f->bound, f->digest, 17);
	f->atomic = true;
	if (parent != NULL) {
		struct dep *d = arena_make(a, struct dep);

		d->app = parent->app;
		d->name = parent->name;
		f->deps = d;
		f->ndeps = 1;
	}
	op->line = 7;
	c->op = op;
	c->fwd = m_diff(a, &before->have, &have);
	c->rev = m_diff(a, &have, &before->have);
	m->m = f;
	m->before = *before;
	m->after.want = want;
	m->after.have = have;
	m->changes = c;
	m->nchanges = 1;
	return m;
}

#endif

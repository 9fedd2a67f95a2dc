/* Where the way back fails: on rows that stood, or were written meanwhile. */
#include "judge/judging.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct way_back {
	struct arena *a;
	const struct moved *m;
	const struct ddls *l;		/* of one operation */
	struct strbuf *out;
};

static void __attribute__((format(printf, 2, 3)))
fails(struct way_back *w, const char *fmt, ...)
{
	struct strbuf t STRBUF_SCOPED = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(&t, fmt, ap);
	va_end(ap);
	if (strstr(w->out->s, t.s) == NULL)
		strbuf_printf(w->out, "%s%s", w->out->len > 0 ? ", " : "", t.s);
}

static const struct table *
stands(const struct way_back *w, sym table)
{
	return table == NULL ? NULL : vec_find(&w->m->after.have, table);
}

static bool
filled_first(const struct way_back *w, const struct ddl *d)
{
	for (uint32_t i = 0; i < w->l->n; i++)
		if (w->l->v[i].kind == DDL_UPDATE_NULLS &&
		    streq(w->l->v[i].name, d->name))
			return true;
	return false;
}

/* It was there all the time: only dropped and added again. */
static bool
never_gone(const struct table *t, const struct con *c)
{
	for (uint16_t i = 0; i < t->ncons; i++)
		if (t->cons[i].kind == c->kind && con_same(&t->cons[i], c))
			return true;
	return false;
}

static void
constraint(struct way_back *w, const struct ddl *d)
{
	const struct table *t = stands(w, d->table);
	const struct con *c = d->con;

	if (t == NULL || c == NULL || c->not_valid || never_gone(t, c))
		return;
	for (uint16_t i = 0; i < c->ncols; i++)
		if (c->cols[i] != NULL && table_col(t, c->cols[i]) == NULL)
			return;		/* a column that is empty by then */
	if (con_is_unique(c))
		fails(w, "where rows of \"%s\" are the same to \"%s\"", d->table,
		    c->name);
	else if (c->kind == CON_CHECK || c->kind == CON_EXCLUDE)
		fails(w, "where rows of \"%s\" do not keep \"%s\"", d->table,
		    c->name);
	else if (c->kind == CON_FK && c->ncols > 0 && c->cols[0] != NULL)
		fails(w, "where \"%s\".\"%s\" has no row in \"%s\"", d->table,
		    c->cols[0], c->ref_table);
}

static void
column(struct way_back *w, const struct ddl *d)
{
	const struct table *t = stands(w, d->table);
	const struct column *c = t == NULL || d->name == NULL ? NULL :
	    table_col(t, d->name);

	if (d->kind == DDL_SET_NOT_NULL && c != NULL && !c->notnull &&
	    !filled_first(w, d))
		fails(w, "where \"%s\".\"%s\" is NULL", d->table, d->name);
	if (d->kind == DDL_TYPE && c != NULL && d->col != NULL &&
	    d->col->type != NULL && type_fit(c->type, d->col->type) >=
	    DEGREE_MAY && type_cuts(w->a, d, c) == NULL)
		fails(w, "where \"%s\".\"%s\" does not fit %s", d->table, d->name,
		    d->col->type);
}

sym
reverse_fails(struct arena *a, const struct moved *m)
{
	struct strbuf out STRBUF_SCOPED = STRBUF_INIT;
	struct way_back w = { .a = a, .m = m, .out = &out };

	for (uint32_t i = m->nchanges; i-- > 0;) {
		w.l = &m->changes[i].rev;
		for (uint32_t k = 0; k < w.l->n; k++)
			if (w.l->v[k].kind == DDL_ADD_CON)
				constraint(&w, &w.l->v[k]);
			else
				column(&w, &w.l->v[k]);
	}
	return out.len == 0 ? NULL : sym_printf(a, "its reverse fails %s",
	    out.s);
}

/* ---- values that a type change makes less of ---- */

static bool
is_whole(const char *type)
{
	return streq(type, "integer") || streq(type, "bigint") ||
	    streq(type, "smallint");
}

static int
scale_of(const char *type)
{
	const char *comma = strchr(type, ',');

	return !starts_with(type, "numeric") ? -1 :
	    comma != NULL ? (int)strtol(comma + 1, NULL, 10) :
	    strchr(type, '(') != NULL ? 0 : 1000;
}

sym
type_cuts(struct arena *a, const struct ddl *d, const struct column *was)
{
	const char *x = was->type, *y = d->col == NULL ? NULL : d->col->type;

	if (x == NULL || y == NULL || strchr(x, '[') != NULL)
		return NULL;
	bool fraction = scale_of(x) > 0 || streq(x, "double precision") ||
	    streq(x, "real");
	if (fraction && (is_whole(y) || (scale_of(y) >= 0 &&
	    (scale_of(x) < 0 || scale_of(y) < scale_of(x)))))
		return sym_printf(a, "rounds \"%s\".\"%s\" to %s", d->table,
		    was->name, y);
	if (starts_with(x, "timestamp") && (streq(y, "date") ||
	    starts_with(y, "time without") || streq(y, "time")))
		return sym_printf(a, "makes a %s of \"%s\".\"%s\"", y, d->table,
		    was->name);
	/* an explicit cast cuts without a word what an assignment refuses */
	if (d->using && starts_with(y, "character") && strchr(y, '(') != NULL &&
	    type_fit(x, y) != DEGREE_OK)
		return sym_printf(a, "cuts \"%s\".\"%s\" to %s", d->table,
		    was->name, y);
	return NULL;
}

/* May this code run on this schema? Six questions to every table it wants. */
#include "judge/asking.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void
found(struct ask *q, enum reason_kind kind, enum degree degree,
    const struct column *field, const char *fmt, ...)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct findings *f = q->f;
	va_list ap;

	if (f->n == f->cap) {
		uint32_t cap = f->cap == 0 ? 8 : f->cap * 2;
		struct reason *v = arena_array(q->a, struct reason, cap);

		if (f->n > 0)
			memcpy(v, f->v, f->n * sizeof(*v));
		f->v = v;
		f->cap = cap;
	}
	if (!f->mute) {
		va_start(ap, fmt);
		strbuf_vprintf(&text, fmt, ap);
		va_end(ap);
	}
	f->v[f->n++] = (struct reason){
		.kind = kind, .degree = degree,
		.table = q->w == NULL ? NULL : q->w->name,
		.model = q->w == NULL ? NULL : q->w->model,
		.column = field == NULL ? NULL : field->name,
		.field = field == NULL ? NULL : field->field,
		.text = f->mute ? "" : sym_get(q->a, text.s),
	};
}

static void
about(struct ask *q, sym column)
{
	q->f->v[q->f->n - 1].column = column;
}

static void
names_of(struct strbuf *b, const struct con *c)
{
	for (uint16_t i = 0; i < c->ncols; i++)
		strbuf_printf(b, "%s%s", i > 0 ? ", " : "",
		    c->cols[i] == NULL ? "(expression)" : c->cols[i]);
}

/* A column that the code does not know and that keeps rows apart by itself:
 * NULLs are distinct, sequences and random values too. */
static bool
keeps_apart(const struct con *u, const struct column *c)
{
	if (c->dflt == DFLT_IDENTITY || c->dflt == DFLT_SERIAL)
		return true;
	if (c->dflt == DFLT_NONE)
		return !u->nulls_equal;
	return c->dflt == DFLT_EXPR && c->dflt_sql != NULL &&
	    (strcasestr(c->dflt_sql, "uuid") != NULL ||
	    strcasestr(c->dflt_sql, "nextval") != NULL);
}

static bool
unique_harmless(const struct ask *q, const struct con *u)
{
	for (uint16_t i = 0; i < q->w->ncons; i++) {
		const struct con *k = &q->w->cons[i];

		if (con_is_unique(k) && (con_same(k, u) ||
		    (cols_subset(k, u) && k->where == NULL && k->q == NULL &&
		    (!u->nulls_equal || k->nulls_equal || k->kind == CON_PK))))
			return true;
	}
	for (uint16_t i = 0; i < u->ncols; i++) {
		const struct column *c = u->cols[i] == NULL ? NULL :
		    table_col(q->h, u->cols[i]);

		if (c != NULL && table_col(q->w, c->name) == NULL &&
		    keeps_apart(u, c))
			return true;
	}
	if (u->where == NULL && u->q == NULL)
		return false;
	return (truth_of(u, q->w, q->h) & TRUTH_TRUE) == 0;
}

static void
ask_unique(struct ask *q, const struct con *u)
{
	struct strbuf cols STRBUF_SCOPED = STRBUF_INIT;

	if (u->invalid || unique_harmless(q, u))
		return;
	names_of(&cols, u);
	found(q, REASON_UNIQUE, DEGREE_MAY, NULL, "can write rows into \"%s\" "
	    "that \"%s\" (%s) rejects as duplicates", q->w->name, u->name,
	    cols.s);
	about(q, u->name);
}

static bool
check_known(const struct ask *q, const struct con *c)
{
	for (uint16_t i = 0; i < q->w->ncons; i++)
		if (q->w->cons[i].kind == CON_CHECK &&
		    (con_same(&q->w->cons[i], c) ||
		    check_implied(c, &q->w->cons[i])))
			return true;
	return false;
}

static void
ask_check(struct ask *q, const struct con *c)
{
	if (check_known(q, c))
		return;

	unsigned t = truth_of(c, q->w, q->h);
	bool raises = c->expr != NULL &&
	    (expr_may(c->expr, q->w, q->h) & EXPR_RAISES) != 0;
	if ((t & TRUTH_FALSE) == 0 && !raises)
		return;
	found(q, REASON_CHECK, t == TRUTH_FALSE ? DEGREE_BREAKS : DEGREE_MAY,
	    NULL, "%s into \"%s\" that the check \"%s\"%s%s rejects",
	    t == TRUTH_FALSE ? "writes rows" : "can write rows", q->w->name,
	    c->name, c->expr == NULL ? "" : " ",
	    c->expr == NULL ? "" : c->expr);
	about(q, c->name);
}

static void
ask_exclude(struct ask *q, const struct con *x)
{
	for (uint16_t i = 0; i < q->w->ncons; i++)
		if (q->w->cons[i].kind == CON_EXCLUDE &&
		    con_same(&q->w->cons[i], x))
			return;
	for (uint16_t i = 0; i < x->ncols; i++) {
		const struct column *c = x->cols[i] == NULL ? NULL :
		    table_col(q->h, x->cols[i]);

		if (c != NULL && table_col(q->w, c->name) == NULL &&
		    c->dflt == DFLT_NONE)
			return;
	}
	found(q, REASON_EXCLUDE, DEGREE_MAY, NULL, "can write rows into \"%s\" "
	    "that the exclusion \"%s\" rejects", q->w->name, x->name);
	about(q, x->name);
}

/* An index or a condition that cannot be computed refuses the row too. */
static void
ask_computed(struct ask *q, const struct con *c)
{
	const char *const texts[] = { c->expr, c->where };
	bool raises = false;

	if (con_is_unique(c) && !unique_harmless(q, c))
		return;			/* told already */
	for (uint16_t i = 0; i < q->w->ncons; i++)
		if (q->w->cons[i].kind == c->kind &&
		    con_same(&q->w->cons[i], c))
			return;
	for (size_t i = 0; i < countof(texts); i++)
		raises |= texts[i] != NULL && (expr_may(texts[i], q->w, q->h) &
		    EXPR_RAISES) != 0;
	if (!raises)
		return;
	found(q, REASON_CHECK, DEGREE_MAY, NULL, "can write rows into \"%s\" "
	    "for which \"%s\" (%s) cannot be computed: they are refused",
	    q->w->name, c->name, c->expr != NULL ? c->expr : c->where);
	about(q, c->name);
}

/* 4 */
static void
ask_constraints(struct ask *q)
{
	for (uint16_t i = 0; i < q->h->ncons; i++) {
		const struct con *c = &q->h->cons[i];

		if (con_is_unique(c))
			ask_unique(q, c);
		else if (c->kind == CON_CHECK)
			ask_check(q, c);
		else if (c->kind == CON_EXCLUDE)
			ask_exclude(q, c);
		if ((con_is_unique(c) || c->kind == CON_INDEX) &&
		    (c->expr != NULL || c->where != NULL))
			ask_computed(q, c);
	}
}

static int
by_text(const void *x, const void *y)
{
	const char *const *b = y;

	return strcmp(x, *b);
}

static int
by_name(const void *x, const void *y)
{
	const sym *const a = x, *const b = y;

	return strcmp(*a, *b);
}

/* "*name,shop" for (shop_id, name): by which fields code may upsert without
 * saying of which model. */
static sym
fields_of(const struct ask *q, const struct con *c)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	sym *v = arena_array(q->a, sym, c->ncols + 1u);

	for (uint16_t i = 0; i < c->ncols; i++) {
		if (c->cols[i] == NULL)
			return "";
		size_t n = strlen(c->cols[i]);
		v[i] = sym_lower(q->a, sym_getn(q->a, c->cols[i], n > 3 &&
		    ends_with(c->cols[i], "_id") ? n - 3 : n));
	}
	if (c->ncols > 1)
		qsort(v, c->ncols, sizeof(*v), by_name);
	for (uint16_t i = 0; i < c->ncols; i++)
		strbuf_printf(&b, "%c%s", i == 0 ? '*' : ',', v[i]);
	return sym_get(q->a, b.s);
}

/* By its class, by its table where that is written in SQL, or by fields. */
static bool
is_upserted(const struct ask *q, const struct con *c)
{
	const char *dot = q->w->model == NULL ? NULL :
	    strrchr(q->w->model, '.');

	if (q->s == NULL || q->s->nupserts == 0)
		return false;
	return bsearch(dot == NULL ? q->w->name : dot + 1, q->s->upserts,
	    q->s->nupserts, sizeof(*q->s->upserts), by_text) != NULL ||
	    bsearch(q->w->name, q->s->upserts, q->s->nupserts,
	    sizeof(*q->s->upserts), by_text) != NULL ||
	    bsearch(fields_of(q, c), q->s->upserts, q->s->nupserts,
	    sizeof(*q->s->upserts), by_text) != NULL;
}

/* How people call it: the code may have no name for it. */
static sym
called(const struct ask *q, const struct con *c)
{
	if (!c->generated)
		return sym_printf(q->a, "\"%s\"", c->name);
	return c->kind == CON_PK ? "a primary key on" :
	    "a unique constraint on";
}

/* 6 */
static void
ask_upserts(struct ask *q)
{
	for (uint16_t i = 0; i < q->w->ncons; i++) {
		const struct con *c = &q->w->cons[i];
		struct strbuf cols STRBUF_SCOPED = STRBUF_INIT;
		bool there = false;

		if (!con_is_unique(c) && c->kind != CON_EXCLUDE)
			continue;
		for (uint16_t j = 0; !there && j < q->h->ncons; j++)
			there = con_same(c, &q->h->cons[j]) &&
			    !q->h->cons[j].invalid;
		if (there)
			continue;
		names_of(&cols, c);
		if (is_upserted(q, c))
			found(q, REASON_NO_UNIQUE, DEGREE_BREAKS, NULL,
			    "upserts rows of \"%s\", which needs %s (%s) in "
			    "the database", q->w->name, called(q, c), cols.s);
		else
			found(q, REASON_NO_UNIQUE, c->kind == CON_PK ?
			    DEGREE_MAY : DEGREE_NOTE, NULL, "counts on %s "
			    "(%s) to keep the rows of \"%s\" apart", called(q,
			    c), cols.s, q->w->name);
		about(q, c->name);
	}
}

static bool
code_follows(const struct ask *q, const struct table *child,
    const struct con *fk, bool *column)
{
	const struct table *w = vec_find(q->want, child->name);
	const struct column *c = w == NULL || fk->ncols == 0 ||
	    fk->cols[0] == NULL ? NULL : table_col(w, fk->cols[0]);

	*column = c != NULL;
	for (uint16_t i = 0; c != NULL && i < w->ncons; i++) {
		const struct con *k = &w->cons[i];

		if (k->kind == CON_FK && k->ncols > 0 &&
		    streq(k->cols[0], c->name) &&
		    (streq(k->ref_table, fk->ref_table) || (!k->outside &&
		    vec_find(q->have, k->ref_table) == NULL)))
			return true;
	}
	return false;
}

static void
ask_foreign(struct ask *q, const struct table *child, const struct con *fk)
{
	bool column = false;

	if (code_follows(q, child, fk, &column))
		return;
	if (column) {
		const struct table *w = vec_find(q->want, child->name);

		q->w = w;
		found(q, REASON_FK, DEGREE_MAY, table_col(w, fk->cols[0]),
		    "can write values into \"%s\".\"%s\" that \"%s\" has no row "
		    "for, which the foreign key \"%s\" rejects", child->name,
		    fk->cols[0], fk->ref_table, fk->name);
		return;
	}
	q->w = vec_find(q->want, fk->ref_table);
	if (q->w == NULL || fk->on_delete != NULL)
		return;
	found(q, REASON_FK, DEGREE_MAY, NULL, "cannot DELETE rows of \"%s\" "
	    "that \"%s\".\"%s\" refers to: it does not know that foreign key",
	    fk->ref_table, child->name, fk->ncols > 0 && fk->cols[0] != NULL ?
	    fk->cols[0] : "?");
	q->f->v[q->f->n - 1].column = fk->name;
	q->f->v[q->f->n - 1].table = child->name;
}

/* 5 */
static void
ask_references(struct ask *q, const struct table *t)
{
	for (uint16_t j = 0; t != NULL && j < t->ncons; j++)
		if (t->cons[j].kind == CON_FK)
			ask_foreign(q, t, &t->cons[j]);
}

static void
ask_table(struct ask *q, const struct table *w)
{
	uint32_t from = q->f->n;

	q->w = w;
	q->h = vec_find(q->have, w->name);
	if (q->h == NULL) {
		found(q, REASON_NO_TABLE, DEGREE_BREAKS, NULL,
		    "reads and writes the table \"%s\"", w->name);
		return;
	}
	if (memo_find(q->memo, q->f, q->a, q->w, q->h))
		return;
	ask_columns(q);
	ask_unknown(q);
	ask_known(q);
	ask_constraints(q);
	ask_upserts(q);
	memo_keep(q->memo, q->f, from, q->a, q->w, q->h);
}

void
runs_on(struct findings *f, struct arena *a, const struct vec *want,
    const struct vec *have, const struct names *touched,
    const struct settings *s)
{
	runs_on_memo(f, a, want, have, touched, s, NULL);
}

void
runs_on_memo(struct findings *f, struct arena *a, const struct vec *want,
    const struct vec *have, const struct names *touched,
    const struct settings *s, struct memo *memo)
{
	struct ask q = { .f = f, .a = a, .want = want, .have = have, .s = s,
	    .memo = memo };

	for (uint32_t i = 0; touched == NULL && i < want->n; i++)
		ask_table(&q, want->v[i]);
	for (uint32_t i = 0; touched == NULL && i < have->n; i++)
		ask_references(&q, have->v[i]);
	for (uint32_t i = 0; touched != NULL && i < touched->n; i++) {
		const struct table *w = vec_find(want, touched->v[i]);

		if (w != NULL)
			ask_table(&q, w);
	}
	for (uint32_t i = 0; touched != NULL && i < touched->n; i++)
		ask_references(&q, vec_find(have, touched->v[i]));
}

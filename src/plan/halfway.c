#include "plan/halfway.h"

#include <stdarg.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "plan/build.h"

struct look {
	struct strbuf text;	/* what stands */
	uint32_t before, after, neither;
};

bool
halfway_col_like(const struct column *x, const struct column *y)
{
	if (x == NULL || y == NULL)
		return x == y;
	return (x->type == NULL || y->type == NULL ||
	    streq(x->type, y->type)) && x->notnull == y->notnull &&
	    (x->dflt == DFLT_NONE) == (y->dflt == DFLT_NONE);
}

bool
halfway_con_like(const struct con *x, const struct con *y)
{
	if (x == NULL || y == NULL)
		return x == y;
	return x->kind == y->kind && x->invalid == y->invalid &&
	    x->not_valid == y->not_valid;
}

static const char *
how(bool was, bool is, bool like_after)
{
	return !is ? "gone" : was ? "changed" : like_after ? "there" :
	    "half made";
}

/* One thing that the migration changes: how is it now? */
static void
seen(struct look *k, bool like_before, bool like_after, const char *how,
    sym table, sym name)
{
	if (like_before) {
		k->before++;
		return;
	}
	if (like_after)
		k->after++;
	else
		k->neither++;
	if (k->text.len > 0)
		strbuf_str(&k->text, ", ");
	strbuf_printf(&k->text, "\"%s\"%s%s%s is %s", table,
	    name == NULL ? "" : ".\"", name == NULL ? "" : name,
	    name == NULL ? "" : "\"", how);
}

static const struct column *
col_of(const struct table *t, sym name)
{
	return t == NULL ? NULL : table_col(t, name);
}

static const struct con *
con_of(const struct table *t, sym name)
{
	return t == NULL ? NULL : table_con(t, name);
}

static void
col_look(struct look *k, const struct table *x, const struct table *y,
    const struct table *now, sym table, sym name)
{
	const struct column *b = col_of(x, name), *c = col_of(y, name);
	const struct column *n = col_of(now, name);

	if (!halfway_col_like(b, c))
		seen(k, halfway_col_like(n, b), halfway_col_like(n, c), how(b != NULL,
		    n != NULL, halfway_col_like(n, c)), table, name);
}

static void
con_look(struct look *k, const struct table *x, const struct table *y,
    const struct table *now, sym table, sym name)
{
	const struct con *b = con_of(x, name), *c = con_of(y, name);
	const struct con *n = con_of(now, name);

	if (!halfway_con_like(b, c))
		seen(k, halfway_con_like(n, b), halfway_con_like(n, c), how(b != NULL,
		    n != NULL, halfway_con_like(n, c)), table, name);
}

/* Everything that either of the two has; what both have, once. */
static void
table_look(struct look *k, const struct table *x, const struct table *y,
    const struct table *now, sym name)
{
	if (x == NULL || y == NULL) {
		seen(k, (now == NULL) == (x == NULL), (now == NULL) ==
		    (y == NULL), how(x != NULL, now != NULL, true), name,
		    NULL);
		if (now == NULL || y == NULL)
			return;
	}
	for (uint16_t i = 0; x != NULL && i < x->ncols; i++)
		col_look(k, x, y, now, name, x->cols[i].name);
	for (uint16_t i = 0; y != NULL && i < y->ncols; i++)
		if (col_of(x, y->cols[i].name) == NULL)
			col_look(k, x, y, now, name, y->cols[i].name);
	for (uint16_t i = 0; x != NULL && i < x->ncons; i++)
		con_look(k, x, y, now, name, x->cons[i].name);
	for (uint16_t i = 0; y != NULL && i < y->ncons; i++)
		if (con_of(x, y->cons[i].name) == NULL)
			con_look(k, x, y, now, name, y->cons[i].name);
}

static bool
has_unseen(const struct moved *m)
{
	for (uint32_t i = 0; i < m->nchanges; i++) {
		const struct change *c = &m->changes[i];

		if (c->why != OPAQUE_NOT)
			return true;
		for (uint32_t k = 0; k < c->fwd.n; k++)
			if (c->fwd.v[k].kind == DDL_DATA ||
			    c->fwd.v[k].kind == DDL_OPAQUE)
				return true;
	}
	return false;
}

void
halfway_look(struct halfway *out, struct arena *a, const struct moved *m,
    const struct vec *live)
{
	struct look k = { .text = STRBUF_LIMIT(600) };
	struct names touched = vec_touched(a, &m->before.have, &m->after.have);

	for (uint32_t i = 0; i < touched.n; i++)
		table_look(&k, vec_find(&m->before.have, touched.v[i]),
		    vec_find(&m->after.have, touched.v[i]),
		    vec_find(live, touched.v[i]), touched.v[i]);
	*out = (struct halfway){
	    .key = sym_printf(a, "%s.%s", m->m->app, m->m->name),
	    .unseen = has_unseen(m) };
	if (k.after + k.neither == 0)
		out->stands = HALFWAY_NOTHING;
	else if (k.before + k.neither == 0)
		out->stands = HALFWAY_ALL;
	else
		out->stands = HALFWAY_PART;
	if (out->unseen)
		strbuf_printf(&k.text, "%swhat it did to rows cannot be seen",
		    k.text.len == 0 ? "" : "; ");
	out->text = sym_get(a, k.text.s);
	strbuf_release(&k.text);
}

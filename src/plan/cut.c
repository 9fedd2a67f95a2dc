/* Where a migration without a transaction stopped: between which two of its
 * operations the live catalogue is what it would be. */
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "plan/build.h"
#include "plan/halfway.h"

struct cut {
	struct arena *a;
	const struct moved *m;
	const struct vec *live;
	const struct vec **have;	/* after so many operations */
	uint32_t n;			/* operations */
	struct list(sym) invalid;
};

/* The last change of an operation is its own. */
static void
boundaries(struct cut *k)
{
	const struct moved *m = k->m;
	uint32_t n = 0;

	k->n = m->m->ops.n;
	k->have = arena_array(k->a, const struct vec *, k->n + 1);
	k->have[n++] = &m->before.have;
	for (uint32_t i = 0; i < m->nchanges && n <= k->n; i++)
		if (m->changes[i].op == &m->m->ops.v[n - 1])
			k->have[n++] = &m->steps[i].have;
	for (; n <= k->n; n++)
		k->have[n] = k->have[n - 1];
}

static const struct column *
col_of(const struct vec *v, sym table, sym name)
{
	const struct table *t = vec_find(v, table);

	return t == NULL ? NULL : table_col(t, name);
}

static const struct con *
con_of(const struct vec *v, sym table, sym name)
{
	const struct table *t = vec_find(v, table);

	return t == NULL ? NULL : table_con(t, name);
}

/* An index that was being made or dropped when it stopped is in the way, and
 * counts as not there. */
static bool
leftover(const struct cut *k, sym table, sym name)
{
	const struct con *c = con_of(k->live, table, name);

	return c != NULL && c->invalid;
}

static bool
con_fits(const struct cut *k, const struct vec *want, sym table, sym name)
{
	const struct con *w = con_of(want, table, name);

	return halfway_con_like(con_of(k->live, table, name), w) ||
	    (w == NULL && leftover(k, table, name));
}

/* What one operation changes in a table is there as `want` has it. */
static bool
table_fits(struct cut *k, const struct vec *x, const struct vec *y,
    const struct vec *want, sym table)
{
	const struct table *both[] = { vec_find(x, table), vec_find(y, table) };

	if ((both[0] == NULL || both[1] == NULL) &&
	    (vec_find(k->live, table) == NULL) != (vec_find(want, table) ==
	    NULL))
		return false;
	for (size_t b = 0; b < countof(both); b++) {
		const struct table *t = both[b];
		for (uint16_t i = 0; t != NULL && i < t->ncols; i++) {
			sym c = t->cols[i].name;
			if (!halfway_col_like(col_of(x, table, c), col_of(y,
			    table, c)) && !halfway_col_like(col_of(k->live,
			    table, c), col_of(want, table, c)))
				return false;
		}
		for (uint16_t i = 0; t != NULL && i < t->ncons; i++) {
			sym c = t->cons[i].name;
			if (!halfway_con_like(con_of(x, table, c), con_of(y,
			    table, c)) && !con_fits(k, want, table, c))
				return false;
		}
	}
	return true;
}

/* What operation i changes is as it would be after `at` of them. */
static bool
op_fits(struct cut *k, uint32_t i, uint32_t at)
{
	struct names t = vec_touched(k->a, k->have[i], k->have[i + 1]);

	for (uint32_t j = 0; j < t.n; j++)
		if (!table_fits(k, k->have[i], k->have[i + 1], k->have[at],
		    t.v[j]))
			return false;
	return true;
}

static bool
fits(struct cut *k, uint32_t at)
{
	for (uint32_t i = 0; i < k->n; i++)
		if (!op_fits(k, i, at))
			return false;
	return true;
}

/* It does what the catalogue does not show: rows, Python, a function. */
static bool
is_unseen(const struct cut *k, uint32_t op)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < k->m->nchanges && at <= op; i++) {
		const struct change *c = &k->m->changes[i];
		if (at == op && (c->why != OPAQUE_NOT || c->fwd.n > 0))
			return true;
		at += c->op == &k->m->m->ops.v[at];
	}
	return false;
}

/* Indexes that stand invalid among what the operations change. */
static void
find_invalid(struct cut *k)
{
	for (uint32_t i = 0; i < k->n; i++) {
		struct names t = vec_touched(k->a, k->have[i], k->have[i + 1]);
		for (uint32_t j = 0; j < t.n; j++) {
			const struct table *l = vec_find(k->live, t.v[j]);
			for (uint16_t c = 0; l != NULL && c < l->ncons; c++)
				if (l->cons[c].invalid && halfway_con_like(
				    con_of(k->have[i], t.v[j], l->cons[c].name),
				    con_of(k->have[i + 1], t.v[j],
				    l->cons[c].name)) == false)
					*list_add(k->a, &k->invalid) =
					    l->cons[c].name;
		}
	}
}

static void
op_tell(struct strbuf *b, struct cut *k, uint32_t i)
{
	const struct op *op = &k->m->m->ops.v[i];
	const char *dot = op->cls == NULL ? NULL : strrchr(op->cls, '.');
	bool moves = k->have[i] != k->have[i + 1] &&
	    vec_touched(k->a, k->have[i], k->have[i + 1]).n > 0;

	strbuf_printf(b, "%s%u %s", b->len > 0 ? ", " : "", i + 1,
	    dot != NULL ? dot + 1 : op->cls != NULL ? op->cls : "operation");
	if (op->model != NULL)
		strbuf_printf(b, " %s%s%s", op->model, op->name != NULL ? "." :
		    "", op->name != NULL ? op->name : "");
	strbuf_str(b, !moves && is_unseen(k, i) ? " cannot be seen" : !moves ?
	    " has nothing to do" : op_fits(k, i, i + 1) ? " is done" :
	    op_fits(k, i, i) ? " is not done" : " is half done");
}

/* The statements of what is not done. */
static void
left_tell(struct strbuf *b, struct cut *k)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < k->m->nchanges && at < k->n; i++) {
		const struct change *c = &k->m->changes[i];
		bool done = k->have[at] != k->have[at + 1] &&
		    op_fits(k, at, at + 1);
		for (uint32_t j = 0; !done && j < c->fwd.n; j++)
			if (c->fwd.v[j].sql != NULL)
				strbuf_printf(b, "%s%s", b->len > 0 ? "; " :
				    "", c->fwd.v[j].sql);
		at += c->op == &k->m->m->ops.v[at];
	}
}

/* Between the first and the last place that fit nothing can be seen to change:
 * what is there may be run again only if it is known to do nothing, or if
 * nothing of the whole was begun. */
static void
decide(struct halfway_cut *out, struct cut *k, uint32_t lo, uint32_t hi,
    bool back)
{
	bool unseen = false;

	for (uint32_t i = lo; i < hi; i++)
		unseen |= is_unseen(k, i);
	out->at = back ? hi : lo;
	out->sure = !unseen || out->at == (back ? k->n : 0) ||
	    (!back && k->m->m->tag.repeat);
}

void
halfway_cut(struct halfway_cut *out, struct arena *a, const struct moved *m,
    const struct vec *live, bool back)
{
	struct cut k = { .a = a, .m = m, .live = live };
	struct strbuf text STRBUF_SCOPED = STRBUF_LIMIT(400);
	struct strbuf left STRBUF_SCOPED = STRBUF_LIMIT(400);
	uint32_t lo = 0, hi;

	boundaries(&k);
	for (; lo <= k.n && !fits(&k, lo); lo++)
		;
	for (hi = k.n; hi > lo && !fits(&k, hi); hi--)
		;
	find_invalid(&k);
	*out = (struct halfway_cut){ .n = k.n, .invalid = k.invalid.v,
	    .ninvalid = k.invalid.n };
	if (lo <= k.n)
		decide(out, &k, lo, hi, back);
	for (uint32_t i = 0; i < k.n; i++)
		out->sure &= !m->m->ops.v[i].maybe;
	for (uint32_t i = 0; i < k.n; i++)
		op_tell(&text, &k, i);
	left_tell(&left, &k);
	out->text = sym_get(a, text.s);
	out->by_hand = sym_get(a, left.s);
}

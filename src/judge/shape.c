/* Which constraints are the same, and which follow from which. */
#include "judge/expr.h"

#include <string.h>

#include "base/util.h"

bool
con_is_unique(const struct con *c)
{
	return c->kind == CON_PK || c->kind == CON_UNIQUE;
}

static bool
has_col(const struct con *c, sym col)
{
	for (uint16_t i = 0; i < c->ncols; i++)
		if (streq(c->cols[i], col))
			return true;
	return false;
}

/* Every key of x is one of y's, and none is an expression. */
bool
cols_subset(const struct con *x, const struct con *y)
{
	for (uint16_t i = 0; i < x->ncols; i++)
		if (x->cols[i] == NULL || !has_col(y, x->cols[i]))
			return false;
	return x->ncols > 0;
}

static bool
keys_same(const struct con *x, const struct con *y)
{
	if (x->ncols == y->ncols && cols_subset(x, y) && cols_subset(y, x))
		return true;
	return x->ncols == y->ncols && x->expr != NULL &&
	    (streq(x->expr, y->expr) || streq(x->name, y->name));
}

/* The same text, or the same Q; the same name where one side knows its text
 * only as PostgreSQL prints it. */
static bool
condition_same(const struct con *x, const struct con *y, const char *xs,
    const char *ys)
{
	if (x->q != NULL && y->q != NULL)
		return value_equal(x->q, y->q);
	if (xs == NULL && ys == NULL)
		return x->q == NULL && y->q == NULL;
	if (streq(xs, ys))
		return true;
	return streq(x->name, y->name);
}

bool
con_same(const struct con *x, const struct con *y)
{
	if (con_is_unique(x) && con_is_unique(y))
		return x->nulls_equal == y->nulls_equal && keys_same(x, y) &&
		    condition_same(x, y, x->where, y->where);
	if (x->kind != y->kind)
		return false;
	if (x->kind == CON_CHECK)
		return condition_same(x, y, x->expr, y->expr);
	if (x->kind == CON_EXCLUDE)
		return streq(x->name, y->name) ||
		    (x->expr != NULL && streq(x->expr, y->expr));
	return streq(x->name, y->name);
}

struct term {			/* field__lookup = value */
	const char *key;
	const struct value *v;
};

/* The conjuncts of a Q; -1: it is not a plain AND. */
static int
terms(const struct value *q, struct term *t, int max, int n)
{
	if (q_kind(q) != Q_AND || q_negated(q))
		return -1;
	for (uint32_t i = 0; i < q->n; i++) {
		if (n == max)
			return -1;
		if (q_pair(q->items[i], &t[n].key, &t[n].v))
			n++;
		else if ((n = terms(q->items[i], t, max, n)) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < q->nkw; i++) {
		if (q->kw[i].name[0] == '_')
			continue;
		if (n == max)
			return -1;
		t[n++] = (struct term){ q->kw[i].name, q->kw[i].value };
	}
	return n;
}

static const char *
lookup_of(const char *key, size_t *field)
{
	const char *cut = strstr(key, "__");

	*field = cut == NULL ? strlen(key) : (size_t)(cut - key);
	return cut == NULL ? "exact" : cut + 2;
}

static bool
in_list(const struct value *v, const struct value *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (value_equal(v, list->items[i]))
			return true;
	return false;
}

static bool
in_implied(const struct term *c, const struct term *k, const char *klookup)
{
	if (streq(klookup, "exact"))
		return in_list(k->v, c->v);
	if (!streq(klookup, "in"))
		return false;
	for (uint32_t i = 0; i < k->v->n; i++)
		if (!in_list(k->v->items[i], c->v))
			return false;
	return true;
}

static bool
range_implied(const char *c, int64_t cv, const char *k, int64_t kv)
{
	bool up = streq(c, "gte") || streq(c, "gt");
	bool strictly = streq(c, "gt") || streq(c, "lt");

	if (streq(k, "exact"))
		return up ? (strictly ? kv > cv : kv >= cv) :
		    (strictly ? kv < cv : kv <= cv);
	if (up != (streq(k, "gte") || streq(k, "gt")))
		return false;
	if (!up && !streq(k, "lte") && !streq(k, "lt"))
		return false;
	bool known_strictly = streq(k, "gt") || streq(k, "lt");
	return kv == cv ? !strictly || known_strictly :
	    up ? kv > cv : kv < cv;
}

static bool
term_implied(const struct term *c, const struct term *k)
{
	size_t cn, kn;
	const char *cl = lookup_of(c->key, &cn), *kl = lookup_of(k->key, &kn);

	if (cn != kn || strncmp(c->key, k->key, cn) != 0)
		return false;
	if (streq(cl, kl) && value_equal(c->v, k->v))
		return true;
	if (streq(cl, "in"))
		return in_implied(c, k, kl);
	if (c->v->kind != VALUE_INT || k->v->kind != VALUE_INT)
		return false;
	return (starts_with(cl, "gt") || starts_with(cl, "lt")) &&
	    range_implied(cl, c->v->i, kl, k->v->i);
}

/* Each conjunct of c follows from one of the known constraint's. */
bool
check_implied(const struct con *c, const struct con *known)
{
	struct term ct[32], kt[32];

	if (c->q == NULL || known->q == NULL)
		return false;
	int n = terms(c->q, ct, countof(ct), 0);
	int m = terms(known->q, kt, countof(kt), 0);
	for (int i = 0; i < n; i++) {
		bool follows = false;

		for (int j = 0; !follows && j < m; j++)
			follows = term_implied(&ct[i], &kt[j]);
		if (!follows)
			return false;
	}
	return n > 0 && m > 0;
}

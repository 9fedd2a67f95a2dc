/* Which changes of a field concern the database: all that Django's schema
 * editor compares, and no more. */
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

static const char *const not_db[] = {
	"blank", "choices", "db_column", "editable", "error_messages",
	"help_text", "limit_choices_to", "on_delete", "related_name",
	"related_query_name", "validators", "verbose_name",
	/* compared by what they come to */
	"to", "through", "to_field", "db_default", "auto_created",
};

/* Written, but what Django takes anyway. */
static bool
is_default(const struct field *f, const struct kwarg *k)
{
	static const char *const falses[] = { "null", "unique", "primary_key",
		"serialize", "auto_now", "auto_now_add", "parent_link" };

	if (strcmp(k->name, "db_constraint") == 0)
		return k->value->kind == VALUE_BOOL && k->value->i == 1;
	if (strcmp(k->name, "db_index") == 0)
		return k->value->kind == VALUE_BOOL &&
		    (k->value->i == 1) == (f->cls != NULL && f->cls->indexed);
	for (size_t i = 0; i < countof(falses); i++)
		if (strcmp(k->name, falses[i]) == 0)
			return strcmp(k->name, "serialize") == 0 ||
			    (k->value->kind == VALUE_BOOL && k->value->i == 0);
	return false;
}

static bool
counts(const struct field *f, const struct kwarg *k)
{
	for (size_t i = 0; i < countof(not_db); i++)
		if (strcmp(k->name, not_db[i]) == 0)
			return false;
	return !is_default(f, k);
}

static bool
kwargs_within(const struct field *f, const struct field *g)
{
	for (uint32_t i = 0; i < f->call->nkw; i++) {
		const struct kwarg *k = &f->call->kw[i];

		if (counts(f, k) && !value_equal(k->value,
		    value_arg(g->call, k->name, -1)))
			return false;
	}
	return true;
}

bool
same_class(const struct field *f, const struct field *g)
{
	if (f->cls != NULL && f->cls == g->cls && !f->guessed && !g->guessed)
		return true;
	return f->call != NULL && g->call != NULL &&
	    f->call->kind == VALUE_CALL && g->call->kind == VALUE_CALL &&
	    streq(f->call->name, g->call->name);
}

bool
same_args(const struct field *f, const struct field *g)
{
	if (f->call == NULL || g->call == NULL)
		return f->call == g->call;
	if (f->call->kind != VALUE_CALL || g->call->kind != VALUE_CALL)
		return value_equal(f->call, g->call);
	if (!kwargs_within(f, g) || !kwargs_within(g, f))
		return false;
	/* the first positional one is `to` or verbose_name */
	uint32_t skip = f->cls != NULL && (f->cls->shape == SHAPE_ARRAY ||
	    f->cls->shape == SHAPE_GENERATED) ? 0 : 1;
	for (uint32_t i = skip; i < f->call->n || i < g->call->n; i++)
		if (i >= f->call->n || i >= g->call->n ||
		    !value_equal(f->call->items[i], g->call->items[i]))
			return false;
	return true;
}

bool
same_target(struct lower *l, const struct field *old, const struct field *new)
{
	if (old->to == NULL || new->to == NULL)
		return old->to == new->to;
	struct target p = field_target(&l->from, old);
	struct target q = field_target(&l->to, new);
	return streq(p.table, q.table) && streq(old->to_field, new->to_field);
}

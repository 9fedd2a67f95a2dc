#include "prog/drift.h"

#include "base/util.h"

struct drift {
	void (*each)(void *ctx, const char *text);
	void *ctx;
	uint32_t n;
};

static void
found(struct drift *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void
found(struct drift *d, const char *fmt, ...)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	d->n++;
	d->each(d->ctx, b.s);
}

static void
column_drift(struct drift *d, const struct table *t, const struct column *x,
    const struct column *y)
{
	if (x->type != NULL && y->type != NULL && !streq(x->type, y->type))
		found(d, "\"%s\".\"%s\" is %s, the migrations make it %s",
		    t->name, x->name, y->type, x->type);
	if (x->notnull != y->notnull)
		found(d, "\"%s\".\"%s\" is %s, the migrations make it %s",
		    t->name, x->name, y->notnull ? "NOT NULL" : "nullable",
		    x->notnull ? "NOT NULL" : "nullable");
}

static void
table_drift(struct drift *d, const struct table *x, const struct table *y)
{
	for (uint16_t i = 0; i < x->ncols; i++) {
		const struct column *c = table_col(y, x->cols[i].name);
		if (c == NULL)
			found(d, "\"%s\".\"%s\" is missing", x->name,
			    x->cols[i].name);
		else
			column_drift(d, x, &x->cols[i], c);
	}
	for (uint16_t i = 0; i < y->ncols; i++)
		if (table_col(x, y->cols[i].name) == NULL)
			found(d, "\"%s\".\"%s\" is in no migration", x->name,
			    y->cols[i].name);
	for (uint16_t i = 0; i < x->ncons; i++)
		if (table_con(y, x->cons[i].name) == NULL)
			found(d, "\"%s\" on \"%s\" is missing",
			    x->cons[i].name, x->name);
	for (uint16_t i = 0; i < y->ncons; i++) {
		if (y->cons[i].invalid)
			found(d, "\"%s\" on \"%s\" is an index build that "
			    "failed", y->cons[i].name, x->name);
		else if (table_con(x, y->cons[i].name) == NULL)
			found(d, "\"%s\" on \"%s\" is in no migration",
			    y->cons[i].name, x->name);
	}
}

uint32_t
drift_find(const struct vec *built, const struct vec *live, bool all,
    void (*each)(void *ctx, const char *text), void *ctx)
{
	struct drift d = { each, ctx, 0 };

	for (uint32_t i = 0; i < built->n; i++) {
		const struct table *y = vec_find(live, built->v[i]->name);
		if (y == NULL)
			found(&d, "table \"%s\" is missing",
			    built->v[i]->name);
		else
			table_drift(&d, built->v[i], y);
	}
	for (uint32_t i = 0; all && i < live->n; i++)
		if (vec_find(built, live->v[i]->name) == NULL &&
		    !streq(live->v[i]->name, "django_migrations"))
			found(&d, "table \"%s\" is in no migration",
			    live->v[i]->name);
	return d.n;
}

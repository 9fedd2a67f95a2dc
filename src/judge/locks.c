/* What each statement locks, and whether its time grows with the table. As
 * measured on PostgreSQL 15 and 18; 12 to 14 are the same in what is here. */
#include "judge/locks.h"

#include <string.h>

#include "base/util.h"

/* How a table was called before the migration; NULL: it is new in it. */
static sym
origin(const struct locking *l, sym table)
{
	for (uint32_t i = l->renamed.n; i > 0 && table != NULL; i--)
		if (streq(l->renamed.v[i - 1].to, table))
			table = l->renamed.v[i - 1].from;
	return table;
}

bool
lock_fresh(const struct locking *l, sym table)
{
	return origin(l, table) == NULL;
}

static void
renamed(struct locking *l, sym from, sym to)
{
	struct renamed *r = list_add(l->a, &l->renamed);

	r->from = from;
	r->to = to;
}

struct hazard *
lock(struct locking *l, sym table, const char *mode)
{
	struct hazard *h;

	if ((table = origin(l, table)) == NULL)
		return NULL;
	h = list_add(l->a, &l->out);
	h->table = table;
	h->lock = mode;
	h->line = l->d->line != 0 ? l->d->line : l->line;
	h->at = l->at | (l->d->deferred ? 1u << 31 : 0);
	h->blocks_reads = strcmp(mode, AE) == 0;
	h->blocks_writes = h->blocks_reads || strcmp(mode, SRE) == 0 ||
	    strcmp(mode, SHARE) == 0 || strcmp(mode, "EXCLUSIVE") == 0;
	return h;
}

void
lock_say(struct locking *l, struct hazard *h, const char *code,
    const char *fmt, ...)
{
	struct strbuf t STRBUF_SCOPED = STRBUF_INIT;
	va_list ap;

	if (h == NULL)
		return;
	va_start(ap, fmt);
	strbuf_vprintf(&t, fmt, ap);
	va_end(ap);
	h->code = sym_get(l->a, code);
	h->text = sym_get(l->a, t.s);
}

const struct vec *
lock_have(struct locking *l)
{
	for (; l->due.n > 0; l->due.v++, l->due.n--) {
		sym missing = NULL;

		schema_apply(l->a, &l->have, l->due.v, &missing);
	}
	return &l->have;
}

const struct table *
lock_table(struct locking *l, sym name)
{
	return name == NULL ? NULL : vec_find(lock_have(l), name);
}

static void
statement(struct locking *l)
{
	struct hazard *h;

	switch (l->d->kind) {
	case DDL_CREATE_TABLE: lock_create(l); return;
	case DDL_DROP_TABLE: lock_drop(l); return;
	case DDL_ADD_COLUMN: lock_add_column(l); return;
	case DDL_DROP_COLUMN: lock_drop_column(l); return;
	case DDL_TYPE: lock_type(l); return;
	case DDL_SET_NOT_NULL: lock_not_null(l); return;
	case DDL_UPDATE_NULLS: lock_update(l); return;
	case DDL_ADD_CON: lock_add_con(l); return;
	case DDL_DROP_CON: lock_drop_con(l); return;
	case DDL_VALIDATE: lock_validate(l); return;
	case DDL_DATA:
		h = lock(l, l->d->table, l->d->lock != NULL ? l->d->lock : RE);
		if (h != NULL)	/* TRUNCATE takes no time */
			h->update = h->scan = l->d->lock == NULL;
		if (l->d->cascade)
			lock_referrers(l);
		return;
	case DDL_RENAME_TABLE: case DDL_RENAME_COLUMN:
	case DDL_DROP_NOT_NULL: case DDL_SET_DEFAULT: case DDL_DROP_DEFAULT:
	case DDL_ADD_IDENTITY: case DDL_DROP_IDENTITY:
		lock(l, l->d->table, AE);
		return;
	case DDL_RENAME_CON: lock_rename_con(l); return;
	case DDL_NOTHING: case DDL_OTHER: lock_other(l); return;
	case DDL_OPAQUE: lock_other(l); return;
	case DDL_CONSTRAINTS_NOW: case DDL_EXTENSION: return;
	}
}

void
locks_change(struct locking *l, const struct ddls *v, uint32_t line)
{
	l->dropped_fk = false;
	l->added = NULL;
	l->line = line;
	l->due = (struct ddls){ v->v, 0 };
	for (uint32_t i = 0; i < v->n; i++) {
		l->d = &v->v[i];
		l->at += !l->d->joined;
		if (l->d->kind == DDL_CREATE_TABLE)
			renamed(l, NULL, l->d->table);
		statement(l);
		if (l->d->kind == DDL_ADD_COLUMN)
			l->added = l->d->col;
		if (l->d->kind == DDL_RENAME_TABLE)
			renamed(l, l->d->table, l->d->to);
		l->due.n++;
	}
	if (!l->steps)
		lock_have(l);
}

/* What a migration does, removes and loses, in words. */
#include "judge/judging.h"

#include <string.h>
#include <strings.h>

#include "base/util.h"

static const struct table *
table_before(const struct moved *m, const struct ddl *d)
{
	return d->table == NULL ? NULL : vec_find(&m->before.have, d->table);
}

static void
more(struct strbuf *b, const char *what)
{
	if (strstr(b->s, what) != NULL)
		return;
	strbuf_printf(b, "%s%s", b->len > 0 ? ", " : "", what);
}

static void
losses(struct arena *a, const struct moved *m, const struct ddl *d,
    struct strbuf *drops, struct strbuf *cut, struct strbuf *loses)
{
	const struct table *t = table_before(m, d);
	const struct column *c = t == NULL || d->name == NULL ? NULL :
	    table_col(t, d->name);

	switch (d->kind) {
	case DDL_DROP_TABLE:
		if (t == NULL)
			break;
		more(drops, sym_printf(a, "the table \"%s\"", d->table));
		more(loses, sym_printf(a, "brings back the table \"%s\" without "
		    "its rows", d->table));
		break;
	case DDL_DROP_COLUMN:
		if (c == NULL)
			break;
		more(drops, sym_printf(a, "\"%s\".\"%s\"", d->table, d->name));
		more(loses, sym_printf(a, "brings back \"%s\".\"%s\" without "
		    "its values", d->table, d->name));
		break;
	case DDL_CREATE_TABLE:
		more(loses, sym_printf(a, "drops the table \"%s\" with its rows",
		    d->whole != NULL ? d->whole->name : d->table));
		break;
	case DDL_ADD_COLUMN:
		if (d->col != NULL && vec_find(&m->before.have, d->table) !=
		    NULL)
			more(loses, sym_printf(a, "drops \"%s\".\"%s\" with its "
			    "values", d->table, d->col->name));
		break;
	case DDL_TYPE: {
		sym cuts = c == NULL ? NULL : type_cuts(a, d, c);

		if (cuts != NULL) {
			more(cut, cuts);
			more(loses, sym_printf(a, "does not bring back what "
			    "\"%s\".\"%s\" held", d->table, d->name));
		}
		break;
	}
	default:
		break;
	}
}

/* The way back may make less of values that were written meanwhile. */
static void
losses_back(struct arena *a, const struct moved *m, const struct change *c,
    struct strbuf *loses)
{
	for (uint32_t k = 0; k < c->rev.n; k++) {
		const struct ddl *d = &c->rev.v[k];
		const struct table *t = d->kind != DDL_TYPE ? NULL :
		    vec_find(&m->after.have, d->table);
		const struct column *x = t == NULL ? NULL :
		    table_col(t, d->name);
		sym cuts = x == NULL ? NULL : type_cuts(a, d, x);

		if (cuts != NULL)
			more(loses, cuts);
	}
}

static bool
other(const struct ddl *d, const char *verb)
{
	return d->kind == DDL_OTHER && d->sql != NULL &&
	    strncasecmp(d->sql, verb, strlen(verb)) == 0;
}

static bool
adds(const struct ddl *d)
{
	return d->kind == DDL_CREATE_TABLE || d->kind == DDL_ADD_COLUMN ||
	    d->kind == DDL_ADD_CON || d->kind == DDL_ADD_IDENTITY ||
	    d->kind == DDL_SET_DEFAULT || d->kind == DDL_EXTENSION ||
	    other(d, "CREATE");
}

static bool
removes(const struct ddl *d)
{
	return d->kind == DDL_DROP_TABLE || d->kind == DDL_DROP_COLUMN ||
	    d->kind == DDL_DROP_CON || d->kind == DDL_DROP_DEFAULT ||
	    d->kind == DDL_DROP_IDENTITY || other(d, "DROP");
}

/* The way back adds a column that must not be NULL and has nothing to fill it
 * with: that fails on a table with rows. */
static sym
fails_back(struct arena *a, const struct moved *m, const struct change *c)
{
	for (uint32_t i = 0; i < c->rev.n; i++) {
		const struct ddl *d = &c->rev.v[i];

		if (d->kind == DDL_ADD_COLUMN && d->col != NULL &&
		    d->col->notnull && d->col->dflt == DFLT_NONE &&
		    vec_find(&m->after.have, d->table) != NULL)
			return sym_printf(a, "fails on a table with rows: "
			    "\"%s\".\"%s\" is NOT NULL and has no default",
			    d->table, d->col->name);
	}
	return NULL;
}

void
gist(struct judging *j, struct verdict *v, const struct moved *m)
{
	struct strbuf drops STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf cut STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf loses STRBUF_SCOPED = STRBUF_INIT;
	bool added = false, removed = false;

	for (uint32_t i = 0; i < m->nchanges; i++) {
		const struct change *c = &m->changes[i];

		v->irreversible = v->irreversible || c->irreversible;
		for (uint32_t k = 0; k < c->fwd.n; k++) {
			const struct ddl *d = &c->fwd.v[k];

			added = added || adds(d);
			removed = removed || removes(d);
			losses(j->a, m, d, &drops, &cut, &loses);
		}
		losses_back(j->a, m, c, &loses);
		sym fails = fails_back(j->a, m, c);
		if (fails != NULL) {
			v->irreversible = true;
			more(&loses, fails);
		}
	}
	if (m->m->tag.source != TAG_AUTO && m->m->tag.reverse == TAG_NEVER)
		v->irreversible = true;
	v->removes = removed && !added;
	if (drops.len > 0 || cut.len > 0)
		v->drops = sym_printf(j->a, "%s%s%s%s for good",
		    drops.len > 0 ? "drops " : "", drops.s,
		    drops.len > 0 && cut.len > 0 ? ", " : "", cut.s);
	v->fails = v->irreversible ? NULL : reverse_fails(j->a, m);
	if (loses.len > 0)
		v->loses = sym_printf(j->a, "its reverse %s", loses.s);
}

static bool
about(const struct ddl *d, const struct reason *r)
{
	sym table = d->whole != NULL ? d->whole->name : d->table;

	if (d->kind == DDL_RENAME_TABLE && streq(d->to, r->table))
		return true;
	return streq(table, r->table);
}

static bool
exactly(const struct ddl *d, const struct reason *r)
{
	return r->column != NULL && about(d, r) &&
	    (streq(d->name, r->column) || streq(d->to, r->column) ||
	    (d->col != NULL && streq(d->col->name, r->column)) ||
	    (d->con != NULL && streq(d->con->name, r->column)));
}

static uint32_t
line_of(const struct moved *m, const struct reason *r)
{
	uint32_t near = 0;

	for (uint32_t i = 0; i < m->nchanges; i++) {
		const struct change *c = &m->changes[i];

		for (uint32_t k = 0; k < c->fwd.n; k++) {
			const struct ddl *d = &c->fwd.v[k];
			uint32_t line = d->line != 0 ? d->line :
			    c->op == NULL ? 0 : c->op->line;

			if (exactly(d, r))
				return line;
			if (near == 0 && about(d, r))
				near = line;
		}
	}
	if (near == 0 && m->nchanges > 0 && m->changes[0].op != NULL)
		near = m->changes[0].op->line;
	return near;
}

void
phrase(struct judging *j, struct findings *f, const struct moved *m,
    enum corner c)
{
	static const char *const who[] = { "deployed code", "new code",
	    "the new code itself" };
	static const char *const when[] = { " still", " already", "" };

	for (uint32_t i = 0; i < f->n; i++) {
		struct reason *r = &f->v[i];

		r->m = m->m;
		r->line = line_of(m, r);
		r->text = sym_printf(j->a, "%s%s %s", who[c],
		    starts_with(r->text, "can") ? "" : when[c], r->text);
	}
}

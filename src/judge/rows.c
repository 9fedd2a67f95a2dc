/* What rows must be like before a migration, as a query that counts those
 * that are not, and whether deployed code can write such rows again. */
#include "judge/judging.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

struct counting {
	struct judging *j;
	struct verdict *v;
	const struct moved *m;
	struct list(struct precondition) out;
};

static void
ident(struct strbuf *b, sym name)
{
	strbuf_char(b, '"');
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '"')
			strbuf_char(b, '"');
		strbuf_char(b, *p);
	}
	strbuf_char(b, '"');
}

static bool
can_violate(const struct verdict *v, sym table, sym name)
{
	for (uint32_t i = 0; i < v->a.n; i++)
		if (streq(v->a.v[i].table, table) &&
		    streq(v->a.v[i].column, name))
			return true;
	return false;
}

static void
put(struct counting *c, enum precondition_kind kind, sym table, sym name,
    const struct strbuf *query)
{
	struct precondition *p = list_add(c->j->a, &c->out);

	p->kind = kind;
	p->table = table;
	p->name = name;
	p->query = sym_get(c->j->a, query->s);
	p->old_code_violates = can_violate(c->v, table, name);
}

/* The table as it stands before the migration: one that is made by it has no
 * rows to ask about. */
static const struct table *
stood(const struct counting *c, sym table)
{
	return table == NULL ? NULL : vec_find(&c->m->before.have, table);
}

static bool
has_columns(const struct table *t, const struct con *c)
{
	for (uint16_t i = 0; i < c->ncols; i++)
		if (c->cols[i] == NULL || table_col(t, c->cols[i]) == NULL)
			return false;
	return true;
}

static void
not_null(struct counting *c, const struct ddl *d, const struct change *ch)
{
	const struct table *t = stood(c, d->table);
	struct strbuf q STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = 0; i < ch->fwd.n; i++)
		if (ch->fwd.v[i].kind == DDL_UPDATE_NULLS &&
		    streq(ch->fwd.v[i].name, d->name))
			return;
	if (t == NULL || table_col(t, d->name) == NULL)
		return;
	strbuf_str(&q, "SELECT count(*) FROM ");
	ident(&q, d->table);
	strbuf_str(&q, " WHERE ");
	ident(&q, d->name);
	strbuf_str(&q, " IS NULL");
	put(c, ROWS_NOT_NULL, d->table, d->name, &q);
}

static void
no_default(struct counting *c, const struct ddl *d)
{
	struct strbuf q STRBUF_SCOPED = STRBUF_INIT;

	if (stood(c, d->table) == NULL || d->col == NULL || !d->col->notnull ||
	    d->col->dflt != DFLT_NONE)
		return;
	strbuf_str(&q, "SELECT count(*) FROM ");
	ident(&q, d->table);
	put(c, ROWS_NOT_NULL, d->table, d->col->name, &q);
}

static void
unique(struct counting *c, const struct ddl *d)
{
	const struct table *t = stood(c, d->table);
	const struct con *u = d->con;
	struct strbuf q STRBUF_SCOPED = STRBUF_INIT;
	const char *and = " WHERE ";

	if (t == NULL || u->ncols == 0 || !has_columns(t, u))
		return;
	strbuf_str(&q, "SELECT count(*) FROM (SELECT 1 FROM ");
	ident(&q, d->table);
	if (u->where != NULL) {
		strbuf_printf(&q, " WHERE (%s)", u->where);
		and = " AND ";
	}
	for (uint16_t i = 0; !u->nulls_equal && i < u->ncols; i++) {
		strbuf_str(&q, and);
		ident(&q, u->cols[i]);
		strbuf_str(&q, " IS NOT NULL");
		and = " AND ";
	}
	strbuf_str(&q, " GROUP BY ");
	for (uint16_t i = 0; i < u->ncols; i++) {
		strbuf_str(&q, i > 0 ? ", " : "");
		ident(&q, u->cols[i]);
	}
	strbuf_str(&q, " HAVING count(*) > 1) AS twice");
	put(c, ROWS_UNIQUE, d->table, u->name, &q);
}

static void
check(struct counting *c, sym table, const struct con *k)
{
	const struct table *t = stood(c, table);
	struct strbuf q STRBUF_SCOPED = STRBUF_INIT;

	if (t == NULL || k->expr == NULL || !has_columns(t, k))
		return;
	strbuf_str(&q, "SELECT count(*) FROM ");
	ident(&q, table);
	strbuf_printf(&q, " WHERE NOT (%s)", k->expr);
	put(c, ROWS_CHECK, table, k->name, &q);
}

static bool
had_same_key(const struct counting *c, sym table, const struct con *k)
{
	const struct table *t = stood(c, table);

	for (uint16_t i = 0; t != NULL && i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK && !t->cons[i].not_valid &&
		    t->cons[i].ncols == 1 &&
		    streq(t->cons[i].cols[0], k->cols[0]) &&
		    streq(t->cons[i].ref_table, k->ref_table))
			return true;
	return false;
}

static void
foreign(struct counting *c, sym table, const struct con *k, bool again)
{
	const struct table *t = stood(c, table);
	struct strbuf q STRBUF_SCOPED = STRBUF_INIT;

	if (t == NULL || k->ncols != 1 || k->ref_col == NULL ||
	    stood(c, k->ref_table) == NULL || !has_columns(t, k) ||
	    (again && had_same_key(c, table, k)))
		return;
	strbuf_str(&q, "SELECT count(*) FROM ");
	ident(&q, table);
	strbuf_str(&q, " AS child WHERE child.");
	ident(&q, k->cols[0]);
	strbuf_str(&q, " IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ");
	ident(&q, k->ref_table);
	strbuf_str(&q, " AS parent WHERE parent.");
	ident(&q, k->ref_col);
	strbuf_str(&q, " = child.");
	ident(&q, k->cols[0]);
	strbuf_char(&q, ')');
	put(c, ROWS_FK, table, k->name, &q);
	if (can_violate(c->v, table, k->cols[0]))
		c->out.v[c->out.n - 1].old_code_violates = true;
}

/* Only lengths, digits and ranges: a cast that PostgreSQL refuses has no
 * query that counts without failing itself. */
static void
fit(struct counting *c, const struct ddl *d)
{
	const struct table *t = stood(c, d->table);
	const struct column *x = t == NULL ? NULL : table_col(t, d->name);
	struct strbuf q STRBUF_SCOPED = STRBUF_INIT;
	unsigned n = 0, scale = 0;

	if (x == NULL || d->col == NULL || d->col->type == NULL ||
	    type_fit(x->type, d->col->type) != DEGREE_MAY)
		return;
	strbuf_str(&q, "SELECT count(*) FROM ");
	ident(&q, d->table);
	strbuf_str(&q, " WHERE ");
	if (sscanf(d->col->type, "character varying(%u)", &n) == 1) {
		strbuf_str(&q, "length(");
		ident(&q, d->name);
		strbuf_printf(&q, "::text) > %u", n);
	} else if (sscanf(d->col->type, "numeric(%u,%u)", &n, &scale) == 2) {
		strbuf_str(&q, "abs(");
		ident(&q, d->name);
		strbuf_printf(&q, ") >= 10::numeric ^ %u",
		    n > scale ? n - scale : 0);
	} else if (streq(d->col->type, "integer") ||
	    streq(d->col->type, "smallint")) {
		ident(&q, d->name);
		strbuf_str(&q, streq(d->col->type, "integer") ?
		    " NOT BETWEEN -2147483648 AND 2147483647" :
		    " NOT BETWEEN -32768 AND 32767");
	} else {
		return;
	}
	put(c, ROWS_FIT, d->table, d->name, &q);
}

static void
add_con(struct counting *c, const struct ddl *d)
{
	if (d->con == NULL || d->con->not_valid || d->to != NULL)
		return;
	if (con_is_unique(d->con))
		unique(c, d);
	else if (d->con->kind == CON_CHECK)
		check(c, d->table, d->con);
	else if (d->con->kind == CON_FK)
		foreign(c, d->table, d->con, true);
}

/* The schema before a change's statement k. */
static struct vec
have_before(const struct counting *c, uint32_t change, uint32_t k)
{
	bool known = change > 0 && c->m->steps != NULL;
	struct vec have = known ? c->m->steps[change - 1].have :
	    c->m->before.have;

	for (uint32_t i = known ? change : 0; i <= change; i++) {
		const struct ddls *v = &c->m->changes[i].fwd;

		for (uint32_t d = 0; d < (i == change ? k : v->n); d++) {
			sym missing = NULL;

			schema_apply(c->j->a, &have, &v->v[d], &missing);
		}
	}
	return have;
}

static void
validate(struct counting *c, uint32_t change, uint32_t i)
{
	const struct ddl *d = &c->m->changes[change].fwd.v[i];
	struct vec have = have_before(c, change, i);
	const struct table *t = vec_find(&have, d->table);
	const struct con *k = t == NULL ? NULL : table_con(t, d->name);

	if (k != NULL && k->kind == CON_CHECK)
		check(c, d->table, k);
	else if (k != NULL && k->kind == CON_FK)
		foreign(c, d->table, k, false);
}

void
rows(struct judging *j, struct verdict *v, const struct moved *m)
{
	struct counting c = { .j = j, .v = v, .m = m };

	for (uint32_t i = 0; i < m->nchanges; i++) {
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++) {
			const struct ddl *d = &m->changes[i].fwd.v[k];

			if (d->kind == DDL_SET_NOT_NULL)
				not_null(&c, d, &m->changes[i]);
			else if (d->kind == DDL_ADD_COLUMN)
				no_default(&c, d);
			else if (d->kind == DDL_ADD_CON)
				add_con(&c, d);
			else if (d->kind == DDL_VALIDATE)
				validate(&c, i, k);
			else if (d->kind == DDL_TYPE)
				fit(&c, d);
		}
	}
	v->rows = c.out.v;
	v->nrows = c.out.n;
}

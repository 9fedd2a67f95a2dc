/* AlterField of a column, step by step as Django takes them: what is dropped
 * first, the one ALTER TABLE of the column, what comes back after it. */
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

struct alter {
	struct lower *l;
	const struct model *om, *nm;
	const struct field *old, *new;
	sym table;
	struct column oc, nc;
	bool opk, npk;
	bool type, fk_dropped, drop_incoming, dropped_later;
	struct rels rels;
	/* the one ALTER TABLE: its parts and its text */
	struct list(struct ddl) parts;
	struct strbuf text;
};

static bool
should_alter(struct alter *x)
{
	return !streq(x->old->column, x->new->column) ||
	    !same_class(x->old, x->new) || !same_args(x->old, x->new) ||
	    !same_target(x->l, x->old, x->new) || x->oc.dflt != x->nc.dflt ||
	    !streq(x->oc.dflt_sql, x->nc.dflt_sql);
}

/* ---- what goes first ---- */

static void
drop_fks(struct alter *x)
{
	if (x->old->kind != FIELD_FK || !x->old->db_constraint)
		return;
	struct syms v = cons_on(x->l, x->table, CON_FK, &x->old->column, 1);
	for (uint32_t i = 0; i < v.n; i++)
		emit_drop_con(x->l, x->table, CON_FK, v.v[i]);
	x->fk_dropped = v.n > 0;
}

static bool
named_in(struct arena *a, const struct calls *c, sym name)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (streq(call_name(a, c->v[i]), name))
			return true;
	return false;
}

static bool
unique(const struct field *f, bool pk)
{
	return f->unique || pk;
}

static void
drop_unique(struct alter *x)
{
	bool became_pk = !x->opk && x->npk;

	if (!unique(x->old, x->opk) || (unique(x->new, x->npk) && !became_pk))
		return;
	struct syms v = cons_on(x->l, x->table, CON_UNIQUE, &x->old->column,
	    1);
	for (uint32_t i = 0; i < v.n; i++)
		if (!named_in(x->l->a, &x->om->opt->constraints, v.v[i]))
			emit_drop_con(x->l, x->table, CON_UNIQUE, v.v[i]);
}

static void
drop_incoming(struct alter *x)
{
	struct lower *l = x->l;
	bool key = (x->opk && x->npk) || (unique(x->old, x->opk) &&
	    unique(x->new, x->npk));

	x->drop_incoming = key && (x->type ||
	    !streq(x->oc.collation, x->nc.collation));
	if (!x->drop_incoming)
		return;
	rels_to(l, x->om, x->old, &x->rels, 0);
	for (uint32_t i = 0; i < x->rels.n; i++) {
		const struct rel *r = &x->rels.v[i];
		sym t = model_table(&l->from, r->om);
		struct syms v = cons_on(l, t, CON_FK, &r->of->column, 1);

		for (uint32_t k = 0; k < v.n; k++)
			emit_drop_con(l, t, CON_FK, v.v[k]);
	}
}

static void
drop_index(struct alter *x)
{
	if (!x->old->db_index || unique(x->old, x->opk) ||
	    (x->new->db_index && !unique(x->new, x->npk)))
		return;
	struct syms v = cons_on(x->l, x->table, CON_INDEX, &x->old->column, 1);
	for (uint32_t i = 0; i < v.n; i++)
		if (!named_in(x->l->a, &x->om->opt->indexes, v.v[i]))
			emit_drop_index(x->l, x->table, v.v[i], false);
	/* Django takes a unique index on the column for an index of the
	 * field, a UniqueConstraint with a condition too */
	const struct table *t = vec_find(&x->l->have, x->table);
	v = cons_on(x->l, x->table, CON_UNIQUE, &x->old->column, 1);
	for (uint32_t i = 0; i < v.n; i++)
		if (con_unique_index(table_con(t, v.v[i])))
			emit_drop_index(x->l, x->table, v.v[i], false);
}

static void
drop_check(struct alter *x)
{
	if (!field_check(x->old) || field_check(x->new))
		return;
	struct syms v = cons_on(x->l, x->table, CON_CHECK, &x->old->column, 1);
	for (uint32_t i = 0; i < v.n; i++)
		if (!named_in(x->l->a, &x->om->opt->constraints, v.v[i]))
			emit_drop_con(x->l, x->table, CON_CHECK, v.v[i]);
}

/* ---- the column ---- */

static void
part(struct alter *x, struct ddl d, const char *text)
{
	d.table = x->table;
	if (d.name == NULL)
		d.name = x->new->column;
	*list_add(x->l->a, &x->parts) = d;
	if (x->l->mute)
		return;
	strbuf_printf(&x->text, "%sALTER COLUMN %s %s", x->text.len > 0 ?
	    ", " : "", sql_name(x->l->a, x->new->column), text);
}

static void
flush(struct alter *x)
{
	for (uint32_t i = 0; i < x->parts.n; i++) {
		struct ddl d = x->parts.v[i];

		d.sql = i > 0 || x->l->mute ? NULL : arena_printf(x->l->a,
		    "ALTER TABLE %s %s", sql_name(x->l->a, x->table),
		    x->text.s);
		emit(x->l, d);
	}
	x->parts.n = 0;
	strbuf_reset(&x->text);
}

static const char *
type_text(struct lower *l, const struct column *nc, bool using)
{
	sym type = type_sql(l->a, nc->type);

	if (l->mute)
		return NULL;
	return arena_printf(l->a, "TYPE %s%s%s%s", type,
	    nc->collation != NULL ? arena_printf(l->a, " COLLATE \"%s\"",
	    nc->collation) : "", using ? arena_printf(l->a, " USING \"%s\"::",
	    nc->name) : "", using ? type : "");
}

static struct column *
column_copy(struct lower *l, const struct column *c)
{
	return arena_copy(l->a, c, sizeof(*c));
}

static void
emit_other(struct lower *l, sym table, sym name, const char *sql)
{
	emit(l, (struct ddl){ .kind = DDL_OTHER, .table = table, .name = name,
	    .sql = sql });
}

/* Before Django 4.1 an AutoField is a column with a sequence of its own. */
static void
serial_made(struct alter *x, sym seq)
{
	struct lower *l = x->l;
	struct column *c = column_copy(l, &x->nc);

	emit_other(l, x->table, seq, arena_printf(l->a,
	    "DROP SEQUENCE IF EXISTS \"%s\" CASCADE", seq));
	emit_other(l, x->table, seq, arena_printf(l->a,
	    "CREATE SEQUENCE \"%s\"", seq));
	c->dflt = DFLT_SERIAL;
	c->dflt_sql = NULL;
	emit(l, (struct ddl){ .kind = DDL_SET_DEFAULT, .table = x->table,
	    .name = c->name, .col = c, .sql = arena_printf(l->a,
	    "ALTER TABLE \"%s\" ALTER COLUMN \"%s\" SET DEFAULT "
	    "nextval('\"%s\"')", x->table, c->name, seq) });
	emit_other(l, x->table, seq, arena_printf(l->a,
	    "SELECT setval('\"%s\"', MAX(\"%s\")) FROM \"%s\"", seq, c->name,
	    x->table));
	emit_other(l, x->table, seq, arena_printf(l->a,
	    "ALTER SEQUENCE \"%s\" OWNED BY \"%s\".\"%s\"", seq, x->table,
	    c->name));
}

/* What becomes of the sequence, after the type. */
static void
automatic_after(struct alter *x, bool was, bool is)
{
	struct lower *l = x->l;
	sym seq = sym_printf(l->a, "%s_%s_seq", x->table, x->new->column);

	if (is && l->s->django < 401) {
		serial_made(x, seq);
	} else if (is && !was) {
		emit(l, (struct ddl){ .kind = DDL_ADD_IDENTITY,
		    .table = x->table, .name = x->new->column,
		    .sql = arena_printf(l->a, "ALTER TABLE \"%s\" ALTER "
		    "COLUMN \"%s\" ADD GENERATED BY DEFAULT AS IDENTITY",
		    x->table, x->new->column) });
	} else if (is) {
		emit_other(l, x->table, seq, arena_printf(l->a,
		    "ALTER SEQUENCE IF EXISTS \"%s\" AS %s", seq,
		    x->nc.type));
	} else if (was) {
		const struct table *t = vec_find(&l->have, x->table);
		const struct column *c = t != NULL ? table_col(t,
		    x->new->column) : NULL;

		if (c == NULL || c->dflt != DFLT_SERIAL)
			return;
		emit(l, (struct ddl){ .kind = DDL_DROP_DEFAULT,
		    .table = x->table, .name = x->new->column,
		    .sql = arena_printf(l->a,
		    "DROP SEQUENCE IF EXISTS \"%s\" CASCADE", seq) });
	}
}

static bool
text_to_other(const struct alter *x)
{
	static const char *const kinds[] = { "character varying", "text",
		"citext" };
	const char *o = x->oc.type, *n = x->nc.type;

	if ((!x->old->db_index && !unique(x->old, x->opk)) || o == NULL ||
	    n == NULL)
		return false;
	for (size_t i = 0; i < countof(kinds); i++)
		if (starts_with(o, kinds[i]) && !starts_with(n, kinds[i]))
			return true;
	return false;
}

/* Only what comes to another type for a person: comments too. */
static bool
comment_changed(const struct alter *x)
{
	if (x->l->s->django < 402 || x->old->call == NULL ||
	    x->new->call == NULL)
		return false;
	const struct value *o = value_arg(x->old->call, "db_comment", -1);
	const struct value *n = value_arg(x->new->call, "db_comment", -1);
	return o == NULL || n == NULL ? o != n : !value_equal(o, n);
}

static void
type_part(struct alter *x)
{
	struct lower *l = x->l;
	bool was = x->old->cls != NULL && x->old->cls->automatic;
	bool is = x->new->cls != NULL && x->new->cls->automatic;
	bool coll = !streq(x->oc.collation, x->nc.collation);

	if (!x->type && was == is && !coll && !comment_changed(x))
		return;
	if (text_to_other(x))
		emit_drop_index(l, x->table, name_index(l->a, x->table,
		    &x->old->column, 1, "_like"), false);
	if (was && !is && l->s->django >= 401) {
		const struct table *t = vec_find(&l->have, x->table);
		const struct column *c = t != NULL ? table_col(t,
		    x->new->column) : NULL;

		emit(l, (struct ddl){ .kind = c != NULL &&
		    c->dflt == DFLT_IDENTITY ? DDL_DROP_IDENTITY : DDL_NOTHING,
		    .table = x->table, .name = x->new->column,
		    .lock = "ACCESS EXCLUSIVE",
		    .sql = arena_printf(l->a, "ALTER TABLE \"%s\" ALTER "
		    "COLUMN \"%s\" DROP IDENTITY IF EXISTS", x->table,
		    x->new->column) });
	}
	bool using = !streq(field_data(&l->from, x->old),
	    field_data(&l->to, x->new));
	part(x, (struct ddl){ .kind = DDL_TYPE, .col = column_copy(l, &x->nc),
	    .using = using }, type_text(l, &x->nc, using));
}

static void
default_part(struct alter *x, bool drop, enum dflt kind, sym text)
{
	struct column *c = column_copy(x->l, &x->nc);

	c->dflt = kind;
	c->dflt_sql = text;
	if (drop)
		part(x, (struct ddl){ .kind = DDL_DROP_DEFAULT },
		    "DROP DEFAULT");
	else
		part(x, (struct ddl){ .kind = DDL_SET_DEFAULT, .col = c },
		    arena_printf(x->l->a, "SET DEFAULT %s", text));
}

static bool
own_default(const struct column *c)
{
	return c->dflt == DFLT_CONST || c->dflt == DFLT_EXPR;
}

static void
null_part(struct alter *x)
{
	if (x->old->null == x->new->null)
		return;
	part(x, (struct ddl){ .kind = x->new->null ? DDL_DROP_NOT_NULL :
	    DDL_SET_NOT_NULL }, x->new->null ? "DROP NOT NULL" :
	    "SET NOT NULL");
}

static bool
has_default(const struct alter *x)
{
	return own_default(&x->nc) || (x->new->call != NULL &&
	    value_arg(x->new->call, "default", -1) != NULL) ||
	    (x->new->implicit && streq(x->new->name, "_order"));
}

static void
update_nulls(struct alter *x, sym text)
{
	struct lower *l = x->l;
	bool now = l->s->django >= 400;

	emit(l, (struct ddl){ .kind = DDL_UPDATE_NULLS, .table = x->table,
	    .name = x->new->column, .sql = arena_printf(l->a,
	    "UPDATE \"%s\" SET \"%s\" = %s WHERE \"%s\" IS NULL%s", x->table,
	    x->new->column, text, x->new->column,
	    now ? "; SET CONSTRAINTS ALL IMMEDIATE" : "") });
	if (now)
		emit(l, (struct ddl){ .kind = DDL_CONSTRAINTS_NOW,
		    .table = x->table });
}

/* The ALTER TABLE itself; returns whether the default is to be dropped. */
static bool
change_column(struct alter *x)
{
	bool known, filling = x->old->null && !x->new->null, drop_later = false;
	sym text = NULL;

	type_part(x);
	if (own_default(&x->nc) && (x->nc.dflt != x->oc.dflt ||
	    !streq(x->nc.dflt_sql, x->oc.dflt_sql)))
		default_part(x, false, x->nc.dflt, x->nc.dflt_sql);
	else if (own_default(&x->oc) && !own_default(&x->nc))
		default_part(x, true, DFLT_NONE, NULL);
	if (filling && !own_default(&x->nc)) {
		sym was = field_default(&x->l->from, x->old, &known);

		text = field_default(&x->l->to, x->new, &known);
		/* two calls of one function never give the same */
		drop_later = text != NULL && (!known || !streq(was, text));
		if (drop_later)
			default_part(x, false, DFLT_CONST, text);
	} else if (filling) {
		text = x->nc.dflt_sql;
	}
	bool four = filling && has_default(x);
	if (!four)
		null_part(x);
	flush(x);
	if (four) {
		update_nulls(x, text != NULL ? text : "NULL");
		null_part(x);
		flush(x);
	}
	return drop_later;
}

/* ---- what comes back ---- */

static void
key_changes(struct alter *x)
{
	struct lower *l = x->l;

	if (x->opk && !x->npk) {
		const struct table *t = vec_find(&l->have, x->table);

		for (uint16_t i = 0; t != NULL && i < t->ncons; i++)
			if (t->cons[i].kind == CON_PK) {
				emit_drop_con(l, x->table, CON_PK,
				    t->cons[i].name);
				break;
			}
	}
	struct con con;
	bool add = !x->npk && unique(x->new, x->npk) &&
	    (!unique(x->old, x->opk) || x->opk);
	if (add && con_field_unique(&l->to, x->nm, x->new, &con))
		emit_con(l, x->table, &con, 0);
	if ((!x->old->db_index || unique(x->old, x->opk)) &&
	    x->new->db_index && !unique(x->new, x->npk) &&
	    con_field_index(&l->to, x->nm, x->new, &con))
		emit_con(l, x->table, &con, 0);
	if (!x->opk && x->npk) {
		con = (struct con){ .kind = CON_PK, .ncols = 1,
			.cols = arena_copy(l->a, &x->new->column,
			    sizeof(sym)) };
		con.name = name_index(l->a, x->table, con.cols, 1, "_pk");
		emit_con(l, x->table, &con, 0);
		rels_to(l, x->om, x->old, &x->rels, 0);
	}
}

static void
incoming_types(struct alter *x)
{
	struct lower *l = x->l;

	for (uint32_t i = 0; i < x->rels.n; i++) {
		const struct rel *r = &x->rels.v[i];
		struct column *c = arena_make(l->a, struct column);
		sym t = model_table(&l->to, r->nm);

		*c = field_column(&l->to, r->nm, r->nf);
		bool using = !streq(field_data(&l->from, r->of),
		    field_data(&l->to, r->nf));
		emit(l, (struct ddl){ .kind = DDL_TYPE, .table = t,
		    .name = c->name, .col = c, .using = using,
		    .sql = arena_printf(l->a,
		    "ALTER TABLE \"%s\" ALTER COLUMN \"%s\" %s", t, c->name,
		    type_text(l, c, using)) });
	}
}

static void
fks_back(struct alter *x)
{
	struct lower *l = x->l;
	struct con con;

	if ((x->fk_dropped || x->old->kind != FIELD_FK ||
	    !x->old->db_constraint) &&
	    con_field_fk(&l->to, x->nm, x->new, &con))
		emit_con(l, x->table, &con, 0);
	for (uint32_t i = 0; x->drop_incoming && i < x->rels.n; i++) {
		const struct rel *r = &x->rels.v[i];
		sym t = model_table(&l->to, r->nm);

		/* Django 3.2 forgets the hidden ones */
		if (!con_field_fk(&l->to, r->nm, r->nf, &con) ||
		    (r->hidden && l->s->django < 400))
			continue;
		con.name = name_index(l->a, t, con.cols, 1, "_fk");
		emit_con(l, t, &con, 0);
	}
}

static void
like_changes(struct alter *x)
{
	struct lower *l = x->l;
	bool ou = unique(x->old, x->opk), nu = unique(x->new, x->npk);
	struct con con;

	if (((!x->old->db_index && !ou && x->new->db_index) || (!ou && nu) ||
	    (l->s->django >= 500 && text_to_other(x))) &&
	    con_field_like(&l->to, x->nm, x->new, &con))
		emit_con(l, x->table, &con, 0);
	if (ou && !x->new->db_index && !nu)
		emit_drop_index(l, x->table, name_index(l->a, x->table,
		    &x->old->column, 1, "_like"), false);
}

static void
rename_part(struct alter *x)
{
	if (streq(x->old->column, x->new->column))
		return;
	emit(x->l, (struct ddl){ .kind = DDL_RENAME_COLUMN, .table = x->table,
	    .name = x->old->column, .to = x->new->column,
	    .sql = arena_printf(x->l->a,
	    "ALTER TABLE \"%s\" RENAME COLUMN \"%s\" TO \"%s\"", x->table,
	    x->old->column, x->new->column) });
}

/* A type that cannot be known on one side: equal class and arguments are no
 * change, anything else cannot be judged. */
static bool
type_differs(struct alter *x)
{
	if (x->oc.type != NULL && x->nc.type != NULL)
		return !streq(x->oc.type, x->nc.type);
	sym was = field_outside(&x->l->from, x->old);
	if (was != NULL && streq(was, field_outside(&x->l->to, x->new)))
		return false;
	if (same_class(x->old, x->new) && same_args(x->old, x->new) &&
	    streq(x->old->to, x->new->to))
		return false;
	x->l->why = OPAQUE_FIELD;
	x->l->note = sym_printf(x->l->a,
	    "the type of column \"%s\".\"%s\" cannot be known (%s)", x->table,
	    x->new->column, x->new->call != NULL && x->new->call->name != NULL ?
	    x->new->call->name : "unread");
	return true;
}

static void
change(struct alter *x)
{
	struct lower *l = x->l;
	struct con con;

	x->type = type_differs(x);
	drop_fks(x);
	drop_unique(x);
	drop_incoming(x);
	drop_index(x);
	drop_check(x);
	rename_part(x);
	bool was = x->old->cls != NULL && x->old->cls->automatic;
	bool is = x->new->cls != NULL && x->new->cls->automatic;
	bool drop_later = change_column(x);
	if (x->type || was != is)
		automatic_after(x, was, is);
	if (comment_changed(x))
		emit_comment(l, x->table, x->new->column);
	key_changes(x);
	incoming_types(x);
	fks_back(x);
	if (!field_check(x->old) && con_field_check(&l->to, x->nm, x->new,
	    &con))
		emit_con(l, x->table, &con, 0);
	if (drop_later) {
		default_part(x, true, DFLT_NONE, NULL);
		flush(x);
	}
	like_changes(x);
}

void
column_alter(struct lower *l, const struct model *om, const struct field *old,
    const struct model *nm, const struct field *new)
{
	struct alter x = { .l = l, .om = om, .nm = nm, .old = old, .new = new,
		.table = model_table(&l->to, nm), .text = STRBUF_INIT };

	x.oc = field_column(&l->from, om, old);
	x.nc = field_column(&l->to, nm, new);
	const struct field *pk = model_pk(&l->from, om);
	x.opk = old->primary_key || pk == old;
	pk = model_pk(&l->to, nm);
	x.npk = new->primary_key || pk == new;
	if (should_alter(&x))
		change(&x);
	strbuf_release(&x.text);
}

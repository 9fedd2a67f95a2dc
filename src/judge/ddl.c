/* Statements as Django writes them, and their effect on the schema at once. */
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

void
emit(struct lower *l, struct ddl d)
{
	sym missing = NULL;

	if (d.line == 0 && l->op != NULL)
		d.line = l->op->line;
	schema_apply(l->scratch, &l->have, &d, &missing);
	if (l->missing == NULL)
		l->missing = sym_get(l->a, missing);
	*list_add(l->a, &l->out) = d;
}

/* A statement's text; NULL where nobody reads it. */
static char * __attribute__((format(printf, 2, 3)))
text(struct lower *l, const char *fmt, ...)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	va_list ap;

	if (l->mute)
		return NULL;
	va_start(ap, fmt);
	strbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	return arena_strdup(l->a, b.s);
}

static void
names(struct strbuf *b, const sym *v, uint16_t n, struct arena *a)
{
	for (uint16_t i = 0; i < n; i++)
		strbuf_printf(b, "%s%s", i > 0 ? ", " : "", sql_name(a, v[i]));
}

/* The keys of an index or unique constraint, in brackets. */
static void
keys_sql(struct strbuf *b, const struct con *c, struct arena *a)
{
	strbuf_char(b, '(');
	if (c->expr != NULL) {
		strbuf_str(b, c->expr);
	} else {
		names(b, c->cols, c->ncols, a);
		if (c->opclass != NULL && c->ncols == 1)
			strbuf_printf(b, " %s", c->opclass);
	}
	strbuf_char(b, ')');
}

static void
index_sql(struct strbuf *b, sym table, const struct con *c, struct arena *a,
    bool concurrently)
{
	strbuf_printf(b, "CREATE %sINDEX %s%s ON %s", c->kind == CON_UNIQUE ?
	    "UNIQUE " : "", concurrently ? "CONCURRENTLY " : "",
	    sql_name(a, c->name), sql_name(a, table));
	if (c->method != NULL)
		strbuf_printf(b, " USING %s", c->method);
	strbuf_char(b, ' ');
	keys_sql(b, c, a);
	if (c->ninclude > 0) {
		strbuf_str(b, " INCLUDE (");
		names(b, c->include, c->ninclude, a);
		strbuf_char(b, ')');
	}
	if (c->where != NULL)
		strbuf_printf(b, " WHERE %s", c->where);
}

void
con_body(struct strbuf *b, const struct con *c, struct arena *a)
{
	switch (c->kind) {
	case CON_PK:
		strbuf_str(b, "PRIMARY KEY (");
		names(b, c->cols, c->ncols, a);
		strbuf_char(b, ')');
		break;
	case CON_UNIQUE:
		strbuf_printf(b, "UNIQUE %s", c->nulls_equal ?
		    "NULLS NOT DISTINCT " : "");
		keys_sql(b, c, a);
		break;
	case CON_CHECK:
		strbuf_printf(b, "CHECK (%s)", c->expr != NULL ? c->expr : "?");
		break;
	case CON_FK:
		strbuf_str(b, "FOREIGN KEY (");
		names(b, c->cols, c->ncols, a);
		strbuf_printf(b, ") REFERENCES %s (%s)",
		    sql_name(a, c->ref_table), sql_name(a, c->ref_col));
		if (c->on_delete != NULL)
			strbuf_printf(b, " ON DELETE %s", c->on_delete);
		break;
	case CON_EXCLUDE:
		strbuf_printf(b, "EXCLUDE USING %s (%s)", c->method, c->expr);
		if (c->where != NULL)
			strbuf_printf(b, " WHERE (%s)", c->where);
		break;
	case CON_INDEX:
		break;
	}
	if (c->deferrable)
		strbuf_str(b, " DEFERRABLE INITIALLY DEFERRED");
	if (c->not_valid)
		strbuf_str(b, " NOT VALID");
}

void
emit_con(struct lower *l, sym table, const struct con *c, unsigned how)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	bool now = (how & EMIT_CONCURRENTLY) != 0;
	bool said = !l->mute && (how & EMIT_INLINE) == 0;

	if (said && (c->kind == CON_INDEX || con_unique_index(c))) {
		index_sql(&b, table, c, l->a, now);
	} else if (said) {
		strbuf_printf(&b, "ALTER TABLE %s ADD CONSTRAINT %s ",
		    sql_name(l->a, table), sql_name(l->a, c->name));
		con_body(&b, c, l->a);
	}
	emit(l, (struct ddl){ .kind = DDL_ADD_CON, .table = table,
	    .name = c->name, .concurrently = now,
	    .con = arena_copy(l->a, c, sizeof(*c)),
	    .deferred = (how & EMIT_DEFERRED) != 0,
	    .joined = (how & EMIT_INLINE) != 0,
	    .of_column = (how & EMIT_INLINE) != 0,
	    .sql = said ? arena_strdup(l->a, b.s) : NULL });
}

void
emit_drop_con(struct lower *l, sym table, enum con_kind kind, sym name)
{
	name = sym_get(l->a, name);	/* it may come from the scratch */
	char *sql = kind == CON_FK ? text(l,
	    "SET CONSTRAINTS \"%s\" IMMEDIATE; "
	    "ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\"", name, table, name) :
	    text(l, "ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\"",
	    table, name);

	emit(l, (struct ddl){ .kind = DDL_DROP_CON, .table = table,
	    .name = name, .sql = sql });
}

void
emit_drop_index(struct lower *l, sym table, sym name, bool concurrently)
{
	emit(l, (struct ddl){ .kind = DDL_DROP_CON, .table = table,
	    .name = name, .if_exists = true, .concurrently = concurrently,
	    .sql = text(l, "DROP INDEX %sIF EXISTS \"%s\"",
	    concurrently ? "CONCURRENTLY " : "", name) });
}

void
emit_rename_table(struct lower *l, sym from, sym to)
{
	if (streq(from, to))
		return;
	emit(l, (struct ddl){ .kind = DDL_RENAME_TABLE, .table = from,
	    .to = to, .sql = text(l,
	    "ALTER TABLE \"%s\" RENAME TO \"%s\"", from, to) });
}

/* ---- columns ---- */

/* "name" type …, without constraints and without the word NULL. */
void
column_sql(struct strbuf *b, const struct lower *l, const struct column *c,
    sym dflt)
{
	strbuf_printf(b, "%s %s", sql_name(l->a, c->name),
	    c->dflt == DFLT_SERIAL ? streq(c->type, "bigint") ? "bigserial" :
	    streq(c->type, "smallint") ? "smallserial" : "serial" :
	    type_sql(l->a, c->type));
	if (c->collation != NULL)
		strbuf_printf(b, " COLLATE %s", sql_name(l->a, c->collation));
	if (c->dflt == DFLT_GENERATED)
		strbuf_printf(b, " GENERATED ALWAYS AS (%s) %s",
		    c->dflt_sql != NULL ? c->dflt_sql : "?",
		    c->is_virtual ? "VIRTUAL" : "STORED");
	else if (dflt != NULL)
		strbuf_printf(b, " DEFAULT %s", dflt);
}

static void
column_full(struct strbuf *b, const struct lower *l, const struct code *c,
    const struct model *m, const struct field *f, const struct column *col,
    sym dflt)
{
	struct con con;

	column_sql(b, l, col, dflt);
	if (col->dflt != DFLT_GENERATED)
		strbuf_str(b, col->notnull ? " NOT NULL" : " NULL");
	/* f may be a copy that has a default for this once */
	if (streq(model_pk(c, m)->name, f->name))
		strbuf_str(b, " PRIMARY KEY");
	else if (f->unique)
		strbuf_str(b, " UNIQUE");
	if (con_field_check(c, m, f, &con))
		strbuf_printf(b, " CHECK (%s)", con.expr);
	if (col->dflt == DFLT_IDENTITY)
		strbuf_str(b, " GENERATED BY DEFAULT AS IDENTITY");
}

void
emit_comment(struct lower *l, sym table, sym col)
{
	emit(l, (struct ddl){ .kind = DDL_NOTHING, .table = table,
	    .name = col, .lock = "SHARE UPDATE EXCLUSIVE",
	    .sql = col == NULL ? text(l,
	    "COMMENT ON TABLE \"%s\" IS …", table) : text(l,
	    "COMMENT ON COLUMN \"%s\".\"%s\" IS …", table, col) });
}

static bool
commented(const struct lower *l, const struct field *f)
{
	return l->s->django >= 402 && f->call != NULL &&
	    value_str(l->a, value_arg(f->call, "db_comment", -1)) != NULL;
}

void
emit_create(struct lower *l, const struct code *c, const struct model *m)
{
	struct table *t = arena_make(l->a, struct table);
	struct fields f = model_columns(c, m);
	struct column *cols = arena_array(l->a, struct column, f.n + 1u);
	struct want_cons w = { 0 };
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	t->name = model_table(c, m);
	if (!l->mute)
		strbuf_printf(&b, "CREATE TABLE %s (", sql_name(l->a, t->name));
	for (uint32_t i = 0; i < f.n; i++) {
		cols[i] = field_column(c, m, f.v[i]);
		strbuf_str(&b, i > 0 ? ", " : "");
		if (!l->mute)
			column_full(&b, l, c, m, f.v[i], &cols[i],
			    cols[i].dflt == DFLT_CONST ||
			    cols[i].dflt == DFLT_EXPR ? cols[i].dflt_sql :
			    NULL);
		cols[i].field = NULL;
		cols[i].writes_null = cols[i].py_default = false;
		cols[i].py_value = NULL;
	}
	t->cols = cols;
	t->ncols = (uint16_t)f.n;
	want_cons(c, m, &w);
	struct con *cons = arena_array(l->a, struct con, w.n + 1u);
	for (uint32_t i = 0; i < w.n; i++) {
		struct con *k = &cons[t->ncons];

		if (w.v[i].later)
			continue;
		*k = w.v[i].con;
		t->ncons++;
		if (l->mute ||
		    (k->generated && (k->kind != CON_PK || k->ncols == 1)))
			continue;
		strbuf_str(&b, ", ");
		if (!k->generated)
			strbuf_printf(&b, "CONSTRAINT %s ",
			    sql_name(l->a, k->name));
		con_body(&b, k, l->a);
	}
	strbuf_char(&b, ')');
	cons_sort(cons, t->ncons);
	for (uint16_t i = 0; i < t->ncons; i++)
		if (cons[i].generated)	/* PostgreSQL counts up if taken */
			cons[i].name = NULL;
	t->cons = cons;
	emit(l, (struct ddl){ .kind = DDL_CREATE_TABLE, .table = t->name,
	    .whole = t, .sql = l->mute ? NULL : arena_strdup(l->a, b.s) });
	for (uint32_t i = 0; i < f.n; i++)
		if (commented(l, f.v[i]))
			emit_comment(l, t->name, f.v[i]->column);
	for (uint32_t i = 0; i < w.n; i++)
		if (w.v[i].later)
			emit_con(l, t->name, &w.v[i].con, EMIT_DEFERRED);
	for (uint32_t i = 0; i < m->nfields; i++) {
		const struct model *x = m2m_model(c, m, m->fields[i]);

		if (x != NULL)
			emit_create(l, c, x);
	}
}

void
emit_drop(struct lower *l, const struct code *c, const struct model *m)
{
	for (uint32_t i = 0; i < m->nfields; i++) {
		const struct model *x = m2m_model(c, m, m->fields[i]);

		if (x != NULL)
			emit_drop(l, c, x);
	}
	sym t = model_table(c, m);
	emit(l, (struct ddl){ .kind = DDL_DROP_TABLE, .table = t,
	    .cascade = true, .sql = text(l,
	    "DROP TABLE \"%s\" CASCADE", t) });
}

/* Constraints that stand in the statement of the column itself. */
static void
inline_cons(struct lower *l, const struct code *c, const struct model *m,
    const struct field *f)
{
	sym t = model_table(c, m);
	struct con con;

	if (streq(model_pk(c, m)->name, f->name)) {
		con = (struct con){ .kind = CON_PK, .cols = arena_copy(l->a,
		    &f->column, sizeof(sym)), .ncols = 1 };
		emit_con(l, t, &con, EMIT_INLINE);
	}
	if (con_field_unique(c, m, f, &con)) {
		con.name = NULL;
		emit_con(l, t, &con, EMIT_INLINE);
	}
	if (con_field_check(c, m, f, &con)) {
		con.name = NULL;
		emit_con(l, t, &con, EMIT_INLINE);
	}
	if (con_field_fk(c, m, f, &con))
		emit_con(l, t, &con, EMIT_INLINE);
}

void
emit_add_field(struct lower *l, const struct code *c, const struct model *m,
    const struct field *f)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	const struct model *x = m2m_model(c, m, f);
	sym t = model_table(c, m);
	struct con con;
	bool known;

	if (x != NULL)
		emit_create(l, c, x);
	if (f->column == NULL)
		return;
	struct column *col = arena_make(l->a, struct column);
	*col = field_column(c, m, f);
	bool own = col->dflt != DFLT_NONE;
	sym dflt = own ? col->dflt == DFLT_CONST || col->dflt == DFLT_EXPR ?
	    col->dflt_sql : NULL : field_default(c, f, &known);
	if (!l->mute) {
		strbuf_printf(&b, "ALTER TABLE %s ADD COLUMN ",
		    sql_name(l->a, t));
		column_full(&b, l, c, m, f, col, dflt);
	}
	if (!l->mute && con_field_fk(c, m, f, &con)) {
		strbuf_printf(&b, " CONSTRAINT %s REFERENCES %s(%s)%s%s "
		    "DEFERRABLE INITIALLY DEFERRED; SET CONSTRAINTS %s "
		    "IMMEDIATE", sql_name(l->a, con.name),
		    sql_name(l->a, con.ref_table), sql_name(l->a, con.ref_col),
		    con.on_delete != NULL ? " ON DELETE " : "",
		    con.on_delete != NULL ? con.on_delete : "",
		    sql_name(l->a, con.name));
	}
	if (!own && dflt != NULL) {
		col->dflt = DFLT_CONST;
		col->dflt_sql = dflt;
	}
	emit(l, (struct ddl){ .kind = DDL_ADD_COLUMN, .table = t,
	    .name = f->column, .col = col,
	    .sql = l->mute ? NULL : arena_strdup(l->a, b.s) });
	inline_cons(l, c, m, f);
	if (!own && dflt != NULL)
		emit(l, (struct ddl){ .kind = DDL_DROP_DEFAULT, .table = t,
		    .name = f->column, .sql = text(l,
		    "ALTER TABLE \"%s\" ALTER COLUMN \"%s\" DROP DEFAULT", t,
		    f->column) });
	if (commented(l, f))
		emit_comment(l, t, f->column);
	if (con_field_index(c, m, f, &con))
		emit_con(l, t, &con, EMIT_DEFERRED);
	if (con_field_like(c, m, f, &con))
		emit_con(l, t, &con, EMIT_DEFERRED);
}

static bool
cols_are(const struct con *c, const sym *cols, uint16_t n)
{
	if (c->ncols != n)
		return false;
	for (uint16_t i = 0; i < n; i++)
		if (!streq(c->cols[i], cols[i]))
			return false;
	return true;
}

struct syms
cons_on(struct lower *l, sym table, enum con_kind kind, const sym *cols,
    uint16_t n)
{
	const struct table *t = vec_find(&l->have, table);
	struct syms out = { 0 };

	for (uint16_t i = 0; t != NULL && i < t->ncons; i++)
		if (t->cons[i].kind == kind && cols_are(&t->cons[i], cols, n) &&
		    (kind != CON_INDEX || t->cons[i].method == NULL ||
		    strcmp(t->cons[i].method, "btree") == 0))
			*list_add(l->a, &out) = sym_get(l->a, t->cons[i].name);
	return out;
}

void
emit_remove_field(struct lower *l, const struct code *c,
    const struct model *m, const struct field *f)
{
	const struct model *x = m2m_model(c, m, f);
	bool cascade = l->s->django < 601;
	sym t = model_table(c, m);

	if (x != NULL)
		emit_drop(l, c, x);
	if (f->column == NULL)
		return;
	if (f->kind == FIELD_FK) {
		struct syms fks = cons_on(l, t, CON_FK, &f->column, 1);

		for (uint32_t i = 0; i < fks.n; i++)
			emit_drop_con(l, t, CON_FK, fks.v[i]);
	}
	emit(l, (struct ddl){ .kind = DDL_DROP_COLUMN, .table = t,
	    .name = f->column, .cascade = cascade, .sql = text(l,
	    "ALTER TABLE \"%s\" DROP COLUMN \"%s\"%s", t, f->column,
	    cascade ? " CASCADE" : "") });
}

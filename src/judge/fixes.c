/* The way to write it: what a person can paste, for the project's Django. */
#include "judge/fixing.h"

#include <stdarg.h>
#include <string.h>

#include "base/util.h"

void
fix_add(struct fixing *f, const char *title, const char *fmt, ...)
{
	struct strbuf code STRBUF_SCOPED = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(&code, fmt, ap);
	va_end(ap);
	for (uint32_t i = 0; i < f->out.n; i++)
		if (streq(f->out.v[i].code, code.s))
			return;
	struct fix *x = list_add(f->j->a, &f->out);
	x->title = sym_get(f->j->a, title);
	x->code = sym_get(f->j->a, code.s);
	if (f->c != NULL)
		x->line = f->c->op == NULL ? f->d->line : f->c->op->line;
}

static bool
has(const struct findings *f, enum reason_kind kind, sym table, sym column)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].kind == kind && streq(f->v[i].table, table) &&
		    (column == NULL || streq(f->v[i].column, column)))
			return true;
	return false;
}

/* ---- fields ---- */

static bool
is_constant(const struct value *v)
{
	return v->kind == VALUE_BOOL || v->kind == VALUE_INT ||
	    v->kind == VALUE_FLOAT || v->kind == VALUE_STR;
}

static bool
is_true(const struct value *field, const char *kw)
{
	return value_bool(field, kw, false, NULL);
}

/* What the database could fill in; NULL: only a person knows. */
static sym
db_default(struct fixing *f, const struct value *field)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	const struct value *v = value_arg(field, "default", -1);

	if (v != NULL && is_constant(v)) {
		strbuf_str(&b, "db_default=");
		value_print(&b, v);
		return sym_get(f->j->a, b.s);
	}
	if (is_true(field, "auto_now") || is_true(field, "auto_now_add") ||
	    (v != NULL && v->kind == VALUE_NAME &&
	    streq(v->name, "django.utils.timezone.now")))
		return sym_get(f->j->a,
		    "db_default=models.functions.Now()");
	if (v == NULL && field->name != NULL &&
	    (ends_with(field->name, "CharField") ||
	    ends_with(field->name, "TextField") ||
	    ends_with(field->name, "SlugField")))
		return sym_get(f->j->a, "db_default=\"\"");
	return NULL;
}

static void
required_column(struct fixing *f)
{
	const struct op *op = f->c->op;
	sym dflt = NULL;

	if (op == NULL || op->kind != OP_ADD_FIELD || op->value == NULL)
		return;
	if (f->j->s->django >= 500)
		dflt = db_default(f, op->value);
	if (dflt != NULL) {
		fix_add(f, "let the database fill it in where code does not know it "
		    "(and write the same into models.py)",
		    "migrations.AddField(\n"
		    "    model_name=\"%s\",\n"
		    "    name=\"%s\",\n"
		    "    field=%s,\n"
		    "),\n", op->model, op->name,
		    fix_call(f, op->value, NULL, dflt));
		return;
	}
	fix_add(f, "add it nullable; fill it and make it NOT NULL in the next "
	    "release", "# this release; null=True in models.py too\n"
	    "migrations.AddField(\n"
	    "    model_name=\"%s\",\n"
	    "    name=\"%s\",\n"
	    "    field=%s,\n"
	    "),\n"
	    "# next release: a migration that fills it in batches, then\n"
	    "migrations.AlterField(\n"
	    "    model_name=\"%s\",\n"
	    "    name=\"%s\",\n"
	    "    field=%s,\n"
	    "),\n", op->model, op->name, fix_call(f, op->value, "null",
	    "null=True"), op->model, op->name, fix_call(f, op->value, NULL,
	    ""));
}

static void
required_removed(struct fixing *f)
{
	const struct op *op = f->c->op;
	const struct table *t = vec_find(&f->m->before.have, f->d->table);
	const struct column *c = t == NULL ? NULL : table_col(t, f->d->name);

	if (op == NULL || op->kind != OP_REMOVE_FIELD || c == NULL)
		return;
	struct strbuf there STRBUF_SCOPED = STRBUF_INIT;
	strbuf_printf(&there, "ALTER TABLE \"%s\" ALTER COLUMN \"%s\" DROP NOT "
	    "NULL", t->name, c->name);
	/* or new code could not delete what these rows refer to */
	for (uint16_t i = 0; i < t->ncons; i++)
		if (t->cons[i].kind == CON_FK && t->cons[i].ncols == 1 &&
		    streq(t->cons[i].cols[0], c->name))
			strbuf_printf(&there, "; ALTER TABLE \"%s\" DROP "
			    "CONSTRAINT IF EXISTS \"%s\"", t->name,
			    t->cons[i].name);
	/* no way back to NOT NULL: new code's rows have nothing there */
	fix_add(f, "in two releases: first the code goes and the column may be "
	    "NULL, then the column goes", "# this release\n%s"
	    "# next release\n%s", fix_apart(f, fix_sql(f, there.s, NULL),
	    sym_printf(f->j->a, "migrations.RemoveField(model_name=\"%s\", "
	    "name=\"%s\")\n", op->model, op->name)),
	    fix_sql(f, sym_printf(f->j->a, "ALTER TABLE \"%s\" DROP COLUMN "
	    "\"%s\"", t->name, c->name), sym_printf(f->j->a, "ALTER TABLE "
	    "\"%s\" ADD COLUMN \"%s\" %s NULL", t->name, c->name,
	    c->type == NULL ? "…" : c->type)));
}

static void
foreign_first(struct fixing *f)
{
	const struct table *t = vec_find(&f->m->before.have, f->d->table);

	for (uint16_t i = 0; t != NULL && i < t->ncons; i++) {
		const struct con *c = &t->cons[i];

		if (c->kind != CON_FK || c->ncols != 1 ||
		    !has(&f->v->b, REASON_FK, t->name, c->name))
			continue;
		fix_add(f, "drop the foreign key first, in a migration of its own "
		    "before this one: then new code can delete its parents",
		    "%s", fix_sql(f, sym_printf(f->j->a, "ALTER TABLE \"%s\" "
		    "DROP CONSTRAINT \"%s\"", t->name, c->name),
		    sym_printf(f->j->a, "ALTER TABLE \"%s\" ADD CONSTRAINT "
		    "\"%s\" FOREIGN KEY (\"%s\") REFERENCES \"%s\" (\"%s\") "
		    "DEFERRABLE INITIALLY DEFERRED NOT VALID", t->name, c->name,
		    c->cols[0], c->ref_table, c->ref_col == NULL ? "id" :
		    c->ref_col)));
	}
}

/* ---- renames ---- */

static void
renamed_column(struct fixing *f)
{
	const struct op *op = f->c->op;
	const struct model *m = op == NULL ? NULL :
	    models_find(&f->m->before.models, sym_printf(f->j->a, "%s.%s",
	    f->m->m->app, op->model));
	const struct field *x = m == NULL ? NULL : model_field(m, op->name);
	sym field = sym_get(f->j->a, "models.…(…)");

	if (op == NULL || op->kind != OP_RENAME_FIELD)
		return;
	if (x != NULL && x->call != NULL)
		field = fix_call(f, x->call, "db_column", sym_printf(f->j->a,
		    "db_column=\"%s\"", f->d->name));
	fix_add(f, "rename it in the code alone and keep the column: give the field "
	    "its old column in models.py",
	    "migrations.SeparateDatabaseAndState(\n"
	    "    state_operations=[\n"
	    "        migrations.RenameField(model_name=\"%s\", old_name=\"%s\", "
	    "new_name=\"%s\"),\n"
	    "        migrations.AlterField(\n"
	    "            model_name=\"%s\",\n"
	    "            name=\"%s\",\n"
	    "            field=%s,\n"
	    "        ),\n"
	    "    ],\n"
	    "),\n", op->model, op->name, op->to, op->model, op->to, field);
}

static void
renamed_table(struct fixing *f)
{
	const struct op *op = f->c->op;

	if (op != NULL && op->kind == OP_RENAME_MODEL)
		fix_add(f, "rename it in the code alone and keep the table: in "
		    "models.py, class Meta: db_table",
		    "# models.py, class Meta:\n"
		    "#     db_table = \"%s\"\n"
		    "migrations.SeparateDatabaseAndState(\n"
		    "    state_operations=[\n"
		    "        migrations.RenameModel(old_name=\"%s\", "
		    "new_name=\"%s\"),\n"
		    "        migrations.AlterModelTable(name=\"%s\", "
		    "table=\"%s\"),\n"
		    "    ],\n"
		    "),\n", f->d->table, op->model, op->title != NULL ?
		    op->title : op->to, op->to, f->d->table);
	else
		fix_add(f, "leave a view under the old name until no code reads it "
		    "(one table behind it: it takes writes too); drop it in "
		    "the next release",
		    "migrations.RunSQL(\n"
		    "    'CREATE VIEW \"%s\" AS SELECT * FROM \"%s\"',\n"
		    "    'DROP VIEW \"%s\"',\n"
		    "),\n", f->d->table, f->d->to, f->d->table);
}

static void
statement(struct fixing *f)
{
	const struct ddl *d = f->d;
	const struct findings *a = &f->v->a, *b = &f->v->b;

	switch (d->kind) {
	case DDL_ADD_COLUMN:
		if (d->col != NULL && has(a, REASON_NOT_NULL, d->table,
		    d->col->name))
			required_column(f);
		break;
	case DDL_DROP_COLUMN:
		if (has(b, REASON_NOT_NULL, d->table, d->name))
			required_removed(f);
		if (has(b, REASON_FK, d->table, NULL))
			foreign_first(f);
		break;
	case DDL_DROP_TABLE:
		if (has(b, REASON_FK, d->table, NULL))
			foreign_first(f);
		break;
	case DDL_RENAME_COLUMN:
		if (has(a, REASON_NO_COLUMN, d->table, d->name))
			renamed_column(f);
		break;
	case DDL_RENAME_TABLE:
		if (has(a, REASON_NO_TABLE, d->table, NULL))
			renamed_table(f);
		break;
	case DDL_SET_NOT_NULL:
		fix_not_null(f);
		break;
	case DDL_UPDATE_NULLS:
		fix_nulls(f);
		break;
	case DDL_ADD_CON:
		fix_constraint(f);
		break;
	default:
		break;
	}
}

void
fixes(struct judging *j, struct verdict *v, const struct moved *m)
{
	struct fixing f = { .j = j, .v = v, .m = m,
	    .at = (uint32_t)(v - j->out->v) };

	for (uint32_t i = 0; i < m->nchanges; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++) {
			f.c = &m->changes[i];
			f.d = &f.c->fwd.v[k];
			statement(&f);
		}
	fix_cut(&f);
	v->fixes = f.out.v;
	v->nfixes = f.out.n;
}

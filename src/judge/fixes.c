/* The way to write it: what a person can paste, for the project's Django. */
#include "judge/judging.h"

#include <stdarg.h>
#include <string.h>

#include "base/util.h"

#define CONTRIB "from django.contrib.postgres.operations import "

struct fixing {
	struct judging *j;
	struct verdict *v;
	const struct moved *m;
	const struct change *c;
	const struct ddl *d;
	struct list(struct fix) out;
};

static void __attribute__((format(printf, 3, 4)))
fix(struct fixing *f, const char *title, const char *fmt, ...)
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

static bool
has_hazard(const struct fixing *f, const char *code)
{
	for (uint32_t i = 0; i < f->v->nhazards; i++) {
		const struct hazard *h = &f->v->hazards[i];

		if (streq(h->code, code) && streq(h->table, f->d->table) &&
		    (f->c->op == NULL || h->line == f->c->op->line ||
		    h->line == f->d->line))
			return true;
	}
	return false;
}

/* ---- fields ---- */

/* models.CharField(max_length=20), as it is written in a migration. */
static sym
call_text(struct fixing *f, const struct value *v, const char *without,
    const char *with)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	const char *name = v->name == NULL ? "…" : v->name;
	const char *dot = strrchr(name, '.');
	const char *sep = "";

	strbuf_printf(&b, "%s%s(", starts_with(name, "django.db.models") ?
	    "models." : "", starts_with(name, "django.db.models") &&
	    dot != NULL ? dot + 1 : name);
	for (uint32_t i = 0; i < v->n; i++, sep = ", ") {
		strbuf_str(&b, sep);
		value_print(&b, v->items[i]);
	}
	for (uint32_t i = 0; i < v->nkw; i++) {
		if (streq(v->kw[i].name, without))
			continue;
		strbuf_printf(&b, "%s%s=", sep, v->kw[i].name);
		value_print(&b, v->kw[i].value);
		sep = ", ";
	}
	strbuf_printf(&b, "%s%s)", with[0] == '\0' ? "" : sep, with);
	return sym_get(f->j->a, b.s);
}

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
		fix(f, "let the database fill it in where code does not know it "
		    "(and write the same into models.py)",
		    "migrations.AddField(\n"
		    "    model_name=\"%s\",\n"
		    "    name=\"%s\",\n"
		    "    field=%s,\n"
		    "),\n", op->model, op->name,
		    call_text(f, op->value, NULL, dflt));
		return;
	}
	fix(f, "add it nullable; fill it and make it NOT NULL in the next "
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
	    "),\n", op->model, op->name, call_text(f, op->value, "null",
	    "null=True"), op->model, op->name, call_text(f, op->value, NULL,
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
	fix(f, "in two releases: first the code goes and the column may be "
	    "NULL, then the column goes",
	    "# this release\n"
	    "migrations.SeparateDatabaseAndState(\n"
	    "    database_operations=[\n"
	    "        migrations.RunSQL(\n"
	    "            'ALTER TABLE \"%s\" ALTER COLUMN \"%s\" DROP NOT NULL',\n"
	    "            'ALTER TABLE \"%s\" ALTER COLUMN \"%s\" SET NOT NULL',\n"
	    "        ),\n"
	    "    ],\n"
	    "    state_operations=[\n"
	    "        migrations.RemoveField(model_name=\"%s\", name=\"%s\"),\n"
	    "    ],\n"
	    "),\n"
	    "# next release\n"
	    "migrations.RunSQL(\n"
	    "    'ALTER TABLE \"%s\" DROP COLUMN \"%s\"',\n"
	    "    'ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s NULL',\n"
	    "),\n", t->name, c->name, t->name, c->name, op->model, op->name,
	    t->name, c->name, t->name, c->name,
	    c->type == NULL ? "…" : c->type);
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
		fix(f, "drop the foreign key first, in a migration of its own "
		    "before this one: then new code can delete its parents",
		    "migrations.RunSQL(\n"
		    "    'ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\"',\n"
		    "    'ALTER TABLE \"%s\" ADD CONSTRAINT \"%s\" FOREIGN KEY "
		    "(\"%s\") REFERENCES \"%s\" (\"%s\") DEFERRABLE INITIALLY "
		    "DEFERRED NOT VALID',\n"
		    "),\n", t->name, c->name, t->name, c->name, c->cols[0],
		    c->ref_table, c->ref_col == NULL ? "id" : c->ref_col);
	}
}

/* ---- renames ---- */

static void
renamed_column(struct fixing *f)
{
	const struct op *op = f->c->op;

	if (op == NULL || op->kind != OP_RENAME_FIELD)
		return;
	fix(f, "rename it in the code alone and keep the column: give the field "
	    "its old column in models.py",
	    "migrations.SeparateDatabaseAndState(\n"
	    "    state_operations=[\n"
	    "        migrations.RenameField(model_name=\"%s\", old_name=\"%s\", "
	    "new_name=\"%s\"),\n"
	    "        migrations.AlterField(\n"
	    "            model_name=\"%s\",\n"
	    "            name=\"%s\",\n"
	    "            field=models.…(…, db_column=\"%s\"),  # the field as "
	    "it is, and db_column\n"
	    "        ),\n"
	    "    ],\n"
	    "),\n", op->model, op->name, op->to, op->model, op->to,
	    f->d->name);
}

static void
renamed_table(struct fixing *f)
{
	const struct op *op = f->c->op;

	if (op != NULL && op->kind == OP_RENAME_MODEL)
		fix(f, "rename it in the code alone and keep the table: in "
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
		fix(f, "leave a view under the old name until no code reads it "
		    "(one table behind it: it takes writes too); drop it in "
		    "the next release",
		    "migrations.RunSQL(\n"
		    "    'CREATE VIEW \"%s\" AS SELECT * FROM \"%s\"',\n"
		    "    'DROP VIEW \"%s\"',\n"
		    "),\n", f->d->table, f->d->to, f->d->table);
}

/* ---- locks ---- */

static void
index_concurrently(struct fixing *f)
{
	const struct op *op = f->c->op;

	if (op != NULL && op->kind == OP_ADD_INDEX && op->value != NULL) {
		fix(f, "build it while the table is written to, in a migration "
		    "of its own", CONTRIB "AddIndexConcurrently\n\n"
		    "class Migration(migrations.Migration):\n"
		    "    atomic = False\n"
		    "    operations = [\n"
		    "        AddIndexConcurrently(\n"
		    "            model_name=\"%s\",\n"
		    "            index=%s,\n"
		    "        ),\n"
		    "    ]\n", op->model, call_text(f, op->value, NULL, ""));
	} else if (f->d->con != NULL && f->d->sql != NULL &&
	    starts_with(f->d->sql, "CREATE ") &&
	    strstr(f->d->sql, "INDEX ") != NULL) {
		const char *at = strstr(f->d->sql, "INDEX ") + 6;

		fix(f, "build the index while the table is written to, in a "
		    "migration of its own with atomic = False; the operation "
		    "itself goes into state_operations",
		    "migrations.RunSQL(\n"
		    "    '%.*sCONCURRENTLY %s',\n"
		    "    'DROP INDEX CONCURRENTLY IF EXISTS \"%s\"',\n"
		    "),\n", (int)(at - f->d->sql), f->d->sql, at,
		    f->d->con->name);
	}
}

static void
not_null_by_check(struct fixing *f)
{
	sym t = f->d->table, c = f->d->name;
	sym k = sym_printf(f->j->a, "%.40s_%.18s_set", t, c);

	fix(f, "let a CHECK prove it first: three migrations, and none of them "
	    "reads the table under a lock that others wait for",
	    "# 1\n"
	    "migrations.RunSQL(\n"
	    "    'ALTER TABLE \"%s\" ADD CONSTRAINT \"%s\" CHECK (\"%s\" IS NOT "
	    "NULL) NOT VALID',\n"
	    "    'ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\"',\n"
	    "),\n"
	    "# 2\n"
	    "migrations.RunSQL(\n"
	    "    'ALTER TABLE \"%s\" VALIDATE CONSTRAINT \"%s\"',\n"
	    "    migrations.RunSQL.noop,\n"
	    "),\n"
	    "# 3: this AlterField, then\n"
	    "migrations.RunSQL(\n"
	    "    'ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\"',\n"
	    "    migrations.RunSQL.noop,\n"
	    "),\n", t, k, c, t, k, t, k, t, k);
}

static void
check_not_valid(struct fixing *f)
{
	const struct op *op = f->c->op;

	if (op == NULL || op->kind != OP_ADD_CONSTRAINT || op->value == NULL ||
	    f->j->s->django < 400)
		return;
	fix(f, "add it without reading the table, then validate it in a second "
	    "migration, while others write",
	    CONTRIB "AddConstraintNotValid, ValidateConstraint\n\n"
	    "# 1\n"
	    "AddConstraintNotValid(\n"
	    "    model_name=\"%s\",\n"
	    "    constraint=%s,\n"
	    "),\n"
	    "# 2\n"
	    "ValidateConstraint(model_name=\"%s\", name=\"%s\"),\n", op->model,
	    call_text(f, op->value, NULL, ""), op->model, f->d->con->name);
}

static void
foreign_not_valid(struct fixing *f)
{
	const struct con *c = f->d->con;

	if (c->ncols != 1 || c->ref_col == NULL)
		return;
	fix(f, "add the foreign key without looking up every row, then validate "
	    "it in a second migration, while others write (the operation "
	    "itself goes into state_operations)",
	    "# 1\n"
	    "migrations.RunSQL(\n"
	    "    'ALTER TABLE \"%s\" ADD CONSTRAINT \"%s\" FOREIGN KEY (\"%s\") "
	    "REFERENCES \"%s\" (\"%s\") DEFERRABLE INITIALLY DEFERRED NOT "
	    "VALID',\n"
	    "    'ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\"',\n"
	    "),\n"
	    "# 2\n"
	    "migrations.RunSQL(\n"
	    "    'ALTER TABLE \"%s\" VALIDATE CONSTRAINT \"%s\"',\n"
	    "    migrations.RunSQL.noop,\n"
	    "),\n", f->d->table, c->name, c->cols[0], c->ref_table, c->ref_col,
	    f->d->table, c->name, f->d->table, c->name);
}

static void
unique_by_index(struct fixing *f)
{
	const struct con *c = f->d->con;
	struct strbuf cols STRBUF_SCOPED = STRBUF_INIT;

	for (uint16_t i = 0; i < c->ncols; i++) {
		if (c->cols[i] == NULL)
			return;
		strbuf_printf(&cols, "%s\"%s\"", i > 0 ? ", " : "", c->cols[i]);
	}
	fix(f, "build the index while the table is used, then make the "
	    "constraint of it (the operation itself goes into "
	    "state_operations)",
	    "# 1, with atomic = False\n"
	    "migrations.RunSQL(\n"
	    "    'CREATE UNIQUE INDEX CONCURRENTLY \"%s\" ON \"%s\" (%s)',\n"
	    "    'DROP INDEX CONCURRENTLY IF EXISTS \"%s\"',\n"
	    "),\n"
	    "# 2\n"
	    "migrations.RunSQL(\n"
	    "    'ALTER TABLE \"%s\" ADD CONSTRAINT \"%s\" UNIQUE USING INDEX "
	    "\"%s\"',\n"
	    "    'ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\"',\n"
	    "),\n", c->name, f->d->table, cols.s, c->name, f->d->table, c->name,
	    c->name, f->d->table, c->name);
}

static void
constraint(struct fixing *f)
{
	if (f->d->con == NULL)
		return;
	if (has_hazard(f, "index-blocks-writes") &&
	    (f->d->con->kind == CON_INDEX || con_is_unique(f->d->con)))
		index_concurrently(f);
	if (f->d->con->kind == CON_CHECK && has_hazard(f, "scan-locks"))
		check_not_valid(f);
	if (f->d->con->kind == CON_FK && (has_hazard(f, "fk-validates") ||
	    has_hazard(f, "fk-revalidates")))
		foreign_not_valid(f);
	if (f->d->con->kind == CON_UNIQUE && has_hazard(f, "index-locks"))
		unique_by_index(f);
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
		if (has_hazard(f, "scan-locks"))
			not_null_by_check(f);
		break;
	case DDL_ADD_CON:
		constraint(f);
		break;
	default:
		break;
	}
}

void
fixes(struct judging *j, struct verdict *v, const struct moved *m)
{
	struct fixing f = { .j = j, .v = v, .m = m };

	for (uint32_t i = 0; i < m->nchanges; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++) {
			f.c = &m->changes[i];
			f.d = &f.c->fwd.v[k];
			statement(&f);
		}
	v->fixes = f.out.v;
	v->nfixes = f.out.n;
}

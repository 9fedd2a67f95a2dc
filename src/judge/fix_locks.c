/* The way to write what would hold up others while it runs. */
#include "judge/fixing.h"

#include <string.h>

#include "base/util.h"

#define CONTRIB "from django.contrib.postgres.operations import "

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

/* Fit for a Python string in single quotes. */
static sym
quoted(struct fixing *f, const char *text)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			strbuf_char(&b, '\\');
		strbuf_char(&b, *text);
	}
	return sym_get(f->j->a, b.s);
}

static void
index_concurrently(struct fixing *f)
{
	const struct op *op = f->c->op;

	if (op != NULL && op->kind == OP_ADD_INDEX && op->value != NULL) {
		fix_add(f, "build it while the table is written to, in a migration "
		    "of its own", CONTRIB "AddIndexConcurrently\n\n"
		    "class Migration(migrations.Migration):\n"
		    "    atomic = False\n"
		    "    operations = [\n"
		    "        AddIndexConcurrently(\n"
		    "            model_name=\"%s\",\n"
		    "            index=%s,\n"
		    "        ),\n"
		    "    ]\n", op->model, fix_call(f, op->value, NULL, ""));
	} else if (f->d->con != NULL && f->d->sql != NULL &&
	    starts_with(f->d->sql, "CREATE ") &&
	    strstr(f->d->sql, "INDEX ") != NULL) {
		const char *at = strstr(f->d->sql, "INDEX ") + 6;

		fix_add(f, "build the index while the table is written to, in a "
		    "migration of its own with atomic = False; the operation "
		    "itself goes into state_operations",
		    "migrations.RunSQL(\n"
		    "    '%.*sCONCURRENTLY %s',\n"
		    "    'DROP INDEX CONCURRENTLY IF EXISTS \"%s\"',\n"
		    "),\n", (int)(at - f->d->sql), f->d->sql, quoted(f, at),
		    f->d->con->name);
	}
}

void
fix_not_null(struct fixing *f)
{
	sym t = f->d->table, c = f->d->name;

	if (!has_hazard(f, "scan-locks"))
		return;
	sym k = sym_printf(f->j->a, "%.40s_%.18s_set", t, c);

	fix_add(f, "let a CHECK prove it first: three migrations, and none of them "
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
	fix_add(f, "add it without reading the table, then validate it in a second "
	    "migration, while others write",
	    CONTRIB "AddConstraintNotValid, ValidateConstraint\n\n"
	    "# 1\n"
	    "AddConstraintNotValid(\n"
	    "    model_name=\"%s\",\n"
	    "    constraint=%s,\n"
	    "),\n"
	    "# 2\n"
	    "ValidateConstraint(model_name=\"%s\", name=\"%s\"),\n", op->model,
	    fix_call(f, op->value, NULL, ""), op->model, f->d->con->name);
}

static void
foreign_not_valid(struct fixing *f)
{
	const struct con *c = f->d->con;

	if (c->ncols != 1 || c->ref_col == NULL)
		return;
	fix_add(f, "add the foreign key without looking up every row, then validate "
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

/* The statements of a change without its foreign keys, for RunSQL. */
static uint32_t
others(struct strbuf *b, const struct ddls *l)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct ddl *d = &l->v[i];
		bool key = (d->kind == DDL_ADD_CON && d->con != NULL &&
		    d->con->kind == CON_FK) || (d->kind == DDL_DROP_CON &&
		    d->sql != NULL && strstr(d->sql, "_fk") != NULL);

		if (key || d->sql == NULL)
			continue;
		strbuf_printf(b, "%s%s", n++ > 0 ? "; " : "", d->sql);
	}
	return n;
}

/* AlterField drops the foreign key and adds it again though it stays. */
static void
foreign_left_alone(struct fixing *f)
{
	struct strbuf fwd STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf rev STRBUF_SCOPED = STRBUF_INIT;
	const struct op *op = f->c->op;
	uint32_t n = others(&fwd, &f->c->fwd);

	if (op == NULL || op->kind != OP_ALTER_FIELD || op->value == NULL ||
	    n == 0 || others(&rev, &f->c->rev) == 0)
		return;
	fix_add(f, "leave the foreign key alone: only what changes goes to the "
	    "database",
	    "migrations.SeparateDatabaseAndState(\n"
	    "    database_operations=[\n"
	    "        migrations.RunSQL(\n"
	    "            '%s',\n"
	    "            '%s',\n"
	    "        ),\n"
	    "    ],\n"
	    "    state_operations=[\n"
	    "        migrations.AlterField(\n"
	    "            model_name=\"%s\",\n"
	    "            name=\"%s\",\n"
	    "            field=%s,\n"
	    "        ),\n"
	    "    ],\n"
	    "),\n", quoted(f, fwd.s), quoted(f, rev.s), op->model, op->name,
	    fix_call(f, op->value, NULL, ""));
}

/* One UPDATE under the lock of the ALTER TABLE: rows first, in batches. */
void
fix_nulls(struct fixing *f)
{
	const struct op *op = f->c->op;
	const struct value *v = op == NULL || op->value == NULL ? NULL :
	    value_arg(op->value, "default", -1);
	struct strbuf d STRBUF_SCOPED = STRBUF_INIT;

	if (op == NULL || op->kind != OP_ALTER_FIELD)
		return;
	if (v != NULL)
		value_print(&d, v);
	else
		strbuf_str(&d, "\"\"");
	fix_add(f, "fill the rows first, in batches, in a migration of its own "
	    "(it runs before the roll, and again after it)",
	    "# sluice: safe because \"fills in batches, idempotent\" repeat\n"
	    "def fill(apps, schema_editor):\n"
	    "    rows = apps.get_model(\"%s\", \"%s\").objects.filter(%s=None)\n"
	    "    while rows.filter(pk__in=list(rows.values_list(\"pk\", "
	    "flat=True)[:1000])).update(%s=%s):\n"
	    "        pass\n\n\n"
	    "class Migration(migrations.Migration):\n"
	    "    atomic = False\n"
	    "    operations = [migrations.RunPython(fill, "
	    "migrations.RunPython.noop)]\n", f->m->m->app, op->model, op->name,
	    op->name, d.s);
}

static void
unique_by_index(struct fixing *f)
{
	const struct con *c = f->d->con;
	struct strbuf cols STRBUF_SCOPED = STRBUF_INIT;
	/* without a name of its own: as PostgreSQL would name it */
	sym name = c->name != NULL || c->ncols == 0 || c->cols[0] == NULL ?
	    c->name : sym_printf(f->j->a, "%.29s_%.29s_key", f->d->table,
	    c->cols[0]);

	for (uint16_t i = 0; i < c->ncols; i++) {
		if (c->cols[i] == NULL)
			return;
		strbuf_printf(&cols, "%s\"%s\"", i > 0 ? ", " : "", c->cols[i]);
	}
	fix_add(f, "build the index while the table is used, then make the "
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
	    "),\n", name, f->d->table, cols.s, name, f->d->table, name, name,
	    f->d->table, name);
}

void
fix_constraint(struct fixing *f)
{
	if (f->d->con == NULL)
		return;
	if (has_hazard(f, "index-blocks-writes") &&
	    (f->d->con->kind == CON_INDEX || con_is_unique(f->d->con)))
		index_concurrently(f);
	if (f->d->con->kind == CON_CHECK && has_hazard(f, "scan-locks"))
		check_not_valid(f);
	if (f->d->con->kind == CON_FK && has_hazard(f, "fk-validates"))
		foreign_not_valid(f);
	if (f->d->con->kind == CON_FK && has_hazard(f, "fk-revalidates"))
		foreign_left_alone(f);
	if (f->d->con->kind == CON_UNIQUE && has_hazard(f, "index-locks"))
		unique_by_index(f);
}

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

/* All indexes that the change makes, each built while the table is used. */
static sym
indexes(struct fixing *f)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = 0; i < f->c->fwd.n; i++) {
		const struct ddl *d = &f->c->fwd.v[i];
		const char *at = d->kind != DDL_ADD_CON || d->con == NULL ||
		    d->sql == NULL || !starts_with(d->sql, "CREATE ") ? NULL :
		    strstr(d->sql, "INDEX ");

		if (at == NULL || d->con->name == NULL)
			continue;
		at += strlen("INDEX ");
		strbuf_str(&b, fix_sql(f, sym_printf(f->j->a,
		    "%.*sCONCURRENTLY %s", (int)(at - d->sql), d->sql, at),
		    sym_printf(f->j->a, "DROP INDEX CONCURRENTLY IF EXISTS "
		    "\"%s\"", d->con->name)));
	}
	return b.len > 0 ? sym_get(f->j->a, b.s) : NULL;
}

/* Indexes alone, so that nothing else of it has to be written in SQL. */
static bool
only_indexes(const struct fixing *f)
{
	for (uint32_t i = 0; i < f->c->fwd.n; i++) {
		const struct ddl *d = &f->c->fwd.v[i];

		if (d->kind != DDL_ADD_CON || d->sql == NULL ||
		    !starts_with(d->sql, "CREATE "))
			return false;
	}
	return true;
}

static void
index_concurrently(struct fixing *f)
{
	const struct op *op = f->c->op;
	sym all = indexes(f);

	if (op == NULL)
		return;
	if (op->kind == OP_ADD_INDEX && op->value != NULL) {
		fix_add(f, "build it while the table is written to, in a migration "
		    "of its own", CONTRIB "AddIndexConcurrently\n\n\n"
		    "class Migration(migrations.Migration):\n"
		    "    atomic = False\n%s"
		    "    operations = [\n"
		    "        AddIndexConcurrently(model_name=\"%s\", "
		    "index=%s),\n"
		    "    ]\n", fix_depends(f), op->model, fix_call(f, op->value,
		    NULL, ""));
		return;
	}
	if (all == NULL)
		return;
	if (op->kind == OP_ADD_FIELD && op->value != NULL) {
		fix_add(f, "add the column without its index, and build that while "
		    "the table is written to", "# 1\n%s,\n"
		    "# 2, atomic = False\n%s", fix_operation(f, NULL, "db_index",
		    "db_index=False"), fix_apart(f, all, fix_operation(f,
		    "AlterField", NULL, "")));
		return;
	}
	if (op->kind == OP_RUN_SQL)
		fix_add(f, "build it while the table is written to, in a migration "
		    "of its own", "# 1, atomic = False\n%s", all);
	else if (only_indexes(f) && fix_operation(f, NULL, NULL, "") != NULL)
		fix_add(f, "build it while the table is written to, in a migration "
		    "of its own", "# 1, atomic = False\n%s", fix_apart(f, all,
		    fix_operation(f, NULL, NULL, "")));
}

void
fix_not_null(struct fixing *f)
{
	sym t = f->d->table, c = f->d->name;

	if (!has_hazard(f, "scan-locks"))
		return;
	sym k = sym_printf(f->j->a, "%.40s_%.18s_set", t, c);
	sym drop = sym_printf(f->j->a, "ALTER TABLE \"%s\" DROP CONSTRAINT "
	    "IF EXISTS \"%s\"", t, k);
	sym own = f->c->op == NULL ? NULL : fix_operation(f, NULL, NULL, "");

	fix_add(f, "let a CHECK prove it first: three migrations, and none of them "
	    "reads the table under a lock that others wait for",
	    "# 1\n%s# 2\n%s# 3\n%s%s%s",
	    fix_sql(f, sym_printf(f->j->a, "ALTER TABLE \"%s\" ADD CONSTRAINT "
	    "\"%s\" CHECK (\"%s\" IS NOT NULL) NOT VALID", t, k, c), drop),
	    fix_sql(f, sym_printf(f->j->a, "ALTER TABLE \"%s\" VALIDATE "
	    "CONSTRAINT \"%s\"", t, k), NULL), own == NULL ?
	    "# the operation itself" : own, own == NULL ? "\n" : ",\n",
	    fix_sql(f, drop, NULL));
}

/* By hand: for Django before 4.0, and for checks that fields bring along. */
static void
check_by_hand(struct fixing *f)
{
	const struct con *c = f->d->con;
	sym t = f->d->table, own = fix_operation(f, NULL, NULL, "");
	sym drop = sym_printf(f->j->a, "ALTER TABLE \"%s\" DROP CONSTRAINT "
	    "\"%s\"", t, c->name);

	if (own == NULL || c->expr == NULL || c->name == NULL ||
	    f->c->fwd.n != 1)
		return;
	fix_add(f, "add it without reading the table, then validate it in a second "
	    "migration, while others write", "# 1\n%s# 2\n%s",
	    fix_apart(f, fix_sql(f, sym_printf(f->j->a, "ALTER TABLE \"%s\" "
	    "ADD CONSTRAINT \"%s\" CHECK (%s) NOT VALID", t, c->name, c->expr),
	    drop), own), fix_sql(f, sym_printf(f->j->a, "ALTER TABLE \"%s\" "
	    "VALIDATE CONSTRAINT \"%s\"", t, c->name), NULL));
}

static void
check_not_valid(struct fixing *f)
{
	const struct op *op = f->c->op;

	if (op == NULL)
		return;
	if (op->kind != OP_ADD_CONSTRAINT || op->value == NULL ||
	    f->j->s->django < 400) {
		check_by_hand(f);
		return;
	}
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

	const struct op *op = f->c->op;

	if (c->ncols != 1 || c->ref_col == NULL || c->name == NULL ||
	    op == NULL)
		return;
	sym drop = sym_printf(f->j->a, "ALTER TABLE \"%s\" DROP CONSTRAINT "
	    "\"%s\"", f->d->table, c->name);
	sym add = fix_sql(f, sym_printf(f->j->a, "ALTER TABLE \"%s\" ADD "
	    "CONSTRAINT \"%s\" FOREIGN KEY (\"%s\") REFERENCES \"%s\" (\"%s\") "
	    "DEFERRABLE INITIALLY DEFERRED NOT VALID", f->d->table, c->name,
	    c->cols[0], c->ref_table, c->ref_col), drop);
	bool field = op->kind == OP_ADD_FIELD && op->value != NULL;
	sym own = fix_operation(f, field ? "AlterField" : NULL, NULL, "");
	fix_add(f, "add the foreign key without looking up every row, then validate "
	    "it in a second migration, while others write",
	    "# 1\n%s%s%s# 2\n%s", field ? fix_operation(f, NULL, NULL,
	    "db_constraint=False") : "", field ? ",\n" : "",
	    own == NULL || (!field && f->c->fwd.n > 1) ? add :
	    fix_apart(f, add, own), fix_sql(f, sym_printf(f->j->a,
	    "ALTER TABLE \"%s\" VALIDATE CONSTRAINT \"%s\"", f->d->table,
	    c->name), NULL));
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
	    "database", "%s", fix_apart(f, fix_sql(f, fwd.s, rev.s),
	    fix_operation(f, NULL, NULL, "")));
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
	strbuf_printf(&d, "%s%s", v == NULL ? "\"\"" : fix_value(f, v),
	    v != NULL && v->kind == VALUE_NAME ? "()" : "");
	fix_add(f, "fill the rows first, in batches, in a migration of its own: "
	    "it runs before the roll, and again when no old code writes",
	    "# sluice: safe because \"fills in batches, idempotent\" repeat\n"
	    "def fill(apps, schema_editor):\n"
	    "    rows = apps.get_model(\"%s\", \"%s\").objects.filter(%s=None)\n"
	    "    while rows.filter(pk__in=list(rows.values_list(\"pk\", "
	    "flat=True)[:1000])).update(%s=%s):\n"
	    "        pass\n\n\n"
	    "class Migration(migrations.Migration):\n"
	    "    atomic = False\n%s"
	    "    operations = [migrations.RunPython(fill, "
	    "migrations.RunPython.noop)]\n", f->m->m->app, op->model, op->name,
	    op->name, d.s, fix_depends(f));
}

/* Of a constraint that names its columns, and of a field that is unique. */
static void
unique_by_index(struct fixing *f)
{
	const struct con *c = f->d->con;
	const struct op *op = f->c->op;
	struct strbuf cols STRBUF_SCOPED = STRBUF_INIT;
	/* without a name of its own: as PostgreSQL would name it */
	sym name = c->name != NULL || c->ncols == 0 || c->cols[0] == NULL ?
	    c->name : sym_printf(f->j->a, "%.29s_%.29s_key", f->d->table,
	    c->cols[0]);
	sym t = f->d->table;

	for (uint16_t i = 0; i < c->ncols; i++) {
		if (c->cols[i] == NULL)
			return;
		strbuf_printf(&cols, "%s\"%s\"", i > 0 ? ", " : "", c->cols[i]);
	}
	if (op == NULL || c->deferrable || name == NULL)
		return;
	bool field = op->kind == OP_ADD_FIELD;
	sym own = fix_operation(f, field ? "AlterField" : NULL, NULL, "");
	if (own == NULL || (!field && f->c->fwd.n > 2))
		return;
	sym using = fix_sql(f, sym_printf(f->j->a, "ALTER TABLE \"%s\" ADD "
	    "CONSTRAINT \"%s\" UNIQUE USING INDEX \"%s\"", t, name, name),
	    sym_printf(f->j->a, "ALTER TABLE \"%s\" DROP CONSTRAINT \"%s\"", t,
	    name));
	sym more = indexes(f);		/* of text, for LIKE */
	fix_add(f, "build the index while the table is used, then make the "
	    "constraint of it", "%s%s%s# %d, atomic = False\n%s%s# %d\n%s",
	    field ? "# 1\n" : "", field ? fix_operation(f, NULL, "unique", "") :
	    "", field ? ",\n" : "", field ? 2 : 1, fix_sql(f,
	    sym_printf(f->j->a, "CREATE UNIQUE INDEX CONCURRENTLY \"%s\" ON "
	    "\"%s\" (%s)%s", name, t, cols.s, c->nulls_equal ?
	    " NULLS NOT DISTINCT" : ""), sym_printf(f->j->a, "DROP INDEX "
	    "CONCURRENTLY IF EXISTS \"%s\"", name)), more == NULL ? "" : more,
	    field ? 3 : 2, fix_apart(f, using, own));
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

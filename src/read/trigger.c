/* django-pgtrigger's operations: a trigger that makemigrations has written out
 * is the SQL that it comes to. */
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "read/ops.h"

struct part {
	const char *name, *dflt;	/* NULL: it has to be there */
	const char *text;
};

enum { PGID, TABLE, FUNC, WHEN, OPERATION, DECLARE, CONSTRAINT, TIMING,
	REFERENCING, LEVEL, CONDITION, EXECUTE, NPARTS };

static bool
read_part(struct reader *r, struct part *p, const struct value *sql)
{
	const struct value *v = value_arg(sql, p->name, -1);

	p->text = v == NULL ? p->dflt : value_str(r->a, eval_force(r, v));
	return p->text != NULL;
}

/* pgtrigger.compiler.UpsertTriggerSql(func=…, operation=…, …) */
static bool
read_parts(struct reader *r, struct part *p, const struct value *sql)
{
	if (sql == NULL || sql->kind != VALUE_CALL || sql->n > 0 ||
	    !ends_with(sql->name, ".UpsertTriggerSql"))
		return false;
	for (size_t i = 0; i < NPARTS; i++)
		if (!read_part(r, &p[i], sql))
			return false;
	for (uint32_t k = 0; k < sql->nkw; k++) {
		bool known = streq(sql->kw[k].name, "hash") ||
		    streq(sql->kw[k].name, "ignore_func_name");
		for (size_t i = 0; i < NPARTS; i++)
			known |= streq(sql->kw[k].name, p[i].name);
		if (!known)
			return false;
	}
	return true;
}

static const char *
quoted(struct reader *r, const char *table)
{
	return strchr(table, '"') != NULL ? table :
	    arena_printf(r->a, "\"%s\"", table);
}

/* The function, the trigger: as it is installed, but for the lines that let
 * the application ask it to keep still. */
static void
texts(struct reader *r, struct op *o, const struct part *p)
{
	struct sql_text *t = arena_array(r->a, struct sql_text, 2);
	struct sql_text *drop = arena_array(r->a, struct sql_text, 1);
	const char *id = p[PGID].text, *table = quoted(r, p[TABLE].text);
	const char *run = *p[EXECUTE].text != '\0' ? p[EXECUTE].text :
	    arena_printf(r->a, "%s()", id);

	t[0].text = arena_printf(r->a, "CREATE FUNCTION %s() RETURNS TRIGGER "
	    "AS $pgtrigger$ %s BEGIN %s END; $pgtrigger$ LANGUAGE plpgsql", id,
	    p[DECLARE].text, p[FUNC].text);
	t[1].text = arena_printf(r->a, "CREATE %s TRIGGER %s %s %s ON %s %s %s "
	    "FOR EACH %s %s EXECUTE PROCEDURE %s", p[CONSTRAINT].text, id,
	    p[WHEN].text, p[OPERATION].text, table, p[TIMING].text,
	    p[REFERENCING].text, p[LEVEL].text, p[CONDITION].text, run);
	drop->text = arena_printf(r->a, "DROP TRIGGER IF EXISTS %s ON %s", id,
	    table);
	t[0].line = t[1].line = drop->line = o->line;
	o->sql = t;
	o->nsql = 2;
	o->rsql = drop;
	o->nrsql = 1;
	o->reversible = true;
}

bool
op_trigger(struct reader *r, struct op *o, const struct value *call)
{
	struct part p[NPARTS] = { { "pgid", NULL, NULL },
	    { "table", NULL, NULL }, { "func", NULL, NULL },
	    { "when", NULL, NULL }, { "operation", NULL, NULL },
	    { "declare", "", NULL }, { "constraint", "", NULL },
	    { "timing", "", NULL }, { "referencing", "", NULL },
	    { "level", "ROW", NULL }, { "condition", "", NULL },
	    { "execute", "", NULL } };
	const struct value *t;

	if (!streq(call->name, "pgtrigger.migrations.AddTrigger"))
		return false;
	t = value_arg(call, "trigger", 1);
	t = t == NULL ? NULL : eval_force(r, t);
	const struct value *sql = t != NULL && t->kind == VALUE_CALL &&
	    streq(t->name, "pgtrigger.compiler.Trigger") ?
	    value_arg(t, "sql", -1) : NULL;
	if (sql == NULL || !read_parts(r, p, eval_force(r, sql))) {
		*o = op_opaque(r, call->line, call->name,
		    "a trigger that is not written out");
		return true;
	}
	*o = (struct op){ .kind = OP_RUN_SQL, .line = call->line,
	    .cls = call->name, .preserve_default = true, .maybe = call->maybe };
	texts(r, o, p);
	return true;
}

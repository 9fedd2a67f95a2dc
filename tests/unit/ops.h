/* A migration's operations in short, as the tests of the reader print them. */
#ifndef OPS_H
#define OPS_H

#include "base/strbuf.h"
#include "read/migration.h"

static void
show_value(struct strbuf *b, const char *name, const struct value *v)
{
	if (v == NULL)
		return;
	strbuf_printf(b, " %s=", name);
	value_print(b, v);
}

static void
show_sql(struct strbuf *b, const char *name, const struct sql_text *t,
    uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		strbuf_printf(b, " %s<%s%s>", name, t[i].text != NULL ? "" :
		    "?", t[i].text != NULL ? t[i].text : t[i].why);
}

static void
show(struct strbuf *b, const struct op_list *l)
{
	static const char *const kinds[] = { "OPAQUE", "create", "delete",
	    "rename", "table", "options", "managers", "comment", "order",
	    "unique", "indextogether", "add", "remove", "alter", "renamefield",
	    "addindex", "removeindex", "renameindex", "addcon", "removecon",
	    "altercon", "validate", "extension", "collation",
	    "removecollation", "sql", "python", "removetrigger", "separate" };

	for (uint32_t i = 0; i < l->n; i++) {
		const struct op *o = &l->v[i];
		strbuf_printf(b, "%s%s", b->len > 0 ? "; " : "",
		    kinds[o->kind]);
		if (o->model != NULL)
			strbuf_printf(b, " %s", o->model);
		if (o->name != NULL)
			strbuf_printf(b, ".%s", o->name);
		if (o->to != NULL)
			strbuf_printf(b, "->%s", o->to);
		show_value(b, "v", o->value);
		show_value(b, "fields", o->fields);
		show_value(b, "options", o->options);
		show_value(b, "bases", o->bases);
		show_sql(b, "sql", o->sql, o->nsql);
		show_sql(b, "rsql", o->rsql, o->nrsql);
		strbuf_printf(b, "%s%s%s%s%s%s%s",
		    o->preserve_default ? "" : " drop-default",
		    o->concurrently ? " concurrently" : "",
		    o->not_valid ? " not-valid" : "",
		    o->reversible ? " reversible" : "", o->noop ? " noop" : "",
		    o->rnoop ? " rnoop" : "", o->maybe ? " maybe" : "");
		if (o->not_in != 0)
			strbuf_printf(b, " not-in-%x", o->not_in);
		if (o->why != NULL)
			strbuf_printf(b, " why[%s]", o->why);
		if (o->db.n + o->state.n > 0) {
			struct strbuf in STRBUF_SCOPED = STRBUF_INIT;
			show(&in, &o->db);
			strbuf_printf(b, " db{%s}", in.s);
			strbuf_reset(&in);
			show(&in, &o->state);
			strbuf_printf(b, " state{%s}", in.s);
		}
	}
}

#endif

/* Operations written out again, to be pasted. */
#include "judge/fixing.h"

#include <string.h>

#include "base/util.h"

/* django.db.models.Q is models.Q where migrations are written. */
static sym
short_names(struct arena *a, const char *text)
{
	static const char *const names[][2] = {
		{ "django.db.models.deletion.", "django.db.models.deletion." },
		{ "django.db.models.", "models." },
		{ "django.conf.settings.", "settings." },
	};
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	while (*text != '\0') {
		size_t i = 0;

		while (i < countof(names) && !starts_with(text, names[i][0]))
			i++;
		if (i == countof(names)) {
			strbuf_char(&b, *text++);
			continue;
		}
		strbuf_str(&b, names[i][1]);
		text += strlen(names[i][0]);
	}
	return sym_get(a, b.s);
}

sym
fix_call(struct fixing *f, const struct value *v, const char *without,
    const char *with)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	const char *sep = "";

	strbuf_printf(&b, "%s(", v->name == NULL ? "…" : v->name);
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
	return short_names(f->j->a, b.s);
}

sym
fix_value(struct fixing *f, const struct value *v)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	value_print(&b, v);
	return short_names(f->j->a, b.s);
}

sym
fix_operation(struct fixing *f, const char *class, const char *without,
    const char *with)
{
	const struct op *op = f->c->op;
	const struct value *v = op->value;
	struct arena *a = f->j->a;

	switch (op->kind) {
	case OP_ADD_FIELD:
	case OP_ALTER_FIELD:
		return sym_printf(a, "migrations.%s(model_name=\"%s\", "
		    "name=\"%s\", field=%s)", class != NULL ? class :
		    op->kind == OP_ADD_FIELD ? "AddField" : "AlterField",
		    op->model, op->name, fix_call(f, v, without, with));
	case OP_ADD_INDEX:
		return sym_printf(a, "migrations.AddIndex(model_name=\"%s\", "
		    "index=%s)", op->model, fix_call(f, v, NULL, ""));
	case OP_ADD_CONSTRAINT:
		return sym_printf(a, "migrations.AddConstraint(model_name=\"%s\","
		    " constraint=%s)", op->model, fix_call(f, v, NULL, ""));
	case OP_ALTER_UNIQUE:
	case OP_ALTER_INDEX:
		return sym_printf(a, "migrations.%s(name=\"%s\", %s=%s)",
		    op->kind == OP_ALTER_UNIQUE ? "AlterUniqueTogether" :
		    "AlterIndexTogether", op->model, op->kind ==
		    OP_ALTER_UNIQUE ? "unique_together" : "index_together",
		    fix_value(f, v));
	default:
		return NULL;
	}
}

sym
fix_quoted(struct fixing *f, const char *text)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			strbuf_char(&b, '\\');
		strbuf_char(&b, *text);
	}
	return sym_get(f->j->a, b.s);
}

sym
fix_sql(struct fixing *f, const char *there, const char *back)
{
	return sym_printf(f->j->a, "migrations.RunSQL(\n    %s%s%s,\n    "
	    "%s%s%s,\n),\n", "'", fix_quoted(f, there), "'", back == NULL ? "" :
	    "'", back == NULL ? "migrations.RunSQL.noop" : fix_quoted(f, back),
	    back == NULL ? "" : "'");
}

/* Each line moved to the right. */
static void
indented(struct strbuf *b, const char *text, const char *pad)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		strbuf_str(b, n > 0 ? pad : "");
		strbuf_add(b, text, n);
		strbuf_char(b, '\n');
		text += n + (text[n] == '\n');
	}
}

sym
fix_apart(struct fixing *f, const char *database, const char *state)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	strbuf_str(&b, "migrations.SeparateDatabaseAndState(\n"
	    "    database_operations=[\n");
	indented(&b, database, "        ");
	strbuf_str(&b, "    ],\n    state_operations=[\n");
	indented(&b, state, "        ");
	b.s[b.len - 1] = ',';
	strbuf_str(&b, "\n    ],\n),\n");
	return sym_get(f->j->a, b.s);
}

sym
fix_depends(struct fixing *f)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	strbuf_str(&b, "    dependencies = [");
	for (uint32_t i = 0; i < f->m->m->ndeps; i++) {
		const struct dep *d = &f->m->m->deps[i];

		strbuf_str(&b, i > 0 ? ", " : "");
		if (d->swappable)
			strbuf_printf(&b, "migrations.swappable_dependency("
			    "settings.%s)", d->app);
		else
			strbuf_printf(&b, "(\"%s\", \"%s\")", d->app, d->name);
	}
	strbuf_str(&b, "]\n");
	return sym_get(f->j->a, b.s);
}

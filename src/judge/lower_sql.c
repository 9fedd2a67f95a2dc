/* RunSQL and RunPython: what is written in SQL or Python. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "judge/judge.h"
#include "read/sql.h"

/* What of a statement is not read, or is more than it seems. */
static void
unread(struct lower *l, const struct ddl *d)
{
	if (d->kind == DDL_OPAQUE) {
		l->why = OPAQUE_SQL;
		l->note = d->why;
		if (d->refused && l->stops == NULL)
			l->stops = sym_printf(l->a, "%s: PostgreSQL stops at "
			    "it; mend the statement", d->why);
	} else if (d->kind == DDL_DATA && l->why == OPAQUE_NOT) {
		l->why = OPAQUE_DATA;
		l->note = "it changes rows";
	} else if (d->setting == SETTING_TEMPORARY && d->name != NULL &&
	    vec_find(&l->have, d->name) != NULL) {
		l->why = OPAQUE_SQL;
		l->note = sym_printf(l->a, "its temporary table hides the real "
		    "\"%s\" from all that comes after it", d->name);
	}
}

void
lower_sql(struct lower *l)
{
	const struct sql_text *v = l->back ? l->op->rsql : l->op->sql;
	uint32_t n = l->back ? l->op->nrsql : l->op->nsql;

	for (uint32_t i = 0; i < n; i++) {
		struct ddls d = { 0 };

		if (v[i].text == NULL) {
			l->why = OPAQUE_SQL;
			l->note = v[i].why;
			emit(l, (struct ddl){ .kind = DDL_OPAQUE,
			    .line = v[i].line, .why = v[i].why });
			continue;
		}
		sql_read(&d, l->a, v[i].text, v[i].line);
		for (uint32_t k = 0; k < d.n; k++) {
			struct ddl x = d.v[k];

			if (by_hand_unused(l->a, l->by_hand, &x))
				x.kind = DDL_OTHER;
			unread(l, &x);
			x.rewrites |= x.kind == DDL_ADD_COLUMN &&
			    by_hand_domain(l->a, l->by_hand, d.v, k,
			    x.col->type);
			x.joined = k > 0 && strcasestr(v[i].text, "commit") ==
			    NULL;	/* one text is one transaction */
			emit(l, x);
		}
	}
}

/* A function of the migration's own file is called by its name there. */
static const char *
function_name(sym name)
{
	const char *file = strstr(name, ".migrations.");

	if (file == NULL || !isdigit((unsigned char)file[12]))
		return name;
	const char *dot = strchr(file + 12, '.');
	return dot != NULL ? dot + 1 : name;
}

void
lower_python(struct lower *l)
{
	bool noop = l->back ? l->op->rnoop : l->op->noop;

	if (noop || (l->back && !l->op->reversible))
		return;
	l->why = OPAQUE_PYTHON;
	l->note = l->op->name != NULL ? sym_printf(l->a,
	    "it runs the Python function %s", function_name(l->op->name)) :
	    "it runs a Python function";
}

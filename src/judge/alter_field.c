/* One field into another: a column, a table between two models, or what Django
 * refuses. */
#include "base/util.h"
#include "judge/judge.h"

void
alter_m2m(struct lower *l, const struct model *om, const struct field *old,
    const struct model *nm, const struct field *new)
{
	const struct model *p = m2m_model(&l->from, om, old);
	const struct model *q = m2m_model(&l->to, nm, new);

	if (p == NULL || q == NULL) {
		if (p == q)
			return;
		l->why = OPAQUE_STATE;
		l->note = "a many-to-many field cannot get or lose `through`";
		l->stops = !streq(old->through, new->through) ?
		    "a many-to-many field cannot get or lose `through`: Django "
		    "refuses it; describe the table as it is by a model in "
		    "SeparateDatabaseAndState, or remove the field and add "
		    "another" : NULL;
		return;
	}
	emit_rename_table(l, model_table(&l->from, p), model_table(&l->to, q));
	alter_field(l, p, p->fields[1], q, q->fields[1]);
	alter_field(l, p, p->fields[0], q, q->fields[0]);
}

/* Of a class that is known for sure. */
static bool
plain(const struct field *f)
{
	return f->cls != NULL && !f->guessed && f->kind != FIELD_NONE &&
	    f->kind != FIELD_COMPOSITE;
}

void
alter_field(struct lower *l, const struct model *om, const struct field *old,
    const struct model *nm, const struct field *new)
{
	if (old->kind == FIELD_M2M && new->kind == FIELD_M2M) {
		if (!streq(old->to, new->to) || !streq(old->through,
		    new->through) || !streq(old->db_table, new->db_table) ||
		    !streq(old->name, new->name) || old->db_constraint !=
		    new->db_constraint || !streq(model_table(&l->from, om),
		    model_table(&l->to, nm)))
			alter_m2m(l, om, old, nm, new);
		return;
	}
	if (old->column == NULL && new->column == NULL)
		return;
	if (old->column == NULL || new->column == NULL) {
		l->why = OPAQUE_STATE;
		l->note = sym_printf(l->a, "field %s.%s cannot change between "
		    "a column and none; Django refuses it", nm->label,
		    new->name);
		if (plain(old) && plain(new))
			l->stops = sym_printf(l->a, "%s; remove the field and "
			    "add it anew", l->note);
		return;
	}
	column_alter(l, om, old, nm, new);
}

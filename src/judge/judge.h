/* What the files of this room share and nobody else needs. */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include "base/strbuf.h"
#include "judge/code.h"
#include "judge/schema.h"
#include "judge/world.h"

/* ---- schema.c ---- */
void cons_sort(struct con *c, uint16_t n);	/* by name */

/* ---- names.c ---- */
/* A name cut to `max` characters as Django does it: the last ones become a
 * digest. */
sym name_cut(struct arena *a, const char *name, size_t max);
/* "author_id", "_fk_t_author_id" → "t_author_id_d0610981_fk_t_author_id" */
sym name_index(struct arena *a, sym table, const sym *cols, uint32_t n,
    const char *suffix);
sym name_fk(struct arena *a, sym table, sym col, sym to_table, sym to_col);
/* "table_col_label", cut the way PostgreSQL cuts names it makes up. */
sym name_pg(struct arena *a, const char *table, const char *col,
    const char *label);
/* The name PostgreSQL gives a constraint or index that has none. */
sym con_pg_name(struct arena *a, const struct vec *have,
    const struct table *t, const struct con *c);
/* Is the identifier in this SQL text? Swapped for another (NULL stays). */
bool ident_in(sym sql, sym name);
sym ident_swap(struct arena *a, sym sql, sym name, sym to);

/* ---- byhand.c ---- */
/* Keeps what d makes or drops; what of it, *who, d would take along or break;
 * NULL. */
sym by_hand(struct arena *a, const struct by_hand **list,
    const struct ddl *d, const struct by_hand **who);
/* Is it so no more, now? */
/* Is the type a domain that does not take every value? One made in the n
 * statements before it, too. */
bool by_hand_domain(struct arena *a, const struct by_hand *list,
    const struct ddl *before, uint32_t n, sym type);
bool by_hand_free(const struct by_hand *list, const struct by_hand *h);
/* What is not known of a trigger that d makes; NULL. */
sym by_hand_odd(struct arena *a, const struct by_hand *list,
    const struct ddl *d);
/* Does d only drop a function that nothing but a trigger can use? Where one
 * does, PostgreSQL refuses it. */
bool by_hand_unused(struct arena *a, const struct by_hand *list,
    const struct ddl *d);

/* ---- field.c ---- */
struct field_class {
	const char *name;
	const char *type;
	enum field_kind kind;
	enum {
		SHAPE_PLAIN, SHAPE_LENGTH, SHAPE_DECIMAL, SHAPE_ARRAY,
		SHAPE_GEO, SHAPE_GENERATED
	} shape;
	int length;		/* max_length where none is written */
	const char *data;
	const char *gone;	/* from Django 5.1 on it is that class */
	bool automatic;		/* identity or serial */
	bool positive;		/* CHECK (… >= 0) */
	bool indexed, one, always_null;
	bool empty;		/* '' is Django's default of a blank one */
	bool now;		/* auto_now, auto_now_add */
	bool spatial;		/* a GiST index of its own */
};
const struct field_class *class_named(const char *name);
/* Type as format_type() prints it; NULL: cannot be known. depth: from 0. */
sym field_type(const struct code *c, const struct field *f, int depth);
sym type_sql(struct arena *a, sym type);
sym field_data(const struct code *c, const struct field *f);
/* The field within: base_field, output_field. NULL: unread. */
const struct field *field_inner(const struct code *c, const struct field *f,
    const char *kw);

/* The same field under another name; db_column stays. */
const struct field *field_renamed(struct arena *a, const struct field *f,
    sym name);

/* ---- code.c ---- */
void models_put(struct arena *a, struct models *m, const struct model *x);
struct models models_own(struct arena *a);	/* none, with an own */
sym table_named(struct arena *a, const struct model *m);
void models_drop(struct arena *a, struct models *m, sym label);
/* The call without that keyword. */
const struct value *call_without(struct arena *a, const struct value *v,
    const char *kw);
sym call_name(struct arena *a, const struct value *call);	/* name='…' */
bool together_is(const struct togethers *t, uint32_t i, const sym *v,
    uint16_t n);

/* ---- column.c ---- */
/* What a foreign key points to: a table and a column, never a model. */
struct target {
	sym table, column;
	sym type;			/* of a table outside of the source */
	const struct model *model;	/* NULL: outside of the source */
	const struct field *field;
};
struct target field_target(const struct code *c, const struct field *f);
/* The table outside of the source whose key the column holds in the end: its
 * type is that one's. NULL: none. */
sym field_outside(const struct code *c, const struct field *f);
struct column field_column(const struct code *c, const struct model *m,
    const struct field *f);
/* The Python default as SQL text; NULL: none (or None). *known is false if
 * there is one that is not a constant: then the text stands for it. */
sym field_default(const struct code *c, const struct field *f, bool *known);
bool field_check(const struct field *f);	/* CHECK (… >= 0) */

/* ---- sqltext.c ---- */
sym sql_name(struct arena *a, sym name);	/* "name", quoted */
/* A constant as SQL; false: it is not one. */
bool sql_value(struct strbuf *b, const struct value *v);
/* A Q object or an expression over a model's columns, as far as it goes;
 * what cannot be said in SQL stays as it is written in Python. The columns
 * it speaks of are added to *cols. */
struct syms { sym *v; uint32_t n, cap; };
sym sql_expr(const struct code *c, const struct model *m,
    const struct value *v, struct syms *cols);

/* ---- cons.c ---- */
struct con con_plain(struct arena *a, enum con_kind kind, const sym *cols,
    uint16_t n);
/* A field's column; what is no field is taken for a column. */
sym model_column(const struct code *c, const struct model *m, sym field);
/* Constraints of one field; *con is set when 1. */
int con_field_unique(const struct code *c, const struct model *m,
    const struct field *f, struct con *con);
int con_field_check(const struct code *c, const struct model *m,
    const struct field *f, struct con *con);
int con_field_index(const struct code *c, const struct model *m,
    const struct field *f, struct con *con);
int con_field_like(const struct code *c, const struct model *m,
    const struct field *f, struct con *con);
int con_field_fk(const struct code *c, const struct model *m,
    const struct field *f, struct con *con);
struct con con_together(const struct code *c, const struct model *m,
    const sym *fields, uint16_t n, enum con_kind kind);
/* Index(…), UniqueConstraint(…), CheckConstraint(…), ExclusionConstraint(…) */
struct con con_index(const struct code *c, const struct model *m,
    const struct value *v);
struct con con_constraint(const struct code *c, const struct model *m,
    const struct value *v);
/* A unique index and no constraint: it has a condition, keys that are not
 * columns, INCLUDE or an operator class. */
bool con_unique_index(const struct con *c);

/* ---- want.c ---- */
struct fields { const struct field **v; uint32_t n, cap; };
/* The fields with a column, as CREATE TABLE lists them. */
struct fields model_columns(const struct code *c, const struct model *m);
/* A constraint of a model's table, and how CREATE TABLE comes by it. */
struct want_con {
	struct con con;
	bool later;		/* its own statement, at the end */
};
struct want_cons { struct want_con *v; uint32_t n, cap; };
/* In the order in which Django emits them. */
void want_cons(const struct code *c, const struct model *m,
    struct want_cons *out);
/* The model between the two ends of an M2M; NULL: it has a `through`. */
const struct model *m2m_model(const struct code *c, const struct model *m,
    const struct field *f);
/* Their new want: what `before` wanted, models that differ looked at anew. */
struct vec want_next(struct arena *a, const struct vec *want,
    const struct models *before, const struct models *after,
    const struct settings *s);

/* ---- lower.c ---- */
struct lower {
	struct arena *a;
	struct arena *scratch;		/* where `have` lives */
	const struct settings *s;
	const struct op *op;
	sym app;
	sym label;			/* of its model */
	struct code from, to;		/* in the direction that is gone */
	bool back;
	bool mute;			/* nobody reads the statements' text */
	struct vec have;		/* as it is after what was emitted */
	const struct by_hand *by_hand;	/* before all of it */
	struct list(struct ddl) out;
	sym missing;			/* the first name that have has not */
	enum opaque why;
	sym note;
	sym stops;			/* it is refused as it is written, and how to mend it */
};
/* Emits what Django would for l->op from l->from to l->to. */
void lower_op(struct lower *l);
/* ---- lower_sql.c ---- */
void lower_sql(struct lower *l);
void lower_python(struct lower *l);

/* ---- ddl.c ---- */
#define EMIT_DEFERRED 1u	/* at the end of the migration */
#define EMIT_INLINE 2u		/* part of the statement before */
#define EMIT_CONCURRENTLY 4u
/* reborn.c: names that one migration frees and takes again are told */
void reborn(struct arena *a, struct change *all, uint32_t n);
/* byhand.c: RemoveTrigger, of django-pgtrigger */
void by_hand_remove(struct lower *l);
/* Adds a statement and applies it to l->have. */
void emit(struct lower *l, struct ddl d);
void emit_con(struct lower *l, sym table, const struct con *c, unsigned how);
void emit_drop_con(struct lower *l, sym table, enum con_kind kind, sym name);
void emit_drop_index(struct lower *l, sym table, sym name, bool concurrently);
void emit_comment(struct lower *l, sym table, sym col);	/* NULL col: of it */
void emit_rename_table(struct lower *l, sym from, sym to);
void emit_create(struct lower *l, const struct code *c, const struct model *m);
void emit_drop(struct lower *l, const struct code *c, const struct model *m);
void emit_add_field(struct lower *l, const struct code *c,
    const struct model *m, const struct field *f);
void emit_remove_field(struct lower *l, const struct code *c,
    const struct model *m, const struct field *f);
/* Real names of the constraints or indexes on exactly these columns. */
struct syms cons_on(struct lower *l, sym table, enum con_kind kind,
    const sym *cols, uint16_t n);
void column_sql(struct strbuf *b, const struct lower *l,
    const struct column *c, sym dflt);
void con_body(struct strbuf *b, const struct con *c, struct arena *a);

/* ---- same.c ---- */
/* Do two fields come to the same class, the same arguments for the database? */
bool same_class(const struct field *f, const struct field *g);
bool same_args(const struct field *f, const struct field *g);
bool same_target(struct lower *l, const struct field *old,
    const struct field *new);

/* ---- alter.c ---- */
void column_alter(struct lower *l, const struct model *om,
    const struct field *old, const struct model *nm, const struct field *new);

/* ---- alter_field.c ---- */
/* One field into another, both of models that have the table `nm` has. */
void alter_field(struct lower *l, const struct model *om,
    const struct field *old, const struct model *nm, const struct field *new);
void alter_m2m(struct lower *l, const struct model *om,
    const struct field *old, const struct model *nm, const struct field *new);

/* ---- rels.c ---- */
/* A foreign key that points to a field: before and after. */
struct rel {
	const struct model *om, *nm;
	const struct field *of, *nf;
	sym key;			/* Django's order */
	bool hidden;			/* related_name='+' */
};
struct rels { struct rel *v; uint32_t n, cap; };
void rels_to(struct lower *l, const struct model *m, const struct field *f,
    struct rels *out, int depth);

#endif

/* What the migration files say the code is: models, fields, options. Like
 * tables they are shared and immutable: an operation that does not touch a
 * model keeps its pointer. */
#ifndef JUDGE_CODE_H
#define JUDGE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/schema.h"
#include "judge/world.h"
#include "read/migration.h"

enum field_kind {
	FIELD_COLUMN,
	FIELD_FK,		/* ForeignKey, OneToOneField: to */
	FIELD_M2M,		/* to; a table of its own unless through */
	FIELD_NONE,		/* no column: GenericRelation, TaggableManager */
	FIELD_COMPOSITE		/* CompositePrimaryKey */
};

struct field_class;		/* field.c */

struct field {
	sym name;
	const struct value *call;	/* as it is written */
	const struct field_class *cls;	/* NULL: cannot be known */
	enum field_kind kind;
	bool guessed;		/* by a suffix or a signature, not by its name */
	bool null, unique, primary_key, db_index, db_constraint, parent_link;
	bool implicit;		/* an id or a parent pointer that is not written */
	sym column;		/* NULL: none */
	sym to;			/* "shop.issue", lower case; NULL: cannot be known */
	sym to_field;
	sym through;		/* "shop.line"; FIELD_M2M with a model between */
	sym db_table;		/* FIELD_M2M */
	sym type;		/* NULL: it depends on other fields, or unknown */
};

struct togethers { const sym *const *v; const uint16_t *len; uint32_t n; };
struct calls { const struct value *const *v; uint32_t n; };

struct options {
	sym db_table;		/* as it is written, or NULL */
	bool unmanaged, proxy, abstract;
	sym swappable;		/* "AUTH_USER_MODEL" */
	sym order_wrt;		/* order_with_respect_to */
	struct togethers unique_together, index_together;
	struct calls indexes, constraints;
};

struct model {
	sym label;		/* "shop.issue", lower case */
	sym app, name;		/* "shop", "issue" */
	sym title;		/* "Issue" */
	const struct field *const *fields;
	uint32_t nfields;
	const struct options *opt;
	sym table;		/* of app and name; NULL: see model_table() */
	const sym *bases;	/* labels of base models, mix-ins left out */
	uint32_t nbases;
	bool mixed;		/* a base that migrations do not describe */
};

/* Where fields are looked at: the models around them, the versions. */
struct code {
	struct arena *a;
	const struct models *models;
	const struct settings *s;
};

const struct model *models_find(const struct models *m, sym label);
const struct field *model_field(const struct model *m, sym name);
/* The table's name: db_table, else app_model, cut to 63 bytes. */
sym model_table(const struct code *c, const struct model *m);
/* Has it a table of its own that migrations look after? */
bool model_managed(const struct code *c, const struct model *m);
/* The model itself, or the one that a proxy stands for. */
const struct model *model_concrete(const struct code *c,
    const struct model *m);
/* The field that is the primary key: written, inherited or implied. */
const struct field *model_pk(const struct code *c, const struct model *m);

/* A field from its call in a migration of `app`, in model `model`. */
const struct field *field_read(struct arena *a, const struct settings *s,
    sym app, sym model, sym name, const struct value *call);

enum mistake {			/* why an operation does not apply to the models */
	MISTAKE_UNREAD,		/* cannot be told: a part of it is not read */
	MISTAKE_STATE,		/* Django stops there, whatever the database has */
	MISTAKE_RUN,		/* it stops where the operation runs on a database */
	MISTAKE_TWICE		/* is there already; the database may not have it */
};

/* *out is before with op applied. NULL, or why it cannot be, and in *kind
 * (may be NULL) how sure that is. */
sym code_apply(struct models *out, const struct models *before,
    const struct op *op, const struct migration *m, const struct settings *s,
    struct arena *a, enum mistake *kind);

#endif

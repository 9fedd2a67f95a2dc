/* The models, what they want, and what the schema has, after each migration. */
#ifndef JUDGE_WORLD_H
#define JUDGE_WORLD_H

#include "judge/schema.h"
#include "read/migration.h"

struct by_hand;
struct settings {		/* facts about the project and its versions */
	int django;		/* 302 for 3.2, 402, 502, 601 */
	int server;		/* server_version_num / 10000: 12 … 18 */
	sym user_model;		/* "auth.user", lower case; NULL: not known */
	sym auto_field;		/* DEFAULT_AUTO_FIELD's class name; NULL: AutoField */
	const struct setting { sym name, value; } *swapped;	/* other swappable settings */
	uint32_t nswapped;
	/* classes that cannot be read: [fields] in the configuration */
	const struct class_map { sym cls, as; } *classes;
	uint32_t nclasses;
	/* models and tables, or by which fields, that the code upserts, in lower case, sorted
	 * (read/upserts.h): asked for where a judgement turns on it */
	const sym *upserts;
	uint32_t nupserts;
	/* how conditions of the files are taken to be; the others are open */
	const struct choice { sym id, text; bool holds; } *choices;
	uint32_t nchoices;
	/* what the database itself says, when there is one; NULL: replay */
	const struct vec *live;
	const struct by_hand *views;	/* and what of it uses which columns */
};

struct model;			/* judge/code.h */
struct models {				/* sorted by label; immutable */
	const struct model *const *v;
	uint32_t n;
	uint32_t room;			/* of own */
	const struct model **own;	/* NULL, or a change is written there */
};

enum opaque {			/* why an operation or statement has no verdict */
	OPAQUE_NOT, OPAQUE_PYTHON, OPAQUE_SQL, OPAQUE_DATA, OPAQUE_OPERATION,
	OPAQUE_FIELD, OPAQUE_STATE, OPAQUE_SYNTAX, OPAQUE_TRIGGER,
	OPAQUE_NAME
};

struct by_hand;
struct change {			/* one operation, lowered */
	const struct op *op;
	struct ddls fwd, rev;
	bool irreversible;
	enum opaque why;
	sym note;		/* in words, for opaque ones */
	sym stops;		/* Django or PostgreSQL stops there, in words; or NULL */
	const struct by_hand *held;	/* that it uses what is changed is why */
	enum opaque rev_why;	/* the same of its way back */
	sym rev_note;
};

struct by_hand {		/* a view, function or trigger of RunSQL */
	const struct by_hand *next;	/* the one before it */
	const char *kind;
	sym name, text;		/* NULL text: DROP */
	sym table;		/* of a trigger */
	bool live;		/* the database says so */
};

/* One more: a view of the database; `uses`: a table and columns of it. */
const struct by_hand *by_hand_live(struct arena *a,
    const struct by_hand *list, sym view, sym uses);

/* An app of which not all that stands before is known: what seems to be a
 * mistake may be none. */
struct doubt {
	const struct doubt *next;
	sym app;
	bool models;		/* nor what its models are */
};

struct world {
	struct models models;
	struct vec want, have;
	const struct by_hand *by_hand;
	const struct doubt *doubts;
};

/* One migration's place in the order. */
struct moved {
	const struct migration *m;
	struct world before, after;
	const struct schema { struct vec have; } *steps; /* after each change */
	const struct change *changes;	/* nested operations flattened, in order */
	uint32_t nchanges;
};

struct replay {
	struct moved *v;
	uint32_t n;
	struct world end;
};

/* The worlds of migrations in the given order, starting from the empty one.
 * What an operation names and the state has not becomes an opaque change. */
void replay_run(struct replay *out, struct arena *a,
    const struct migration *const *order, uint32_t n,
    const struct settings *s);
/* As replay_run, but on top of what stands already: the models of the applied
 * migrations, and the live catalogue as `have`. */
void replay_from(struct replay *out, struct arena *a,
    const struct world *base, const struct migration *const *order,
    uint32_t n, const struct settings *s);
/* Where replay_run would end: what is deployed is judged no more. */
void replay_end(struct world *out, struct arena *a,
    const struct migration *const *order, uint32_t n,
    const struct settings *s);
/* One operation on one world. */
void world_apply(struct world *w, struct change *out, const struct op *op,
    const struct migration *m, const struct settings *s, struct arena *a);
/* What models want, as tables. */
struct vec world_want(const struct models *m, const struct settings *s,
    struct arena *a);

#endif

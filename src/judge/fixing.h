/* Fixes being gathered for one migration. */
#ifndef JUDGE_FIXING_H
#define JUDGE_FIXING_H

#include "judge/code.h"
#include "judge/judging.h"

struct fixing {
	struct judging *j;
	struct judging *trial;	/* cut.c: what it weighs is thrown away */
	struct verdict *v;
	const struct moved *m;
	uint32_t at;		/* its place in the release */
	const struct change *c;
	const struct ddl *d;
	struct list(struct fix) out;
};

void fix_add(struct fixing *f, const char *title, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* models.CharField(max_length=20), as it is written in a migration, without
 * one keyword (NULL: with all) and with more of them ("" for none). */
sym fix_call(struct fixing *f, const struct value *v, const char *without,
    const char *with);

/* The same for any value. */
sym fix_value(struct fixing *f, const struct value *v);
/* The operation itself, its field as above; class: another's name, or NULL.
 * NULL: it is none that is written here. */
sym fix_operation(struct fixing *f, const char *class, const char *without,
    const char *with);
sym fix_quoted(struct fixing *f, const char *text);	/* in single quotes */
/* A RunSQL; back NULL: nothing has to be undone. */
sym fix_sql(struct fixing *f, const char *there, const char *back);
/* A SeparateDatabaseAndState of operations, whole lines. */
sym fix_apart(struct fixing *f, const char *database, const char *state);
sym fix_depends(struct fixing *f);	/* dependencies = […], as here */

/* fix_locks.c: for statements that hold up others */
void fix_constraint(struct fixing *f);
void fix_not_null(struct fixing *f);
void fix_nulls(struct fixing *f);

/* cut.c: two migrations instead of one */
void fix_cut(struct fixing *f);

#endif

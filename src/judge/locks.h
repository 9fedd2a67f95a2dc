/* Locks of statements, one after the other. */
#ifndef JUDGE_LOCKS_H
#define JUDGE_LOCKS_H

#include <stdarg.h>

#include "judge/ask.h"

#define AE "ACCESS EXCLUSIVE"
#define SRE "SHARE ROW EXCLUSIVE"
#define SHARE "SHARE"
#define SUE "SHARE UPDATE EXCLUSIVE"
#define RE "ROW EXCLUSIVE"
#define RS "ROW SHARE"

struct renamed { sym from, to; };
struct locking {
	struct arena *a;
	struct vec have;		/* before due.v[0]: see lock_have() */
	struct ddls due;		/* what stands before the next statement */
	const struct ddl *d;
	uint32_t at;			/* statement */
	bool steps;			/* the caller knows `have` after a change */
	uint32_t line;			/* of the operation */
	const struct column *added;	/* last in it */
	bool dropped_fk;		/* in this change */
	struct list(struct renamed) renamed;
	struct list(struct hazard) out;
};

/* Adds a lock on a table as it is called before the migration; NULL: the
 * table is new in it, so that nobody else can be waiting. */
struct hazard *lock(struct locking *l, sym table, const char *mode);
/* One operation's statements. */
void locks_change(struct locking *l, const struct ddls *d, uint32_t line);

bool lock_fresh(const struct locking *l, sym table);
/* Its hazard and what to say of it; h may be NULL. */
void lock_say(struct locking *l, struct hazard *h, const char *code,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The schema before the statement: few have to look, so it is worked out
 * when one does. */
const struct vec *lock_have(struct locking *l);
const struct table *lock_table(struct locking *l, sym name);

/* ---- one statement, l->d ---- */
void lock_add_column(struct locking *l);
void lock_type(struct locking *l);
void lock_not_null(struct locking *l);
void lock_update(struct locking *l);
void lock_add_con(struct locking *l);
void lock_drop_con(struct locking *l);
void lock_rename_con(struct locking *l);
void lock_validate(struct locking *l);
void lock_create(struct locking *l);
void lock_drop(struct locking *l);
void lock_drop_column(struct locking *l);
void lock_other(struct locking *l);
void lock_referrers(struct locking *l);	/* TRUNCATE … CASCADE */

#endif

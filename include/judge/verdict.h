/* runs_on at the corners, and what follows for a migration or a release. */
#ifndef JUDGE_VERDICT_H
#define JUDGE_VERDICT_H

#include "judge/graph.h"
#include "judge/world.h"

enum degree { DEGREE_OK, DEGREE_NOTE, DEGREE_MAY, DEGREE_BREAKS };

enum reason_kind {		/* the conjuncts of runs_on */
	REASON_NO_TABLE, REASON_NO_COLUMN, REASON_NOT_NULL, REASON_TYPE,
	REASON_NULL, REASON_UNIQUE, REASON_CHECK, REASON_EXCLUDE, REASON_FK,
	REASON_NO_UNIQUE, REASON_DEFAULT
};

struct reason {
	enum reason_kind kind;
	enum degree degree;
	sym table, column;	/* column or constraint name */
	sym model, field;	/* of the code that is broken; may be NULL */
	sym text;		/* in words: «… still SELECTs "t"."c"» */
	const struct migration *m;	/* which one brings it; may be NULL */
	uint32_t line;
};

struct findings {
	struct reason *v;
	uint32_t n, cap;
	bool mute;		/* nobody will read them: no texts */
};

/* May this code (what it wants) run on this schema? Only tables in `touched`
 * (sorted) and the foreign keys that stand on them are asked when it is not
 * NULL. Texts are predicates («SELECTs …»): whoever knows the corner says of
 * which code. Pure. */
void runs_on(struct findings *f, struct arena *a, const struct vec *want,
    const struct vec *have, const struct names *touched,
    const struct settings *s);
/* The schema after one more migration, whatever stands before it. */
void schema_fold(struct arena *a, struct vec *have, const struct moved *m);
/* f without what `base` has too (same kind, table, column). */
void findings_minus(struct findings *f, const struct findings *base);
enum degree findings_worst(const struct findings *f);
const struct reason *findings_first(const struct findings *f); /* of the worst */
bool findings_has(const struct findings *f, const struct reason *r);
/* Rows that stop a DELETE are years old where the foreign key stood in `old`
 * already; where it is new, only the other release writes them, during the
 * roll: a note. */
void findings_soften(struct findings *f, const struct vec *old,
    const struct vec *now);

/* Nothing is known of tables that came to be as they are by unread SQL between
 * `old` and `now`: no reason is given about them. */
void findings_distrust(struct findings *f, const struct vec *old,
    const struct vec *now);

enum forward { FWD_EITHER, FWD_SAFE, FWD_UNSAFE, FWD_SPLIT, FWD_NEVER, FWD_OPAQUE };
extern const char *const forward_name[];	/* "either", "safe", … */
extern const char *const degree_name[];		/* "ok", "note", "may", "breaks" */

struct hazard {			/* what a statement does while it runs */
	sym table;		/* NULL: of the migration as a whole */
	const char *lock;	/* "ACCESS EXCLUSIVE", …; "": not a lock */
	bool scan, rewrite, build, update, blocks_reads, blocks_writes;
	uint32_t at;		/* the statement's place; what Django defers is last */
	sym code;		/* stable; NULL: its lock is all, and short */
	sym text;		/* NULL without a code */
	uint32_t line;
};
/* Codes: rewrite, scan-locks, update-locks, index-locks (reads wait too),
 * index-blocks-writes, fk-validates, fk-revalidates (dropped and added again),
 * locks-parent, cascades, lock-held, data-with-schema, time-zone,
 * concurrently-in-transaction, same-value-unique, long-name, and those of no
 * lock at all: whole-table-write, no-way-back, no-effect, imports-model, setting. */
struct fix {
	sym title;
	sym code;		/* Python or SQL to paste; may be NULL */
	uint32_t line;
};

enum precondition_kind { ROWS_NOT_NULL, ROWS_UNIQUE, ROWS_CHECK, ROWS_FK, ROWS_FIT };
struct precondition {		/* what rows must satisfy before a step */
	enum precondition_kind kind;
	sym table, name;	/* column or constraint */
	sym query;		/* counts the violators */
	bool old_code_violates;	/* deployed code can still write such rows */
};

struct opaque_part {		/* a part that a person must judge, and why */
	enum opaque why;
	sym text;
	uint32_t line;
};
extern const char *const opaque_name[];		/* "python", "sql", … */

struct verdict {
	const struct migration *m;
	struct findings a, b;	/* corners A and B, (old, old) subtracted */
	struct findings never;	/* (new, new) minus (old, old) */
	enum degree da, db;
	enum forward forward;	/* by the judgement alone */
	enum forward reverse;	/* phase of its reverse: FWD_SAFE: after the hosts
				 * are back on old code … same square, read back */
	enum forward phase;	/* with the tag: FWD_SAFE, FWD_UNSAFE, or what refuses */
	bool removes;		/* FWD_EITHER: removes something: goes after */
	bool opaque;
	sym stops;		/* Django or PostgreSQL refuses it: where and why */
	struct opaque_part *parts;	/* opaque: its parts, in order */
	uint32_t nparts;
	bool irreversible;
	sym loses;		/* what its reverse loses, in words; NULL nothing */
	sym fails;		/* on what rows its reverse fails; NULL none */
	sym drops;		/* what it loses itself, for good; NULL nothing */
	sym pulled;		/* its phase is another's: which, in words; or NULL */
	bool unbound;		/* goes by a person's tag without for= */
	sym overruled;		/* tag against verdict: the reason given; NULL none */
	sym refused;		/* why this may not go as it is, in words; NULL fine */
	struct hazard *hazards, *back;	/* on the way, and on the way back */
	uint32_t nhazards, nback;
	struct fix *fixes;
	uint32_t nfixes;
	struct precondition *rows;
	uint32_t nrows;
};

/* Judges migrations as the release they make: base is what is deployed, the
 * given ones are what comes on top, in replay order. One verdict each, plus
 * the release's own. `have` may be the live catalogue. */
struct release {
	struct world old, new;		/* corner worlds */
	const struct moved *const *v;	/* the pending ones, in order */
	uint32_t n;
	const struct graph *graph;	/* may be NULL */
	/* other releases that hosts still serve: they too are old code */
	const struct served { sym id; struct vec want; } *others;
	uint32_t nothers;
};
struct judgement {
	struct verdict *v;		/* one for each pending migration */
	uint32_t n;
	struct findings never;
	bool fine;			/* every one has a phase */
};
/* Refuses what goes by a person's tag that is bound to nothing, since that
 * would outlive any edit; with the command that binds it. */
void judgement_bound(struct judgement *j, struct arena *a);
/* Does it matter which models the code upserts? */
bool judgement_upserts(const struct judgement *j);
void judge_release(struct judgement *out, struct arena *a,
    const struct release *r, const struct settings *s);

#endif

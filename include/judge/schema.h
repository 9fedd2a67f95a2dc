/* Tables as the code wants them and as the schema has them: the same struct.
 *
 * State is shared and immutable: a table that an operation does not touch
 * keeps its pointer, so touched means unequal pointers. Worlds are vectors
 * sorted by name; every boundary between two migrations is kept. */
#ifndef JUDGE_SCHEMA_H
#define JUDGE_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum dflt {			/* what fills a column that INSERT leaves out */
	DFLT_NONE, DFLT_CONST, DFLT_EXPR, DFLT_IDENTITY, DFLT_SERIAL, DFLT_GENERATED
};

struct column {
	sym name;
	sym type;		/* as format_type() prints it: "character varying(20)";
				 * NULL: cannot be known (then fit is not asked) */
	sym collation;		/* NULL: the default one */
	bool notnull;
	enum dflt dflt;
	sym dflt_sql;		/* text of the default or the expression, or NULL */
	bool is_virtual;	/* DFLT_GENERATED: computed when it is read */
	bool always;		/* DFLT_IDENTITY: no value may be written */
	/* the want side only: what the code does with it */
	sym field;		/* "issue.source": model field that wants it */
	bool writes_null;	/* the ORM may write NULL (null=True) */
	bool py_default;	/* a Python default, auto_now, …: it never writes NULL by itself */
	sym py_value;		/* that default as SQL text, if constant */
};

enum con_kind { CON_PK, CON_UNIQUE, CON_CHECK, CON_FK, CON_EXCLUDE, CON_INDEX };

struct con {
	enum con_kind kind;
	sym name;		/* the real name, Django's generated ones too */
	const sym *cols;	/* key columns; NULL in it: an expression */
	uint16_t ncols;
	const sym *include;
	uint16_t ninclude;
	sym ref_table;		/* CON_FK: a table, never a model */
	sym ref_col;
	sym on_delete;		/* database's: NULL for NO ACTION, else "CASCADE"… */
	sym expr;		/* CON_CHECK, expression keys, EXCLUDE: SQL text */
	sym where;		/* partial: SQL text */
	sym method;		/* "btree"…; NULL: btree */
	sym opclass;		/* "varchar_pattern_ops" for the _like twin */
	const struct value *q;	/* a check or condition as the code wrote it, or NULL */
	bool deferrable;
	bool not_valid;
	bool nulls_equal;	/* NULLS NOT DISTINCT */
	bool invalid;		/* an index build that failed */
	bool generated;		/* want: no name in the code, Django makes one up:
				 * compare by kind and columns */
	bool outside;		/* CON_FK: to an app that is not in the source */
};

struct table {
	sym name;
	const struct column *cols;	/* in the order they were added */
	const struct con *cons;		/* sorted by name */
	uint16_t ncols, ncons;
	sym model;			/* want: "shop.issue"; have: NULL */
	bool trusted;			/* taken from the code on trust: unread SQL touched it */
};

struct vec {				/* sorted by name; immutable */
	const struct table *const *v;
	uint32_t n;
	uint32_t room;			/* of own */
	const struct table **own;	/* NULL, or it is changed in there */
};

struct names { const sym *v; uint32_t n; };

const struct table *vec_find(const struct vec *v, sym name);
/* New vectors: one table put in (or replaced), one taken out. */
struct vec vec_put(struct arena *a, struct vec v, const struct table *t);
struct vec vec_drop(struct arena *a, struct vec v, sym name);
/* A copy to be changed in place, for one who keeps none of what it was; until
 * its own is NULL. */
struct vec vec_own(struct arena *a, struct vec v);
/* x, but the named tables as y has them, or not. `names` is sorted. */
struct vec vec_mixed(struct arena *a, const struct vec *x,
    const struct vec *y, const struct names *names);
const struct column *table_col(const struct table *t, sym name);
const struct con *table_con(const struct table *t, sym name);
/* The names in which two vectors differ, sorted. */
struct names vec_touched(struct arena *a, const struct vec *x,
    const struct vec *y);

/* One vocabulary of change: SQL is read into it, operations are lowered into
 * it, judge/schema.c alone applies it, locks and fixes read it. */
enum ddl_kind {
	DDL_OPAQUE,		/* cannot be read: `why`, `table` if known */
	DDL_NOTHING,		/* no effect on what we model: comments, grants, SET */
	DDL_DATA,		/* INSERT, UPDATE, DELETE: `table` */
	DDL_CREATE_TABLE,	/* whole */
	DDL_DROP_TABLE,		/* table cascade */
	DDL_RENAME_TABLE,	/* table to */
	DDL_ADD_COLUMN,		/* table col; cons come as DDL_ADD_CON after it */
	DDL_DROP_COLUMN,	/* table name cascade */
	DDL_RENAME_COLUMN,	/* table name to */
	DDL_TYPE,		/* table col: name, type, collation; using */
	DDL_SET_NOT_NULL,	/* table name */
	DDL_DROP_NOT_NULL,	/* table name */
	DDL_SET_DEFAULT,	/* table col: name, dflt, dflt_sql */
	DDL_DROP_DEFAULT,	/* table name */
	DDL_ADD_IDENTITY,	/* table name */
	DDL_DROP_IDENTITY,	/* table name */
	DDL_ADD_CON,		/* table con (indexes too); concurrently; using_index in `to` */
	DDL_DROP_CON,		/* table (NULL for DROP INDEX) name cascade concurrently */
	DDL_RENAME_CON,		/* table (NULL for ALTER INDEX) name to */
	DDL_VALIDATE,		/* table name */
	DDL_UPDATE_NULLS,	/* table name: Django's UPDATE before SET NOT NULL */
	DDL_CONSTRAINTS_NOW,	/* SET CONSTRAINTS … IMMEDIATE */
	DDL_EXTENSION,		/* name */
	DDL_OTHER		/* known, outside tables: sequences, types, functions, views */
};

struct ddl {
	enum ddl_kind kind;
	uint32_t line;		/* in the migration file; 0: not known */
	sym table;
	sym name;
	sym to;
	const struct table *whole;
	const struct column *col;
	const struct con *con;
	bool cascade, concurrently, if_exists;
	bool using;		/* TYPE … USING: may fail, always rewrites */
	bool of_column;		/* ADD_CON: written with the column just added */
	bool deferred;		/* Django runs it at the end of the migration */
	bool joined;		/* no instant between it and the one before: sent as
				 * one text, or part of the same statement */
	const char *sql;	/* the statement as written or as Django emits it; may be NULL */
	const char *alone;	/* what cannot run in a transaction: "VACUUM";
				 * NULL: as `concurrently` says */
	const char *lock;	/* mode on `table` where the kind does not say it; NULL */
	bool every;		/* DDL_DATA: UPDATE or DELETE without WHERE */
	bool rewrites, builds;	/* with such a lock: the table, its indexes */
	bool refused;		/* DDL_OPAQUE: no PostgreSQL takes it */
	bool always;		/* ADD_IDENTITY: GENERATED ALWAYS */
	/* DDL_NOTHING with a name: a setting, or the temporary table of that
	 * name; DDL_OTHER, SETTING_VALUE: the enum comes to have it */
	enum set_how { SETTING_NOT, SETTING_STAYS, SETTING_LOCAL, SETTING_RESET,
		SETTING_TEMPORARY, SETTING_VALUE } setting;
	sym why;
};

struct ddls { const struct ddl *v; uint32_t n; };

/* *have after d. What it names and the schema has not is reported in *missing
 * (text, NULL if all was there). Cascades of DROP are applied. */
void schema_apply(struct arena *a, struct vec *have, const struct ddl *d,
    sym *missing);

#endif

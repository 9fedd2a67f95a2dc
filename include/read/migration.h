/* A migration file as data. Reading it runs nothing. */
#ifndef READ_MIGRATION_H
#define READ_MIGRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "read/tag.h"
#include "read/value.h"

enum op_kind {
	OP_OPAQUE,		/* why says what could not be read */
	OP_CREATE_MODEL,	/* model title fields options bases */
	OP_DELETE_MODEL,	/* model */
	OP_RENAME_MODEL,	/* model title(new) to(new, lower case) */
	OP_ALTER_MODEL_TABLE,	/* model to (NULL: back to the default) */
	OP_ALTER_MODEL_OPTIONS,	/* model options */
	OP_ALTER_MODEL_MANAGERS, /* model */
	OP_ALTER_TABLE_COMMENT,	/* model value */
	OP_ALTER_ORDER,		/* model to (field or NULL): order_with_respect_to */
	OP_ALTER_UNIQUE,	/* model value: unique_together */
	OP_ALTER_INDEX,		/* model value: index_together */
	OP_ADD_FIELD,		/* model name value preserve_default */
	OP_REMOVE_FIELD,	/* model name */
	OP_ALTER_FIELD,		/* model name value preserve_default */
	OP_RENAME_FIELD,	/* model name to */
	OP_ADD_INDEX,		/* model name value concurrently */
	OP_REMOVE_INDEX,	/* model name concurrently */
	OP_RENAME_INDEX,	/* model name(NULL: by old_fields = value) to */
	OP_ADD_CONSTRAINT,	/* model name value not_valid */
	OP_REMOVE_CONSTRAINT,	/* model name */
	OP_ALTER_CONSTRAINT,	/* model name value */
	OP_VALIDATE_CONSTRAINT,	/* model name */
	OP_EXTENSION,		/* name: CreateExtension and its family */
	OP_COLLATION,		/* name; value: the call */
	OP_REMOVE_COLLATION,	/* name */
	OP_RUN_SQL,		/* sql rsql state */
	OP_RUN_PYTHON,		/* name(code) reversible noop */
	OP_REMOVE_TRIGGER,	/* model name: of django-pgtrigger; AddTrigger is
				 * the RUN_SQL that it comes to */
	OP_SEPARATE		/* db state */
};

struct sql_text {
	const char *text;	/* NULL: could not be read, why says it */
	uint32_t line;
	sym why;
};

struct op_list {
	const struct op *v;
	uint32_t n;
};

struct op {
	enum op_kind kind;
	uint32_t line;
	sym cls;			/* dotted class, as resolved */
	sym model;			/* lower case */
	sym title;			/* a model's name as it is written */
	sym name;			/* field, index or constraint, extension */
	sym to;
	const struct value *value;	/* field, index, constraint; tuples */
	const struct value *fields;	/* CREATE_MODEL: list of (name, call) */
	const struct value *options;	/* dict or NULL */
	const struct value *bases;	/* tuple or NULL */
	bool preserve_default;		/* true unless written False */
	bool concurrently, not_valid;
	bool reversible;		/* RUN_SQL, RUN_PYTHON: there is a way back */
	bool noop, rnoop;		/* RUN_PYTHON.noop, RunSQL.noop, each way */
	bool maybe;			/* it may stand there or not: nobody can tell */
	uint8_t not_in;			/* worlds that it does not stand in */
	const struct sql_text *sql, *rsql;
	uint32_t nsql, nrsql;
	struct op_list db, state;	/* OP_SEPARATE; OP_RUN_SQL: state */
	sym why;
};

struct dep {
	sym app, name;			/* name may be "__first__", "__latest__" */
	bool swappable;			/* app is a setting's: "AUTH_USER_MODEL" */
	uint32_t line;
};

struct problem {			/* what could not be read, and where */
	uint32_t line;
	sym what;
};

/* An `if` that cannot be decided here. A file has few; each way that they may
 * go together is a world of it, numbered by bits: conds[i] holds in world w
 * where w >> i & 1. */
#define CONDS_MAX 3
#define WORLDS (1u << CONDS_MAX)
#define ALL_WORLDS 0xff

struct condition {
	sym id;				/* equal: the same choice in all files */
	sym text;			/* for people */
	uint32_t line;
};

struct migration {
	sym app;			/* label; the reader's caller may mend it */
	sym name;			/* file name without .py */
	sym path;			/* in the source */
	struct op_list ops;
	const struct dep *deps, *run_before, *replaces;
	uint32_t ndeps, nrun_before, nreplaces;
	bool atomic;			/* default true */
	bool initial;			/* initial = True, or no dependency in its app */
	bool initial_set, initial_value; /* as it is written */
	struct tag tag;			/* a person's or the machine's, or none */
	char digest[17];		/* of the operations */
	char bound[17];			/* of them and what they run in other files of the
					 * tree: what a tag is bound to */
	const struct condition *conds;
	uint32_t nconds;
	const struct problem *problems;
	uint32_t nproblems;
	/* lines, for what it runs in Python; 0: nothing of the kind seen */
	uint32_t model_import, whole_write;
	bool alone;			/* no other file had a part in it */
};

/* 1: *out is a migration. 0: the file has no class Migration that Django
 * would run (an __init__, a helper). -1: it cannot be parsed (file:line in
 * e). `lookup` reads another module of the same tree, so that classes of the
 * project can be followed; it may be NULL. */
struct module_lookup {
	/* 1: *text is the module's source (borrowed until the next call),
	 * *path its path. 0: not in this tree. */
	int (*find)(void *ctx, const char *dotted, const char **text,
	    size_t *len, const char **path);
	/* 1: *text is what the file at path holds (borrowed until the next
	 * call). 0: not in this tree. NULL: there are no other files. */
	int (*file)(void *ctx, const char *path, const char **text,
	    size_t *len);
	void *ctx;
	const struct cfg_project *project;	/* what it knows; may be NULL */
};
int migration_read(struct migration *out, struct arena *a, const char *app,
    const char *path, const char *text, size_t len,
    const struct module_lookup *lookup, struct err *e);

#endif

/* Names: what a module or a class body binds, and where a dotted name leads.
 * Statements are followed in order, functions are not run. */
#ifndef READ_MODULE_H
#define READ_MODULE_H

#include "read/migration.h"
#include "read/syntax.h"
#include "read/value.h"

enum bind_kind {
	BIND_IMPORT,	/* dotted */
	BIND_EXPR,	/* name = node */
	BIND_AUG,	/* name += node */
	BIND_METHOD,	/* name.dotted(node): append, extend, insert */
	BIND_CLASS,
	BIND_FUNCTION,
	BIND_VALUE,	/* a parameter or a loop's variable */
	BIND_UNKNOWN	/* bound in a way that is not followed */
};

/* Only in some worlds of the migration that is read; `maybe`: not even that. */
struct under {
	bool maybe;
	uint8_t not_in;
};
#define EVER ((struct under){ false, 0 })

struct scope;
struct binding {
	sym name;
	enum bind_kind kind;
	uint32_t node;
	sym dotted;
	const struct scope *env;	/* where node is evaluated; NULL: here */
	const struct value *value;	/* once known */
	struct under u;
	bool dressed;			/* a function or class with a decorator */
	bool busy;
};

/* from `from` import *, before the binding number at */
struct star { sym from; uint32_t at, node; bool maybe; };

struct module;
struct scope {
	struct module *m;
	struct scope *outer;		/* NULL: the module's own */
	sym dotted;			/* "shop.fields", "shop.fields.Money" */
	uint32_t node;			/* class definition; 0: the module */
	struct list(struct binding) binds;
	struct list(struct star) stars;
	uint32_t limit;			/* bindings seen now; 0: all */
	uint32_t fn;			/* function definition it is of */
};

/* A name whose value is changed at a node in a way that is not followed. */
struct spoilt { sym name; uint32_t fn, node; };

struct module {
	sym dotted, path;
	bool package;			/* an __init__.py */
	bool followed;			/* what it comes to is kept for others */
	bool broken;			/* not there, or cannot be parsed */
	uint32_t wild;			/* node whose effect no one can tell */
	uint32_t unbound;		/* name that importing it does not find */
	uint32_t patched;		/* node that changes what is Django's */
	struct list(struct spoilt) spoilt;
	struct list(uint32_t) meddling;	/* functions that change arguments */
	struct syntax syn;
	struct scope top;
	struct list(struct scope *) classes;	/* filled so far */
	sym sum;			/* SHA-256 of its text, once asked for */
};

/* One reading of many files: modules are read once. */
struct reader {
	struct arena *a;
	const struct module_lookup *lookup;	/* may be NULL */
	struct list(struct module *) modules;
	uint32_t steps;			/* evaluations left */
	int depth;
	const char *leads;		/* where dotted_find() left the tree */
	struct module *own;	/* being read */
	bool looked;			/* another module was looked for */
	struct module *patch;		/* one that own names, and is patched */
	struct list(struct module *) used;	/* by what own runs */
	struct list(struct condition) conds;	/* of its own */
	bool kept;		/* a value that others see is worked out */
};

#define READER_STEPS 400000u
#define READER_DEPTH 150
#define READER_WEIGHT 4000000u		/* of one value */
#define VALUE_DEPTH 200
#define READER_MODULES 500u

enum decides { DECIDES_NOTHING, DECIDES_TYPE, DECIDES_MORE };

/* A class on its way to its Django ancestor. */
struct class_info {
	sym base;		/* the Django class it comes from; NULL */
	bool cls;		/* it is a class of this tree */
	/* what decides about an operation, a field, and is not Django's; NULL */
	sym op_own, field_own;
	unsigned op_idle;	/* 1: database_forwards() does nothing, 2: …backwards() */
	enum decides decides;	/* about a column, by field_own */
	struct { struct scope *cls; uint32_t fn; } inits[6];
	uint32_t ninits;	/* its own first */
	sym where;		/* path of the class; NULL: not in this tree */
	uint32_t line;
};

/* module.c; `followed`: for whoever names it, not to be judged itself */
struct module *module_new(struct reader *r, const char *dotted,
    const char *path, bool followed, const char *text, size_t len,
    uint32_t *line, struct err *e);
struct module *module_find(struct reader *r, const char *dotted);
struct scope *class_scope(struct reader *r, struct module *m, uint32_t node);
/* The binding in force for name, here or further out; *where its scope. */
struct binding *scope_find(struct scope *s, sym name, struct scope **where);
struct binding *scope_own(struct scope *s, sym name);
/* "shop.consts.SQL" to its binding in a module of the tree; NULL: not there. */
struct binding *dotted_find(struct reader *r, const char *dotted,
    struct scope **where);
/* An attribute of a class, its bases included; NULL: none that can be read. */
struct binding *class_attr(struct reader *r, struct scope *cls, sym name,
    struct scope **where);
uint32_t class_supers(const struct scope *cls);

/* stars.c: what a name is bound to where it is used, stars included. */
struct bound {
	struct binding *b;		/* NULL: none that can be seen */
	struct scope *where;
	sym from;		/* the star that then may have it; NULL */
	uint32_t node;		/* the star's */
	bool lost;		/* one of several, it cannot be told which */
};
void name_find(struct reader *r, struct scope *s, sym name, struct bound *f);
const struct value *name_value(struct reader *r, struct scope *s, sym name,
    uint32_t line);

/* classes.c */
void class_follow(struct reader *r, struct class_info *out,
    const char *dotted);
/* What one of a field's names decides about its column. */
enum decides field_decides(const char *name);
/* Does code set one of them on itself? */
bool field_changes(const char *s, size_t len);
/* The same of an operation's names. */
bool op_decides(const char *name);
bool op_changes(const char *s, size_t len);
/* fields.c: a call of a field of the project as that of its Django class; its
 * why is set where that cannot be told. */
void field_follow(struct reader *r, struct value *call);
/* The call with imported constants followed where they decide its column. */
const struct value *field_settled(struct reader *r, const struct value *call);
/* A call of an operation of the project with the arguments that its __init__
 * hands on; false: they cannot be told. */
bool op_follow(struct reader *r, struct value *call,
    const struct class_info *ci);
/* Every class of the tree that cls comes from, itself first. What stands among
 * its bases and is neither such a class nor Django's is told to odd(). */
struct class_walk {
	void (*each)(struct class_walk *w, struct scope *cls);
	void (*odd)(struct class_walk *w, const struct scope *cls,
	    uint32_t node, sym what);
	void *ctx;
	int depth;
};
void class_walk(struct reader *r, struct class_walk *w, struct scope *cls);
sym django_short(struct arena *a, const char *dotted);

bool module_of_python(const char *dotted);

/* spoil.c */
void module_spoil(struct reader *r, struct module *m);
const struct spoilt *module_spoilt(const struct module *m, uint32_t fn,
    sym name);
/* Does the function change its arguments, or what else is not its own? */
bool module_meddles(const struct module *m, uint32_t fn);

/* unbound.c: -1, with the name that m does not bind and how to mend it */
int unbound_tell(const struct module *m, struct arena *a, struct err *e);

/* bound.c: what is not read itself, and where its code stands */
void bound_use(struct reader *r, const struct value *v);
/* Its class stands in another file, which is then all of it. */
void bound_class(struct reader *r, struct migration *m, struct module *in);
void bound_module(struct reader *r, struct module *m);
void bound_read(struct reader *r, struct migration *m);

/* loading.c: what importing the module does beyond binding names, and where;
 * line 0: nothing that can be seen. */
struct loads { uint32_t line; const char *why; };
struct loads module_loads(struct reader *r, struct module *m);

/* scope.c */
#define SCOPE_RETURN "return"	/* what a function returns, as a name of its */
void scope_fill(struct reader *r, struct scope *s, uint32_t block);
/* Binds the names of a loop or a parameter to a value, or to its parts. */
void scope_unpack(struct reader *r, struct scope *s, uint32_t target,
    const struct value *v);

/* eval.c */
const struct value *eval(struct reader *r, struct scope *s, uint32_t node);
const struct value *eval_binding(struct reader *r, struct scope *s,
    struct binding *b);
/* A name or call of the project's own code followed to what it stands for. */
const struct value *eval_force(struct reader *r, const struct value *v);
/* 1, 0, or -1 where it cannot be told. */
int eval_truth(struct reader *r, const struct value *v);

/* given.c: what the configuration says. NULL: nothing, or not of that form. */
const struct value *given_value(struct reader *r, const struct value *v);
const char *given_operation(const struct reader *r, const char *cls);

/* build.c: values, kept within bounds */
struct value *value_new(struct reader *r, enum value_kind kind, uint32_t line);
const struct value *value_seal(struct reader *r, struct value *v);
const struct value *value_opaque_new(struct reader *r, const struct scope *s,
    uint32_t node, const char *why);
const struct value *value_text(struct reader *r, enum value_kind kind,
    const char *text, size_t len, uint32_t line);
const struct value *value_name(struct reader *r, const char *dotted,
    uint32_t line);
const struct value *value_int_new(struct reader *r, int64_t i, uint32_t line);
const struct value *value_bool_new(struct reader *r, bool b, uint32_t line);
/* One of several, each with the worlds that it is not in: opaque, with them as
 * items. */
const struct value *value_either(struct reader *r,
    const struct value *const *items, uint32_t n, const struct value *at);
/* a + b for lists and tuples; NULL: of different kinds */
const struct value *value_join(struct reader *r, const struct value *a,
    const struct value *b, struct under u);
const struct value *value_under(struct reader *r, const struct value *v,
    struct under u);

/* conditions.c: the worlds in which a condition holds; false: one that is not
 * told apart. */
bool condition_worlds(struct reader *r, struct scope *s, uint32_t node,
    uint8_t *in);
const struct value *eval_conditional(struct reader *r, struct scope *s,
    uint32_t node);
/* As it is in that world; either where that cannot be told. */
const struct value *value_in_world(struct reader *r, const struct value *v,
    uint32_t world);

static inline struct under
under_both(struct under a, struct under b)
{
	return (struct under){ a.maybe || b.maybe, a.not_in | b.not_in };
}

static inline struct under
under_of(const struct value *v)
{
	return (struct under){ v->maybe, v->not_in };
}

static inline bool
under_some(struct under u)
{
	return u.maybe || u.not_in != 0;
}

/* operators.c */
void operator_text(const struct syntax *y, uint32_t from, uint32_t to,
    char out[8]);
const struct value *eval_binary(struct reader *r, struct scope *s,
    uint32_t node);
const struct value *eval_unary(struct reader *r, struct scope *s,
    uint32_t node);
const struct value *eval_compare(struct reader *r, struct scope *s,
    uint32_t node);
const struct value *eval_boolean(struct reader *r, struct scope *s,
    uint32_t node);
/* name(items…, kw=…) */
const struct value *value_call(struct reader *r, const char *name,
    const struct value *const *items, uint32_t n, uint32_t line);

/* paths.c: NULL where it cannot be done */
const struct value *path_of_module(struct reader *r, const struct module *m,
    uint32_t line);
const struct value *path_call(struct reader *r, const struct value *call);
const struct value *path_divide(struct reader *r, const struct value *a,
    const struct value *b);
const struct value *path_attribute(struct reader *r, const struct value *v,
    const char *name);
const struct value *path_method(struct reader *r, const struct value *self,
    const char *method, const struct value *call);
/* Has a path of the tree got into a text? */
bool path_within(const char *text, size_t len);

/* literal.c */
const struct value *eval_string(struct reader *r, struct scope *s,
    uint32_t node);
const struct value *eval_number(struct reader *r, struct scope *s,
    uint32_t node);

/* text.c: NULL where it cannot be done */
const struct value *text_method(struct reader *r, const struct value *self,
    const char *method, const struct value *call);
const struct value *text_percent(struct reader *r, const struct value *fmt,
    const struct value *arg);
const struct value *text_call(struct reader *r, const struct value *call);
bool text_of(struct strbuf *b, const struct value *v);	/* str(v) */

#endif

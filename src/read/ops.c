#include "read/ops.h"

#include <string.h>

#include "base/util.h"

enum slot {
	A_NONE, A_MODEL, A_TITLE, A_NEW_TITLE, A_NAME, A_TO, A_TO_NULL,
	A_FIELD, A_INDEX, A_VALUE, A_FIELDS, A_OPTIONS, A_BASES, A_KEEP,
	A_SQL, A_RSQL, A_CODE, A_RCODE, A_STATE, A_DB
};

#define MIG "django.db.migrations."
#define PG "django.contrib.postgres.operations."

/* Every operation that Django ships: its arguments in their order. */
static const struct form {
	const char *cls;
	enum op_kind kind;
	struct { const char *name; enum slot slot; } arg[6];
	const char *name;	/* a fixed name: the extension's */
	bool concurrently, not_valid;
} forms[] = {
	{ MIG "CreateModel", OP_CREATE_MODEL, { { "name", A_TITLE }, { "fields", A_FIELDS }, { "options", A_OPTIONS }, { "bases", A_BASES } }, NULL, false, false },
	{ MIG "DeleteModel", OP_DELETE_MODEL, { { "name", A_TITLE } }, NULL, false, false },
	{ MIG "RenameModel", OP_RENAME_MODEL, { { "old_name", A_MODEL }, { "new_name", A_NEW_TITLE } }, NULL, false, false },
	{ MIG "AlterModelTable", OP_ALTER_MODEL_TABLE, { { "name", A_TITLE }, { "table", A_TO_NULL } }, NULL, false, false },
	{ MIG "AlterModelTableComment", OP_ALTER_TABLE_COMMENT, { { "name", A_TITLE }, { "table_comment", A_VALUE } }, NULL, false, false },
	{ MIG "AlterModelOptions", OP_ALTER_MODEL_OPTIONS, { { "name", A_TITLE }, { "options", A_OPTIONS } }, NULL, false, false },
	{ MIG "AlterModelManagers", OP_ALTER_MODEL_MANAGERS, { { "name", A_TITLE } }, NULL, false, false },
	{ MIG "AlterOrderWithRespectTo", OP_ALTER_ORDER, { { "name", A_TITLE }, { "order_with_respect_to", A_TO_NULL } }, NULL, false, false },
	{ MIG "AlterUniqueTogether", OP_ALTER_UNIQUE, { { "name", A_TITLE }, { "unique_together", A_VALUE } }, NULL, false, false },
	{ MIG "AlterIndexTogether", OP_ALTER_INDEX, { { "name", A_TITLE }, { "index_together", A_VALUE } }, NULL, false, false },
	{ MIG "AddField", OP_ADD_FIELD, { { "model_name", A_MODEL }, { "name", A_NAME }, { "field", A_FIELD }, { "preserve_default", A_KEEP } }, NULL, false, false },
	{ MIG "RemoveField", OP_REMOVE_FIELD, { { "model_name", A_MODEL }, { "name", A_NAME } }, NULL, false, false },
	{ MIG "AlterField", OP_ALTER_FIELD, { { "model_name", A_MODEL }, { "name", A_NAME }, { "field", A_FIELD }, { "preserve_default", A_KEEP } }, NULL, false, false },
	{ MIG "RenameField", OP_RENAME_FIELD, { { "model_name", A_MODEL }, { "old_name", A_NAME }, { "new_name", A_TO } }, NULL, false, false },
	{ MIG "AddIndex", OP_ADD_INDEX, { { "model_name", A_MODEL }, { "index", A_INDEX } }, NULL, false, false },
	{ MIG "RemoveIndex", OP_REMOVE_INDEX, { { "model_name", A_MODEL }, { "name", A_NAME } }, NULL, false, false },
	{ MIG "RenameIndex", OP_RENAME_INDEX, { { "model_name", A_MODEL }, { "new_name", A_TO }, { "old_name", A_NONE }, { "old_fields", A_NONE } }, NULL, false, false },
	{ MIG "AddConstraint", OP_ADD_CONSTRAINT, { { "model_name", A_MODEL }, { "constraint", A_INDEX } }, NULL, false, false },
	{ MIG "RemoveConstraint", OP_REMOVE_CONSTRAINT, { { "model_name", A_MODEL }, { "name", A_NAME } }, NULL, false, false },
	{ MIG "AlterConstraint", OP_ALTER_CONSTRAINT, { { "model_name", A_MODEL }, { "name", A_NAME }, { "constraint", A_VALUE } }, NULL, false, false },
	{ MIG "RunSQL", OP_RUN_SQL, { { "sql", A_SQL }, { "reverse_sql", A_RSQL }, { "state_operations", A_STATE } }, NULL, false, false },
	{ MIG "RunPython", OP_RUN_PYTHON, { { "code", A_CODE }, { "reverse_code", A_RCODE } }, NULL, false, false },
	{ MIG "SeparateDatabaseAndState", OP_SEPARATE, { { "database_operations", A_DB }, { "state_operations", A_STATE } }, NULL, false, false },
	{ "pgtrigger.migrations.RemoveTrigger", OP_REMOVE_TRIGGER, { { "model_name", A_MODEL }, { "name", A_NAME } }, NULL, false, false },
	{ PG "AddIndexConcurrently", OP_ADD_INDEX, { { "model_name", A_MODEL }, { "index", A_INDEX } }, NULL, true, false },
	{ PG "RemoveIndexConcurrently", OP_REMOVE_INDEX, { { "model_name", A_MODEL }, { "name", A_NAME } }, NULL, true, false },
	{ PG "AddConstraintNotValid", OP_ADD_CONSTRAINT, { { "model_name", A_MODEL }, { "constraint", A_INDEX } }, NULL, false, true },
	{ PG "ValidateConstraint", OP_VALIDATE_CONSTRAINT, { { "model_name", A_MODEL }, { "name", A_NAME } }, NULL, false, false },
	{ PG "CreateExtension", OP_EXTENSION, { { "name", A_NAME } }, NULL, false, false },
	{ PG "BloomExtension", OP_EXTENSION, { { NULL, A_NONE } }, "bloom", false, false },
	{ PG "BtreeGinExtension", OP_EXTENSION, { { NULL, A_NONE } }, "btree_gin", false, false },
	{ PG "BtreeGistExtension", OP_EXTENSION, { { NULL, A_NONE } }, "btree_gist", false, false },
	{ PG "CITextExtension", OP_EXTENSION, { { NULL, A_NONE } }, "citext", false, false },
	{ PG "CryptoExtension", OP_EXTENSION, { { NULL, A_NONE } }, "pgcrypto", false, false },
	{ PG "HStoreExtension", OP_EXTENSION, { { NULL, A_NONE } }, "hstore", false, false },
	{ PG "TrigramExtension", OP_EXTENSION, { { NULL, A_NONE } }, "pg_trgm", false, false },
	{ PG "UnaccentExtension", OP_EXTENSION, { { NULL, A_NONE } }, "unaccent", false, false },
	{ PG "CreateCollation", OP_COLLATION, { { "name", A_NAME } }, NULL, false, false },
	{ PG "RemoveCollation", OP_REMOVE_COLLATION, { { "name", A_NAME } }, NULL, false, false },
};

/* Operations of others that touch neither the database nor the state. */
static const char *const idle[] = {
	"django_migration_linter.IgnoreMigration",
	"django_migration_linter.operations.IgnoreMigration",
};

struct op
op_opaque(struct reader *r, uint32_t line, const char *cls, const char *why)
{
	return (struct op){ .kind = OP_OPAQUE, .line = line,
	    .cls = sym_get(r->a, cls), .preserve_default = true,
	    .why = sym_get(r->a, why) };
}

static int
fail(struct reader *r, struct op *o, const char *what, const struct value *v)
{
	if (o->why == NULL)
		o->why = sym_printf(r->a, "%s: %s", what,
		    v->kind == VALUE_OPAQUE && v->why != NULL ? v->why :
		    "not written out");
	return -1;
}

/* One text of SQL: a string, or (sql, params), whose %s become $1, $2 … */
static void
read_statement(struct reader *r, struct sql_text *t, const struct value *v)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	bool params = false;
	int n = 0;

	v = eval_force(r, v);
	t->line = v->line;
	if ((v->kind == VALUE_TUPLE || v->kind == VALUE_LIST) && v->n > 0) {
		const struct value *p = v->n > 1 ? eval_force(r, v->items[1]) :
		    NULL;
		params = p != NULL && p->kind != VALUE_NONE;
		v = eval_force(r, v->items[0]);
	}
	if (v->kind != VALUE_STR || memchr(v->text, '\0', v->len) != NULL ||
	    path_within(v->text, v->len)) {
		t->why = v->kind == VALUE_OPAQUE && v->why != NULL ? v->why :
		    sym_get(r->a, "SQL that is not written out");
		return;
	}
	t->line = v->line;
	if (!params) {
		t->text = v->text;
		return;
	}
	for (size_t i = 0; i < v->len; i++) {
		if (v->text[i] == '%' && v->text[i + 1] == '%') {
			strbuf_char(&b, '%');
			i++;
		} else if (v->text[i] == '%' && v->text[i + 1] == 's') {
			strbuf_printf(&b, "$%d", ++n);
			i++;
		} else {
			strbuf_char(&b, v->text[i]);
		}
	}
	t->text = arena_strdup(r->a, b.s);
}

static bool
blank(const char *s)
{
	return s[strspn(s, " \t\r\n;")] == '\0';
}

/* RunSQL's sql: a text, a list of texts, or RunSQL.noop. */
static void
read_sql(struct reader *r, const struct value *v,
    const struct sql_text **out, uint32_t *n, bool *noop)
{
	v = eval_force(r, v);
	if (v->kind == VALUE_NAME && streq(v->name, MIG "RunSQL.noop")) {
		*noop = true;
		return;
	}
	bool many = v->kind == VALUE_LIST || v->kind == VALUE_TUPLE;
	uint32_t k = many ? v->n : 1;
	struct sql_text *t = arena_array(r->a, struct sql_text, k + 1);
	for (uint32_t i = 0; i < k; i++)
		read_statement(r, &t[i], many ? v->items[i] : v);
	*out = t;
	*n = k;
	*noop = k == 0 || (k == 1 && t[0].text != NULL && blank(t[0].text));
}

static int
read_string(struct reader *r, struct op *o, const char *what,
    const struct value *v, sym *out)
{
	v = eval_force(r, v);
	*out = value_str(r->a, v);
	return *out == NULL ? fail(r, o, what, v) : 0;
}

/* A class whose own code a person vouches for. */
static void
use_class(struct reader *r, sym name, uint32_t line)
{
	bound_use(r, value_name(r, name, line));
}

/* [("id", models.AutoField(…)), …] as tuples of a string and a call. */
static int
read_fields(struct reader *r, struct op *o, const struct value *v)
{
	v = eval_force(r, v);
	if (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE)
		return fail(r, o, "fields", v);
	struct value *l = value_new(r, VALUE_LIST, v->line);
	const struct value **items = arena_array(r->a, const struct value *,
	    v->n + 1);
	for (uint32_t i = 0; i < v->n; i++) {
		const struct value *t = eval_force(r, v->items[i]);
		if ((t->kind != VALUE_TUPLE && t->kind != VALUE_LIST) ||
		    t->n != 2)
			return fail(r, o, "fields", t);
		const struct value *f = eval_force(r, t->items[1]);
		const struct value *name = eval_force(r, t->items[0]);
		if (name->kind != VALUE_STR)
			return fail(r, o, "a field's name", name);
		if (f->kind != VALUE_CALL)
			return fail(r, o, name->text, f);
		if (f->why != NULL)
			use_class(r, f->name, o->line);
		struct value *pair = value_new(r, VALUE_TUPLE, t->line);
		const struct value **both =
		    arena_array(r->a, const struct value *, 2);
		both[0] = name;
		both[1] = field_settled(r, f);
		pair->items = both;
		pair->n = 2;
		items[l->n++] = value_seal(r, pair);
	}
	l->items = items;
	o->fields = value_seal(r, l);
	return 0;
}

static sym
code_name(struct reader *r, const struct value *v)
{
	if (v->kind == VALUE_NAME || v->kind == VALUE_CALL)
		return v->name;
	return sym_get(r->a, "<lambda>");
}

/* options: a dict; bases: a tuple; None is neither. */
static int
read_meta(struct reader *r, struct op *o, enum slot slot, const char *what,
    const struct value *v)
{
	if (v->kind == VALUE_NONE)
		return 0;
	if (slot == A_OPTIONS) {
		o->options = v;
		return v->kind != VALUE_DICT ? fail(r, o, what, v) : 0;
	}
	o->bases = v;
	return v->kind != VALUE_TUPLE && v->kind != VALUE_LIST ?
	    fail(r, o, what, v) : 0;
}

/* Operations of an operation: all of one world, or nobody can tell. */
static struct op_list
ops_within(struct reader *r, const struct value *v)
{
	struct op_list l = ops_read(r, v);
	struct op *ops = arena_copy(r->a, l.v, l.n * sizeof(*l.v));

	for (uint32_t i = 0; i < l.n; i++) {
		ops[i].maybe |= ops[i].not_in != 0;
		ops[i].not_in = 0;
	}
	return (struct op_list){ ops, l.n };
}

static int
read_arg(struct reader *r, struct op *o, enum slot slot, const char *what,
    const struct value *v)
{
	switch (slot) {
	case A_NONE:
		return 0;
	case A_MODEL:
	case A_TITLE:
		if (read_string(r, o, what, v, &o->title) < 0)
			return -1;
		o->model = sym_lower(r->a, o->title);
		return 0;
	case A_NEW_TITLE:
		if (read_string(r, o, what, v, &o->title) < 0)
			return -1;
		o->to = sym_lower(r->a, o->title);
		return 0;
	case A_NAME:
		return read_string(r, o, what, v, &o->name);
	case A_TO_NULL:
		v = eval_force(r, v);
		if (v->kind == VALUE_NONE)
			return 0;
		/* fallthrough */
	case A_TO:
		return read_string(r, o, what, v, &o->to);
	case A_FIELD:
	case A_INDEX:
		o->value = eval_force(r, v);
		if (o->value->kind != VALUE_CALL)
			return fail(r, o, what, o->value);
		if (o->value->why != NULL)
			use_class(r, o->value->name, o->line);
		o->value = field_settled(r, o->value);
		v = value_arg(o->value, "name", -1);
		if (slot == A_INDEX && v != NULL)
			return read_string(r, o, "its name", v, &o->name);
		return 0;
	case A_VALUE:
		o->value = eval_force(r, v);
		return o->value->kind == VALUE_OPAQUE ?
		    fail(r, o, what, o->value) : 0;
	case A_FIELDS:
		return read_fields(r, o, v);
	case A_OPTIONS:
	case A_BASES:
		return read_meta(r, o, slot, what, eval_force(r, v));
	case A_KEEP:
		v = eval_force(r, v);
		if (v->kind != VALUE_BOOL)
			return fail(r, o, what, v);
		o->preserve_default = v->i != 0;
		return 0;
	case A_SQL:
		read_sql(r, v, &o->sql, &o->nsql, &o->noop);
		return 0;
	case A_RSQL:
		v = eval_force(r, v);
		if (v->kind == VALUE_NONE)
			return 0;
		o->reversible = true;
		read_sql(r, v, &o->rsql, &o->nrsql, &o->rnoop);
		return 0;
	case A_CODE:
		bound_use(r, v);
		o->name = code_name(r, v);
		o->noop = streq(o->name, MIG "RunPython.noop");
		return 0;
	case A_RCODE:
		if (v->kind == VALUE_NONE)
			return 0;
		bound_use(r, v);
		o->reversible = true;
		o->rnoop = streq(code_name(r, v), MIG "RunPython.noop");
		return 0;
	case A_STATE:
		o->state = ops_within(r, v);
		return 0;
	case A_DB:
		o->db = ops_within(r, v);
		return 0;
	}
	return 0;
}

/* RenameIndex(old_name=…) or (old_fields=…) */
static int
read_rename_index(struct reader *r, struct op *o, const struct value *call)
{
	const struct value *name = value_arg(call, "old_name", 2);
	const struct value *fields = value_arg(call, "old_fields", 3);

	if (name != NULL && name->kind != VALUE_NONE)
		return read_string(r, o, "old_name", name, &o->name);
	if (fields == NULL)
		return fail(r, o, "old_name", call);
	o->value = eval_force(r, fields);
	return 0;
}

static const struct form *
form_of(const char *cls)
{
	for (size_t i = 0; i < countof(forms); i++)
		if (streq(forms[i].cls, cls))
			return &forms[i];
	return NULL;
}

static bool
required(const struct form *f, size_t i)
{
	enum slot s = f->arg[i].slot;

	return s != A_NONE && s != A_OPTIONS && s != A_BASES && s != A_KEEP &&
	    s != A_RSQL && s != A_RCODE && s != A_STATE && s != A_DB;
}

static struct op
read_form(struct reader *r, const struct form *f, const struct value *call)
{
	struct op o = { .kind = f->kind, .line = call->line,
	    .cls = call->name, .name = sym_get(r->a, f->name),
	    .preserve_default = true, .concurrently = f->concurrently,
	    .not_valid = f->not_valid };
	int rc = 0;

	for (size_t i = 0; i < countof(f->arg) && f->arg[i].name != NULL &&
	    rc == 0; i++) {
		const struct value *v = value_arg(call, f->arg[i].name,
		    (int)i);
		if (v != NULL)
			rc = read_arg(r, &o, f->arg[i].slot, f->arg[i].name, v);
		else if (required(f, i))
			rc = fail(r, &o, f->arg[i].name, call);
	}
	if (rc == 0 && f->kind == OP_RENAME_INDEX)
		rc = read_rename_index(r, &o, call);
	if (f->kind == OP_COLLATION)
		o.value = call;
	if (f->kind == OP_EXTENSION || f->kind == OP_COLLATION)
		o.reversible = true;
	if (rc < 0) {
		sym why = o.why;
		sym model = o.model;
		o = op_opaque(r, call->line, call->name, why);
		o.model = model;
	}
	return o;
}

bool
op_known(const char *cls)
{
	return streq(cls, "none") || form_of(cls) != NULL;
}

static bool
is_idle(const char *cls, const char *known)
{
	for (size_t i = 0; i < countof(idle); i++)
		if (streq(idle[i], cls))
			return true;
	return known != NULL && streq(known, "none");
}

/* It touches the state alone. */
static struct op
state_only(struct reader *r, struct op o)
{
	return o.kind == OP_OPAQUE ? o : (struct op){ .kind = OP_SEPARATE,
	    .line = o.line, .cls = o.cls, .maybe = o.maybe,
	    .preserve_default = true,
	    .state = { arena_copy(r->a, &o, sizeof(o)), 1 } };
}

/* A class of the project that only dresses up one of Django's, or one of which
 * the configuration says what it is. */
static struct op
read_custom(struct reader *r, const struct value *call)
{
	const char *known = given_operation(r, call->name);
	struct class_info ci;
	const struct form *f;
	struct op o;

	if (known == NULL && op_trigger(r, &o, call))
		return o;
	if (is_idle(call->name, known))
		return (struct op){ .kind = OP_SEPARATE,
		    .line = call->line, .cls = call->name };
	if (known != NULL)
		return read_form(r, form_of(known), call);
	use_class(r, call->name, call->line);
	class_follow(r, &ci, call->name);
	f = ci.base != NULL ? form_of(ci.base) : NULL;
	if (f == NULL)
		return op_opaque(r, call->line, call->name,
		    sym_printf(r->a, ci.where == NULL ?
		    "operation %s is not known" :
		    "operation %s comes from no operation of Django",
		    call->name));
	struct value v = *call;
	if (ci.op_own == NULL && (!op_follow(r, &v, &ci) ||
	    (ci.op_idle != 0 && ci.op_idle != 3)))
		ci.op_own = "__init__";
	if (ci.op_own != NULL)
		return op_opaque(r, call->line, call->name, sym_printf(r->a,
		    "operation %s (%s:%u) has code of its own", call->name,
		    ci.where != NULL ? ci.where : "?", ci.line));
	return ci.op_idle == 3 ? state_only(r, read_form(r, f, &v)) :
	    read_form(r, f, &v);
}

struct ops {
	struct list(struct op) v;
};

static struct op
read_call(struct reader *r, const struct value *call)
{
	const struct form *f = form_of(call->name);

	if (call->either)
		return op_opaque(r, call->line, call->name,
		    "depends on a condition");
	return f != NULL ? read_form(r, f, call) : read_custom(r, call);
}

static void
add_op(struct reader *r, struct ops *to, struct op o, struct under u)
{
	o.maybe = u.maybe;
	o.not_in = u.not_in;
	*list_add(r->a, &to->v) = o;
}

/* Arguments whose choices show only where they are followed. */
static const struct value *
with_choices(struct reader *r, const struct value *call)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < call->n + call->nkw && n == 0; i++)
		n += eval_force(r, i < call->n ? call->items[i] :
		    call->kw[i - call->n].value)->either;
	if (n == 0)
		return call;
	struct value *w = arena_copy(r->a, call, sizeof(*call));
	const struct value **items = arena_array(r->a, const struct value *,
	    call->n + 1);
	struct kwarg *kw = arena_array(r->a, struct kwarg, call->nkw + 1);
	for (uint32_t i = 0; i < call->n; i++)
		items[i] = eval_force(r, call->items[i]);
	for (uint32_t i = 0; i < call->nkw; i++)
		kw[i] = (struct kwarg){ call->kw[i].name,
		    eval_force(r, call->kw[i].value) };
	w->items = items;
	w->kw = kw;
	return value_seal(r, w);
}

/* What it is made of differs by world: one operation for each that it is. */
static void
read_worlds(struct reader *r, struct ops *to, const struct value *call,
    struct under u)
{
	uint8_t done = u.not_in;

	for (uint32_t w = 0; w < WORLDS; w++) {
		const struct value *v = value_in_world(r, call, w);
		uint8_t same = 0;
		for (uint32_t k = w; k < WORLDS; k++)
			if ((done >> k & 1) == 0 && value_equal(v,
			    value_in_world(r, call, k)))
				same |= (uint8_t)(1u << k);
		if ((same >> w & 1) != 0)
			add_op(r, to, v->kind != VALUE_CALL ? op_opaque(r,
			    call->line, NULL, "depends on a condition") :
			    read_call(r, v), (struct under){ u.maybe,
			    (uint8_t)~same });
		done |= same;
	}
}

static void
read_op(struct reader *r, struct ops *to, const struct value *v,
    struct under u)
{
	struct op o;

	u = under_both(u, under_of(v));
	if (u.not_in == ALL_WORLDS)
		return;
	v = eval_force(r, v);
	if (v->kind == VALUE_OPAQUE && v->n > 0 && r->depth < READER_DEPTH) {
		r->depth++;	/* one or the other, each in its worlds */
		for (uint32_t i = 0; i < v->n; i++)
			read_op(r, to, v->items[i], u);
		r->depth--;
		return;
	}
	if (v->kind == VALUE_CALL)
		v = with_choices(r, v);
	if (v->kind == VALUE_CALL && v->either) {
		read_worlds(r, to, v, u);
		return;
	}
	if (v->kind != VALUE_CALL) {
		o = op_opaque(r, v->line, NULL, v->kind == VALUE_OPAQUE &&
		    v->why != NULL ? v->why : "not an operation");
	} else {
		o = read_call(r, v);
	}
	add_op(r, to, o, u);
}

struct op_list
ops_read(struct reader *r, const struct value *v)
{
	struct ops ops = { 0 };

	v = eval_force(r, v);
	if (v->kind == VALUE_NONE)
		return (struct op_list){ NULL, 0 };
	if (v->kind == VALUE_OPAQUE && v->n > 0) {
		struct value *none = value_new(r, VALUE_LIST, v->line);
		const struct value *all = value_join(r, value_seal(r, none), v,
		    EVER);
		v = all != NULL ? all : v;
	}
	if (r->depth > READER_DEPTH) {
		*list_add(r->a, &ops.v) = op_opaque(r, v->line, NULL,
		    "nested too deeply");
	} else if (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE) {
		*list_add(r->a, &ops.v) = op_opaque(r, v->line, NULL,
		    v->kind == VALUE_OPAQUE && v->why != NULL ? v->why :
		    "operations that are not written out");
	} else {
		r->depth++;
		for (uint32_t i = 0; i < v->n; i++)
			read_op(r, &ops, v->items[i], EVER);
		r->depth--;
	}
	return (struct op_list){ ops.v.v, ops.v.n };
}

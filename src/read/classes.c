/* Classes of the project, down to those of Django that they come from. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/module.h"

#define FOLLOW_MAX 24

/* super().name(…) */
static bool
calls_super(const struct syntax *y, uint32_t call, sym name)
{
	uint32_t fn = y->v[call].kind == N_CALL ?
	    node_field(y, call, F_FUNCTION) : 0;
	uint32_t object = fn != 0 ? node_field(y, fn, F_OBJECT) : 0;
	uint32_t attr = fn != 0 ? node_field(y, fn, F_ATTRIBUTE) : 0;
	uint32_t super = object != 0 && y->v[object].kind == N_CALL ?
	    node_field(y, object, F_FUNCTION) : 0;
	size_t n = strlen(name);

	return super != 0 && attr != 0 &&
	    y->v[super].end - y->v[super].start == 5 &&
	    memcmp(y->text + y->v[super].start, "super", 5) == 0 &&
	    y->v[attr].end - y->v[attr].start == n &&
	    memcmp(y->text + y->v[attr].start, name, n) == 0;
}

/* Does the block, on PostgreSQL, only do what the base's method does? 1: it
 * has called it, 0: nothing so far, 2: it returns, -1: it does more. */
static int
only_super(struct reader *r, struct scope *s, uint32_t block, sym name,
    int depth)
{
	const struct syntax *y = &s->m->syn;
	int did = 0;

	for (uint32_t c = node_first(y, block); c != 0 && depth < 4;
	    c = node_next(y, block, c)) {
		uint32_t in = node_first(y, c);
		enum node_kind k = y->v[c].kind;
		if (k == N_PASS || (k == N_STATEMENT && in != 0 &&
		    y->v[in].kind == N_STRING))
			continue;
		if (k == N_RETURN && in == 0)
			return did == 1 ? 1 : 2;
		if ((k == N_STATEMENT || k == N_RETURN) && in != 0 &&
		    did == 0 && calls_super(y, in, name)) {
			did = 1;
			continue;
		}
		uint32_t test = k == N_IF ? node_field(y, c, F_CONDITION) : 0;
		uint32_t yes = k == N_IF ? node_field(y, c, F_CONSEQUENCE) : 0;
		if (test == 0 || yes == 0 ||
		    node_field(y, c, F_ALTERNATIVE) != 0)
			return -1;
		int t = eval_truth(r, eval(r, s, test));
		int sub = t == 1 ? only_super(r, s, yes, name, depth + 1) : 0;
		if (t < 0 || sub < 0 || (sub == 1 && did == 1))
			return -1;
		if (sub == 2)
			return did == 1 ? 1 : 2;
		did |= sub;
	}
	return did;
}

/* 1: it does what the base's does, 0: nothing at all, -1: something else. */
static int
adds(struct reader *r, struct scope *cls, const struct binding *b)
{
	const struct syntax *y = &cls->m->syn;
	uint32_t body = b->kind == BIND_FUNCTION && !b->dressed ?
	    node_field(y, b->node, F_BODY) : 0;
	int did = body == 0 ? -1 : only_super(r, &cls->m->top, body, b->name,
	    0);

	return did == 2 ? 0 : did;
}

/* What decides about an operation: not what Django's has no name for, which
 * nobody calls but itself. */
bool
op_decides(const char *name)
{
	static const char *const fine[] = { "reversible", "reduces_to_sql",
	    "atomic", "elidable", "category", "describe",
	    "migration_name_fragment", "formatted_description",
	    "references_model", "references_field", "reduce",
	    "can_reduce_through", "deconstruct",
	    "serialization_expand_args", "__doc__", "__module__",
	    "__qualname__", "__slots__", "__repr__", "__eq__", "__hash__" };
	static const char *const used[] = { "ALTER_OPTION_KEYS",
	    "allow_migrate_model", "args", "bases", "code", "constraint",
	    "create_collation", "database_backwards", "database_forwards",
	    "database_operations", "deterministic",
	    "extension_exists", "field", "fields", "hints", "index",
	    "index_together", "is_same_field_operation",
	    "is_same_model_operation", "kwargs", "locale", "managers",
	    "model_name", "model_name_lower", "name", "name_lower",
	    "new_name", "new_name_lower", "noop", "old_fields", "old_name",
	    "old_name_lower", "option_name", "option_value", "options",
	    "order_with_respect_to", "preserve_default", "provider",
	    "remove_collation", "reverse_code", "reverse_sql", "sql",
	    "state_forwards", "state_operations", "table", "table_comment",
	    "unique_together" };

	for (size_t i = 0; i < countof(fine); i++)
		if (streq(name, fine[i]))
			return false;
	for (size_t i = 0; i < countof(used); i++)
		if (streq(name, used[i]))
			return true;
	return name[0] == '_';
}

/* May an operation define it, and what it does is known all the same? */
static bool
op_harmless(struct reader *r, struct class_info *out, struct scope *cls,
    const struct binding *b)
{
	static const char *const run[] = { "database_forwards",
	    "database_backwards", "state_forwards" };

	for (size_t i = 0; i < countof(run); i++) {
		if (!streq(b->name, run[i]))
			continue;
		int did = adds(r, cls, b);
		if (did == 0 && i < 2)
			out->op_idle |= 1u << i;
		return did == 1 || (did == 0 && i < 2);
	}
	return !op_decides(b->name) || (streq(b->name, "__init__") &&
	    b->kind == BIND_FUNCTION && !b->dressed &&
	    out->ninits < countof(out->inits));
}

/* What decides about a field's column: its type alone, or more. */
enum decides
field_decides(const char *name)
{
	static const char *const types[] = { "db_check", "db_type",
	    "db_parameters", "db_type_suffix", "db_type_parameters",
	    "rel_db_type", "cast_db_type", "_get_data_type",
	    "get_internal_type", "max_length", "max_digits", "decimal_places",
	    "empty_strings_allowed", "db_collation", "non_db_attrs" };
	static const char *const more[] = { "__new__", "__getattr__",
	    "__getattribute__", "__setattr__", "__init_subclass__",
	    "__copy__", "__deepcopy__", "__reduce__", "__set_name__", "null",
	    "unique", "_unique", "primary_key", "db_index", "db_column",
	    "column", "attname", "contribute_to_class",
	    "get_attname", "get_attname_column", "set_attributes_from_name",
	    "db_default", "_db_default_expression", "generated",
	    "db_persist", "many_to_many", "db_constraint", "remote_field",
	    "concrete", "to_fields", "from_fields",
	    "resolve_related_fields", "foreign_related_fields" };

	for (size_t i = 0; i < countof(types); i++)
		if (streq(name, types[i]))
			return DECIDES_TYPE;
	for (size_t i = 0; i < countof(more); i++)
		if (streq(name, more[i]))
			return DECIDES_MORE;
	return DECIDES_NOTHING;
}

/* self.null = …, setattr(…) somewhere in a piece of code? */
static bool
changes(const char *s, size_t len, bool op)
{
	const char *end = s + len;

	if (memmem(s, len, "setattr(self", 12) != NULL ||
	    memmem(s, len, "vars(self", 9) != NULL ||
	    memmem(s, len, "__dict__", 8) != NULL)
		return true;
	while ((s = memmem(s, (size_t)(end - s), "self.", 5)) != NULL) {
		size_t n = 0;
		char name[40];
		s += 5;
		while (s + n < end && (isalnum((unsigned char)s[n]) ||
		    s[n] == '_'))
			n++;
		const char *after = s + n;
		while (after < end && (*after == ' ' || *after == '\t'))
			after++;
		if (n == 0 || n >= sizeof(name) || end - after < 2 ||
		    strchr("=+|:", *after) == NULL ||
		    (*after == '=' && after[1] == '=') ||
		    (*after == ':' && after[1] == '\n'))
			continue;
		memcpy(name, s, n);
		name[n] = '\0';
		if (op ? op_decides(name) :
		    field_decides(name) != DECIDES_NOTHING)
			return true;
	}
	return false;
}

bool
field_changes(const char *s, size_t len)
{
	return changes(s, len, false);
}

bool
op_changes(const char *s, size_t len)
{
	return changes(s, len, true);
}

/* A method that calls its base's and does nothing to the column. */
static bool
only_looks(const struct syntax *y, const struct binding *b)
{
	const struct node *n = &y->v[b->node];
	const char *s = y->text + n->start;
	size_t len = n->end - n->start;

	return b->kind == BIND_FUNCTION && !b->dressed &&
	    (streq(b->name, "contribute_to_class") ||
	    streq(b->name, "set_attributes_from_name")) &&
	    memmem(s, len, "super()", 7) != NULL && !field_changes(s, len);
}

/* get_internal_type() that returns a word: that field's. */
static sym
internal_type(struct reader *r, struct scope *cls, const struct binding *b)
{
	const struct syntax *y = &cls->m->syn;
	uint32_t body = b->kind == BIND_FUNCTION && !b->dressed ?
	    node_field(y, b->node, F_BODY) : 0;
	uint32_t first = body != 0 ? node_first(y, body) : 0;
	uint32_t value = first != 0 && y->v[first].kind == N_RETURN ?
	    node_first(y, first) : 0;
	sym word = value != 0 && y->v[value].kind == N_STRING ?
	    value_str(r->a, eval(r, cls, value)) : NULL;

	return word != NULL ? sym_printf(r->a, "django.db.models.%s", word) :
	    NULL;
}

/* deconstruct() that puts in what decides about the column: a clone of the
 * field, which is what Django works with, is another one. */
static enum decides
deconstructs(const struct syntax *y, uint32_t fn)
{
	enum decides out = DECIDES_NOTHING;

	for (uint32_t i = fn; i < fn + y->v[fn].size; i++) {
		uint32_t at = y->v[i].kind == N_SUBSCRIPT &&
		    y->v[i].field == F_LEFT ?
		    node_field(y, i, F_SUBSCRIPT) : 0;
		size_t n = at != 0 ? y->v[at].end - y->v[at].start : 0;
		char name[40];
		if (at == 0)
			continue;
		if (y->v[at].kind != N_STRING || n < 3 || n - 2 >= sizeof(name))
			return DECIDES_MORE;
		memcpy(name, y->text + y->v[at].start + 1, n - 2);
		name[n - 2] = '\0';
		enum decides d = field_decides(name);
		out = d > out ? d : out;
	}
	return node_field(y, fn, F_BODY) == 0 ? DECIDES_MORE : out;
}

/* An attribute that every field sets on itself: of the class it is nothing,
 * unless it is a property or the like. */
static bool
is_shadowed(struct reader *r, struct scope *cls, const struct binding *b)
{
	static const char *const names[] = { "_unique", "db_collation" };
	bool among = false;

	for (size_t i = 0; i < countof(names); i++)
		among |= streq(names[i], b->name);
	if (!among || b->kind != BIND_EXPR)
		return false;
	const struct value *v = eval(r, cls, b->node);
	return v->kind != VALUE_OPAQUE && v->kind != VALUE_NAME &&
	    v->kind != VALUE_CALL;
}

/* What one attribute or method of the class decides. */
static enum decides
decides_by(struct reader *r, struct scope *cls, const struct binding *b)
{
	const struct syntax *y = &cls->m->syn;
	bool fn = b->kind == BIND_FUNCTION;

	if (streq(b->name, "__init__"))
		return DECIDES_MORE;
	if (streq(b->name, "deconstruct") || streq(b->name, "clone"))
		return !fn || b->dressed ? DECIDES_MORE : deconstructs(y,
		    b->node);
	if (streq(b->name, "get_internal_type") && internal_type(r, cls, b))
		return DECIDES_NOTHING;
	if (only_looks(y, b) || is_shadowed(r, cls, b))
		return DECIDES_NOTHING;
	/* a method that __init__ may call */
	if (fn && field_changes(y->text + y->v[b->node].start,
	    y->v[b->node].end - y->v[b->node].start))
		return DECIDES_MORE;
	return field_decides(b->name);
}

static void
own(struct class_info *out, sym what, enum decides d)
{
	if (d <= out->decides)
		return;
	out->decides = d;
	out->field_own = what;
}

static void
look_at(struct reader *r, struct class_info *out, struct scope *cls,
    const struct binding *b)
{
	bool fn = b->kind == BIND_FUNCTION;

	if (out->op_own == NULL && !op_harmless(r, out, cls, b))
		out->op_own = b->name;
	if (streq(b->name, "get_internal_type") && out->base == NULL)
		out->base = internal_type(r, cls, b);
	if (streq(b->name, "__init__") && fn && !b->dressed &&
	    out->ninits < countof(out->inits)) {
		out->inits[out->ninits].cls = cls;
		out->inits[out->ninits++].fn = b->node;
	} else {
		own(out, b->name, decides_by(r, cls, b));
	}
}

static void
both_own(struct class_info *out, sym what)
{
	if (out->op_own == NULL)
		out->op_own = what;
	own(out, what, DECIDES_MORE);
}

static void
follow_class(struct reader *r, struct class_info *out, const char *dotted,
    int depth, bool base)
{
	struct scope *at;

	if (starts_with(dotted, "django.")) {
		if (out->base == NULL)
			out->base = django_short(r->a, dotted);
		return;
	}
	struct binding *b = depth < FOLLOW_MAX ? dotted_find(r, dotted, &at) :
	    NULL;
	if (b == NULL) {
		if (r->leads != NULL && out->base == NULL)
			out->base = django_short(r->a, r->leads);
		if (r->leads == NULL && depth > 0 &&
		    !streq(dotted, "object") && !module_of_python(dotted))
			both_own(out, sym_get(r->a, dotted));
		return;
	}
	if (b->kind == BIND_EXPR) {	/* Money = models.DecimalField */
		const struct value *v = eval_binding(r, at, b);
		if (v->kind == VALUE_NAME && !streq(v->name, dotted))
			follow_class(r, out, v->name, depth + 1, base);
		else
			both_own(out, b->name);
		return;
	}
	if (b->kind != BIND_CLASS) {
		if (depth > 0 || b->kind == BIND_UNKNOWN)
			both_own(out, b->name);
		return;
	}
	out->cls |= !base;
	if (b->dressed || under_some(b->u))
		both_own(out, b->name);
	struct scope *cls = class_scope(r, at->m, b->node);
	const struct syntax *y = &cls->m->syn;
	if (out->where == NULL) {
		out->where = at->m->path;
		out->line = y->v[b->node].line;
	}
	for (uint32_t i = 0; i < cls->binds.n; i++)
		look_at(r, out, cls, &cls->binds.v[i]);
	uint32_t list = class_supers(cls);
	for (uint32_t c = list != 0 ? node_first(y, list) : 0; c != 0;
	    c = node_next(y, list, c)) {
		const struct value *v = eval(r, cls->outer, c);
		if (v->kind == VALUE_NAME && !streq(v->name, cls->dotted))
			follow_class(r, out, v->name, depth + 1, true);
		else	/* metaclass=…, a call */
			both_own(out, sym_getn(r->a, y->text + y->v[c].start,
			    y->v[c].end - y->v[c].start));
	}
}

void
class_follow(struct reader *r, struct class_info *out, const char *dotted)
{
	*out = (struct class_info){ 0 };
	follow_class(r, out, dotted, 0, false);
}

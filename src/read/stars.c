/* What `from x import *` binds, and what it hides. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/module.h"

#define STARS_DEEP 24

/* What the stars of Django's modules bind: in every version, in some. */
static const char *const models[] = {
	"Aggregate", "AutoField", "Avg", "BLANK_CHOICE_DASH", "BigAutoField", "BigIntegerField", "BinaryField", "BooleanField", "CASCADE", "Case",
	"CharField", "CheckConstraint", "Choices", "CommaSeparatedIntegerField", "Count", "DEFERRED", "DO_NOTHING", "DateField", "DateTimeField",
	"DecimalField", "Deferrable", "DurationField", "EmailField", "Empty", "Exists", "Expression", "ExpressionList", "ExpressionWrapper", "F",
	"Field", "FileField", "FilePathField", "FilteredRelation", "FloatField", "ForeignKey", "ForeignObject", "ForeignObjectRel", "Func",
	"GenericIPAddressField", "IPAddressField", "ImageField", "Index", "IntegerChoices", "IntegerField", "JSONField", "Lookup", "Manager",
	"ManyToManyField", "ManyToManyRel", "ManyToOneRel", "Max", "Min", "Model", "NOT_PROVIDED", "NullBooleanField", "ObjectDoesNotExist",
	"OneToOneField", "OneToOneRel", "OrderBy", "OrderWrt", "OuterRef", "PROTECT", "PositiveBigIntegerField", "PositiveIntegerField",
	"PositiveSmallIntegerField", "Prefetch", "ProtectedError", "Q", "QuerySet", "RESTRICT", "RestrictedError", "RowRange", "SET", "SET_DEFAULT",
	"SET_NULL", "SlugField", "SmallAutoField", "SmallIntegerField", "StdDev", "Subquery", "Sum", "TextChoices", "TextField", "TimeField",
	"Transform", "URLField", "UUIDField", "UniqueConstraint", "Value", "ValueRange", "Variance", "When", "Window", "WindowFrame",
	"prefetch_related_objects", "signals" };
static const char *const some_models[] = { "AnyValue", "BLANK_CHOICE_LABEL", "BaseConstraint", "BitAnd", "BitOr", "BitXor", "CompositePrimaryKey",
	"DB_CASCADE", "DB_SET_DEFAULT", "DB_SET_NULL", "FETCH_ONE", "FETCH_PEERS", "FETCH_RAISE", "GeneratedField", "JSONNull", "StringAgg",
	"WindowFrameExclusion", "aprefetch_related_objects" };
static const char *const operations[] = { "AddConstraint", "AddField", "AddIndex", "AlterField", "AlterIndexTogether", "AlterModelManagers",
	"AlterModelOptions", "AlterModelTable", "AlterOrderWithRespectTo", "AlterUniqueTogether", "CreateModel", "DeleteModel", "RemoveConstraint",
	"RemoveField", "RemoveIndex", "RenameField", "RenameModel", "RunPython", "RunSQL", "SeparateDatabaseAndState" };
static const char *const some_operations[] = { "AlterConstraint", "AlterModelTableComment", "RenameIndex" };
static const char *const around[] = { "Migration", "exceptions", "migration", "operations", "state", "swappable_dependency", "utils" };

/* Does a star of Django's bind the name? 1: surely, 0: it may, -1: no. */
static int
of_django(const char *from, const char *name)
{
	bool all = streq(from, "django.db.migrations");

	if (streq(from, "django.db.models") ||
	    streq(from, "django.contrib.gis.db.models"))
		return AMONG(models, name) ? 1 :
		    AMONG(some_models, name) ||
		    from[7] == 'c' ? 0 : -1;
	if (all || streq(from, "django.db.migrations.operations"))
		return AMONG(operations, name) ||
		    (all && AMONG(around, name)) ? 1 :
		    AMONG(some_operations, name) ?
		    0 : -1;
	return 0;
}

/* Does a star hand on a name of its module? 2: as its __all__ says, 1: as it
 * has none, -1: that cannot be told. */
static int
exported(struct reader *r, struct module *m, sym name)
{
	struct binding *b = scope_own(&m->top, sym_get(r->a, "__all__"));

	if (b == NULL)
		return *name != '_';
	const struct value *v = eval_force(r, eval_binding(r, &m->top, b));
	if (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE)
		return -1;
	int got = 0;
	for (uint32_t i = 0; i < v->n && got != 2; i++) {
		sym s = value_str(r->a, v->items[i]);
		bool some = under_some(under_of(v->items[i]));
		got = s == NULL || (streq(s, name) && some) ? -1 :
		    streq(s, name) ? 2 : got;
	}
	return got;
}

static bool
is_same(const struct bound *a, const struct bound *b)
{
	if (a->lost || b->lost)
		return false;
	if (a->b == NULL || b->b == NULL)
		return a->b == b->b && a->from == b->from;
	return a->b == b->b || (a->b->kind == BIND_IMPORT &&
	    b->b->kind == BIND_IMPORT && streq(a->b->dotted, b->b->dotted));
}

static bool
is_found(const struct bound *f)
{
	return f->b != NULL || f->lost || f->from != NULL;
}

static bool
is_django(const struct bound *f)
{
	sym from = f->b == NULL ? f->from : f->b->kind == BIND_IMPORT ?
	    f->b->dotted : NULL;

	return from != NULL && starts_with(from, "django.");
}

/* Both may be what it is: the later one, and what it was before. */
static void
merge(struct bound *late, const struct bound *early)
{
	if (!is_found(early))
		return;
	if (!is_found(late) || (is_django(late) && is_django(early) &&
	    late->b == NULL))
		*late = *early;		/* Django has one of that name */
	else if (!is_same(late, early))
		late->lost = true;
}

static bool find(struct reader *r, struct scope *top, sym name,
    struct bound *f, int depth);

/* What one star gives. 1: surely, 0: perhaps, -1: nothing that is known. */
static int
star_gives(struct reader *r, const struct star *st, sym name,
    struct bound *f, int depth)
{
	bool sure = false;

	*f = (struct bound){ .node = st->node };
	if (module_of_python(st->from))
		return -1;
	if (starts_with(st->from, "django.")) {
		int got = of_django(st->from, name);
		f->from = got < 0 ? NULL : st->from;
		return got == 1 && st->maybe ? 0 : got;
	}
	struct module *m = depth < STARS_DEEP ? module_find(r, st->from) :
	    NULL;
	if (m == NULL) {
		f->from = starts_with(name, "__") ? NULL : st->from;
		return f->from != NULL ? 0 : -1;
	}
	int out = exported(r, m, name);
	if (out != 0)
		sure = find(r, &m->top, name, f, depth + 1);
	f->lost |= !is_found(f) && (m->wild != 0 || out == 2);
	f->node = st->node;
	if (!is_found(f))
		return -1;
	return out > 0 && sure && !st->maybe && !f->lost;
}

/* Is what the name was bound to before of no account? Where it is, work_out()
 * thinks of it, but for definitions. */
static bool
hides(const struct binding *b)
{
	return !under_some(b->u) || (b->kind != BIND_IMPORT && b->kind != BIND_CLASS &&
	    b->kind != BIND_FUNCTION);
}

/* true: it is surely bound */
static bool
find(struct reader *r, struct scope *top, sym name, struct bound *f, int depth)
{
	struct bound own = { .b = scope_own(top, name), .where = top };
	uint32_t k = own.b != NULL ? (uint32_t)(own.b - top->binds.v) + 1 : 0;
	uint32_t seen = top->limit > 0 ? top->limit - 1 : top->binds.n;
	bool sure = false, done = false;

	*f = (struct bound){ 0 };
	for (uint32_t i = top->stars.n; i > 0 && !done && !f->lost; i--) {
		struct star st = top->stars.v[i - 1];
		struct bound one;
		if (st.at > seen)
			continue;
		if (st.at < k && own.b != NULL) {
			merge(f, &own);
			sure = !under_some(own.b->u);
			done = hides(own.b);
			k = 0;
			if (done)
				break;
		}
		r->steps -= r->steps > 0;
		int got = star_gives(r, &st, name, &one, depth);
		if (got >= 0)
			merge(f, &one);
		if (got >= 0 && f->node == 0)
			f->node = st.node;
		done = got == 1;
		sure |= done;
		f->lost |= r->steps == 0;
	}
	if (k > 0 && !done) {
		merge(f, &own);
		sure |= !under_some(own.b->u);
	}
	/* changed here, in a way that is not followed */
	if ((f->b == NULL || f->b != own.b) && is_found(f) &&
	    top->m->spoilt.n > 0 &&
	    module_spoilt(top->m, top->fn, name))
		f->lost = true;
	return sure;
}

/* The last star of Django's: it may be of a newer one. */
static sym
django_star(const struct scope *s)
{
	sym from = NULL;

	for (uint32_t i = 0; i < s->stars.n; i++)
		if (starts_with(s->stars.v[i].from, "django."))
			from = s->stars.v[i].from;
	return from;
}

void
name_find(struct reader *r, struct scope *s, sym name, struct bound *f)
{
	*f = (struct bound){ 0 };
	for (; s != NULL; s = s->outer) {
		if (s->stars.n > 0)
			(void)find(r, s, name, f, 0);
		else if ((f->b = scope_own(s, name)) != NULL)
			f->where = s;
		if (f->lost) {
			f->b = arena_make(r->a, struct binding);
			f->b->name = name;
			f->b->kind = BIND_UNKNOWN;
			f->b->node = f->node;
			f->b->value = value_opaque_new(r, s, f->node,
			    "a name that import * may bind anew");
			f->where = s;
		}
		if (is_found(f))
			return;
		if (s->stars.n > 0)
			f->from = django_star(s);
	}
}

/* A name that only `from x import *` can have bound, or nothing. */
static const struct value *
loose_name(struct reader *r, struct scope *s, sym name, sym from,
    uint32_t line)
{
	static const char *const builtins[] = { "dict", "list", "set", "str",
	    "int", "bool", "float", "tuple", "frozenset", "bytes", "range",
	    "len", "open", "sorted", "zip", "enumerate", "reversed" };

	if (AMONG(builtins, name))
		return value_name(r, name, line);
	if (streq(name, "__file__") && s->m->path != NULL)
		return path_of_module(r, s->m, line);
	if (from != NULL && (starts_with(from, "django.") ||
	    isupper((unsigned char)*name)))
		return value_name(r, sym_printf(r->a, "%s.%s", from, name),
		    line);
	return value_name(r, name, line);
}

const struct value *
name_value(struct reader *r, struct scope *s, sym name, uint32_t line)
{
	struct bound f;

	name_find(r, s, name, &f);
	return f.b != NULL ? eval_binding(r, f.where, f.b) :
	    loose_name(r, s, name, f.from, line);
}

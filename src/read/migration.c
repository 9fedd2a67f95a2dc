#include "read/migration.h"

#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "read/digest.h"
#include "read/ops.h"
#include "read/read.h"

#define BEHIND_MAX 200	/* bindings after the class that are looked at */

struct attrs {
	struct reader *r;
	struct migration *m;
	struct scope *cls;
	struct list(struct problem) problems;
};

static void
problem(struct attrs *x, uint32_t line, const char *what)
{
	struct problem *p = list_add(x->r->a, &x->problems);

	p->line = line;
	p->what = sym_get(x->r->a, what);
}

/* The value of a class attribute; NULL: there is none. */
static const struct value *
attr(struct attrs *x, const char *name)
{
	struct scope *where;
	struct binding *b = class_attr(x->r, x->cls, sym_get(x->r->a, name),
	    &where);

	if (b == NULL || b->kind == BIND_FUNCTION || b->kind == BIND_CLASS)
		return NULL;
	return eval_force(x->r, eval_binding(x->r, where, b));
}

/* swappable_dependency(settings.AUTH_USER_MODEL), or of "app.Model" */
static bool
read_swappable(struct attrs *x, const struct value *call, struct dep *d)
{
	const struct value *of = call->n == 1 ? eval_force(x->r,
	    call->items[0]) : NULL;

	if (of == NULL)
		return false;
	d->name = sym_get(x->r->a, "__first__");
	if (of->kind == VALUE_NAME) {
		const char *dot = strrchr(of->name, '.');
		d->app = sym_get(x->r->a, dot != NULL ? dot + 1 : of->name);
		d->swappable = true;
		return true;
	}
	sym text = value_str(x->r->a, of);
	if (text == NULL || strchr(text, '.') == NULL)
		return false;
	d->app = sym_getn(x->r->a, text, strcspn(text, "."));
	return true;
}

static bool
read_dep(struct attrs *x, const struct value *v, struct dep *d)
{
	v = eval_force(x->r, v);
	d->line = v->line;
	if (v->kind == VALUE_CALL &&
	    ends_with(v->name, ".swappable_dependency"))
		return read_swappable(x, v, d);
	if (v->kind == VALUE_CALL && ends_with(v->name, ".SwappableTuple") &&
	    v->n == 2)
		v = eval_force(x->r, v->items[0]);
	if ((v->kind != VALUE_TUPLE && v->kind != VALUE_LIST) || v->n != 2)
		return false;
	d->app = value_str(x->r->a, eval_force(x->r, v->items[0]));
	d->name = value_str(x->r->a, eval_force(x->r, v->items[1]));
	return d->app != NULL && d->name != NULL;
}

static void
read_deps(struct attrs *x, const char *name, const struct dep **out,
    uint32_t *n)
{
	const struct value *v = attr(x, name);
	struct list(struct dep) deps = { 0 };

	if (v == NULL || v->kind == VALUE_NONE)
		return;
	if (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE &&
	    v->kind != VALUE_SET) {
		problem(x, v->line, sym_printf(x->r->a, "%s: %s", name,
		    v->why != NULL ? v->why : "not written out"));
		return;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		struct dep d = { 0 };
		if (read_dep(x, v->items[i], &d))
			*list_add(x->r->a, &deps) = d;
		else
			problem(x, d.line, sym_printf(x->r->a,
			    "%s: cannot be read", name));
	}
	*out = deps.v;
	*n = deps.n;
}

static int64_t
timedelta(const struct value *v)
{
	static const struct { const char *name; int64_t ms; } units[] = {
		{ "days", 86400000 }, { "seconds", 1000 }, { "minutes", 60000 },
		{ "hours", 3600000 }, { "weeks", 604800000 },
	};
	int64_t ms = 0;

	if (v == NULL || v->kind != VALUE_CALL)
		return 0;
	for (size_t i = 0; i < countof(units); i++) {
		const struct value *k = value_arg(v, units[i].name,
		    i < 2 ? (int)i : -1);
		if (k != NULL && k->kind == VALUE_INT && k->i >= 0 &&
		    k->i < 100000)
			ms += k->i * units[i].ms;
	}
	return ms;
}

/* Other tools' words for the same thing. */
static void
read_foreign_tag(struct attrs *x)
{
	struct tag t = { 0 };
	const struct value *v = attr(x, "safe");

	if (v != NULL && (v->kind == VALUE_NAME || v->kind == VALUE_CALL)) {
		t.source = TAG_SAFEMIGRATE;
		if (ends_with(v->name, "Safe.before_deploy") ||
		    ends_with(v->name, "Safe.always"))
			t.value = TAG_SAFE;
		else if (ends_with(v->name, "Safe.after_deploy"))
			t.value = TAG_UNSAFE;
		if (v->kind == VALUE_CALL)
			t.delay_ms = timedelta(value_arg(v, "delay", 0));
	}
	if (t.value == TAG_UNSET && (v = attr(x, "stage")) != NULL &&
	    v->kind == VALUE_NAME) {
		t.source = TAG_SYZYGY;
		if (ends_with(v->name, "Stage.PRE_DEPLOY"))
			t.value = TAG_SAFE;
		else if (ends_with(v->name, "Stage.POST_DEPLOY"))
			t.value = TAG_UNSAFE;
	}
	if (t.value == TAG_UNSET &&
	    (v = attr(x, "is_post_deployment")) != NULL &&
	    v->kind == VALUE_BOOL && v->i != 0) {
		t.source = TAG_SENTRY;
		t.value = TAG_UNSAFE;
	}
	if (t.value == TAG_UNSET)
		return;
	t.line = v != NULL ? v->line : 0;
	if (x->m->tag.source == TAG_NONE || x->m->tag.source == TAG_AUTO)
		x->m->tag = t;
}

/* Imports, and what numbers and orders a migration rather than being it. */
static void
read_digest(struct attrs *x, const char *text, size_t len)
{
	static const char *const names[] = { "dependencies", "replaces",
	    "run_before", "initial", "safe", "stage" };
	const struct syntax *y = &x->r->own->syn;
	bool here = x->cls->m == x->r->own;
	struct list(struct span) skip = { 0 };

	for (uint32_t c = node_first(y, 0); c != 0; c = node_next(y, 0, c)) {
		enum node_kind k = y->v[c].kind;
		if (k == N_IMPORT || k == N_IMPORT_FROM || k == N_FUTURE)
			*list_add(x->r->a, &skip) =
			    (struct span){ y->v[c].start, y->v[c].end };
		uint32_t body = here && c == x->cls->node ?
		    node_field(y, c, F_BODY) : 0;
		for (uint32_t s = body != 0 ? node_first(y, body) : 0; s != 0;
		    s = node_next(y, body, s)) {
			const struct node *n = &y->v[s];
			size_t w = 0;
			while (n->start + w < n->end && text[n->start + w] != ' ' &&
			    text[n->start + w] != '=' &&
			    text[n->start + w] != ':')
				w++;
			for (size_t i = 0; i < countof(names); i++)
				if (n->kind == N_STATEMENT &&
				    strlen(names[i]) == w &&
				    memcmp(text + n->start, names[i], w) == 0)
					*list_add(x->r->a, &skip) =
					    (struct span){ n->start, n->end };
		}
	}
	digest_read(x->m->digest, &x->m->tag, x->r->a, text, len, skip.v,
	    skip.n);
	if (!here)
		bound_class(x->r, x->m, x->cls->m);
	bound_read(x->r, x->m);
	struct tag *t = &x->m->tag;
	/* without the other files it is not known what they are now */
	if (x->r->looked && x->r->lookup == NULL)
		return;
	if (t->bound != NULL && t->wrong == NULL && t->source == TAG_PERSON &&
	    !starts_with(x->m->bound, t->bound))
		t->wrong = sym_printf(x->r->a, "written for other operations "
		    "(for=%s, they are %.8s now)", t->bound, x->m->bound);
}

static void
add_op(struct attrs *x, const struct op *op)
{
	struct op *ops = arena_array(x->r->a, struct op, x->m->ops.n + 1);

	for (uint32_t k = 0; k < x->m->ops.n; k++)
		ops[k] = x->m->ops.v[k];
	ops[x->m->ops.n++] = *op;
	x->m->ops.v = ops;
}

/* What a migration may define without changing what Django does with it. */
static bool
harmless(sym name)
{
	static const char *const fine[] = { "__doc__", "__module__",
	    "__qualname__", "__slots__", "__test__", "__repr__", "__str__" };
	static const char *const run[] = { "apply", "unapply", "mutate_state",
	    "suggest_name" };

	for (size_t i = 0; i < countof(fine); i++)
		if (streq(name, fine[i]))
			return true;
	for (size_t i = 0; i < countof(run); i++)
		if (streq(name, run[i]))
			return false;
	return !starts_with(name, "__") || !ends_with(name, "__");
}

/* Class attributes that Django reads: as a value they are followed. */
static bool
is_data(sym name)
{
	static const char *const names[] = { "operations", "dependencies",
	    "run_before", "replaces", "initial", "atomic" };

	for (size_t i = 0; i < countof(names); i++)
		if (streq(name, names[i]))
			return true;
	return false;
}

static void
odd_op(struct attrs *x, const struct module *m, uint32_t line, const char *why)
{
	bool own = m == x->cls->m;
	struct op o = op_opaque(x->r, own ? line : 0, NULL, own ? why :
	    sym_printf(x->r->a, "%s (%s:%u)", why, m->path, line));

	add_op(x, &o);
}

/* In some worlds it has what its bases have. */
static bool
at_times(const struct scope *cls, sym name)
{
	bool some = false;

	for (uint32_t i = 0; i < cls->binds.n; i++) {
		if (cls->binds.v[i].name != name)
			continue;
		if (!under_some(cls->binds.v[i].u))
			return false;
		some = true;
	}
	return some;
}

static void
own_code(struct class_walk *w, struct scope *cls)
{
	struct attrs *x = w->ctx;

	for (uint32_t i = 0; i < cls->binds.n; i++) {
		const struct binding *b = &cls->binds.v[i];
		bool fn = b->kind == BIND_FUNCTION || b->kind == BIND_CLASS;
		if (cls != x->cls && is_data(b->name) &&
		    at_times(x->cls, b->name))
			odd_op(x, cls->m, cls->m->syn.v[b->node].line,
			    sym_printf(x->r->a, "the migration has these %s "
			    "where a condition leaves it without its own",
			    b->name));
		if (!harmless(b->name) || (fn && is_data(b->name)))
			odd_op(x, cls->m, cls->m->syn.v[b->node].line,
			    sym_printf(x->r->a, "the migration has its own %s%s",
			    b->name, b->kind == BIND_FUNCTION ? "()" : ""));
	}
}

static void
odd_base(struct class_walk *w, const struct scope *cls, uint32_t node, sym what)
{
	struct attrs *x = w->ctx;

	odd_op(x, cls->m, cls->m->syn.v[node].line, sym_printf(x->r->a,
	    "the migration comes from %s, which cannot be followed", what));
}

static void
read_operations(struct attrs *x)
{
	const struct value *v = attr(x, "operations");
	struct class_walk w = { own_code, odd_base, x, 0 };
	struct scope *where;

	if (v != NULL && class_attr(x->r, x->cls, sym_get(x->r->a,
	    "operations"), &where) != NULL && where->m != x->r->own)
		bound_module(x->r, where->m);
	if (v != NULL)
		x->m->ops = ops_read(x->r, v);
	class_walk(x->r, &w, x->cls);
}

static void
read_flags(struct attrs *x)
{
	const struct value *atomic = attr(x, "atomic");
	const struct value *initial = attr(x, "initial");
	struct migration *m = x->m;

	m->atomic = true;
	if (atomic != NULL && atomic->kind == VALUE_BOOL)
		m->atomic = atomic->i != 0;
	else if (atomic != NULL)
		problem(x, atomic->line, "atomic: cannot be read");
	m->initial_set = initial != NULL && initial->kind == VALUE_BOOL;
	m->initial_value = m->initial_set && initial->i != 0;
	migration_settle(m);
}

void
migration_settle(struct migration *m)
{
	m->initial = m->initial_set ? m->initial_value : true;
	for (uint32_t i = 0; i < m->ndeps && !m->initial_set; i++)
		if (m->deps[i].app == m->app)
			m->initial = false;
}

static void
no_code(struct class_walk *w, struct scope *cls)
{
	(void)w;
	(void)cls;
}

/* South's had the same name, and none of them is run any more. */
static void
strange_base(struct class_walk *w, const struct scope *cls, uint32_t node,
    sym what)
{
	(void)cls;
	(void)node;
	if (!starts_with(what, "SchemaMigration") &&
	    !starts_with(what, "DataMigration"))
		*(bool *)w->ctx = true;
}

/* Django's Migration is among the bases, or may be where the bases cannot be
 * followed. */
static bool
is_migration(struct reader *r, struct scope *cls)
{
	struct class_info ci;
	bool strange = false;
	struct class_walk w = { no_code, strange_base, &strange, 0 };

	if (node_field(&cls->m->syn, cls->node, F_SUPERS) == 0)
		return false;
	class_follow(r, &ci, cls->dotted);
	if (ci.base != NULL && streq(ci.base, "django.db.migrations.Migration"))
		return true;
	class_walk(r, &w, cls);
	return strange || (scope_own(cls, sym_get(r->a, "operations")) != NULL &&
	    scope_own(cls, sym_get(r->a, "dependencies")) != NULL);
}

static bool
is_name(const struct syntax *s, uint32_t i, const char *name)
{
	const struct node *n = &s->v[i];

	return n->kind == N_IDENTIFIER && n->field != F_ATTRIBUTE &&
	    n->end - n->start == strlen(name) &&
	    memcmp(s->text + n->start, name, strlen(name)) == 0;
}

/* The line where the class is named once more at module level, decorated, or
 * its operations are taken apart: Django sees what we do not. 0: nowhere. */
static uint32_t
class_touched(const struct syntax *s, uint32_t cls)
{
	for (uint32_t i = 0; i < s->n; i++) {
		bool within = i > cls && i < cls + s->v[cls].size;
		uint32_t of = s->v[i].kind == N_SUBSCRIPT ? node_first(s, i) : 0;

		/* before it, a name may be imported and derived from */
		if (is_name(s, i, "Migration") && (i >= cls + s->v[cls].size ||
		    (i < cls && (s->v[i].field == F_NAME ||
		    s->v[i].field == F_LEFT))))
			return s->v[i].line;
		if (s->v[i].kind == N_DECORATED && i < cls &&
		    i + s->v[i].size > cls)
			return s->v[i].line;
		if (within && of != 0 && is_name(s, of, "operations"))
			return s->v[i].line;
	}
	return 0;
}

/* What the class saw may have been bound anew after it. */
static void
spoil_behind(struct reader *r, struct module *m, const struct binding *cls)
{
	uint32_t k = (uint32_t)(cls - m->top.binds.v), n = m->top.binds.n;

	for (uint32_t i = k + 1; i < n; i++) {
		struct binding b = m->top.binds.v[i];
		bool before = false;
		for (uint32_t j = 0; j < k && !before; j++)
			before = m->top.binds.v[j].name == b.name;
		if (!before && i - k < BEHIND_MAX)
			continue;
		struct binding *u = list_add(r->a, &m->top.binds);
		*u = (struct binding){ .name = b.name, .kind = BIND_UNKNOWN,
		    .node = b.node };
	}
	for (uint32_t i = 0; i < m->top.stars.n; i++)
		m->top.stars.v[i].maybe |= m->top.stars.v[i].at > k;
}

/* NULL: none here. What Migration is bound to when it is no class that can be
 * followed is told in *odd. */
static struct scope *
find_class(struct reader *r, struct module *m, uint32_t *node, uint32_t *odd)
{
	struct bound f;

	if (m->wild != 0) {
		*odd = m->syn.v[m->wild].line;
		return NULL;
	}
	name_find(r, &m->top, sym_get(r->a, "Migration"), &f);
	struct scope *where = f.where;
	struct binding *b = f.b;
	uint32_t from = b != NULL ? b->node : f.node;
	r->leads = NULL;
	if (b != NULL && b->kind == BIND_IMPORT)
		b = dotted_find(r, b->dotted, &where);
	if (b == NULL || b->kind == BIND_IMPORT) {
		/* of a file that is not here; Django's own does nothing */
		if (from != 0 && r->leads == NULL && (f.from == NULL ||
		    !starts_with(f.from, "django.")))
			*odd = m->syn.v[from].line;
		return NULL;
	}
	*node = b->node;
	if (b->kind != BIND_CLASS) {
		*odd = where->m->syn.v[b->node].line;
		return NULL;
	}
	if (where->m == m)
		spoil_behind(r, m, b);
	struct scope *cls = class_scope(r, where->m, *node);
	if (is_migration(r, cls))
		return cls;
	/* one that derives from a first one of the same name */
	uint32_t before = class_touched(&where->m->syn, *node);
	if (before != 0 && before < where->m->syn.v[*node].line)
		*odd = where->m->syn.v[*node].line;
	return NULL;
}

/* "shop/migrations/0001_x.py" → "shop.migrations.0001_x" */
sym
path_dotted(struct arena *a, const char *path)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	size_t n = strlen(path);

	if (ends_with(path, "/__init__.py"))
		n -= strlen("/__init__.py");
	else if (ends_with(path, ".py"))
		n -= 3;
	for (size_t i = 0; i < n; i++)
		strbuf_char(&b, path[i] == '/' ? '.' : path[i]);
	return sym_getn(a, b.s, b.len);
}

int
migration_parse(struct migration *out, struct reader *r, const char *app,
    const char *path, const char *dotted, const char *text, size_t len,
    uint32_t *line, struct err *e)
{
	*out = (struct migration){ 0 };
	r->steps = READER_STEPS;
	r->own = NULL;
	r->looked = false;
	r->used.n = 0;
	r->patch = NULL;
	r->conds.v = NULL;
	r->conds.n = r->conds.cap = 0;
	struct module *m = module_new(r, dotted, path, false, text, len,
	    line, e);
	if (m == NULL)
		return -1;
	r->own = m;
	uint32_t node = 0, odd = 0;
	struct scope *cls = find_class(r, m, &node, &odd);
	if (odd != 0) {
		*line = odd;
		if (m->wild != 0)
			return err_set(e, "any name may be changed here, so "
			    "what the migration does cannot be read");
		return err_set(e, "'Migration' is not a plain class here, so "
		    "what it does cannot be read");
	}
	if (cls == NULL)
		return 0;
	if (m->unbound != 0) {
		*line = m->syn.v[m->unbound].line;
		return unbound_tell(m, r->a, e);
	}
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	out->app = sym_get(r->a, app);
	out->name = sym_getn(r->a, name, strlen(name) -
	    (ends_with(name, ".py") ? 3 : 0));
	out->path = sym_get(r->a, path);
	struct attrs x = { .r = r, .m = out, .cls = cls };
	read_operations(&x);
	uint32_t touched = cls->m == m ? class_touched(&m->syn, node) : 0;
	if (touched != 0) {
		struct op o = op_opaque(r, touched, NULL, "the class or its "
		    "operations are changed here in a way that is not followed");

		add_op(&x, &o);
	}
	struct loads loads = module_loads(r, m);
	if (loads.line != 0) {
		struct op o = op_opaque(r, loads.line, NULL, loads.why);

		add_op(&x, &o);
	}
	if (r->patch != NULL)
		odd_op(&x, r->patch, r->patch->syn.v[r->patch->patched].line,
		    "what it imports changes Django's own");
	read_deps(&x, "dependencies", &out->deps, &out->ndeps);
	read_deps(&x, "run_before", &out->run_before, &out->nrun_before);
	read_deps(&x, "replaces", &out->replaces, &out->nreplaces);
	read_flags(&x);
	migration_remark(out, text, len);
	read_digest(&x, m->syn.text, len);
	read_foreign_tag(&x);
	out->conds = r->conds.v;
	out->nconds = r->conds.n;
	out->problems = x.problems.v;
	out->nproblems = x.problems.n;
	out->alone = !r->looked;
	return 1;
}

int
migration_read(struct migration *out, struct arena *a, const char *app,
    const char *path, const char *text, size_t len,
    const struct module_lookup *lookup, struct err *e)
{
	struct reader r = { .a = a, .lookup = lookup };
	uint32_t line;

	int rc = migration_parse(out, &r, app, path, path_dotted(a, path),
	    arena_copy(a, text, len), len, &line, e);
	if (rc < 0 && line > 0)
		return err_wrap(e, "%s:%u", path, line);
	return rc < 0 ? err_wrap(e, "%s", path) : rc;
}

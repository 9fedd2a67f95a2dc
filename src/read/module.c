#include "read/module.h"

#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/read.h"

#define FOLLOW_MAX 24

static struct module *
module_add(struct reader *r, const char *dotted, const char *path,
    bool followed)
{
	struct module *m = arena_make(r->a, struct module);

	m->dotted = sym_get(r->a, dotted);
	m->path = sym_get(r->a, path);
	m->package = path != NULL && ends_with(path, "__init__.py");
	m->broken = true;
	m->followed = followed;
	m->top.m = m;
	m->top.dotted = m->dotted;
	if (followed)
		*list_add(r->a, &r->modules) = m;
	return m;
}

struct module *
module_new(struct reader *r, const char *dotted, const char *path,
    bool followed, const char *text, size_t len, uint32_t *line,
    struct err *e)
{
	struct syntax syn;
	bool ascii;

	*line = 0;
	if (len > SYNTAX_BYTES_MAX)
		return err_set(e, "%zu bytes, at most %u can be read", len,
		    SYNTAX_BYTES_MAX), NULL;
	if (text_plain(&text, r->a, text, len, &ascii, line, e) < 0 ||
	    syntax_read(&syn, r->a, text, len, line, e) < 0 ||
	    (!ascii && names_plain(&syn, line, e) < 0))
		return NULL;
	struct module *m = module_add(r, dotted, path, followed);
	m->syn = syn;
	m->broken = false;
	module_spoil(r, m);
	scope_fill(r, &m->top, 0);
	return m;
}

static struct module *
find(struct reader *r, const char *dotted)
{
	const char *text, *path;
	size_t len;

	for (uint32_t i = r->modules.n; i > 0; i--)
		if (streq(r->modules.v[i - 1]->dotted, dotted))
			return r->modules.v[i - 1]->broken ? NULL :
			    r->modules.v[i - 1];
	if (r->lookup == NULL || r->modules.n >= READER_MODULES)
		return NULL;
	if (r->lookup->find(r->lookup->ctx, dotted, &text, &len, &path) != 1) {
		module_add(r, dotted, NULL, true);
		return NULL;
	}
	struct err e = ERR_INIT;
	uint32_t line;
	const char *own = arena_strdup(r->a, path);
	struct module *m = module_new(r, dotted, own, true,
	    arena_copy(r->a, text, len), len, &line, &e);
	if (m == NULL)
		module_add(r, dotted, own, true);
	return m;
}

struct module *
module_find(struct reader *r, const char *dotted)
{
	if (r->own != NULL && streq(r->own->dotted, dotted))
		return r->own;
	r->looked = true;
	struct module *m = find(r, dotted);
	/* whoever is read first must not matter */
	if (m != NULL && m->patched != 0 && !r->kept)
		r->patch = m;
	return m;
}

struct scope *
class_scope(struct reader *r, struct module *m, uint32_t node)
{
	for (uint32_t i = 0; i < m->classes.n; i++)
		if (m->classes.v[i]->node == node)
			return m->classes.v[i];
	uint32_t name = node_field(&m->syn, node, F_NAME);
	struct scope *s = arena_make(r->a, struct scope);
	s->m = m;
	s->outer = &m->top;
	s->node = node;
	s->dotted = sym_printf(r->a, "%s.%.*s", m->dotted,
	    (int)(m->syn.v[name].end - m->syn.v[name].start),
	    m->syn.text + m->syn.v[name].start);
	*list_add(r->a, &m->classes) = s;
	uint32_t body = node_field(&m->syn, node, F_BODY);
	if (body != 0)
		scope_fill(r, s, body);
	return s;
}

struct binding *
scope_own(struct scope *s, sym name)
{
	uint32_t n = s->limit > 0 ? s->limit - 1 : s->binds.n;

	for (uint32_t i = n; i > 0; i--)
		if (s->binds.v[i - 1].name == name)
			return &s->binds.v[i - 1];
	return NULL;
}

struct binding *
scope_find(struct scope *s, sym name, struct scope **where)
{
	for (; s != NULL; s = s->outer) {
		struct binding *b = scope_own(s, name);
		if (b != NULL) {
			*where = s;
			return b;
		}
	}
	return NULL;
}

static struct binding *follow(struct reader *r, const char *dotted,
    struct scope **where, int depth);

/* path ("SQL", "Money.places") from the names of a scope. */
static struct binding *
follow_in(struct reader *r, struct scope *s, const char *path,
    struct scope **where, int depth)
{
	size_t n = strcspn(path, ".");
	sym name = sym_getn(r->a, path, n);
	struct binding *b;
	struct bound f;

	if (s->node != 0) {
		b = class_attr(r, s, name, where);
	} else {
		name_find(r, s, name, &f);
		b = f.b;
		*where = f.where;
		if (b == NULL && f.from != NULL)
			return follow(r, sym_printf(r->a, "%s.%s", f.from,
			    path), where, depth + 1);
	}
	if (b == NULL)
		return NULL;
	if (b->kind == BIND_IMPORT)
		return follow(r, sym_printf(r->a, "%s%s", b->dotted, path + n),
		    where, depth + 1);
	if (path[n] == '\0')
		return b;
	if (b->kind != BIND_CLASS)
		return NULL;
	return follow_in(r, class_scope(r, (*where)->m, b->node), path + n + 1,
	    where, depth + 1);
}

/* Python's own modules, which migrations name most. */
bool
module_of_python(const char *dotted)
{
	static const char *const tops[] = { "uuid", "datetime", "decimal", "re",
	    "functools", "collections", "textwrap", "os", "sys", "json",
	    "string", "random", "math", "time", "typing", "pathlib",
	    "zoneinfo", "enum" };
	size_t n = strcspn(dotted, ".");

	for (size_t i = 0; i < countof(tops); i++)
		if (strlen(tops[i]) == n && memcmp(tops[i], dotted, n) == 0)
			return true;
	return false;
}

static struct binding *
follow(struct reader *r, const char *dotted, struct scope **where, int depth)
{
	size_t n = strlen(dotted);

	if (depth > FOLLOW_MAX || module_of_python(dotted))
		return NULL;
	if (starts_with(dotted, "django.")) {
		r->leads = dotted;
		return NULL;
	}
	while (n > 0) {
		while (n > 0 && dotted[n - 1] != '.')
			n--;
		if (n == 0)
			return NULL;
		sym name = sym_getn(r->a, dotted, n - 1);
		struct module *m = module_find(r, name);
		if (m != NULL)
			return follow_in(r, &m->top, dotted + n, where, depth);
		n--;
	}
	return NULL;
}

struct binding *
dotted_find(struct reader *r, const char *dotted, struct scope **where)
{
	if (r->depth > READER_DEPTH)
		return NULL;
	r->depth++;
	r->leads = NULL;
	struct binding *b = follow(r, dotted, where, 0);
	r->depth--;
	return b;
}

uint32_t
class_supers(const struct scope *cls)
{
	return cls->node != 0 ? node_field(&cls->m->syn, cls->node, F_SUPERS) :
	    0;
}

struct binding *
class_attr(struct reader *r, struct scope *cls, sym name,
    struct scope **where)
{
	const struct syntax *y = &cls->m->syn;
	struct binding *b = scope_own(cls, name);
	uint32_t list = class_supers(cls);

	*where = cls;
	if (b != NULL || list == 0 || r->depth > READER_DEPTH)
		return b;
	r->depth++;
	for (uint32_t c = node_first(y, list); c != 0 && b == NULL;
	    c = node_next(y, list, c)) {
		const struct value *v = eval(r, cls->outer, c);
		struct scope *at;
		if (v->kind != VALUE_NAME)
			continue;
		/* it has all that a migration is asked for */
		if (streq(v->name, "django.db.migrations.Migration"))
			break;
		struct binding *base = dotted_find(r, v->name, &at);
		if (base != NULL && base->kind == BIND_CLASS &&
		    (at->m != cls->m || base->node != cls->node))
			b = class_attr(r, class_scope(r, at->m, base->node),
			    name, where);
	}
	r->depth--;
	return b;
}

/* One of the bases of cls: to its class, or told as odd. */
static void
walk_base(struct reader *r, struct class_walk *w, struct scope *cls,
    uint32_t node)
{
	const struct syntax *y = &cls->m->syn;
	enum node_kind k = y->v[node].kind;
	struct scope *at;
	sym text = sym_getn(r->a, y->text + y->v[node].start,
	    y->v[node].end - y->v[node].start);

	if (k == N_KEYWORD || k == N_SPLAT || k == N_DICT_SPLAT) {
		w->odd(w, cls, node, text);
		return;
	}
	const struct value *v = eval_force(r, eval(r, cls->outer, node));
	if (v->kind == VALUE_NAME && (starts_with(v->name, "django.") ||
	    streq(v->name, "object")))
		return;
	struct binding *b = v->kind == VALUE_NAME ?
	    dotted_find(r, v->name, &at) : NULL;
	if (b == NULL && v->kind == VALUE_NAME && r->leads != NULL)
		return;
	if (b == NULL || b->kind != BIND_CLASS || under_some(b->u) ||
	    (at->m == cls->m && b->node == cls->node))
		w->odd(w, cls, node, text);
	else
		class_walk(r, w, class_scope(r, at->m, b->node));
}

void
class_walk(struct reader *r, struct class_walk *w, struct scope *cls)
{
	const struct syntax *y = &cls->m->syn;
	uint32_t list = class_supers(cls);

	w->each(w, cls);
	if (w->depth >= FOLLOW_MAX) {
		w->odd(w, cls, cls->node, sym_get(r->a, "its bases"));
		return;
	}
	w->depth++;
	for (uint32_t c = list != 0 ? node_first(y, list) : 0; c != 0;
	    c = node_next(y, list, c))
		walk_base(r, w, cls, c);
	w->depth--;
}

/* Fields, expressions and operations are reached by many paths: what stands
 * between the package and the class is left out. */
sym
django_short(struct arena *a, const char *dotted)
{
	static const char *const tops[] = {
		"django.contrib.postgres.operations.", "django.contrib.postgres.fields.",
		"django.contrib.postgres.indexes.", "django.contrib.postgres.constraints.",
		"django.contrib.postgres.search.", "django.contrib.postgres.functions.",
		"django.db.models.functions.", "django.db.models.lookups.",
		"django.db.models.", "django.db.migrations.",
	};
	static const char *const gis[] = { "GeometryField", "PointField",
	    "LineStringField", "PolygonField", "MultiPointField",
	    "MultiLineStringField", "MultiPolygonField",
	    "GeometryCollectionField", "RasterField" };

	if (!starts_with(dotted, "django."))
		return sym_get(a, dotted);
	if (starts_with(dotted, "django.contrib.gis.db.models.")) {
		const char *last = strrchr(dotted, '.') + 1;
		for (size_t i = 0; i < countof(gis); i++)
			if (streq(gis[i], last))
				return sym_printf(a,
				    "django.contrib.gis.db.models.%s", last);
		return isupper((unsigned char)*last) ?
		    sym_printf(a, "django.db.models.%s", last) :
		    sym_get(a, dotted);
	}
	for (size_t i = 0; i < countof(tops); i++) {
		if (!starts_with(dotted, tops[i]))
			continue;
		const char *s = dotted + strlen(tops[i]);
		for (const char *p = s; ; p += strcspn(p, ".") + 1) {
			if (isupper((unsigned char)*p) || starts_with(p,
			    "swappable_dependency"))
				return p == s ? sym_get(a, dotted) :
				    sym_printf(a, "%s%s", tops[i], p);
			if (strchr(p, '.') == NULL)
				return sym_get(a, dotted);
		}
	}
	return sym_get(a, dotted);
}

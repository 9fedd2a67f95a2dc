/* Every app's migrations in a tree. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "read/module.h"
#include "read/read.h"
#include "read/syntax.h"

#define APPS_FILES_MAX 50000u

struct found {
	sym path;	/* of the file */
	sym folder;	/* "shop/migrations" */
	bool init;	/* its __init__.py */
};

struct apps {
	struct arena *a;
	struct source *s;
	struct err *e;
	sym root;			/* "" or "web/" */
	struct list(struct found) found;
	struct list(struct migration) all;
	struct list(struct source_file) files;
	struct list(struct unread) unread;
	const struct migrations *other;	/* NULL: none */
	uint32_t hint;			/* where the next one may stand in it */
	struct strbuf text;		/* of a module looked up */
	sym text_path;
};

static int
collect(void *ctx, const char *path, size_t size)
{
	static const char dir[] = "migrations/";	/* or db_migrations/ */
	struct apps *x = ctx;
	const char *slash = strrchr(path, '/');

	(void)size;
	if (slash == NULL || !starts_with(path, x->root) ||
	    !ends_with(path, ".py"))
		return 0;
	size_t n = (size_t)(slash - path) + 1, k = sizeof(dir) - 1;
	if (n < k || memcmp(path + n - k, dir, k) != 0 ||
	    (n > k && path[n - k - 1] != '/' && path[n - k - 1] != '_'))
		return 0;
	bool init = streq(slash, "/__init__.py");
	if (!init && (slash[1] == '_' || slash[1] == '~'))
		return 0;
	if (x->found.n >= APPS_FILES_MAX)
		return err_set(x->e, "more than %u migrations",
		    APPS_FILES_MAX);
	struct found *f = list_add(x->a, &x->found);
	f->path = sym_get(x->a, path);
	f->folder = sym_getn(x->a, path, n - 1);
	f->init = init;
	return 0;
}

static void
keep_file(struct apps *x, sym path, const char *text, size_t len)
{
	for (uint32_t i = 0; i < x->files.n; i++)
		if (x->files.v[i].path == path)
			return;
	struct source_file *f = list_add(x->a, &x->files);
	f->path = path;
	f->text = text;
	f->len = len;
}

static int
try_module(struct apps *x, const char *root, const char *dotted,
    const char *tail)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_LIMIT(4096);
	struct err e = ERR_INIT;

	strbuf_str(&path, root);
	for (const char *p = dotted; *p != '\0'; p++)
		strbuf_char(&path, *p == '.' ? '/' : *p);
	strbuf_str(&path, tail);
	strbuf_reset(&x->text);
	if (path.over || source_read(x->s, &x->text, path.s, &e) != 1)
		return 0;
	x->text_path = sym_getn(x->a, path.s, path.len);
	return 1;
}

/* "shop.fields": below the project's root, else below the tree's top. */
static int
find_module(void *ctx, const char *dotted, const char **text, size_t *len,
    const char **path)
{
	struct apps *x = ctx;
	const char *roots[2] = { x->root, "" };

	for (int i = 0; i < (*x->root != '\0' ? 2 : 1); i++)
		if (try_module(x, roots[i], dotted, ".py") == 1 ||
		    try_module(x, roots[i], dotted, "/__init__.py") == 1) {
			*text = arena_copy(x->a, x->text.s, x->text.len + 1);
			*len = x->text.len;
			*path = x->text_path;
			keep_file(x, x->text_path, *text, *len);
			return 1;
		}
	return 0;
}

static void
unreadable(struct apps *x, sym path, uint32_t line, const char *why)
{
	struct unread *u = list_add(x->a, &x->unread);

	u->path = path;
	u->why = sym_get(x->a, why);
	u->line = line;
}

/* The name of the folder that holds `migrations`. */
static sym
folder_app(struct apps *x, sym folder)
{
	const char *slash = strrchr(folder, '/');
	size_t n = slash != NULL ? (size_t)(slash - folder) : 0;

	size_t start = n;
	while (start > 0 && folder[start - 1] != '/')
		start--;
	return sym_getn(x->a, folder + start, n - start);
}

/* The same file in the other tree, if its bytes are all that it is made of. */
static const struct migration *
same_file(struct apps *x, sym path, const struct strbuf *b)
{
	const struct migrations *o = x->other;
	char hex[65];

	if (o == NULL || o->n == 0)
		return NULL;
	for (uint32_t i = 0; i < o->n; i++) {
		const struct migration *m = &o->v[(x->hint + i) % o->n];
		if (m->path != path)
			continue;
		x->hint = (x->hint + i + 1) % o->n;
		if (!m->alone || m->nproblems > 0)
			return NULL;
		sha256_hex(hex, b->s, b->len);
		return streq(hex, m->blob) ? m : NULL;
	}
	return NULL;
}

static const char *
same_text(struct apps *x, sym path)
{
	for (uint32_t i = 0; i < x->other->nfiles; i++)
		if (x->other->files[i].path == path)
			return x->other->files[i].text;
	return NULL;
}

static int
read_one(struct apps *x, struct reader *r, const struct found *f)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(SYNTAX_BYTES_MAX + 1);
	struct err e = ERR_INIT;
	struct migration m = { 0 };
	uint32_t line = 0;

	int got = source_read(x->s, &b, f->path, &e);
	if (got < 0)
		unreadable(x, f->path, 0, e.msg);
	if (got != 1)
		return 0;
	const struct migration *same = f->init ? NULL :
	    same_file(x, f->path, &b);
	const char *text = same != NULL ? same_text(x, f->path) : NULL;
	if (text != NULL) {
		keep_file(x, f->path, text, b.len);
		m = *same;
		m.app = folder_app(x, f->folder);
		migration_settle(&m);
		*list_add(x->a, &x->all) = m;
		return 0;
	}
	text = arena_copy(x->a, b.s, b.len + 1);
	keep_file(x, f->path, text, b.len);
	if (f->init)
		return 0;
	const char *dotted = path_dotted(x->a, f->path + strlen(x->root));
	got = migration_parse(&m, r, folder_app(x, f->folder), f->path,
	    dotted, text, b.len, &line, &e);
	if (got < 0)
		unreadable(x, f->path, line, e.msg);
	if (got == 1)
		*list_add(x->a, &x->all) = m;
	/* an order that is not known is as bad as a file that cannot be read */
	for (uint32_t i = 0; i < m.nproblems; i++)
		unreadable(x, f->path, m.problems[i].line, m.problems[i].what);
	return 0;
}

/* How often the migrations v[0..n) name one of each other in app. */
static uint32_t
votes(const struct migration *v, uint32_t n, sym app)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < v[i].ndeps; k++) {
			if (v[i].deps[k].app != app ||
			    v[i].deps[k].name == v[i].name)
				continue;
			for (uint32_t j = 0; j < n; j++)
				if (v[j].name == v[i].deps[k].name) {
					count++;
					break;
				}
		}
	return count;
}

/* AppConfig.label may differ from the folder's name: then the migrations of
 * the folder depend on each other by that label. */
static void
mend_label(struct apps *x, struct migration *v, uint32_t n)
{
	sym best = n > 0 ? v[0].app : NULL;

	if (n < 2 || votes(v, n, best) > 0)
		return;
	uint32_t most = n > 2 ? n / 2 - 1 : 0;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < v[i].ndeps; k++) {
			sym app = v[i].deps[k].app;
			uint32_t c = app != best ? votes(v, n, app) : 0;
			if (c > most) {
				most = c;
				best = app;
			}
		}
	for (uint32_t i = 0; i < n && best != v[i].app; i++) {
		v[i].app = best;
		migration_settle(&v[i]);
	}
	(void)x;
}

static sym
folder_of_path(struct apps *x, sym path)
{
	return sym_getn(x->a, path, (size_t)(strrchr(path, '/') - path));
}

static void
mend_labels(struct apps *x)
{
	for (uint32_t i = 0; i < x->all.n; ) {
		sym folder = folder_of_path(x, x->all.v[i].path);
		uint32_t n = 1;
		while (i + n < x->all.n &&
		    folder_of_path(x, x->all.v[i + n].path) == folder)
			n++;
		mend_label(x, &x->all.v[i], n);
		i += n;
	}
}

static sym
root_of(struct arena *a, const struct cfg_project *p)
{
	const char *root = p != NULL && p->root != NULL ? p->root : ".";

	while (starts_with(root, "./"))
		root += 2;
	size_t n = strlen(root);
	while (n > 0 && root[n - 1] == '/')
		n--;
	if (n == 0 || (n == 1 && root[0] == '.'))
		return sym_get(a, "");
	return sym_printf(a, "%.*s/", (int)n, root);
}

int
source_migrations(struct migrations *out, struct arena *a,
    struct source *s, const struct cfg_project *p, struct err *e)
{
	return source_migrations_beside(out, a, s, p, NULL, e);
}

int
source_migrations_beside(struct migrations *out, struct arena *a,
    struct source *s, const struct cfg_project *p,
    const struct migrations *other, struct err *e)
{
	struct apps x = { .a = a, .s = s, .e = e, .root = root_of(a, p),
	    .other = other, .text = STRBUF_LIMIT(SYNTAX_BYTES_MAX) };
	struct module_lookup lookup = { find_module, &x };
	struct reader r = { .a = a, .lookup = &lookup };
	int rc = s->ops->walk(s, false, collect, &x, e);

	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; rc == 0 && i < x.found.n; i++)
		rc = read_one(&x, &r, &x.found.v[i]);
	strbuf_release(&x.text);
	if (rc != 0)
		return -1;
	mend_labels(&x);
	out->v = x.all.v;
	out->n = x.all.n;
	out->files = x.files.v;
	out->nfiles = x.files.n;
	out->unread = x.unread.v;
	out->nunread = x.unread.n;
	return 0;
}

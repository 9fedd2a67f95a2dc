/* Every app's migrations in a tree. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "read/cache.h"
#include "read/module.h"
#include "read/read.h"
#include "read/readers.h"
#include "read/syntax.h"

#define APPS_FILES_MAX 50000u

struct found {
	sym path;	/* of the file */
	sym folder;	/* "shop/migrations" */
	sym id;		/* of its blob, else its number */
	bool init;	/* its __init__.py */
	bool stray;	/* elsewhere, but named like one */
	bool compiled;
	enum { NOT_YET, UNREAD, NONE, READ } state;
	struct migration *m;	/* READ */
	sym why;	/* UNREAD: with line; NULL: there is no such file */
	uint32_t line;
};

struct apps {
	struct arena *a;
	struct source *s;
	struct err *e;
	sym root;			/* "" or "web/" */
	const struct cfg_project *project;
	struct list(struct found) found;
	struct list(struct migration) all;
	struct list(struct source_file) files;
	struct list(struct unread) unread;
	const struct migrations *other;	/* NULL: none */
	uint32_t hint;			/* where the next one may stand in it */
	bool same_needs;		/* and its modules are ours */
	bool texts;			/* are wanted: nothing is taken as known */
	struct cache *cache;		/* NULL: none, or not asked yet */
	struct list(struct cache_need) needs;	/* modules looked for */
	struct list(struct read_blob) blobs;
	struct strbuf text;		/* of a module looked up */
	sym text_path;
};

static void
unread(struct apps *x, struct found *f, uint32_t line, const char *why)
{
	f->state = UNREAD;
	f->line = line;
	f->why = sym_get(x->a, why);
}

/* Does its text have a class Migration that comes from Django's? South's is
 * not run any more. */
static bool
is_stray(struct apps *x, const struct found *f)
{
	static const char cls[] = "class Migration(";
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(SYNTAX_BYTES_MAX + 1);
	struct err e = ERR_INIT;

	int got = x->s->ops->read_id != NULL ? x->s->ops->read_id(x->s, &b,
	    f->id, f->path, &e) : source_read(x->s, &b, f->path, &e);
	const char *p = got == 1 ? strstr(b.s, cls) : NULL;
	if (p == NULL)
		return false;
	p += sizeof(cls) - 1;
	const char *end = strchr(p, ')'), *base = strstr(p, "Migration");
	return end != NULL && base != NULL && base < end &&
	    base[-1] != 'a';	/* SchemaMigration, DataMigration */
}

static struct found *
found_add(struct apps *x, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (x->found.n >= APPS_FILES_MAX)
		return err_set(x->e, "more than %u migrations",
		    APPS_FILES_MAX), NULL;
	struct found *f = list_add(x->a, &x->found);
	f->path = sym_get(x->a, path);
	f->folder = sym_getn(x->a, path, slash != NULL ?
	    (size_t)(slash - path) : 0);
	char number[CACHE_ID + 1];	/* where there are no blobs */
	snprintf(number, sizeof(number), "%20u", x->found.n);
	f->id = sym_getn(x->a, x->s->id != NULL ? x->s->id : number, CACHE_ID);
	return f;
}

static int
collect(void *ctx, const char *path, size_t size)
{
	struct apps *x = ctx;

	(void)size;
	if (!starts_with(path, x->root))
		return 0;
	enum place place = place_of(path, x->s->link);
	if (place == PLACE_NONE)
		return 0;
	struct found *f = found_add(x, path);
	if (f == NULL)
		return -1;
	f->init = place == PLACE_INIT;
	f->stray = place == PLACE_STRAY;
	if (place == PLACE_LINK)
		unread(x, f, 0, "a link or a submodule cannot be read: put "
		    "the file itself here");
	f->compiled = place == PLACE_COMPILED;
	return 0;
}

/* Python takes x.py before x.pyc, but nothing before x.so. */
static bool
has_text(struct apps *x, const struct found *c)
{
	size_t n = strlen(c->path) - 1;

	for (uint32_t i = 0; i < x->found.n && ends_with(c->path, ".pyc"); i++)
		if (x->found.v[i].folder == c->folder &&
		    strlen(x->found.v[i].path) == n &&
		    memcmp(x->found.v[i].path, c->path, n) == 0)
			return true;
	return false;
}

/* Files that Django may load, and that are not read. */
static void
judge_odd(struct apps *x)
{
	for (uint32_t i = 0; i < x->found.n; i++) {
		struct found *f = &x->found.v[i];
		if (f->compiled && has_text(x, f))
			f->state = NONE;
		else if (f->compiled)
			unread(x, f, 0, "compiled: what it does cannot be read");
		else if (f->stray && !is_stray(x, f))
			f->state = NONE;
		else if (f->stray)
			unread(x, f, 0, "looks like a migration, but its folder "
			    "is not called migrations (or …_migrations), so it "
			    "is not read: rename the folder, or the file if it "
			    "is none");
	}
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

static sym
module_path(struct apps *x, const char *root, const char *dotted,
    const char *tail)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_LIMIT(4096);

	strbuf_str(&path, root);
	for (const char *p = dotted; *p != '\0'; p++)
		strbuf_char(&path, *p == '.' ? '/' : *p);
	strbuf_str(&path, tail);
	return path.over ? NULL : sym_getn(x->a, path.s, path.len);
}

/* A file that may be the module: 1 if it is there, with its text if wanted. */
static int
try_path(struct apps *x, struct cache_need *d, sym path, bool text)
{
	struct err e = ERR_INIT;

	if (path == NULL)
		return 0;
	strbuf_reset(&x->text);
	if (x->s->ops->id_of == NULL) {
		if (!text || source_read(x->s, &x->text, path, &e) != 1)
			return 0;
	} else if (x->s->ops->id_of(x->s, &d->id, x->a, path, &e) != 1 ||
	    (text && x->s->ops->read_id(x->s, &x->text, d->id, path,
	    &e) != 1)) {
		return 0;
	}
	d->path = path;
	return 1;
}

/* "shop.fields": below the project's root, else below the tree's top;
 * "/shop/x.sql": that file. */
static int
resolve(struct apps *x, struct cache_need *d, const char *dotted, bool text)
{
	const char *roots[2] = { x->root, "" };

	*d = (struct cache_need){ .dotted = sym_get(x->a, dotted) };
	if (*dotted == '/')
		return try_path(x, d, sym_get(x->a, dotted + 1), text);
	for (int i = 0; i < (*x->root != '\0' ? 2 : 1); i++)
		if (try_path(x, d, module_path(x, roots[i], dotted, ".py"),
		    text) == 1 || try_path(x, d, module_path(x, roots[i],
		    dotted, "/__init__.py"), text) == 1)
			return 1;
	return 0;
}

static void
need_add(struct apps *x, const struct cache_need *d)
{
	for (uint32_t i = x->needs.n; i > 0; i--)
		if (x->needs.v[i - 1].dotted == d->dotted)
			return;
	*list_add(x->a, &x->needs) = *d;
}

static int
find_module(void *ctx, const char *dotted, const char **text, size_t *len,
    const char **path)
{
	struct apps *x = ctx;
	struct cache_need d;
	int r = resolve(x, &d, dotted, true);

	need_add(x, &d);
	if (r != 1)
		return 0;
	*text = arena_copy(x->a, x->text.s, x->text.len + 1);
	*len = x->text.len;
	*path = d.path;
	keep_file(x, d.path, *text, *len);
	return 1;
}

/* Are the modules here what they were there? */
static bool
needs_hold(struct apps *x, const struct cache_need *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct cache_need d;

		resolve(x, &d, v[i].dotted, false);
		if (d.path != v[i].path || d.id != v[i].id)
			return false;
	}
	return true;
}

/* A file that a migration reads: its SQL. */
static int
find_file(void *ctx, const char *path, const char **text, size_t *len)
{
	struct apps *x = ctx;
	struct cache_need d;
	int r = resolve(x, &d, sym_printf(x->a, "/%s", path), true);

	need_add(x, &d);
	if (r != 1)
		return 0;
	*text = arena_copy(x->a, x->text.s, x->text.len + 1);
	*len = x->text.len;
	keep_file(x, d.path, *text, *len);
	return 1;
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

/* The same file in the other tree, if its bytes are all that it is made of, or
 * the rest is the same too. */
static const struct read_blob *
same_file(struct apps *x, const struct found *f)
{
	const struct migrations *o = x->other;

	for (uint32_t i = 0; o != NULL && i < o->nblobs; i++) {
		const struct read_blob *b = &o->blobs[(x->hint + i) %
		    o->nblobs];
		if (b->path != f->path)
			continue;
		x->hint = (x->hint + i + 1) % o->nblobs;
		return b->id == f->id && (b->m == NULL || b->m->alone ||
		    x->same_needs) ? b : NULL;
	}
	return NULL;
}

static void
open_cache(struct apps *x)
{
	x->cache = cache_open(x->s->cache, given_scope(x->a, x->root,
	    x->project), x->a);
	for (uint32_t i = 0; i < cache_parts(x->cache); i++) {
		struct cache_need *v;
		uint32_t n = cache_needs(x->cache, i, &v);

		if (n == 0 || !needs_hold(x, v, n))
			continue;
		cache_part_holds(x->cache, i);
		for (uint32_t k = 0; k < n; k++)
			need_add(x, &v[k]);
	}
}

/* Is it known, what the blob says? */
static bool
known(struct apps *x, struct found *f)
{
	const struct read_blob *b = x->texts ? NULL : same_file(x, f);

	if (b != NULL) {
		f->state = b->m == NULL ? NONE : READ;
		f->m = b->m;
		return true;
	}
	if (x->cache == NULL && !x->texts)
		open_cache(x);
	int r = x->cache != NULL ? cache_get(x->cache, &f->m, f->path,
	    f->id) : -1;
	if (r >= 0)
		f->state = r > 0 ? READ : NONE;
	return r >= 0;
}

static void
read_text(struct apps *x, struct reader *r, struct found *f,
    const struct strbuf *b)
{
	const char *text = arena_copy(x->a, b->s, b->len + 1);
	struct err e = ERR_INIT;
	uint32_t line = 0;

	keep_file(x, f->path, text, b->len);
	f->state = NONE;
	const char *dotted = path_dotted(x->a, f->path + strlen(x->root));
	if (f->init) {
		if (b->len > 0 && init_parse(r, f->path, dotted, text, b->len,
		    &line, &e) < 0)
			unread(x, f, line, e.msg);
		else if (x->cache != NULL && b->len > 0)
			cache_put(x->cache, f->path, f->id, NULL);
		return;
	}
	f->m = arena_make(x->a, struct migration);
	int got = migration_parse(f->m, r, folder_app(x, f->folder), f->path,
	    dotted, text, b->len, &line, &e);
	if (got < 0) {
		unread(x, f, line, e.msg);
		return;
	}
	f->state = got == 1 ? READ : NONE;
	if (x->cache != NULL && f->m->nproblems == 0 && r->steps > 0 &&
	    (got == 1 || !r->looked))
		cache_put(x->cache, f->path, f->id, got == 1 ? f->m : NULL);
}

static void
read_one(struct apps *x, struct reader *r, struct found *f)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(SYNTAX_BYTES_MAX + 1);
	struct err e = ERR_INIT;

	int got = x->s->ops->read_id != NULL ? x->s->ops->read_id(x->s, &b,
	    f->id, f->path, &e) : source_read(x->s, &b, f->path, &e);
	if (got == 1)
		read_text(x, r, f, &b);
	else
		unread(x, f, 0, got < 0 ? e.msg : NULL);
}

/* What one file came to, in the order of the tree. */
static void
keep(struct apps *x, const struct found *f)
{
	const struct migration *m = f->m;

	if (f->state == UNREAD && f->why != NULL)
		unreadable(x, f->path, f->line, f->why);
	if (f->state == READ)
		*list_add(x->a, &x->all) = *m;
	/* an order that is not known is as bad as a file that cannot be read */
	for (uint32_t i = 0; f->state == READ && i < m->nproblems; i++)
		unreadable(x, f->path, m->problems[i].line, m->problems[i].what);
	if (x->s->ops->id_of == NULL || f->state == UNREAD ||
	    (f->state == READ && m->nproblems > 0))
		return;		/* not known by its blob, and told again */
	struct read_blob *b = list_add(x->a, &x->blobs);
	b->path = f->path;
	b->id = f->id;
	b->m = f->state == READ ? f->m : NULL;
}

/* A share of what is not known yet, by a reader of its own. */
static void
read_share(struct apps *x, unsigned share, unsigned shares)
{
	struct module_lookup lookup = { find_module, find_file, x,
	    x->project };
	struct reader r = { .a = x->a, .lookup = &lookup };
	unsigned k = 0;

	for (uint32_t i = 0; i < x->found.n; i++)
		if (x->found.v[i].state == NOT_YET && k++ % shares == share)
			read_one(x, &r, &x->found.v[i]);
}

/* In a child: what comes of these bytes alone goes up. */
static void
send_share(void *ctx, unsigned share, unsigned shares, struct strbuf *out)
{
	struct apps *x = ctx;

	x->cache = cache_open(NULL, "", x->a);
	read_share(x, share, shares);
	cache_send(x->cache, out);
}

static void
read_found(struct apps *x)
{
	struct readers readers = { .n = 0 };
	unsigned left = 0;

	for (uint32_t i = 0; i < x->found.n; i++) {
		struct found *f = &x->found.v[i];
		if (f->init && !x->texts && blob_empty(f->id))
			f->state = NONE;
		else if (f->state == NOT_YET)
			left += !known(x, f);
	}
	if (x->cache != NULL)
		readers_start(&readers, left, send_share, x);
	if (readers.n > 0)
		read_share(x, readers.n, readers.n + 1);
	for (unsigned i = 0; i < readers.n; i++) {
		struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
		readers_take(&readers, i, &b);
		cache_receive(x->cache, &b);
	}
	for (uint32_t i = 0; readers.n > 0 && i < x->found.n; i++)
		if (x->found.v[i].state == NOT_YET)
			known(x, &x->found.v[i]);
	read_share(x, 0, 1);
	x->all.v = arena_array(x->a, struct migration, x->found.n);
	x->all.cap = x->found.n;
	for (uint32_t i = 0; i < x->found.n; i++)
		keep(x, &x->found.v[i]);
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
	for (uint32_t i = 0; i < x->all.n; i++)	/* another folder's name */
		if (best != v[0].app && x->all.v[i].app == best)
			return;
	for (uint32_t i = 0; i < n && best != v[i].app; i++) {
		v[i].app = best;
		migration_settle(&v[i]);
	}
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

static int
read_all(struct apps *x, struct migrations *out, struct err *e)
{
	*out = (struct migrations){ 0 };
	if (x->s->ops->walk(x->s, false, collect, x, e) != 0)
		return -1;
	judge_odd(x);
	x->same_needs = x->other != NULL && x->s->ops->id_of != NULL &&
	    needs_hold(x, x->other->needs, x->other->nneeds);
	read_found(x);
	mend_labels(x);
	*out = (struct migrations){ .v = x->all.v, .n = x->all.n,
		.files = x->files.v, .nfiles = x->files.n,
		.unread = x->unread.v, .nunread = x->unread.n,
		.blobs = x->blobs.v, .nblobs = x->blobs.n,
		.needs = x->needs.v, .nneeds = x->needs.n };
	return 0;
}

int
source_migrations(struct migrations *out, struct arena *a,
    struct source *s, const struct cfg_project *p, struct err *e)
{
	struct apps x = { .a = a, .s = s, .e = e, .root = root_prefix(a, p),
	    .project = p, .texts = true, .text = STRBUF_LIMIT(SYNTAX_BYTES_MAX) };
	int rc = read_all(&x, out, e);
	strbuf_release(&x.text);
	return rc;
}

int
source_migrations_beside(struct migrations *out, struct arena *a,
    struct source *s, const struct cfg_project *p,
    const struct migrations *other, struct err *e)
{
	struct apps x = { .a = a, .s = s, .e = e, .root = root_prefix(a, p),
	    .project = p, .other = other, .text = STRBUF_LIMIT(SYNTAX_BYTES_MAX) };
	int rc = read_all(&x, out, e);
	if (rc == 0 && x.cache != NULL)
		cache_write(x.cache, x.needs.v, x.needs.n);
	cache_close(x.cache);
	strbuf_release(&x.text);
	return rc;
}

/* What was read is kept by blob id: the same comes out, whatever became of the
 * file, and nothing of it is believed that does not hold any more. */
#include "read/cache.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/strvec.h"
#include "base/util.h"
#include "read/repo.h"
#include "read/source.h"
#include "tap.h"

#define HEAD "from django.db import migrations, models\n"
#define CLASS "class Migration(migrations.Migration):\n"

static struct arena *a;
static struct err e;
static char *top;
static const char *file;	/* the cache's */
static struct cfg_project project;

static void
git(const char *words)
{
	struct strvec v STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf out STRBUF_SCOPED = STRBUF_INIT;
	int code = -1;

	strvec_pushl(&v, "git", "-c", "user.name=t", "-c", "user.email=t@t",
	    NULL);
	strvec_split(&v, words);
	struct child_spec s = { .argv = v.v, .cwd = top, .out = CHILD_PIPE,
	    .err = CHILD_PIPE };
	if (child_run(&s, NULL, 0, &out, &out, 20000, &code, &e) < 0 ||
	    code != 0)
		printf("# git %s: %d %s %s\n", words, code, e.msg, out.s);
}

static void
put(const char *name, const char *text)
{
	char *path = arena_printf(a, "%s/%s", top, name);
	char *slash = strrchr(path, '/');

	*slash = '\0';
	dir_make(path, 0755, &e);
	*slash = '/';
	if (file_write(path, text, strlen(text), 0644, &e) < 0)
		printf("# %s\n", e.msg);
}

static void
commit(void)
{
	git("add -A");
	git("commit -q -m x --allow-empty");
}

static void
tell_value(struct strbuf *b, const char *name, const struct value *v)
{
	strbuf_printf(b, " %s=", name);
	if (v == NULL)
		return;
	value_print(b, v);
	strbuf_printf(b, "@%u^%s/%u", v->line, v->base != NULL ? v->base : "",
	    v->weight);
	for (uint32_t i = 0; i < v->n; i++)
		tell_value(b, "", v->items[i]);
	for (uint32_t i = 0; i < v->nkw; i++)
		tell_value(b, v->kw[i].name, v->kw[i].value);
}

static void
tell_sql(struct strbuf *b, const struct sql_text *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		strbuf_printf(b, " sql=%s:%u:%s", s[i].text, s[i].line, s[i].why);
}

static void
tell_ops(struct strbuf *b, const struct op_list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct op *o = &l->v[i];
		strbuf_printf(b, " [%d:%u %s %s %s %s %s %d%d%d%d%d%d%d %s",
		    o->kind, o->line, o->cls, o->model, o->title, o->name,
		    o->to, o->preserve_default, o->concurrently, o->not_valid,
		    o->reversible, o->noop, o->rnoop, o->maybe, o->why);
		strbuf_printf(b, " not-in %x", o->not_in);
		tell_value(b, "value", o->value);
		tell_value(b, "fields", o->fields);
		tell_value(b, "options", o->options);
		tell_value(b, "bases", o->bases);
		tell_sql(b, o->sql, o->nsql);
		tell_sql(b, o->rsql, o->nrsql);
		tell_ops(b, &o->db);
		tell_ops(b, &o->state);
		strbuf_char(b, ']');
	}
}

static void
tell_deps(struct strbuf *b, const struct dep *d, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		strbuf_printf(b, " dep=%s.%s%d:%u", d[i].app, d[i].name,
		    d[i].swappable, d[i].line);
}

static void
tell(struct strbuf *b, const struct migrations *all)
{
	strbuf_reset(b);
	for (uint32_t i = 0; i < all->n; i++) {
		const struct migration *m = &all->v[i];
		strbuf_printf(b, "%s.%s %s %s %s %d%d%d%d %d %u %u tag %d %d %d %lld "
		    "%d %s %s %u %s", m->app, m->name, m->path, m->digest,
		    m->bound, m->atomic, m->initial, m->initial_set,
		    m->initial_value, m->alone, m->model_import,
		    m->whole_write, m->tag.source, m->tag.value,
		    m->tag.reverse, (long long)m->tag.delay_ms, m->tag.repeat,
		    m->tag.bound, m->tag.because, m->tag.line,
		    m->tag.wrong);
		tell_deps(b, m->deps, m->ndeps);
		tell_deps(b, m->run_before, m->nrun_before);
		tell_deps(b, m->replaces, m->nreplaces);
		for (uint32_t k = 0; k < m->nconds; k++)
			strbuf_printf(b, " if=%s %s %u", m->conds[k].id,
			    m->conds[k].text, m->conds[k].line);
		tell_ops(b, &m->ops);
		strbuf_char(b, '\n');
	}
	for (uint32_t i = 0; i < all->nunread; i++)
		strbuf_printf(b, "unread %s:%u %s\n", all->unread[i].path,
		    all->unread[i].line, all->unread[i].why);
}

/* The commit, read with all texts (nothing is taken as known) or fast. */
static void
reading(struct strbuf *b, const char *rev, bool fast)
{
	struct arena *mine = arena_new();
	struct repo *r = NULL;
	struct source *s = NULL;
	struct migrations m = { 0 };
	struct err bad = ERR_INIT;

	if (repo_open(&r, top, &bad) < 0 ||
	    source_commit(&s, r, rev, &bad) < 0 ||
	    (fast ? source_migrations_beside(&m, mine, s, &project, NULL, &bad) :
	    source_migrations(&m, mine, s, &project, &bad)) < 0)
		printf("# %s\n", bad.msg);
	tell(b, &m);
	source_free(s);
	repo_free(r);
	arena_free(mine);
}

static bool
as_ever(const char *name)
{
	struct strbuf plain STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf fast STRBUF_SCOPED = STRBUF_INIT;

	reading(&plain, "HEAD", false);
	reading(&fast, "HEAD", true);
	return is(fast.s, plain.s, name);
}

static off_t
size(void)
{
	struct stat st;

	return stat(file, &st) == 0 ? st.st_size : -1;
}

static void
files(void)
{
	put("shop/fields.py", "from django.db import models\nclass Money(models.DecimalField):\n    pass\ndef make(a, e):\n    pass\n");
	put("shop/migrations/__init__.py", "");
	put("shop/migrations/0001_initial.py", HEAD "from django.conf import settings\nfrom shop.fields import Money\nfrom shop import gone\nfrom tools import Mixin\n" CLASS
	    "    initial = True\n    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]\n"
	    "    operations = [migrations.CreateModel('A', [('m', Money(max_digits=3)), ('n', models.CharField(default='a\\0b', choices=[('x', {1: 2.5}), (None, -3)]))],\n"
	    "        options={'ordering': ['-id']}, bases=(models.Model, Mixin))]\n");
	put("shop/migrations/0002_sql.py", HEAD "def f(apps, e):\n    pass\n" CLASS
	    "    atomic = False\n    dependencies = [('shop', '0001_initial')]\n    replaces = [('shop', '0009_x')]\n"
	    "    # sluice: safe reverse=unsafe delay=2h because \"it is\" repeat\n"
	    "    operations = [migrations.RunSQL(['SELECT 1', migrations.g()], 'SELECT 2'), migrations.RunPython(f, migrations.RunPython.noop),\n"
	    "        migrations.SeparateDatabaseAndState([migrations.RemoveField('a', 'n')], [migrations.AlterField('A', 'm', models.TextField(null=True), preserve_default=False)])]\n");
	put("shop/migrations/0003_odd.py", HEAD CLASS "    dependencies = [migrations.h()]\n");
	put("shop/migrations/0004_bound.py", HEAD "from shop.fields import make\n" CLASS
	    "    operations = [migrations.RunPython(make)]\n");
	put("shop/migrations/0004_version.py", "import django\n" HEAD CLASS
	    "    if django.VERSION >= (5, 0):\n        operations = [migrations.DeleteModel('B')]\n");
	put("shop/migrations/0004_not.py", "X = 1\n");
	put("shop/migrations/0005_bad.py", "class Migration(\n");
}

static void
alter(long at, const char *bytes)
{
	FILE *f = fopen(file, "r+b");

	if (f == NULL)
		return;
	fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
	fputs(bytes, f);
	fclose(f);
}

/* A blob that is not in the repository can only come out of the cache. */
static bool
unread_blob(const char *path)
{
	struct strbuf id STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf was STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf now STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf at STRBUF_SCOPED = STRBUF_INIT;
	char rev[256];
	struct strvec v STRVEC_SCOPED = STRVEC_INIT;
	int code;

	snprintf(rev, sizeof(rev), "HEAD:%s", path);
	strvec_pushl(&v, "git", "rev-parse", rev, NULL);
	struct child_spec s = { .argv = v.v, .cwd = top, .out = CHILD_PIPE };
	child_run(&s, NULL, 0, &id, NULL, 20000, &code, &e);
	strbuf_printf(&at, "%s/.git/objects/%.2s/%.38s", top, id.s, id.s + 2);
	char *away = arena_printf(a, "%s/away", top);
	reading(&was, "HEAD", true);
	if (rename(at.s, away) < 0)
		return false;
	reading(&now, "HEAD", true);
	rename(away, at.s);
	return streq(was.s, now.s);
}

static void
damage(void)
{
	const char *sql = "shop/migrations/0002_sql.py";
	struct stat st;

	ok(truncate(file, size() - 100) == 0, "the file is torn");
	as_ever("and all read");
	ok(unread_blob(sql), "and kept again");
	alter(size() / 2, "#");
	as_ever("a byte is another");
	alter(30, "9");
	as_ever("of another version");
	ok(unread_blob(sql), "and made anew");
	alter(-4, "####");
	as_ever("its last bytes are others");
	if (geteuid() == 0) {
		ok(chown(file, 4242, 4242) == 0 && !unread_blob(sql),
		    "somebody else's is not believed");
		as_ever("nor in the way");
		ok(chown(file, 0, 0) == 0 && unread_blob(sql), "ours is");
	}
	chmod(file, 0666);
	as_ever("others may write to it");
	ok(stat(file, &st) == 0 && (st.st_mode & 022) == 0, "so it is made anew");
	unlink(file);
	as_ever("gone");
	ok(unread_blob(sql), "and there again");
}

static void
writers(void)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	unlink(file);
	for (int i = 0; i < 6; i++)
		if (fork() == 0) {
			for (int k = 0; k < 5; k++) {
				unlink(file);
				reading(&b, i % 2 ? "HEAD" : "HEAD~3", true);
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	as_ever("several wrote at once");
	ok(unread_blob("shop/migrations/0002_sql.py"), "one of them is kept");
}

static void
bounded(void)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct arena *mine = arena_new();
	off_t most = 0;

	for (int i = 0; i < 25; i++) {
		strbuf_reset(&text);
		strbuf_printf(&text, HEAD CLASS "    operations = [migrations."
		    "RunSQL('SELECT %d')]\n", i);
		put("shop/migrations/0006_more.py", text.s);
		commit();
		reading(&b, "HEAD", true);
		struct cache *c = cache_open(arena_printf(a,
		    "%s/.git/sluice", top), "", mine);
		if (i > 0 && (cache_parts(c) == 0 ||
		    cache_parts(c) > CACHE_PARTS_MAX))
			printf("# %u parts\n", cache_parts(c));
		cache_close(c);
		most = size() > most ? size() : most;
	}
	ok(most > 0 && most < 200000, "old generations go: %ld bytes at most",
	    (long)most);
	as_ever("and what is used stays");
	arena_free(mine);
}

/* So many that other cores help. */
static void
many(void)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;

	for (int i = 0; i < 150; i++) {
		strbuf_reset(&text);
		strbuf_printf(&text, HEAD "%s" CLASS "    operations = ["
		    "migrations.RunSQL('SELECT %d')]%s\n",
		    i % 7 == 0 ? "from shop.fields import Money\n" : "", i,
		    i % 11 == 0 ? " +" : "");
		put(arena_printf(a, "many/migrations/%04d_x.py", i + 1), text.s);
	}
	commit();
	as_ever("many, by several readers");
	ok(unread_blob("many/migrations/0003_x.py"), "and kept");
	as_ever("many, again");
}

int
main(void)
{
	a = arena_new();
	if (dir_temp(&top, "sluice-test", &e) < 0)
		return 1;
	git("init -q");
	files();
	commit();
	file = arena_printf(a, "%s/.git/sluice/read-%s", top, "8ef1b1df");
	as_ever("at first");
	ok(size() > 0, "it is kept");
	as_ever("again");
	for (project.django = 601; project.django > 401;
	    project.django = project.django == 601 ? 402 : 0)
		as_ever("another version of Django");
	ok(unread_blob("shop/migrations/0002_sql.py"), "no blob is read again");
	ok(unread_blob("shop/migrations/0001_initial.py"), "nor where others have a part");
	ok(!unread_blob("shop/migrations/0003_odd.py"), "but what has problems is");
	put("shop/fields.py", "from django.db import models\nclass Money(models.FloatField):\n    pass\n");
	commit();
	as_ever("a module that has a part is another");
	put("shop/gone.py", "X = 1\n");
	commit();
	as_ever("one that was not there is");
	ok(unread_blob("shop/migrations/0001_initial.py"), "and that is kept too");
	git("mv shop/migrations/0002_sql.py shop/migrations/0002_other.py");
	git("mv shop store");
	commit();
	as_ever("moved");
	git("revert -n HEAD");
	commit();
	damage();
	writers();
	many();
	bounded();
	unlink(file);
	rmdir(arena_printf(a, "%s/.git/sluice", top));
	put(".git/sluice", "");
	as_ever("where nothing can be kept");
	dir_remove(top, &e);
	free(top);
	arena_free(a);
	return done_testing();
}

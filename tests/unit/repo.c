/* The repository and the four kinds of tree, on a real git repository. */
#include "read/repo.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/strvec.h"
#include "read/source.h"
#include "tap.h"

static struct arena *a;
static struct err e;
static char *top;

static void
git(const char *words)
{
	struct strvec v STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf out STRBUF_SCOPED = STRBUF_INIT;
	struct child_spec s = { 0 };
	int code = -1;

	strvec_pushl(&v, "git", "-c", "user.name=t", "-c", "user.email=t@t",
	    NULL);
	strvec_split(&v, words);
	s.argv = v.v;
	s.cwd = top;
	s.out = s.err = CHILD_PIPE;
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

static int
collect(void *ctx, const char *path, size_t size)
{
	struct strbuf *b = ctx;

	strbuf_printf(b, "%s:%zu ", path, size);
	return 0;
}

static void
holds(struct source *s, const char *want, const char *name)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	is_int(source_walk(s, collect, &b, &e), 0, name);
	is(b.s, want, name);
}

static void
reads(struct source *s, const char *path, const char *want)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	int r = source_read(s, &b, path, &e);

	is(r == 1 ? b.s : r == 0 ? "(none)" : e.msg, want, path);
}

static void
revisions(struct repo *r)
{
	sym one, two, base;

	is_int(repo_commit(r, &one, a, "HEAD~1", &e), 1, "HEAD~1");
	is_int(repo_commit(r, &two, a, "HEAD", &e), 1, "HEAD");
	is_int(repo_commit(r, &base, a, "0123456789", &e), 0, "no such commit");
	is_int(repo_commit(r, &base, a, "a..b..c", &e), 0, "no revision at all");
	is_int(repo_merge_base(r, &base, a, "HEAD", "HEAD~1", &e), 1, "base");
	ok(base == one, "is the older one");
	is_int(repo_ref(r, &base, a, "refs/sluice/deployed/x", &e), 0, "no ref");
	is_int(repo_ref_set(r, "refs/sluice/deployed/x", two, "test", &e), 0,
	    "a ref is set");
	is_int(repo_ref(r, &base, a, "refs/sluice/deployed/x", &e), 1, "read");
	ok(base == two, "and right");
	ok(!repo_bare(r) && repo_workdir(r) != NULL, "a work tree");
	struct source *s = NULL;
	is_int(source_commit(&s, r, one, &e), 0, "the older tree");
	holds(s, "a/x.py:3 b.py:1 ", "its files; links are none");
	reads(s, "a/x.py", "one");
	reads(s, "a", "(none)");
	reads(s, "../a", "(none)");
	reads(s, "link", "(none)");
	source_free(s);
	is_int(source_commit(&s, r, "nope", &e), -1, "no such tree");
	is_int(source_index(&s, r, &e), 0, "the index");
	holds(s, "a/x.py:3 b.py:1 c.py:2 ", "holds what is staged");
	reads(s, "c.py", "cc");
	source_free(s);
}

static void
folders(void)
{
	struct source *s = NULL;

	put("node_modules/m.py", "m");
	put("env/pyvenv.cfg", "x");
	put("env/lib/e.py", "e");
	is_int(source_folder(&s, top, &e), 0, "the folder");
	holds(s, "a/x.py:3 b.py:1 c.py:2 d.py:4 ", "leaves out what is not ours");
	reads(s, "d.py", "dddd");
	reads(s, "link", "(none)");
	reads(s, "out/x.py", "(none)");
	reads(s, "/etc/passwd", "(none)");
	source_free(s);
	is_int(source_folder(&s, "/nonexistent", &e), -1, "no folder");
	struct source_file f[] = { { "z", "zz", 2 }, { "a/b", "x\0y", 3 } };
	is_int(source_memory(&s, f, 2, &e), 0, "memory");
	holds(s, "a/b:3 z:2 ", "sorted");
	reads(s, "z", "zz");
	reads(s, "y", "(none)");
	source_free(s);
}

int
main(void)
{
	struct repo *r = NULL;

	a = arena_new();
	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	if (dir_temp(&top, "sluice-repo", &e) < 0)
		return printf("Bail out! %s\n", e.msg), 1;
	is_int(repo_open(&r, "/", &e), -1, "no repository");
	is_int(e.kind, ERR_CONFIG, "is the user's mistake");
	git("init -q -b main .");
	put("a/x.py", "one");
	put("b.py", "b");
	if (symlink("/etc/passwd", arena_printf(a, "%s/link", top)) < 0 ||
	    symlink("a", arena_printf(a, "%s/out", top)) < 0)
		printf("# no links\n");
	git("add -A");
	git("commit -qm one");
	put("a/x.py", "two");
	git("commit -qam two");
	put("c.py", "cc");
	git("add c.py");
	put("d.py", "dddd");
	if (ok(repo_open(&r, top, &e) == 0, "the repository"))
		revisions(r);
	repo_free(r);
	folders();
	setenv("GIT_DIR", arena_printf(a, "%s/.git", top), 1);
	setenv("GIT_WORK_TREE", top, 1);
	is_int(repo_open(&r, NULL, &e), 0, "from the environment");
	is(getenv("GIT_WORK_TREE"), top, "which is as it was");
	repo_free(r);
	dir_remove(top, &e);
	free(top);
	arena_free(a);
	return done_testing();
}

/* The tree of what is staged, made without git, is the one that git makes. */
#include "gate/stage.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/strvec.h"
#include "gate/export.h"
#include "gate/stageraw.h"
#include "tap.h"

static struct arena *a;
static struct err e;
static struct repo *r;

static void
sh(const char *script)
{
	const char *argv[] = { "sh", "-ec", script, NULL };
	struct strvec v STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf out STRBUF_SCOPED = STRBUF_INIT;
	int code = -1;

	strvec_pushl(&v, argv[0], argv[1], argv[2], NULL);
	struct child_spec s = { .argv = v.v };
	if (child_run(&s, NULL, 0, &out, &out, 20000, &code, &e) < 0 ||
	    code != 0)
		printf("# %s: %d %s %s\n", script, code, e.msg, out.s);
}

static void
same(const char *script)
{
	struct strbuf raw STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf want STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf got STRBUF_SCOPED = STRBUF_INIT;
	struct staged *f = NULL;
	uint32_t n = 0;

	sh(script);
	if (stageraw_get(&raw, NULL, &e) < 0 ||
	    stage_list(&f, &n, a, &raw, &e) < 0 ||
	    stage_tree(&got, r, f, n, &e) < 0 ||
	    export_staged(&want, r, &e) < 0)
		printf("# %s\n", e.msg);
	is(got.s, want.s, script);
}

int
main(void)
{
	char *top = NULL;

	a = arena_new();
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	setenv("GIT_AUTHOR_NAME", "t", 1);
	setenv("GIT_AUTHOR_EMAIL", "t@t", 1);
	setenv("GIT_COMMITTER_NAME", "t", 1);
	setenv("GIT_COMMITTER_EMAIL", "t@t", 1);
	if (dir_temp(&top, "stage", &e) < 0 || chdir(top) < 0)
		return 1;
	sh("git init -q .");
	if (repo_open(&r, NULL, &e) < 0)
		return 1;
	same("mkdir -p a/b/c; echo 1 >a/b/c/f; echo 1 >a/g; echo 1 >top; git add .");
	sh("git commit -qm 1");
	same(":");
	same("echo 2 >a/b/c/f; git add .");
	same("echo 2 >a/b/c/new; echo 2 >z; mkdir -p q/r; echo 2 >q/r/s; git add .");
	same("git rm -qf a/b/c/f a/b/c/new");
	same("git rm -qf q/r/s top");
	same("git commit -qm 2; git rm -qf a/g; echo 3 >a; git add a");
	same("git commit -qm 3; git rm -qf a; mkdir a; echo 3 >a/x; git add a");
	same("git commit -qm 4; git mv a/x a/y; chmod +x a/y; ln -s y a/l; git add -A");
	same("git commit -qm 5; git init -q sub; git -C sub commit -q --allow-empty -m s; git add sub 2>/dev/null");
	same("git commit -qm 6; echo 7 >late; git add -N late; echo 7 >z; git add z");
	same("rm -f a/l; mkdir a/l; echo 8 >a/l/m; git add -A");
	same("git rm -qrf --cached .");
	repo_free(r);
	if (chdir("/") < 0)
		return 1;
	dir_remove(top, &e);
	free(top);
	arena_free(a);
	return done_testing();
}

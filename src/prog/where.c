#include "prog/where.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "gate/gitcmd.h"

CLEANUP_FN(git_config, git_config_free)

/* libgit2 1.5 does not know safe.directory = *, nor its other patterns. */
static bool
git_trusts(void)
{
	struct strbuf none STRBUF_SCOPED = STRBUF_INIT;
	struct err no = ERR_INIT;

	return gitcmd_run(&none, NULL, NULL, &no, "rev-parse", "--git-dir",
	    NULL) == 0;
}

int
where_repo(struct repo **out, struct err *e)
{
	const char *index = getenv("GIT_INDEX_FILE");
	char *keep = index != NULL ? xstrdup(index) : NULL;

	unsetenv("GIT_INDEX_FILE");
	int r = repo_open(out, NULL, e);
	if (r < 0 && strstr(e->msg, "safe.directory") != NULL && git_trusts()) {
		err_clear(e);
		r = repo_open_trusted(out, e);
	}
	if (keep != NULL)
		setenv("GIT_INDEX_FILE", keep, 1);
	free(keep);
	if (r < 0 && strstr(e->msg, "objectformat") != NULL)
		return err_set(e, "this is a SHA-256 repository, which the "
		    "libgit2 on this machine cannot read");
	if (r < 0 && strstr(e->msg, "unsupported extension") != NULL)
		return err_wrap(e, "the libgit2 on this machine is too old for "
		    "this repository");
	return r;
}

/* In a bare repository: what git config sluice.config names. */
static sym
named(struct arena *a, struct repo *r)
{
	CLEANUP(git_config_free) git_config *c = NULL;
	git_buf b = GIT_BUF_INIT;
	sym path = NULL;

	if (git_repository_config(&c, repo_git(r)) == 0 &&
	    git_config_get_path(&b, c, "sluice.config") == 0)
		path = b.ptr[0] == '/' ? sym_get(a, b.ptr) :
		    sym_printf(a, "%s%s", repo_gitdir(r), b.ptr);
	git_buf_dispose(&b);
	return path;
}

int
where_config(struct config *c, struct arena *a, struct repo *r,
    const char *given, struct err *e)
{
	const char *env = getenv("SLUICE_CONFIG");
	sym path = NULL;

	if (given != NULL)
		path = given;
	else if (env != NULL && *env != '\0')
		path = env;
	else if (r == NULL)
		path = "sluice.ini";
	else if (!repo_bare(r))
		path = sym_printf(a, "%ssluice.ini", repo_workdir(r));
	else if ((path = named(a, r)) == NULL)
		path = sym_printf(a, "%ssluice.ini", repo_gitdir(r));
	if (!file_exists(path))
		return err_kind(e, ERR_CONFIG, "there is no configuration '%s'; "
		    "the least that it needs is\n\t[project]\n\tsettings = "
		    "YOUR.settings\nand config.ini.example explains every key",
		    path);
	return config_load(c, a, path, e);
}

static sym
if_there(struct arena *a, const char *top, const char *root,
    const char *python)
{
	sym path = sym_printf(a, "%s%s/%s", top, root, python);

	return access(path, X_OK) == 0 ? path : NULL;
}

sym
where_python(struct arena *a, struct repo *r, const struct cfg_project *p)
{
	const char *python = p->python != NULL ? p->python : "python3";
	const char *root = p->root != NULL ? p->root : ".";

	if (python[0] == '/' || strchr(python, '/') == NULL)
		return python;
	const char *top = repo_bare(r) ? repo_gitdir(r) : repo_workdir(r);
	sym main_top = sym_printf(a, "%s../",
	    git_repository_commondir(repo_git(r)));
	const char *const tops[] = { top, main_top };
	for (size_t i = 0; i < countof(tops); i++) {
		sym path = if_there(a, tops[i], root, python);
		if (path == NULL)
			path = if_there(a, tops[i], ".", python);
		if (path != NULL)
			return path;
	}
	return sym_printf(a, "%s%s", top, python);
}

sym
where_program(struct arena *a, const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return sym_get(a, name);
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	sym path = sym_printf(a, "%.*s/%s", (int)(slash - self), self, name);
	return access(path, X_OK) == 0 ? path : sym_get(a, name);
}

#include "read/repo.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/util.h"
#include "read/read.h"

struct repo {
	git_repository *git;
};

CLEANUP_FN(git_object, git_object_free)
CLEANUP_FN(git_reference, git_reference_free)

int
err_git(struct err *e, int rc, const char *what)
{
	const git_error *g = git_error_last();

	if (g != NULL && g->message != NULL)
		return err_set(e, "%s: %s", what, g->message);
	return err_set(e, "%s: libgit2 error %d", what, rc);
}

/* Setting what is set already leaks in libgit2 1.5. */
static bool
is_workdir(git_repository *git, const char *dir)
{
	const char *now = git_repository_workdir(git);
	char *real = realpath(dir, NULL);
	size_t n = real != NULL ? strlen(real) : 0;
	bool same = now != NULL && n > 0 && strncmp(now, real, n) == 0 &&
	    streq(now + n, "/");

	free(real);
	return same;
}

/* libgit2 1.5 knows neither GIT_WORK_TREE nor this extension. */
static int
open_env(git_repository **out)
{
	const char *tree = getenv("GIT_WORK_TREE");
	char *keep = tree != NULL ? xstrdup(tree) : NULL;

	unsetenv("GIT_WORK_TREE");
	int rc = git_repository_open_ext(out, NULL,
	    GIT_REPOSITORY_OPEN_FROM_ENV, NULL);
	if (keep != NULL) {
		setenv("GIT_WORK_TREE", keep, 1);
		if (rc == 0 && !is_workdir(*out, keep))
			rc = git_repository_set_workdir(*out, keep, 0);
		free(keep);
	}
	return rc;
}

static int
open_failed(struct err *e, int rc, const char *dir)
{
	const git_error *g = git_error_last();
	const char *what = dir != NULL ? dir : ".";

	if (rc == GIT_EOWNER || (g != NULL && g->message != NULL &&
	    strstr(g->message, "safe.directory") != NULL))
		return err_set(e, "the repository at '%s' belongs to another user; "
		    "if you trust it: git config --global --add "
		    "safe.directory DIR", what);
	if (rc == GIT_ENOTFOUND)
		return err_kind(e, ERR_CONFIG, "no git repository at '%s' or "
		    "above it", what);
	return err_git(e, rc, "cannot open the repository");
}

/* The list of extensions is freed by an empty one only. */
static void
shutdown_git(void)
{
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, NULL, (size_t)0);
	git_libgit2_shutdown();
}

/* At its start libgit2 parses every certificate of the system, for connections
 * that are never made here: half of what it takes to load. It goes on when the
 * file cannot be opened. */
static void
init_git(void)
{
	struct rlimit was = { 0 };
	bool known = getrlimit(RLIMIT_NOFILE, &was) == 0;
	struct rlimit none = was;

	none.rlim_cur = 0;
	if (known)
		(void)setrlimit(RLIMIT_NOFILE, &none);
	git_libgit2_init();
	if (known)
		(void)setrlimit(RLIMIT_NOFILE, &was);
}

static int
open_as(struct repo **out, const char *dir, int trusted, struct err *e)
{
	static const char *const extensions[] = { "worktreeconfig",
		"partialclone" };
	git_repository *git = NULL;

	*out = NULL;
	init_git();
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions,
	    countof(extensions));
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, !trusted);
	int rc = dir == NULL ? open_env(&git) :
	    git_repository_open_ext(&git, dir, 0, NULL);
	if (rc != 0) {
		open_failed(e, rc, dir);
		git_repository_free(git);
		shutdown_git();
		return -1;
	}
	*out = xcalloc(1, sizeof(**out));
	(*out)->git = git;
	return 0;
}

int
repo_open(struct repo **out, const char *dir, struct err *e)
{
	/* GIT_DIR names a repository outright: git asks no owner then either */
	return open_as(out, dir, dir == NULL && getenv("GIT_DIR") != NULL, e);
}

int
repo_open_trusted(struct repo **out, struct err *e)
{
	return open_as(out, NULL, 1, e);
}

void
repo_free(struct repo *r)
{
	if (r == NULL)
		return;
	git_repository_free(r->git);
	shutdown_git();
	free(r);
}

struct git_repository *
repo_git(struct repo *r)
{
	return r->git;
}

const char *
repo_gitdir(const struct repo *r)
{
	return git_repository_path(r->git);
}

const char *
repo_workdir(const struct repo *r)
{
	return git_repository_workdir(r->git);
}

bool
repo_bare(const struct repo *r)
{
	return git_repository_is_bare(r->git);
}

static sym
id_sym(struct arena *a, const git_oid *id)
{
	char hex[GIT_OID_HEXSZ + 1];

	git_oid_tostr(hex, sizeof(hex), id);
	return sym_get(a, hex);
}

static bool
absent(int rc)
{
	return rc == GIT_ENOTFOUND || rc == GIT_EINVALIDSPEC ||
	    rc == GIT_EPEEL || rc == GIT_EUNBORNBRANCH;
}

int
repo_commit(struct repo *r, sym *out, struct arena *a, const char *rev,
    struct err *e)
{
	CLEANUP(git_object_free) git_object *any = NULL;
	CLEANUP(git_object_free) git_object *commit = NULL;

	*out = NULL;
	int rc = git_revparse_single(&any, r->git, rev);
	if (rc == 0)
		rc = git_object_peel(&commit, any, GIT_OBJECT_COMMIT);
	if (absent(rc))
		return 0;
	if (rc != 0) {
		err_git(e, rc, "cannot read a commit");
		return err_wrap(e, "'%s'", rev);
	}
	*out = id_sym(a, git_object_id(commit));
	return 1;
}

int
repo_merge_base(struct repo *r, sym *out, struct arena *a,
    const char *x, const char *y, struct err *e)
{
	git_oid ids[2], base;
	const char *revs[2] = { x, y };

	*out = NULL;
	for (int i = 0; i < 2; i++) {
		sym id;
		int got = repo_commit(r, &id, a, revs[i], e);
		if (got < 0)
			return -1;
		if (got == 0)
			return err_set(e, "there is no commit '%s'", revs[i]);
		git_oid_fromstr(&ids[i], id);
	}
	int rc = git_merge_base(&base, r->git, &ids[0], &ids[1]);
	if (rc == GIT_ENOTFOUND && git_repository_is_shallow(r->git) == 1)
		return err_set(e, "no common commit of '%s' and '%s' in this shallow "
		    "clone: git fetch --unshallow", x, y);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc != 0)
		return err_git(e, rc, "cannot find a merge base");
	*out = id_sym(a, &base);
	return 1;
}

int
repo_ref(struct repo *r, sym *out, struct arena *a, const char *name,
    struct err *e)
{
	CLEANUP(git_reference_free) git_reference *ref = NULL;
	CLEANUP(git_object_free) git_object *commit = NULL;

	*out = NULL;
	int rc = git_reference_lookup(&ref, r->git, name);
	if (rc == 0)
		rc = git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT);
	if (absent(rc))
		return 0;
	if (rc != 0)
		return err_git(e, rc, name);
	*out = id_sym(a, git_object_id(commit));
	return 1;
}

int
repo_ref_set(struct repo *r, const char *name, const char *commit,
    const char *why, struct err *e)
{
	CLEANUP(git_reference_free) git_reference *ref = NULL;
	git_oid id;

	int rc = git_oid_fromstr(&id, commit);
	if (rc == 0)
		rc = git_reference_create(&ref, r->git, name, &id, 1, why);
	return rc != 0 ? err_git(e, rc, name) : 0;
}

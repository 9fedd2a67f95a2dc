#include "gate/export.h"

#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "gate/gate.h"
#include "gate/gitcmd.h"

CLEANUP_FN(git_object, git_object_free)
CLEANUP_FN(git_tree, git_tree_free)
CLEANUP_FN(git_blob, git_blob_free)

#define DEEPEST 100

struct out {
	git_repository *git;
	struct export_limit limit;
	int64_t files, bytes;
	struct strbuf path;
};

int
gate_git(struct err *e, const char *what)
{
	const git_error *g = git_error_last();

	return err_set(e, "%s: %s", what,
	    g != NULL && g->message != NULL ? g->message : "git is not content");
}

/* Where the index is an ordinary one, libgit2 gives its tree, without another
 * process. It does not read a split or a sparse one; and what is only meant to
 * be added, or not merged, is for git to treat. */
static bool
ordinary_tree(git_oid *id, git_repository *git)
{
	git_index *index = NULL;
	bool good = git_repository_index(&index, git) == 0 &&
	    git_index_read(index, 0) == 0 && !git_index_has_conflicts(index);

	for (size_t i = 0; good && i < git_index_entrycount(index); i++) {
		const git_index_entry *t = git_index_get_byindex(index, i);
		good = (t->flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD) == 0;
	}
	/* what is missing in a tree fails where it is read */
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 0);
	good = good && git_index_write_tree(id, index) == 0;
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 1);
	git_index_free(index);
	return good;
}

int
export_staged(struct strbuf *tree, struct repo *r, struct err *e)
{
	char hex[GIT_OID_HEXSZ + 1];
	git_oid id;

	if (ordinary_tree(&id, repo_git(r))) {
		strbuf_str(tree, git_oid_tostr(hex, sizeof(hex), &id));
		return 0;
	}
	if (gitcmd_line(tree, repo_workdir(r), e, "write-tree", NULL) != 0)
		return -1;
	return 0;
}

static int write_tree(struct out *o, const git_tree *t, int fd, int depth,
    struct err *e);

/* A pushed tree may name anything; nothing may land outside of the export. */
static bool
bad_name(const char *name)
{
	return *name == '\0' || streq(name, ".") || streq(name, "..") ||
	    strcasecmp(name, ".git") == 0 || strchr(name, '/') != NULL;
}

static int
write_folder(struct out *o, const git_tree_entry *te, int fd, int depth,
    struct err *e)
{
	CLEANUP(git_tree_free) git_tree *t = NULL;
	const char *name = git_tree_entry_name(te);

	if (depth >= DEEPEST)
		return err_set(e, "'%s' is nested too deep", o->path.s);
	if (git_tree_lookup(&t, o->git, git_tree_entry_id(te)) < 0)
		return gate_git(e, o->path.s);
	if (mkdirat(fd, name, 0700) < 0)
		return err_sys(e, "cannot make '%s'", o->path.s);
	int sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_sys(e, "cannot open '%s'", o->path.s);
	int r = write_tree(o, t, sub, depth + 1, e);
	close(sub);
	return r;
}

static int
write_blob(struct out *o, const git_tree_entry *te, int fd, struct err *e)
{
	CLEANUP(git_blob_free) git_blob *b = NULL;
	const char *name = git_tree_entry_name(te);
	git_filemode_t mode = git_tree_entry_filemode(te);

	if (mode == GIT_FILEMODE_LINK && o->limit.no_links)
		return 0;
	if (git_blob_lookup(&b, o->git, git_tree_entry_id(te)) < 0)
		return gate_git(e, o->path.s);
	size_t n = (size_t)git_blob_rawsize(b);
	const char *p = git_blob_rawcontent(b);
	o->files++;
	o->bytes += (int64_t)n;
	if ((o->limit.files > 0 && o->files > o->limit.files) ||
	    (o->limit.bytes > 0 && o->bytes > o->limit.bytes))
		return err_set(e, "the tree is larger than the limits allow "
		    "(%lld files, %lld bytes up to '%s')", (long long)o->files,
		    (long long)o->bytes, o->path.s);
	if (mode == GIT_FILEMODE_LINK) {
		struct strbuf to STRBUF_SCOPED = STRBUF_INIT;

		strbuf_add(&to, p, n);
		if (symlinkat(to.s, fd, name) < 0)
			return err_sys(e, "cannot link '%s'", o->path.s);
		return 0;
	}
	int out = openat(fd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0700 : 0600);
	if (out < 0)
		return err_sys(e, "cannot write '%s'", o->path.s);
	int r = fd_write_all(out, p, n, e);
	return close(out) < 0 && r == 0 ?
	    err_sys(e, "cannot write '%s'", o->path.s) : r;
}

static int
write_tree(struct out *o, const git_tree *t, int fd, int depth, struct err *e)
{
	size_t n = git_tree_entrycount(t);
	size_t len = o->path.len;

	for (size_t i = 0; i < n; i++) {
		const git_tree_entry *te = git_tree_entry_byindex(t, i);
		git_object_t type = git_tree_entry_type(te);
		int r = 0;

		strbuf_cut(&o->path, len);
		strbuf_printf(&o->path, "%s%s", len > 0 ? "/" : "",
		    git_tree_entry_name(te));
		if (bad_name(git_tree_entry_name(te)))
			return err_set(e, "the tree holds the name '%s'",
			    o->path.s);
		if (type == GIT_OBJECT_TREE)
			r = write_folder(o, te, fd, depth, e);
		else if (type == GIT_OBJECT_BLOB)
			r = write_blob(o, te, fd, e);
		if (r < 0)
			return -1;
	}
	return 0;
}

int
export_tree(struct repo *r, const char *id, const char *to,
    const struct export_limit *limit, struct err *e)
{
	CLEANUP(git_object_free) git_object *any = NULL;
	CLEANUP(git_object_free) git_object *tree = NULL;
	struct out o = { .git = repo_git(r), .limit = *limit,
		.path = STRBUF_INIT };

	if (git_revparse_single(&any, o.git, id) < 0 ||
	    git_object_peel(&tree, any, GIT_OBJECT_TREE) < 0)
		return gate_git(e, id);
	int fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", to);
	int rc = write_tree(&o, (git_tree *)tree, fd, 0, e);
	close(fd);
	strbuf_release(&o.path);
	return rc;
}

static int
link_one(const char *to, const char *worktree, const char *name,
    struct err *e)
{
	struct strbuf from STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf at STRBUF_SCOPED = STRBUF_INIT;

	if (name[0] == '/' || starts_with(name, "../") ||
	    strstr(name, "/../") != NULL)
		return err_kind(e, ERR_CONFIG, "[makemigrations] link: '%s' "
		    "leaves the work tree", name);
	strbuf_printf(&from, "%s/%s", worktree, name);
	strbuf_printf(&at, "%s/%s", to, name);
	if (!file_exists(from.s))
		return 0;
	*strrchr(at.s, '/') = '\0';
	if (dir_make(at.s, 0700, e) < 0)
		return -1;
	at.s[strlen(at.s)] = '/';
	if (symlink(from.s, at.s) < 0 && errno != EEXIST)
		return err_sys(e, "cannot link '%s'", at.s);
	return 0;
}

int
export_link(const char *to, const char *worktree, const char *names,
    struct err *e)
{
	char *copy = xstrdup(names);
	char *rest = NULL;
	int r = 0;

	for (char *w = strtok_r(copy, ", \t", &rest); w != NULL && r == 0;
	    w = strtok_r(NULL, ", \t", &rest))
		r = link_one(to, worktree, w, e);
	free(copy);
	return r;
}

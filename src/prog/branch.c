#include "prog/branch.h"

#include <git2.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "gate/range.h"
#include "gate/stage.h"

int
branch_migration(struct migration *out, struct arena *a, struct repo *r, sym path,
    sym blob, struct err *e)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;

	if (stage_text(&text, r, blob, e) < 0)
		return -1;
	int got = migration_read(out, a, "", path, text.s, text.len, NULL,
	    &none);
	return got > 0;	/* what cannot be parsed is told elsewhere */
}

/* The migration at that path, of those that are there or have been. */
static const struct migration *
in_head(const struct trial *t, const char *path)
{
	for (uint32_t i = 0; i < t->head.n; i++)
		if (streq(t->head.v[i].path, path))
			return &t->head.v[i];
	return NULL;
}

static bool
excepted(const struct trial *t, const char *exceptions, const char *path)
{
	const struct migration *m = in_head(t, path);

	if (m != NULL)
		return trial_listed(exceptions, m);
	/* it is gone: its neighbours know the app */
	const char *slash = strrchr(path, '/');
	for (uint32_t i = 0; slash != NULL && i < t->head.n; i++) {
		size_t n = (size_t)(slash - path) + 1;
		char name[256];

		if (strncmp(t->head.v[i].path, path, n) != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s",
		    (int)strlen(slash + 1) - 3, slash + 1);
		struct migration gone = { .app = t->head.v[i].app,
			.name = name };
		if (trial_listed(exceptions, &gone))
			return true;
		for (uint32_t k = 0; k < t->head.v[i].nreplaces; k++)
			if (streq(t->head.v[i].replaces[k].name, name))
				return true;
	}
	return false;
}

static sym
renamed_to(struct arena *a, struct repo *r, const struct range_file *f,
    uint32_t n, const struct range_file *gone, const struct migration *was)
{
	for (uint32_t i = 0; i < n && was->ops.n > 0; i++) {
		struct migration is = { 0 };
		struct err none = ERR_INIT;

		if (f[i].old == NULL && f[i].new != NULL &&
		    branch_migration(&is, a, r, f[i].path, f[i].new, &none) > 0 &&
		    streq(is.digest, was->digest) &&
		    strrchr(f[i].path, '/') - f[i].path ==
		    strrchr(gone->path, '/') - gone->path)
			return f[i].path;
	}
	return NULL;
}

/* What the base branch itself made of it since is not our doing. */
static bool
differs(const struct range_file *f, uint32_t n, const char *path)
{
	for (uint32_t i = 0; i < n; i++)
		if (streq(f[i].path, path))
			return true;
	return false;
}

static bool
in_base(const struct trial *t, const char *path)
{
	for (uint32_t i = 0; i < t->base.n; i++)
		if (streq(t->base.v[i].path, path))
			return true;
	return false;
}

static void
tell_edited(struct trial *t, struct arena *a, const struct trial_branch *b,
    const struct range_file *f, sym to)
{
	if (f->new != NULL)
		trial_wrong(t, a, f->path, 0, sym_printf(a, "its operations "
		    "were changed, but %s has it as it was: git checkout "
		    "%.12s -- %s, and write a new migration", b->tip_name,
		    b->fork, sym_word(a, f->path)));
	else if (to != NULL) {
		*list_add(a, &t->renamed) = to;
		trial_wrong(t, a, f->path, 0, sym_printf(a, "was renamed, but "
		    "%s has it by this name: git mv %s %s", b->tip_name,
		    sym_word(a, to), sym_word(a, f->path)));
	} else
		trial_wrong(t, a, f->path, 0, sym_printf(a, "is gone, but %s "
		    "has it: git checkout %.12s -- %s, and undo what it does "
		    "by a new migration", b->tip_name, b->fork,
		    sym_word(a, f->path)));
}

/* Edited, renamed or removed, of what is there and not deployed yet: what is
 * deployed was compared already. */
static int
edited(struct trial *t, struct arena *a, const struct trial_ask *ask,
    struct err *e)
{
	const struct trial_branch *b = ask->branch;
	struct range_file *f = NULL, *now = NULL;
	uint32_t n = 0, nnow = 0;

	if (range_files(&f, &n, a, b->repo, b->fork, b->tree, e) < 0 ||
	    (n > 0 && range_files(&now, &nnow, a, b->repo, b->tip, b->tree,
		e) < 0))
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		struct migration was = { 0 }, is = { 0 };

		if (f[i].old == NULL || in_base(t, f[i].path) ||
		    !differs(now, nnow, f[i].path) ||
		    excepted(t, ask->exceptions, f[i].path))
			continue;
		int r = branch_migration(&was, a, b->repo, f[i].path, f[i].old, e);
		if (r > 0 && f[i].new != NULL)
			r = branch_migration(&is, a, b->repo, f[i].path, f[i].new, e);
		if (r < 0)
			return -1;
		if (r == 0 || (f[i].new != NULL && streq(was.digest, is.digest)))
			continue;
		tell_edited(t, a, b, &f[i], f[i].new != NULL ? NULL :
		    renamed_to(a, b->repo, f, n, &f[i], &was));
	}
	return 0;
}

static bool
told(const struct trial *t)
{
	return t->graph.nwrong > 0 || t->head.nunread > 0;
}

int
branch_compare(struct trial *t, struct arena *a, const struct trial_ask *ask,
    struct err *e)
{
	const struct trial_branch *b = ask->branch;

	if (b != NULL && b->fork != NULL && b->tree != NULL &&
	    edited(t, a, ask, e) < 0)
		return -1;
	return told(t) || ask->base == NULL ? 0 : clash_find(t, a, ask, e);
}

enum trial_at
branch_at(const struct repo *r, bool merge)
{
	const char *index = getenv("GIT_INDEX_FILE");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/MERGE_HEAD", repo_gitdir(r));
	if (merge || access(path, F_OK) == 0)
		return AT_MERGE;
	return index == NULL || streq(index, "index") ||
	    ends_with(index, "/index") ? AT_INDEX : AT_OTHER_INDEX;
}

int
branch_find(struct trial_branch *b, struct arena *a,
    const struct cfg_project *p, const char *head, const char *remote,
    struct err *e)
{
	sym tip = NULL, at = NULL;
	int r = range_branch(&b->tip, &b->tip_name, a, b->repo, p, remote, e);

	if (r > 0)
		r = repo_commit(b->repo, &tip, a, head, e);
	if (r > 0)
		r = repo_merge_base(b->repo, &at, a, b->tip, tip, e);
	b->fork = r > 0 ? at : NULL;
	return r < 0 ? -1 : 0;
}

/* Is there any branch in this repository, its own or a remote's? */
static bool
any_branch(struct repo *r)
{
	git_branch_iterator *it = NULL;
	git_reference *ref = NULL;
	git_branch_t type;
	bool any = git_branch_iterator_new(&it, repo_git(r),
	    GIT_BRANCH_ALL) == 0 && git_branch_next(&ref, &type, it) == 0;

	git_reference_free(ref);
	git_branch_iterator_free(it);
	return any;
}

int
branch_known(const struct trial_branch *b, const struct cfg_project *p,
    struct err *e)
{
	if (p->base == NULL || b->tip != NULL || !any_branch(b->repo))
		return 0;
	return err_kind(e, ERR_CONFIG, "[project] base = %s: there is no such "
	    "branch here or at the remote: name the one that releases come "
	    "from, or git fetch it", p->base);
}

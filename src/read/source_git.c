/* Sources within git: a commit's tree and the index. */
#include <git2.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "read/cache.h"
#include "read/read.h"
#include "read/repo.h"

struct in_git {
	struct source s;
	git_repository *git;	/* borrowed */
	git_tree *tree;
	git_index *index;
	struct strbuf cache;
};

_Static_assert(CACHE_ID == GIT_OID_RAWSZ, "ids are as long as git's");

CLEANUP_FN(git_object, git_object_free)
CLEANUP_FN(git_tree, git_tree_free)
CLEANUP_FN(git_tree_entry, git_tree_entry_free)
CLEANUP_FN(git_blob, git_blob_free)

struct walk {
	struct in_git *g;
	bool sizes;
	int (*each)(void *ctx, const char *path, size_t size);
	void *ctx;
	struct strbuf path;
	uint32_t seen;
	struct err *e;
};

static bool
is_file(uint32_t mode)
{
	return mode == GIT_FILEMODE_BLOB ||
	    mode == GIT_FILEMODE_BLOB_EXECUTABLE || mode == 0100664;
}

/* What is not followed, but must not be passed over in silence. */
static bool
is_link(uint32_t mode)
{
	return mode == GIT_FILEMODE_LINK || mode == GIT_FILEMODE_COMMIT;
}

static int
blob_add(struct in_git *g, struct strbuf *b, const git_oid *id,
    const char *path, struct err *e)
{
	CLEANUP(git_blob_free) git_blob *blob = NULL;

	int rc = git_blob_lookup(&blob, g->git, id);
	if (rc != 0)
		return err_git(e, rc, path);
	git_object_size_t n = git_blob_rawsize(blob);
	if (n > b->max - b->len)
		return err_set(e, "'%s' has %llu bytes, too many to read", path,
		    (unsigned long long)n);
	strbuf_add(b, git_blob_rawcontent(blob), (size_t)n);
	return 1;
}

static int
tree_id(struct in_git *g, git_oid *id, const char *path, struct err *e)
{
	CLEANUP(git_tree_entry_free) git_tree_entry *t = NULL;

	if (!path_plain(path))
		return 0;
	int rc = git_tree_entry_bypath(&t, g->tree, path);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc != 0)
		return err_git(e, rc, path);
	if (!is_file(git_tree_entry_filemode(t)))
		return 0;
	git_oid_cpy(id, git_tree_entry_id(t));
	return 1;
}

static int
tree_id_of(struct source *s, sym *id, struct arena *a, const char *path,
    struct err *e)
{
	git_oid oid;
	int r = tree_id((struct in_git *)s, &oid, path, e);

	if (r > 0)
		*id = sym_getn(a, (const char *)oid.id, CACHE_ID);
	return r;
}

static int
git_read_id(struct source *s, struct strbuf *b, sym id, const char *path,
    struct err *e)
{
	git_oid oid;

	git_oid_fromraw(&oid, (const unsigned char *)id);
	return blob_add((struct in_git *)s, b, &oid, path, e);
}

static int
tree_read(struct source *s, struct strbuf *b, const char *path, struct err *e)
{
	struct in_git *g = (struct in_git *)s;
	git_oid id;
	int r = tree_id(g, &id, path, e);

	return r > 0 ? blob_add(g, b, &id, path, e) : r;
}

static int
each_blob(struct walk *w, const git_oid *id)
{
	size_t size = 0;

	if (++w->seen > SOURCE_FILES_MAX)
		return err_set(w->e, "more than %u files in the tree",
		    SOURCE_FILES_MAX);
	if (w->sizes) {
		git_odb *odb = NULL;
		git_object_t type;
		int rc = git_repository_odb(&odb, w->g->git);
		if (rc == 0)
			rc = git_odb_read_header(&size, &type, odb, id);
		git_odb_free(odb);
		if (rc != 0)
			return err_git(w->e, rc, w->path.s);
	}
	w->g->s.id = (const char *)id->id;
	int r = w->each(w->ctx, w->path.s, size);
	w->g->s.id = NULL;
	return r;
}

static int
each_link(struct walk *w)
{
	w->g->s.link = true;
	int r = w->each(w->ctx, w->path.s, 0);
	w->g->s.link = false;
	return r;
}

static int
tree_down(struct walk *w, const git_tree *tree, int depth)
{
	size_t n = git_tree_entrycount(tree);
	size_t len = w->path.len;

	if (depth > SOURCE_DEPTH_MAX)
		return err_set(w->e, "folders nested too deeply in the tree");
	for (size_t i = 0; i < n; i++) {
		const git_tree_entry *t = git_tree_entry_byindex(tree, i);
		const char *name = git_tree_entry_name(t);
		uint32_t mode = git_tree_entry_filemode(t);
		int r = 0;

		strbuf_cut(&w->path, len);
		strbuf_str(&w->path, name);
		if (mode == GIT_FILEMODE_TREE &&
		    (w->sizes || !dir_skipped(name, strlen(name)))) {
			CLEANUP(git_tree_free) git_tree *sub = NULL;
			int rc = git_tree_lookup(&sub, w->g->git,
			    git_tree_entry_id(t));
			if (rc != 0)
				return err_git(w->e, rc, w->path.s);
			if (++w->seen > SOURCE_FILES_MAX)
				return err_set(w->e, "too many folders");
			strbuf_char(&w->path, '/');
			r = tree_down(w, sub, depth + 1);
		} else if (is_file(mode)) {
			r = each_blob(w, git_tree_entry_id(t));
		} else if (is_link(mode) && !w->sizes) {
			r = each_link(w);
		}
		if (r != 0)
			return r;
	}
	return 0;
}

static int
tree_walk(struct source *s, bool sizes,
    int (*each)(void *ctx, const char *path, size_t size), void *ctx,
    struct err *e)
{
	struct in_git *g = (struct in_git *)s;
	struct walk w = { g, sizes, each, ctx, STRBUF_INIT, 0, e };

	int r = tree_down(&w, g->tree, 0);
	strbuf_release(&w.path);
	return r;
}

static void
git_free(struct source *s)
{
	struct in_git *g = (struct in_git *)s;

	git_tree_free(g->tree);
	git_index_free(g->index);
	strbuf_release(&g->cache);
	free(g);
}

static struct in_git *
git_new(const struct source_ops *ops, struct repo *r)
{
	struct in_git *g = xcalloc(1, sizeof(*g));

	g->s.ops = ops;
	g->git = repo_git(r);
	g->cache = (struct strbuf)STRBUF_INIT;
	strbuf_printf(&g->cache, "%ssluice", git_repository_commondir(g->git));
	g->s.cache = g->cache.s;
	return g;
}

int
source_commit(struct source **out, struct repo *r, const char *commit,
    struct err *e)
{
	static const struct source_ops ops = { tree_read, tree_walk, git_free,
	    tree_id_of, git_read_id };
	CLEANUP(git_object_free) git_object *any = NULL;
	git_object *tree = NULL;

	*out = NULL;
	int rc = git_revparse_single(&any, repo_git(r), commit);
	if (rc == 0)
		rc = git_object_peel(&tree, any, GIT_OBJECT_TREE);
	if (rc == GIT_ENOTFOUND || rc == GIT_EINVALIDSPEC)
		return err_set(e, "there is no commit '%s'", commit);
	if (rc != 0)
		return err_git(e, rc, commit);
	struct in_git *g = git_new(&ops, r);
	g->tree = (git_tree *)tree;
	*out = &g->s;
	return 0;
}

static const git_index_entry *
index_entry(struct in_git *g, const char *path)
{
	const git_index_entry *t = git_index_get_bypath(g->index, path, 0);

	return t == NULL || !is_file(t->mode) ||
	    (t->flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD) != 0 ?
	    NULL : t;
}

static int
index_read(struct source *s, struct strbuf *b, const char *path,
    struct err *e)
{
	struct in_git *g = (struct in_git *)s;
	const git_index_entry *t = index_entry(g, path);

	return t == NULL ? 0 : blob_add(g, b, &t->id, path, e);
}

static int
index_id_of(struct source *s, sym *id, struct arena *a, const char *path,
    struct err *e)
{
	const git_index_entry *t = index_entry((struct in_git *)s, path);

	(void)e;
	if (t != NULL)
		*id = sym_getn(a, (const char *)t->id.id, CACHE_ID);
	return t != NULL;
}

static bool
under_skipped(const char *path)
{
	for (const char *s = path; ; ) {
		size_t n = strcspn(s, "/");
		if (s[n] == '\0')
			return false;
		if (dir_skipped(s, n))
			return true;
		s += n + 1;
	}
}

static int
index_walk(struct source *s, bool sizes,
    int (*each)(void *ctx, const char *path, size_t size), void *ctx,
    struct err *e)
{
	struct in_git *g = (struct in_git *)s;
	struct walk w = { g, sizes, each, ctx, STRBUF_INIT, 0, e };
	size_t n = git_index_entrycount(g->index);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const git_index_entry *t = git_index_get_byindex(g->index, i);
		bool link = !sizes && is_link(t->mode);
		if (git_index_entry_stage(t) != 0 ||
		    (!is_file(t->mode) && !link) ||
		    (t->flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD) != 0 ||
		    (!sizes && under_skipped(t->path)))
			continue;
		strbuf_reset(&w.path);
		strbuf_str(&w.path, t->path);
		r = link ? each_link(&w) : each_blob(&w, &t->id);
	}
	strbuf_release(&w.path);
	return r;
}

int
source_index(struct source **out, struct repo *r, struct err *e)
{
	static const struct source_ops ops = { index_read, index_walk,
	    git_free, index_id_of, git_read_id };
	git_index *index = NULL;

	*out = NULL;
	int rc = git_repository_index(&index, repo_git(r));
	if (rc == 0)
		rc = git_index_read(index, 1);
	if (rc != 0 || git_index_has_conflicts(index)) {
		err_git(e, rc, "cannot read the index");
		git_index_free(index);
		return rc != 0 ? -1 : err_set(e, "not all is merged");
	}
	struct in_git *g = git_new(&ops, r);
	g->index = index;
	*out = &g->s;
	return 0;
}

#include "gate/range.h"

#include <fnmatch.h>
#include <git2.h>
#include <string.h>

#include "base/util.h"
#include "gate/gate.h"
#include "gate/gitcmd.h"
#include "gate/touch.h"

CLEANUP_FN(git_object, git_object_free)
CLEANUP_FN(git_diff, git_diff_free)
CLEANUP_FN(git_tree_entry, git_tree_entry_free)

struct bases { struct range_base *v; uint32_t n, cap; };

static void
add(struct bases *l, struct arena *a, sym commit, sym why)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].commit == commit)
			return;
	struct range_base *b = list_add(a, l);
	b->commit = commit;
	b->why = why;
}

int
range_deployed(struct range_base **out, uint32_t *n, struct arena *a,
    struct repo *r, const struct config *c, const struct cfg_project *p,
    const char *target, struct err *e)
{
	struct bases l = { 0 };

	for (uint32_t i = 0; i < c->ntargets; i++) {
		const struct cfg_target *t = &c->targets[i];
		sym id = NULL, commit = NULL;

		if (target != NULL ? !streq(t->name, target) :
		    c->nprojects > 1 && !streq(t->project, p->name))
			continue;
		sym ref = sym_printf(a, "refs/sluice/deployed/%s", t->name);
		int got = repo_ref(r, &id, a, ref, e);
		if (got > 0)	/* 0: its objects were never fetched */
			got = repo_commit(r, &commit, a, id, e);
		if (got < 0)
			return -1;
		if (got > 0)
			add(&l, a, commit, sym_printf(a,
			    "what is deployed on %s", t->name));
	}
	*out = l.v;
	*n = l.n;
	return 0;
}

int
range_branch(sym *out, sym *why, struct arena *a, struct repo *r,
    const struct cfg_project *p, const char *remote, struct err *e)
{
	const char *branch = p->base != NULL ? p->base : "main";

	*why = sym_printf(a, "%s/%s", remote != NULL ? remote : "origin",
	    branch);
	int got = repo_commit(r, out, a, sym_printf(a, "refs/remotes/%s",
	    *why), e);
	if (got != 0)
		return got;
	*why = sym_get(a, branch);
	return repo_commit(r, out, a, sym_printf(a, "refs/heads/%s", branch),
	    e);
}

int
range_bases(struct range_base **out, uint32_t *n, struct arena *a,
    struct repo *r, const struct config *c, const struct cfg_project *p,
    const char *head, const char *remote, const char *fallback,
    struct err *e)
{
	sym tip = NULL, branch = NULL, base = NULL, why = NULL;
	struct bases l = { 0 };

	if (range_deployed(out, n, a, r, c, p, NULL, e) < 0)
		return -1;
	if (*n > 0)
		return 0;
	int got = repo_commit(r, &tip, a, head, e);
	if (got > 0)
		got = range_branch(&branch, &why, a, r, p, remote, e);
	if (got > 0)
		got = repo_merge_base(r, &base, a, branch, tip, e);
	if (got < 0)
		return -1;
	if (got > 0)
		add(&l, a, base, why);
	else if (fallback != NULL && (got = repo_commit(r, &base, a, fallback,
		    e)) > 0)
		add(&l, a, base, streq(fallback, head) ? head :
			sym_printf(a, "%.12s", base));
	if (got < 0)
		return -1;
	if (l.n == 0)
		add(&l, a, NULL, "nothing: this is the first release");
	*out = l.v;
	*n = l.n;
	return 0;
}

/* The next word up to a blank; NULL at the end of the line. */
static sym
word(const char **p, const char *end, struct arena *a)
{
	const char *s = *p;

	while (*p < end && **p != ' ')
		(*p)++;
	if (s == *p)
		return NULL;
	sym w = sym_getn(a, s, (size_t)(*p - s));
	*p += *p < end;
	return w;
}

static sym
known(sym id)
{
	return id[strspn(id, "0")] == '\0' ? NULL : id;
}

int
range_lines(struct range_line **out, uint32_t *n, struct arena *a,
    const struct strbuf *text, bool push, struct err *e)
{
	struct list(struct range_line) l = { 0 };
	const char *stop = text->s + text->len;

	for (const char *p = text->s; p < stop;) {
		const char *end = memchr(p, '\n', (size_t)(stop - p));
		end = end != NULL ? end : stop;
		if (push)
			word(&p, end, a);
		sym x = word(&p, end, a);
		sym y = word(&p, end, a);
		sym z = word(&p, end, a);
		if (z == NULL)
			return err_set(e, "cannot read what git says about "
			    "the refs");
		struct range_line *line = list_add(a, &l);
		line->ref = push ? y : z;
		line->old = known(push ? z : x);
		line->new = known(push ? x : y);
		p = end + 1;
	}
	*out = l.v;
	*n = l.n;
	return 0;
}

static int
tree_of(git_object **out, struct repo *r, const char *id, struct err *e)
{
	CLEANUP(git_object_free) git_object *any = NULL;

	if (id == NULL)
		return 0;
	if (git_revparse_single(&any, repo_git(r), id) < 0 ||
	    git_object_peel(out, any, GIT_OBJECT_TREE) < 0)
		return gate_git(e, id);
	return 0;
}

/* The remote that keeps what is not here. False: this is no partial clone. */
static bool
promisor(struct strbuf *name, struct repo *r)
{
	static const char head[] = "remote.", tail[] = ".promisor";
	git_config *c = NULL;
	git_config_iterator *it = NULL;
	git_config_entry *entry = NULL;

	if (git_repository_config(&c, repo_git(r)) == 0 &&
	    git_config_iterator_new(&it, c) == 0)
		while (name->len == 0 && git_config_next(&entry, it) == 0)
			if (starts_with(entry->name, head) &&
			    ends_with(entry->name, tail))
				strbuf_add(name, entry->name + sizeof(head) - 1,
				    strlen(entry->name) - sizeof(head) -
				    sizeof(tail) + 2);
	git_config_iterator_free(it);
	git_config_free(c);
	return name->len > 0;
}

int
range_fetch(struct repo *r, const char *base, const char *tip, struct err *e)
{
	struct strbuf from STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf all STRBUF_SCOPED = STRBUF_LIMIT(256u << 20);
	struct strbuf ids STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf none STRBUF_SCOPED = STRBUF_INIT;

	if (!promisor(&from, r))
		return 0;
	if (gitcmd_run(&all, NULL, NULL, e, "rev-list", "--objects",
		"--no-walk", "--missing=print", tip, base, NULL) != 0)
		return -1;
	for (const char *p = all.s, *end; (end = strchr(p, '\n')) != NULL;
	    p = end + 1)
		if (*p == '?')
			strbuf_add(&ids, p + 1, (size_t)(end - p));
	if (ids.len == 0)
		return 0;
	if (gitcmd_run(&none, NULL, &ids, e, "-c",
		"fetch.negotiationAlgorithm=noop", "fetch", from.s,
		"--no-tags", "--no-write-fetch-head", "--filter=blob:none",
		"--recurse-submodules=no", "--stdin", NULL) != 0)
		return err_wrap(e, "a partial clone: what is not here cannot be "
		    "fetched");
	return 0;
}

int
range_touches(struct repo *r, const char *base, const char *tip,
    bool (*what)(const char *path), struct err *e)
{
	CLEANUP(git_object_free) git_object *x = NULL;
	CLEANUP(git_object_free) git_object *y = NULL;
	CLEANUP(git_diff_free) git_diff *d = NULL;

	if (tree_of(&x, r, base, e) < 0 || tree_of(&y, r, tip, e) < 0)
		return -1;
	if (git_diff_tree_to_tree(&d, repo_git(r), (git_tree *)x,
		(git_tree *)y, NULL) < 0)
		return gate_git(e, tip);
	size_t n = git_diff_num_deltas(d);
	for (size_t i = 0; i < n; i++) {
		const git_diff_delta *g = git_diff_get_delta(d, i);
		if (what(g->new_file.path))
			return 1;
	}
	return 0;
}

static sym
blob_id(struct arena *a, const git_diff_file *f)
{
	char id[GIT_OID_HEXSZ + 1];

	git_oid_tostr(id, sizeof(id), &f->id);
	return known(sym_get(a, id));
}

int
range_files(struct range_file **out, uint32_t *n, struct arena *a,
    struct repo *r, const char *from, const char *to, struct err *e)
{
	CLEANUP(git_object_free) git_object *x = NULL;
	CLEANUP(git_object_free) git_object *y = NULL;
	CLEANUP(git_diff_free) git_diff *d = NULL;
	struct list(struct range_file) l = { 0 };

	if (tree_of(&x, r, from, e) < 0 || tree_of(&y, r, to, e) < 0)
		return -1;
	if (git_diff_tree_to_tree(&d, repo_git(r), (git_tree *)x,
		(git_tree *)y, NULL) < 0)
		return gate_git(e, to);
	for (size_t i = 0; i < git_diff_num_deltas(d); i++) {
		const git_diff_delta *g = git_diff_get_delta(d, i);

		if (!touch_migration(g->new_file.path))
			continue;
		struct range_file *f = list_add(a, &l);
		f->path = sym_get(a, g->new_file.path);
		f->old = blob_id(a, &g->old_file);
		f->new = blob_id(a, &g->new_file);
	}
	*out = l.v;
	*n = l.n;
	return 0;
}

int
range_folder(const char ***out, uint32_t *n, struct arena *a, struct repo *r,
    const char *tree, const char *folder, struct err *e)
{
	CLEANUP(git_object_free) git_object *top = NULL;
	CLEANUP(git_object_free) git_object *sub = NULL;
	CLEANUP(git_tree_entry_free) git_tree_entry *te = NULL;

	if (tree_of(&top, r, tree, e) < 0)
		return -1;
	if (git_tree_entry_bypath(&te, (git_tree *)top, folder) < 0)
		return 0;
	if (git_tree_entry_type(te) != GIT_OBJECT_TREE)
		return 0;
	if (git_tree_entry_to_object(&sub, repo_git(r), te) < 0)
		return gate_git(e, folder);
	size_t count = git_tree_entrycount((git_tree *)sub);
	*out = arena_array(a, const char *, count + 1);
	for (*n = 0; *n < count; ++*n)
		(*out)[*n] = sym_get(a, git_tree_entry_name(
		    git_tree_entry_byindex((git_tree *)sub, *n)));
	return 1;
}

struct count {
	git_odb *odb;
	int64_t files, bytes, most_files, most_bytes;
};

static int
count_one(const char *root, const git_tree_entry *te, void *ctx)
{
	struct count *c = ctx;
	git_object_t type;
	size_t n = 0;

	(void)root;
	if (git_tree_entry_type(te) != GIT_OBJECT_BLOB)
		return 0;
	c->files++;
	if (ends_with(git_tree_entry_name(te), ".py") &&
	    git_odb_read_header(&n, &type, c->odb,
	    git_tree_entry_id(te)) == 0)
		c->bytes += (int64_t)n;
	return c->files > c->most_files || c->bytes > c->most_bytes ?
	    GIT_EUSER : 0;
}

int
range_limits(struct repo *r, const char *tip, int64_t files, int64_t bytes,
    struct err *e)
{
	CLEANUP(git_object_free) git_object *t = NULL;
	struct count c = { .most_files = files, .most_bytes = bytes };

	if (tree_of(&t, r, tip, e) < 0)
		return -1;
	if (git_repository_odb(&c.odb, repo_git(r)) < 0)
		return gate_git(e, tip);
	int rc = git_tree_walk((git_tree *)t, GIT_TREEWALK_PRE, count_one, &c);
	git_odb_free(c.odb);
	if (rc == GIT_EUSER)
		return err_kind(e, ERR_REFUSED, "the tree is larger than "
		    "[server] max_files and max_bytes allow");
	return rc < 0 ? gate_git(e, tip) : 0;
}

bool
range_listed(const char *globs, const char *name)
{
	char glob[256];

	if (globs == NULL)
		return true;
	for (const char *p = globs; *p != '\0';) {
		p += strspn(p, ", \t");
		size_t n = strcspn(p, ", \t");
		if (n > 0 && n < sizeof(glob)) {
			memcpy(glob, p, n);
			glob[n] = '\0';
			if (fnmatch(glob, name, 0) == 0)
				return true;
		}
		p += n;
	}
	return false;
}

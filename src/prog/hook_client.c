/* pre-commit, pre-merge-commit and pre-push: the developer's side. */
#include <string.h>

#include "base/file.h"
#include "base/util.h"
#include "gate/export.h"
#include "gate/needs.h"
#include "gate/range.h"
#include "gate/stage.h"
#include "gate/tagline.h"
#include "gate/touch.h"
#include "prog/branch.h"
#include "prog/hook.h"

struct commit {
	struct hook *h;
	const struct cfg_project *p;
	struct staged *files;
	uint32_t n;
	struct strbuf needs;	/* what migrations are made of */
	bool needs_known;	/* a list was kept */
};

static bool
below(const struct cfg_project *p, const char *path)
{
	size_t n = p->root != NULL ? strlen(p->root) : 0;

	return n == 0 || streq(p->root, ".") ||
	    (strncmp(path, p->root, n) == 0 && path[n] == '/');
}

static bool
touches(const struct commit *c, bool (*what)(const char *path))
{
	for (uint32_t i = 0; i < c->n; i++)
		if (what(c->files[i].path) && below(c->p, c->files[i].path))
			return true;
	return false;
}

/* Of what migrations are made of, or may be where that is not known. */
static bool
touches_needs(const struct commit *c, bool known)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (below(c->p, c->files[i].path) && (known ?
		    needs_has(&c->needs, c->files[i].path) :
		    touch_source(c->files[i].path)))
			return true;
	return false;
}

static struct staged *
find(const struct commit *c, const char *path)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (streq(c->files[i].path, path) && c->files[i].status != 'D')
			return &c->files[i];
	return NULL;
}

static bool
of_this_commit(void *ctx, const struct verdict *v)
{
	return find(ctx, v->m->path) != NULL;
}

/* What a tag of ours lacks, in the text that is staged, and how to mend it. */
static int
write_tag(struct strbuf *now, struct strbuf *how, const struct commit *c,
    const struct verdict *v, const struct strbuf *was, struct err *e)
{
	struct strbuf tag STRBUF_SCOPED = STRBUF_INIT;

	const char *index = stage_temporary() || c->h->cfg.hooks.tag_write ?
	    "" : "--index ";
	sym path = sym_word(c->h->a, v->m->path);

	if (v->m->tag.source == TAG_PERSON) {
		strbuf_printf(how, "sluice tag %s%s", index, path);
		return tagline_bind(now, was, v->m, e);
	}
	tagline_make(&tag, v);
	int r = tag.len == 0 ? 0 : tagline_put(now, was, v->m, tag.s, e);
	if (r > 0)
		strbuf_printf(how, "sluice tag %s%s, or ", index, path);
	strbuf_printf(how, "add above its operations:\n    %s", tag.s);
	return r;
}

/* 1: require = refuses. The tag, or a person's for=, goes into the staged
 * blob, and into the file where that has the same text. */
static int
tag_one(const struct commit *c, const struct verdict *v,
    struct staged *f, struct err *e)
{
	struct strbuf how STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf was STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf now STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf *said = &c->h->said;
	bool person = v->m->tag.source == TAG_PERSON;
	struct err why = ERR_INIT;

	if (stage_text(&was, c->h->repo, f->blob, e) < 0)
		return -1;
	int r = write_tag(&now, &how, c, v, &was, &why);
	if (r == 0)
		return 0;
	strbuf_clean(&path, f->path, strlen(f->path), false);
	if (r > 0 && c->h->cfg.hooks.tag_write && !stage_temporary()) {
		c->h->tagged = true;
		r = stage_write(c->h->repo, c->h->a, f, &was, &now, e);
		if (r == 0)
			strbuf_printf(said, "sluice: %s: tagged as staged only, "
			    "since the file on disk has other changes; %s\n",
			    path.s, how.s);
		else if (r > 0)
			strbuf_printf(said, "sluice: tagged %s\n", path.s);
		return r < 0 ? -1 : 0;
	}
	if (person && r > 0)
		strbuf_printf(said, "sluice: %s: its tag is not bound to its "
		    "operations: %s\n", path.s, how.s);
	else
		strbuf_printf(said, "sluice: %s: %s; %s\n", path.s,
		    r < 0 ? why.msg : !c->h->cfg.hooks.tag_write ?
		    "it has no tag, which [hooks] tag = require asks for" :
		    "not tagged, since `git commit PATH` commits a temporary "
		    "index", how.s);
	return c->h->cfg.hooks.tag_write ? 0 : 1;
}

static int
tag_all(const struct commit *c, const struct trial *t, struct err *e)
{
	int worst = 0;

	for (uint32_t i = 0; i < t->j.n; i++) {
		const struct verdict *v = &t->j.v[i];
		struct staged *f = find(c, v->m->path);

		if (f == NULL || v->m->tag.source > TAG_PERSON)
			continue;
		int r = tag_one(c, v, f, e);
		if (r < 0)
			return -1;
		worst = r > worst ? r : worst;
	}
	return worst;
}

static void
keep_needs(struct commit *c, const struct trial *t)
{
	size_t n = c->needs.len;

	for (uint32_t i = 0; i < t->head.nneeds; i++)
		if (t->head.needs[i].path != NULL)
			needs_add(&c->needs, t->head.needs[i].path);
	if (c->needs.len > n || !c->needs_known)
		needs_write(&c->needs, repo_gitdir(c->h->repo));
}

static int
judge_index(struct commit *c, const char *tree, struct err *e)
{
	struct hook *h = c->h;
	struct trial_branch branch = { .repo = h->repo,
		.tree = sym_get(h->a, tree),
		.at = branch_at(h->repo, h->merge) };
	struct trial_ask ask = { .project = c->p, .branch = &branch,
		.binds = true };
	struct range_base *bases = NULL;
	uint32_t n = 0;
	int worst = 0;

	if (range_bases(&bases, &n, h->a, h->repo, &h->cfg, c->p, "HEAD",
		NULL, "HEAD", e) < 0 ||
	    branch_find(&branch, h->a, c->p, "HEAD", NULL, e) < 0 ||
	    branch_known(&branch, c->p, e) < 0)
		return -1;
	for (uint32_t i = 0; i < n && worst == 0; i++) {
		struct trial t = { 0 };

		if (source_commit(&ask.head, h->repo, tree, e) < 0)
			return -1;
		int r = hook_judge(h, &t, &ask, &bases[i], e);
		source_free(ask.head);
		keep_needs(c, &t);
		if (r == 0 && i == 0)
			r = tag_all(c, &t, e);
		if (r < 0)
			return -1;
		worst = r > worst ? r : worst;
	}
	return worst;
}

/* Nothing staged is below the root: is there such a folder? */
static int
look_for_root(const struct commit *c, struct err *e)
{
	struct strbuf tree STRBUF_SCOPED = STRBUF_INIT;
	struct hook *h = c->h;
	const char **names = NULL;
	struct source *head = NULL;
	sym was = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n; i++)
		if (below(c->p, c->files[i].path))
			return 0;
	int r = repo_commit(h->repo, &was, h->a, "HEAD", e);
	if (r > 0)
		r = range_folder(&names, &n, h->a, h->repo, was, c->p->root, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	if (stage_tree(&tree, h->repo, c->files, c->n, e) < 0 ||
	    source_commit(&head, h->repo, tree.s, e) < 0)
		return -1;
	r = trial_root(head, c->p, e);
	source_free(head);
	return r;
}

static int
commit_project(struct commit *c, struct err *e)
{
	struct strbuf tree STRBUF_SCOPED = STRBUF_INIT;
	bool migrations = touches(c, touch_migration) ||
	    touches(c, touch_odd);
	bool models = touches(c, touch_models);
	bool needs = touches_needs(c, c->needs_known);
	int r = 0;

	if (!migrations && !models && !needs)
		return look_for_root(c, e);
	c->h->quiet = !migrations;
	if (stage_tree(&tree, c->h->repo, c->files, c->n, e) < 0)
		return -1;
	size_t said = c->h->said.len;
	if (migrations || needs)
		r = judge_index(c, tree.s, e);
	if (!migrations && !models && !touches_needs(c, true)) {
		strbuf_cut(&c->h->said, said);	/* no matter of this commit's */
		return 0;
	}
	if (r != 0)
		return r;
	if (c->h->tagged) {	/* what is committed is what is asked */
		strbuf_reset(&tree);
		if (stage_tree(&tree, c->h->repo, c->files, c->n, e) < 0)
			return -1;
	}
	return hook_clean(c->h, c->p, tree.s, false, e);
}

int
hook_commit(struct hook *h, struct err *e)
{
	struct commit c = { .h = h, .needs = STRBUF_INIT };
	int worst = 0;

	struct strbuf raw STRBUF_SCOPED = STRBUF_LIMIT(256u << 20);

	if (fd_read_all(&raw, 0, e) < 0 ||
	    stage_list(&c.files, &c.n, h->a, &raw, e) < 0)
		return -1;
	c.needs_known = needs_read(&c.needs, repo_gitdir(h->repo)) > 0;
	for (uint32_t i = 0; i < h->cfg.nprojects && worst >= 0; i++) {
		c.p = &h->cfg.projects[i];
		h->which = of_this_commit;
		h->ctx = &c;
		int r = commit_project(&c, e);
		worst = r < 0 || r > worst ? r : worst;
	}
	strbuf_release(&c.needs);
	return worst;
}

/* One ref that is pushed, as the release it would be. */
static int
push_project(struct hook *h, const struct cfg_project *p,
    const struct range_line *l, const char *remote, struct err *e)
{
	struct range_base *bases = NULL;
	uint32_t n = 0;
	bool to_base = starts_with(l->ref, "refs/heads/") &&
	    streq(l->ref + strlen("refs/heads/"),
	    p->base != NULL ? p->base : "main");

	if (to_base && l->old != NULL &&
	    range_deployed(&bases, &n, h->a, h->repo, &h->cfg, p, NULL, e) < 0)
		return -1;
	sym old = NULL;
	if (n == 0 && to_base && l->old != NULL &&
	    repo_commit(h->repo, &old, h->a, l->old, e) < 0)
		return -1;
	struct range_base there = { old, "the remote's branch" };
	if (old != NULL) {
		bases = &there;
		n = 1;
	} else if (n == 0 && range_bases(&bases, &n, h->a, h->repo, &h->cfg,
		p, l->new, remote, l->old, e) < 0) {
		return -1;
	}
	struct trial_branch branch = { .repo = h->repo, .tree = l->new };
	if (branch_find(&branch, h->a, p, l->new, remote, e) < 0 ||
	    (!to_base && branch_known(&branch, p, e) < 0))
		return -1;
	struct hook_bases all = { bases, n };
	int worst = hook_judge_bases(h, p, &all, &branch, e);
	if (worst == 0)
		worst = hook_clean(h, p, l->new, false, e);
	return worst;
}

int
hook_push(struct hook *h, struct err *e)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct range_line *lines = NULL;
	uint32_t n = 0;
	int worst = 0;

	if (fd_read_all(&text, 0, e) < 0 ||
	    range_lines(&lines, &n, h->a, &text, true, e) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		bool again = lines[i].new == NULL;	/* a deletion */
		sym commit = NULL;

		for (uint32_t k = 0; k < i; k++)
			again |= lines[k].new == lines[i].new &&
			    lines[k].old == lines[i].old;
		if (again)
			continue;
		int r = repo_commit(h->repo, &commit, h->a, lines[i].new, e);
		if (r < 0)
			return -1;
		for (uint32_t k = 0; r > 0 && k < h->cfg.nprojects; k++) {
			struct range_line line = lines[i];

			line.new = commit;	/* of an annotated tag */
			int no = push_project(h, &h->cfg.projects[k], &line,
			    h->args[0], e);
			if (no < 0)
				return err_wrap(e, "%s", line.ref);
			worst = no > worst ? no : worst;
		}
	}
	return worst;
}

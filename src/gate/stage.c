#include "gate/stage.h"

#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/util.h"
#include "gate/export.h"
#include "gate/gate.h"
#include "gate/gitcmd.h"

CLEANUP_FN(git_object, git_object_free)
CLEANUP_FN(git_blob, git_blob_free)

/* ":100644 100644 OLD NEW M\0path\0": one of git's raw lines. */
static bool
parse_raw(struct staged *f, struct arena *a, const char *s)
{
	char mode[8], id[72];

	if (sscanf(s, ":%*7s %7s %*71s %71s %c", mode, id, &f->status) != 3)
		return false;
	memcpy(f->mode, mode, sizeof(mode));
	f->blob = sym_get(a, id);
	return true;
}

int
stage_list(struct staged **out, uint32_t *n, struct arena *a,
    const struct strbuf *raw, struct err *e)
{
	struct list(struct staged) l = { 0 };
	const char *end = raw->s + raw->len;

	for (const char *p = raw->s; p < end;) {
		struct staged *f = list_add(a, &l);
		const char *path = p + strlen(p) + 1;
		if (!parse_raw(f, a, p) || path >= end)
			return err_set(e, "cannot read git's list of what is "
			    "staged");
		f->path = sym_get(a, path);
		p = path + strlen(path) + 1;
	}
	*out = l.v;
	*n = l.n;
	return 0;
}

/* HEAD's tree with what is staged. 0: git has to do it. */
static int
updated_tree(git_oid *out, struct repo *r, const struct staged *f, uint32_t n)
{
	CLEANUP(git_object_free) git_object *head = NULL;
	git_tree_update *u = xcalloc(n, sizeof(*u));
	bool plain = n > 0 && git_revparse_single(&head, repo_git(r),
	    "HEAD^{tree}") == 0;

	for (uint32_t i = 0; plain && i < n; i++) {
		u[i].path = f[i].path;
		u[i].filemode = (git_filemode_t)strtol(f[i].mode, NULL, 8);
		u[i].action = f[i].status == 'D' ? GIT_TREE_UPDATE_REMOVE :
		    GIT_TREE_UPDATE_UPSERT;
		plain = strchr("AMD", f[i].status) != NULL &&
		    (f[i].status == 'D' ||
		    git_oid_fromstr(&u[i].id, f[i].blob) == 0);
	}
	int rc = plain ? git_tree_create_updated(out, repo_git(r),
	    (git_tree *)head, n, u) : -1;
	free(u);
	return rc == 0;
}

int
stage_tree(struct strbuf *tree, struct repo *r, const struct staged *f,
    uint32_t n, struct err *e)
{
	char id[GIT_OID_HEXSZ + 1];
	git_oid oid;

	if (!updated_tree(&oid, r, f, n))
		return export_staged(tree, r, e);
	git_oid_tostr(id, sizeof(id), &oid);
	strbuf_str(tree, id);
	return 0;
}

bool
stage_temporary(void)
{
	const char *index = getenv("GIT_INDEX_FILE");

	if (index == NULL)
		return false;
	const char *slash = strrchr(index, '/');
	return starts_with(slash != NULL ? slash + 1 : index, "next-index-");
}

int
stage_read(struct strbuf *b, struct repo *r, const char *rev, struct err *e)
{
	CLEANUP(git_object_free) git_object *any = NULL;
	CLEANUP(git_object_free) git_object *blob = NULL;

	int rc = git_revparse_single(&any, repo_git(r), rev);
	if (rc == 0)
		rc = git_object_peel(&blob, any, GIT_OBJECT_BLOB);
	if (rc == GIT_ENOTFOUND || rc == GIT_EINVALIDSPEC || rc == GIT_EPEEL)
		return 0;
	if (rc != 0)
		return gate_git(e, rev);
	const git_blob *g = (const git_blob *)blob;
	strbuf_add(b, git_blob_rawcontent(g), (size_t)git_blob_rawsize(g));
	return b->over ? err_set(e, "'%s' is too large", rev) : 1;
}

int
stage_text(struct strbuf *b, struct repo *r, const char *blob, struct err *e)
{
	int got = stage_read(b, r, blob, e);

	return got == 0 ? err_set(e, "there is no blob %s", blob) :
	    got < 0 ? -1 : 0;
}

static int
index_put(struct repo *r, const struct staged *f, struct err *e)
{
	struct strbuf said STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf line STRBUF_SCOPED = STRBUF_INIT;

	strbuf_printf(&line, "%s %s\t%s", f->mode, f->blob, f->path);
	strbuf_char(&line, '\0');
	if (gitcmd_run(&said, repo_workdir(r), &line, e, "update-index", "-z",
		"--index-info", NULL) != 0)
		return err_wrap(e, "cannot stage '%s'", f->path);
	return 0;
}

/* What is on disk goes to the index, with the file's times, so that git sees
 * it as clean. */
static int
index_add(struct repo *r, const struct staged *f, struct err *e)
{
	struct strbuf said STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf line STRBUF_SCOPED = STRBUF_INIT;

	strbuf_str(&line, f->path);
	strbuf_char(&line, '\0');
	if (gitcmd_run(&said, repo_workdir(r), &line, e, "update-index", "-z",
		"--stdin", NULL) != 0)
		return err_wrap(e, "cannot stage '%s'", f->path);
	return 0;
}

/* Text with each LF as CRLF; what has a CR already is left alone. */
static bool
with_crlf(struct strbuf *out, const struct strbuf *text)
{
	if (memchr(text->s, '\r', text->len) != NULL)
		return false;
	for (size_t i = 0; i < text->len; i++) {
		if (text->s[i] == '\n')
			strbuf_char(out, '\r');
		strbuf_char(out, text->s[i]);
	}
	return true;
}

/* The file on disk has just this text, or *crlf: this with CRLF, as git
 * writes it where core.autocrlf says so. */
static bool
on_disk(const char *path, const struct strbuf *was, mode_t *mode, bool *crlf)
{
	struct strbuf dos STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf disk STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    file_read(&disk, path, &none) < 0)
		return false;
	*mode = st.st_mode & 07777;
	if (disk.len == was->len && memcmp(disk.s, was->s, was->len) == 0)
		return true;
	*crlf = with_crlf(&dos, was) && disk.len == dos.len &&
	    memcmp(disk.s, dos.s, dos.len) == 0;
	return *crlf;
}

/* Does git change the text on its way into the index? */
static bool
filtered(struct repo *r, const char *path)
{
	git_filter_list *l = NULL;
	bool is = git_filter_list_load(&l, repo_git(r), NULL, path,
	    GIT_FILTER_TO_ODB, 0) != 0 || l != NULL;

	git_filter_list_free(l);
	return is;
}

/* A kill in between leaves file or index with the old text, each whole. */
int
stage_write(struct repo *r, struct arena *a, struct staged *f,
    const struct strbuf *was, const struct strbuf *now, struct err *e)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	char id[GIT_OID_HEXSZ + 1];
	mode_t mode = 0;
	git_oid oid;

	if (git_blob_create_from_buffer(&oid, repo_git(r), now->s,
		now->len) != 0)
		return gate_git(e, f->path);
	git_oid_tostr(id, sizeof(id), &oid);
	f->blob = sym_get(a, id);
	strbuf_printf(&path, "%s%s", repo_workdir(r), f->path);
	struct strbuf dos STRBUF_SCOPED = STRBUF_INIT;
	bool crlf = false, filter = filtered(r, f->path);
	bool same = on_disk(path.s, was, &mode, &crlf) && (filter || !crlf);
	bool plain = same && !filter;
	const struct strbuf *file = crlf && with_crlf(&dos, now) ? &dos : now;

	if ((!plain && index_put(r, f, e) < 0) ||
	    (same && file_replace(path.s, file->s, file->len, mode, e) < 0) ||
	    (plain && index_add(r, f, e) < 0))
		return -1;
	struct strbuf said STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;
	if (same && !plain)
		gitcmd_run(&said, repo_workdir(r), NULL, &none, "update-index",
		    "-q", "--refresh", NULL);
	return same;
}

#include "gate/known.h"

#include <dirent.h>
#include <fcntl.h>
#include <git2.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/util.h"
#include "gate/gate.h"

#define KNOWN_MAX 1000

CLEANUP_FN(git_object, git_object_free)

/* Models and settings may read any file while they are loaded, but hardly
 * what is shown to people. */
static bool
counts(const char *name)
{
	static const char *const ends[] = { ".md", ".rst", ".html", ".css",
		".scss", ".js", ".ts", ".tsx", ".jsx", ".vue", ".map", ".svg",
		".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".woff",
		".woff2", ".ttf", ".eot", ".pdf", ".po", ".mo" };

	for (size_t i = 0; i < countof(ends); i++)
		if (ends_with(name, ends[i]))
			return false;
	return true;
}

struct blobs { struct strbuf *b; bool all; struct strbuf root; };

/* Its folder, where that is another than the last one's; its name; its id. */
static int
add_blob(const char *root, const git_tree_entry *te, void *ctx)
{
	struct blobs *x = ctx;
	const char *name = git_tree_entry_name(te);

	if (git_tree_entry_type(te) != GIT_OBJECT_BLOB ||
	    (!x->all && !counts(name)))
		return 0;
	if (!streq(x->root.s, root)) {
		strbuf_reset(&x->root);
		strbuf_str(&x->root, root);
		strbuf_add(x->b, root, strlen(root) + 1);
	}
	strbuf_add(x->b, name, strlen(name) + 1);
	strbuf_add(x->b, git_tree_entry_id(te)->id, GIT_OID_RAWSZ);
	return x->b->over ? -1 : 0;
}

static void
add_stat(struct strbuf *b, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		strbuf_printf(b, "%s %lld.%09ld %lld %llu\n", path,
		    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		    (long long)st.st_size, (unsigned long long)st.st_ino);
}

static void
add_glob(struct strbuf *b, const char *prefix, const char *pattern)
{
	struct strbuf all STRBUF_SCOPED = STRBUF_INIT;
	glob_t g = { 0 };

	strbuf_printf(&all, "%s%s", prefix, pattern);
	if (glob(all.s, 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			add_stat(b, g.gl_pathv[i]);
	globfree(&g);
}

/* Installing a package changes the times of these folders. */
static void
add_environment(struct strbuf *b, const char *python)
{
	char path[PATH_MAX];

	if (strchr(python, '/') == NULL) {
		if (!clean_on_path(path, python, getenv("PATH")))
			return;
	} else if (snprintf(path, sizeof(path), "%s", python) >= PATH_MAX) {
		return;
	}
	add_stat(b, path);
	if (starts_with(path, "/usr/bin/") || starts_with(path, "/bin/")) {
		add_glob(b, "/usr", "/lib/python3*/dist-packages");
		add_glob(b, "/usr/local", "/lib/python3*/*-packages");
		return;
	}
	const char *prefix = dirname(dirname(path));
	add_glob(b, prefix, "/pyvenv.cfg");
	add_glob(b, prefix, "/lib/python3*/*-packages");
	add_glob(b, prefix, "/lib/python3*/*-packages/*.pth");
	add_glob(b, prefix, "/lib/python3*/*-packages/*.egg-link");
}

int
known_key(char key[65], struct repo *r, const char *tree,
    const struct clean_job *job, const char *link, struct err *e)
{
	CLEANUP(git_object_free) git_object *any = NULL;
	CLEANUP(git_object_free) git_object *t = NULL;
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(256u << 20);
	struct blobs blobs = { &b, job->command != NULL, STRBUF_INIT };

	if (git_revparse_single(&any, repo_git(r), tree) < 0 ||
	    git_object_peel(&t, any, GIT_OBJECT_TREE) < 0)
		return gate_git(e, tree);
	strbuf_printf(&b, "3 %s\n%s\n%s\n%s\n%s\n", VERSION, job->root,
	    job->settings, job->worktree != NULL ? job->worktree : "",
	    job->command != NULL ? job->command : "");
	add_environment(&b, job->python);
	for (const char *p = link; p != NULL && *p != '\0';) {
		char path[PATH_MAX];

		p += strspn(p, ", \t");
		size_t n = strcspn(p, ", \t");
		snprintf(path, sizeof(path), "%s/%.*s", job->worktree != NULL ?
			job->worktree : "", (int)n, p);
		add_stat(&b, path);
		p += n;
	}
	strbuf_char(&b, '\0');
	int rc = git_tree_walk((git_tree *)t, GIT_TREEWALK_PRE, add_blob,
	    &blobs);
	strbuf_release(&blobs.root);
	if (rc < 0)
		return gate_git(e, tree);
	sha256_hex(key, b.s, b.len);
	return 0;
}

static void
file_of(struct strbuf *b, struct repo *r, const char *key)
{
	strbuf_printf(b, "%ssluice/clean", repo_gitdir(r));
	if (key != NULL)
		strbuf_printf(b, "/%s", key);
}

bool
known_clean(struct repo *r, const char *key)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;

	file_of(&path, r, key);
	return access(path.s, F_OK) == 0;
}

/* Past a thousand all are forgotten. */
static void
prune(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL && n > KNOWN_MAX) {
		rewinddir(d);
		for (const struct dirent *de; (de = readdir(d)) != NULL;)
			(void)unlinkat(dirfd(d), de->d_name, 0);
	}
	if (d != NULL)
		closedir(d);
}

void
known_remember(struct repo *r, const char *key)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf dir STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;

	file_of(&dir, r, NULL);
	file_of(&path, r, key);
	if (dir_make(dir.s, 0777, &none) < 0)
		return;
	prune(dir.s);
	int fd = open(path.s, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0)
		close(fd);
}

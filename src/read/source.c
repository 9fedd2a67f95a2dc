#include "read/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strvec.h"
#include "base/util.h"
#include "read/read.h"

struct folder {
	struct source s;
	int fd;
	int at;			/* the folder read from last; -1: none */
	struct strbuf path;	/* its path */
};

struct memory {
	struct source s;
	struct source_file *v;
	uint32_t n;
};

bool
path_plain(const char *path)
{
	for (const char *s = path; ; s++) {
		size_t n = strcspn(s, "/");
		if (n == 0 || (n == 1 && s[0] == '.') ||
		    (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += n;
		if (*s == '\0')
			return true;
	}
}

bool
dir_skipped(const char *name, size_t len)
{
	return len == 0 || name[0] == '.' ||
	    (len == 12 && memcmp(name, "node_modules", 12) == 0) ||
	    (len == 11 && memcmp(name, "__pycache__", 11) == 0) ||
	    (len == 13 && memcmp(name, "site-packages", 13) == 0);
}

int
source_read(struct source *s, struct strbuf *b, const char *path,
    struct err *e)
{
	return s->ops->read(s, b, path, e);
}

int
source_walk(struct source *s,
    int (*each)(void *ctx, const char *path, size_t size), void *ctx,
    struct err *e)
{
	return s->ops->walk(s, true, each, ctx, e);
}

void
source_free(struct source *s)
{
	if (s != NULL)
		s->ops->free(s);
}

/* The folder that holds path, opened part by part so that no link is
 * followed; *name is the last part. It stays open, as the next file is mostly
 * beside this one. -1: there is none. */
static int
folder_of(struct folder *f, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;
	char part[NAME_MAX + 1];

	*name = slash != NULL ? slash + 1 : path;
	if (f->at >= 0 && f->path.len == len &&
	    memcmp(f->path.s, path, len) == 0)
		return f->at;
	if (f->at >= 0)
		close(f->at);
	f->at = dup(f->fd);
	strbuf_reset(&f->path);
	strbuf_add(&f->path, path, len);
	for (; path < *name && f->at >= 0; path += strcspn(path, "/") + 1) {
		int was = f->at, n = (int)strcspn(path, "/");
		f->at = -1;
		if (snprintf(part, sizeof(part), "%.*s", n, path) == n)
			f->at = openat(was, part, O_RDONLY | O_DIRECTORY |
			    O_NOFOLLOW | O_CLOEXEC);
		close(was);
	}
	return f->at;
}

static int
folder_read(struct source *s, struct strbuf *b, const char *path,
    struct err *e)
{
	struct folder *f = (struct folder *)s;
	const char *name;
	struct stat st;

	if (!path_plain(path))
		return 0;
	int dir = folder_of(f, path, &name);
	if (dir < 0)
		return 0;
	int fd = openat(dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	int r = 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		r = fd_read_all(b, fd, e) < 0 ? err_wrap(e, "'%s'", path) : 1;
	close(fd);
	return r;
}

struct found {
	struct strvec paths, links;
	struct strbuf path;
	struct err *e;
};

static int folder_down(struct found *w, int fd, int depth);

static int
folder_entry(struct found *w, int fd, const char *name, int depth)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;	/* gone meanwhile */
	if (S_ISREG(st.st_mode)) {
		if (w->paths.n >= SOURCE_FILES_MAX)
			return err_set(w->e, "more than %u files",
			    SOURCE_FILES_MAX);
		strvec_push(&w->paths, w->path.s);
		return 0;
	}
	if (S_ISLNK(st.st_mode) && w->links.n < SOURCE_FILES_MAX) {
		char in[NAME_MAX + sizeof("/migrations")];
		snprintf(in, sizeof(in), "%s/migrations", name);
		if (faccessat(fd, in, F_OK, 0) == 0)	/* an app */
			strbuf_str(&w->path, "/migrations");
		strvec_push(&w->links, w->path.s);
	}
	if (!S_ISDIR(st.st_mode) || dir_skipped(name, strlen(name)))
		return 0;
	int sub = openat(fd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_sys(w->e, "cannot open '%s'", w->path.s);
	/* a virtual environment is not the project's */
	if (faccessat(sub, "pyvenv.cfg", F_OK, 0) == 0) {
		close(sub);
		return 0;
	}
	strbuf_char(&w->path, '/');
	return folder_down(w, sub, depth + 1);
}

/* Takes fd. */
static int
folder_down(struct found *w, int fd, int depth)
{
	size_t len = w->path.len;
	DIR *d = fdopendir(fd);
	int r = 0;

	if (d == NULL) {
		close(fd);
		return err_sys(w->e, "cannot read '%s'", w->path.s);
	}
	if (depth > SOURCE_DEPTH_MAX)
		r = err_set(w->e, "'%s': nested too deeply", w->path.s);
	for (struct dirent *t; r == 0 && (t = readdir(d)) != NULL; ) {
		if (streq(t->d_name, ".") || streq(t->d_name, ".."))
			continue;
		strbuf_cut(&w->path, len);
		strbuf_str(&w->path, t->d_name);
		r = folder_entry(w, dirfd(d), t->d_name, depth);
	}
	closedir(d);
	return r;
}

static int
by_path(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static void
sort(struct strvec *v)
{
	if (v->n > 0)
		qsort(v->v, v->n, sizeof(*v->v), by_path);
}

static size_t
folder_size(struct folder *f, const char *path)
{
	const char *name;
	struct stat st = { 0 };
	int dir = folder_of(f, path, &name);

	if (dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return (size_t)st.st_size;
}

static int
folder_walk(struct source *s, bool sizes,
    int (*each)(void *ctx, const char *path, size_t size), void *ctx,
    struct err *e)
{
	struct folder *f = (struct folder *)s;
	struct found w = { STRVEC_INIT, STRVEC_INIT, STRBUF_INIT, e };
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? err_sys(e, "cannot open the folder") :
	    folder_down(&w, fd, 0);

	sort(&w.paths);
	sort(&w.links);
	for (size_t i = 0; i < w.paths.n && r == 0; i++)
		r = each(ctx, w.paths.v[i],
		    sizes ? folder_size(f, w.paths.v[i]) : 0);
	s->link = true;
	for (size_t i = 0; i < w.links.n && r == 0 && !sizes; i++)
		r = each(ctx, w.links.v[i], 0);
	s->link = false;
	strvec_release(&w.paths);
	strvec_release(&w.links);
	strbuf_release(&w.path);
	return r;
}

static void
folder_free(struct source *s)
{
	struct folder *f = (struct folder *)s;

	close(f->fd);
	if (f->at >= 0)
		close(f->at);
	strbuf_release(&f->path);
	free(f);
}

int
source_folder(struct source **out, const char *dir, struct err *e)
{
	static const struct source_ops ops = { folder_read, folder_walk,
	    folder_free, NULL, NULL };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out = NULL;
	if (fd < 0)
		return err_sys(e, "cannot open folder '%s'", dir);
	struct folder *f = xcalloc(1, sizeof(*f));
	f->s.ops = &ops;
	f->fd = fd;
	f->at = -1;
	f->path = (struct strbuf)STRBUF_INIT;
	*out = &f->s;
	return 0;
}

static int
by_name(const void *x, const void *y)
{
	return strcmp(((const struct source_file *)x)->path,
	    ((const struct source_file *)y)->path);
}

static int
memory_read(struct source *s, struct strbuf *b, const char *path,
    struct err *e)
{
	struct memory *m = (struct memory *)s;
	struct source_file key = { .path = path };
	const struct source_file *f = m->n == 0 ? NULL :
	    bsearch(&key, m->v, m->n, sizeof(*m->v), by_name);

	if (f == NULL)
		return 0;
	if (f->len > b->max - b->len)
		return err_set(e, "'%s' has %zu bytes, too many to read", path,
		    f->len);
	strbuf_add(b, f->text, f->len);
	return 1;
}

static int
memory_walk(struct source *s, bool sizes,
    int (*each)(void *ctx, const char *path, size_t size), void *ctx,
    struct err *e)
{
	struct memory *m = (struct memory *)s;
	int r = 0;

	(void)sizes;
	(void)e;
	for (uint32_t i = 0; i < m->n && r == 0; i++)
		r = each(ctx, m->v[i].path, m->v[i].len);
	return r;
}

static void
memory_free(struct source *s)
{
	struct memory *m = (struct memory *)s;

	free(m->v);
	free(m);
}

int
source_memory(struct source **out, const struct source_file *f, uint32_t n,
    struct err *e)
{
	static const struct source_ops ops = { memory_read, memory_walk,
	    memory_free, NULL, NULL };
	struct memory *m = xcalloc(1, sizeof(*m));

	(void)e;
	m->s.ops = &ops;
	m->v = xcalloc(n > 0 ? n : 1, sizeof(*m->v));
	m->n = n;
	if (n > 0) {
		memcpy(m->v, f, n * sizeof(*f));
		qsort(m->v, n, sizeof(*m->v), by_name);
	}
	*out = &m->s;
	return 0;
}

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

int
fd_read_all(struct strbuf *b, int fd, struct err *e)
{
	char part[16384];

	for (;;) {
		ssize_t n = read(fd, part, sizeof(part));

		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read");
		strbuf_add(b, part, (size_t)n);
		if (b->over)
			return err_set(e, "larger than %zu bytes", b->max);
	}
}

int
fd_write_all(int fd, const void *p, size_t n, struct err *e)
{
	const char *s = p;

	while (n > 0) {
		ssize_t k = write(fd, s, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_sys(e, "cannot write");
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

int
file_read(struct strbuf *b, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	int r = fd_read_all(b, fd, e);
	close(fd);
	return r < 0 ? err_wrap(e, "'%s'", path) : 0;
}

/* fsync of the folder that path is in: the rename is then on the disk. */
static void
sync_parent(const char *path)
{
	struct strbuf dir STRBUF_SCOPED = STRBUF_INIT;
	const char *slash = strrchr(path, '/');

	if (slash != NULL)
		strbuf_add(&dir, path, (size_t)(slash - path) + 1);
	int fd = open(slash != NULL ? dir.s : ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);	/* not every file system can: the data is synced */
	close(fd);
}

static int
write_temp(int fd, const char *temp, const char *path, const void *p,
    size_t n, mode_t mode, bool sync, struct err *e)
{
	int r = fd_write_all(fd, p, n, e);

	if (r == 0 && (fchmod(fd, mode) != 0 || (sync && fsync(fd) != 0)))
		r = err_sys(e, "cannot write");
	if (close(fd) != 0 && r == 0)
		r = err_sys(e, "cannot write");
	if (r == 0 && rename(temp, path) != 0)
		r = err_sys(e, "cannot rename");
	if (r < 0) {
		unlink(temp);
		return err_wrap(e, "'%s'", path);
	}
	if (sync)
		sync_parent(path);
	return 0;
}

static int
write_by_rename(const char *path, const void *p, size_t n, mode_t mode,
    bool sync, struct err *e)
{
	struct strbuf temp STRBUF_SCOPED = STRBUF_INIT;

	strbuf_printf(&temp, "%s.XXXXXX", path);
	int fd = mkostemp(temp.s, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot write '%s'", path);
	return write_temp(fd, temp.s, path, p, n, mode, sync, e);
}

int
file_write(const char *path, const void *p, size_t n, mode_t mode,
    struct err *e)
{
	return write_by_rename(path, p, n, mode, true, e);
}

int
file_replace(const char *path, const void *p, size_t n, mode_t mode,
    struct err *e)
{
	return write_by_rename(path, p, n, mode, false, e);
}

int
dir_make(const char *path, mode_t mode, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (const char *p = path; *p != '\0';) {
		p += strspn(p, "/");
		p += strcspn(p, "/");
		strbuf_cut(&b, 0);
		strbuf_add(&b, path, (size_t)(p - path));
		if (mkdir(b.s, mode) != 0 && errno != EEXIST)
			return err_sys(e, "cannot make folder '%s'", b.s);
	}
	struct stat st;
	if (stat(path, &st) != 0)
		return err_sys(e, "cannot make folder '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, "'%s' is not a folder", path);
	return 0;
}

int
dir_temp(char **out, const char *prefix, struct err *e)
{
	struct strbuf b = STRBUF_INIT;
	const char *tmp = getenv("TMPDIR");

	strbuf_printf(&b, "%s/%s.XXXXXX",
	    tmp != NULL && *tmp != '\0' ? tmp : "/tmp", prefix);
	if (mkdtemp(b.s) == NULL) {
		err_sys(e, "cannot make a folder '%s'", b.s);
		strbuf_release(&b);
		return -1;
	}
	*out = strbuf_take(&b);
	return 0;
}

static int remove_at(int parent, const char *name, int depth, struct err *e);

static int
remove_entries(int fd, int depth, struct err *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *ent;
	int r = 0;

	if (d == NULL) {
		close(fd);
		return err_sys(e, "cannot read a folder");
	}
	while (r == 0 && (ent = readdir(d)) != NULL)
		if (!streq(ent->d_name, ".") && !streq(ent->d_name, ".."))
			r = remove_at(dirfd(d), ent->d_name, depth, e);
	closedir(d);
	return r;
}

static int
remove_at(int parent, const char *name, int depth, struct err *e)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(e, "cannot remove '%s'", name);
	if (depth > 256)
		return err_set(e, "cannot remove '%s': too deep", name);
	int fd = openat(parent, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot remove '%s'", name);
	if (remove_entries(fd, depth + 1, e) < 0)
		return -1;
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0)
		return err_sys(e, "cannot remove '%s'", name);
	return 0;
}

int
dir_remove(const char *path, struct err *e)
{
	return remove_at(AT_FDCWD, path, 0, e);
}

bool
file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

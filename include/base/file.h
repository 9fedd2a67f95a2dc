/* Files whole: read with a limit, written by rename, folders made and removed. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strbuf.h"

/* Appends at most b->max bytes; a file that is larger is an error. */
int file_read(struct strbuf *b, const char *path, struct err *e);
int fd_read_all(struct strbuf *b, int fd, struct err *e);
int fd_write_all(int fd, const void *p, size_t n, struct err *e);
/* A temporary beside it, fsync, rename, fsync of the folder. */
int file_write(const char *path, const void *p, size_t n, mode_t mode,
    struct err *e);
/* The same without fsync, as git writes files: whole for whoever looks. */
int file_replace(const char *path, const void *p, size_t n, mode_t mode,
    struct err *e);
int dir_make(const char *path, mode_t mode, struct err *e);	/* mkdir -p */
/* Under $TMPDIR or /tmp, mode 0700. The path is malloc'd. */
int dir_temp(char **out, const char *prefix, struct err *e);
/* rm -rf that follows no link and stays in the tree; missing is fine. */
int dir_remove(const char *path, struct err *e);
bool file_exists(const char *path);

#endif

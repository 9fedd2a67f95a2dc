#include "read/readers.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

/* Cores that we may run on. */
static unsigned
cores(void)
{
#ifdef __linux__
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned)CPU_COUNT(&set);
#endif
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}

void
readers_start(struct readers *r, unsigned files,
    void (*work)(void *ctx, unsigned share, unsigned shares,
    struct strbuf *out), void *ctx)
{
	unsigned n = files < READERS_LEAST ? 0 : cores() - 1;
	int fds[2];

	n = n > READERS_MAX ? READERS_MAX : n;
	for (r->n = 0; r->n < n; r->n++) {
		r->v[r->n].fd = -1;
		if (pipe(fds) < 0)
			continue;
		fcntl(fds[0], F_SETFD, FD_CLOEXEC);
		int pid = fork();
		if (pid == 0) {
			struct strbuf out = STRBUF_INIT;
			struct err none = ERR_INIT;

			close(fds[0]);
			work(ctx, r->n, n + 1, &out);
			_exit(out.over || fd_write_all(fds[1], out.s, out.len,
			    &none) < 0);
		}
		close(fds[1]);
		r->v[r->n].pid = pid;
		r->v[r->n].fd = pid > 0 ? fds[0] : -1;
		if (pid < 0)
			close(fds[0]);
	}
}

void
readers_take(struct readers *r, unsigned i, struct strbuf *out)
{
	struct err none = ERR_INIT;
	int status = -1;

	if (r->v[i].fd < 0)
		return;
	int got = fd_read_all(out, r->v[i].fd, &none);
	close(r->v[i].fd);
	while (waitpid(r->v[i].pid, &status, 0) < 0 && errno == EINTR)
		;
	if (got < 0 || status != 0)
		strbuf_reset(out);
}

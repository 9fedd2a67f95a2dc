#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/util.h"

static int self_pipe[2] = { -1, -1 };
static volatile sig_atomic_t last, count;

static void
caught(int sig)
{
	int saved = errno;

	if (sig != SIGCHLD) {
		last = sig;
		count = count + 1;
	}
	if (write(self_pipe[1], "", 1) < 0) {
		/* full: a byte is waiting there already */
	}
	errno = saved;
}

int
signals_fd(struct err *e)
{
	static const int watched[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	struct sigaction act = { .sa_handler = caught, .sa_flags = SA_RESTART };

	if (self_pipe[0] >= 0)
		return self_pipe[0];
	if (pipe2(self_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_sys(e, "cannot make a pipe");
	sigfillset(&act.sa_mask);
	for (size_t i = 0; i < countof(watched); i++)
		if (sigaction(watched[i], &act, NULL) != 0)
			return err_sys(e, "cannot watch signals");
	act.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &act, NULL) != 0)
		return err_sys(e, "cannot watch signals");
	return self_pipe[0];
}

int
signals_seen(void)
{
	char drain[64];

	while (self_pipe[0] >= 0 &&
	    read(self_pipe[0], drain, sizeof(drain)) > 0)
		;
	int sig = last;
	last = 0;
	return sig;
}

int
signals_count(void)
{
	return count;
}

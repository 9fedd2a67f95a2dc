/* One command on one host: libssh2 on one side, stdin, stdout and stderr on
 * the other. Started by the other programs, one child a host, with a command
 * line like that of ssh, so that ssh can take its place.
 *
 * Exit codes: the command's own, up to 253 (128+n for a signal); 254: the host
 * or we were not trusted, another try is vain; 255: the connection failed or
 * was lost; 2: misuse. One line on stderr says why. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "act/link.h"
#include "act/ssh.h"
#include "base/util.h"
#include "prog/opts.h"

#define LOST 255

static const char help[] =
    "usage: sluice-ssh [-p PORT] [-l USER] [-i IDENTITY] "
    "[-o KNOWN_HOSTS=FILE]\n"
    "                  [-T MILLISECONDS] HOST COMMAND\n"
    "       sluice-ssh --show-host-key [-p PORT] [-T MILLISECONDS] HOST\n\n"
    "Runs COMMAND on HOST over SSH, between this program's stdin, stdout and "
    "stderr.\n"
    "Host keys are checked strictly. Without -i, the keys of ssh-agent and "
    "then\n~/.ssh/id_ed25519 and id_ecdsa are shown.\n\n"
    "  -T MILLISECONDS   to connect, and again to log in (10000)\n"
    "  --show-host-key   what the host shows, as known_hosts lines; trusts "
    "nothing\n\n"
    "Exit code: the command's; 254 not trusted, 255 not connected, 2 misuse.\n";

struct args {
	struct ssh_to to;
	const char *command;
	bool show;
};

static _Noreturn void
misuse(const char *why)
{
	warn("%s (sluice-ssh -h tells more)", why);
	exit(2);
}

static int64_t
number(const char *s, int64_t most, const char *what)
{
	char *end;

	errno = 0;
	long long v = strtoll(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || v < 1 || v > most)
		misuse(what);
	return v;
}

static const char *
who(void)
{
	const struct passwd *p = getpwuid(geteuid());

	return p != NULL ? p->pw_name : "root";
}

static void
option(struct args *a, int c)
{
	switch (c) {
	case 'p':
		a->to.port = (int)number(optarg, 65535, "not a port");
		break;
	case 'l': a->to.user = optarg; break;
	case 'i': a->to.identity = optarg; break;
	case 'T':
		a->to.connect_ms = number(optarg, 3600000, "not milliseconds");
		break;
	case 'o':
		if (!starts_with(optarg, "KNOWN_HOSTS="))
			misuse("the only -o is KNOWN_HOSTS=FILE");
		a->to.known_hosts = strchr(optarg, '=') + 1;
		break;
	case 's': a->show = true; break;
	case 'h':
		fputs(help, stdout);
		exit(0);
	case 'V':
		printf("sluice-ssh %s (libssh2 %s)\n", VERSION,
		    libssh2_version(0));
		exit(0);
	default:
		misuse("there is no such option, or its word is missing");
	}
}

static void
arguments(struct args *a, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "show-host-key", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};

	*a = (struct args){ .to = { .port = 22, .connect_ms = 10000 } };
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "+p:l:i:o:T:hV", longs,
	    NULL)) != -1;)
		option(a, c);
	if (argc - optind != (a->show ? 1 : 2))
		misuse(a->show ? "which host?" : "which host, which command?");
	a->to.host = argv[optind];
	a->command = argv[optind + 1];
	if (a->to.user == NULL)
		a->to.user = who();
}

/* What blocks within libraries (names, the agent) ends here. */
static void
late(int sig)
{
	static const char text[] = "sluice-ssh: no connection in time: the "
	    "name service or ssh-agent does not answer\n";

	(void)sig;
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(LOST);
	_exit(LOST);
}

static void
alarm_ms(int64_t ms)
{
	struct itimerval t = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

	signal(SIGALRM, late);
	setitimer(ITIMER_REAL, &t, NULL);
}

static int
command(const struct args *a, int *status, struct err *e)
{
	struct strbuf types STRBUF_SCOPED = STRBUF_INIT;
	struct ssh x = { .fd = -1 };

	alarm_ms(3 * a->to.connect_ms + 1000);
	int r = ssh_types(&types, &a->to, e);
	if (r == 0)
		r = ssh_open(&x, &a->to, types.s, e);
	if (r == 0)
		r = ssh_trust(&x, e);
	if (r == 0)
		r = ssh_admit(&x, e);
	alarm_ms(0);
	if (r == 0)
		r = ssh_run(&x, a->command, status, e);
	ssh_close(&x);
	return r;
}

static int
show(const struct args *a, int *status, struct err *e)
{
	struct strbuf out STRBUF_SCOPED = STRBUF_INIT;

	alarm_ms(6 * a->to.connect_ms);
	int r = ssh_show(&out, &a->to, e);
	if (r == 0)
		say(STDOUT_FILENO, &out);
	*status = 0;
	return r;
}

int
main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct args a;
	int status = LOST;

	prog_start("sluice-ssh");
	arguments(&a, argc, argv);
	libssh2_init(0);
	int r = (a.show ? show : command)(&a, &status, &e);
	libssh2_exit();
	if (r < 0) {
		trouble(&e);
		return e.kind == ERR_REFUSED ? LINK_REFUSED : LOST;
	}
	return status;
}

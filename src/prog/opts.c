#include "prog/opts.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

static const char *name = "sluice";

void
prog_start(const char *argv0)
{
	const char *slash = argv0 == NULL ? NULL : strrchr(argv0, '/');

	if (argv0 != NULL && *argv0 != '\0')
		name = slash == NULL ? argv0 : slash + 1;
	for (int fd = open("/dev/null", O_RDWR); fd >= 0 && fd <= 2;)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
}

const char *
prog_name(void)
{
	return name;
}

void
say(int fd, const struct strbuf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->s + at, b->len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

void
warn(const char *fmt, ...)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf raw STRBUF_SCOPED = STRBUF_INIT;
	va_list ap;

	strbuf_printf(&raw, "%s: ", name);
	va_start(ap, fmt);
	strbuf_vprintf(&raw, fmt, ap);
	va_end(ap);
	strbuf_clean(&b, raw.s, raw.len, true);
	strbuf_char(&b, '\n');
	say(STDERR_FILENO, &b);
}

int
trouble(const struct err *e)
{
	warn("%s", e->msg);
	switch (e->kind) {
	case ERR_CONFIG:
		return 2;
	case ERR_REFUSED:
		return 1;
	default:
		return 3;
	}
}

bool
colour_wanted(int fd)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fd) && (no == NULL || *no == '\0') && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

static _Noreturn void
misuse(const char *why, const char *word)
{
	if (word == NULL)
		warn("%s (%s -h tells more)", why, name);
	else
		warn("%s '%s' (%s -h tells more)", why, word, name);
	exit(2);
}

static const struct option known[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "json", no_argument, NULL, 'j' },
	{ "resume", no_argument, NULL, 'r' },
	{ "finish", no_argument, NULL, 'f' },
	{ "because", required_argument, NULL, 'b' },
	{ "rollback", no_argument, NULL, 'R' },
	{ "phase", required_argument, NULL, 'p' },
	{ "accept", required_argument, NULL, 'a' },
	{ "code-only", no_argument, NULL, 'o' },
	{ "accept-host-key", required_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
};

static void
opt_set(struct opts *o, int c, const char *help)
{
	switch (c) {
	case 'c': o->config = optarg; break;
	case 'n': o->dry = true; break;
	case 'j': o->json = true; break;
	case 'r': o->resume = true; break;
	case 'f': o->finish = true; break;
	case 'b': o->because = optarg; break;
	case 'R': o->rollback = true; break;
	case 'p': o->phase = optarg; break;
	case 'a': strvec_push(&o->accept, optarg); break;
	case 'o': o->code_only = true; break;
	case 'k': o->host_key = optarg; break;
	case 'h':
		fputs(help, stdout);
		exit(0);
	case 'V':
		printf("%s %s\n", name, VERSION);
		exit(0);
	}
}

void
opts_read(struct opts *o, int argc, char **argv, const char *letters,
    bool has_rev, const char *help)
{
	struct option mine[countof(known) + 1] = { 0 };
	size_t n = 0;

	*o = (struct opts){ .accept = STRVEC_INIT };
	for (size_t i = 0; i < countof(known); i++)
		if (strchr("hV", known[i].val) != NULL ||
		    strchr(letters, known[i].val) != NULL)
			mine[n++] = known[i];
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":hVnc:", mine, NULL)) != -1;) {
		if (c == ':')
			misuse("there is something missing after",
			    argv[optind - 1]);
		if (c == '?' || (strchr("hV", c) == NULL &&
		    strchr(letters, c) == NULL))
			misuse("there is no option", argv[optind - 1]);
		opt_set(o, c, help);
	}
	if (optind < argc)
		o->target = argv[optind++];
	if (optind < argc && has_rev)
		o->rev = argv[optind++];
	if (optind < argc)
		misuse("too many words, from", argv[optind]);
	if (o->target == NULL)
		misuse("which target? name one of sluice.ini's", NULL);
}

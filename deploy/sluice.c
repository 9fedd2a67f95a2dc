/* The front: `sluice X …` runs sluice-X, found beside this program, as git
 * does. Exit codes are those of the program; 2: there is no such program. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "prog/opts.h"

static const struct { const char *name, *what; } programs[] = {
	{ "install", "put the hooks into a repository, or take them out" },
	{ "check", "judge migrations: the index, a commit, a range, a folder" },
	{ "tag", "write tags beside migrations" },
	{ "plan", "what a deploy or a rollback would do, instant by instant" },
	{ "deploy", "take a commit to a target" },
	{ "rollback", "the way back, from wherever the release got to" },
	{ "migrate", "one phase of migrations only" },
	{ "status", "releases, hosts, pending migrations, history" },
	{ "doctor", "everything a deploy will need, asked before it is needed" },
};

static void
help(void)
{
	puts("usage: sluice PROGRAM [options]\n\n"
	    "Sluice takes a Django project on PostgreSQL from commit to "
	    "production without an\noutage, and back.\n");
	for (size_t i = 0; i < countof(programs); i++)
		printf("  %-10s%s\n", programs[i].name, programs[i].what);
	puts("\n`sluice PROGRAM -h` says more, `man sluice-PROGRAM` all.");
}

/* The folder of this program, with its slash. */
static void
beside(struct strbuf *b)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return;
	path[n] = '\0';
	strbuf_add(b, path, (size_t)(strrchr(path, '/') + 1 - path));
}

int
main(int argc, char **argv)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;

	prog_start("sluice");
	if (argc < 2 || streq(argv[1], "help") || streq(argv[1], "-h") ||
	    streq(argv[1], "--help")) {
		help();
		return 0;
	}
	if (streq(argv[1], "-V") || streq(argv[1], "--version")) {
		printf("sluice %s\n", VERSION);
		return 0;
	}
	if (argv[1][0] == '-' || strchr(argv[1], '/') != NULL) {
		warn("'%s' is not a program's name (sluice help lists them)",
		    argv[1]);
		return 2;
	}
	beside(&path);
	size_t dir = path.len;
	strbuf_printf(&path, "sluice-%s", argv[1]);
	execv(path.s, argv + 1);
	execvp(path.s + dir, argv + 1);
	if (errno == ENOENT)
		warn("there is no program '%s' (sluice help lists them)",
		    argv[1]);
	else
		warn("cannot run '%s': %s", path.s, strerror(errno));
	return 2;
}

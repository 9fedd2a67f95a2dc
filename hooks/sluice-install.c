/* sluice-install: puts Sluice's hooks into a repository, and takes them out.
 *
 * Decides from the repository: a work tree gets the client's hooks, a bare
 * one the server's. What stood there is kept and run first. Reads git's
 * configuration; writes the hooks folder, and in a work tree without
 * sluice.ini a first one.
 *
 * Exit: 0 done, or --status and all is in place; 1 refused, or --status and
 * something is not; 2 usage; 3 could not tell. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "gate/hookconfig.h"
#include "gate/hookfile.h"
#include "gate/survey.h"

static const char help[] =
    "usage: sluice-install [--client | --server] [--status | --uninstall] [-C DIR]\n"
    "\n"
    "Puts Sluice's hooks into the repository here, or at DIR:\n"
    "  work tree        pre-commit, pre-merge-commit, pre-push\n"
    "  bare repository  pre-receive, post-receive\n"
    "A hook that is there already is kept: it runs first, and both must agree.\n"
    "With git 2.54 and up they go into its configuration, and no file is touched.\n"
    "A work tree without sluice.ini gets one from what is found in it.\n"
    "\n"
    "      --client     only if it is a work tree\n"
    "      --server     only if it is a bare repository\n"
    "      --status     say who owns each hook, change nothing\n"
    "      --uninstall  take ours out, give back what was there before\n"
    "  -C, --directory DIR\n"
    "  -h, --help\n"
    "\n"
    "Exit: 0 done, or all is in place; 1 refused, or --status and something is\n"
    "not; 2 usage, or no repository; 3 could not tell or do it.\n"
    "\n"
    "Example, a developer's clone and the repository that is pushed to:\n"
    "  sluice-install\n"
    "  sluice-install -C /srv/git/shop.git\n";

static const char *const client[] = { "pre-commit", "pre-merge-commit", "pre-push", NULL };
static const char *const server[] = { "pre-receive", "post-receive", NULL };

struct opts {
	enum { PUT, STATUS, REMOVE } act;
	bool client, server;
	const char *dir;
	char program[PATH_MAX];
	bool config;		/* this git runs hooks from its configuration */
	struct strbuf version;
};

static _Noreturn void
usage(void)
{
	fprintf(stderr, "sluice-install: see 'sluice-install --help'\n");
	exit(2);
}

/* sluice-hook stands beside us; its real path goes into the hooks. */
static void
find_program(char out[PATH_MAX], const char *argv0)
{
	char self[PATH_MAX];
	char real[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0)
		self[n] = '\0';
	else
		snprintf(self, sizeof(self), "%s", argv0);
	char *slash = realpath(self, real) != NULL ? strrchr(real, '/') : NULL;
	if (slash != NULL)
		*slash = '\0';
	if (slash == NULL ||
	    snprintf(out, PATH_MAX, "%s/sluice-hook", real) >= PATH_MAX ||
	    access(out, X_OK) != 0) {
		fprintf(stderr, "sluice-install: cannot find 'sluice-hook' "
		    "beside '%s'\n", slash != NULL ? real : self);
		exit(3);
	}
}

static struct opts
options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "client", no_argument, NULL, 'c' },
		{ "server", no_argument, NULL, 's' },
		{ "status", no_argument, NULL, 'S' },
		{ "uninstall", no_argument, NULL, 'U' },
		{ "directory", required_argument, NULL, 'C' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct opts o = { .act = PUT, .version = STRBUF_INIT };
	int c;

	while ((c = getopt_long(argc, argv, "C:h", longs, NULL)) != -1)
		switch (c) {
		case 'c': o.client = true; break;
		case 's': o.server = true; break;
		case 'S': o.act = STATUS; break;
		case 'U': o.act = REMOVE; break;
		case 'C': o.dir = optarg; break;
		case 'h': fputs(help, stdout); exit(0);
		default: usage();
		}
	if (optind < argc || (o.client && o.server))
		usage();
	find_program(o.program, argv[0]);
	return o;
}

/* A hook that git's configuration names. 0: none of ours there. */
static int
status_config(const struct opts *o, const char *top, const char *name,
    struct err *e)
{
	struct strbuf program STRBUF_SCOPED = STRBUF_INIT;
	bool stale = false;
	int r = hookconfig_state(&stale, &program, top, name, o->program, e);

	if (r <= 0)
		return r;
	bool gone = access(program.s, X_OK) != 0;
	printf("%-17s sluice, by git's configuration", name);
	if (gone)
		printf("; its program '%s' is gone", program.s);
	else if (stale)
		printf("; of another version: run sluice-install");
	if (!o->config)
		printf("; but %s does not run it: run sluice-install",
		    o->version.s);
	putchar('\n');
	return gone || !o->config ? 2 : 1;
}

static int
status_one(const struct opts *o, const struct hook_place *p,
    const char *name, struct err *e)
{
	static const char *const owner[] = {
		"not installed", "sluice", "not installed, another hook is there",
		"sluice, run by the hook manager that is there",
	};
	struct hook_state s = HOOK_STATE_INIT;
	int r = status_config(o, p->top.s, name, e);

	if (r != 0)
		return r < 0 ? -1 : r - 1;
	if (hook_state(&s, p->dir.s, name, o->program, e) < 0)
		return -1;
	bool ours = s.owner == HOOK_OURS || s.owner == HOOK_BEHIND;
	printf("%-17s %s", name, owner[s.owner]);
	if (ours && s.before)
		printf(", after %s%s", name, HOOK_BEFORE);
	if (ours && s.gone)
		printf("; its program '%s' is gone", s.program.s);
	else if (ours && s.stale)
		printf("; of another version: run sluice-install");
	putchar('\n');
	strbuf_release(&s.program);
	return ours && !s.gone ? 0 : 1;
}

/* Never both: the hook would run twice. What is new is put in first. */
static int
put_one(const struct opts *o, const struct hook_place *p, const char *name,
    struct err *e)
{
	int r = o->config ? hookconfig_put(p->top.s, name, o->program, e) :
	    hook_put(p->dir.s, name, o->program, e);
	int old = r < 0 ? -1 : o->config ? hook_remove(p->dir.s, name, e) :
	    hookconfig_remove(p->top.s, name, e);

	if (old < 0)
		return -1;
	printf("%-17s %s%s\n", name, r == 1 ? "installed" :
		"is installed already", o->config ? ", by git's configuration" :
		"");
	return 0;
}

static int
remove_one(const struct hook_place *p, const char *name, struct err *e)
{
	int file = hook_remove(p->dir.s, name, e);
	int config = file < 0 ? -1 : hookconfig_remove(p->top.s, name, e);

	if (config < 0)
		return -1;
	printf("%-17s %s\n", name, file + config > 0 ? "taken out" :
		"was not installed");
	return 0;
}

static int
act(const struct opts *o, const struct hook_place *p, struct err *e)
{
	int worst = 0;

	for (const char *const *n = p->bare ? server : client; *n; n++) {
		int r = o->act == STATUS ? status_one(o, p, *n, e) :
		    o->act == PUT ? put_one(o, p, *n, e) :
		    remove_one(p, *n, e);

		if (r < 0)
			return -1;
		worst = r > worst ? r : worst;
	}
	return worst;
}

static int
run(struct opts *o, struct hook_place *p, struct err *e)
{
	struct strbuf said STRBUF_SCOPED = STRBUF_INIT;

	if (hook_place(p, o->dir, e) < 0)
		return -1;
	if (o->client && p->bare)
		return err_kind(e, ERR_CONFIG, "'%s' is a bare repository: "
		    "the client's hooks go into a work tree", p->top.s);
	if (o->server && !p->bare)
		return err_kind(e, ERR_CONFIG, "'%s' is a work tree: "
		    "the server's hooks go into a bare repository", p->top.s);
	int r = hookconfig_known(&o->version, e);
	o->config = r == 1;
	if (r < 0)
		return -1;
	if (p->refuse.len > 0 && o->act == PUT && !o->config)
		return err_kind(e, ERR_REFUSED, "%s", p->refuse.s);
	int worst = act(o, p, e);
	if (worst < 0 || o->act != PUT)
		return worst;
	if (p->bare) {
		survey_server(&said, p->top.s);
	} else {
		r = survey_write(&said, p->top.s, e);
		survey_managers(&said, p->top.s);
	}
	fputs(said.s, stdout);
	return r < 0 ? -1 : worst;
}

int
main(int argc, char **argv)
{
	struct opts o = options(argc, argv);
	struct hook_place place = HOOK_PLACE_INIT;
	struct err e = ERR_INIT;
	int r = run(&o, &place, &e);

	hook_place_release(&place);
	strbuf_release(&o.version);
	if (r >= 0)
		return r;
	fflush(stdout);
	struct strbuf said STRBUF_SCOPED = STRBUF_INIT;
	strbuf_clean(&said, e.msg, strlen(e.msg), true);
	fprintf(stderr, "sluice-install: %s\n", said.s);
	return e.kind == ERR_CONFIG ? 2 : e.kind == ERR_REFUSED ? 1 : 3;
}

/* sluice-gate: the half of sluice-hook that judges; run by that one.
 *
 * Decides whether a commit or a push may go on: are its migrations fit to be
 * deployed, as the release they would be, and does makemigrations find nothing
 * to add. Reads git's objects and index, sluice.ini, and what git says on
 * stdin. Writes tags into what is staged (pre-commit), starts the deploy
 * (post-receive), nothing else.
 *
 * Exit: 0 go on; 1 refused; 2 configuration; 3 could not tell. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/util.h"
#include "gate/gitcmd.h"
#include "gate/jail.h"
#include "gate/queue.h"
#include "gate/touch.h"
#include "prog/hook.h"
#include "prog/opts.h"
#include "prog/where.h"

static const struct {
	const char *name;
	int (*run)(struct hook *h, struct err *e);
	bool server;
} hooks[] = {
	{ "pre-commit", hook_commit, false },
	{ "pre-merge-commit", hook_commit, false },
	{ "pre-push", hook_push, false },
	{ "pre-receive", hook_receive, true },
	{ "post-receive", hook_received, true },
};

static const char help[] =
    "usage: sluice-gate NAME [ARGUMENT]...\n"
    "\n"
    "Run by sluice-hook, which is run by git: see sluice-hook(1).\n";

static void
too_long(int sig)
{
	static const char text[] = "sluice: this takes longer than [server] "
	    "timeout allows: refused\n";

	(void)sig;
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(3);
}

/* Asked only because it is not known yet what migrations are made of: where
 * that cannot be found out, no commit of other files is to suffer. */
static bool
no_matter(size_t i)
{
	struct strbuf raw STRBUF_SCOPED = STRBUF_LIMIT(256u << 20);
	struct err none = ERR_INIT;

	return hooks[i].run == hook_commit &&
	    fd_read_all(&raw, 0, &none) >= 0 && !touch_any(raw.s, raw.len);
}

static int
run(size_t i, char **args)
{
	struct hook h = { .a = arena_new(), .args = args,
		.merge = streq(hooks[i].name, "pre-merge-commit"),
		.said = STRBUF_INIT };
	struct err e = ERR_INIT;
	int r = where_repo(&h.repo, &e);

	if (r == 0)
		r = where_config(&h.cfg, h.a, h.repo, NULL, &e);
	if (r == 0 && hooks[i].server && hooks[i].run == hook_receive) {
#ifndef __SANITIZE_ADDRESS__	/* its shadow is terabytes */
		const struct rlimit most = { 1u << 30, 1u << 30 };

		setrlimit(RLIMIT_DATA, &most);
#endif
		signal(SIGALRM, too_long);
		h.until = clock_ms() + h.cfg.server.timeout;
		alarm((unsigned)(h.cfg.server.timeout / 1000 + 1));
	}
	if (r == 0)
		r = hooks[i].run(&h, &e);
	else if (no_matter(i))
		r = 0;
	say(2, &h.said);
	if (r < 0)
		r = trouble(&e);
	if (r > 0 && !hooks[i].server)
		warn("%s refuses this", hooks[i].name);
	strbuf_release(&h.said);
	repo_free(h.repo);
	arena_free(h.a);
	return r;
}

/* deploy-queue DIR TARGET PROGRAM…: in a session of its own. */
static int
run_queue(char **args)
{
	struct queue q = { args[0], args[1] };
	struct err e = ERR_INIT;
	struct strbuf gitdir STRBUF_SCOPED = STRBUF_INIT;

	setsid();
	signal(SIGHUP, SIG_IGN);
	strbuf_str(&gitdir, q.dir);
	strbuf_cut(&gitdir, gitdir.len - strlen("/sluice"));
	environ = gitcmd_clean_env();
	setenv("GIT_DIR", gitdir.s, 1);
	return queue_run(&q, args + 2, gitdir.s, &e) < 0 ? trouble(&e) : 0;
}

/* jail SECONDS FOLDER… -- PROGRAM…: what was pushed runs in it. */
static int
run_jail(char **args)
{
	struct jail j = { .seconds = (int)strtol(args[0], NULL, 10) };
	struct err e = ERR_INIT;
	char **end = args + 1;

	while (*end != NULL && !streq(*end, "--"))
		end++;
	if (j.seconds < 1 || *end == NULL || end[1] == NULL)
		return 2;
	*end = NULL;
	j.folders = (const char *const *)(args + 1);
	j.argv = end + 1;
	int r = jail_run(&j, &e);
	return r < 0 ? trouble(&e) : r;
}

int
main(int argc, char **argv)
{
	prog_start("sluice");
	if (argc > 1 && (streq(argv[1], "-h") || streq(argv[1], "--help")))
		return fputs(help, stdout) < 0;
	if (argc > 4 && streq(argv[1], "deploy-queue"))
		return run_queue(argv + 2);
	if (argc > 3 && streq(argv[1], "jail"))
		return run_jail(argv + 2);
	for (size_t i = 0; argc > 1 && i < countof(hooks); i++)
		if (streq(argv[1], hooks[i].name))
			return run(i, argv + 2);
	fputs("sluice-gate: see 'sluice-gate --help'\n", stderr);
	return 2;
}

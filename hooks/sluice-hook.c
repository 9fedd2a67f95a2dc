/* sluice-hook: what git runs, through the small script in the hooks folder.
 *
 * Runs the hook that stood there before ours, with the same arguments and the
 * same standard input; then asks git whether anything is concerned that we
 * judge, and only then loads sluice-gate, which does the judging: a commit
 * without migrations must not be felt. So this program links nothing.
 *
 * Exit: 0 go on; anything else refuses. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/strvec.h"
#include "base/util.h"
#include "gate/needs.h"
#include "gate/stageraw.h"
#include "gate/touch.h"

static const char help[] =
    "usage: sluice-hook [--first FILE] NAME [ARGUMENT]...\n"
    "\n"
    "Run by git through the hooks that sluice-install writes. NAME is one of\n"
    "pre-commit, pre-merge-commit, pre-push, pre-receive, post-receive.\n"
    "From a hook script of your own, keep arguments and standard input:\n"
    "  sluice-hook pre-commit \"$@\" || exit 1\n"
    "\n"
    "Exit: 0 go on; 1 refused; 2 the configuration is wrong or missing; 3 could\n"
    "not tell; what the hook before it (FILE) said, if not 0. Git stops on all\n"
    "but 0; after post-receive there is nothing to stop.\n";

static const struct hook {
	const char *name;
	bool input;		/* git tells it something on stdin */
	bool index;		/* concerns what is staged */
	bool after;		/* nothing can be refused any more */
} hooks[] = {
	{ "pre-commit", false, true, false },
	{ "pre-merge-commit", false, true, false },
	{ "pre-push", true, false, false },
	{ "pre-receive", true, false, false },
	{ "post-receive", true, false, true },
};

static int
trouble(const struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	strbuf_clean(&b, e->msg, strlen(e->msg), true);
	fprintf(stderr, "sluice: %s\n", b.s);
	return 3;
}

/* Standard input becomes a file of that text. */
static int
set_input(const struct strbuf *b, struct err *e)
{
	FILE *f = tmpfile();

	if (f == NULL)
		return err_sys(e, "cannot make a temporary file");
	if (fd_write_all(fileno(f), b->s, b->len, e) < 0)
		return err_wrap(e, "cannot keep what git says");
	if (dup2(fileno(f), 0) < 0 || lseek(0, 0, SEEK_SET) < 0)
		return err_sys(e, "cannot keep what git says");
	fclose(f);
	return 0;
}

/* It can then be read twice. */
static int
keep_input(struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	return fd_read_all(&b, 0, e) < 0 ? -1 : set_input(&b, e);
}

/* The hook that was there before: its exit code, 0 where there is none. */
static int
run_first(const char *first, char **args, struct err *e)
{
	struct strvec argv STRVEC_SCOPED = STRVEC_INIT;
	struct child c = CHILD_INIT;
	struct stat st;

	if (first == NULL || stat(first, &st) < 0 || !S_ISREG(st.st_mode) ||
	    access(first, X_OK) != 0)
		return 0;	/* git itself runs no hook that is not executable */
	strvec_push(&argv, first);
	for (; *args != NULL; args++)
		strvec_push(&argv, *args);
	struct child_spec spec = { .argv = argv.v };
	if (child_start(&c, &spec, e) < 0 || child_wait(&c, -1, e) < 0)
		return -1;
	return child_exit(&c);
}

/* Is a file staged that a migration is made of? Where that is not known yet,
 * any may be that Sluice looks into. */
static bool
needed(const struct strbuf *raw)
{
	struct strbuf list STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf dir STRBUF_SCOPED = STRBUF_INIT;
	int known = -1;

	for (size_t at = 0; at < raw->len; at += strlen(raw->s + at) + 1) {
		const char *path = raw->s + at;

		if (*path == ':' || !touch_source(path))
			continue;
		if (known < 0) {
			needs_gitdir(&dir);
			known = needs_read(&list, dir.s);
		}
		if (known == 0)
			return access("sluice.ini", F_OK) == 0;
		if (needs_has(&list, path))
			return true;
	}
	return false;
}

/* 1: a migration, what one is made of or a models module is staged; the list
 * of what is staged is then our input. */
static int
concerned(struct err *e)
{
	struct strbuf raw STRBUF_SCOPED = STRBUF_LIMIT(256u << 20);

	if (stageraw_get(&raw, NULL, e) < 0)
		return -1;
	if (!touch_any(raw.s, raw.len) && !needed(&raw))
		return 0;
	return set_input(&raw, e) < 0 ? -1 : 1;
}

/* The other half stands beside us, or on PATH. */
static int
run_gate(const char *argv0, char **args, struct err *e)
{
	char path[PATH_MAX];
	const char *slash = strrchr(argv0, '/');
	char *argv[16] = { path };
	int n = 1;

	snprintf(path, sizeof(path), "%.*ssluice-gate",
	    slash != NULL ? (int)(slash - argv0 + 1) : 0, argv0);
	while (*args != NULL && n < 15)
		argv[n++] = *args++;
	execvp(path, argv);
	return err_sys(e, "cannot run '%s'", path);
}

static int
run(const struct hook *h, const char *argv0, const char *first, char **args,
    struct err *e)
{
	if (h->input && keep_input(e) < 0)
		return -1;
	int r = run_first(first, args + 1, e);
	if (r < 0 || (r > 0 && !h->after))
		return r;
	if (h->input && lseek(0, 0, SEEK_SET) < 0)
		return err_sys(e, "cannot read again what git says");
	if (h->index && (r = concerned(e)) <= 0)
		return r;
	return run_gate(argv0, args, e);
}

int
main(int argc, char **argv)
{
	const char *first = NULL;
	char **args = argv + 1;
	struct err e = ERR_INIT;

	if (argc > 1 && (streq(*args, "-h") || streq(*args, "--help")))
		return fputs(help, stdout) < 0;
	if (argc > 3 && streq(*args, "--first")) {
		first = args[1];
		args += 2;
	}
	for (size_t i = 0; i < countof(hooks); i++) {
		if (!streq(*args, hooks[i].name))
			continue;
		int r = run(&hooks[i], argv[0], first, args, &e);
		return r < 0 ? trouble(&e) : r;
	}
	fprintf(stderr, "sluice-hook: %s\nsee 'sluice-hook --help'\n",
	    *args == NULL ? "no hook is named" : "there is no such hook");
	return 2;
}

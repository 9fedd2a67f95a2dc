#include "gate/clean.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/strvec.h"
#include "base/util.h"
#include "gate/gitcmd.h"

#define JAIL_PATH "/usr/local/bin:/usr/bin:/bin"

static const char helper[] =
#include "gate/clean.py.h"
    ;

static const struct { const char *word; enum clean is; } words[] = {
	{ "clean", CLEAN_YES },
	{ "dirty", CLEAN_NO },
	{ "conflict", CLEAN_CONFLICT },
	{ "missing", CLEAN_MISSING },
	{ "elsewhere", CLEAN_UNKNOWN },
	{ "failed", CLEAN_UNKNOWN },
};

/* A pushed module may have left anything in its place. */
static int
answer_read(struct strbuf *b, const char *path, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int r = fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ?
	    err_set(e, "no answer") : fd_read_all(b, fd, e);

	if (fd >= 0)
		close(fd);
	return r;
}

/* The answer file's first line is a word, the rest is for people. */
static int
read_answer(enum clean *out, struct strbuf *said, const char *path,
    struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(1u << 20);

	if (answer_read(&b, path, e) < 0)
		return -1;
	char *end = strchr(b.s, '\n');
	if (end == NULL)
		return err_set(e, "no answer");
	*end = '\0';
	for (size_t i = 0; i < countof(words); i++) {
		if (!streq(b.s, words[i].word))
			continue;
		*out = words[i].is;
		size_t used = (size_t)(end + 1 - b.s);
		strbuf_clean(said, end + 1, b.len - used, true);
		return 0;
	}
	return err_set(e, "an answer that is none");
}

bool
clean_on_path(char out[PATH_MAX], const char *name, const char *path)
{
	for (const char *p = path; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, ":");

		if (snprintf(out, PATH_MAX, "%.*s/%s", (int)n, p, name) <
		    PATH_MAX && n > 0 && access(out, X_OK) == 0)
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

static char **
environment(const struct clean_job *job)
{
	if (job->jail == NULL)
		return gitcmd_clean_env();
	static char path[] = "PATH=" JAIL_PATH;
	static char lang[] = "LANG=C.UTF-8";
	static char home[] = "HOME=/nonexistent";
	char **env = xcalloc(4, sizeof(*env));
	env[0] = path;
	env[1] = lang;
	env[2] = home;
	return env;
}

/* Without an answer: the last words of what it printed tell why. */
static void
tell_noise(struct strbuf *said, const char *who, const struct strbuf *noise,
    int code)
{
	size_t from = noise->len > 1500 ? noise->len - 1500 : 0;

	strbuf_printf(said, "%s ended with %d", who, code);
	if (noise->len > 0) {
		strbuf_str(said, ":\n");
		strbuf_clean(said, noise->s + from, noise->len - from, true);
	}
}

/* It could not be run to its end; a limit is told by its key. */
static void
tell_failed(struct strbuf *said, const char *who, const struct clean_job *job,
    int64_t began, const struct err *e)
{
	int64_t ms = job->limit_ms;

	strbuf_printf(said, "%s: %s", who, e->msg);
	if (clock_ms() - began >= job->timeout_ms)
		strbuf_printf(said, " ([%s] timeout = %lld%s)", job->jail !=
		    NULL ? "server" : "makemigrations", (long long)(ms % 1000
		    == 0 ? ms / 1000 : ms), ms % 1000 == 0 ? "s" : "ms");
}

static int
run(enum clean *out, struct strbuf *said, const struct clean_job *job,
    const char *temp, struct err *e)
{
	struct strbuf root STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf answer STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf noise STRBUF_SCOPED = STRBUF_LIMIT(4u << 20);
	struct strvec argv STRVEC_SCOPED = STRVEC_INIT;
	struct err none = ERR_INIT;
	int code = 0;

	strbuf_printf(&root, "%s/%s", job->tree, job->root);
	strbuf_printf(&answer, "%s/answer", temp);
	if (job->jail != NULL) {
		strvec_pushl(&argv, job->jail, "jail", NULL);
		strvec_pushf(&argv, "%lld",
		    (long long)(job->timeout_ms / 1000 + 1));
		strvec_pushl(&argv, job->tree, temp, "--", NULL);
	}
	strvec_pushl(&argv, job->python, "-B", "-c", helper, job->tree, root.s,
	    job->settings, job->worktree != NULL ? job->worktree : "",
	    answer.s, NULL);
	char **env = environment(job);
	struct child_spec spec = { .argv = argv.v, .env = env, .cwd = root.s };
	int64_t began = clock_ms();
	int r = child_run(&spec, NULL, 0, &noise, &noise, job->timeout_ms,
	    &code, e);
	free(env);
	if (r < 0) {
		*out = CLEAN_UNKNOWN;
		tell_failed(said, "the project's Python", job, began, e);
		return 0;
	}
	if (read_answer(out, said, answer.s, &none) < 0) {
		*out = CLEAN_UNKNOWN;
		tell_noise(said, "the project's Python", &noise, code);
	}
	return 0;
}

/* [makemigrations] command: its exit code is the answer. */
static int
run_command(enum clean *out, struct strbuf *said, const struct clean_job *job,
    struct err *e)
{
	struct strbuf root STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf noise STRBUF_SCOPED = STRBUF_LIMIT(4u << 20);
	struct strvec argv STRVEC_SCOPED = STRVEC_INIT;
	int code = 0;

	strbuf_printf(&root, "%s/%s", job->tree, job->root);
	strvec_pushl(&argv, "sh", "-c", job->command, NULL);
	char **env = gitcmd_clean_env();
	struct child_spec spec = { .argv = argv.v, .env = env, .cwd = root.s };
	int64_t began = clock_ms();
	int r = child_run(&spec, NULL, 0, &noise, &noise, job->timeout_ms,
	    &code, e);
	free(env);
	*out = r < 0 || code > 1 ? CLEAN_UNKNOWN : code == 1 ? CLEAN_NO :
	    CLEAN_YES;
	if (r < 0)
		tell_failed(said, job->command, job, began, e);
	else if (code > 1)
		tell_noise(said, job->command, &noise, code);
	else
		strbuf_clean(said, noise.s, noise.len, true);
	return 0;
}

int
clean_check(enum clean *out, struct strbuf *said, const struct clean_job *job,
    struct err *e)
{
	char *temp = NULL;

	if (job->command != NULL && job->jail == NULL)
		return run_command(out, said, job, e);
	bool named = strchr(job->python, '/') == NULL;
	char path[PATH_MAX];
	if (named ? !clean_on_path(path, job->python, job->jail != NULL ?
		JAIL_PATH : getenv("PATH")) : access(job->python, X_OK) != 0) {
		*out = CLEAN_MISSING;
		strbuf_printf(said, named ? "there is no '%s' on PATH" :
		    "there is no Python at '%s'", job->python);
		return 0;
	}
	if (dir_temp(&temp, "sluice-answer", e) < 0)
		return -1;
	int r = run(out, said, job, temp, e);
	struct err none = ERR_INIT;
	dir_remove(temp, &none);
	free(temp);
	return r;
}

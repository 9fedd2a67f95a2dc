/* What the hooks share: judging, and asking makemigrations. */
#include "prog/hook.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/util.h"
#include "gate/clean.h"
#include "gate/export.h"
#include "gate/known.h"
#include "gate/touch.h"
#include "prog/opts.h"
#include "prog/where.h"

/* A push tells what is refused; the rest was told at its commit. */
static bool
none(void *ctx, const struct verdict *v)
{
	(void)ctx;
	(void)v;
	return false;
}

static int
base_source(struct source **out, struct hook *h, const char *base,
    struct err *e)
{
	*out = NULL;
	return base == NULL ? 0 : source_commit(out, h->repo, base, e);
}

int
hook_judge(struct hook *h, struct trial *t, const struct trial_ask *asked,
    const struct range_base *base, struct err *e)
{
	struct trial_ask ask = *asked;

	if (range_fetch(h->repo, base->commit, ask.branch->tree, e) < 0 ||
	    base_source(&ask.base, h, base->commit, e) < 0)
		return -1;
	ask.exceptions = h->cfg.hooks.exceptions;
	ask.why = base->why;
	ask.commit = base->commit;
	int r = trial_run(t, h->a, &ask, e);
	source_free(ask.base);
	if (r < 0)
		return -1;
	if (h->which == NULL)
		h->which = none;
	struct verdict_show s = { .project = ask.project->name,
		.mode = "release", .base = base->commit, .j = &t->j,
		.wrong = t->wrong, .nwrong = t->nwrong, .all = true,
		.which = h->which, .ctx = h->ctx, .colour = colour_wanted(2),
		.again = "sluice check --index --explain" };
	if ((t->j.n > 0 || t->nwrong > 0) && (!h->quiet || !trial_fine(t))) {
		strbuf_str(&h->said, "sluice: judged on top of ");
		strbuf_clean(&h->said, base->why, strlen(base->why), false);
		if (base->commit != NULL)
			strbuf_printf(&h->said, " (%.8s)", base->commit);
		strbuf_char(&h->said, '\n');
		verdict_text(&h->said, &s);
	}
	return trial_fine(t) ? 0 : 1;
}

/* Indented, so that it can be told from what we say ourselves. */
static void
quote(struct strbuf *b, const struct strbuf *text)
{
	for (const char *p = text->s; *p != '\0';) {
		size_t n = strcspn(p, "\n");

		strbuf_str(b, "    ");
		strbuf_add(b, p, n);
		strbuf_char(b, '\n');
		p += n + (p[n] == '\n');
	}
}

static int
tell(struct hook *h, enum clean c, bool command, const struct strbuf *words)
{
	bool warn_only = c == CLEAN_MISSING && h->cfg.makemigrations.missing_warn;

	switch (c) {
	case CLEAN_YES:
		return 0;
	case CLEAN_NO:
		strbuf_str(&h->said, command ? "sluice: refused: "
		    "[makemigrations] command says no:\n" : "sluice: refused: "
		    "the models differ from their migrations; Django would "
		    "write\n");
		break;
	case CLEAN_CONFLICT:
		strbuf_str(&h->said, "sluice: refused: run manage.py "
		    "makemigrations --merge, since\n");
		break;
	case CLEAN_MISSING:
		strbuf_printf(&h->said, "sluice: %s: makemigrations cannot be "
		    "verified\n", warn_only ? "warning" : "refused");
		break;
	case CLEAN_UNKNOWN:
		strbuf_str(&h->said, "sluice: refused: whether makemigrations "
		    "is clean could not be told\n");
		break;
	}
	quote(&h->said, words);
	if (c == CLEAN_MISSING)
		strbuf_str(&h->said, "    [project] python names the one with "
		    "Django; [makemigrations] missing = warn goes on without\n");
	return warn_only ? 0 : 1;
}

/* What to remove when a signal ends us. */
static char temp_path[PATH_MAX];

static void
on_signal(int sig)
{
	if (fork() == 0) {
		execlp("rm", "rm", "-rf", "--", temp_path, (char *)NULL);
		_exit(1);
	}
	_exit(128 + sig);
}

static void
watch_signals(const char *temp)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };

	snprintf(temp_path, sizeof(temp_path), "%s", temp);
	for (size_t i = 0; i < countof(sigs); i++)
		if (signal(sigs[i], on_signal) == SIG_IGN)
			signal(sigs[i], SIG_IGN);
}

static void
forget_signals(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

static int
ask(struct hook *h, struct clean_job *job, const char *tree, enum clean *out,
    struct strbuf *words, struct err *e)
{
	struct export_limit limit = { 0 };
	const char *link = h->cfg.makemigrations.link;

	if (job->jail != NULL)
		limit = (struct export_limit){ h->cfg.server.max_files,
			h->cfg.server.max_bytes, true };
	if (export_tree(h->repo, tree, job->tree, &limit, e) < 0)
		return -1;
	if (link != NULL && job->worktree != NULL &&
	    export_link(job->tree, job->worktree, link, e) < 0)
		return -1;
	return clean_check(out, words, job, e);
}

static int
export_and_ask(struct hook *h, struct clean_job *job, const char *tree,
    enum clean *out, struct strbuf *words, struct err *e)
{
	struct err none = ERR_INIT;
	char *temp = NULL;

	if (dir_temp(&temp, "sluice-export", e) < 0)
		return -1;
	watch_signals(temp);
	job->tree = temp;
	int r = ask(h, job, tree, out, words, e);
	dir_remove(temp, &none);
	forget_signals();
	free(temp);
	return r;
}

int
hook_clean(struct hook *h, const struct cfg_project *p, const char *tree,
    bool server, struct err *e)
{
	struct strbuf words STRBUF_SCOPED = STRBUF_INIT;
	enum clean answer = CLEAN_UNKNOWN;
	char key[65];

	if (p->settings == NULL)
		return err_kind(e, ERR_CONFIG, "%s: [project] settings is "
		    "missing: the settings module, as in manage.py",
		    h->cfg.path);
	struct clean_job job = {
		.python = where_python(h->a, h->repo, p),
		.root = p->root != NULL ? p->root : ".",
		.settings = p->settings,
		.jail = server ? where_program(h->a, "sluice-gate") : NULL,
		.command = h->cfg.makemigrations.command,
		.worktree = server ? NULL : repo_workdir(h->repo),
		.timeout_ms = h->cfg.makemigrations.timeout,
		.limit_ms = server ? h->cfg.server.timeout :
		    h->cfg.makemigrations.timeout,
	};
	if (server)	/* and a moment to clean up */
		job.timeout_ms = h->until - clock_ms() > 1000 ?
		    h->until - clock_ms() : 1000;
	if (known_key(key, h->repo, tree, &job, h->cfg.makemigrations.link,
		e) < 0)
		return -1;
	if (known_clean(h->repo, key))
		return 0;
	if (export_and_ask(h, &job, tree, &answer, &words, e) < 0)
		return -1;
	if (answer == CLEAN_YES)
		known_remember(h->repo, key);
	return tell(h, answer, job.command != NULL && !server, &words);
}

int
hook_judge_bases(struct hook *h, const struct cfg_project *p,
    const struct hook_bases *bases, const struct trial_branch *branch,
    struct err *e)
{
	int worst = 0;

	for (uint32_t i = 0; i < bases->n; i++) {
		struct trial_ask ask = { .project = p, .branch = branch };
		struct trial t = { 0 };
		int r = range_touches(h->repo, bases->v[i].commit,
		    branch->tree, touch_source, e);

		if (r > 0 && (r = source_commit(&ask.head, h->repo,
			branch->tree, e)) == 0)
			r = hook_judge(h, &t, &ask, &bases->v[i], e);
		source_free(ask.head);
		if (r < 0)
			return -1;
		worst = r > worst ? r : worst;
	}
	return worst;
}

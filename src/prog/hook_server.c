/* pre-receive and post-receive: the side that is pushed to. Reads objects
 * only, the quarantine's included; writes no ref. */
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/strvec.h"
#include "base/util.h"
#include "gate/gitcmd.h"
#include "gate/queue.h"
#include "gate/range.h"
#include "prog/branch.h"
#include "prog/hook.h"
#include "prog/opts.h"
#include "prog/where.h"

static const char heads[] = "refs/heads/";
static const char ours[] = "refs/sluice/";

/* The target that `[server] deploy = BRANCH:TARGET,…` names; NULL: none. */
static sym
target_of(struct hook *h, const char *branch)
{
	size_t n = strlen(branch);

	for (const char *p = h->cfg.server.deploy; p != NULL && *p != '\0';) {
		p += strspn(p, ", \t");
		size_t len = strcspn(p, ", \t");
		if (len > n + 1 && strncmp(p, branch, n) == 0 && p[n] == ':')
			return sym_getn(h->a, p + n + 1, len - n - 1);
		p += len;
	}
	return NULL;
}

static int
tell_hops(struct hook *h, const struct cfg_project *p,
    const struct hook_bases *bases, const char *tip, struct err *e)
{
	sym stop = NULL;

	if (bases->n != 1 || bases->v[0].commit == NULL)
		return 0;
	int r = repo_commit(h->repo, &stop, h->a, sym_printf(h->a, "%s^1", tip),
	    e);
	if (r <= 0 || streq(stop, bases->v[0].commit))
		return r < 0 ? -1 : 0;	/* one commit: it has no way */
	r = hook_stopover(&stop, h, p, bases->v[0].commit, tip, e);
	if (r > 0)
		strbuf_printf(&h->said, "sluice: it does not deploy in one hop, "
		    "but in two: deploy %.12s first, then push this\n", stop);
	else if (r == 0)
		strbuf_str(&h->said, "sluice: it does not deploy in one hop, "
		    "and no commit on its way makes it two\n");
	return r < 0 ? -1 : 0;
}

static int
receive_project(struct hook *h, const struct cfg_project *p,
    const struct range_line *l, sym target, struct err *e)
{
	struct range_base *bases = NULL;
	uint32_t n = 0;
	bool to_base = streq(l->ref + strlen(heads),
	    p->base != NULL ? p->base : "main");
	bool stays = to_base || target != NULL;	/* what it has is no draft */

	if (range_deployed(&bases, &n, h->a, h->repo, &h->cfg, p, target,
		e) < 0)
		return -1;
	struct range_base old = { l->old, "this branch as it was" };
	if (n == 0 && l->old != NULL && stays) {
		bases = &old;
		n = 1;
	} else if (n == 0 && range_bases(&bases, &n, h->a, h->repo, &h->cfg,
		p, l->new, NULL, l->old, e) < 0) {
		return -1;
	}
	struct trial_branch branch = { .repo = h->repo, .tree = l->new,
		.tip = l->old, .fork = l->old, .tip_name = "this branch" };
	if (!to_base &&
	    (branch_find(&branch, h->a, p, l->new, NULL, e) < 0 ||
	    (target == NULL && branch_known(&branch, p, e) < 0)))
		return -1;
	struct hook_bases all = { bases, n };
	int worst = hook_judge_bases(h, p, &all, &branch, e);
	if (worst == 1 && tell_hops(h, p, &all, l->new, e) < 0)
		return -1;
	if (worst == 0 && h->cfg.server.makemigrations)
		worst = hook_clean(h, p, l->new, true, e);
	return worst;
}

/* Who pushes, as the server in front of git says, else the account. */
static const char *
pusher(void)
{
	static const char *const vars[] = { "REMOTE_USER", "GL_USERNAME",
		"GITEA_PUSHER_NAME", "GITOLITE_USER" };

	for (size_t i = 0; i < countof(vars); i++) {
		const char *v = getenv(vars[i]);
		if (v != NULL && *v != '\0')
			return v;
	}
	const struct passwd *pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_name : "";
}

/* `git push -o sluice.override=REASON`; NULL: not asked for. A word of ours
 * that is none is told. */
static const char *
override_reason(struct hook *h)
{
	static const char key[] = "sluice.override";
	const char *count = getenv("GIT_PUSH_OPTION_COUNT");
	const char *reason = NULL;
	long n = count != NULL ? strtol(count, NULL, 10) : 0;

	for (long i = 0; i < n && i < 100; i++) {
		char var[40];

		snprintf(var, sizeof(var), "GIT_PUSH_OPTION_%ld", i);
		const char *v = getenv(var);
		if (v == NULL || !starts_with(v, "sluice."))
			continue;
		size_t len = strcspn(v, "=");
		if (len != sizeof(key) - 1 || strncmp(v, key, len) != 0) {
			strbuf_str(&h->said, "sluice: unknown option ");
			strbuf_clean(&h->said, v, len, false);
			strbuf_printf(&h->said, "; did you mean %s?\n", key);
		} else if (v[len] == '\0' || v[len + 1] == '\0') {
			strbuf_printf(&h->said, "sluice: an override needs a "
			    "reason: git push -o %s=WHY\n", key);
		} else {
			reason = v + len + 1;
		}
	}
	return reason;
}

static int
record(struct hook *h, const struct strbuf *line, struct err *e)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;

	strbuf_printf(&path, "%ssluice", repo_gitdir(h->repo));
	if (dir_make(path.s, 0777, e) < 0)
		return -1;
	strbuf_str(&path, "/overrides.log");
	int fd = open(path.s, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(e, "cannot write '%s'", path.s);
	int r = fd_write_all(fd, line->s, line->len, e);
	close(fd);
	return r < 0 ? err_wrap(e, "'%s'", path.s) : 0;
}

/* 1: the refusal of these is lifted and that is on record. */
static int
overridden(struct hook *h, const char *reason, const struct strbuf *refs,
    struct err *e)
{
	const char *who = pusher();
	struct strbuf line STRBUF_SCOPED = STRBUF_INIT;

	if (reason == NULL)
		return 0;
	if (h->cfg.server.override == NULL ||
	    !range_listed(h->cfg.server.override, who)) {
		strbuf_printf(&h->said, "sluice: '%s' is not among those who "
		    "may override ([server] override)\n", who);
		return 0;
	}
	stamp_print(&line, clock_epoch());
	strbuf_char(&line, ' ');
	strbuf_clean(&line, who, strlen(who), false);
	strbuf_str(&line, refs->s);
	strbuf_str(&line, ": ");
	strbuf_clean(&line, reason, strlen(reason), false);
	strbuf_char(&line, '\n');
	if (record(h, &line, e) < 0)
		return -1;
	strbuf_printf(&h->said, "sluice: overridden by %s", line.s);
	return 1;
}

static int
lines_read(struct hook *h, struct range_line **lines, uint32_t *n,
    struct err *e)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;

	if (fd_read_all(&text, 0, e) < 0)
		return -1;
	return range_lines(lines, n, h->a, &text, false, e);
}

static void
refused(struct hook *h, struct strbuf *refs, const struct range_line *l)
{
	const char *branch = l->ref + strlen(heads);

	strbuf_str(&h->said, "sluice: branch '");
	strbuf_clean(&h->said, branch, strlen(branch), false);
	strbuf_str(&h->said, "' is refused as it is\n");
	strbuf_printf(refs, " %s %.12s..%.12s", l->ref,
	    l->old != NULL ? l->old : "", l->new);
}

/* What is deployed is what pushes are judged on top of: nobody pushes that. */
static bool
refused_ours(struct hook *h, const struct range_line *v, uint32_t n)
{
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		if (!starts_with(v[i].ref, ours))
			continue;
		strbuf_str(&h->said, "sluice: '");
		strbuf_clean(&h->said, v[i].ref, strlen(v[i].ref), false);
		strbuf_str(&h->said, "' is refused: only a deploy says what is "
		    "deployed; on this machine, git update-ref sets it\n");
		any = true;
	}
	return any;
}

int
hook_receive(struct hook *h, struct err *e)
{
	struct strbuf refs STRBUF_SCOPED = STRBUF_INIT;
	struct range_line *lines = NULL;
	const char *reason = override_reason(h);
	uint32_t n = 0;
	int worst = 0;

	if (lines_read(h, &lines, &n, e) < 0)
		return -1;
	if (refused_ours(h, lines, n))
		return 1;
	for (uint32_t i = 0; i < n; i++) {
		const char *branch = lines[i].ref + strlen(heads);

		if (!starts_with(lines[i].ref, heads) ||
		    lines[i].new == NULL ||
		    !range_listed(h->cfg.server.branches, branch))
			continue;
		sym target = target_of(h, branch);
		if (range_limits(h->repo, lines[i].new, h->cfg.server.max_files,
			h->cfg.server.max_bytes, e) < 0)
			return err_wrap(e, "branch '%s'", branch);
		for (uint32_t k = 0; k < h->cfg.nprojects; k++) {
			int r = receive_project(h, &h->cfg.projects[k],
			    &lines[i], target, e);
			if (r < 0)
				return err_wrap(e, "branch '%s'", branch);
			if (r > 0)
				refused(h, &refs, &lines[i]);
			worst = r > worst ? r : worst;
		}
	}
	if (worst == 1) {
		int r = overridden(h, reason, &refs, e);
		worst = r < 0 ? -1 : r == 1 ? 0 : 1;
	}
	return worst;
}

static int
start_runner(struct hook *h, const char *dir, sym target, struct err *e)
{
	struct strvec argv STRVEC_SCOPED = STRVEC_INIT;

	strvec_pushl(&argv, where_program(h->a, "sluice-gate"), "deploy-queue", dir,
	    target, where_program(h->a, "sluice-deploy"), "-c", h->cfg.path, target,
	    NULL);
	return queue_start(argv.v, e);
}

static int
deploy_one(struct hook *h, const char *commit, sym target, struct err *e)
{
	struct strbuf log STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf busy STRBUF_SCOPED = STRBUF_INIT;
	sym dir = sym_printf(h->a, "%ssluice", repo_gitdir(h->repo));
	struct queue q = { dir, target };

	int r = queue_put(&q, commit, h->cfg.server.queue, &log, &busy, e);
	if (r < 0)
		return -1;
	if (busy.len > 0) {
		printf("sluice: %s\n", busy.s);
		printf(r == 1 ? "sluice: %.12s follows when that has ended\n" :
			"sluice: %.12s is not deployed; when that has ended: "
			"sluice-deploy\n", commit);
	}
	if (r == 0)
		return 1;
	if (start_runner(h, dir, target, e) < 0)
		return -1;
	if (busy.len > 0)
		return 0;
	printf("sluice: deploys %.12s to %s; it goes on if you leave\n",
	    commit, target);
	fflush(stdout);
	r = queue_follow(&q, log.s, 1, e);
	if (r > 0)
		printf("sluice: the deploy of %.12s to %s ended with %d\n",
		    commit, target, r);
	return r;
}

int
hook_received(struct hook *h, struct err *e)
{
	struct range_line *lines = NULL;
	uint32_t n = 0;
	int worst = 0;

	if (lines_read(h, &lines, &n, e) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		if (!starts_with(lines[i].ref, heads) || lines[i].new == NULL)
			continue;
		sym target = target_of(h, lines[i].ref + strlen(heads));
		if (target == NULL)
			continue;
		int r = deploy_one(h, lines[i].new, target, e);
		if (r < 0)
			return -1;
		worst = r > worst ? r : worst;
	}
	fflush(stdout);
	return worst;
}

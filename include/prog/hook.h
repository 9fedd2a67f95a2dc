/* What sluice-gate does for each hook of git's. */
#ifndef PROG_HOOK_H
#define PROG_HOOK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "gate/range.h"
#include "prog/trial.h"
#include "read/config.h"
#include "read/repo.h"

struct hook {
	struct arena *a;
	struct repo *repo;
	struct config cfg;
	char **args;		/* as git gave them, after the hook's name */
	bool merge;		/* it is pre-merge-commit */
	int64_t until;		/* clock_ms() at which it must be done; 0: ever */
	bool tagged;		/* the index has changed since it was read */
	bool quiet;		/* tells of verdicts only if one refuses */
	struct strbuf said;	/* for people; shown when the hook is done */
	/* which verdicts are shown in full, though fine: those of this commit */
	bool (*which)(void *ctx, const struct verdict *v);
	void *ctx;
};

/* 0: go on. 1: refused, and h->said tells why. -1: could not tell. */
int hook_commit(struct hook *h, struct err *e);
int hook_push(struct hook *h, struct err *e);
int hook_receive(struct hook *h, struct err *e);
int hook_received(struct hook *h, struct err *e);	/* shows as it goes */

/* Shared: ask->head as a release on top of a base, told in h->said. 0 fine, 1
 * refused. The trial is the caller's to look at. */
int hook_judge(struct hook *h, struct trial *t, const struct trial_ask *ask,
    const struct range_base *base, struct err *e);
/* A commit as a release on each of its bases; where no migration differs there
 * is nothing to judge. 0 fine, 1 refused by one of them. */
struct hook_bases { const struct range_base *v; uint32_t n; };
int hook_judge_bases(struct hook *h, const struct cfg_project *p,
    const struct hook_bases *bases, const struct trial_branch *branch,
    struct err *e);
/* What does not go in one hop: where in between it may stop over. 1: *out. 0:
 * no such commit was found, in the time that there is. */
int hook_stopover(sym *out, struct hook *h, const struct cfg_project *p,
    const char *base, const char *tip, struct err *e);
/* Is makemigrations clean on that tree or commit? 0 yes (or a warning is all
 * that the configuration wants), 1 no. */
int hook_clean(struct hook *h, const struct cfg_project *p, const char *tree,
    bool server, struct err *e);

#endif

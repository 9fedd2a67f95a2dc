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

/* Shared: base and tip as one release, told in h->said. 0 fine, 1 refused.
 * The trial is the caller's to look at. */
int hook_judge(struct hook *h, struct trial *t, const struct cfg_project *p,
    const char *base, const char *why, struct source *head, struct err *e);
/* A commit as a release on each of its bases; where no migration differs there
 * is nothing to judge. 0 fine, 1 refused by one of them. */
int hook_judge_bases(struct hook *h, const struct cfg_project *p,
    const struct range_base *bases, uint32_t n, const char *head,
    struct err *e);
/* Is makemigrations clean on that tree or commit? 0 yes (or a warning is all
 * that the configuration wants), 1 no. */
int hook_clean(struct hook *h, const struct cfg_project *p, const char *tree,
    bool server, struct err *e);

#endif

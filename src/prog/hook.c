/* What the hooks share: judging, and asking makemigrations. */
#include "prog/hook.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/util.h"
#include "gate/clean.h"
#include "gate/export.h"
#include "prog/opts.h"
#include "prog/where.h"

static int
base_source(struct source **out, struct hook *h, const char *base,
    struct err *e)
{
	*out = NULL;
	return base == NULL ? 0 : source_commit(out, h->repo, base, e);
}

int
hook_judge(struct hook *h, struct trial *t, const struct cfg_project *p,
    const char *base, const char *why, struct source *head, struct err *e)
{
	struct source *src = NULL;

	if (base_source(&src, h, base, e) < 0)
		return -1;
	struct trial_ask ask = { p, h->cfg.hooks.exceptions, src, head, false };
	int r = trial_run(t, h->a, &ask, e);
	source_free(src);
	if (r < 0)
		return -1;
	struct verdict_show s = { .project = p->name, .mode = "release",
		.base = base, .j = &t->j, .wrong = t->wrong,
		.nwrong = t->nwrong, .all = true,
		.colour = colour_wanted(2) };
	if (t->j.n > 0 || t->nwrong > 0) {
		strbuf_printf(&h->said, "sluice: judged on top of %s", why);
		if (base != NULL)
			strbuf_printf(&h->said, " (%.8s)", base);
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
tell(struct hook *h, enum clean c, const struct strbuf *words)
{
	bool warn_only = c == CLEAN_MISSING && h->cfg.makemigrations.missing_warn;

	switch (c) {
	case CLEAN_YES:
		return 0;
	case CLEAN_NO:
		strbuf_str(&h->said, "sluice: refused: the models differ from "
		    "their migrations; Django would write\n");
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

static int
verify(struct hook *h, const struct cfg_project *p, const char *tree,
    const char *temp, bool server, struct err *e)
{
	struct strbuf words STRBUF_SCOPED = STRBUF_INIT;
	struct export_limit limit = { 0 };
	enum clean answer = CLEAN_UNKNOWN;
	const char *link = h->cfg.makemigrations.link;

	if (server)
		limit = (struct export_limit){ h->cfg.server.max_files,
			h->cfg.server.max_bytes, true };
	if (export_tree(h->repo, tree, temp, &limit, e) < 0)
		return -1;
	const char *work = server ? NULL : repo_workdir(h->repo);
	if (link != NULL && work != NULL &&
	    export_link(temp, work, link, e) < 0)
		return -1;
	struct clean_job job = {
		.python = where_python(h->a, h->repo, p), .tree = temp,
		.root = p->root != NULL ? p->root : ".",
		.settings = p->settings, .worktree = work, .jail = server,
		.timeout_ms = server ? h->cfg.server.timeout :
		    h->cfg.makemigrations.timeout,
	};
	if (clean_check(&answer, &words, &job, e) < 0)
		return -1;
	return tell(h, answer, &words);
}

int
hook_clean(struct hook *h, const struct cfg_project *p, const char *tree,
    bool server, struct err *e)
{
	struct err none = ERR_INIT;
	char *temp = NULL;

	if (p->settings == NULL)
		return err_kind(e, ERR_CONFIG, "%s: [project] settings is "
		    "missing: the settings module, as in manage.py",
		    h->cfg.path);
	if (dir_temp(&temp, "sluice-export", e) < 0)
		return -1;
	int r = verify(h, p, tree, temp, server, e);
	dir_remove(temp, &none);
	free(temp);
	return r;
}

/* sluice-check: judges migrations as the release they would be.
 *
 * Decides for each what phase it belongs to, and whether it may go at all.
 * Reads a commit, a range, the index or a folder, and sluice.ini; writes
 * nothing.
 *
 * Exit: 0 all are fine; 1 something is refused; 2 usage or configuration;
 * 3 could not tell. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "gate/export.h"
#include "gate/range.h"
#include "prog/branch.h"
#include "prog/opts.h"
#include "prog/trial.h"
#include "prog/where.h"

static const char help[] =
    "usage: sluice-check [--index | COMMIT | A..B | A...B | --dir D] [options]\n"
    "\n"
    "Judges migrations as the release they would be: which go before the new\n"
    "code is live (safe), which after it (unsafe), and which in no phase.\n"
    "\n"
    "  --index        what is staged, on top of what is deployed\n"
    "  COMMIT         that commit (HEAD), on top of what is deployed\n"
    "  A..B           commit B on top of A\n"
    "  A...B          commit B on top of where it left A\n"
    "  --dir D        a project's folder without git, each migration alone\n"
    "\n"
    "      --each     each migration alone, as a hint\n"
    "      --all      list the fine ones too\n"
    "      --explain  every reason, lock, way back and way to write it\n"
    "      --format text|json|sarif|github|gitlab\n"
    "      --project NAME   where sluice.ini has several\n"
    "  -c, --config FILE\n"
    "  -C, --directory DIR  work as if started there\n"
    "  -h, --help\n"
    "\n"
    "\"What is deployed\" is refs/sluice/deployed/TARGET, else the merge base\n"
    "with the base branch, else (for --index) HEAD. Where several targets are\n"
    "deployed, it must fit on each. It is told on stderr; a\n"
    "commit for which none of them is here is not judged: fetch, or say A..B.\n"
    "Exit: 0 fine, 1 refused, 2 usage or configuration, 3 could not tell.\n"
    "\n"
    "How it judges: while hosts roll, old code and new code serve at once.\n"
    "Corner a is the old code on the new schema, corner b the new code on the\n"
    "old one. Each is ok, note (only of odd rows during the roll), may (some\n"
    "requests fail), breaks (every such request fails) or opaque (not read).\n"
    "  safe     a holds: before the new code is live\n"
    "  unsafe   b holds: after the new code is everywhere\n"
    "  either   both hold: what removes goes after, the rest before\n"
    "  split    neither holds: it needs two releases, or another way\n"
    "  never    the new code fails on its own schema\n"
    "  opaque   what it does cannot be read: a person tags it\n"
    "Locks that last are told, and refuse nothing; --explain has the way\n"
    "around them.\n"
    "\n"
    "Example, in CI:  sluice-check origin/main...HEAD --all\n";

struct opts_check {
	bool index, each, all, explain;
	void (*show)(struct strbuf *b, const struct verdict_show *s);
	const char *rev, *dir, *project, *config;
	struct strbuf again;		/* the command that explains */
};

/* All that one run needs, with one life. */
struct work {
	struct arena *a;
	struct repo *repo;
	struct config cfg;
	const struct cfg_project *project;
	struct source *head;
	sym head_name;
	struct range_base *bases;	/* to be judged on top of each */
	uint32_t nbases;
	struct trial_branch branch;
};

static _Noreturn void
usage(const char *why)
{
	fprintf(stderr, "sluice-check: %ssee 'sluice-check --help'\n", why);
	exit(2);
}

static void (*format(const char *name))(struct strbuf *b,
    const struct verdict_show *s)
{
	static const struct {
		const char *name;
		void (*show)(struct strbuf *b, const struct verdict_show *s);
	} formats[] = {
		{ "text", verdict_text },
		{ "json", verdict_json },
		{ "sarif", verdict_sarif },
		{ "github", verdict_github },
		{ "gitlab", verdict_gitlab },
	};

	for (size_t i = 0; i < countof(formats); i++)
		if (streq(name, formats[i].name))
			return formats[i].show;
	usage("--format is text, json, sarif, github or gitlab; ");
}

/* The same question again, with its reasons, for a person. */
static void
again(struct strbuf *b, int argc, char **argv)
{
	strbuf_str(b, "sluice check");
	for (int i = 1; i < argc; i++) {
		if (streq(argv[i], "--format"))
			i++;
		else if (!starts_with(argv[i], "--format="))
			strbuf_printf(b, strpbrk(argv[i], " '\"\\$;&|<>*?()~#")
			    != NULL ? " '%s'" : " %s", argv[i]);
	}
	strbuf_str(b, " --explain");
}

static struct opts_check
options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "index", no_argument, NULL, 'i' },
		{ "each", no_argument, NULL, 'e' },
		{ "all", no_argument, NULL, 'a' },
		{ "explain", no_argument, NULL, 'x' },
		{ "dir", required_argument, NULL, 'd' },
		{ "format", required_argument, NULL, 'f' },
		{ "project", required_argument, NULL, 'p' },
		{ "config", required_argument, NULL, 'c' },
		{ "directory", required_argument, NULL, 'C' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct opts_check o = { .show = verdict_text, .again = STRBUF_INIT };
	int c;

	again(&o.again, argc, argv);
	while ((c = getopt_long(argc, argv, "c:C:h", longs, NULL)) != -1)
		switch (c) {
		case 'i': o.index = true; break;
		case 'e': o.each = true; break;
		case 'a': o.all = true; break;
		case 'x': o.explain = true; break;
		case 'd': o.dir = optarg; break;
		case 'p': o.project = optarg; break;
		case 'c': o.config = optarg; break;
		case 'f':
			o.show = format(optarg);
			break;
		case 'C':
			if (chdir(optarg) < 0)
				usage("-C: there is no such folder; ");
			break;
		case 'h': fputs(help, stdout); exit(0);
		default: usage("");
		}
	o.rev = optind < argc ? argv[optind++] : NULL;
	if (optind < argc)
		usage("one commit or range at most; ");
	if ((o.rev != NULL) + o.index + (o.dir != NULL) > 1)
		usage("a commit, --index and --dir exclude each other; ");
	return o;
}

/* Without a file, a folder is judged by what is usual. */
static int
config(struct work *w, const struct opts_check *o, struct err *e)
{
	static const char none[] = "[project]\n";

	if (o->dir != NULL && o->config == NULL && !getenv("SLUICE_CONFIG")) {
		sym path = sym_printf(w->a, "%s/sluice.ini", o->dir);
		if (access(path, R_OK) != 0)
			return config_parse(&w->cfg, w->a, path, none,
			    sizeof(none) - 1, e);
		return config_load(&w->cfg, w->a, path, e);
	}
	return where_config(&w->cfg, w->a, w->repo, o->config, e);
}

static int
commit(struct work *w, sym *out, const char *rev, struct err *e)
{
	int r = repo_commit(w->repo, out, w->a, rev, e);

	return r != 0 ? r : err_kind(e, ERR_CONFIG, "there is no commit '%s'",
	    rev);
}

/* A..B: on top of A. A...B: on top of where B left A, as git has it. */
static int
range(struct work *w, const char *rev, struct err *e)
{
	const char *dots = strstr(rev, "..");
	bool fork = dots[2] == '.';
	sym from = sym_getn(w->a, rev, (size_t)(dots - rev));
	sym to = sym_get(w->a, dots + (fork ? 3 : 2));
	sym base = NULL;

	from = *from != '\0' ? from : "HEAD";
	if (commit(w, &base, from, e) < 0 ||
	    commit(w, &w->head_name, *to != '\0' ? to : "HEAD", e) < 0)
		return -1;
	w->branch.tree = w->head_name;
	if (fork) {
		w->branch.tip = base;
		w->branch.tip_name = from;
		int r = repo_merge_base(w->repo, &base, w->a, base,
		    w->head_name, e);
		if (r <= 0)
			return r < 0 ? -1 : err_kind(e, ERR_CONFIG, "'%s' and "
			    "'%s' have no commit in common here: fetch more of "
			    "their history", from, *to != '\0' ? to : "HEAD");
	}
	w->bases = arena_make(w->a, struct range_base);
	w->bases[0] = (struct range_base){ base, from };
	w->nbases = 1;
	return source_commit(&w->head, w->repo, w->head_name, e);
}

/* Without a base everything would be a first release, and safe. */
static int
first(struct work *w, const char *rev, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	sym parent = NULL;

	strbuf_printf(&b, "%sshallow", repo_gitdir(w->repo));
	bool shallow = file_exists(b.s);
	strbuf_reset(&b);
	strbuf_printf(&b, "%s^", rev);
	int r = shallow ? 1 : repo_commit(w->repo, &parent, w->a, b.s, e);
	if (r <= 0)
		return r;
	return err_kind(e, ERR_CONFIG, "what is deployed is not known: the base "
	    "branch '%s' is not here%s; fetch it, set [project] base, or say "
	    "A..B", w->project->base != NULL ? w->project->base : "main",
	    shallow ? " (a shallow clone)" : "");
}

/* The index or a commit, on top of what is deployed. */
static int
on_top(struct work *w, const struct opts_check *o, struct err *e)
{
	const char *rev = o->rev != NULL ? o->rev : "HEAD";
	struct strbuf tree STRBUF_SCOPED = STRBUF_INIT;

	if (!o->index && commit(w, &w->head_name, rev, e) < 0)
		return -1;
	if (range_bases(&w->bases, &w->nbases, w->a, w->repo, &w->cfg,
		w->project, rev, NULL, o->index ? "HEAD" : NULL, e) < 0 ||
	    branch_find(&w->branch, w->a, w->project, rev, NULL, e) < 0 ||
	    branch_known(&w->branch, w->project, e) < 0)
		return -1;
	if (w->bases[0].commit == NULL && !o->index && first(w, rev, e) < 0)
		return -1;
	if (o->index && export_staged(&tree, w->repo, e) < 0)
		return -1;
	w->branch.tree = o->index ? sym_get(w->a, tree.s) : w->head_name;
	w->branch.at = o->index ? branch_at(w->repo, false) : AT_COMMITS;
	if (o->index)
		w->head_name = "index";
	return source_commit(&w->head, w->repo, w->branch.tree, e);
}

static int
sources(struct work *w, const struct opts_check *o, struct err *e)
{
	static struct range_base nothing;

	w->branch.repo = w->repo;
	if (o->rev != NULL && strstr(o->rev, "..") != NULL)
		return range(w, o->rev, e);
	if (o->dir == NULL)
		return on_top(w, o, e);
	w->bases = &nothing;
	w->nbases = 1;
	w->head_name = sym_get(w->a, o->dir);
	return source_folder(&w->head, o->dir, e);
}

static int
judge(struct work *w, const struct opts_check *o, const struct range_base *b,
    struct trial *t, struct err *e)
{
	struct trial_ask ask = { .project = w->project,
		.exceptions = w->cfg.hooks.exceptions, .head = w->head,
		.each = o->each || o->dir != NULL, .why = b->why,
		.commit = b->commit,
		.branch = o->dir != NULL ? NULL : &w->branch,
		.binds = o->index && w->cfg.hooks.tag_write };

	if (ask.branch != NULL &&
	    range_fetch(w->repo, b->commit, w->branch.tree, e) < 0)
		return -1;
	if (b->commit != NULL &&
	    source_commit(&ask.base, w->repo, b->commit, e) < 0)
		return -1;
	int r = trial_run(t, w->a, &ask, e);
	source_free(ask.base);
	return r;
}

/* On top of everything that is deployed: the first that refuses it is shown,
 * else the first. */
static int
judge_all(struct work *w, const struct opts_check *o, struct trial *shown,
    const struct range_base **base, struct err *e)
{
	*base = NULL;
	for (uint32_t i = 0; i < w->nbases; i++) {
		struct trial t = { 0 };

		if (judge(w, o, &w->bases[i], &t, e) < 0)
			return -1;
		bool fine = trial_fine(&t);
		if (o->show != verdict_json && w->bases[i].why != NULL) {
			struct strbuf why STRBUF_SCOPED = STRBUF_INIT;

			strbuf_clean(&why, w->bases[i].why,
			    strlen(w->bases[i].why), false);
			fprintf(stderr, "judged on top of %s%s%s\n", why.s,
			    w->nbases == 1 ? "" : ": ",
			    w->nbases == 1 ? "" : fine ? "fine" : "refused");
		}
		if (*base == NULL || (trial_fine(shown) && !fine)) {
			*shown = t;
			*base = &w->bases[i];
		}
	}
	return 0;
}

/* The answer; where it is CI's, the job's log has it in words too. */
static void
tell(const struct opts_check *o, struct verdict_show *s, const char *on_top,
    bool fine)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	bool text = o->show == verdict_text;

	if (!text) {
		o->show(&b, s);
		say(1, &b);
		strbuf_reset(&b);
	}
	if (o->show == verdict_json)
		return;
	if (on_top != NULL)
		strbuf_printf(&b, "on top of %s:\n", on_top);
	s->colour = colour_wanted(text ? 1 : 2);
	verdict_text(&b, s);
	if (!text && fine)
		strbuf_str(&b, "nothing is refused\n");
	say(text ? 1 : 2, &b);
}

static int
run(struct work *w, const struct opts_check *o, struct err *e)
{
	const struct range_base *base = NULL;
	struct trial t = { 0 };

	if ((o->dir == NULL && where_repo(&w->repo, e) < 0) ||
	    config(w, o, e) < 0)
		return -1;
	w->project = config_project(&w->cfg, o->project, e);
	if (w->project == NULL || sources(w, o, e) < 0 ||
	    judge_all(w, o, &t, &base, e) < 0)
		return -1;
	struct verdict_show s = { .project = w->project->name,
		.mode = o->each || o->dir != NULL ? "alone" : "release",
		.base = base->commit, .head = w->head_name, .j = &t.j,
		.wrong = t.wrong, .nwrong = t.nwrong, .all = o->all,
		.explain = o->explain, .again = o->again.s };
	tell(o, &s, w->nbases > 1 ? base->why : NULL, trial_fine(&t));
	return trial_fine(&t) ? 0 : 1;
}

int
main(int argc, char **argv)
{
	prog_start(argv[0]);
	struct opts_check o = options(argc, argv);
	struct work w = { .a = arena_new() };
	struct err e = ERR_INIT;
	int r = run(&w, &o, &e);

	source_free(w.head);
	repo_free(w.repo);
	arena_free(w.a);
	strbuf_release(&o.again);
	return r < 0 ? trouble(&e) : r;
}

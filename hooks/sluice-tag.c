/* sluice-tag: writes tags beside the operations of migrations.
 *
 * The machine's own (a verdict, for the reader), a person's (--safe, --unsafe,
 * bound to the operations they were written for), and `for=` into a person's
 * tag that has none yet. Reads the work tree or the index; writes migrations
 * there, nothing else.
 *
 * Exit: 0 done; 1 a migration is refused as it is, so that no tag fits;
 * 2 usage or configuration; 3 could not tell. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "gate/range.h"
#include "gate/stage.h"
#include "gate/tagline.h"
#include "prog/opts.h"
#include "prog/trial.h"
#include "prog/where.h"

static const char help[] =
    "usage: sluice-tag [--index] [FILE]...\n"
    "       sluice-tag [--index] --safe|--unsafe --because TEXT FILE...\n"
    "\n"
    "Writes the tag of each new migration (of FILEs only, if there are any)\n"
    "above its operations:\n"
    "  # sluice: unsafe auto -- ...            what the judgement says\n"
    "  # sluice: safe for=... because \"...\"    what a person says\n"
    "A person's tag holds for the operations it was written for; write it\n"
    "again when they change. Where the judgement says otherwise it overrules\n"
    "that, and every plan shows it with its reason.\n"
    "\n"
    "      --index    in what is staged, and in the file where it is the same\n"
    "      --safe     to be run before the new code is live\n"
    "      --unsafe   to be run after the new code is everywhere\n"
    "      --because TEXT\n"
    "      --project NAME   where sluice.ini has several\n"
    "  -c, --config FILE\n"
    "  -h, --help\n"
    "\n"
    "Example:\n"
    "  sluice-tag --safe --because 'backfill, can run twice' shop/migrations/0007_fill.py\n";

struct opts_tag {
	bool index;
	const char *word, *because, *project, *config;
	char **files;
	int nfiles;
};

struct work {
	struct arena *a;
	struct repo *repo;
	struct config cfg;
	struct source *base, *head;
	struct staged *staged;
	uint32_t nstaged;
	const struct opts_tag *o;
};

static _Noreturn void
usage(const char *why)
{
	fprintf(stderr, "sluice-tag: %ssee 'sluice-tag --help'\n", why);
	exit(2);
}

static struct opts_tag
options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "index", no_argument, NULL, 'i' },
		{ "safe", no_argument, NULL, 's' },
		{ "unsafe", no_argument, NULL, 'u' },
		{ "because", required_argument, NULL, 'b' },
		{ "project", required_argument, NULL, 'p' },
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct opts_tag o = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1)
		switch (c) {
		case 'i': o.index = true; break;
		case 's': case 'u':
			if (o.word != NULL)
				usage("--safe or --unsafe, once; ");
			o.word = c == 's' ? "safe" : "unsafe";
			break;
		case 'b': o.because = optarg; break;
		case 'p': o.project = optarg; break;
		case 'c': o.config = optarg; break;
		case 'h': fputs(help, stdout); exit(0);
		default: usage("");
		}
	o.files = argv + optind;
	o.nfiles = argc - optind;
	if ((o.word != NULL) != (o.because != NULL && *o.because != '\0'))
		usage("a person's tag is --safe or --unsafe with --because; ");
	if (o.word != NULL && o.nfiles == 0)
		usage("a person's tag is for FILEs that are named; ");
	return o;
}

/* Is it among the FILEs that were named? A path of the tree each. */
static bool
named(const struct work *w, const char *path)
{
	struct strbuf full STRBUF_SCOPED = STRBUF_INIT;
	char x[PATH_MAX], y[PATH_MAX];

	strbuf_printf(&full, "%s%s", repo_workdir(w->repo), path);
	for (int i = 0; i < w->o->nfiles; i++)
		if (realpath(full.s, x) != NULL &&
		    realpath(w->o->files[i], y) != NULL && streq(x, y))
			return true;
	return w->o->nfiles == 0;
}

static const struct staged *
staged(const struct work *w, const char *path)
{
	for (uint32_t i = 0; i < w->nstaged; i++)
		if (streq(w->staged[i].path, path) &&
		    w->staged[i].status != 'D')
			return &w->staged[i];
	return NULL;
}

static int
store(struct work *w, const struct staged *f, const char *path,
    const struct strbuf *was, const struct strbuf *now, struct err *e)
{
	struct strbuf full STRBUF_SCOPED = STRBUF_INIT;
	struct stat st;

	if (f != NULL) {
		int r = stage_write(w->repo, f, was, now, e);
		if (r == 0)
			warn("%s: staged only; the file on disk has other "
			    "changes", path);
		return r < 0 ? -1 : 0;
	}
	strbuf_printf(&full, "%s%s", repo_workdir(w->repo), path);
	if (stat(full.s, &st) < 0)
		return err_sys(e, "cannot look at '%s'", path);
	return file_write(full.s, now->s, now->len, st.st_mode & 07777, e);
}

/* 1: refused as it is, no tag fits. */
static int
tag_one(struct work *w, const struct verdict *v, struct err *e)
{
	struct strbuf tag STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf was STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf now STRBUF_SCOPED = STRBUF_INIT;
	const struct migration *m = v->m;
	const struct staged *f = w->o->index ? staged(w, m->path) : NULL;
	int r;

	if (w->o->index && f == NULL)
		return 0;
	r = f != NULL ? stage_text(&was, w->repo, f->blob, e) :
	    source_read(w->head, &was, m->path, e);
	if (r < 0)
		return -1;
	if (w->o->word == NULL && m->tag.wrong != NULL) {
		warn("%s:%u: %s", m->path, m->tag.line, m->tag.wrong);
		return 1;
	}
	if (w->o->word != NULL)
		tagline_person(&tag, m, w->o->word, w->o->because);
	else if (m->tag.source == TAG_NONE || m->tag.source == TAG_AUTO)
		tagline_make(&tag, v);
	if (tag.len > 0) {
		r = tagline_put(&now, &was, m, tag.s, e);
	} else if (m->tag.source == TAG_PERSON) {
		r = tagline_bind(&now, &was, m);
	} else if (m->tag.source > TAG_PERSON) {
		r = 0;
	} else {
		warn("%s: no tag fits: %s", m->path, v->refused != NULL ?
			v->refused : forward_name[v->forward]);
		return 1;
	}
	if (r > 0) {
		r = store(w, f, m->path, &was, &now, e);
		if (r == 0)
			printf("%s: %s%s\n", m->path, tag.len > 0 ? tag.s :
				"bound to its operations",
			    f == NULL ? " (git add it)" : "");
	}
	return r < 0 ? -1 : 0;
}

static int
open_all(struct work *w, const struct cfg_project **p, struct err *e)
{
	struct range_base *bases = NULL;
	uint32_t n = 0;

	if (where_repo(&w->repo, e) < 0 ||
	    where_config(&w->cfg, w->a, w->repo, w->o->config, e) < 0)
		return -1;
	if (repo_bare(w->repo))
		return err_kind(e, ERR_CONFIG, "tags are written in a work "
		    "tree, and this repository is bare");
	*p = config_project(&w->cfg, w->o->project, e);
	if (*p == NULL || range_bases(&bases, &n, w->a, w->repo, &w->cfg, *p,
		"HEAD", NULL, "HEAD", e) < 0)
		return -1;
	if (bases[0].commit != NULL && source_commit(&w->base, w->repo,
		bases[0].commit, e) < 0)
		return -1;
	if (!w->o->index)
		return source_folder(&w->head, repo_workdir(w->repo), e);
	if (stage_list(&w->staged, &w->nstaged, w->a, w->repo, e) < 0)
		return -1;
	return stage_source(&w->head, w->repo, e);
}

static int
run(struct work *w, struct err *e)
{
	const struct cfg_project *p = NULL;
	struct trial t = { 0 };
	int done = 0, worst = 0;

	if (open_all(w, &p, e) < 0)
		return -1;
	struct trial_ask ask = { p, w->cfg.hooks.exceptions, w->base, w->head,
		false };
	if (trial_run(&t, w->a, &ask, e) < 0)
		return -1;
	if (t.nwrong > 0) {
		struct verdict_show s = { .wrong = t.wrong,
			.nwrong = t.nwrong };
		struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

		verdict_text(&b, &s);
		say(2, &b);
		worst = 1;
	}
	for (uint32_t i = 0; i < t.j.n; i++) {
		if (!named(w, t.j.v[i].m->path))
			continue;
		done++;
		int r = tag_one(w, &t.j.v[i], e);
		if (r < 0)
			return -1;
		worst = r > worst ? r : worst;
	}
	if (done < w->o->nfiles)
		return err_kind(e, ERR_CONFIG, "%d of the files named: no such "
		    "migration is new on top of what is deployed",
		    w->o->nfiles - done);
	return worst;
}

int
main(int argc, char **argv)
{
	prog_start(argv[0]);
	struct opts_tag o = options(argc, argv);
	struct work w = { .a = arena_new(), .o = &o };
	struct err e = ERR_INIT;
	int r = run(&w, &e);

	source_free(w.base);
	source_free(w.head);
	repo_free(w.repo);
	arena_free(w.a);
	fflush(stdout);
	return r < 0 ? trouble(&e) : r;
}

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

#include "base/clock.h"
#include "base/file.h"
#include "base/util.h"
#include "gate/export.h"
#include "gate/range.h"
#include "gate/stage.h"
#include "gate/stageraw.h"
#include "gate/tagline.h"
#include "prog/opts.h"
#include "prog/trial.h"
#include "prog/where.h"

static const char help[] =
    "usage: sluice-tag [--index] [FILE]...\n"
    "       sluice-tag [--index] --safe|--unsafe --because TEXT\n"
    "                  [--delay DURATION] [--repeat] [--reverse WORD] FILE...\n"
    "\n"
    "Writes the tag of each new migration (of FILEs only, if there are any)\n"
    "above its operations:\n"
    "  # sluice: unsafe auto -- ...            what the judgement says\n"
    "  # sluice: safe for=... because \"...\"    what a person says\n"
    "A person's tag holds for the operations it was written for; write it\n"
    "again when they change: the other words of the old one are kept. Where the\n"
    "judgement says otherwise it overrules that, and every plan shows it with\n"
    "its reason.\n"
    "\n"
    "Its grammar:\n"
    "  # sluice: safe|unsafe [for=HASH] [reverse=safe|unsafe|never]\n"
    "            [delay=DURATION] [repeat] [because \"TEXT\"]\n"
    "\n"
    "      --index    in what is staged, and in the file where it is the same\n"
    "      --safe     to be run before the new code is live\n"
    "      --unsafe   to be run after the new code is everywhere\n"
    "      --because TEXT   why; it is shown in every plan\n"
    "      --delay DURATION so long after the new code is everywhere (2h, 1d; 0:\n"
    "                       at once)\n"
    "      --repeat         run once more when no old code is left\n"
    "      --reverse WORD   the phase of its way back: safe, unsafe, or never\n"
    "      --project NAME   where sluice.ini has several\n"
    "  -c, --config FILE\n"
    "  -h, --help\n"
    "\n"
    "Exit: 0 done; 1 no tag fits, and nothing was written for that migration;\n"
    "2 usage or configuration; 3 could not tell or write.\n"
    "\n"
    "Example:\n"
    "  sluice-tag --safe --because 'backfill, can run twice' shop/migrations/0007_fill.py\n";

struct opts_tag {
	bool index;
	const char *because, *project, *config;
	struct tag tag;			/* a person's; its value: none is asked */
	bool delayed;			/* --delay was given */
	char **files;
	int nfiles;
};

struct work {
	struct arena *a;
	struct repo *repo;
	struct config cfg;
	struct source *head;
	const struct range_base *bases;	/* to fit on each */
	uint32_t nbases;
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

static int64_t
delay(const char *s)
{
	int64_t ms = duration_parse(s);

	if (ms < 0)
		usage("--delay takes a duration such as 2h; ");
	return ms;
}

static enum tag_value
way_back(const char *s)
{
	if (streq(s, "safe"))
		return TAG_SAFE;
	if (streq(s, "unsafe"))
		return TAG_UNSAFE;
	if (!streq(s, "never"))
		usage("--reverse takes safe, unsafe or never; ");
	return TAG_NEVER;
}

static void
check(const struct opts_tag *o)
{
	bool person = o->tag.value != TAG_UNSET;

	if (person != (o->because != NULL && *o->because != '\0'))
		usage("a person's tag is --safe or --unsafe with --because; ");
	if (person && o->nfiles == 0)
		usage("a person's tag is for FILEs that are named; ");
	if (!person && (o->delayed || o->tag.repeat ||
	    o->tag.reverse != TAG_UNSET))
		usage("--delay, --repeat and --reverse are a person's, with "
		    "--safe or --unsafe; ");
}

static struct opts_tag
options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "index", no_argument, NULL, 'i' },
		{ "safe", no_argument, NULL, 's' },
		{ "unsafe", no_argument, NULL, 'u' },
		{ "because", required_argument, NULL, 'b' },
		{ "delay", required_argument, NULL, 'd' },
		{ "repeat", no_argument, NULL, 'r' },
		{ "reverse", required_argument, NULL, 'R' },
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
			if (o.tag.value != TAG_UNSET)
				usage("--safe or --unsafe, once; ");
			o.tag.value = c == 's' ? TAG_SAFE : TAG_UNSAFE;
			break;
		case 'd':
			o.tag.delay_ms = delay(optarg);
			o.delayed = true;
			break;
		case 'r': o.tag.repeat = true; break;
		case 'R': o.tag.reverse = way_back(optarg); break;
		case 'b': o.because = optarg; break;
		case 'p': o.project = optarg; break;
		case 'c': o.config = optarg; break;
		case 'h': fputs(help, stdout); exit(0);
		default: usage("");
		}
	o.files = argv + optind;
	o.nfiles = argc - optind;
	check(&o);
	return o;
}

/* Is that path of the tree this FILE? */
static bool
same_file(const struct work *w, const char *path, const char *file)
{
	struct strbuf full STRBUF_SCOPED = STRBUF_INIT;
	char x[PATH_MAX], y[PATH_MAX];

	strbuf_printf(&full, "%s%s", repo_workdir(w->repo), path);
	return realpath(full.s, x) != NULL && realpath(file, y) != NULL &&
	    streq(x, y);
}

/* Is it among the FILEs that were named? */
static bool
named(const struct work *w, const char *path)
{
	for (int i = 0; i < w->o->nfiles; i++)
		if (same_file(w, path, w->o->files[i]))
			return true;
	return w->o->nfiles == 0;
}

static struct staged *
staged(const struct work *w, const char *path)
{
	for (uint32_t i = 0; i < w->nstaged; i++)
		if (streq(w->staged[i].path, path) &&
		    w->staged[i].status != 'D')
			return &w->staged[i];
	return NULL;
}

static int
store(struct work *w, struct staged *f, const char *path,
    const struct strbuf *was, const struct strbuf *now, struct err *e)
{
	struct strbuf full STRBUF_SCOPED = STRBUF_INIT;
	struct stat st;

	if (f != NULL) {
		int r = stage_write(w->repo, w->a, f, was, now, e);
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

/* Why no tag can be written beside this one; false: nothing is in the way. */
static bool
in_the_way(const struct work *w, const struct verdict *v)
{
	const struct migration *m = v->m;

	if (w->o->tag.value != TAG_UNSET) {	/* judged with that tag already */
		if (v->refused != NULL)
			warn("%s: not written: %s", m->path, v->refused);
		return v->refused != NULL;
	}
	if (m->tag.wrong != NULL)
		warn("%s:%u: %s: say --safe or --unsafe anew, or remove it",
		    m->path, m->tag.line, m->tag.wrong);
	return m->tag.wrong != NULL;
}

/* What was asked for; the other words are kept of the tag that it had. */
static void
person(const struct work *w, struct strbuf *line, const struct migration *m)
{
	struct tag t = m->tag;

	if (t.source == TAG_AUTO || t.source == TAG_NONE)
		t = (struct tag){ 0 };
	t.value = w->o->tag.value;
	t.because = w->o->because;
	if (w->o->delayed)
		t.delay_ms = w->o->tag.delay_ms;
	if (w->o->tag.reverse != TAG_UNSET)
		t.reverse = w->o->tag.reverse;
	t.repeat |= w->o->tag.repeat;
	tagline_person(line, m, &t);
}

/* 1: refused as it is, no tag fits. */
static int
tag_one(struct work *w, const struct verdict *v, struct err *e)
{
	struct strbuf tag STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf was STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf now STRBUF_SCOPED = STRBUF_INIT;
	const struct migration *m = v->m;
	struct staged *f = w->o->index ? staged(w, m->path) : NULL;
	int r;

	if (w->o->index && f == NULL)
		return 0;
	if (in_the_way(w, v))
		return 1;
	r = f != NULL ? stage_text(&was, w->repo, f->blob, e) :
	    source_read(w->head, &was, m->path, e);
	if (r < 0)
		return -1;
	if (w->o->tag.value != TAG_UNSET)
		person(w, &tag, m);
	else if (m->tag.source == TAG_NONE || m->tag.source == TAG_AUTO)
		tagline_make(&tag, v);
	if (tag.len > 0) {
		r = tagline_put(&now, &was, m, tag.s, e);
	} else if (m->tag.source == TAG_PERSON) {
		r = tagline_bind(&now, &was, m, e);
	} else if (m->tag.source > TAG_PERSON) {
		r = 0;
	} else {
		warn("%s: no tag fits: %s", m->path, v->refused != NULL ?
			v->refused : forward_name[v->forward]);
		return 1;
	}
	if (r > 0) {
		r = store(w, f, m->path, &was, &now, e);
		strbuf_clean(&path, m->path, strlen(m->path), false);
		if (r == 0)
			printf("%s: %s%s\n", path.s, tag.len > 0 ? tag.s :
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
	w->bases = bases;
	w->nbases = n;
	if (!w->o->index)
		return source_folder(&w->head, repo_workdir(w->repo), e);
	struct strbuf tree STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf raw STRBUF_SCOPED = STRBUF_LIMIT(256u << 20);
	if (stageraw_get(&raw, repo_workdir(w->repo), e) < 0 ||
	    stage_list(&w->staged, &w->nstaged, w->a, &raw, e) < 0 ||
	    export_staged(&tree, w->repo, e) < 0)
		return -1;
	return source_commit(&w->head, w->repo, tree.s, e);
}

/* As if the tag stood there already: what comes of it is for the judgement to
 * say. The line itself is the source's; only where it stands is kept. */
static void
suppose(struct work *w, struct trial *t)
{
	for (uint32_t i = 0; i < t->head.n; i++) {
		struct migration *m = &t->head.v[i];
		struct strbuf line STRBUF_SCOPED = STRBUF_INIT;

		if (!named(w, m->path))
			continue;
		uint32_t at = m->tag.source == TAG_AUTO ||
		    m->tag.source == TAG_PERSON ? m->tag.line : 0;
		person(w, &line, m);
		tag_parse(&m->tag, w->a, line.s, line.len, at);
	}
	ways_judge(&t->j, w->a, &t->ways, &t->settings);
}

static int
judge(struct work *w, const struct cfg_project *p, uint32_t i,
    struct trial *t, struct err *e)
{
	struct trial_ask ask = { .project = p,
		.exceptions = w->cfg.hooks.exceptions, .head = w->head,
		.why = w->bases[i].why, .binds = true };

	if (w->bases[i].commit != NULL &&
	    source_commit(&ask.base, w->repo, w->bases[i].commit, e) < 0)
		return -1;
	int r = trial_run(t, w->a, &ask, e);
	source_free(ask.base);
	if (r == 0 && w->o->tag.value != TAG_UNSET)
		suppose(w, t);
	return r;
}

/* Of the verdicts on top of each that is deployed, the worst. */
static const struct verdict *
worst_of(const struct trial *t, uint32_t n, sym path)
{
	const struct verdict *worst = NULL;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < t[i].j.n; k++) {
			const struct verdict *v = &t[i].j.v[k];

			if (streq(v->m->path, path) && (worst == NULL ||
			    (worst->refused == NULL && (v->refused != NULL ||
			    v->phase > worst->phase))))
				worst = v;
		}
	return worst;
}

static bool
first_seen(const struct trial *t, uint32_t i, sym path)
{
	return worst_of(t, i, path) == NULL;
}

static bool
judged(const struct work *w, const struct trial *t, const char *file)
{
	for (uint32_t i = 0; i < w->nbases; i++)
		for (uint32_t k = 0; k < t[i].j.n; k++)
			if (same_file(w, t[i].j.v[k].m->path, file))
				return true;
	return false;
}

/* Why there is nothing to write into a FILE. */
static void
tell(const struct work *w, const struct trial *t, const char *file)
{
	const char *base = w->bases[0].why;

	for (uint32_t k = 0; k < t->head.n; k++)
		if (same_file(w, t->head.v[k].path, file)) {
			warn("%s: %s has it, its tag is settled", file,
			    base != NULL ? base : "what is deployed");
			return;
		}
	for (uint32_t k = 0; k < t->head.nunread; k++)
		if (same_file(w, t->head.unread[k].path, file))
			return;		/* told already */
	warn("%s: %s", file, file_exists(file) ? "not a migration" :
		"no such file");
}

static int
tag_all(struct work *w, const struct trial *t, struct err *e)
{
	int done = 0, worst = 0;

	for (uint32_t i = 0; i < w->nbases; i++)
		for (uint32_t k = 0; k < t[i].j.n; k++) {
			sym path = t[i].j.v[k].m->path;

			if (!named(w, path) || !first_seen(t, i, path))
				continue;
			done++;
			int r = tag_one(w, worst_of(t, w->nbases, path), e);
			if (r < 0)
				return -1;
			worst = r > worst ? r : worst;
		}
	for (int i = 0; done < w->o->nfiles && i < w->o->nfiles; i++)
		if (!judged(w, t, w->o->files[i])) {
			tell(w, t, w->o->files[i]);
			worst = 2;
		}
	return worst;
}

static int
run(struct work *w, struct err *e)
{
	const struct cfg_project *p = NULL;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	bool wrong = false;

	if (open_all(w, &p, e) < 0)
		return -1;
	struct trial *t = arena_array(w->a, struct trial, w->nbases);
	for (uint32_t i = 0; i < w->nbases; i++) {
		if (judge(w, p, i, &t[i], e) < 0)
			return -1;
		struct verdict_show s = { .wrong = t[i].wrong,
			.nwrong = wrong ? 0 : t[i].nwrong };

		verdict_text(&b, &s);
		wrong |= t[i].nwrong > 0;
	}
	say(2, &b);
	int r = tag_all(w, t, e);
	return r == 0 && wrong ? 1 : r;
}

int
main(int argc, char **argv)
{
	prog_start(argv[0]);
	struct opts_tag o = options(argc, argv);
	struct work w = { .a = arena_new(), .o = &o };
	struct err e = ERR_INIT;
	int r = run(&w, &e);

	source_free(w.head);
	repo_free(w.repo);
	arena_free(w.a);
	fflush(stdout);
	return r < 0 ? trouble(&e) : r;
}

/* A target as it stands: configuration, repository, database, ledger. */
#include "prog/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/file.h"
#include "base/util.h"

#define DJANGO_LTS 502		/* assumed where the configuration is silent */

/* In a bare repository: what git config sluice.config names. */
static int
config_named(struct strbuf *b, const char *gitdir, struct err *e)
{
	char dir[] = "--git-dir", get[] = "config", path[] = "--type=path";
	char key[] = "sluice.config", git[] = "git";
	struct strbuf where STRBUF_SCOPED = STRBUF_INIT;
	int code = 0;

	strbuf_printf(&where, "%s=%s", dir, gitdir);
	char *argv[] = { git, where.s, get, path, key, NULL };
	struct child_spec spec = { .argv = argv, .in = CHILD_NULL,
	    .out = CHILD_PIPE, .err = CHILD_NULL };
	if (child_run(&spec, NULL, 0, b, NULL, 10000, &code, e) < 0)
		return -1;
	if (code != 0)
		strbuf_reset(b);
	while (b->len > 0 && b->s[b->len - 1] == '\n')
		strbuf_cut(b, b->len - 1);
	return 0;
}

static int
config_find(struct strbuf *path, const struct site *s, const struct opts *o,
    struct err *e)
{
	const char *env = getenv("SLUICE_CONFIG");

	if (o->config != NULL || (env != NULL && *env != '\0')) {
		strbuf_str(path, o->config != NULL ? o->config : env);
		return 0;
	}
	if (s->repo == NULL) {
		strbuf_str(path, "sluice.ini");
		return 0;
	}
	if (!repo_bare(s->repo)) {
		strbuf_printf(path, "%ssluice.ini", repo_workdir(s->repo));
		return 0;
	}
	if (config_named(path, repo_gitdir(s->repo), e) < 0)
		return -1;
	if (path->len == 0)
		strbuf_printf(path, "%ssluice.ini", repo_gitdir(s->repo));
	return 0;
}

int
site_config(struct site *s, const struct opts *o, struct err *e)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct err no_repo = ERR_INIT;

	*s = (struct site){ .a = arena_new() };
	if (repo_open(&s->repo, NULL, &no_repo) < 0)
		s->repo = NULL;
	if (config_find(&path, s, o, e) < 0)
		return -1;
	if (!file_exists(path.s))
		return err_kind(e, ERR_CONFIG, "there is no configuration "
		    "'%s': name one with -c, or run sluice-install to have "
		    "one written", path.s);
	if (config_load(&s->cfg, s->a, path.s, e) < 0)
		return -1;
	s->target = config_target(&s->cfg, o->target, e);
	if (s->target == NULL)
		return -1;
	s->project = config_project(&s->cfg, s->target->project, e);
	return s->project == NULL ? -1 : 0;
}

int
site_open(struct site *s, const struct opts *o, bool make, struct err *e)
{
	return site_config(s, o, e) < 0 ? -1 : site_connect(s, make, e);
}

int
site_connect(struct site *s, bool make, struct err *e)
{
	const struct cfg_target *t = s->target;

	if (t->database == NULL)
		return err_kind(e, ERR_CONFIG, "%s: target '%s' has no "
		    "database = …", s->cfg.path, t->name);
	if (pg_open(&s->db, t->database, prog_name(), t->connect_timeout,
	    e) < 0)
		return -1;
	if (make && ledger_open(s->db, t->name, e) < 0)
		return -1;
	int there = make ? 1 : ledger_there(s->db, t->name, e);
	if (there < 0)
		return -1;
	s->ledger = there > 0;
	if (s->ledger && ledger_live(s->db, s->a, t->name, &s->live, e) < 0)
		return -1;
	return 0;
}

static void
settings_fill(struct site *s)
{
	const struct cfg_project *p = s->project;
	struct class_map *map = arena_array(s->a, struct class_map,
	    p->nfields + 1);
	struct settings *w = &s->settings;

	for (uint32_t i = 0; i < p->nfields; i++)
		map[i] = (struct class_map){ p->fields[i].key,
		    p->fields[i].value };
	w->django = p->django != 0 ? p->django : DJANGO_LTS;
	w->server = s->db != NULL ? pg_server(s->db) / 10000 : p->server;
	w->user_model = p->user_model == NULL ? NULL :
	    sym_lower(s->a, p->user_model);
	w->auto_field = p->auto_field;
	w->classes = map;
	w->nclasses = p->nfields;
}

int
site_facts(struct site *s, struct err *e)
{
	settings_fill(s);
	if (catalog_read(&s->have, s->a, s->db, e) < 0 ||
	    catalog_views(&s->settings.views, s->a, s->db, e) < 0 ||
	    catalog_applied(&s->applied, &s->napplied, s->a, s->db, e) < 0)
		return -1;
	s->settings.live = &s->have;
	return 0;
}

static bool
applied_name(const struct site *s, const char *app, const char *name)
{
	for (uint32_t i = 0; i < s->napplied; i++)
		if (streq(s->applied[i].name, name) &&
		    streq(s->applied[i].app, app))
			return true;
	return false;
}

/* A squash counts where all that it replaces has been applied. */
bool
site_applied(const struct site *s, const struct migration *m)
{
	if (applied_name(s, m->app, m->name))
		return true;
	for (uint32_t i = 0; i < m->nreplaces; i++)
		if (!applied_name(s, m->replaces[i].app, m->replaces[i].name))
			return false;
	return m->nreplaces > 0;
}

void
site_close(struct site *s)
{
	pg_free(s->db);
	if (s->repo != NULL)
		repo_free(s->repo);
	if (s->a != NULL)
		arena_free(s->a);
	*s = (struct site){ 0 };
}

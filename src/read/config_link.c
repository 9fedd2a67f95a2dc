#include "read/confparse.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "read/module.h"

static const struct part *
find(const struct parser *p, enum section kind, const char *name)
{
	const struct part *only = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->parts.n; i++) {
		const struct part *t = p->parts.v[i];
		if (t->kind != kind)
			continue;
		if (name != NULL && streq(t->name, name))
			return t;
		only = t;
		n++;
	}
	return name == NULL && n == 1 ? only : NULL;
}

/* A password in a file that is committed is soon everybody's. */
static bool
has_password(const char *conninfo)
{
	const char *at = strstr(conninfo, "://");

	if (strstr(conninfo, "password=") != NULL ||
	    strstr(conninfo, "password =") != NULL)
		return true;
	if (at == NULL)
		return false;
	const char *host = at + 3 + strcspn(at + 3, "/?");
	const char *user = memchr(at + 3, '@', (size_t)(host - at - 3));
	return user != NULL &&
	    memchr(at + 3, ':', (size_t)(user - at - 3)) != NULL;
}

static int
link_target(struct parser *p, const struct part *t, struct cfg_target *o)
{
	p->line = t->line;
	if (o->project != NULL && find(p, S_PROJECT, o->project) == NULL)
		return config_bad(p, "[target %s]: there is no [project %s]",
		    o->name, o->project);
	if (o->project == NULL) {
		const struct part *only = find(p, S_PROJECT, NULL);
		if (only == NULL)
			return config_bad(p, "[target %s] needs 'project = NAME': there "
			    "are several projects", o->name);
		o->project = only->name;
	}
	if (o->database == NULL)
		return config_bad(p, "[target %s] has no 'database' "
		    "(such as: database = host=/run/postgresql dbname=shop)",
		    o->name);
	if (has_password(o->database))
		return config_bad(p, "[target %s]: a password does not belong in "
		    "'database'; use ~/.pgpass or PGPASSFILE", o->name);
	if (o->nhosts > 0 && (o->path == NULL || *o->path != '/'))
		return config_bad(p, "[target %s] needs 'path', the absolute folder "
		    "of its releases on every host", o->name);
	if (o->release_host == NULL)
		return 0;
	for (uint32_t i = 0; i < o->nhosts; i++)
		if (o->hosts[i].name == o->release_host)
			return 0;
	return config_bad(p, "[target %s]: release_host = %s is none of its hosts",
	    o->name, o->release_host);
}

static int
link_host(struct parser *p, const struct part *t, struct cfg_host *h)
{
	const struct part *to = find(p, S_TARGET, h->target);

	p->line = t->line;
	if (to == NULL && h->target == NULL)
		return config_bad(p, "[host %s] needs 'target = NAME'", h->name);
	if (to == NULL)
		return config_bad(p, "[host %s]: there is no [target %s]",
		    h->name, h->target);
	const struct cfg_target *o = to->at;
	h->target = to->name;
	if (h->address == NULL)
		h->address = h->name;
	/* ssh would take such a word for an option */
	if (*h->address == '-' || *h->address == '\0')
		return config_bad(p, "[host %s]: address = %s: not an address",
		    h->name, h->address);
	if (h->path == NULL)
		h->path = o->path;
	else if (*h->path != '/')
		return config_bad(p, "[host %s]: path = %s: not an absolute folder",
		    h->name, h->path);
	if (h->user == NULL)
		h->user = o->user;
	if (h->identity == NULL)
		h->identity = o->identity;
	if (h->known_hosts == NULL)
		h->known_hosts = o->known_hosts;
	if (h->balancer != NULL && strchr(h->balancer, '/') == NULL)
		return config_bad(p, "[host %s]: balancer = %s: must be "
		    "backend/server", h->name, h->balancer);
	if (h->balancer != NULL && o->haproxy == NULL)
		return config_bad(p, "[host %s] has a 'balancer', but [target %s] "
		    "has no 'haproxy'", h->name, o->name);
	return 0;
}

static int
link_hosts(struct parser *p)
{
	for (uint32_t i = 0; i < p->parts.n; i++) {
		struct part *t = p->parts.v[i];
		struct list(struct cfg_host) hosts = { 0 };
		struct cfg_target *o = t->at;

		if (t->kind != S_TARGET)
			continue;
		for (uint32_t k = 0; k < p->parts.n; k++) {
			const struct part *h = p->parts.v[k];
			if (h->kind == S_HOST &&
			    ((struct cfg_host *)h->at)->target == t->name)
				*list_add(p->a, &hosts) = *(struct cfg_host *)h->at;
		}
		o->hosts = hosts.v;
		o->nhosts = hosts.n;
		if (link_target(p, t, o) < 0)
			return -1;
	}
	return 0;
}

struct pairs { struct list(struct cfg_pair) v; };

/* [fields] is for every project, [fields NAME] for one. */
static struct pairs
pairs_of(struct parser *p, enum section kind, sym project)
{
	struct pairs all = { 0 };

	for (uint32_t k = 0; k < p->parts.n; k++) {
		const struct part *f = p->parts.v[k];

		if (f->kind != kind ||
		    (*f->name != '\0' && f->name != project))
			continue;
		for (uint32_t j = 0; j < f->pairs.n; j++)
			*list_add(p->a, &all.v) = f->pairs.v[j];
	}
	return all;
}

static void
link_values(struct parser *p, struct cfg_project *o, const struct pairs *from)
{
	struct cfg_value *v = arena_array(p->a, struct cfg_value,
	    from->v.n + 1);

	for (uint32_t i = 0; i < from->v.n; i++)
		v[i] = (struct cfg_value){ from->v.v[i].key,
		    from->v.v[i].value, given_constant(p->a,
		    from->v.v[i].value) };
	o->values = v;
	o->nvalues = from->v.n;
}

static int
link_pairs(struct parser *p)
{
	static const char *const names[] = { "fields", "operations", "values" };

	for (uint32_t i = 0; i < p->parts.n; i++) {
		const struct part *f = p->parts.v[i];

		if (f->kind < S_FIELDS)
			continue;
		p->line = f->line;
		if (*f->name != '\0' && find(p, S_PROJECT, f->name) == NULL)
			return config_bad(p, "[%s %s]: there is no [project %s]",
			    names[f->kind - S_FIELDS], f->name, f->name);
	}
	for (uint32_t i = 0; i < p->parts.n; i++) {
		const struct part *t = p->parts.v[i];
		struct cfg_project *o = t->at;

		if (t->kind != S_PROJECT)
			continue;
		struct pairs fields = pairs_of(p, S_FIELDS, t->name);
		struct pairs ops = pairs_of(p, S_OPERATIONS, t->name);
		struct pairs values = pairs_of(p, S_VALUES, t->name);
		o->fields = fields.v.v;
		o->nfields = fields.v.n;
		o->operations = ops.v.v;
		o->noperations = ops.v.n;
		link_values(p, o, &values);
	}
	return 0;
}

/* "main:production, next:staging" */
static int
check_deploy(struct parser *p)
{
	const struct part *t = find(p, S_SERVER, NULL);
	const char *s = p->c->server.deploy;

	if (t == NULL || s == NULL)
		return 0;
	p->line = t->line;
	while (*s != '\0') {
		char word[256];
		size_t n = strcspn(s, ",");
		snprintf(word, sizeof(word), "%.*s", (int)n, s);
		char *colon = strrchr(word, ':');
		if (colon == NULL || colon == word || colon[1] == '\0')
			return config_bad(p, "deploy = %s: must be BRANCH:TARGET",
			    word);
		colon[1 + strcspn(colon + 1, " \t")] = '\0';
		if (find(p, S_TARGET, colon + 1) == NULL)
			return config_bad(p, "deploy = %s: there is no [target %s]",
			    word, colon + 1);
		s += n + (s[n] == ',');
	}
	return 0;
}

int
config_link(struct parser *p)
{
	struct list(struct cfg_project) projects = { 0 };
	struct list(struct cfg_target) targets = { 0 };

	for (uint32_t i = 0; i < p->parts.n; i++) {
		struct part *t = p->parts.v[i];
		if (t->kind == S_HOST && link_host(p, t, t->at) < 0)
			return -1;
	}
	if (link_hosts(p) < 0 || link_pairs(p) < 0 || check_deploy(p) < 0)
		return -1;
	for (uint32_t i = 0; i < p->parts.n; i++) {
		const struct part *t = p->parts.v[i];
		if (t->kind == S_PROJECT)
			*list_add(p->a, &projects) = *(struct cfg_project *)t->at;
		if (t->kind == S_TARGET)
			*list_add(p->a, &targets) = *(struct cfg_target *)t->at;
	}
	p->c->projects = projects.v;
	p->c->nprojects = projects.n;
	p->c->targets = targets.v;
	p->c->ntargets = targets.n;
	return 0;
}

const struct cfg_project *
config_project(const struct config *c, const char *name, struct err *e)
{
	if (name == NULL && c->nprojects == 1)
		return &c->projects[0];
	if (name == NULL) {
		err_kind(e, ERR_CONFIG, "%s: several projects; name one",
		    c->path);
		return NULL;
	}
	for (uint32_t i = 0; i < c->nprojects; i++)
		if (streq(c->projects[i].name, name))
			return &c->projects[i];
	err_kind(e, ERR_CONFIG, "%s: there is no [project %s]", c->path, name);
	return NULL;
}

const struct cfg_target *
config_target(const struct config *c, const char *name, struct err *e)
{
	if (name == NULL && c->ntargets == 1)
		return &c->targets[0];
	if (c->ntargets == 0) {
		err_kind(e, ERR_CONFIG, "%s: there is no [target NAME] in it",
		    c->path);
		return NULL;
	}
	if (name == NULL) {
		err_kind(e, ERR_CONFIG, "%s: several targets; name one",
		    c->path);
		return NULL;
	}
	for (uint32_t i = 0; i < c->ntargets; i++)
		if (streq(c->targets[i].name, name))
			return &c->targets[i];
	err_kind(e, ERR_CONFIG, "%s: there is no [target %s]", c->path, name);
	return NULL;
}

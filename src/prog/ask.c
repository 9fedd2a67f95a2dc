/* Questions to hosts and to Django outside the loop. */
#include "prog/go.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "act/django.h"
#include "act/host.h"
#include "base/util.h"

#define FREE_KB_LEAST 102400	/* on a host's disk, beside the release */
#define SKEW_MOST 30		/* seconds */

int
go_third(struct go *g, const char *release, struct source_file **out,
    uint32_t *n, struct err *e)
{
	const struct django_source *v = NULL;
	uint32_t k = 0;

	if (django_sources(&v, &k, &g->d, release, e) < 0)
		return err_wrap(e, "asking Django for third-party apps");
	*out = arena_array(g->s.a, struct source_file, k + 1);
	*n = k;
	for (uint32_t i = 0; i < k; i++)
		(*out)[i] = (struct source_file){ sym_printf(g->s.a,
		    THIRD_PARTY "%s/%s.py", v[i].app, v[i].name), v[i].text,
		    strlen(v[i].text) };
	return 0;
}

struct host_view *
go_views(struct go *g)
{
	const struct cfg_target *t = g->s.target;

	if (g->views != NULL)
		return g->views;
	g->views = arena_array(g->s.a, struct host_view, t->nhosts + 1);
	hosts_view(g->views, g->s.a, g->s.project, t,
	    2 * t->connect_timeout + 10000);
	return g->views;
}

/* A host between two releases serves what its link says, in doubt. */
int
go_hosts(struct go *g, sym **on, uint32_t *down, struct err *e)
{
	const struct cfg_target *t = g->s.target;
	const struct host_view *v = go_views(g);

	(void)e;
	*on = arena_array(g->s.a, sym, t->nhosts + 1);
	*down = 0;
	for (uint32_t i = 0; i < t->nhosts; i++) {
		if (!v[i].reached) {
			warn("%s", v[i].why != NULL ? v[i].why :
			    t->hosts[i].name);
			++*down;
			continue;
		}
		(*on)[i] = v[i].linked == NULL ? sym_get(g->s.a, "") :
		    v[i].linked;
	}
	return 0;
}

/* Before anything is touched; every host's trouble is told. */
int
go_check_hosts(struct go *g, struct err *e)
{
	const struct cfg_target *t = g->s.target;
	const struct host_view *v = go_views(g);
	uint32_t bad = 0, unreached = 0;

	for (uint32_t i = 0; i < t->nhosts; i++) {
		const char *name = t->hosts[i].name;
		if (!v[i].reached) {
			warn("%s", v[i].why != NULL ? v[i].why : name);
			unreached++;
		} else if (v[i].missing != NULL) {
			warn("%s: these programs are missing: %s (flock and "
			    "setsid come with util-linux)", name,
			    v[i].missing);
			bad++;
		} else if (v[i].free_kb >= 0 && v[i].free_kb < FREE_KB_LEAST) {
			warn("%s: only %" PRId64 " MB are free below %s", name,
			    v[i].free_kb / 1024, t->hosts[i].path);
			bad++;
		} else if (llabs(v[i].skew_s) > SKEW_MOST) {
			warn("%s: its clock is off by %" PRId64 " s", name,
			    v[i].skew_s);
		}
	}
	if (unreached > (uint32_t)t->max_failed)
		return err_set(e, "%u of %u hosts cannot be used, so nothing "
		    "was begun; sluice-doctor %s says more", unreached,
		    t->nhosts, t->name);
	if (bad > 0)
		return err_kind(e, ERR_REFUSED, "%u of %u hosts are not ready, "
		    "so nothing was begun", bad, t->nhosts);
	return 0;
}

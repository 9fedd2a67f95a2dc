/* Questions to hosts outside the loop. */
#include "prog/go.h"

#include <string.h>

#include "act/django.h"
#include "base/util.h"

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

int
go_hosts(struct go *g, sym **on, uint32_t *down, struct err *e)
{
	(void)e;
	*on = arena_array(g->s.a, sym, g->s.target->nhosts + 1);
	*down = 0;
	return 0;
}

int
go_check_hosts(struct go *g, struct err *e)
{
	(void)g, (void)e;
	return 0;
}

/* Questions to hosts outside the loop. */
#include "prog/go.h"

#include "base/util.h"

int
go_third(struct go *g, const char *release, struct source_file **out,
    uint32_t *n, struct err *e)
{
	(void)g, (void)release, (void)e;
	*out = NULL;
	*n = 0;
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

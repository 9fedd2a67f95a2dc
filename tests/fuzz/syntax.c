/* Any bytes as Python: what comes out must hang together, and come out the
 * same when the parser is used once more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "read/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Children lie within their parents and do not overlap. */
static void
look(const struct syntax *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct node *n = &s->v[i];
		uint32_t from = n->start;

		if (n->size == 0 || n->size > s->n - i || n->end > s->len ||
		    n->start > n->end || n->line == 0)
			abort();
		for (uint32_t c = node_first(s, i); c != 0;
		    c = node_next(s, i, c)) {
			if (s->v[c].start < from || s->v[c].end > n->end)
				abort();
			from = s->v[c].end;
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct syntax x, y;
	struct err e = ERR_INIT, e2 = ERR_INIT;
	uint32_t line[2];

	int r = syntax_read(&x, a, (const char *)data, size, &line[0], &e);
	int r2 = syntax_read(&y, a, (const char *)data, size, &line[1], &e2);
	bool late = strstr(e.msg, "too long to parse") != NULL ||
	    strstr(e2.msg, "too long to parse") != NULL;
	/* a machine that stood still for seconds is not the parser's fault */
	if (!late && (r != r2 || line[0] != line[1] || x.n != y.n))
		abort();
	if (r == 0)
		look(&x);
	arena_free(a);
	return 0;
}

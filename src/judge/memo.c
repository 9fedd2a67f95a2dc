/* What was asked of two tables, by their pointers: the last ones stay. */
#include "judge/ask.h"

#include "base/util.h"

static struct asked *
place(struct memo *memo, const struct table *want, const struct table *have)
{
	uintptr_t k = (uintptr_t)want / 16 * 31 + (uintptr_t)have / 16;

	return &memo->v[k % countof(memo->v)];
}

bool
memo_find(struct memo *memo, struct findings *f, struct arena *a,
    const struct table *want, const struct table *have)
{
	const struct asked *x = memo == NULL ? NULL : place(memo, want, have);

	if (x == NULL || x->want != want || x->have != have ||
	    (x->mute && !f->mute))
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		*list_add(a, f) = x->v[i];
	return true;
}

void
memo_keep(struct memo *memo, const struct findings *f, uint32_t from,
    struct arena *a, const struct table *want, const struct table *have)
{
	if (memo == NULL)
		return;
	struct asked *x = place(memo, want, have);
	*x = (struct asked){ .want = want, .have = have, .n = f->n - from,
		.mute = f->mute };
	x->v = x->n == 0 ? NULL : arena_copy(a, f->v + from,
	    x->n * sizeof(*x->v));
}

/* Without a transaction every statement counts by itself: between two of them
 * live code meets a schema that is neither the one before nor the one after. */
#include "judge/judging.h"

#include "base/util.h"

#define STATEMENTS 400		/* more than that is not one migration */

/* Statements in the order in which they run: what Django defers comes last. */
struct queued { const struct ddl *d; uint32_t change; };
struct queue { struct queued v[STATEMENTS]; uint32_t n; };

static void
enqueue(struct queue *q, const struct moved *m, bool deferred)
{
	for (uint32_t i = 0; i < m->nchanges; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++) {
			const struct ddl *d = &m->changes[i].fwd.v[k];

			if (d->deferred == deferred && q->n < STATEMENTS)
				q->v[q->n++] = (struct queued){ d, i };
		}
}

static bool
contains(const struct op_list *l, const struct op *op, int depth)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (&l->v[i] == op || (depth < 8 &&
		    (contains(&l->v[i].db, op, depth + 1) ||
		    contains(&l->v[i].state, op, depth + 1))))
			return true;
	return false;
}

uint32_t
operation_number(const struct moved *m, uint32_t change)
{
	const struct op *op = m->changes[change].op;

	for (uint32_t i = 0; i < m->m->ops.n; i++) {
		const struct op *o = &m->m->ops.v[i];

		if (o == op || contains(&o->db, op, 0) ||
		    contains(&o->state, op, 0))
			return i + 1;
	}
	return change + 1;
}

/* "between operation 2 and 3", "within operation 2" */
static sym
instant(struct arena *a, const struct moved *m, const struct queue *q,
    uint32_t i)
{
	uint32_t x = operation_number(m, q->v[i].change);
	uint32_t y = operation_number(m, q->v[i + 1].change);

	if (q->v[i + 1].d->deferred && !q->v[i].d->deferred)
		return sym_printf(a, "after operation %u, before what Django "
		    "leaves to the end", x);
	return x == y ? sym_printf(a, "within operation %u", x) :
	    sym_printf(a, "between operation %u and %u", x, y);
}

static void
add_new(struct judging *j, struct findings *to, struct findings *more,
    sym when)
{
	for (uint32_t i = 0; i < more->n; i++) {
		struct reason r = more->v[i];

		r.text = sym_printf(j->a, "%s, %s (they are not one "
		    "transaction)", r.text, when);
		reason_add(j, to, &r);
	}
}

void
midway(struct judging *j, struct square *s)
{
	struct queue *q = arena_make(j->a, struct queue);
	struct vec now = s->before, without = s->without;

	enqueue(q, s->m, false);
	enqueue(q, s->m, true);
	for (uint32_t i = 0; i + 1 < q->n; i++) {
		struct vec was = now;
		sym missing = NULL;

		schema_apply(j->a, &now, q->v[i].d, &missing);
		schema_apply(j->a, &without, q->v[i].d, &missing);
		if (was.v == now.v || q->v[i + 1].d->joined)
			continue;
		sym when = instant(j->a, s->m, q, i);
		struct findings a = reasons_old(j, &s->before, &now);
		struct findings b = reasons_new(j, &s->with, &without);

		findings_minus(&a, &s->a);
		findings_minus(&b, &s->b);
		add_new(j, &s->a, &a, when);
		add_new(j, &s->b, &b, when);
	}
}

#include "judge/ways.h"

#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"
#include "judge/judging.h"

#define WAYS_MOST (2u << WAYS_CONDS)

struct conditions { const struct condition **v; uint32_t n, cap; };

static bool
among(const struct conditions *c, sym id)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (streq(c->v[i]->id, id))
			return true;
	return false;
}

static void
collect(struct arena *a, struct conditions *c, const struct migration *m)
{
	for (uint32_t i = 0; i < m->nconds; i++)
		if (!among(c, m->conds[i].id))
			*list_add(a, c) = &m->conds[i];
}

static bool
any_conditions(const struct migration *const *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i]->nconds > 0)
			return true;
	return false;
}

/* The first way is that where all hold; `alone`: how many are taken each by
 * itself, the others go together. */
static void
choose(struct way *w, struct arena *a, uint32_t way,
    const struct conditions *all, uint32_t alone)
{
	struct choice *v = arena_array(a, struct choice, all->n + 1);

	for (uint32_t i = 0; i < all->n; i++) {
		uint32_t bit = i < alone ? i : alone;
		v[w->nchoices++] = (struct choice){ all->v[i]->id,
			all->v[i]->text, (way >> bit & 1) == 0 };
	}
	w->choices = v;
}

static struct settings
chosen(const struct settings *s, const struct way *w)
{
	struct settings n = *s;

	n.choices = w->choices;
	n.nchoices = w->nchoices;
	return n;
}

static void
replay(struct way *w, struct arena *a, const struct ways_ask *ask,
    const struct way *first)
{
	struct settings s = chosen(ask->s, w);
	struct world old = { 0 };

	if (first != NULL && !any_conditions(ask->base, ask->nbase))
		w->before = first->before;
	else
		replay_end(&w->before, a, ask->base, ask->nbase, &s);
	for (const struct by_hand *h = ask->have == NULL || (first != NULL &&
	    w->before.by_hand == first->before.by_hand) ? NULL : s.views;
	    h != NULL; h = h->next)
		w->before.by_hand = by_hand_live(a, w->before.by_hand, h->name,
		    h->text);
	if (ask->have != NULL)
		w->before.have = *ask->have;
	replay_from(&w->after, a, &w->before, ask->pending, ask->npending,
	    &s);
	if (ask->old == NULL && !ask->first)
		old = w->before;
	else if (ask->old != NULL && first != NULL &&
	    !any_conditions(ask->old->order, ask->old->n))
		old = first->release.old;
	else if (ask->old != NULL)
		replay_end(&old, a, ask->old->order, ask->old->n, &s);
	old.have = w->before.have;
	const struct moved **v = arena_alloc(a, ask->npending + 1, sizeof(*v));
	for (uint32_t i = 0; i < ask->npending; i++)
		v[i] = &w->after.v[i];
	w->release = (struct release){ .old = old, .new = w->after.end,
		.v = v, .n = ask->npending, .graph = ask->graph,
		.others = ask->others, .nothers = ask->nothers };
}

void
ways_make(struct ways *out, struct arena *a, const struct ways_ask *ask)
{
	struct conditions all = { 0 };

	for (uint32_t i = 0; i < ask->npending; i++)
		collect(a, &all, ask->pending[i]);
	uint32_t alone = all.n;
	for (uint32_t i = 0; i < ask->nbase; i++)
		collect(a, &all, ask->base[i]);
	for (uint32_t i = 0; ask->old != NULL && i < ask->old->n; i++)
		collect(a, &all, ask->old->order[i]);
	bool over = alone > WAYS_CONDS;
	out->open = over;
	out->n = over ? 1 : 1u << alone << (all.n > alone);
	out->v = arena_array(a, struct way, out->n);
	out->two = over && ask->each ? arena_array(a, struct way, 2) : NULL;
	for (uint32_t i = 0; i < out->n; i++) {
		if (!over)
			choose(&out->v[i], a, i, &all, alone);
		replay(&out->v[i], a, ask, i > 0 ? &out->v[0] : NULL);
	}
	for (uint32_t i = 0; out->two != NULL && i < 2; i++) {
		choose(&out->two[i], a, i, &all, 0);
		replay(&out->two[i], a, ask, NULL);
	}
}

void
ways_alone(struct ways *out, struct arena *a, const struct ways *w,
    uint32_t which)
{
	bool two = w->two != NULL &&
	    w->v->release.v[which]->m->nconds <= 1;

	out->n = two ? 2 : w->n;
	out->v = arena_copy(a, two ? w->two : w->v, out->n * sizeof(*w->v));
	out->two = NULL;
	for (uint32_t i = 0; i < out->n; i++) {
		struct release *r = &out->v[i].release;
		const struct moved *m = r->v[which];

		r->old = m->before;
		r->new = m->after;
		r->v += which;
		r->n = 1;
	}
}

/* ---- one judgement of all ---- */

struct merging {
	struct arena *a;
	const struct ways *w;
	const struct judgement *all;	/* one for each way */
	uint32_t k;			/* the migration */
};

static bool
own(const struct merging *g, uint32_t choice)
{
	const struct migration *m = g->all[0].v[g->k].m;

	for (uint32_t i = 0; i < m->nconds; i++)
		if (streq(m->conds[i].id, g->w->v->choices[choice].id))
			return true;
	return false;
}

/* The ways in which a choice is so. */
static uint32_t
ways_of(const struct merging *g, uint32_t choice, bool holds)
{
	uint32_t in = 0;

	for (uint32_t i = 0; i < g->w->n; i++)
		if (g->w->v[i].choices[choice].holds == holds)
			in |= 1u << i;
	return in;
}

/* In words: in which of the ways, if not in all. The file's own conditions are
 * what people look for. */
static sym
when(const struct merging *g, uint32_t in)
{
	const struct way *w = g->w->v;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	uint32_t first = 0;

	for (uint32_t x = 0; x < 4 * w->nchoices; x++) {
		uint32_t c = x / 2 % w->nchoices;
		bool others = x / 2 >= w->nchoices, holds = x % 2 == 0;
		if (own(g, c) != others && ways_of(g, c, holds) == in)
			return sym_printf(g->a, "if %s is %s: ",
			    w->choices[c].text, holds ? "true" : "false");
	}
	while ((in >> first & 1) == 0)
		first++;
	for (uint32_t c = 0; c < w->nchoices && c <= WAYS_CONDS; c++)
		strbuf_printf(&b, "%s %s is %s", c > 0 ? " and" : "if",
		    w[first].choices[c].text,
		    w[first].choices[c].holds ? "true" : "false");
	strbuf_str(&b, ": ");
	return sym_get(g->a, b.s);
}

/* Lists of findings of all kinds are put together in the same way. */
struct kind {
	size_t size, list, count, text;	/* text NO_TEXT: it has none */
	bool (*same)(const void *x, const void *y);
};
#define NO_TEXT SIZE_MAX

static bool
same_reason(const void *p, const void *q)
{
	const struct reason *x = p, *y = q;

	return x->kind == y->kind && x->degree == y->degree &&
	    streq(x->table, y->table) && streq(x->column, y->column) &&
	    streq(x->text, y->text);
}

static bool
same_hazard(const void *p, const void *q)
{
	const struct hazard *x = p, *y = q;

	return streq(x->table, y->table) && streq(x->lock, y->lock) &&
	    x->scan == y->scan && x->rewrite == y->rewrite &&
	    x->build == y->build && x->update == y->update &&
	    streq(x->code, y->code) && streq(x->text, y->text) &&
	    x->line == y->line;
}

static bool
same_fix(const void *p, const void *q)
{
	const struct fix *x = p, *y = q;

	return streq(x->title, y->title) && streq(x->code, y->code);
}

static bool
same_rows(const void *p, const void *q)
{
	const struct precondition *x = p, *y = q;

	return x->kind == y->kind && streq(x->table, y->table) &&
	    streq(x->name, y->name) && streq(x->query, y->query) &&
	    x->old_code_violates == y->old_code_violates;
}

static bool
same_part(const void *p, const void *q)
{
	const struct opaque_part *x = p, *y = q;

	return x->why == y->why && x->line == y->line &&
	    streq(x->text, y->text);
}

#define AT(list, n) offsetof(struct verdict, list), offsetof(struct verdict, n)
static const struct kind kinds[] = {
	{ sizeof(struct reason), AT(a.v, a.n), offsetof(struct reason, text), same_reason },
	{ sizeof(struct reason), AT(b.v, b.n), offsetof(struct reason, text), same_reason },
	{ sizeof(struct reason), AT(never.v, never.n), offsetof(struct reason, text), same_reason },
	{ sizeof(struct hazard), AT(hazards, nhazards), offsetof(struct hazard, text), same_hazard },
	{ sizeof(struct hazard), AT(back, nback), offsetof(struct hazard, text), same_hazard },
	{ sizeof(struct fix), AT(fixes, nfixes), offsetof(struct fix, title), same_fix },
	{ sizeof(struct precondition), AT(rows, nrows), NO_TEXT, same_rows },
	{ sizeof(struct opaque_part), AT(parts, nparts), offsetof(struct opaque_part, text), same_part },
};

static void
get(const struct verdict *v, const struct kind *k, const char **list,
    uint32_t *n)
{
	memcpy(list, (const char *)v + k->list, sizeof(*list));
	memcpy(n, (const char *)v + k->count, sizeof(*n));
}

static void
unite(const struct merging *g, struct verdict *to, const struct kind *k)
{
	uint32_t most = 0, n = 0;
	const char *list;

	for (uint32_t i = 0; i < g->w->n; i++) {
		uint32_t more;
		get(&g->all[i].v[g->k], k, &list, &more);
		most += more;
	}
	char *out = arena_alloc(g->a, most + 1, k->size);
	uint32_t *in = arena_array(g->a, uint32_t, most + 1);
	for (uint32_t i = 0; i < g->w->n; i++) {
		uint32_t more;
		get(&g->all[i].v[g->k], k, &list, &more);
		for (uint32_t x = 0; x < more; x++) {
			const char *one = list + x * k->size;
			uint32_t y = 0;
			while (y < n && !k->same(out + y * k->size, one))
				y++;
			if (y == n)
				memcpy(out + n++ * k->size, one, k->size);
			in[y] |= 1u << i;
		}
	}
	for (uint32_t y = 0; y < n && k->text != NO_TEXT; y++) {
		sym text;
		char *at = out + y * k->size + k->text;
		memcpy(&text, at, sizeof(text));
		if (text == NULL || in[y] == (1u << g->w->n) - 1)
			continue;
		text = sym_printf(g->a, "%s%s", when(g, in[y]), text);
		memcpy(at, &text, sizeof(text));
	}
	memcpy((char *)to + k->list, &out, sizeof(out));
	memcpy((char *)to + k->count, &n, sizeof(n));
}

/* The texts that some ways have, each with its condition. */
static sym
say(const struct merging *g, size_t at)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	sym texts[WAYS_MOST];

	for (uint32_t i = 0; i < g->w->n; i++)
		memcpy(&texts[i], (const char *)&g->all[i].v[g->k] + at,
		    sizeof(*texts));
	for (uint32_t i = 0; i < g->w->n; i++) {
		uint32_t in = 0, before = 0;
		for (uint32_t k = 0; k < g->w->n; k++)
			if (streq(texts[k], texts[i]))
				in |= 1u << k;
		before = in & ((1u << i) - 1);
		if (texts[i] == NULL || before != 0)
			continue;
		if (in == (1u << g->w->n) - 1)
			return texts[i];
		strbuf_printf(&b, "%s%s%s", b.len > 0 ? "; " : "",
		    when(g, in), texts[i]);
	}
	return b.len > 0 ? sym_get(g->a, b.s) : NULL;
}

/* What is refused in some ways only: those may not be real. */
static void
stops(const struct merging *g, struct verdict *v)
{
	bool all = true;

	for (uint32_t i = 0; i < g->w->n; i++)
		all &= g->all[i].v[g->k].stops != NULL;
	v->stops = NULL;
	sym text = say(g, offsetof(struct verdict, stops));
	if (all)
		v->stops = text;
	v->opaque |= text != NULL && !all;
	if (all || text == NULL || v->nparts > 0)
		return;
	struct opaque_part *parts = arena_array(g->a, struct opaque_part,
	    v->nparts + 1);
	if (v->nparts > 0)
		memcpy(parts, v->parts, v->nparts * sizeof(*parts));
	parts[v->nparts++] = (struct opaque_part){ OPAQUE_STATE, text, 0 };
	v->parts = parts;
}

static void
merge(const struct merging *g, struct verdict *v, bool first)
{
	*v = g->all[0].v[g->k];
	for (size_t i = 0; i < countof(kinds); i++)
		unite(g, v, &kinds[i]);
	for (uint32_t i = 1; i < g->w->n; i++) {
		const struct verdict *x = &g->all[i].v[g->k];
		v->opaque |= x->opaque;
		v->removes |= x->removes;
		v->irreversible |= x->irreversible;
	}
	v->loses = say(g, offsetof(struct verdict, loses));
	v->fails = v->irreversible ? NULL :
	    say(g, offsetof(struct verdict, fails));
	v->drops = say(g, offsetof(struct verdict, drops));
	stops(g, v);
	v->da = findings_worst(&v->a);
	v->db = findings_worst(&v->b);
	v->a.cap = v->a.n;
	v->b.cap = v->b.n;
	v->never.cap = v->never.n;
	v->forward = forward_of(v, first);
}

void
ways_judge(struct judgement *out, struct arena *a, const struct ways *w,
    const struct settings *s)
{
	struct judgement all[WAYS_MOST] = { { 0 } };
	struct judging js[WAYS_MOST];
	struct settings set[WAYS_MOST];
	struct merging g = { .a = a, .w = w, .all = all };
	bool first = true;

	for (uint32_t i = 0; i < w->n; i++) {
		set[i] = chosen(s, &w->v[i]);
		js[i] = (struct judging){ .a = a, .r = &w->v[i].release,
			.s = &set[i], .out = &all[i] };
		judge_corners(&js[i]);
		first &= js[i].first;
	}
	*out = all[0];
	js[0].out = out;
	js[0].first = first;
	if (w->n > 1) {
		out->v = arena_array(a, struct verdict, out->n + 1);
		for (g.k = 0; g.k < out->n; g.k++)
			merge(&g, &out->v[g.k], first);
	}
	for (uint32_t i = 1; i < w->n; i++) {
		struct findings more = all[i].never;
		findings_minus(&more, &out->never);
		for (uint32_t x = 0; x < more.n; x++)
			reason_add(&js[0], &out->never, &more.v[x]);
	}
	phases(&js[0]);
}

/* From corners and tags to the phase of each migration: what must go before
 * the roll, what after it, and what stands between. */
#include "judge/judging.h"

#include <string.h>

#include "base/strbuf.h"
#include "base/util.h"

static bool
settled(const struct verdict *v)
{
	return v->phase == FWD_SAFE || v->phase == FWD_UNSAFE;
}

static bool
by_person(const struct tag *t)
{
	return t->source != TAG_NONE && t->source != TAG_AUTO;
}

/* A tag that was written for other operations says nothing about these. */
static bool
stale(const struct migration *m)
{
	return m->tag.bound != NULL &&
	    !starts_with(m->bound, m->tag.bound);
}

/* The line that writes such a tag, to be pasted. */
static sym
command(struct arena *a, const struct migration *m, const char *word,
    const char *because)
{
	return sym_printf(a, "sluice tag --%s --because %s %s", word,
	    because == NULL ? "'WHY'" : sym_word(a, because),
	    sym_word(a, m->path != NULL ? m->path : m->name));
}

static sym
opaque_text(const struct judging *j, uint32_t k)
{
	const struct verdict *v = &j->out->v[k];
	const char *path = v->m->path != NULL ? v->m->path : v->m->name;

	if (v->nparts == 0)
		return NULL;
	return sym_printf(j->a, "%s:%u: %s: a person must say which phase it "
	    "is for\nif it fits the running code too:  %s\nonly after the new "
	    "code:  %s", path, v->parts[0].line, v->parts[0].text,
	    command(j->a, v->m, "safe", NULL),
	    command(j->a, v->m, "unsafe", NULL));
}

static sym
refusal(const struct judging *j, uint32_t k)
{
	const struct verdict *v = &j->out->v[k];
	const struct reason *no = NULL;

	switch (v->forward) {
	case FWD_SPLIT:
		return sym_printf(j->a, "fits in no phase of one release: "
		    "before the roll, %s; after it, %s", findings_first(&v->a)->text,
		    findings_first(&v->b)->text);
	case FWD_NEVER:
		never_worst(v, &no);
		return sym_printf(j->a, "fits in no order: %s", no->text);
	case FWD_OPAQUE:
		return opaque_text(j, k);
	default:
		return NULL;
	}
}

/* The degree that stands against a phase. */
static enum degree
against(const struct verdict *v, enum forward phase)
{
	const struct reason *r = NULL;
	enum degree d = never_worst(v, &r);
	enum degree corner = phase == FWD_SAFE ? v->da : v->db;

	return corner > d ? corner : d;
}

static sym
reason_against(const struct verdict *v, enum forward phase)
{
	const struct reason *r = NULL;

	if (never_worst(v, &r) < DEGREE_MAY)
		r = findings_first(phase == FWD_SAFE ? &v->a : &v->b);
	return r == NULL ? "" : r->text;
}

/* A person decides freely where both corners hold; else a tag is an overrule
 * and needs its reason, and what breaks outright is not overruled. */
static void
obey(struct judging *j, struct verdict *v)
{
	const struct tag *t = &v->m->tag;
	enum forward phase = t->value == TAG_SAFE ? FWD_SAFE : FWD_UNSAFE;
	enum degree d = against(v, phase);

	if (t->value == TAG_NEVER) {
		v->refused = sym_printf(j->a, "its tag says 'never'%s%s",
		    t->because == NULL ? "" : ": ",
		    t->because == NULL ? "" : t->because);
		return;
	}
	v->phase = phase;
	v->unbound = t->source == TAG_PERSON && t->bound == NULL &&
	    (v->opaque || d >= DEGREE_MAY);
	if (d < DEGREE_MAY)
		return;
	if (d == DEGREE_BREAKS) {
		v->phase = v->forward;
		v->refused = sym_printf(j->a, "its tag says '%s', but %s: that "
		    "breaks every such request, and no tag overrules it",
		    forward_name[phase], reason_against(v, phase));
	} else if (t->because == NULL) {
		v->phase = v->forward;
		v->refused = sym_printf(j->a, "its tag says '%s' against the "
		    "verdict '%s' (%s): an overrule needs its reason: because "
		    "\"…\"", forward_name[phase], forward_name[v->forward],
		    reason_against(v, phase));
	} else {
		v->overruled = t->because;
	}
}

/* What PostgreSQL or Django refuses as it is written; NULL: nothing. */
static sym
cannot_run(const struct verdict *v)
{
	for (uint32_t i = 0; i < v->nhazards; i++)
		if (streq(v->hazards[i].code, "concurrently-in-transaction"))
			return v->hazards[i].text;
	return NULL;
}

static sym
wrong_text(const struct judging *j, const struct migration *m)
{
	const struct tag *t = &m->tag;

	if (!stale(m) || (t->value != TAG_SAFE && t->value != TAG_UNSAFE))
		return sym_printf(j->a, "its tag is wrong: %s", t->wrong);
	return sym_printf(j->a, "its tag is wrong: %s\nif it holds for them "
	    "too:  %s", t->wrong, command(j->a, m, t->value == TAG_SAFE ?
	    "safe" : "unsafe", t->because));
}

static void
decide(struct judging *j, uint32_t k)
{
	struct verdict *v = &j->out->v[k];
	const struct tag *t = &v->m->tag;

	v->phase = v->forward;
	if (v->stops != NULL)		/* no tag makes it run */
		v->refused = v->stops;
	else if (t->wrong != NULL)
		v->refused = wrong_text(j, v->m);
	else if (j->first)
		v->phase = FWD_SAFE;
	else if (by_person(t) && !stale(v->m) && t->value != TAG_UNSET)
		obey(j, v);
	else
		v->refused = refusal(j, k);
	if (v->refused == NULL)
		v->refused = cannot_run(v);
}

/* What must go before takes along what it needs; what must go after, what
 * needs it. */
static void
pull(struct judging *j, uint32_t k)
{
	struct verdict *v = j->out->v;

	for (uint32_t i = 0; i < j->n; i++) {
		if (v[i].phase != FWD_EITHER || i == k)
			continue;
		if ((v[k].phase == FWD_SAFE && pending_needs(j, k, i)) ||
		    (v[k].phase == FWD_UNSAFE && pending_needs(j, i, k))) {
			v[i].phase = v[k].phase;
			v[i].pulled = sym_printf(j->a, v[k].phase == FWD_SAFE ?
			    "before %s.%s, which is safe and needs it" :
			    "after %s.%s, which is unsafe", v[k].m->app,
			    v[k].m->name);
		}
	}
}

/* Notes decide first: they are of rows that the other release writes during
 * the roll. Then what removes goes after, what adds before. */
static enum forward
lean(const struct verdict *v)
{
	if (v->drops != NULL)	/* gone for good: not before the roll went well */
		return FWD_UNSAFE;
	if (v->da > v->db)
		return FWD_UNSAFE;
	if (v->db > v->da)
		return FWD_SAFE;
	return v->removes ? FWD_UNSAFE : FWD_SAFE;
}

static void
settle(struct judging *j)
{
	struct verdict *v = j->out->v;

	for (uint32_t k = 0; k < j->n; k++)
		if (settled(&v[k]))
			pull(j, k);
	for (uint32_t k = 0; k < j->n; k++) {
		if (v[k].phase != FWD_EITHER)
			continue;
		v[k].phase = lean(&v[k]);
		pull(j, k);
	}
}

static void
conflicts(struct judging *j)
{
	struct verdict *v = j->out->v;

	for (uint32_t k = 0; k < j->n; k++)
		for (uint32_t i = 0; i < k && v[k].refused == NULL; i++) {
			if (v[k].phase != FWD_SAFE ||
			    v[i].phase != FWD_UNSAFE ||
			    !pending_needs(j, k, i))
				continue;
			v[k].refused = sym_printf(j->a, "must run before the "
			    "new code, but it needs %s.%s, which may run only "
			    "after it: let %s.%s go out in a release of its "
			    "own first, or depend on this one", v[i].m->app,
			    v[i].m->name, v[i].m->app, v[i].m->name);
		}
}

static enum forward
way_back(const struct verdict *v)
{
	const struct tag *t = &v->m->tag;

	if (by_person(t) && !stale(v->m) && t->reverse == TAG_SAFE)
		return FWD_SAFE;
	if (by_person(t) && !stale(v->m) && t->reverse == TAG_UNSAFE)
		return FWD_UNSAFE;
	return v->phase;
}

void
phases(struct judging *j)
{
	for (uint32_t k = 0; k < j->n; k++)
		decide(j, k);
	settle(j);
	conflicts(j);
	j->out->fine = true;
	for (uint32_t k = 0; k < j->n; k++) {
		struct verdict *v = &j->out->v[k];

		v->reverse = way_back(v);
		if (v->refused != NULL || !settled(v))
			j->out->fine = false;
	}
}

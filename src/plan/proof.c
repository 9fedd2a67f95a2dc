/* The proof: at every instant of a plan each release that may be live runs
 * on the schema that may then be there. Within a wave lanes are side by side,
 * so each of its releases meets each of its schemas. */
#include "plan/build.h"

#include <stdarg.h>
#include <string.h>

#include "base/util.h"

struct proof {
	struct plan *p;
	struct arena *a;
	const struct plan_facts *f;
	const struct release *r;
	const struct settings *s;
	uint32_t *applied;	/* indexes into r->v, in the order of applying */
	uint32_t napplied;
	struct vec have;
	sym *on;		/* release on each host */
	struct list(struct plan_note) notes;
	uint32_t violations;
	const struct step *now;
};

static void __attribute__((format(printf, 3, 4)))
note(struct proof *x, int kind, const char *fmt, ...)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	for (uint32_t i = 0; i < x->notes.n; i++)
		if (strcmp(x->notes.v[i].text, text.s) == 0)
			return;
	struct plan_note *n = list_add(x->a, &x->notes);
	n->kind = (unsigned)kind;
	n->text = sym_get(x->a, text.s);
	x->violations += kind == NOTE_REFUSE;
}

static void
schema(struct proof *x)
{
	x->have = x->r->old.have;
	for (uint32_t i = 0; i < x->napplied; i++)
		schema_fold(x->a, &x->have, x->r->v[x->applied[i]]);
}

static uint32_t
pending(const struct proof *x, sym key)
{
	for (uint32_t i = 0; i < x->r->n; i++)
		if (streq(migration_key(x->a, x->r->v[i]->m), key))
			return i;
	return UINT32_MAX;
}

static void
apply(struct proof *x, uint32_t k)
{
	x->applied[x->napplied++] = k;
}

static void
unapply(struct proof *x, uint32_t k)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < x->napplied; i++)
		if (x->applied[i] != k)
			x->applied[kept++] = x->applied[i];
	x->napplied = kept;
}

static const struct vec *
code_of(const struct proof *x, sym release)
{
	if (streq(release, x->f->to))
		return &x->r->new.want;
	if (streq(release, x->f->from))
		return &x->r->old.want;
	for (uint32_t i = 0; i < x->r->nothers; i++)
		if (streq(x->r->others[i].id, release))
			return &x->r->others[i].want;
	return NULL;
}

/* A person has said of this very reason that it may be so. */
static bool
overruled(const struct proof *x, const struct reason *r)
{
	const struct judgement *j = x->f->judged;

	for (uint32_t i = 0; j != NULL && i < j->n; i++)
		if (j->v[i].overruled != NULL &&
		    (findings_has(&j->v[i].a, r) ||
		    findings_has(&j->v[i].b, r) ||
		    findings_has(&j->v[i].never, r)))
			return true;
	return false;
}

static void
meet(struct proof *x, sym release)
{
	const struct vec *want = code_of(x, release);
	struct findings f = { 0 }, base = { 0 };

	if (release == NULL || release[0] == '\0')
		return;
	if (want == NULL) {
		note(x, NOTE_REFUSE, "release '%s' is still served, and its "
		    "code is not known here: nobody can say whether it runs on "
		    "the schema", release);
		return;
	}
	runs_on(&f, x->a, want, &x->have, NULL, x->s);
	runs_on(&base, x->a, streq(release, x->f->to) ? &x->r->old.want : want,
	    &x->r->old.have, NULL, x->s);
	findings_minus(&f, &base);
	/* decided there, where there is a migration to answer for it: an old
	 * commit brings none */
	if (streq(release, x->f->to) && x->f->judged != NULL &&
	    x->f->judged->n > 0)
		findings_minus(&f, &x->f->judged->never);
	findings_soften(&f, &x->r->old.have, &x->have);
	findings_distrust(&f, &x->r->old.have, &x->have);
	for (uint32_t i = 0; i < f.n; i++) {
		if (f.v[i].degree < DEGREE_MAY)
			continue;
		note(x, overruled(x, &f.v[i]) ? NOTE_WARN : NOTE_REFUSE,
		    "at step %u (%s %s) release '%s' is live, and it %s",
		    x->now == NULL ? 0 : x->now->seq,
		    x->now == NULL ? "start" : x->now->subject,
		    x->now == NULL ? "" : x->now->want, release, f.v[i].text);
	}
}

/* All that may be live between the first and the last row of a wave. */
static void
instant(struct proof *x, const struct step *from, const struct step *end)
{
	for (uint32_t h = 0; h < x->f->nhosts; h++) {
		bool seen = false;

		for (uint32_t i = 0; !seen && i < h; i++)
			seen = streq(x->on[i], x->on[h]);
		if (!seen)
			meet(x, x->on[h]);
	}
	for (const struct step *s = from; s < end; s++)
		if (s->kind == STEP_CURRENT) {
			meet(x, s->want);
			break;
		}
	if (x->f->nhosts == 0)
		meet(x, streq(from->phase, "unsafe") ? x->f->to : x->f->from);
}

static void
wave(struct proof *x, const struct step *from, const struct step *end)
{
	bool changes = false;

	for (const struct step *s = from; s < end; s++) {
		uint32_t k = s->kind == STEP_MIGRATION ?
		    pending(x, s->subject) : UINT32_MAX;

		if (s->kind == STEP_CURRENT)
			changes = true;
		if (k == UINT32_MAX || streq(s->want, "repeated"))
			continue;
		if (streq(s->want, "applied"))
			apply(x, k);
		else
			unapply(x, k);
		schema(x);
		x->now = s;
		instant(x, from, end);
	}
	if (!changes)
		return;
	x->now = from;
	instant(x, from, end);
	for (const struct step *s = from; s < end; s++)
		for (uint32_t h = 0; h < x->f->nhosts; h++)
			if (s->kind == STEP_CURRENT &&
			    streq(s->lane, x->f->hosts[h]))
				x->on[h] = s->want;
}

static void
begin(struct proof *x)
{
	x->applied = arena_array(x->a, uint32_t, x->r->n + x->p->n +
	    x->p->nstart_applied + 1);
	x->on = arena_array(x->a, sym, x->f->nhosts + 1);
	for (uint32_t h = 0; h < x->f->nhosts; h++)
		x->on[h] = x->p->start_on == NULL ? x->p->from :
		    x->p->start_on[h];
	for (uint32_t i = 0; i < x->p->nstart_applied; i++) {
		uint32_t k = pending(x, x->p->start_applied[i]);

		if (k != UINT32_MAX)
			apply(x, k);
	}
	schema(x);
}

uint32_t
plan_prove(struct plan *p, struct arena *a, const struct plan_facts *f,
    const struct release *r, const struct settings *s)
{
	struct proof x = { .p = p, .a = a, .f = f, .r = r, .s = s };

	begin(&x);
	for (uint32_t i = 0; i < p->nnotes; i++)
		*list_add(a, &x.notes) = p->notes[i];
	for (uint32_t i = 0, end; i < p->n; i = end) {
		for (end = i; end < p->n && p->steps[end].wave ==
		    p->steps[i].wave; end++)
			;
		wave(&x, &p->steps[i], &p->steps[end]);
	}
	p->notes = x.notes.v;
	p->nnotes = x.notes.n;
	return x.violations;
}

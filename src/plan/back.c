/* The way back: computed from the rows that are done and nothing else. */
#include "plan/build.h"

#include <string.h>

#include "base/util.h"

struct undo {			/* a migration that the deploy has applied */
	sym key;
	const struct verdict *v;
	enum forward phase;	/* of its reverse, as in struct verdict */
	bool kept;		/* stays applied */
	const struct halfway *halfway;	/* NULL: it is applied as a whole */
};

struct back {
	struct build b;
	const struct plan_done *d;
	struct list(struct undo) undo;	/* oldest first */
};

enum need { NEED_NOTHING, NEED_READY, NEED_ALL };

static bool
touched(const struct step *s)
{
	return s->status == STEP_DOING || s->status == STEP_DONE ||
	    s->status == STEP_FAILED;
}

static bool
happened(const struct step *s)
{
	return s->status == STEP_DOING || s->status == STEP_DONE;
}

static bool
any_touched(const struct plan_done *d, enum step_kind kind, const char *phase)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (d->steps[i].kind == kind && touched(&d->steps[i]) &&
		    (phase == NULL || streq(d->steps[i].phase, phase)))
			return true;
	return false;
}

static bool
accepted(const struct plan_done *d, sym key)
{
	for (uint32_t i = 0; i < d->naccepted; i++)
		if (streq(d->accepted[i], key) || streq(d->accepted[i], "all"))
			return true;
	return false;
}

static const struct verdict *
parent_of(const struct plan_facts *f, const struct dep *dep)
{
	for (uint32_t i = 0; i < f->judged->n; i++)
		if (streq(f->judged->v[i].m->app, dep->app) &&
		    streq(f->judged->v[i].m->name, dep->name))
			return &f->judged->v[i];
	return NULL;
}

/* Does x need y, through pending migrations? Those that are not pending need
 * no pending one, so no other way leads there. */
static bool
needs(const struct plan_facts *f, const struct verdict *x,
    const struct verdict *y, uint32_t depth)
{
	for (uint32_t i = 0; x != NULL && i < x->m->ndeps; i++) {
		const struct verdict *p = parent_of(f, &x->m->deps[i]);

		if (p == y || (p != NULL && depth < f->judged->n &&
		    needs(f, p, y, depth + 1)))
			return true;
	}
	return false;
}

static struct undo *
undo_add(struct back *k, const struct step *s)
{
	sym key = sym_get(k->b.a, s->subject);
	struct undo *u = NULL;

	for (uint32_t i = 0; i < k->undo.n; i++)
		if (streq(k->undo.v[i].key, key))
			return &k->undo.v[i];
	u = list_add(k->b.a, &k->undo);
	u->key = key;
	u->v = verdict_of(k->b.f, key);
	u->phase = streq(s->phase, "unsafe") ? FWD_UNSAFE : FWD_SAFE;
	if (u->v == NULL)
		build_note(&k->b, NOTE_REFUSE, "%s was applied, but its source "
		    "is not at hand, so it cannot be judged on the way back",
		    key);
	else if (!is_first(k->b.f) && (u->v->reverse == FWD_SAFE ||
	    u->v->reverse == FWD_UNSAFE))
		u->phase = u->v->reverse;
	return u;
}

static const struct halfway *
halfway_of(const struct plan_done *d, sym key)
{
	for (uint32_t i = 0; i < d->nhalfway; i++)
		if (streq(d->halfway[i].key, key))
			return &d->halfway[i];
	return NULL;
}

static void
undo_drop(struct back *k, sym key)
{
	for (uint32_t i = 0; i < k->undo.n; i++) {
		if (!streq(k->undo.v[i].key, key))
			continue;
		memmove(&k->undo.v[i], &k->undo.v[i + 1],
		    (k->undo.n - i - 1) * sizeof(k->undo.v[0]));
		k->undo.n--;
		return;
	}
}

static void
collect(struct back *k)
{
	for (uint32_t i = 0; i < k->d->n; i++) {
		const struct step *s = &k->d->steps[i];
		const struct halfway *h = halfway_of(k->d, s->subject);

		if (s->kind != STEP_MIGRATION || (!happened(s) && h == NULL) ||
		    streq(s->want, "repeated"))
			continue;
		if (h != NULL)
			undo_add(k, s)->halfway = h;
		else if (streq(s->want, "applied"))
			undo_add(k, s);
		else
			undo_drop(k, s->subject);
	}
}

static void
start(struct back *k, struct plan *out)
{
	const struct plan_facts *f = k->b.f;
	sym *on = arena_array(k->b.a, sym, f->nhosts + 1);
	sym *applied = arena_array(k->b.a, sym, k->undo.n + 1);
	uint32_t napplied = 0;

	for (uint32_t h = 0; h < f->nhosts; h++) {
		on[h] = f->from;
		for (uint32_t i = 0; i < k->d->n; i++) {
			const struct step *s = &k->d->steps[i];

			if (s->kind == STEP_CURRENT && happened(s) &&
			    streq(s->lane, f->hosts[h]))
				on[h] = sym_get(k->b.a, s->want);
		}
		if (f->on != NULL && f->on[h] != NULL)
			on[h] = f->on[h];
	}
	for (uint32_t i = 0; i < k->undo.n; i++)
		if (k->undo.v[i].halfway == NULL)
			applied[napplied++] = k->undo.v[i].key;
	out->kind = sym_get(k->b.a, "rollback");
	out->from = sym_get(k->b.a, f->to);
	out->to = sym_get(k->b.a, f->from == NULL ? "" : f->from);
	out->start_on = on;
	out->start_applied = applied;
	out->nstart_applied = napplied;
}

/* What stands of one that stopped halfway is for a person: Django can run
 * neither the rest of it nor the way back from its middle. */
static void
keep_halfway(struct back *k, struct undo *u)
{
	const struct halfway *h = u->halfway;
	const char *what = h->stands == HALFWAY_ALL ? "is done and not "
	    "recorded" : "stopped halfway";

	u->kept = true;
	if (!h->old_runs)
		build_note(&k->b, NOTE_REFUSE, "%s %s (%s), and '%s' does not "
		    "run on that: finish it by hand and record it (manage.py "
		    "migrate --fake %s %s), or undo by hand what stands", u->key,
		    what, h->text, k->b.f->from, u->v == NULL ? u->key :
		    u->v->m->app, u->v == NULL ? "" : u->v->m->name);
	else if (k->d->automatic || accepted(k->d, u->key) ||
	    (h->stands == HALFWAY_NOTHING && u->phase == FWD_SAFE))
		build_note(&k->b, NOTE_WARN, "%s %s and stays so: %s", u->key,
		    what, h->text);
	else
		build_note(&k->b, NOTE_REFUSE, "%s %s (%s): --accept %s leaves "
		    "it so", u->key, what, h->text, u->key);
}

/* What is irreversible stays, and with it what it needs: each of them must be
 * one that the old code can live with. */
static void
keep(struct back *k)
{
	for (uint32_t i = k->undo.n; i-- > 0;) {
		struct undo *u = &k->undo.v[i];
		sym because = NULL;

		if (u->halfway != NULL)
			keep_halfway(k, u);
		if (u->halfway != NULL || u->v == NULL)
			continue;
		for (uint32_t j = i + 1; because == NULL && j < k->undo.n; j++)
			if (k->undo.v[j].kept && needs(k->b.f, k->undo.v[j].v,
			    u->v, 0))
				because = k->undo.v[j].key;
		if (because == NULL && !u->v->irreversible)
			continue;
		u->kept = true;
		if (u->v->da >= DEGREE_MAY)
			build_note(&k->b, NOTE_REFUSE, "%s must be reversed "
			    "before '%s' can serve again, and %s%s cannot be: "
			    "go forward with a new release instead", u->key,
			    k->b.f->from, because == NULL ? "it" : because,
			    because == NULL ? "" : ", which needs it,");
		else if (because != NULL)
			build_note(&k->b, NOTE_INFO, "%s stays applied: %s "
			    "needs it", u->key, because);
		else if (accepted(k->d, u->key))
			build_note(&k->b, NOTE_WARN, "%s has no way back and "
			    "stays applied", u->key);
		else
			build_note(&k->b, NOTE_REFUSE, "%s has no way back: "
			    "--accept %s leaves it applied", u->key, u->key);
	}
}

static void
losses(struct back *k)
{
	for (uint32_t i = k->undo.n; i-- > 0;) {
		const struct undo *u = &k->undo.v[i];

		if (u->v == NULL || u->kept || u->v->loses == NULL)
			continue;
		if (accepted(k->d, u->key))
			build_note(&k->b, NOTE_LOSES, "%s: %s", u->key,
			    u->v->loses);
		else
			build_note(&k->b, NOTE_REFUSE, "%s: %s; --accept %s if "
			    "that may be", u->key, u->v->loses, u->key);
	}
}

/* One that is reversed while the new code runs cannot have a dependent that
 * waits until the old code is back. */
static void
order(struct back *k)
{
	for (uint32_t i = 0; i < k->undo.n; i++) {
		const struct undo *u = &k->undo.v[i];

		for (uint32_t j = i + 1; j < k->undo.n; j++) {
			const struct undo *w = &k->undo.v[j];

			if (u->kept || w->kept || u->phase != FWD_UNSAFE ||
			    w->phase != FWD_SAFE ||
			    !needs(k->b.f, w->v, u->v, 0))
				continue;
			build_note(&k->b, NOTE_REFUSE, "%s is to be reversed "
			    "while '%s' still runs, but %s needs it and can be "
			    "reversed only after that", u->key, k->b.f->to,
			    w->key);
		}
	}
}

static void
reverse(struct back *k, enum forward phase)
{
	build_wave(&k->b, phase == FWD_SAFE ? "safe" : "unsafe");
	for (uint32_t i = k->undo.n; i-- > 0;)
		if (k->undo.v[i].phase == phase && !k->undo.v[i].kept)
			build_step(&k->b, STEP_MIGRATION, "db",
			    k->undo.v[i].key, "unapplied");
}

static enum need
need_of(const struct back *k, uint32_t h)
{
	const struct plan_facts *f = k->b.f;
	enum need need = NEED_NOTHING;

	for (uint32_t i = 0; i < k->d->n; i++) {
		const struct step *s = &k->d->steps[i];

		if (!streq(s->lane, f->hosts[h]) || !touched(s))
			continue;
		if (s->kind == STEP_CURRENT && streq(s->want, f->to))
			return NEED_ALL;
		if (s->kind == STEP_BALANCE)
			need = NEED_READY;
	}
	if (f->on != NULL && f->on[h] != NULL && !streq(f->on[h], f->from) &&
	    (!k->d->automatic || streq(f->on[h], f->to)))
		return NEED_ALL;
	if (k->d->code_only && f->on == NULL)
		return NEED_ALL;
	return need;
}

/* The last that went forward is the first that goes back: it is the one that
 * failed. */
static void
hosts_back(struct back *k)
{
	const struct plan_facts *f = k->b.f;
	uint32_t *all = arena_array(k->b.a, uint32_t, f->nhosts + 1);
	uint32_t n = 0;

	build_wave(&k->b, "roll");
	for (uint32_t h = f->nhosts; h-- > 0;) {
		enum need need = need_of(k, h);

		if (need == NEED_ALL)
			all[n++] = h;
		else if (need == NEED_READY && f->balanced)
			build_step(&k->b, STEP_BALANCE, f->hosts[h],
			    f->hosts[h], "ready");
	}
	build_roll(&k->b, all, n, f->from);
}

static void
floor_back(struct back *k)
{
	if (!any_touched(k->d, STEP_FLOOR, NULL))
		return;
	build_wave(&k->b, "roll");
	build_step(&k->b, STEP_FLOOR, "db", "floor", k->b.f->from);
}

static void
gone(struct back *k)
{
	for (uint32_t i = 0; i < k->undo.n; i++) {
		const struct undo *u = &k->undo.v[i];

		if (u->halfway != NULL)
			build_note(&k->b, NOTE_LOSES, "%s stopped halfway: %s",
			    u->key, u->halfway->text);
		else if (u->v != NULL && u->v->drops != NULL)
			build_note(&k->b, NOTE_LOSES, "%s %s", u->key,
			    u->v->drops);
	}
}

/* Past the first unsafe migration nothing is undone without a person. */
static void
by_itself(struct back *k)
{
	if (any_touched(k->d, STEP_MIGRATION, "unsafe")) {
		build_note(&k->b, NOTE_REFUSE, "held: an unsafe migration has "
		    "begun, and '%s' serves on every host; mend what failed and "
		    "--resume, or ask for a rollback", k->b.f->to);
		gone(k);
		return;
	}
	if (any_touched(k->d, STEP_PUBLISH, NULL)) {
		build_note(&k->b, NOTE_REFUSE, "held: '%s' serves on every "
		    "host and only its last steps are open: --resume",
		    k->b.f->to);
		return;
	}
	floor_back(k);
	hosts_back(k);
	for (uint32_t i = 0; i < k->undo.n; i++)
		if (k->undo.v[i].halfway != NULL)
			keep_halfway(k, &k->undo.v[i]);
		else
			build_note(&k->b, NOTE_INFO, "%s stays applied: '%s' "
			    "runs with it", k->undo.v[i].key, k->b.f->from);
}

static void
asked_for(struct back *k)
{
	keep(k);
	losses(k);
	order(k);
	reverse(k, FWD_UNSAFE);
	floor_back(k);
	hosts_back(k);
	build_wave(&k->b, "roll");
	build_step(&k->b, STEP_CENSUS, "db", "hosts", k->b.f->from);
	reverse(k, FWD_SAFE);
	build_wave(&k->b, "finish");
	build_step(&k->b, STEP_PUBLISH, "db", "deployed", k->b.f->from);
}

static void
code_only(struct back *k)
{
	for (uint32_t i = 0; i < k->undo.n; i++)
		if (k->undo.v[i].halfway != NULL)
			keep_halfway(k, &k->undo.v[i]);
		else if (k->undo.v[i].phase == FWD_UNSAFE)
			build_note(&k->b, NOTE_REFUSE, "%s is applied: '%s' "
			    "does not run with it, so its code cannot go back "
			    "alone", k->undo.v[i].key, k->b.f->from);
	if (k->d->unfit != NULL && !build_refused(&k->b))
		build_note(&k->b, accepted(k->d, sym_get(k->b.a, "schema")) ?
		    NOTE_WARN : NOTE_REFUSE, "'%s' does not run on the "
		    "database as it is: it %s; --accept schema goes on all the "
		    "same", k->b.f->from, k->d->unfit);
	if (k->d->blind)
		build_note(&k->b, accepted(k->d, sym_get(k->b.a, "schema")) ?
		    NOTE_WARN : NOTE_REFUSE, "the database cannot be asked "
		    "which migrations are applied: that '%s' runs on the "
		    "schema is not proven; --accept schema goes on all the "
		    "same", k->b.f->from);
	for (uint32_t h = 0; k->b.f->on != NULL && h < k->b.f->nhosts; h++)
		if (k->b.f->on[h] == NULL)
			build_note(&k->b, NOTE_WARN, "host '%s' cannot be "
			    "reached: it keeps what it serves",
			    k->b.f->hosts[h]);
	hosts_back(k);
	build_wave(&k->b, "roll");
	build_step(&k->b, STEP_CENSUS, "db", "hosts", k->b.f->from);
	if (k->d->blind)
		return;
	build_wave(&k->b, "finish");
	build_step(&k->b, STEP_PUBLISH, "db", "deployed", k->b.f->from);
}

void
plan_back(struct plan *out, struct arena *a, const struct plan_facts *f,
    const struct plan_done *done)
{
	struct back k = { .b = { .a = a, .f = f }, .d = done };

	memset(out, 0, sizeof(*out));
	collect(&k);
	start(&k, out);
	if (is_first(f))
		build_note(&k.b, NOTE_REFUSE, "'%s' is the first release: there "
		    "is none to go back to", f->to);
	else if (done->code_only)
		code_only(&k);
	else if (done->automatic)
		by_itself(&k);
	else
		asked_for(&k);
	build_end(&k.b, out);
}

#include "plan/build.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* The phase a pending migration goes in: on the first deploy there is no old
 * code that could mind, so all of them go before the roll. */
static enum forward
phase_of(const struct plan_facts *f, const struct verdict *v)
{
	return is_first(f) ? FWD_SAFE : v->phase;
}

static void
note_verdict(struct build *b, const struct verdict *v)
{
	const struct migration *m = v->m;

	if (is_first(b->f)) {	/* no old code; what stops, stops */
		if (v->stops != NULL)
			build_note(b, NOTE_REFUSE, "%s.%s: %s", m->app, m->name,
			    v->stops);
		return;
	}
	if (v->refused != NULL)
		build_note(b, NOTE_REFUSE, "%s.%s: %s", m->app, m->name,
		    v->refused);
	else if (v->phase != FWD_SAFE && v->phase != FWD_UNSAFE)
		build_note(b, NOTE_REFUSE, "%s.%s is '%s': there is no phase of "
		    "a deploy that it may run in", m->app, m->name,
		    forward_name[v->phase]);
	if (v->overruled != NULL)
		build_note(b, NOTE_WARN, "%s.%s goes as '%s' by its tag against "
		    "the verdict '%s', because \"%s\"", m->app, m->name,
		    forward_name[v->phase], forward_name[v->forward],
		    v->overruled);
	if (v->drops != NULL)
		build_note(b, NOTE_LOSES, "%s.%s %s", m->app, m->name, v->drops);
}

static uint32_t
count(const struct plan_facts *f, enum forward phase)
{
	uint32_t n = 0;

	for (uint32_t i = 0; f->judged != NULL && i < f->judged->n; i++)
		n += phase_of(f, &f->judged->v[i]) == phase;
	return n;
}

static void
note_verdicts(struct build *b)
{
	for (uint32_t i = 0; b->f->judged != NULL && i < b->f->judged->n; i++)
		note_verdict(b, &b->f->judged->v[i]);
}

static void
migrate(struct build *b, enum forward phase)
{
	build_wave(b, phase == FWD_SAFE ? "safe" : "unsafe");
	for (uint32_t i = 0; b->f->judged != NULL && i < b->f->judged->n; i++) {
		const struct verdict *v = &b->f->judged->v[i];

		if (phase_of(b->f, v) == phase)
			build_step(b, STEP_MIGRATION, "db",
			    migration_key(b->a, v->m), "applied");
	}
}

static void
note_hosts(struct build *b)
{
	const struct plan_facts *f = b->f;

	if (f->nhosts == 0)
		build_note(b, NOTE_REFUSE, "target '%s' has no host: add a "
		    "[host NAME] section with target = %s", f->target,
		    f->target);
	for (uint32_t i = 0; f->on != NULL && i < f->nhosts; i++) {
		sym on = f->on[i];

		if (on == NULL || on[0] == '\0' || streq(on, f->from) ||
		    streq(on, f->to))
			continue;
		build_note(b, NOTE_WARN, "host '%s' serves release '%s', which "
		    "is neither '%s' nor '%s'", f->hosts[i], on,
		    is_first(f) ? "(none)" : f->from, f->to);
	}
}

static void
roll(struct build *b)
{
	const struct plan_facts *f = b->f;
	uint32_t *hosts = arena_array(b->a, uint32_t, f->nhosts + 1);
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nhosts; i++)
		if (f->on == NULL || !streq(f->on[i], f->to))
			hosts[n++] = i;
	build_roll(b, hosts, n, f->to);
}

/* The target's, or the longest that a tag of an unsafe migration asks for. */
static int64_t
soak(struct build *b)
{
	const struct plan_facts *f = b->f;
	int64_t ms = f->soak_ms;

	for (uint32_t i = 0; f->judged != NULL && i < f->judged->n; i++) {
		const struct verdict *v = &f->judged->v[i];

		if (phase_of(f, v) != FWD_UNSAFE || v->m->tag.delay_ms <= 0)
			continue;
		build_note(b, NOTE_INFO, "%s.%s waits %" PRId64 " s after the "
		    "roll, by its tag", v->m->app, v->m->name,
		    v->m->tag.delay_ms / 1000);
		if (v->m->tag.delay_ms > ms)
			ms = v->m->tag.delay_ms;
	}
	return ms;
}

/* Old code wrote rows during the roll that the first run has not seen. */
static void
repeat(struct build *b)
{
	const struct plan_facts *f = b->f;

	for (uint32_t i = 0; !is_first(f) && i < f->nrepeat; i++) {
		const struct verdict *v = verdict_of(f, f->repeat[i]);

		if (v == NULL || phase_of(f, v) == FWD_SAFE)
			build_step(b, STEP_MIGRATION, "db", f->repeat[i],
			    "repeated");
	}
}

static void
soak_rows(struct build *b)
{
	int64_t soak_ms = soak(b);
	char ms[32];

	if (count(b->f, FWD_UNSAFE) == 0 || soak_ms <= 0)
		return;
	snprintf(ms, sizeof(ms), "%" PRId64, soak_ms);
	build_wave(b, "roll");
	build_step(b, STEP_SOAK, "db", "soak", ms);
}

/* The floor is raised before the first migration that the old code does not
 * survive, and after every host has attested the new release. */
static void
contract(struct build *b)
{
	const struct plan_facts *f = b->f;

	soak_rows(b);
	build_wave(b, "roll");
	build_step(b, STEP_CENSUS, "db", "hosts", f->to);
	build_wave(b, "roll");
	repeat(b);
	if (count(f, FWD_UNSAFE) == 0)
		return;
	build_wave(b, "unsafe");
	build_step(b, STEP_FLOOR, "db", "floor", f->to);
	migrate(b, FWD_UNSAFE);
}

static void
publish(struct build *b)
{
	build_wave(b, "finish");
	build_step(b, STEP_PUBLISH, "db", "deployed", b->f->to);
}

static void
finish(struct build *b)
{
	const struct plan_facts *f = b->f;
	char keep[16];

	publish(b);
	if (f->keep <= 0)
		return;
	snprintf(keep, sizeof(keep), "%d", f->keep);
	build_wave(b, "finish");
	for (uint32_t i = 0; i < f->nhosts; i++)
		build_step(b, STEP_PRUNE, f->hosts[i], "releases", keep);
}

/* What holds before the first row: for the proof. */
static void
start(struct build *b, struct plan *out, const char *kind)
{
	const struct plan_facts *f = b->f;
	sym *on = arena_array(b->a, sym, f->nhosts + 1);

	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < f->nhosts; i++) {
		on[i] = sym_get(b->a, f->from == NULL ? "" : f->from);
		if (f->on != NULL && f->on[i] != NULL)
			on[i] = f->on[i];
	}
	out->kind = sym_get(b->a, kind);
	out->from = sym_get(b->a, f->from == NULL ? "" : f->from);
	out->to = sym_get(b->a, f->to);
	out->start_on = on;
}

void
plan_deploy(struct plan *out, struct arena *a, const struct plan_facts *f)
{
	struct build b = { .a = a, .f = f };

	start(&b, out, "deploy");
	note_hosts(&b);
	note_verdicts(&b);
	build_wave(&b, "stage");
	for (uint32_t i = 0; i < f->nhosts; i++)
		build_step(&b, STEP_STAGE, f->hosts[i], f->to, "staged");
	migrate(&b, FWD_SAFE);
	roll(&b);
	contract(&b);
	finish(&b);
	build_end(&b, out);
}

void
plan_migrate(struct plan *out, struct arena *a, const struct plan_facts *f,
    enum forward phase)
{
	struct build b = { .a = a, .f = f };
	uint32_t safe = count(f, FWD_SAFE);

	start(&b, out, "migrate");
	note_verdicts(&b);
	if (phase == FWD_UNSAFE && safe > 0)
		build_note(&b, NOTE_REFUSE, "%" PRIu32 " safe migration%s not "
		    "applied: the new code cannot be live yet; run the safe "
		    "phase first", safe, safe == 1 ? " is" : "s are");
	if (phase == FWD_UNSAFE) {
		soak_rows(&b);
		build_wave(&b, "roll");
		repeat(&b);
	}
	if (phase == FWD_UNSAFE && count(f, FWD_UNSAFE) > 0) {
		build_wave(&b, "unsafe");
		build_step(&b, STEP_FLOOR, "db", "floor", f->to);
	}
	migrate(&b, phase);
	if (phase == FWD_UNSAFE || is_first(f))
		publish(&b);
	build_end(&b, out);
}

#include "plan/build.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/strbuf.h"
#include "base/util.h"

const char *const step_kind_name[] = {
	"stage", "migration", "balance", "current", "health", "soak",
	"census", "floor", "publish", "prune",
};
const char *const step_status_name[] = {
	"todo", "doing", "done", "failed", "dropped",
};

struct step *
build_step(struct build *b, enum step_kind kind, sym lane, sym subject,
    sym want)
{
	struct step *s = list_add(b->a, &b->steps);

	s->seq = b->steps.n;
	s->wave = b->wave;
	s->kind = kind;
	s->lane = sym_get(b->a, lane);
	s->subject = sym_get(b->a, subject);
	s->want = sym_get(b->a, want);
	s->phase = b->phase;
	s->status = STEP_TODO;
	return s;
}

/* A wave without rows leaves no gap. */
void
build_wave(struct build *b, const char *phase)
{
	uint32_t last = b->steps.n == 0 ? 0 : b->steps.v[b->steps.n - 1].wave;

	b->wave = last + 1;
	b->phase = sym_get(b->a, phase);
}

void
build_note(struct build *b, int kind, const char *fmt, ...)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct plan_note *n = list_add(b->a, &b->notes);
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(&text, fmt, ap);
	va_end(ap);
	n->kind = (unsigned)kind;
	n->text = sym_get(b->a, text.s);
}

bool
build_refused(const struct build *b)
{
	for (uint32_t i = 0; i < b->notes.n; i++)
		if (b->notes.v[i].kind == NOTE_REFUSE)
			return true;
	return false;
}

static void
roll_host(struct build *b, sym host, sym want)
{
	if (b->f->balanced)
		build_step(b, STEP_BALANCE, host, host, "drained");
	build_step(b, STEP_CURRENT, host, "current", want);
	build_step(b, STEP_HEALTH, host, want, "healthy");
	if (b->f->balanced)
		build_step(b, STEP_BALANCE, host, host, "ready");
}

void
build_roll(struct build *b, const uint32_t *hosts, uint32_t n, sym want)
{
	uint32_t batch = 0;

	for (uint32_t i = 0; i < n; batch++) {
		uint32_t last = b->f->nbatches;
		uint32_t size = last == 0 ? 1 :
		    b->f->batches[batch < last ? batch : last - 1];

		build_wave(b, "roll");
		for (size = size == 0 ? 1 : size; size > 0 && i < n; size--)
			roll_host(b, b->f->hosts[hosts[i++]], want);
	}
}

static void
digest(struct plan *p, const struct plan_facts *f)
{
	struct strbuf t STRBUF_SCOPED = STRBUF_INIT;

	strbuf_printf(&t, "%s\n%s\n%s\n%s\n", p->target, p->kind, p->from,
	    p->to);
	for (uint32_t i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];

		strbuf_printf(&t, "%" PRIu32 " %" PRIu32 " %s %s %s %s %s\n",
		    s->seq, s->wave, s->lane, step_kind_name[s->kind],
		    s->subject, s->want, s->phase);
	}
	for (uint32_t i = 0; i < f->napplied; i++)
		strbuf_printf(&t, "applied %s.%s\n", f->applied[i].app,
		    f->applied[i].name);
	sha256_hex(p->digest, t.s, t.len);
}

void
build_end(struct build *b, struct plan *out)
{
	if (build_refused(b))
		b->steps.n = 0;
	out->target = sym_get(b->a, b->f->target == NULL ? "" : b->f->target);
	out->steps = b->steps.v;
	out->n = b->steps.n;
	out->notes = b->notes.v;
	out->nnotes = b->notes.n;
	digest(out, b->f);
}

sym
migration_key(struct arena *a, const struct migration *m)
{
	return sym_printf(a, "%s.%s", m->app, m->name);
}

const struct verdict *
verdict_of(const struct plan_facts *f, sym key)
{
	for (uint32_t i = 0; f->judged != NULL && i < f->judged->n; i++) {
		const struct migration *m = f->judged->v[i].m;
		size_t app = strlen(m->app);

		if (strncmp(m->app, key, app) == 0 && key[app] == '.' &&
		    streq(m->name, key + app + 1))
			return &f->judged->v[i];
	}
	return NULL;
}

int64_t
plan_soaks_until(const struct plan *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];

		if (s->kind == STEP_SOAK && s->began != 0)
			return s->began + strtoll(s->want, NULL, 10) / 1000;
	}
	return 0;
}

bool
is_first(const struct plan_facts *f)
{
	return f->from == NULL || f->from[0] == '\0';
}

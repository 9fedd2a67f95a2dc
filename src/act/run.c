/* The loop. A turn: give idle lanes their next step, mark what begins and
 * what ended in one statement, make, then wait for a link, a time, a signal. */
#include "act/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/util.h"

#define TURN_MS 1000		/* the longest wait: the lease is looked at */
#define LINK_FDS 3

struct slot {			/* a lane and the step it is at */
	struct lane l;
	struct step *s;
	enum { SLOT_IDLE, SLOT_ASK, SLOT_READY, SLOT_MAKE } at;
	bool moved;		/* to be called in this turn */
	bool broken;		/* its host failed: nothing more in this run */
	int first, npoll;	/* its descriptors among those polled */
};

struct loop {
	struct deploy *d;
	struct slot *slots;
	uint32_t nslots;
	struct ledger_mark *marks;	/* since the last statement */
	uint32_t nmarks;
	struct pollfd *polled;
	bool resume;
	bool stop;		/* begin nothing more */
	bool dumb;		/* the ledger cannot be written any more */
	enum run_end end;
	int interrupts, failures;
	int signals;
	const char *crash;	/* $SLUICE_CRASH */
	struct err *e;
};

static const struct kind *
kind_of(enum step_kind k)
{
	switch (k) {
	case STEP_STAGE: return &kind_stage;
	case STEP_MIGRATION: return &kind_migration;
	case STEP_BALANCE: return &kind_balance;
	case STEP_CURRENT: return &kind_current;
	case STEP_HEALTH: return &kind_health;
	case STEP_SOAK: return &kind_soak;
	case STEP_CENSUS: return &kind_census;
	case STEP_FLOOR: return &kind_floor;
	case STEP_PUBLISH: return &kind_publish;
	case STEP_PRUNE: return &kind_prune;
	}
	return NULL;
}

static void
show(struct loop *r, const struct slot *k, const char *event)
{
	if (r->d->show != NULL)
		r->d->show(r->d->show_ctx, r->d, k == NULL ? NULL : &k->l,
		    k == NULL ? NULL : k->s, event);
}

static const struct cfg_host *
host_find(const struct cfg_target *t, sym name)
{
	for (uint32_t i = 0; i < t->nhosts; i++)
		if (streq(t->hosts[i].name, name))
			return &t->hosts[i];
	return NULL;
}

static struct slot *
slot_of(struct loop *r, sym lane)
{
	for (uint32_t i = 0; i < r->nslots; i++)
		if (streq(r->slots[i].l.name, lane))
			return &r->slots[i];
	return NULL;
}

/* A lane for each name that the rows use. */
static int
slots_make(struct loop *r, struct err *e)
{
	const struct plan *p = r->d->plan;
	const struct cfg_target *t = r->d->target;

	r->slots = arena_array(r->d->a, struct slot, p->n + 1);
	for (uint32_t i = 0; i < p->n; i++) {
		sym name = p->steps[i].lane;
		bool db = streq(name, "db");
		if (slot_of(r, name) != NULL)
			continue;
		struct slot *k = &r->slots[r->nslots++];
		k->l.name = name;
		k->l.d = r->d;
		k->l.note = (struct strbuf)STRBUF_LIMIT(4096);
		k->l.host = host_find(t, !db ? name : t->release_host != NULL ?
		    t->release_host : t->hosts[0].name);
		if (k->l.host == NULL)
			return err_kind(e, ERR_CONFIG, "the plan has steps on "
			    "host '%s', which is not in %s: put it back, or "
			    "sluice-rollback", name, r->d->cfg->path);
	}
	r->marks = arena_array(r->d->a, struct ledger_mark, 2 * p->n + 2);
	r->polled = arena_array(r->d->a, struct pollfd,
	    1 + 2 * LINK_FDS * r->nslots);
	return 0;
}

static void
slots_free(struct loop *r)
{
	for (uint32_t i = 0; i < r->nslots; i++) {
		struct lane *l = &r->slots[i].l;
		link_free(l->agent);
		link_free(l->django);
		l->agent = l->django = NULL;
		strbuf_release(&l->note);
	}
}

/* The next row of a lane in this wave that is not yet so; NULL: none. */
static struct step *
step_next(const struct loop *r, const struct slot *k, uint32_t wave)
{
	const struct plan *p = r->d->plan;

	for (uint32_t i = 0; i < p->n; i++) {
		struct step *s = &p->steps[i];
		if (s->wave == wave && streq(s->lane, k->l.name) &&
		    s->status != STEP_DONE && s->status != STEP_DROPPED)
			return s;
	}
	return NULL;
}

static void
mark(struct loop *r, struct slot *k, enum step_status status, const char *note)
{
	k->s->status = status;
	if (!r->dumb)
		r->marks[r->nmarks++] = (struct ledger_mark){ k->s->seq,
		    status, note };
}

/* What no later wave can do without: the first failure, told once. */
static void
stop(struct loop *r, enum run_end end, const struct err *why)
{
	r->stop = true;
	if (r->end != RUN_DONE)
		return;
	r->end = end;
	if (why != NULL)
		*r->e = *why;
}

static void
marks_flush(struct loop *r)
{
	struct err e = ERR_INIT;

	if (r->d->db == NULL && r->d->lease == NULL)
		r->nmarks = 0;		/* no ledger at hand: the hosts keep a journal */
	if (r->nmarks == 0 || r->dumb)
		return;
	struct ledger_pen w = deploy_pen(r->d);
	if (ledger_mark(&w, r->d->run.id, r->marks, r->nmarks, &e) < 0) {
		err_wrap(&e, "the ledger cannot be written");
		r->dumb = true;
		stop(r, RUN_LOST, &e);
	}
	r->nmarks = 0;
}

/* The moment at which a crash test wants us dead: around the making of a row,
 * or where it turns out that it was made before. */
static void
crash(const struct loop *r, const struct step *s, const char *when)
{
	char *end;

	if (r->crash == NULL)
		return;
	unsigned long seq = strtoul(r->crash, &end, 10);
	if (end != r->crash && *end == ':' && seq == s->seq &&
	    strcmp(end + 1, when) == 0)
		raise(SIGKILL);
}

static int64_t
deadline_of(const struct loop *r, const struct step *s)
{
	const struct cfg_target *t = r->d->target;
	int64_t now = clock_ms() + t->step_timeout;

	switch (s->kind) {
	case STEP_MIGRATION: return 0;	/* the watch bounds it */
	case STEP_BALANCE: return now + t->drain_timeout;
	case STEP_CURRENT:
	case STEP_HEALTH: return now + t->health_timeout;
	default: return now;
	}
}

static void
failed(struct loop *r, struct slot *k, const struct err *e)
{
	struct err told = *e;
	bool host = !streq(k->l.name, "db");
	size_t named = strlen(k->l.name);

	mark(r, k, STEP_FAILED, arena_strdup(r->d->a, e->msg));
	strbuf_reset(&k->l.note);
	strbuf_str(&k->l.note, e->msg);
	show(r, k, "failed");
	if (strncmp(e->msg, k->l.name, named) == 0 && e->msg[named] == ':')
		err_wrap(&told, "%s of %s", step_kind_name[k->s->kind],
		    k->s->subject);
	else
		err_wrap(&told, "%s of %s on %s", step_kind_name[k->s->kind],
		    k->s->subject, k->l.name);
	k->broken = host;
	k->s = NULL;
	k->at = SLOT_IDLE;
	if (!host || ++r->failures > r->d->target->max_failed)
		stop(r, RUN_FAILED, &told);
}

static void
ended(struct loop *r, struct slot *k, const char *event)
{
	/* "uploading" is over; what a migration, a ref, a host said is kept */
	if (k->s->kind != STEP_MIGRATION && k->s->kind != STEP_PUBLISH &&
	    k->s->kind != STEP_CENSUS)
		strbuf_reset(&k->l.note);
	mark(r, k, STEP_DONE, k->l.note.len == 0 ? NULL :
	    arena_strdup(r->d->a, k->l.note.s));
	show(r, k, event);
	k->s = NULL;
	k->at = SLOT_IDLE;
}

/* Calls the kind once and moves the slot on by its answer. */
static void
slot_call(struct loop *r, struct slot *k)
{
	const struct kind *kind = kind_of(k->s->kind);
	struct err e = ERR_INIT;

	k->moved = false;
	k->l.wake = 0;
	int got = k->at == SLOT_ASK ? kind->ask(&k->l, k->s, &e) :
	    kind->make(&k->l, k->s, &e);
	if (got == ANSWER_WAIT) {
		if (k->l.note.len > 0)
			show(r, k, "note");
		return;
	}
	if (got < 0) {
		failed(r, k, &e);
	} else if (k->at == SLOT_ASK && got == ANSWER_NO) {
		k->at = SLOT_READY;
	} else if (k->at == SLOT_ASK) {
		crash(r, k->s, "before");
		crash(r, k->s, "after");
		ended(r, k, "already");
	} else if (got == ANSWER_YES) {
		crash(r, k->s, "after");
		ended(r, k, "done");
	} else {
		err_set(&e, "it did not come to be");
		failed(r, k, &e);
	}
}

/* A Django that waits for more is a process of its release: a census would
 * count it. */
static void
django_end(struct lane *l)
{
	link_free(take(l->django));
	l->django_at = NULL;
}

static void
slot_start(struct loop *r, struct slot *k)
{
	if (k->s->kind != STEP_MIGRATION && k->l.django != NULL)
		django_end(&k->l);
	k->l.state = 0;
	k->l.wake = 0;
	k->l.deadline = deadline_of(r, k->s);
	slot_call(r, k);
}

/* Each host that is talked to costs a process and a connection: only so many
 * at once. One that has begun goes on to its last step in the wave. */
static bool
room_for(struct loop *r, const struct slot *k)
{
	int most = r->d->target->at_once, open = 0;

	if (most <= 0 || k->l.agent != NULL || streq(k->l.name, "db"))
		return true;
	for (uint32_t i = 0; i < r->nslots; i++)
		open += !r->slots[i].broken &&
		    !streq(r->slots[i].l.name, "db") && (r->slots[i].l.agent != NULL ||
		    r->slots[i].at != SLOT_IDLE);
	return open < most;
}

/* Its last step in this wave is over: where there are many, others need the
 * room. */
static void
make_room(struct loop *r, struct slot *k)
{
	if (r->d->target->at_once > 0 &&
	    r->nslots > (uint32_t)r->d->target->at_once)
		link_free(take(k->l.agent));
}

/* Gives idle lanes their next step; in doubt it is asked first. */
static void
slots_begin(struct loop *r, uint32_t wave)
{
	for (uint32_t i = 0; i < r->nslots && !r->stop; i++) {
		struct slot *k = &r->slots[i];
		if (k->at != SLOT_IDLE || k->broken)
			continue;
		k->s = step_next(r, k, wave);
		if (k->s == NULL)
			make_room(r, k);
		if (k->s == NULL || !room_for(r, k)) {
			k->s = NULL;
			continue;
		}
		strbuf_reset(&k->l.note);
		k->at = r->resume || k->s->status != STEP_TODO ? SLOT_ASK :
		    SLOT_READY;
		if (k->at == SLOT_ASK)
			slot_start(r, k);
	}
}

/* Marks what is to be made, with what ended, then makes. What is not marked
 * is not begun; what is marked is. */
static void
slots_make_ready(struct loop *r)
{
	bool begin = !r->stop;

	for (uint32_t i = 0; i < r->nslots && begin; i++)
		if (r->slots[i].at == SLOT_READY)
			mark(r, &r->slots[i], STEP_DOING, NULL);
	marks_flush(r);
	for (uint32_t i = 0; i < r->nslots; i++) {
		struct slot *k = &r->slots[i];
		if (k->at != SLOT_READY)
			continue;
		if (!begin || r->dumb) {
			k->s->status = STEP_TODO;
			k->s = NULL;
			k->at = SLOT_IDLE;
			continue;
		}
		k->at = SLOT_MAKE;
		show(r, k, "start");
		crash(r, k->s, "before");
		slot_start(r, k);
	}
}

static bool
busy(const struct loop *r)
{
	for (uint32_t i = 0; i < r->nslots; i++)
		if (r->slots[i].at != SLOT_IDLE)
			return true;
	return false;
}

/* More to begin in this wave, or something to tell the ledger? */
static bool
more(const struct loop *r, uint32_t wave)
{
	if (r->nmarks > 0)
		return true;
	for (uint32_t i = 0; i < r->nslots && !r->stop; i++)
		if (!r->slots[i].broken &&
		    step_next(r, &r->slots[i], wave) != NULL)
			return true;
	return false;
}

static int
poll_add(struct loop *r, int n)
{
	for (uint32_t i = 0; i < r->nslots; i++) {
		struct slot *k = &r->slots[i];
		k->first = n;
		k->npoll = 0;
		if (k->at == SLOT_IDLE || k->at == SLOT_READY)
			continue;
		if (k->l.agent != NULL)
			n += link_poll(k->l.agent, &r->polled[n]);
		if (k->l.django != NULL)
			n += link_poll(k->l.django, &r->polled[n]);
		k->npoll = n - k->first;
	}
	return n;
}

static int
wait_ms(const struct loop *r)
{
	int64_t now = clock_ms();
	int64_t until = now + TURN_MS;

	for (uint32_t i = 0; i < r->nslots; i++) {
		const struct slot *k = &r->slots[i];
		if (k->at == SLOT_READY)
			return 0;
		if (k->at == SLOT_IDLE)
			continue;
		if (k->l.wake != 0 && k->l.wake < until)
			until = k->l.wake;
		if (k->l.deadline != 0 && k->l.deadline < until)
			until = k->l.deadline;
	}
	return until <= now ? 0 : (int)(until - now);
}

/* First Ctrl-C or TERM: finish what is going on. Second: drop it. HUP, from
 * a pusher who went away, is nothing to us. */
static void
interrupted(struct loop *r)
{
	int sig = signals_seen();

	if (sig != SIGINT && sig != SIGTERM)
		return;
	r->interrupts++;
	stop(r, RUN_INTERRUPTED, NULL);
	show(r, NULL, r->interrupts == 1 ? "stopping" : "dropped");
}

static void
wait_for_move(struct loop *r)
{
	r->polled[0] = (struct pollfd){ .fd = r->signals, .events = POLLIN };
	int n = poll_add(r, 1);
	int got = poll(r->polled, (nfds_t)n, wait_ms(r));
	int64_t now = clock_ms();

	if (got > 0 && r->polled[0].revents != 0)
		interrupted(r);
	for (uint32_t i = 0; i < r->nslots; i++) {
		struct slot *k = &r->slots[i];
		k->moved = k->l.wake != 0 && k->l.wake <= now;
		for (int j = k->first; got > 0 && j < k->first + k->npoll; j++)
			k->moved |= r->polled[j].revents != 0;
	}
}

/* Past its deadline a step is let go of, with its links. */
static void
slot_late(struct loop *r, struct slot *k)
{
	struct err e = ERR_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	duration_print(&b, r->d->target->step_timeout);
	err_set(&e, "no end in sight after its deadline (step_timeout is %s)",
	    b.s);
	link_free(take(k->l.agent));
	django_end(&k->l);
	failed(r, k, &e);
	k->broken = true;
}

static void
slots_move(struct loop *r)
{
	for (uint32_t i = 0; i < r->nslots; i++) {
		struct slot *k = &r->slots[i];
		if (k->at != SLOT_ASK && k->at != SLOT_MAKE)
			continue;
		if (k->moved)
			slot_call(r, k);
		else if (k->l.deadline != 0 && k->l.deadline <= clock_ms())
			slot_late(r, k);
	}
}

static void
lease_look(struct loop *r)
{
	struct err e = ERR_INIT;

	if (r->d->lease == NULL || r->end == RUN_LOST)
		return;
	int got = lease_check(r->d->lease, &e);
	if (got == 1)
		return;
	if (e.msg[0] == '\0')
		err_set(&e, "the lease is lost");
	stop(r, RUN_LOST, &e);
}

static void
wave_run(struct loop *r, uint32_t wave)
{
	for (;;) {
		lease_look(r);
		slots_begin(r, wave);
		slots_make_ready(r);
		if (!busy(r) && !more(r, wave))
			return;
		if (!busy(r))
			continue;
		wait_for_move(r);
		if (r->interrupts > 1)
			return;
		slots_move(r);
	}
}

/* The lowest wave above `after` that has rows to do; -1: none. */
static int64_t
wave_next(const struct loop *r, int64_t after)
{
	const struct plan *p = r->d->plan;
	int64_t least = -1;

	for (uint32_t i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];
		if (s->status == STEP_DONE || s->status == STEP_DROPPED ||
		    s->wave <= after)
			continue;
		if (least < 0 || s->wave < least)
			least = s->wave;
	}
	return least;
}

/* A soak is not waited for here: nothing is done in it, and nobody is to be
 * shut out by the lease. */
static bool
soaks(struct loop *r, int64_t wave)
{
	struct plan *p = r->d->plan;

	for (uint32_t i = 0; i < p->n; i++) {
		struct step *s = &p->steps[i];
		if (s->wave != wave || s->kind != STEP_SOAK || r->d->finish)
			continue;
		if (s->began == 0) {
			s->began = clock_epoch();
			s->status = STEP_DOING;
			r->marks[r->nmarks++] = (struct ledger_mark){ s->seq,
			    STEP_DOING, NULL };
			marks_flush(r);
		}
		if (!r->stop && plan_soaks_until(p) > clock_epoch()) {
			r->end = RUN_SOAKING;
			return true;
		}
	}
	return false;
}

int
run_plan(struct deploy *d, bool resume, struct err *e)
{
	struct loop r = { .d = d, .resume = resume, .e = e, .end = RUN_DONE,
	    .crash = getenv("SLUICE_CRASH") };

	r.signals = signals_fd(e);
	if (r.signals < 0 || slots_make(&r, e) < 0)
		return -1;
	for (int64_t w = -1; !r.stop && (w = wave_next(&r, w)) >= 0 && !soaks(&r, w);)
		wave_run(&r, (uint32_t)w);
	marks_flush(&r);
	slots_free(&r);
	return (int)r.end;
}

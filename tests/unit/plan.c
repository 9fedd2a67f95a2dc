/* Plans: the rows of known deploys, and a property of random ones: from every
 * prefix the way back leads to the old state, and is proven at each instant. */
#include "tap.h"
#include "moves.h"
#include "plan/plan.h"

#define HOSTS 4
#define MOVES 5

static uint64_t seed = 20261121;

static uint32_t
dice(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

struct sight {			/* what a plan has done so far */
	const char *on[HOSTS];
	bool drained[HOSTS];
	const char *applied[MOVES * 2];
	uint32_t n;
};

struct scene {
	struct arena *a;
	struct settings s;
	struct release r;
	struct judgement j;
	struct plan_facts f;
	struct plan p;
};

static void
see(struct sight *w, const struct plan_facts *f, const struct step *s)
{
	uint32_t kept = 0;

	for (uint32_t h = 0; h < f->nhosts; h++) {
		if (!streq(s->lane, f->hosts[h]))
			continue;
		if (s->kind == STEP_CURRENT)
			w->on[h] = s->want;
		if (s->kind == STEP_BALANCE)
			w->drained[h] = streq(s->want, "drained");
	}
	if (s->kind != STEP_MIGRATION)
		return;
	for (uint32_t i = 0; i < w->n; i++)
		if (!streq(w->applied[i], s->subject))
			w->applied[kept++] = w->applied[i];
	w->n = kept;
	if (streq(s->want, "applied"))
		w->applied[w->n++] = s->subject;
}

/* ---- random releases ---- */

static void
table_text(struct strbuf *b, const char *name, uint32_t cols, uint32_t flags)
{
	strbuf_printf(b, "%s: id bigint! serial", name);
	for (uint32_t c = 0; c < 4; c++)
		if (cols & (1u << c))
			strbuf_printf(b, ", c%u text%c", c,
			    flags & (1u << c) ? '!' : '?');
	if (cols & 1 && flags & 16)
		strbuf_printf(b, "; index i_%s(c0)", name);
	strbuf_str(b, "|");
}

/* An app for each table: what touches the same one is in a row. */
static const char *const apps[] = { "t", "u", "v" };

static struct vec
random_step(struct arena *a, uint32_t *cols, uint32_t *flags, uint32_t t)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (t < 3) {
		uint32_t bit = 1u << dice(4);

		switch (dice(t == 2 ? 4 : 3)) {
		case 0:		/* a nullable column comes or goes */
			if (cols[t] & bit && flags[t] & bit)
				break;
			cols[t] ^= bit;
			break;
		case 1:
			flags[t] ^= cols[t] & bit;
			break;
		case 2:
			flags[t] ^= 16;
			break;
		case 3:		/* the third table comes and goes */
			cols[2] ^= 32;
			break;
		}
	}
	for (t = 0; t < 3; t++)
		if (t < 2 || cols[t] & 32)
			table_text(&b, apps[t], cols[t], flags[t]);
	return w_vec(a, b.s);
}

static void
random_release(struct scene *x)
{
	uint32_t cols[3], flags[3], n = dice(MOVES + 1);
	const struct moved **v = arena_array(x->a, const struct moved *, n + 1);
	const struct migration *last[3] = { NULL, NULL, NULL };

	for (int t = 0; t < 3; t++) {
		cols[t] = dice(64);
		flags[t] = dice(32) & (cols[t] | 16);
	}
	x->r.old.have = x->r.old.want = random_step(x->a, cols, flags, 3);
	x->r.new = x->r.old;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t t = dice(3);
		struct vec have = random_step(x->a, cols, flags, t);
		struct moved *m = m_move(x->a, sym_printf(x->a, "%s.%u",
		    apps[t], i), last[t], &x->r.new, have, have);

		x->r.new = m->after;
		last[t] = m->m;
		v[i] = m;
	}
	x->r.v = v;
	x->r.n = n;
}

static void
random_scene(struct scene *x)
{
	static const char *const hosts[] = { "h1", "h2", "h3", "h4" };
	uint32_t *batches = arena_array(x->a, uint32_t, 2);

	batches[0] = 1 + dice(2);
	batches[1] = 1 + dice(3);
	x->f = (struct plan_facts){ .target = "production", .from = "r1",
	    .to = "r2", .hosts = hosts, .nhosts = 1 + dice(HOSTS),
	    .batches = batches, .nbatches = dice(3), .judged = &x->j,
	    .soak_ms = dice(2) * 1000, .keep = 5, .balanced = dice(2) };
	random_release(x);
	judge_release(&x->j, x->a, &x->r, &x->s);
	plan_deploy(&x->p, x->a, &x->f);
}

/* Everything before a wave, and some of each of its lanes. */
static void
random_prefix(struct scene *x, struct sight *w)
{
	uint32_t wave = x->p.n == 0 ? 0 : 1 + dice(x->p.steps[x->p.n - 1].wave);
	const char *stuck[HOSTS + 2];
	uint32_t nstuck = 0;

	for (uint32_t i = 0; i < x->p.n; i++) {
		struct step *s = &x->p.steps[i];
		bool blocked = s->wave > wave;

		for (uint32_t k = 0; k < nstuck; k++)
			blocked = blocked || streq(stuck[k], s->lane);
		if (blocked)
			continue;
		s->status = STEP_DONE;
		if (s->wave == wave && dice(3) == 0) {
			s->status = dice(2) ? STEP_DOING : STEP_FAILED;
			stuck[nstuck++] = s->lane;
		}
		if (s->status != STEP_FAILED)
			see(w, &x->f, s);
	}
}

/* ---- the property ---- */

static uint32_t
count_done(const struct plan *p, enum step_kind kind, const char *phase)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n; i++)
		n += p->steps[i].kind == kind && streq(p->steps[i].phase, phase) &&
		    p->steps[i].status != STEP_TODO;
	return n;
}

static bool
is_back(const struct sight *w, const struct plan_facts *f, uint32_t applied)
{
	for (uint32_t h = 0; h < f->nhosts; h++)
		if (!streq(w->on[h], f->from) || w->drained[h])
			return false;
	return w->n == applied;
}

static const char *
check_back(struct scene *x, const struct sight *start, bool automatic)
{
	static const sym all[] = { "all" };
	struct plan_done d = { .steps = x->p.steps, .n = x->p.n,
	    .automatic = automatic, .accepted = all, .naccepted = 1 };
	struct plan back;
	struct sight w = *start;
	bool held = automatic &&
	    (count_done(&x->p, STEP_MIGRATION, "unsafe") > 0 ||
	    count_done(&x->p, STEP_PUBLISH, "finish") > 0);

	if (dice(2))
		x->f.on = w.on;
	plan_back(&back, x->a, &x->f, &d);
	uint32_t wrong = plan_prove(&back, x->a, &x->f, &x->r, &x->s);
	x->f.on = NULL;
	for (uint32_t i = 0; i < back.n; i++)
		see(&w, &x->f, &back.steps[i]);
	if (wrong > 0)
		return back.notes[back.nnotes - 1].text;
	if (held)
		return back.n == 0 ? NULL : "does not hold";
	if (!is_back(&w, &x->f, automatic ? start->n : 0))
		return "does not lead back";
	for (uint32_t i = 1; i < back.n; i++)
		if (back.steps[i].wave < back.steps[i - 1].wave ||
		    back.steps[i].wave > back.steps[i - 1].wave + 1)
			return "waves out of order";
	return NULL;
}

static void
property(void)
{
	uint32_t tried = 0, refused = 0, forward = 0, kinds[4] = { 0 };
	const char *bad = NULL;

	for (uint32_t i = 0; i < 4000 && bad == NULL; i++) {
		struct scene x = { .a = arena_new(),
		    .s = { .django = 502, .server = 15 } };
		struct sight w = { 0 };

		random_scene(&x);
		for (uint32_t h = 0; h < HOSTS; h++)
			w.on[h] = "r1";
		if (!x.j.fine) {
			refused++;
			if (x.p.n != 0)
				bad = "a refused plan has steps";
		} else {
			if (plan_prove(&x.p, x.a, &x.f, &x.r, &x.s) > 0)
				printf("# round %u: %s\n", i,
				    x.p.notes[x.p.nnotes - 1].text);
			forward += plan_prove(&x.p, x.a, &x.f, &x.r, &x.s);
			random_prefix(&x, &w);
			kinds[w.n > 0] += x.r.n > 0;
			kinds[2 + dice(2)]++;
			bad = check_back(&x, &w, true);
			if (bad == NULL)
				bad = check_back(&x, &w, false);
			tried++;
		}
		if (bad != NULL) {
			printf("# round %u: %s\n", i, bad);
			for (uint32_t k = 0; k < x.p.n; k++)
				printf("# %u %s %s %s %s\n", x.p.steps[k].wave,
				    x.p.steps[k].lane, x.p.steps[k].subject,
				    x.p.steps[k].want,
				    step_status_name[x.p.steps[k].status]);
			bad = "";
		}
		arena_free(x.a);
	}
	ok(bad == NULL, "%u random releases lead back from where they got to",
	    tried);
	ok(forward == 0, "and are proven at each instant forward");
	ok(tried > 1000 && refused > 100 && kinds[1] > 500,
	    "the dice are fair: %u tried, %u refused, %u with migrations done",
	    tried, refused, kinds[1]);
}

/* ---- rows ---- */

static void
rows(struct strbuf *b, const struct plan *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		strbuf_printf(b, "%u %s %s %s %s\n", p->steps[i].wave,
		    p->steps[i].phase, p->steps[i].lane, p->steps[i].subject,
		    p->steps[i].want);
	for (uint32_t i = 0; i < p->nnotes; i++)
		if (p->notes[i].kind == NOTE_REFUSE)
			strbuf_printf(b, "! %s\n", p->notes[i].text);
}

static struct scene
known(void)
{
	struct scene x = { .a = arena_new(), .s = { .django = 502 } };
	const struct moved **v = arena_array(x.a, const struct moved *, 2);
	static const char *const hosts[] = { "h1", "h2" };

	x.r.old.have = x.r.old.want = w_vec(x.a, "t: n integer!, o text?");
	struct vec one = w_vec(x.a, "t: n integer!, o text?, m text?");
	struct vec two = w_vec(x.a, "t: n integer!, m text?");
	struct moved *m = m_move(x.a, "shop.0002", NULL, &x.r.old, one, one);
	v[0] = m;
	v[1] = m_move(x.a, "shop.0003", m->m, &m->after, two, two);
	x.r.v = v;
	x.r.n = 2;
	x.r.new = v[1]->after;
	x.f = (struct plan_facts){ .target = "production", .from = "r1",
	    .to = "r2", .hosts = hosts, .nhosts = 2, .keep = 5,
	    .balanced = true };
	return x;
}

static void
known_forward(struct scene *x)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	judge_release(&x->j, x->a, &x->r, &x->s);
	plan_deploy(&x->p, x->a, &x->f);
	rows(&b, &x->p);
	is(b.s, "1 stage h1 r2 staged\n1 stage h2 r2 staged\n"
	    "2 safe db shop.0002 applied\n"
	    "3 roll h1 h1 drained\n3 roll h1 current r2\n"
	    "3 roll h1 r2 healthy\n3 roll h1 h1 ready\n"
	    "4 roll h2 h2 drained\n4 roll h2 current r2\n"
	    "4 roll h2 r2 healthy\n4 roll h2 h2 ready\n"
	    "5 roll db hosts r2\n6 unsafe db floor r2\n"
	    "7 unsafe db shop.0003 applied\n8 finish db deployed r2\n"
	    "9 finish h1 releases 5\n9 finish h2 releases 5\n",
	    "a deploy with one of each");
	is_int((int64_t)strlen(x->p.digest), 64, "it has a digest");
}

static void
known_back(struct scene *x)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	static const sym some[] = { "shop.0002", "shop.0003" };
	struct plan_done d = { .steps = x->p.steps, .n = x->p.n };
	struct plan back;

	for (uint32_t i = 0; i < x->p.n; i++)
		x->p.steps[i].status = STEP_DONE;
	plan_back(&back, x->a, &x->f, &d);
	rows(&b, &back);
	is(b.s, "! shop.0003: its reverse brings back \"t\".\"o\" without its "
	    "values; --accept shop.0003 if that may be\n"
	    "! shop.0002: its reverse drops \"t\".\"m\" with its values; "
	    "--accept shop.0002 if that may be\n", "a loss must be accepted");
	strbuf_reset(&b);
	d.accepted = some;
	d.naccepted = 2;
	plan_back(&back, x->a, &x->f, &d);
	rows(&b, &back);
	is(b.s, "1 unsafe db shop.0003 unapplied\n2 roll db floor r1\n"
	    "3 roll h2 h2 drained\n3 roll h2 current r1\n"
	    "3 roll h2 r1 healthy\n3 roll h2 h2 ready\n"
	    "4 roll h1 h1 drained\n4 roll h1 current r1\n"
	    "4 roll h1 r1 healthy\n4 roll h1 h1 ready\n"
	    "5 roll db hosts r1\n6 safe db shop.0002 unapplied\n"
	    "7 finish db deployed r1\n", "and the way back");
	is_int(plan_prove(&back, x->a, &x->f, &x->r, &x->s), 0, "it is proven");
	strbuf_reset(&b);
	d.code_only = true;
	plan_back(&back, x->a, &x->f, &d);
	rows(&b, &back);
	is(b.s, "! shop.0003 is applied: 'r1' does not run with it, so its "
	    "code cannot go back alone\n", "the code alone cannot go back");
	strbuf_reset(&b);
	for (uint32_t i = 0; i < x->p.n; i++)	/* the unsafe one is not yet */
		if (x->p.steps[i].kind == STEP_MIGRATION &&
		    strcmp(x->p.steps[i].phase, "unsafe") == 0)
			x->p.steps[i].status = STEP_TODO;
	plan_back(&back, x->a, &x->f, &d);
	rows(&b, &back);
	ok(strstr(b.s, "roll db hosts r1\n") != NULL &&
	    strstr(b.s, "finish db deployed r1\n") != NULL &&
	    strstr(b.s, "unapplied") == NULL,
	    "where it can, every host attests the old one and it is live again");
	strbuf_reset(&b);
	d.unfit = "SELECTs \"t\".\"o\"";
	plan_back(&back, x->a, &x->f, &d);
	rows(&b, &back);
	is(b.s, "! 'r1' does not run on the database as it is: it SELECTs "
	    "\"t\".\"o\"; --accept schema goes on all the same\n",
	    "not where the live catalogue says that it does not run");
	static const sym schema[] = { "schema" };
	d.accepted = schema;
	d.naccepted = 1;
	plan_back(&back, x->a, &x->f, &d);
	ok(back.n > 0, "but by the word of a person");
}

/* A plan that puts old code on a schema that has gone on is seen through. */
static void
known_wrong(struct scene *x)
{
	struct step s[] = {
		{ .seq = 1, .wave = 1, .lane = "h1", .subject = "current",
		    .want = "r1", .kind = STEP_CURRENT, .phase = "roll" },
	};
	static const sym on[] = { "r2", "r2" };
	static const sym applied[] = { "shop.0002", "shop.0003" };
	struct plan p = { .target = "production", .kind = "rollback",
	    .from = "r2", .to = "r1", .steps = s, .n = 1, .start_on = on,
	    .start_applied = applied, .nstart_applied = 2 };

	is_int(plan_prove(&p, x->a, &x->f, &x->r, &x->s), 1,
	    "old code on a schema without its column is no proof");
	is(p.notes[0].text, "at step 1 (current r1) release 'r1' is live, and "
	    "it SELECTs \"t\".\"o\"", "and why");
}

/* One phase alone: the unsafe one waits as a deploy does, and ends with what
 * is live. */
static void
known_migrate(struct scene *x)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct verdict *v = arena_array(x->a, struct verdict, x->j.n);
	struct judgement j = x->j;
	struct migration slow = *j.v[1].m;

	plan_migrate(&x->p, x->a, &x->f, FWD_SAFE);
	rows(&b, &x->p);
	is(b.s, "1 safe db shop.0002 applied\n", "the safe phase alone");
	strbuf_reset(&b);
	plan_migrate(&x->p, x->a, &x->f, FWD_UNSAFE);
	rows(&b, &x->p);
	is(b.s, "! 1 safe migration is not applied: the new code cannot be "
	    "live yet; run the safe phase first\n", "the unsafe one is later");
	slow.tag.delay_ms = 3600000;
	*v = j.v[1];
	v->m = &slow;
	j.v = v;
	j.n = 1;
	x->f.judged = &j;
	strbuf_reset(&b);
	plan_migrate(&x->p, x->a, &x->f, FWD_UNSAFE);
	rows(&b, &x->p);
	is(b.s, "1 roll db soak 3600000\n2 unsafe db floor r2\n"
	    "3 unsafe db shop.0003 applied\n4 finish db deployed r2\n",
	    "and waits as long as its tag says");
	x->f.judged = &x->j;
}

static void
known_first(struct scene *x)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	x->f.from = "";
	x->f.balanced = false;
	x->f.keep = 0;
	x->f.nhosts = 1;
	x->r.old.want = (struct vec){ 0 };
	judge_release(&x->j, x->a, &x->r, &x->s);
	plan_deploy(&x->p, x->a, &x->f);
	rows(&b, &x->p);
	is(b.s, "1 stage h1 r2 staged\n2 safe db shop.0002 applied\n"
	    "2 safe db shop.0003 applied\n3 roll h1 current r2\n"
	    "3 roll h1 r2 healthy\n4 roll db hosts r2\n"
	    "5 finish db deployed r2\n", "the first deploy");
	is_int(plan_prove(&x->p, x->a, &x->f, &x->r, &x->s), 0, "is proven");
}

/* ---- where one without a transaction stopped ---- */

enum { OPS = 4 };

/* Operations that lead from one schema to the next; where both are the same it
 * is one that the catalogue does not show. */
static struct moved *
stopping(struct arena *a, const char *const *schemas)
{
	static const char *const cls[OPS] = { "migrations.AddField",
	    "migrations.RunPython", "postgres.AddIndexConcurrently",
	    "migrations.RemoveField" };
	struct moved *m = arena_make(a, struct moved);
	struct migration *f = arena_make(a, struct migration);
	struct op *op = arena_array(a, struct op, OPS);
	struct change *c = arena_array(a, struct change, OPS);
	struct schema *s = arena_array(a, struct schema, OPS);

	f->ops = (struct op_list){ op, OPS };
	m->before.have = w_vec(a, schemas[0]);
	for (int i = 0; i < OPS; i++) {
		struct vec was = i == 0 ? m->before.have : s[i - 1].have;
		s[i].have = streq(schemas[i], schemas[i + 1]) ? was :
		    w_vec(a, schemas[i + 1]);
		op[i].cls = cls[i];
		op[i].model = "t";
		c[i].op = &op[i];
		c[i].fwd = m_diff(a, &was, &s[i].have);
		for (uint32_t k = 0; k < c[i].fwd.n; k++)
			((struct ddl *)(uintptr_t)&c[i].fwd.v[k])->sql =
			    sym_printf(a, "statement %d", i + 1);
		c[i].why = i == 1 ? OPAQUE_PYTHON : OPAQUE_NOT;
	}
	m->m = f;
	m->after.have = s[OPS - 1].have;
	m->changes = c;
	m->nchanges = OPS;
	m->steps = s;
	return m;
}

static void
known_stopped(void)
{
	static const char *const schemas[OPS + 1] = { "t: n integer!, o text?",
	    "t: n integer!, o text?, m text?",
	    "t: n integer!, o text?, m text?",
	    "t: n integer!, o text?, m text?; index i(m)",
	    "t: n integer!, m text?; index i(m)" };
	static const struct {
		const char *live;
		bool back, repeat, invalid, sure;
		int at;
		const char *words;
	} v[] = {
		{ "t: n integer!, o text?", false, false, false, true, 0,
		    "1 AddField t is not done" },
		{ "t: n integer!, o text?, m text?", false, false, false, false,
		    1, "1 AddField t is done, 2 RunPython t cannot be seen, 3 "
		    "AddIndexConcurrently t is not done" },
		{ "t: n integer!, o text?, m text?", false, true, false, true,
		    1, "1 AddField t is done" },
		{ "t: n integer!, o text?, m text?; index i(m)", false, false,
		    false, true, 3, "3 AddIndexConcurrently t is done, 4 "
		    "RemoveField t is not done" },
		{ "t: n integer!, o text?, m text?; index i(m)", false, true,
		    true, true, 1, "3 AddIndexConcurrently t is not done" },
		{ "t: n integer!, m text?; index i(m)", false, false, false,
		    true, 4, "4 RemoveField t is done" },
		{ "t: n integer!, m text?", false, false, false, false, 0,
		    "3 AddIndexConcurrently t is not done, 4 RemoveField t is "
		    "done" },
		{ "t: n integer!, o text?, m text!", false, false, false, false,
		    0, "1 AddField t is half done" },
		{ "t: n integer!, o text?, m text?; index i(m)", true, false,
		    false, true, 3, "" },
		{ "t: n integer!, o text?, m text?", true, false, false, false,
		    2, "" },
		{ "t: n integer!, o text?", true, false, false, true, 0, "" },
	};
	struct arena *a = arena_new();
	struct halfway_cut c;

	for (size_t i = 0; i < countof(v); i++) {
		struct moved *m = stopping(a, schemas);
		struct migration f = *m->m;
		struct vec live = w_vec(a, v[i].live);
		f.tag.repeat = v[i].repeat;
		struct op_list ops = m->m->ops;
		f.ops = ops;
		m->m = &f;
		if (v[i].invalid)
			((struct con *)(uintptr_t)&live.v[0]->cons[0])
			    ->invalid = true;
		halfway_cut(&c, a, m, &live, v[i].back);
		ok(c.sure == v[i].sure && (!c.sure || (int)c.at == v[i].at) &&
		    strstr(c.text, v[i].words) != NULL &&
		    (c.ninvalid == 1) == v[i].invalid, "stopped at %s%s: %u, %s",
		    v[i].live, v[i].back ? " on the way back" : "", c.at,
		    c.text);
		if (i == 1)
			is(c.by_hand, "statement 3; statement 4",
			    "what is left, by hand");
	}
	arena_free(a);
}

int
main(void)
{
	struct scene x = known();

	x.f.judged = &x.j;
	known_forward(&x);
	known_back(&x);
	known_wrong(&x);
	known_migrate(&x);
	known_first(&x);
	arena_free(x.a);
	known_stopped();
	property();
	return done_testing();
}

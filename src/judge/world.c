#include "judge/world.h"

#include <string.h>

#include "base/util.h"
#include "judge/judge.h"

struct turn {			/* one operation on one world */
	struct arena *a;
	const struct settings *s;
	const struct migration *m;
	const struct op *op;
	struct world before, after;
	struct models wanted;	/* of which models before.want speaks */
	bool end;		/* only what comes of it: no way back */
	struct models *next;	/* NULL, or where after.models may be written */
	bool maybe;		/* it may not stand there at all */
	struct change *out;
};

/* What the models want is asked for at few of the instants between two
 * operations: it is worked out there. */
static void
want_now(struct turn *t, struct world *w)
{
	w->want = want_next(t->a, &w->want, &t->wanted, &w->models, t->s);
	t->wanted = w->models;
}

static struct lower
way(struct turn *t, struct arena *scratch, bool back)
{
	const struct world *from = back ? &t->after : &t->before;
	const struct world *to = back ? &t->before : &t->after;

	return (struct lower){ .a = t->a, .scratch = scratch, .s = t->s, .op = t->op,
		.app = t->m->app, .from = { t->a, &from->models, t->s },
		.to = { t->a, &to->models, t->s }, .back = back, .mute = t->end,
		.have = from->have, .by_hand = from->by_hand };
}

static const char open_condition[] =
    "it stands under a condition that cannot be decided here";

static void
explain(struct change *c, enum opaque why, sym note)
{
	if (c->why != OPAQUE_NOT || why == OPAQUE_NOT)
		return;
	c->why = why;
	c->note = note;
}

static bool
same_con(const struct con *x, const struct con *y)
{
	if (x->kind != y->kind || x->ncols != y->ncols ||
	    !streq(x->opclass, y->opclass))
		return false;
	if (!y->generated)
		return streq(x->name, y->name);
	for (uint16_t i = 0; i < x->ncols; i++)
		if (!streq(x->cols[i], y->cols[i]))
			return false;
	return true;
}

/* The table as the code wants it; what is there already stays as it is, and so
 * does a column that code had left before. */
static const struct table *
trusted(struct turn *t, const struct table *want)
{
	const struct table *have = vec_find(&t->after.have, want->name);
	const struct table *was = vec_find(&t->before.want, want->name);
	struct table *x = arena_copy(t->a, want, sizeof(*want));
	uint16_t more = have != NULL && was != NULL ? have->ncols : 0;
	struct column *cols = arena_array(t->a, struct column,
	    want->ncols + more + 1u);
	struct con *cons = arena_copy(t->a, want->cons,
	    want->ncons * sizeof(*cons));

	if (want->ncols > 0)
		memcpy(cols, want->cols, want->ncols * sizeof(*cols));
	for (uint16_t i = 0; i < more; i++)
		if (table_col(want, have->cols[i].name) == NULL &&
		    table_col(was, have->cols[i].name) == NULL)
			cols[x->ncols++] = have->cols[i];
	for (uint16_t i = 0; have != NULL && i < want->ncols; i++) {
		const struct column *c = table_col(have, cols[i].name);

		if (c != NULL && streq(c->type, cols[i].type) &&
		    c->notnull == cols[i].notnull)
			cols[i] = *c;
	}
	for (uint16_t i = 0; have != NULL && i < x->ncons; i++)
		for (uint16_t k = 0; k < have->ncons; k++)
			if (same_con(&have->cons[k], &want->cons[i]))
				cons[i] = have->cons[k];
	cons_sort(cons, x->ncons);
	x->cols = cols;
	x->cons = cons;
	x->model = NULL;
	x->trusted = true;
	return x;
}

/* Unread statements: what they did to the tables that the state changed is
 * taken from the code, and marked, so that one blind spot does not spread. */
static void
trust(struct turn *t)
{
	if (t->before.models.v == t->after.models.v)
		return;
	want_now(t, &t->before);
	t->after.want = t->before.want;
	want_now(t, &t->after);
	struct names n = vec_touched(t->a, &t->before.want, &t->after.want);

	for (uint32_t i = 0; i < n.n; i++) {
		const struct table *w = vec_find(&t->after.want, n.v[i]);

		t->after.have = w == NULL ?
		    vec_drop(t->a, t->after.have, n.v[i]) :
		    vec_put(t->a, t->after.have, trusted(t, w));
	}
}

static bool
one_way(const struct op *op)
{
	switch (op->kind) {
	case OP_RUN_SQL:
	case OP_RUN_PYTHON:
	case OP_OPAQUE:
		return !op->reversible;
	default:
		return false;
	}
}

/* 2: what the app's models are is not known; 1: what its tables are; 0. */
static int
doubted(const struct world *w, sym app)
{
	int most = 0;

	for (const struct doubt *d = w->doubts; d != NULL && most < 2;
	    d = d->next)
		if (d->app == app)
			most = d->models ? 2 : 1;
	return most;
}

static void
doubt(struct turn *t, bool models)
{
	if (doubted(&t->after, t->m->app) > models)
		return;
	struct doubt *d = arena_make(t->a, struct doubt);

	*d = (struct doubt){ t->after.doubts, t->m->app, models };
	t->after.doubts = d;
}

/* Is it a mistake for sure, which no tag makes good? */
static void
stop(struct turn *t, struct change *c, const struct lower *f, sym why,
    enum mistake kind)
{
	bool sql = t->op->kind == OP_RUN_SQL && why == NULL;
	int known = sql ? 2 : 2 - doubted(&t->before, t->m->app);

	if (t->maybe || known == 0 || t->m->nproblems > 0)
		return;
	if (why == NULL)
		c->stops = f != NULL ? f->stops : NULL;
	else if (kind == MISTAKE_STATE || kind == MISTAKE_RUN)
		c->stops = sym_printf(t->a, "%s: Django stops there; take the "
		    "operation out, or let what it needs come before it", why);
	else if (kind == MISTAKE_TWICE && known == 2 && f != NULL &&
	    f->missing != NULL)
		c->stops = sym_printf(t->a, "%s: PostgreSQL stops there; take "
		    "one of the two out", why);
}

/* PostgreSQL changes the type of no column from which another is generated. */
static sym
generated_from(struct turn *t, const struct ddl *d)
{
	const struct table *x = d->kind == DDL_TYPE && !t->op->maybe ?
	    vec_find(&t->after.have, d->table) : NULL;

	if (x == NULL || x->trusted || doubted(&t->before, t->m->app) > 0)
		return NULL;
	for (uint16_t i = 0; i < x->ncols; i++)
		if (x->cols[i].dflt == DFLT_GENERATED &&
		    ident_in(x->cols[i].dflt_sql, d->name))
			return sym_printf(t->a, "\"%s\".\"%s\" is generated "
			    "from \"%s\": PostgreSQL does not change its type; "
			    "remove \"%s\" before it, and add it again after "
			    "it", d->table, x->cols[i].name, d->name,
			    x->cols[i].name);
	return NULL;
}

/* A view that the database has: PostgreSQL changes the type of none of its
 * columns, and drops one with CASCADE only. */
static sym
of_view(struct turn *t, const struct ddl *d, const struct by_hand *who)
{
	if (who == NULL || !who->live || t->maybe || (d->kind != DDL_TYPE &&
	    ((d->kind != DDL_DROP_COLUMN && d->kind != DDL_DROP_TABLE) ||
	    d->cascade)))
		return NULL;
	return sym_printf(t->a, "the view \"%s\" of the database uses "
	    "\"%s\".\"%s\": PostgreSQL stops there; drop the view before it, "
	    "and make it again after it", who->name, d->table, d->name != NULL ?
	    d->name : "*");
}

static void
turn(struct turn *t)
{
	struct change *c = t->out;
	enum mistake kind = MISTAKE_UNREAD;

	if (t->next != NULL) {
		t->after.models.own = t->next->own;
		t->after.models.room = t->next->room;
	}
	sym why = code_apply(&t->after.models, &t->before.models, t->op, t->m,
	    t->s, t->a, &kind);

	struct lower f = way(t, t->a, false);
	lower_op(&f);
	t->after.have = f.have;
	if (t->maybe)
		explain(c, OPAQUE_OPERATION, open_condition);
	explain(c, f.why, f.note);
	explain(c, why != NULL ? OPAQUE_STATE : OPAQUE_NOT, why);
	explain(c, f.missing != NULL ? OPAQUE_STATE : OPAQUE_NOT, f.missing);
	sym view = NULL;
	c->fwd = (struct ddls){ f.out.v, f.out.n };
	for (uint32_t i = 0; i < c->fwd.n; i++) {
		const struct by_hand *who = NULL;
		sym odd = by_hand_odd(t->a, t->after.by_hand, &c->fwd.v[i]);
		sym used = by_hand(t->a, &t->after.by_hand, &c->fwd.v[i], &who);
		explain(c, odd != NULL ? OPAQUE_TRIGGER : OPAQUE_NOT, odd);
		if (c->why == OPAQUE_NOT)
			c->held = who;
		explain(c, used != NULL ? OPAQUE_STATE : OPAQUE_NOT, used);
		if (view == NULL)
			view = of_view(t, &c->fwd.v[i], who);
	}
	stop(t, c, &f, why, kind);
	if (c->stops == NULL)
		c->stops = view;
	for (uint32_t i = 0; i < c->fwd.n && c->stops == NULL; i++)
		c->stops = generated_from(t, &c->fwd.v[i]);
	if (c->why != OPAQUE_NOT)
		doubt(t, why != NULL || t->maybe || t->m->nproblems > 0);
	c->irreversible = one_way(t->op);
	if (c->why == OPAQUE_SQL || c->why == OPAQUE_FIELD || t->maybe)
		trust(t);
	if (c->irreversible || t->end)
		return;
	struct arena *scratch = arena_new();	/* nobody goes on from there */
	struct lower r = way(t, scratch, true);
	lower_op(&r);
	arena_free(scratch);
	c->rev = (struct ddls){ r.out.v, r.out.n };
	c->rev_why = r.why;
	c->rev_note = r.note;
	if (r.missing != NULL && r.why == OPAQUE_NOT) {
		c->rev_why = OPAQUE_STATE;
		c->rev_note = r.missing;
	}
}

/* Versions that nobody told: the current long-term one, Debian's. */
static const struct settings *
known(struct arena *a, const struct settings *s)
{
	if (s->django != 0 && s->server != 0)
		return s;
	struct settings *n = arena_copy(a, s, sizeof(*s));
	n->django = s->django != 0 ? s->django : 502;
	n->server = s->server != 0 ? s->server : 15;
	return n;
}

/* ---- SeparateDatabaseAndState ---- */

struct changes { struct change *v; uint32_t n, cap; };
struct schemas { struct schema *v; uint32_t n, cap; };

static void run(struct turn *t, struct changes *out, struct schemas *steps);

/* Database operations run on a scratch copy of the code; what stays of them
 * is the schema. Then the state's, which touch the code alone. */
static void
separate(struct turn *t, struct changes *out, struct schemas *steps)
{
	struct world scratch = t->before, now = t->before;
	struct models wanted = t->wanted;
	struct change *whole;
	bool unread = false;

	for (uint32_t i = 0; i < t->op->db.n; i++) {
		struct turn sub = { .a = t->a, .s = t->s, .m = t->m,
			.op = &t->op->db.v[i], .before = scratch,
			.after = scratch, .wanted = wanted, .end = t->end };
		sub.maybe = t->maybe || sub.op->maybe;
		uint32_t first = out->n;

		run(&sub, out, NULL);
		scratch = sub.after;
		wanted = sub.wanted;
		now.have = scratch.have;
		now.by_hand = scratch.by_hand;
		now.doubts = scratch.doubts;
		for (; first < out->n; first++) {
			unread = unread || out->v[first].why == OPAQUE_SQL ||
			    out->v[first].why == OPAQUE_PYTHON ||
			    out->v[first].why == OPAQUE_OPERATION;
			if (steps != NULL)
				list_add(t->a, steps)->have = now.have;
		}
	}
	t->after = now;
	t->before = now;
	enum mistake kind = MISTAKE_UNREAD;
	sym why = code_apply(&t->after.models, &t->before.models, t->op, t->m,
	    t->s, t->a, &kind);
	whole = list_add(t->a, out);
	whole->op = t->op;
	if (t->maybe)
		explain(whole, OPAQUE_OPERATION, open_condition);
	if (why != NULL) {
		explain(whole, OPAQUE_STATE, why);
		stop(t, whole, NULL, why, kind);
		doubt(t, true);
	}
	if (t->maybe)
		doubt(t, true);
	if (unread || t->maybe)
		trust(t);
	if (steps != NULL)
		list_add(t->a, steps)->have = t->after.have;
}

static void
run(struct turn *t, struct changes *out, struct schemas *steps)
{
	t->after = t->before;
	if (t->op->kind == OP_SEPARATE) {
		separate(t, out, steps);
		return;
	}
	struct change *c = list_add(t->a, out);
	c->op = t->op;
	t->out = c;
	turn(t);
	if (steps != NULL)
		list_add(t->a, steps)->have = t->after.have;
}

static struct ddls
joined(struct arena *a, struct ddls x, struct ddls y)
{
	struct ddl *v = arena_array(a, struct ddl, x.n + y.n + 1u);

	if (x.n > 0)
		memcpy(v, x.v, x.n * sizeof(*v));
	if (y.n > 0)
		memcpy(v + x.n, y.v, y.n * sizeof(*v));
	return (struct ddls){ v, x.n + y.n };
}

void
world_apply(struct world *w, struct change *out, const struct op *op,
    const struct migration *m, const struct settings *s, struct arena *a)
{
	struct turn t = { .a = a, .s = known(a, s), .m = m, .op = op,
		.before = *w, .wanted = w->models,
		.maybe = op->maybe || op->not_in != 0 };
	struct changes all = { 0 };

	run(&t, &all, NULL);
	want_now(&t, &t.after);
	*w = t.after;
	memset(out, 0, sizeof(*out));
	out->op = op;
	for (uint32_t i = 0; i < all.n; i++) {
		out->fwd = joined(a, out->fwd, all.v[i].fwd);
		out->rev = joined(a, all.v[i].rev, out->rev);
		out->irreversible = out->irreversible || all.v[i].irreversible;
		explain(out, all.v[i].why, all.v[i].note);
		if (out->rev_why == OPAQUE_NOT) {
			out->rev_why = all.v[i].rev_why;
			out->rev_note = all.v[i].rev_note;
		}
	}
}

/* ---- many migrations ---- */

/* The worlds of a file that are as the conditions are taken to be. */
static uint8_t
worlds_open(const struct migration *m, const struct settings *s)
{
	uint8_t open = ALL_WORLDS;

	for (uint32_t i = 0; i < m->nconds; i++)
		for (uint32_t k = 0; k < s->nchoices; k++) {
			if (!streq(s->choices[k].id, m->conds[i].id))
				continue;
			for (uint32_t w = 0; w < WORLDS; w++)
				if ((w >> i & 1) != s->choices[k].holds)
					open &= (uint8_t)~(1u << w);
		}
	return open;
}

/* Does the operation stand in them? *maybe: in some of them. */
static bool
stands(const struct op *op, uint8_t open, bool *maybe)
{
	*maybe = op->maybe || (op->not_in & open) != 0;
	return (open & ~op->not_in) != 0;
}

/* Django makes some constraints and indexes when all operations are done;
 * until then SQL that names one finds nothing. */
static void
not_yet(struct arena *a, struct changes *all, uint32_t at)
{
	struct change *c = &all->v[at];

	for (uint32_t k = 0; k < c->fwd.n; k++) {
		const struct ddl *d = &c->fwd.v[k];
		bool names = d->kind == DDL_DROP_CON ||
		    d->kind == DDL_RENAME_CON || d->kind == DDL_VALIDATE;

		for (uint32_t i = 0; names && i < at; i++)
			for (uint32_t n = 0; n < all->v[i].fwd.n; n++) {
				const struct ddl *x = &all->v[i].fwd.v[n];

				if (x->deferred && x->con != NULL &&
				    streq(x->con->name, d->name))
					explain(c, OPAQUE_STATE, sym_printf(a,
					    "\"%s\" is not there yet: Django "
					    "makes it at the end of the "
					    "migration", d->name));
			}
	}
}

/* A trigger that goes later in the same transaction holds nothing. */
static void
let_go(struct changes *all, const struct migration *m,
    const struct by_hand *list)
{
	for (uint32_t i = 0; m->atomic && i < all->n; i++) {
		struct change *c = &all->v[i];

		if (c->held == NULL || !by_hand_free(list, c->held))
			continue;
		c->why = OPAQUE_NOT;
		c->note = NULL;
		c->held = NULL;
	}
}

/* The value that a statement gives an enum, and one that speaks of it in the
 * same transaction: PostgreSQL refuses it until that has ended. */
static void
too_new(struct arena *a, struct changes *all, uint32_t at, bool atomic)
{
	struct change *c = &all->v[at];
	sym value = NULL;

	for (uint32_t i = atomic ? 0 : at; i <= at; i++)
		for (uint32_t k = 0; k < all->v[i].fwd.n; k++) {
			const struct ddl *d = &all->v[i].fwd.v[k];

			if (i == at && value != NULL && d->sql != NULL &&
			    (atomic || d->joined) && strstr(d->sql,
			    value) != NULL)
				explain(c, OPAQUE_STATE, sym_printf(a, "it "
				    "speaks of %s, which an enum may use only "
				    "when the transaction that adds it has "
				    "ended", value));
			if (d->setting == SETTING_VALUE)
				value = sym_printf(a, "'%s'", d->name);
		}
}

void
replay_from(struct replay *out, struct arena *a, const struct world *base,
    const struct migration *const *order, uint32_t n,
    const struct settings *s)
{
	struct world w = *base;

	s = known(a, s);
	memset(out, 0, sizeof(*out));
	out->v = arena_array(a, struct moved, n + 1u);
	out->n = n;
	for (uint32_t i = 0; i < n; i++) {
		struct moved *v = &out->v[i];
		struct changes changes = { 0 };
		struct schemas steps = { 0 };
		struct turn t = { .a = a, .s = s, .m = order[i],
			.wanted = w.models };

		uint8_t open = worlds_open(order[i], s);

		v->m = order[i];
		v->before = w;
		for (uint32_t k = 0; k < v->m->ops.n; k++) {
			t.op = &v->m->ops.v[k];
			if (!stands(t.op, open, &t.maybe))
				continue;
			t.before = w;
			run(&t, &changes, &steps);
			w = t.after;
		}
		let_go(&changes, v->m, w.by_hand);
		reborn(a, changes.v, changes.n);
		for (uint32_t k = 0; k < changes.n; k++) {
			if (changes.v[k].op->kind != OP_RUN_SQL)
				continue;
			not_yet(a, &changes, k);
			too_new(a, &changes, k, order[i]->atomic);
		}
		want_now(&t, &w);
		v->after = w;
		v->steps = steps.v;
		v->changes = changes.v;
		v->nchanges = changes.n;
	}
	out->end = w;
}

void
replay_run(struct replay *out, struct arena *a,
    const struct migration *const *order, uint32_t n,
    const struct settings *s)
{
	struct world empty = { 0 };

	replay_from(out, a, &empty, order, n, s);
}

void
replay_end(struct world *out, struct arena *a,
    const struct migration *const *order, uint32_t n,
    const struct settings *s)
{
	struct turn t = { .a = a, .s = known(a, s), .end = true };
	struct changes changes = { 0 };
	/* of an operation are kept the models before it and those after it */
	struct models turns[2] = { models_own(a), models_own(a) };

	*out = (struct world){ .have = vec_own(a, (struct vec){ 0 }) };
	for (uint32_t i = 0; i < n; i++) {
		uint8_t open = worlds_open(order[i], s);

		for (uint32_t k = 0; k < order[i]->ops.n; k++) {
			t.m = order[i];
			t.op = &order[i]->ops.v[k];
			if (!stands(t.op, open, &t.maybe))
				continue;
			t.before = *out;
			t.next = &turns[out->models.v == turns[0].own];
			if (t.wanted.v == t.next->own)
				*t.next = models_own(a);
			run(&t, &changes, NULL);
			*out = t.after;
			if (out->models.own != NULL)
				*t.next = out->models;
			out->models.own = NULL;
			memset(changes.v, 0, changes.n * sizeof(*changes.v));
			changes.n = 0;
		}
	}
	out->have.own = NULL;
	want_now(&t, out);
}

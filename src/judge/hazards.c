/* Hazards of a whole migration: its statements' locks, and what follows from
 * their being in one transaction. */
#include "judge/hazards.h"

#include <string.h>

#include "base/util.h"

static struct hazard *
hazard(struct locking *l, sym table, const char *code, sym text, uint32_t line)
{
	struct hazard *h = list_add(l->a, &l->out);

	h->table = table;
	h->lock = "";
	h->code = sym_get(l->a, code);
	h->text = text;
	h->line = line;
	return h;
}

static bool
grows(const struct hazard *h)
{
	return h->scan || h->rewrite || h->build || h->update;
}

/* What takes its time with or after the lock x, and does not say itself that others
 * wait for that table meanwhile; n: nothing. */
static uint32_t
holds_up(const struct locking *l, uint32_t x, uint32_t n)
{
	const struct hazard *h = &l->out.v[x];

	for (uint32_t i = 0; i < n; i++) {
		const struct hazard *g = &l->out.v[i];

		if (i != x && grows(g) && g->at >= h->at &&
		    !((h->blocks_reads ? g->blocks_reads : g->blocks_writes) &&
		    streq(g->table, h->table)))
			return i;
	}
	return n;
}

/* Was the table locked as much before, so that it is told already? */
static bool
locked_before(const struct locking *l, uint32_t x)
{
	const struct hazard *h = &l->out.v[x];

	for (uint32_t k = 0; k < x; k++)
		if (streq(l->out.v[k].table, h->table) &&
		    (h->blocks_reads ? l->out.v[k].blocks_reads :
		    l->out.v[k].blocks_writes))
			return true;
	return false;
}

/* A lock against reads or writes, once taken, is held to the end: what comes
 * after it and takes its time, on whatever table, makes it long. */
static void
held(struct locking *l, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct hazard h = l->out.v[i];
		uint32_t by = !h.blocks_writes || grows(&h) ||
		    locked_before(l, i) ? n : holds_up(l, i, n);

		if (by == n)
			continue;
		const struct hazard *g = &l->out.v[by];
		bool same = streq(g->table, h.table);
		sym text = sym_printf(l->a, "locks \"%s\" against %s (line %u) "
		    "and keeps it so while line %u takes its time%s%s%s in the "
		    "same transaction", h.table, h.blocks_reads ? "reads" :
		    "writes", h.line, g->line, same ? "" : " over \"", same ?
		    "" : g->table, same ? "" : "\"");
		struct hazard *long_one = hazard(l, h.table, "lock-held", text,
		    g->line);
		long_one->blocks_writes = true;
		long_one->blocks_reads = h.blocks_reads;
	}
}

static bool
changes_schema(const struct ddl *d)
{
	return d->kind >= DDL_CREATE_TABLE && d->kind <= DDL_VALIDATE;
}

static void
data_beside_schema(struct locking *l, const struct moved *m)
{
	uint32_t data = 0, schema = 0;

	for (uint32_t i = 0; i < m->nchanges; i++) {
		const struct change *c = &m->changes[i];
		uint32_t line = c->op == NULL ? 1 : c->op->line;

		if (c->why == OPAQUE_PYTHON || c->why == OPAQUE_DATA)
			data = line;
		for (uint32_t k = 0; k < c->fwd.n; k++) {
			if (changes_schema(&c->fwd.v[k]))
				schema = line;
			else if (c->fwd.v[k].kind == DDL_DATA)
				data = line;
		}
	}
	if (data == 0 || schema == 0)
		return;
	hazard(l, NULL, "data-with-schema", sym_printf(l->a, "changes rows (line "
	    "%u) and tables (line %u) in one transaction: the locks are held "
	    "while the rows are written, and pending trigger events can fail "
	    "it; put them into two migrations", data, schema), data);
}

static uint32_t
line_of(const struct change *c, const struct ddl *d)
{
	return d != NULL && d->line != 0 ? d->line : c->op == NULL ? 0 :
	    c->op->line;
}

static void
concurrently(struct locking *l, const struct moved *m)
{
	for (uint32_t i = 0; i < m->nchanges; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++) {
			const struct ddls *f = &m->changes[i].fwd;
			const struct ddl *d = &f->v[k];
			bool joined = d->joined ||
			    (k + 1 < f->n && f->v[k + 1].joined);

			const char *what = d->alone != NULL ? d->alone :
			    d->concurrently ? "CONCURRENTLY" : NULL;

			if (what == NULL || (!m->m->atomic && !joined))
				continue;
			hazard(l, d->table, "concurrently-in-transaction",
			    sym_printf(l->a, m->m->atomic ? "%s cannot "
			    "run inside a transaction: write atomic = False "
			    "into the migration" : "%s cannot run "
			    "beside other statements of one text: that is a "
			    "transaction; give it a RunSQL of its own", what),
			    line_of(&m->changes[i], d));
			return;
		}
}

/* Is what statement `at` of `change` sets reset, or set LOCAL, after it? */
static bool
put_back(const struct moved *m, uint32_t change, uint32_t at)
{
	sym name = m->changes[change].fwd.v[at].name;

	for (uint32_t i = change; i < m->nchanges; i++)
		for (uint32_t k = i == change ? at + 1 : 0;
		    k < m->changes[i].fwd.n; k++) {
			const struct ddl *d = &m->changes[i].fwd.v[k];

			if (d->setting != SETTING_NOT && d->name == name)
				return true;
		}
	return false;
}

/* Rows written all at once: locked until the end, and twice the space. */
static void
whole_writes(struct locking *l, const struct moved *m)
{
	for (uint32_t i = 0; i < m->nchanges; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++) {
			const struct ddl *d = &m->changes[i].fwd.v[k];

			if (!d->every || vec_find(&m->before.have,
			    d->table) == NULL)
				continue;
			hazard(l, d->table, "whole-table-write",
			    sym_printf(l->a, "writes every row of \"%s\" in one "
			    "statement: others wait for them until it is "
			    "done; write in batches", d->table),
			    line_of(&m->changes[i], d));
		}
	if (m->m->whole_write != 0)
		hazard(l, NULL, "whole-table-write", sym_get(l->a, "seems to "
		    "write every row of a table in one transaction: others "
		    "wait for them until it is done; write in batches"),
		    m->m->whole_write);
}

/* SET of how long one waits: does it last too long, or not at all? */
static void
settings(struct locking *l, const struct moved *m)
{
	for (uint32_t i = 0; i < m->nchanges; i++) {
		const struct ddls *f = &m->changes[i].fwd;

		for (uint32_t k = 0; k < f->n; k++) {
			const struct ddl *d = &f->v[k];
			bool joined = d->joined ||
			    (k + 1 < f->n && f->v[k + 1].joined);
			bool stays = d->setting == SETTING_STAYS &&
			    !put_back(m, i, k);
			bool lost = d->setting == SETTING_LOCAL &&
			    !m->m->atomic && !joined;

			if ((!stays && !lost) ||
			    !ends_with(d->name, "_timeout"))
				continue;
			hazard(l, NULL, "setting", sym_printf(l->a, stays ?
			    "SET %s holds for the migrations after this one "
			    "too: SET LOCAL, or RESET it at the end" :
			    "SET LOCAL %s does nothing outside of a "
			    "transaction: SET it, and RESET it at the end",
			    d->name), line_of(&m->changes[i], d));
		}
	}
}

static void
no_way_back(struct locking *l, const struct moved *m)
{
	for (uint32_t i = 0; i < m->nchanges; i++) {
		const struct change *c = &m->changes[i];

		if (!c->irreversible || c->op == NULL)
			continue;
		hazard(l, NULL, "no-way-back", sym_get(l->a,
		    c->op->kind == OP_RUN_PYTHON ? "RunPython without "
		    "reverse_code: a rollback ends here; migrations.RunPython"
		    ".noop, where nothing has to be undone" :
		    c->op->kind == OP_RUN_SQL ? "RunSQL without reverse_sql: a "
		    "rollback ends here; migrations.RunSQL.noop, where nothing "
		    "has to be undone" : "cannot be undone: a rollback ends "
		    "here"), c->op->line);
		return;
	}
}

/* Nothing to do, and no branches to join. */
static void
no_effect(struct locking *l, const struct moved *m)
{
	bool noop = true;

	for (uint32_t i = 0; i < m->m->ops.n; i++)
		noop &= m->m->ops.v[i].noop;
	for (uint32_t i = 0; i < m->nchanges; i++)
		noop &= m->changes[i].fwd.n == 0;
	if (noop && m->m->ndeps < 2 && m->m->nreplaces == 0 &&
	    m->m->nproblems == 0)
		hazard(l, NULL, "no-effect", sym_get(l->a,
		    "does nothing: it can be left out"), 0);
}

static void
long_names(struct locking *l, const struct ddl *d)
{
	const sym names[] = { d->kind == DDL_CREATE_TABLE ? d->table : NULL,
	    d->to, d->col != NULL ? d->col->name : NULL,
	    d->con != NULL ? d->con->name : NULL };

	for (size_t i = 0; i < countof(names); i++)
		if (names[i] != NULL && strlen(names[i]) > 63)
			hazard(l, d->table, "long-name", sym_printf(l->a,
			    "\"%s\" is longer than 63 bytes: PostgreSQL cuts "
			    "it", names[i]), d->line);
}

/* AddField(unique=True, default=callable): evaluated once, so every row gets
 * the same value and the second one fails. */
static void
one_value_for_all(struct locking *l, const struct moved *m,
    const struct ddl *d)
{
	const struct table *t = d->kind != DDL_ADD_COLUMN ? NULL :
	    vec_find(&m->after.have, d->table);

	if (t == NULL || d->col == NULL || d->col->dflt != DFLT_CONST ||
	    vec_find(&m->before.have, d->table) == NULL)
		return;
	for (uint16_t i = 0; i < t->ncons; i++)
		if (con_is_unique(&t->cons[i]) && t->cons[i].ncols == 1 &&
		    streq(t->cons[i].cols[0], d->col->name) &&
		    t->cons[i].where == NULL)
			hazard(l, d->table, "same-value-unique", sym_printf(l->a,
			    "gives every row of \"%s\" the same \"%s\", which "
			    "is unique: it fails where there are two rows",
			    d->table, d->col->name), d->line);
}

static bool
same_lock(const struct hazard *x, const struct hazard *y)
{
	return streq(x->table, y->table) && streq(x->lock, y->lock) &&
	    streq(x->code, y->code) && streq(x->text, y->text) &&
	    x->line == y->line;
}

static void
once(struct locking *l)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < l->out.n; i++) {
		bool seen = false;

		for (uint32_t k = 0; !seen && k < kept; k++)
			seen = same_lock(&l->out.v[i], &l->out.v[k]);
		if (!seen)
			l->out.v[kept++] = l->out.v[i];
	}
	l->out.n = kept;
}

/* What is better written another way, whatever it locks. */
static void
habits(struct locking *l, const struct moved *m)
{
	concurrently(l, m);
	whole_writes(l, m);
	settings(l, m);
	no_way_back(l, m);
	no_effect(l, m);
	if (m->m->model_import != 0)
		hazard(l, NULL, "imports-model", sym_get(l->a, "imports a "
		    "model: that is the newest one, not the one of this "
		    "migration; use apps.get_model"), m->m->model_import);
}

/* The statements, last operation first on the way back. */
static void
locks(struct locking *l, const struct moved *m, bool back)
{
	for (uint32_t i = 0; i < m->nchanges; i++) {
		uint32_t at = back ? m->nchanges - 1 - i : i;
		const struct change *c = &m->changes[at];

		if (m->steps != NULL && (back || at > 0))
			l->have = m->steps[back ? at : at - 1].have;
		locks_change(l, back ? &c->rev : &c->fwd, c->op == NULL ? 0 :
		    c->op->line);
	}
}

void
hazards(struct arena *a, struct hazard **out, uint32_t *n,
    const struct moved *m, bool back)
{
	struct locking l = { .a = a, .steps = m->steps != NULL,
		.have = back ? m->after.have : m->before.have };

	locks(&l, m, back);
	for (uint32_t i = 0; !back && i < m->nchanges; i++)
		for (uint32_t k = 0; k < m->changes[i].fwd.n; k++) {
			long_names(&l, &m->changes[i].fwd.v[k]);
			one_value_for_all(&l, m, &m->changes[i].fwd.v[k]);
		}
	if (m->m->atomic) {
		held(&l, l.out.n);
		if (!back)
			data_beside_schema(&l, m);
	}
	if (!back)
		habits(&l, m);
	once(&l);
	*out = l.out.v;
	*n = l.out.n;
}

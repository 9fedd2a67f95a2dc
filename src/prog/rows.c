/* Rows that a pending migration would fail on, counted before anything is
 * touched: in a transaction that only reads, and not for long. */
#include "prog/load.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"

CLEANUP_FN(struct pg_rows, pg_rows_free)

#define READ_ONLY "BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'; " \
    "SET LOCAL lock_timeout = '2s'"

/* 1: *n rows do not fit. 0: it cannot be said (what is asked about comes
 * with an earlier migration, or the answer takes too long). */
static int
count(struct pg *db, const char *query, int64_t *n, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	struct err why = ERR_INIT;

	if (pg_script(db, READ_ONLY, e) < 0)
		return -1;
	int got = pg_exec(db, &r, query, NULL, 0, &why);
	if (got >= 0)
		*n = pg_int(r, 0, 0);
	else if (pg_state(db)[0] == '\0')
		return err_set(e, "%s", why.msg);
	if (pg_script(db, "ROLLBACK", e) < 0)
		return -1;
	return got >= 0;
}

/* Something before it that nobody could read may mend the rows. */
static bool
may_mend(const struct judgement *j, uint32_t before)
{
	for (uint32_t i = 0; i < before; i++)
		if (j->v[i].opaque)
			return true;
	return false;
}

static void
note(struct plan *p, struct arena *a, bool refuse, sym text)
{
	struct plan_note *v = arena_array(a, struct plan_note, p->nnotes + 1);

	if (p->nnotes > 0)
		memcpy(v, p->notes, p->nnotes * sizeof(*v));
	if (refuse)
		v[p->nnotes].kind = NOTE_REFUSE;
	else
		v[p->nnotes].kind = NOTE_WARN;
	v[p->nnotes].text = text;
	p->notes = v;
	p->nnotes++;
}

static void
tell(struct site *s, const struct judgement *j, uint32_t k,
    const struct precondition *row, int64_t n, struct plan *p)
{
	static const char *const what[] = {
		"no value for", "duplicates by", "rejected by", "no parent by",
		"too large for",
	};
	const struct migration *m = j->v[k].m;
	bool mends = may_mend(j, k);

	note(p, s->a, !mends, sym_printf(s->a, "%s.%s would fail on %" PRId64
	    " row%s of \"%s\": %s \"%s\"%s%s (%s)", m->app, m->name, n,
	    n == 1 ? "" : "s", row->table, what[row->kind], row->name,
	    mends ? ", unless a migration before it mends them" : "",
	    row->old_code_violates ?
	    "; deployed code can write more of them" : "", row->query));
}

int
site_stopped(struct site *s, const struct judged *j, struct plan *p,
    struct err *e)
{
	for (uint32_t k = 0; k < j->j.n; k++) {
		const struct migration *m = j->j.v[k].m;
		sym said = NULL;
		int got = m->atomic ? 0 : ledger_stopped(s->db, s->a,
		    s->target->name, sym_printf(s->a, "%s.%s", m->app,
		    m->name), &said, e);
		if (got < 0)
			return -1;
		if (got > 0)
			note(p, s->a, true, sym_printf(s->a, "%s.%s is not "
			    "atomic, was begun by a deploy before and did not "
			    "get to its end%s%s: take back by hand what it "
			    "did, or do the rest and record it (manage.py "
			    "migrate --fake %s %s)", m->app, m->name,
			    *said == '\0' ? "" : ": ", said, m->app, m->name));
	}
	return 0;
}

int
site_rows(struct site *s, const struct judged *j, struct plan *p,
    struct err *e)
{
	for (uint32_t k = 0; k < j->j.n; k++)
		for (uint32_t i = 0; i < j->j.v[k].nrows; i++) {
			int64_t n = 0;
			int got = count(s->db, j->j.v[k].rows[i].query, &n, e);

			if (got < 0)
				return -1;
			if (got > 0 && n > 0)
				tell(s, &j->j, k, &j->j.v[k].rows[i], n, p);
		}
	return 0;
}

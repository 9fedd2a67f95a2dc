/* The ledger's runs and their steps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/act.h"
#include "act/ledger.h"

/* Columns of the rows to come, as array literals. */
enum { SEQ, WAVE, LANE, KIND, SUBJECT, WANT, PHASE, STATUS, NCOLS };
#define RUN 10			/* parameters before them */

static int
word_index(const char *const *v, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (streq(v[i], s))
			return (int)i;
	return -1;
}

static void
add_step(struct strbuf col[NCOLS], const struct step *s)
{
	char seq[12], wave[12];

	snprintf(seq, sizeof(seq), "%" PRIu32, s->seq);
	snprintf(wave, sizeof(wave), "%" PRIu32, s->wave);
	pg_array_add(&col[SEQ], seq);
	pg_array_add(&col[WAVE], wave);
	pg_array_add(&col[LANE], s->lane);
	pg_array_add(&col[KIND], step_kind_name[s->kind]);
	pg_array_add(&col[SUBJECT], s->subject);
	pg_array_add(&col[WANT], s->want);
	pg_array_add(&col[PHASE], s->phase == NULL ? "" : s->phase);
	pg_array_add(&col[STATUS], step_status_name[s->status]);
}

static const char run_new_sql[] =
	"WITH r AS (INSERT INTO sluice.run "
	"(target, kind, \"from\", \"to\", status, who, why, digest, serial, "
	"goal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::bigint, $10) "
	"RETURNING id), "
	"s AS (INSERT INTO sluice.step "
	"(run, seq, wave, lane, kind, subject, want, phase, status) "
	"SELECT r.id, v.* FROM r, unnest($11::int[], $12::int[], $13::text[],"
	" $14::text[], $15::text[], $16::text[], $17::text[], $18::text[]) "
	"AS v) SELECT id FROM r";

int
ledger_run_new(const struct ledger_pen *w, struct ledger_run *run,
    const struct plan *plan, struct err *e)
{
	struct strbuf col[NCOLS];
	char serial[24];
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	const char *param[RUN + NCOLS] = { w->target, run->kind, run->from,
	    run->to, run->status, run->who, run->why, plan->digest, serial,
	    run->goal };

	for (size_t i = 0; i < RUN; i++)
		if (param[i] == NULL)
			param[i] = i == 4 ? "running" : "";
	snprintf(serial, sizeof(serial), "%" PRId64, run->serial);
	for (size_t i = 0; i < NCOLS; i++)
		col[i] = (struct strbuf)STRBUF_INIT;
	for (uint32_t i = 0; i < plan->n; i++)
		add_step(col, &plan->steps[i]);
	for (size_t i = 0; i < NCOLS; i++) {
		pg_array_end(&col[i]);
		param[RUN + i] = col[i].s;
	}
	int rc = ledger_begin(w, e);
	if (rc == 0)
		rc = ledger_end(w, pg_exec(w->p, &r, run_new_sql, param,
		    RUN + NCOLS, e), e);
	for (size_t i = 0; i < NCOLS; i++)
		strbuf_release(&col[i]);
	if (rc < 0)
		return err_wrap(e, "the ledger, new %s", run->kind);
	run->id = pg_int(r, 0, 0);
	return 0;
}

static const char run_sql[] =
	"SELECT id, kind, \"from\", \"to\", status, who, why, "
	"extract(epoch FROM started)::bigint, "
	"coalesce(extract(epoch FROM ended)::bigint, 0), serial, digest, "
	"coalesce(to_jsonb(run)->>'goal', '') "	/* version 1 has none */
	"FROM sluice.run WHERE target = $1 ORDER BY id DESC LIMIT $2::int";

static void
get_run(struct ledger_run *out, struct arena *a, const struct pg_rows *r,
    int i)
{
	out->id = pg_int(r, i, 0);
	out->kind = sym_get(a, pg_get(r, i, 1));
	out->from = sym_get(a, pg_get(r, i, 2));
	out->to = sym_get(a, pg_get(r, i, 3));
	out->status = sym_get(a, pg_get(r, i, 4));
	out->who = sym_get(a, pg_get(r, i, 5));
	out->why = sym_get(a, pg_get(r, i, 6));
	out->started = pg_int(r, i, 7);
	out->ended = pg_int(r, i, 8);
	out->serial = pg_int(r, i, 9);
	out->goal = sym_get(a, pg_get(r, i, 11));
}

static int
get_step(struct step *s, struct arena *a, const struct pg_rows *r, int i,
    struct err *e)
{
	int kind = word_index(step_kind_name, STEP_PRUNE + 1,
	    pg_get(r, i, 3));
	int status = word_index(step_status_name, STEP_DROPPED + 1,
	    pg_get(r, i, 7));

	if (kind < 0 || status < 0)
		return err_set(e, "step %s is a '%s' that is '%s': this "
		    "Sluice does not know that", pg_get(r, i, 0),
		    pg_get(r, i, 3), pg_get(r, i, 7));
	s->seq = (uint32_t)pg_int(r, i, 0);
	s->wave = (uint32_t)pg_int(r, i, 1);
	s->lane = sym_get(a, pg_get(r, i, 2));
	s->kind = (enum step_kind)kind;
	s->subject = sym_get(a, pg_get(r, i, 4));
	s->want = sym_get(a, pg_get(r, i, 5));
	s->phase = sym_get(a, pg_get(r, i, 6));
	s->status = (enum step_status)status;
	s->began = pg_int(r, i, 8);
	return 0;
}

static int
get_steps(struct pg *p, struct arena *a, int64_t run, struct plan *plan,
    struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	char id[24];
	const char *param[] = { id };

	snprintf(id, sizeof(id), "%" PRId64, run);
	if (pg_exec(p, &r, "SELECT seq, wave, lane, kind, subject, want, "
	    "phase, status, extract(epoch FROM began)::bigint FROM sluice.step WHERE run = $1::bigint "
	    "ORDER BY seq", param, 1, e) < 0)
		return -1;
	plan->n = (uint32_t)pg_count(r);
	plan->steps = arena_array(a, struct step, plan->n);
	for (uint32_t i = 0; i < plan->n; i++)
		if (get_step(&plan->steps[i], a, r, (int)i, e) < 0)
			return -1;
	return 0;
}

int
ledger_run_steps(struct pg *p, struct arena *a, const char *target,
    const struct ledger_run *run, struct plan *plan, struct err *e)
{
	*plan = (struct plan){ .target = sym_get(a, target),
	    .kind = run->kind, .from = run->from, .to = run->to };
	if (get_steps(p, a, run->id, plan, e) < 0)
		return err_wrap(e, "the ledger, run %" PRId64, run->id);
	return 0;
}

int
ledger_run_last(struct pg *p, struct arena *a, const char *target,
    struct ledger_run *out, struct plan *plan, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	const char *param[] = { target, "1" };

	if (pg_exec(p, &r, run_sql, param, 2, e) < 0)
		return err_wrap(e, "the ledger");
	if (pg_count(r) == 0)
		return 0;
	get_run(out, a, r, 0);
	if (plan == NULL)
		return 1;
	if (ledger_run_steps(p, a, target, out, plan, e) < 0)
		return -1;
	snprintf(plan->digest, sizeof(plan->digest), "%s", pg_get(r, 0, 10));
	return 1;
}

int
ledger_stopped(struct pg *p, struct arena *a, const char *target,
    const char *migration, sym *said, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	const char *param[] = { target, migration };

	if (pg_exec(p, &r, "SELECT s.status IN ('doing', 'failed') "
	    "AND s.want = 'applied', coalesce(s.note, '') FROM sluice.step s "
	    "JOIN sluice.run r ON r.id = s.run WHERE r.target = $1 "
	    "AND s.kind = 'migration' AND s.subject = $2 "
	    "AND s.began IS NOT NULL ORDER BY s.run DESC, s.seq DESC LIMIT 1",
	    param, 2, e) < 0)
		return err_wrap(e, "the ledger");
	if (pg_count(r) == 0 || !pg_true(r, 0, 0))
		return 0;
	*said = sym_get(a, pg_get(r, 0, 1));
	return 1;
}

int
ledger_runs(struct pg *p, struct arena *a, const char *target, int most,
    struct ledger_run **out, uint32_t *n, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	char limit[12];
	const char *param[] = { target, limit };

	snprintf(limit, sizeof(limit), "%d", most);
	if (pg_exec(p, &r, run_sql, param, 2, e) < 0)
		return err_wrap(e, "the ledger");
	*n = (uint32_t)pg_count(r);
	*out = arena_array(a, struct ledger_run, *n);
	for (uint32_t i = 0; i < *n; i++)
		get_run(&(*out)[i], a, r, (int)i);
	return 0;
}

/* The lease's row is held: nobody takes it over in between. */
static const char mark_sql[] =
	"WITH l AS MATERIALIZED (SELECT l.serial FROM sluice.run r "
	"JOIN sluice.lease l USING (target) WHERE r.id = $1::bigint "
	"FOR SHARE OF l) "
	"UPDATE sluice.step s SET status = m.status, "
	"note = coalesce(m.note, s.note), "
	"began = CASE WHEN m.status = 'todo' THEN NULL "
	"ELSE coalesce(s.began, clock_timestamp()) END, "
	"ended = CASE WHEN m.status IN ('done', 'failed') "
	"THEN clock_timestamp() END "
	"FROM unnest($2::int[], $3::text[], $4::text[]) "
	"AS m(seq, status, note) WHERE s.run = $1::bigint AND s.seq = m.seq "
	"AND ($5::bigint = 0 OR $5::bigint IN (SELECT serial FROM l))";

/* Of several marks of one step the last one counts. */
static bool
marked_later(const struct ledger_mark *m, uint32_t i, uint32_t n)
{
	for (uint32_t k = i + 1; k < n; k++)
		if (m[k].seq == m[i].seq)
			return true;
	return false;
}

int
ledger_mark(const struct ledger_pen *w, int64_t run,
    const struct ledger_mark *m, uint32_t n, struct err *e)
{
	struct strbuf seq STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf status STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf note STRBUF_SCOPED = STRBUF_INIT;
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	char id[24], own[24], num[12];
	int steps = 0;

	if (n == 0)
		return 0;
	snprintf(id, sizeof(id), "%" PRId64, run);
	snprintf(own, sizeof(own), "%" PRId64, w->serial);
	for (uint32_t i = 0; i < n; i++) {
		if (marked_later(m, i, n))
			continue;
		steps++;
		snprintf(num, sizeof(num), "%" PRIu32, m[i].seq);
		pg_array_add(&seq, num);
		pg_array_add(&status, step_status_name[m[i].status]);
		pg_array_add(&note, m[i].note);
	}
	pg_array_end(&seq);
	pg_array_end(&status);
	pg_array_end(&note);
	const char *param[] = { id, seq.s, status.s, note.s, own };
	if (pg_exec(w->p, &r, mark_sql, param, 5, e) < 0)
		return err_wrap(e, "the ledger, run %" PRId64, run);
	if (pg_affected(r) == 0 && w->serial != 0)
		return err_kind(e, ERR_REFUSED, "the ledger, run %" PRId64
		    ": the lease is another's now (ours was number %" PRId64
		    ")", run, w->serial);
	if (pg_affected(r) != steps)
		return err_set(e, "the ledger, run %" PRId64 ": %d of %d steps "
		    "are there", run, pg_affected(r), steps);
	return 0;
}

int
ledger_run_end(const struct ledger_pen *w, int64_t run, const char *status,
    const char *why, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *rows = NULL;
	char id[24];
	const char *param[] = { id, status, why };

	snprintf(id, sizeof(id), "%" PRId64, run);
	int r = ledger_begin(w, e);
	if (r == 0) {
		r = pg_exec(w->p, &rows, "UPDATE sluice.run SET status = $2, "
		    "why = coalesce($3, why), ended = CASE WHEN $2 IN "
		    "('running', 'soaking') THEN NULL ELSE clock_timestamp() "
		    "END WHERE id = $1::bigint", param, 3, e);
		if (r == 0 && pg_affected(rows) != 1)
			r = err_set(e, "there is no such run");
		r = ledger_end(w, r, e);
	}
	return r < 0 ? err_wrap(e, "the ledger, run %" PRId64, run) : 0;
}

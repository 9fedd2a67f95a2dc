#include "act/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act/act.h"
#include "base/clock.h"

enum { W_BLOCKED, W_BLOCKED_MS, W_BLOCKER, W_APP, W_STATE, W_STATE_MS,
	W_PHASE, W_DONE, W_TOTAL };

/* $1 is looked at: who waits behind it, the first one it waits for, how far
 * its index is. pg_blocking_pids is asked only for sessions that wait; a
 * concurrent build waits for the snapshot of this very look, too. */
#define LOOK(waited)							\
	"WITH w AS (SELECT a.pid, " waited " AS since "			\
	"FROM pg_stat_activity a WHERE a.wait_event_type = 'Lock' "	\
	"AND a.pid <> $1::int), "					\
	"b AS (SELECT count(*) AS n, "					\
	"extract(epoch FROM clock_timestamp() - min(since)) * 1000 AS ms "\
	"FROM w WHERE $1::int = ANY (pg_blocking_pids(w.pid))), "	\
	"h AS (SELECT a.pid, a.application_name, a.state, "		\
	"extract(epoch FROM clock_timestamp() - a.state_change) * 1000 "\
	"AS ms "							\
	"FROM unnest(pg_blocking_pids($1::int)) AS p(pid) "		\
	"LEFT JOIN pg_stat_activity a ON a.pid = p.pid "		\
	"WHERE p.pid <> pg_backend_pid() "				\
	"ORDER BY a.xact_start LIMIT 1), "				\
	"i AS (SELECT phase, CASE WHEN blocks_total > 0 THEN blocks_done "\
	"ELSE tuples_done END AS done, CASE WHEN blocks_total > 0 "	\
	"THEN blocks_total ELSE tuples_total END AS total "		\
	"FROM pg_stat_progress_create_index WHERE pid = $1::int) "	\
	"SELECT b.n, coalesce(b.ms, 0)::bigint, h.pid, "		\
	"h.application_name, h.state, coalesce(h.ms, 0)::bigint, "\
	"i.phase, i.done, i.total "					\
	"FROM b LEFT JOIN h ON true LEFT JOIN i ON true"

/* PostgreSQL 14 says since when a lock is waited for; before, the start of
 * the statement has to do. */
static const char look_sql[] =
	LOOK("(SELECT min(l.waitstart) FROM pg_locks l WHERE l.pid = a.pid "
	"AND NOT l.granted)");
static const char look_old_sql[] = LOOK("a.query_start");

static void
text_blocker(struct strbuf *b, const struct pg_rows *r)
{
	const char *app = pg_get(r, 0, W_APP), *state = pg_get(r, 0, W_STATE);

	strbuf_printf(b, "waits for session %s (", pg_get(r, 0, W_BLOCKER));
	if (app != NULL && *app != '\0')
		strbuf_printf(b, "%s, ", app);
	strbuf_printf(b, "%s ", state == NULL ? "nobody knows" : state);
	duration_print(b, pg_int(r, 0, W_STATE_MS));
	strbuf_char(b, ')');
}

static void
text_make(struct watch_view *v, const struct pg_rows *r)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(sizeof(v->text) * 4);
	struct strbuf clean STRBUF_SCOPED = STRBUF_LIMIT(sizeof(v->text) - 1);

	if (v->waiting)
		text_blocker(&b, r);
	if (v->percent >= 0)
		strbuf_printf(&b, "%s%s: %d %%", b.len > 0 ? "; " : "",
		    pg_get(r, 0, W_PHASE), v->percent);
	if (v->blocked > 0) {
		strbuf_printf(&b, "%sholds up %d session%s for ",
		    b.len > 0 ? "; " : "", v->blocked,
		    v->blocked == 1 ? "" : "s");
		duration_print(&b, v->blocked_ms);
	}
	strbuf_clean(&clean, b.s, b.len, false);
	memcpy(v->text, clean.s, clean.len);
	v->text[clean.len] = '\0';
}

int
watch_look(struct watch_view *v, struct pg *p, int pid, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	char num[12];
	const char *param[] = { num };

	memset(v, 0, sizeof(*v));
	v->percent = -1;
	snprintf(num, sizeof(num), "%d", pid);
	if (pg_exec(p, &r, pg_server(p) < 140000 ? look_old_sql : look_sql,
	    param, 1, e) < 0)
		return err_wrap(e, "the watch");
	if (pg_count(r) != 1)
		return 0;
	v->blocked = (int)pg_int(r, 0, W_BLOCKED);
	v->blocked_ms = pg_int(r, 0, W_BLOCKED_MS);
	v->waiting = pg_get(r, 0, W_BLOCKER) != NULL;
	int64_t total = pg_int(r, 0, W_TOTAL);
	if (pg_get(r, 0, W_PHASE) != NULL)
		v->percent = total <= 0 ? 0 :
		    (int)(pg_int(r, 0, W_DONE) * 100 / total);
	text_make(v, r);
	return 0;
}

int
watch_cancel(struct pg *p, int pid, struct err *e)
{
	char num[12];
	const char *param[] = { num };

	snprintf(num, sizeof(num), "%d", pid);
	if (pg_exec(p, NULL, "SELECT pg_cancel_backend($1::int)", param, 1,
	    e) < 0)
		return err_wrap(e, "cannot cancel session %d", pid);
	return 0;
}

/* django.py takes this lock for as long as it migrates. */
static const char running_sql[] =
	"SELECT k.pid, a.application_name FROM pg_locks k "
	"LEFT JOIN pg_stat_activity a ON a.pid = k.pid "
	"WHERE k.locktype = 'advisory' AND k.granted AND k.objsubid = 1 "
	"AND k.database = (SELECT oid FROM pg_database "
	"WHERE datname = current_database()) "
	"AND ((k.classid::bigint << 32) | k.objid::bigint) "
	"= 5498170366551187820 "
	"UNION SELECT pid, application_name FROM pg_stat_activity "
	"WHERE datname = current_database() AND state <> 'idle' "
	"AND application_name LIKE 'sluice migration %' LIMIT 1";

int
watch_migrating(struct strbuf *b, struct pg *p, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	if (pg_exec(p, &r, running_sql, NULL, 0, e) < 0)
		return err_wrap(e, "cannot see what runs in the database");
	if (pg_count(r) == 0)
		return 0;
	struct strbuf t STRBUF_SCOPED = STRBUF_INIT;
	const char *app = pg_get(r, 0, 1);
	strbuf_printf(&t, "session %s still runs (%s)", pg_get(r, 0, 0),
	    app != NULL && *app != '\0' ? app : "nameless");
	strbuf_reset(b);
	strbuf_clean(b, t.s, t.len, false);
	return 1;
}

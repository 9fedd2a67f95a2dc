#include "act/lease.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/act.h"
#include "act/ledger.h"
#include "act/watch.h"
#include "base/clock.h"
#include "base/hex.h"

#define ASK_EVERY 2000		/* ms between two questions of lease_check */
#define PATIENCE 15000		/* without an answer for so long: lost */
#define GONE_TRIES 60		/* of 50 ms, for a session to follow its client */

/* The server, too, looks whether our machine is still there: a lease of one
 * that is not is free in half a minute. */
#define SESSION_SQL "SET lock_timeout = '3s'; " \
	"SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; " \
	"SET tcp_keepalives_count = 3"

struct lease {
	struct pg *p;
	char *target;
	int64_t serial;
};

/* The lock's key: the cluster and the database, so that two configurations
 * with two names for one database meet. */
static int
lock_key(char key[24], struct pg *p, struct err *e)
{
	struct strbuf system STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf database STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf all STRBUF_SCOPED = STRBUF_INIT;
	char hex[65];

	if (system_read(&system, &database, p, e) < 0)
		return -1;
	strbuf_printf(&all, "sluice lease %s %s", system.s, database.s);
	sha256_hex(hex, all.s, all.len);
	hex[16] = '\0';
	snprintf(key, 24, "%" PRId64, (int64_t)strtoull(hex, NULL, 16));
	return 0;
}

/* A pooler would give the lock to whoever gets the session next. */
static int
direct_check(struct pg *p, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	if (pg_exec(p, &r, "SELECT pg_backend_pid(), pg_is_in_recovery()",
	    NULL, 0, e) < 0)
		return -1;
	if (pg_int(r, 0, 0) != pg_pid(p))
		return err_kind(e, ERR_REFUSED, "the database is reached "
		    "through a pooler, where a lease does not hold: give the "
		    "server's own address");
	if (pg_true(r, 0, 1))
		return err_kind(e, ERR_REFUSED, "this is a standby: give the "
		    "primary's address");
	return 0;
}

static const char holder_sql[] =
	"SELECT k.pid, l.who, l.host, l.pid, l.why, l.target, "
	"extract(epoch FROM coalesce(l.since, a.backend_start))::bigint, "
	"a.application_name, host(a.client_addr) "
	"FROM pg_locks k LEFT JOIN pg_stat_activity a ON a.pid = k.pid "
	"LEFT JOIN sluice.lease l ON l.backend = k.pid "
	"AND l.since >= a.backend_start "
	"WHERE k.locktype = 'advisory' AND k.granted AND k.objsubid = 1 "
	"AND k.database = (SELECT oid FROM pg_database "
	"WHERE datname = current_database()) "
	"AND ((k.classid::bigint << 32) | k.objid::bigint) = $1::bigint";

static void
since_print(struct strbuf *b, int64_t at)
{
	int64_t ago = clock_epoch() - at;

	strbuf_str(b, "since ");
	stamp_print(b, at);
	strbuf_str(b, " (");
	duration_print(b, (ago < 0 ? 0 : ago) * 1000);
	strbuf_char(b, ')');
}

/* A holder on this machine that was killed: its session ends in a moment. */
static bool
is_gone(const char *host, const char *pid)
{
	char here[256] = "";

	gethostname(here, sizeof(here) - 1);
	return streq(host, here) && kill((pid_t)strtol(pid, NULL, 10), 0) < 0 &&
	    errno == ESRCH;
}

enum { HOLDER_NONE, HOLDER_TOLD, HOLDER_GONE };

/* Who has the lock, in words. 0 and up: of the above. */
static int
holder_tell(struct strbuf *b, struct pg *p, const char *key, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	if (pg_exec(p, &r, holder_sql, &key, 1, e) < 0)
		return -1;
	if (pg_count(r) == 0)
		return HOLDER_NONE;
	struct strbuf t STRBUF_SCOPED = STRBUF_INIT;
	if (pg_get(r, 0, 1) != NULL) {
		strbuf_printf(&t, "%s on %s (process %s) ", pg_get(r, 0, 1),
		    pg_get(r, 0, 2), pg_get(r, 0, 3));
		since_print(&t, pg_int(r, 0, 6));
		strbuf_printf(&t, ", for '%s': %s", pg_get(r, 0, 5),
		    pg_get(r, 0, 4));
	} else {
		const char *app = pg_get(r, 0, 7), *from = pg_get(r, 0, 8);
		strbuf_printf(&t, "database session %s (%s, from %s) ",
		    pg_get(r, 0, 0), app != NULL && *app ? app : "nameless",
		    from != NULL ? from : "this machine");
		since_print(&t, pg_int(r, 0, 6));
	}
	bool gone = pg_get(r, 0, 1) != NULL &&
	    is_gone(pg_get(r, 0, 2), pg_get(r, 0, 3));
	if (gone)
		strbuf_printf(&t, " (that process is gone and its session %s "
		    "is not: SELECT pg_terminate_backend(%s))",
		    pg_get(r, 0, 0), pg_get(r, 0, 0));
	strbuf_reset(b);
	strbuf_clean(b, t.s, t.len, false);
	return gone ? HOLDER_GONE : HOLDER_TOLD;
}

int
lease_holder(struct strbuf *holder, struct pg *p, struct err *e)
{
	char key[24];
	int told = lock_key(key, p, e) < 0 ? -1 : holder_tell(holder, p, key,
	    e);

	return told < 0 ? err_wrap(e, "the lease") : told != HOLDER_NONE;
}

/* 1: ours. 0: another's, told. A holder that goes away while we ask makes us
 * try again. */
static int
lock_try(struct strbuf *holder, struct pg *p, const char *key, struct err *e)
{
	for (int i = 0; i < GONE_TRIES; i++) {
		CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
		if (pg_exec(p, &r, "SELECT pg_try_advisory_lock($1::bigint)",
		    &key, 1, e) < 0)
			return -1;
		if (pg_true(r, 0, 0))
			return 1;
		int told = holder_tell(holder, p, key, e);
		if (told < 0 || told == HOLDER_TOLD)
			return told < 0 ? -1 : 0;
		clock_sleep(50);
	}
	if (holder->len == 0)
		strbuf_str(holder, "somebody who comes and goes");
	return 0;
}

static void
whoami(struct strbuf *who, struct strbuf *host)
{
	const char *named = getenv("SLUICE_WHO");
	const struct passwd *pw = named == NULL ? getpwuid(getuid()) : NULL;
	char name[256] = "";

	if (named != NULL)
		strbuf_str(who, named);
	else if (pw != NULL)
		strbuf_str(who, pw->pw_name);
	else
		strbuf_printf(who, "uid %u", (unsigned)getuid());
	gethostname(name, sizeof(name) - 1);
	strbuf_str(host, name);
}

/* Serials are not below the clock: hosts remember the highest, and a ledger
 * that is made anew or restored must not begin below it. */
static const char take_sql[] =
	"INSERT INTO sluice.lease "
	"(target, serial, who, host, pid, backend, since, why) VALUES "
	"($1, extract(epoch FROM clock_timestamp())::bigint, $2, $3, $4::int, pg_backend_pid(), clock_timestamp(), $5) "
	"ON CONFLICT (target) DO UPDATE "
	"SET serial = greatest(lease.serial + 1, excluded.serial), "
	"who = excluded.who, host = excluded.host, pid = excluded.pid, "
	"backend = excluded.backend, since = excluded.since, "
	"why = excluded.why RETURNING serial";

/* Each migration's transaction holds our row FOR SHARE: one that a killed
 * deploy left running keeps us out here. */
static int
row_take(struct lease *l, struct strbuf *holder, const char *target,
    const char *why, struct err *e)
{
	struct strbuf who STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf host STRBUF_SCOPED = STRBUF_INIT;
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	char pid[12];
	const char *param[] = { target, NULL, NULL, pid, why };

	whoami(&who, &host);
	param[1] = who.s;
	param[2] = host.s;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (pg_exec(l->p, &r, take_sql, param, 5, e) < 0) {
		if (!streq(pg_state(l->p), "55P03"))
			return -1;
		err_clear(e);
		int told = watch_migrating(holder, l->p, e);
		if (told < 0)
			return -1;
		if (told == 0) {
			strbuf_reset(holder);
			strbuf_str(holder, "a session has the lease's row");
		}
		strbuf_str(holder, ", begun by the deploy before: wait for "
		    "its end, or cancel it");
		return 0;
	}
	l->serial = pg_int(r, 0, 0);
	l->target = xstrdup(target);
	return 1;
}

static int
take_on(struct lease *l, struct strbuf *holder, const char *target,
    const char *why, struct err *e)
{
	char key[24];

	if (direct_check(l->p, e) < 0 || pg_script(l->p, SESSION_SQL, e) < 0 ||
	    ledger_open(l->p, target, e) < 0 || lock_key(key, l->p, e) < 0)
		return -1;
	int r = lock_try(holder, l->p, key, e);
	if (r <= 0)
		return r;
	return row_take(l, holder, target, why == NULL ? "" : why, e);
}

int
lease_take(struct lease **out, struct strbuf *holder, const char *conninfo,
    const char *target, const char *why, struct err *e)
{
	struct lease *l = xcalloc(1, sizeof(*l));

	int r = pg_open(&l->p, conninfo, "lease", 10000, e);
	if (r == 0) {
		r = take_on(l, holder, target, why, e);
		if (r < 0)
			err_wrap(e, "the lease of '%s'", target);
	}
	if (r <= 0) {
		lease_free(l);
		return r;
	}
	*out = l;
	return 1;
}

int64_t
lease_serial(const struct lease *l)
{
	return l->serial;
}

int
lease_renew(struct lease *l, struct err *e)
{
	return lease_raise(l, 0, e);
}

int
lease_raise(struct lease *l, int64_t seen, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	char above[24];
	const char *param[] = { l->target, above };

	snprintf(above, sizeof(above), "%" PRId64, seen);
	if (pg_script(l->p, "SET lock_timeout = '200ms'", e) < 0)
		return err_wrap(e, "the lease");
	if (pg_exec(l->p, &r, "UPDATE sluice.lease "
	    "SET serial = greatest(serial, $2::bigint) + 1 "
	    "WHERE target = $1 AND backend = pg_backend_pid() "
	    "RETURNING serial", param, 2, e) < 0) {
		if (!streq(pg_state(l->p), "55P03"))
			return err_wrap(e, "the lease");
		err_clear(e);
		return 0;
	}
	if (pg_count(r) == 0)
		return err_kind(e, ERR_REFUSED, "the lease is lost");
	l->serial = pg_int(r, 0, 0);
	return 1;
}

int
lease_check(struct lease *l, struct err *e)
{
	if (pg_alive(l->p, ASK_EVERY, PATIENCE, e) == 1)
		return 1;
	err_wrap(e, "the lease is lost");
	return 0;
}

void
lease_free(struct lease *l)
{
	if (l == NULL)
		return;
	pg_free(l->p);
	free(l->target);
	free(l);
}

#include "act/pg.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"

struct pg {
	PGconn *c;
	char state[6];
	int64_t asked, answered;	/* pg_alive: when; 0 never */
};

/* Every occurrence of a secret becomes "***". */
static void
redact(struct strbuf *b, const char *secret)
{
	if (secret == NULL || secret[0] == '\0')
		return;
	struct strbuf out STRBUF_SCOPED = STRBUF_INIT;
	const char *s = b->s;
	for (const char *hit; (hit = strstr(s, secret)) != NULL;
	    s = hit + strlen(secret)) {
		strbuf_add(&out, s, (size_t)(hit - s));
		strbuf_str(&out, "***");
	}
	strbuf_str(&out, s);
	strbuf_reset(b);
	strbuf_str(b, out.s);
}

/* One clean line of what libpq or the server said. */
static int
err_text(struct err *e, PGconn *c, const char *text)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(900);
	size_t n = strlen(text);

	while (n > 0 && text[n - 1] == '\n')
		n--;
	strbuf_clean(&b, text, n, true);
	for (size_t i = 0; i < b.len; i++)
		if (b.s[i] == '\n' || b.s[i] == '\t')
			b.s[i] = ' ';
	redact(&b, PQpass(c));
	return err_set(e, "%s", b.len > 0 ? b.s : "the database said nothing");
}

/* A statement's failure by its parts, so that no SQL and no caret line comes
 * along; a broken link's as it stands. */
static int
err_pg(struct pg *p, const PGresult *r, struct err *e)
{
	const char *state = r == NULL ? NULL :
	    PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *text = r == NULL ? NULL :
	    PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	snprintf(p->state, sizeof(p->state), "%s", state ? state : "");
	if (text == NULL || PQstatus(p->c) == CONNECTION_BAD)
		return err_text(e, p->c, PQerrorMessage(p->c));
	const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(2048);
	strbuf_str(&b, text);
	if (detail != NULL)
		strbuf_printf(&b, " (%s)", detail);
	return err_text(e, p->c, b.s);
}

static void
no_notice(void *ctx, const PGresult *r)
{
	(void)ctx;
	(void)r;
}

/* libpq prints what it cannot read of a connection string, and a password
 * half of which landed in the host: so it is looked at first. */
static int
conninfo_check(const char *conninfo, struct err *e)
{
	if (starts_with(conninfo, "postgres://") ||
	    starts_with(conninfo, "postgresql://")) {
		const char *at = strchr(conninfo, '@');
		if (at != NULL && strchr(at + 1, '@') != NULL)
			return err_kind(e, ERR_CONFIG, "the database's address "
			    "has more than one '@': write one that belongs to "
			    "the user or the password as %%40");
	}
	char *why = NULL;
	PQconninfoOption *o = PQconninfoParse(conninfo, &why);
	PQfreemem(why);
	if (o == NULL)
		return err_kind(e, ERR_CONFIG, "the database's address cannot "
		    "be read: it is KEY=VALUE KEY=VALUE …, as in "
		    "'host=/run/postgresql dbname=shop', or postgresql://…");
	PQconninfoFree(o);
	return 0;
}

/* Our sessions are idle for as long as a step takes, and a statement of ours
 * is short or stuck. */
static int
session_set(struct pg *p, struct err *e)
{
	if (PQserverVersion(p->c) >= 140000 &&
	    pg_script(p, "SET idle_session_timeout = 0", e) < 0)
		return -1;
	return pg_script(p, "SET statement_timeout = '60s'; "
	    "SET lock_timeout = '20s'", e);
}

int
pg_open(struct pg **out, const char *conninfo, const char *what,
    int64_t timeout_ms, struct err *e)
{
	char name[64], seconds[24];
	int64_t s = (timeout_ms + 999) / 1000;

	if (conninfo_check(conninfo, e) < 0)
		return -1;
	snprintf(name, sizeof(name), "sluice %s", what);
	snprintf(seconds, sizeof(seconds), "%" PRId64, s < 2 ? 2 : s);
	const char *const key[] = { "dbname", "application_name",
	    "connect_timeout", "keepalives", "keepalives_idle",
	    "keepalives_interval", "keepalives_count", "tcp_user_timeout",
	    "client_encoding", NULL };
	const char *const val[] = { conninfo, name, seconds, "1", "10", "5",
	    "3", "20000", "UTF8", NULL };
	struct pg *p = xcalloc(1, sizeof(*p));
	p->c = PQconnectdbParams(key, val, 1);
	if (p->c == NULL || PQstatus(p->c) != CONNECTION_OK) {
		if (p->c == NULL)
			err_set(e, "out of memory");
		else
			err_text(e, p->c, PQerrorMessage(p->c));
		err_wrap(e, "cannot reach the database");
		pg_free(p);
		return -1;
	}
	PQsetNoticeReceiver(p->c, no_notice, NULL);
	p->answered = clock_ms();
	if (session_set(p, e) < 0) {
		pg_free(p);
		return err_wrap(e, "the database");
	}
	*out = p;
	return 0;
}

void
pg_free(struct pg *p)
{
	if (p == NULL)
		return;
	PQfinish(p->c);
	free(p);
}

int
pg_pid(const struct pg *p)
{
	return PQbackendPID(p->c);
}

int
pg_server(const struct pg *p)
{
	return PQserverVersion(p->c);
}

int
pg_socket(const struct pg *p)
{
	return PQsocket(p->c);
}

const char *
pg_state(const struct pg *p)
{
	return p->state;
}

static int
finish(struct pg *p, PGresult *r, struct pg_rows **rows, struct err *e)
{
	ExecStatusType s = PQresultStatus(r);

	if (rows != NULL)
		*rows = NULL;
	if (s != PGRES_TUPLES_OK && s != PGRES_COMMAND_OK) {
		err_pg(p, r, e);
		PQclear(r);
		return -1;
	}
	if (rows != NULL)
		*rows = (struct pg_rows *)r;
	else
		PQclear(r);
	return 0;
}

int
pg_exec(struct pg *p, struct pg_rows **rows, const char *sql,
    const char *const *param, int n, struct err *e)
{
	return finish(p, PQexecParams(p->c, sql, n, NULL, param, NULL, NULL,
	    0), rows, e);
}

int
pg_script(struct pg *p, const char *sql, struct err *e)
{
	return finish(p, PQexec(p->c, sql), NULL, e);
}

static const PGresult *
result(const struct pg_rows *r)
{
	return (const PGresult *)r;
}

int
pg_count(const struct pg_rows *r)
{
	return PQntuples(result(r));
}

int
pg_affected(const struct pg_rows *r)
{
	PGresult *w;	/* PQcmdTuples only reads, but is not said to */

	memcpy(&w, &r, sizeof(w));
	return (int)strtol(PQcmdTuples(w), NULL, 10);
}

const char *
pg_get(const struct pg_rows *r, int row, int col)
{
	if (PQgetisnull(result(r), row, col))
		return NULL;
	return PQgetvalue(result(r), row, col);
}

int64_t
pg_int(const struct pg_rows *r, int row, int col)
{
	const char *s = pg_get(r, row, col);

	return s == NULL ? 0 : strtoll(s, NULL, 10);
}

bool
pg_true(const struct pg_rows *r, int row, int col)
{
	const char *s = pg_get(r, row, col);

	return s != NULL && s[0] == 't';
}

void
pg_rows_free(struct pg_rows *r)
{
	PQclear((PGresult *)r);
}

/* Takes in what has come; the results of our questions are thrown away. */
static bool
drain(struct pg *p)
{
	struct pollfd f = { PQsocket(p->c), POLLIN, 0 };

	if (f.fd < 0)
		return false;
	if (poll(&f, 1, 0) > 0 && PQconsumeInput(p->c) == 0)
		return false;
	while (p->asked != 0 && !PQisBusy(p->c)) {
		PGresult *r = PQgetResult(p->c);
		if (r == NULL) {
			p->asked = 0;
			p->answered = clock_ms();
			break;
		}
		bool ok = PQresultStatus(r) == PGRES_TUPLES_OK;
		PQclear(r);
		if (!ok)
			return false;
	}
	return PQstatus(p->c) == CONNECTION_OK;
}

int
pg_alive(struct pg *p, int64_t every, int64_t patience, struct err *e)
{
	int64_t now = clock_ms();

	if (!drain(p)) {
		err_set(e, "the server ended the session, or the way to it "
		    "broke");
		return 0;
	}
	if (p->asked != 0 && now - p->asked > patience) {
		err_set(e, "no answer for %" PRId64 " s",
		    (now - p->asked) / 1000);
		return 0;
	}
	if (p->asked == 0 && now - p->answered >= every) {
		if (PQsendQuery(p->c, "SELECT 1") == 0) {
			err_text(e, p->c, PQerrorMessage(p->c));
			return 0;
		}
		p->asked = now;
	}
	return 1;
}

void
pg_array_add(struct strbuf *b, const char *s)
{
	strbuf_char(b, b->len == 0 ? '{' : ',');
	if (s == NULL) {
		strbuf_str(b, "NULL");
		return;
	}
	strbuf_char(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_char(b, '\\');
		strbuf_char(b, *s);
	}
	strbuf_char(b, '"');
}

void
pg_array_end(struct strbuf *b)
{
	strbuf_str(b, b->len == 0 ? "{}" : "}");
}

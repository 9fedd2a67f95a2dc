#include "act/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/act.h"
#include "base/hex.h"

static const char ledger_sql[] =
#include "act/ledger.sql.h"
;

#define LEDGER_VERSION 2
/* Two first uses at once: the second waits here, and finds it made. */
#define FIRST_USE_LOCK "SELECT pg_advisory_xact_lock(5498170366551187819)"

int
system_read(struct strbuf *system, struct strbuf *database, struct pg *p,
    struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL, *id = NULL;

	if (pg_exec(p, &r, SYSTEM_SQL, NULL, 0, e) < 0)
		return -1;
	strbuf_str(database, pg_get(r, 0, 1));
	if (!streq(pg_get(r, 0, 0), "control")) {
		strbuf_printf(system, "oid %s", pg_get(r, 0, 2));
		return 0;
	}
	if (pg_exec(p, &id, "SELECT system_identifier FROM "
	    "pg_control_system()", NULL, 0, e) < 0)
		return -1;
	strbuf_str(system, pg_get(id, 0, 0));
	return 0;
}

static int
refuse_copy(const char *what, const char *theirs, const char *ours,
    const char *column, struct err *e)
{
	return err_kind(e, ERR_REFUSED, "the ledger in this database belongs "
	    "to %s '%s', and this is '%s': a copy? If it is one and is to be "
	    "a target of its own, drop what came along (DROP SCHEMA sluice "
	    "CASCADE). If '%s' itself was moved, upgraded or renamed, say so "
	    "(UPDATE sluice.home SET %s = '%s')",
	    what, theirs, ours, theirs, column, ours);
}

/* 1: there and ours. 0: no row. *version is an older Sluice's, or ours. */
static int
home_check(struct pg *p, const char *target, const char *system,
    int64_t *version, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	if (pg_exec(p, &r, "SELECT version, target, system FROM sluice.home",
	    NULL, 0, e) < 0)
		return -1;
	if (pg_count(r) == 0)
		return 0;
	*version = pg_int(r, 0, 0);
	if (*version > LEDGER_VERSION)
		return err_kind(e, ERR_REFUSED, "the ledger was made by a "
		    "newer Sluice (version %s, this one knows %d): use that",
		    pg_get(r, 0, 0), LEDGER_VERSION);
	if (!streq(pg_get(r, 0, 1), target))
		return refuse_copy("target", pg_get(r, 0, 1), target, "target",
		    e);
	if (!streq(pg_get(r, 0, 2), system))
		return refuse_copy("the system", pg_get(r, 0, 2), system,
		    "system", e);
	return 1;
}

static int
make(struct pg *p, const char *target, const char *system,
    const char *database, struct err *e)
{
	char version[12];
	const char *param[] = { version, target, system, database };

	snprintf(version, sizeof(version), "%d", LEDGER_VERSION);
	if (pg_script(p, FIRST_USE_LOCK, e) < 0 ||
	    pg_script(p, ledger_sql, e) < 0)
		return -1;
	return pg_exec(p, NULL, "INSERT INTO sluice.home "
	    "(version, target, system, database) "
	    "VALUES ($1::int, $2, $3, $4) ON CONFLICT (one) DO UPDATE "
	    "SET version = excluded.version", param, 4, e);
}

/* Rolls back, and keeps the error that made us. */
static int
back_out(struct pg *p)
{
	struct err ignored = ERR_INIT;

	pg_script(p, "ROLLBACK", &ignored);
	return -1;
}

static int
exists(struct pg *p, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	if (pg_exec(p, &r, "SELECT to_regclass('sluice.home') IS NOT NULL",
	    NULL, 0, e) < 0)
		return -1;
	return pg_true(r, 0, 0) ? 1 : 0;
}

static int
look(struct pg *p, const char *target, int64_t *version, struct err *e)
{
	struct strbuf system STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf database STRBUF_SCOPED = STRBUF_INIT;
	int there = exists(p, e);

	if (there > 0 && system_read(&system, &database, p, e) < 0)
		there = -1;
	if (there > 0)
		there = home_check(p, target, system.s, version, e);
	return there < 0 ? err_wrap(e, "the ledger") : there;
}

int
ledger_there(struct pg *p, const char *target, struct err *e)
{
	int64_t version = 0;

	return look(p, target, &version, e);
}

int
ledger_open(struct pg *p, const char *target, struct err *e)
{
	struct strbuf system STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf database STRBUF_SCOPED = STRBUF_INIT;
	int64_t version = 0;
	int there = look(p, target, &version, e);

	if (there < 0 || (there > 0 && version == LEDGER_VERSION))
		return there < 0 ? -1 : 0;
	if (system_read(&system, &database, p, e) < 0 ||
	    pg_script(p, "BEGIN", e) < 0)
		return err_wrap(e, "the ledger");
	if (make(p, target, system.s, database.s, e) < 0 ||
	    pg_script(p, "COMMIT", e) < 0) {
		back_out(p);
		return err_wrap(e, "cannot make the ledger (schema sluice)");
	}
	there = ledger_there(p, target, e);
	if (there == 0)
		return err_set(e, "the ledger: made, and not there");
	return there < 0 ? -1 : 0;
}

/* The lease's row is held: nobody takes it over before the transaction ends. */
static int
fence(const struct ledger_pen *w, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	if (w->serial == 0)
		return 0;
	if (pg_exec(w->p, &r, "SELECT serial FROM sluice.lease "
	    "WHERE target = $1 FOR SHARE", &w->target, 1, e) < 0)
		return -1;
	if (pg_count(r) != 1 || pg_int(r, 0, 0) != w->serial)
		return err_kind(e, ERR_REFUSED, "the lease is another's now "
		    "(ours was number %" PRId64 ")", w->serial);
	return 0;
}

int
ledger_begin(const struct ledger_pen *w, struct err *e)
{
	if (pg_script(w->p, "BEGIN", e) < 0)
		return -1;
	return fence(w, e) < 0 ? back_out(w->p) : 0;
}

int
ledger_end(const struct ledger_pen *w, int r, struct err *e)
{
	if (r < 0 || pg_script(w->p, "COMMIT", e) < 0)
		return back_out(w->p);
	return 0;
}

/* --- releases --- */

static void
hex_bytea(struct strbuf *b, const char *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	strbuf_str(b, "\\x");
	for (size_t i = 0; i < n; i++) {
		strbuf_char(b, digit[(unsigned char)p[i] >> 4]);
		strbuf_char(b, digit[(unsigned char)p[i] & 15]);
	}
}

static int
put_source(struct pg *p, const char *digest, const struct source_file *f,
    struct err *e)
{
	struct strbuf hex STRBUF_SCOPED = STRBUF_INIT;

	hex_bytea(&hex, f->text, f->len);
	if (hex.over)
		return err_set(e, "'%s' is too large to keep", f->path);
	const char *param[] = { digest, hex.s };
	return pg_exec(p, NULL, "INSERT INTO sluice.source (digest, text) "
	    "VALUES ($1, $2::bytea) ON CONFLICT DO NOTHING", param, 2, e);
}

/* Only the texts that the ledger has not are sent. */
static int
put_sources(struct pg *p, char (*digest)[65], const char *all,
    const struct source_file *f, uint32_t n, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	const char *param[] = { all };

	if (pg_exec(p, &r, "SELECT i FROM unnest($1::text[]) "
	    "WITH ORDINALITY AS f(digest, i) WHERE NOT EXISTS (SELECT FROM "
	    "sluice.source s WHERE s.digest = f.digest)", param, 1, e) < 0)
		return -1;
	for (int i = 0; i < pg_count(r); i++) {
		uint32_t k = (uint32_t)pg_int(r, i, 0) - 1;
		if (k < n && put_source(p, digest[k], &f[k], e) < 0)
			return -1;
	}
	return 0;
}

static int
put_files(struct pg *p, const char *target, const char *id,
    const struct source_file *f, uint32_t n, struct err *e)
{
	struct strbuf paths STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf digests STRBUF_SCOPED = STRBUF_INIT;
	char (*digest)[65] = xcalloc(n, sizeof(*digest));

	for (uint32_t i = 0; i < n; i++) {
		sha256_hex(digest[i], f[i].text, f[i].len);
		pg_array_add(&paths, f[i].path);
		pg_array_add(&digests, digest[i]);
	}
	pg_array_end(&paths);
	pg_array_end(&digests);
	int r = put_sources(p, digest, digests.s, f, n, e);
	free(digest);
	if (r < 0)
		return -1;
	const char *param[] = { target, id, paths.s, digests.s };
	return pg_exec(p, NULL, "INSERT INTO sluice.release_file "
	    "(target, release, path, digest) SELECT $1, $2, path, digest "
	    "FROM unnest($3::text[], $4::text[]) AS f(path, digest) "
	    "ON CONFLICT DO NOTHING", param, 4, e);
}

int
ledger_release_put(const struct ledger_pen *w,
    const struct ledger_release *rel, const struct source_file *files,
    uint32_t nfiles, struct err *e)
{
	char at[24];
	const char *param[] = { w->target, rel->id, rel->commit, rel->status,
	    rel->who, at };

	snprintf(at, sizeof(at), "%" PRId64, rel->at);
	int r = ledger_begin(w, e);
	if (r == 0) {
		r = pg_exec(w->p, NULL, "INSERT INTO sluice.release "
		    "(target, id, commit, status, who, at) "
		    "VALUES ($1, $2, $3, $4, $5, to_timestamp($6::bigint)) "
		    "ON CONFLICT DO NOTHING", param, 6, e);
		if (r == 0 && nfiles > 0)
			r = put_files(w->p, w->target, rel->id, files, nfiles,
			    e);
		r = ledger_end(w, r, e);
	}
	return r < 0 ? err_wrap(e, "the ledger, release %s", rel->id) : 0;
}

static void
get_release(struct ledger_release *out, struct arena *a,
    const struct pg_rows *r, int i)
{
	out->id = sym_get(a, pg_get(r, i, 0));
	out->commit = sym_get(a, pg_get(r, i, 1));
	out->status = sym_get(a, pg_get(r, i, 2));
	out->who = sym_get(a, pg_get(r, i, 3));
	out->at = pg_int(r, i, 4);
}

#define RELEASE_SQL "SELECT id, commit, status, who, " \
	"extract(epoch FROM at)::bigint FROM sluice.release WHERE target = $1"

static int
nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static int
get_files(struct pg *p, struct arena *a, const char *const *param,
    struct source_file **files, uint32_t *nfiles, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	if (pg_exec(p, &r, "SELECT path, encode(text, 'hex') "
	    "FROM sluice.release_file JOIN sluice.source USING (digest) "
	    "WHERE target = $1 AND release = $2 ORDER BY path COLLATE \"C\"",
	    param, 2, e) < 0)
		return -1;
	*nfiles = (uint32_t)pg_count(r);
	*files = arena_array(a, struct source_file, *nfiles);
	for (uint32_t i = 0; i < *nfiles; i++) {
		const char *hex = pg_get(r, (int)i, 1);
		size_t n = strlen(hex) / 2;
		char *text = arena_alloc(a, n + 1, 1);
		for (size_t k = 0; k < n; k++)
			text[k] = (char)(nibble(hex[2 * k]) * 16 +
			    nibble(hex[2 * k + 1]));
		(*files)[i].path = sym_get(a, pg_get(r, (int)i, 0));
		(*files)[i].text = text;
		(*files)[i].len = n;
	}
	return 0;
}

int
ledger_release_get(struct pg *p, struct arena *a, const char *target,
    const char *id, struct ledger_release *out, struct source_file **files,
    uint32_t *nfiles, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	const char *param[] = { target, id };

	if (pg_exec(p, &r, RELEASE_SQL " AND id = $2", param, 2, e) < 0)
		return err_wrap(e, "the ledger, release %s", id);
	if (pg_count(r) == 0)
		return 0;
	get_release(out, a, r, 0);
	if (files != NULL && get_files(p, a, param, files, nfiles, e) < 0)
		return err_wrap(e, "the ledger, files of release %s", id);
	return 1;
}

static int
status_put(const struct ledger_pen *w, const char *id, const char *status,
    struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	const char *param[] = { w->target, id, status };

	if ((streq(status, "live") && pg_exec(w->p, NULL,
	    "UPDATE sluice.release SET status = 'old' WHERE target = $1 "
	    "AND status = 'live' AND id <> $2", param, 2, e) < 0) ||
	    pg_exec(w->p, &r, "UPDATE sluice.release SET status = $3 "
	    "WHERE target = $1 AND id = $2", param, 3, e) < 0)
		return -1;
	return pg_affected(r) == 1 ? 0 : err_set(e, "there is no such release");
}

int
ledger_release_set(const struct ledger_pen *w, const char *id,
    const char *status, struct err *e)
{
	int r = ledger_begin(w, e);

	if (r == 0)
		r = ledger_end(w, status_put(w, id, status, e), e);
	return r < 0 ? err_wrap(e, "the ledger, release %s", id) : 0;
}

int
ledger_releases(struct pg *p, struct arena *a, const char *target,
    struct ledger_release **out, uint32_t *n, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	if (pg_exec(p, &r, RELEASE_SQL " ORDER BY at DESC, id DESC", &target,
	    1, e) < 0)
		return err_wrap(e, "the ledger");
	*n = (uint32_t)pg_count(r);
	*out = arena_array(a, struct ledger_release, *n);
	for (uint32_t i = 0; i < *n; i++)
		get_release(&(*out)[i], a, r, (int)i);
	return 0;
}

/* A query of one text: 1 and *id, or 0. */
static int
one_sym(struct pg *p, struct arena *a, const char *sql, const char *target,
    sym *id, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;

	*id = NULL;
	if (pg_exec(p, &r, sql, &target, 1, e) < 0)
		return err_wrap(e, "the ledger");
	if (pg_count(r) == 0)
		return 0;
	*id = sym_get(a, pg_get(r, 0, 0));
	return 1;
}

int
ledger_live(struct pg *p, struct arena *a, const char *target, sym *id,
    struct err *e)
{
	return one_sym(p, a, "SELECT id FROM sluice.release "
	    "WHERE target = $1 AND status = 'live'", target, id, e);
}

int
ledger_floor(struct pg *p, struct arena *a, const char *target, sym *id,
    struct err *e)
{
	return one_sym(p, a, "SELECT release FROM sluice.floor "
	    "WHERE target = $1", target, id, e);
}

int
ledger_floor_set(const struct ledger_pen *w, const char *id, struct err *e)
{
	const char *param[] = { w->target, id };
	int r = ledger_begin(w, e);

	if (r == 0)
		r = ledger_end(w, pg_exec(w->p, NULL, "INSERT INTO "
		    "sluice.floor (target, release) VALUES ($1, $2) "
		    "ON CONFLICT (target) DO UPDATE SET "
		    "release = excluded.release, since = now()", param, 2, e),
		    e);
	return r < 0 ? err_wrap(e, "the ledger, floor") : 0;
}

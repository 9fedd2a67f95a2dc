/* Migrations, run by Django on the release host through django.py. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/act.h"
#include "act/lane.h"
#include "act/run.h"
#include "act/watch.h"
#include "base/clock.h"

static const char helper[] =
#include "act/django.py.h"
;

/* All that stands in argv: the helper itself comes on standard input. */
#define BOOTSTRAP "import sys;b=sys.stdin.buffer;" \
	"exec(b.read(int(b.readline())).decode())"

static const char start[] =
#include "act/django.sh.h"
;

#define LOOK_EVERY 200		/* ms between two looks of the watch */
#define ASK_AGAIN 500		/* ms, while an old session still runs */
#define LINKS_TRIED 3
#define DELAY_MAX 60000

enum { AT_OPEN, AT_HELLO, AT_ASKED, AT_RUNNING, AT_DELAY, AT_LOST };

struct job {
	bool back;		/* unapply */
	bool again;		/* its operations once more */
	sym app, name;
	struct strbuf line;	/* the reply that is being read */
	struct strbuf why;	/* the last reason to try again, for people */
	int pid;		/* of the migrating session; 0: not known */
	int tries, links;
	bool begun;		/* in a run before this one */
	struct halfway_cut cut;	/* n 0: from its beginning */
	bool cancelled;		/* by us, in this try */
	int64_t look;		/* when the watch looks next */
	int64_t over;		/* since when too many wait behind it; 0: not */
	bool blind;		/* the watch does not see any more */
};

/* --- what the database says --- */

/* "shop.0003_x" to its two parts. */
static int
subject_split(const struct step *s, struct arena *a, sym *app, sym *name,
    struct err *e)
{
	const char *dot = strchr(s->subject, '.');

	if (dot == NULL)
		return err_set(e, "'%s' names no migration", s->subject);
	*app = sym_getn(a, s->subject, (size_t)(dot - s->subject));
	*name = sym_get(a, dot + 1);
	return 0;
}

/* 1: django_migrations is as the step wants it. What is to be repeated never
 * is: it may be run any number of times. */
static int
is_so(struct lane *l, const struct step *s, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *there = NULL, *r = NULL;
	bool want = streq(s->want, "applied");
	sym app, name;

	if (subject_split(s, l->d->a, &app, &name, e) < 0)
		return -1;
	if (streq(s->want, "repeated"))
		return 0;
	if (pg_exec(l->d->db, &there, "SELECT to_regclass("
	    "'django_migrations') IS NOT NULL", NULL, 0, e) < 0)
		return -1;
	if (!pg_true(there, 0, 0))
		return !want;
	const char *param[] = { app, name };
	if (pg_exec(l->d->db, &r, "SELECT FROM django_migrations "
	    "WHERE app = $1 AND name = $2", param, 2, e) < 0)
		return -1;
	return (pg_count(r) > 0) == want;
}

static int
migration_ask(struct lane *l, const struct step *s, struct err *e)
{
	int runs = watch_migrating(&l->note, l->d->db, e);

	if (runs < 0)
		return -1;
	if (runs > 0) {
		l->wake = clock_ms() + ASK_AGAIN;
		return ANSWER_WAIT;
	}
	strbuf_reset(&l->note);
	int so = is_so(l, s, e);
	return so < 0 ? -1 : so ? ANSWER_YES : ANSWER_NO;
}

/* --- the link --- */

static void
link_close(struct lane *l)
{
	link_free(take(l->django));
	l->django_at = NULL;
}

/* Forward from the release to come, back from the one that is there. */
static sym
release_of(const struct lane *l, const struct job *j)
{
	const struct plan *p = l->d->plan;

	return j->back && p->from != NULL && *p->from != '\0' ? p->from :
	    p->to;
}

static const char *
or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

int
django_open(struct lane *l, sym release, struct err *e)
{
	const struct deploy *d = l->d;
	struct strvec cmd STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf head STRBUF_SCOPED = STRBUF_INIT;

	strvec_pushl(&cmd, "sh", "-c", start, "sluice", l->host->path,
	    release, or_empty(d->project->root), or_empty(d->target->env),
	    d->target->python, or_empty(d->project->settings), l->host->name,
	    or_empty(d->commit), BOOTSTRAP, NULL);
	if (link_open(&l->django, d->target, l->host, &cmd, e) < 0)
		return -1;
	l->django_at = release;
	strbuf_printf(&head, "%zu\n", sizeof(helper) - 1);
	link_send(l->django, head.s, head.len);
	link_send(l->django, helper, sizeof(helper) - 1);
	return 0;
}

static void
send_json(struct lane *l, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	if (text != NULL) {
		link_send(l->django, text, strlen(text));
		link_send(l->django, "\n", 1);
	}
	free(text);
	json_decref(o);
}

static json_t *
table_list(struct deploy *d, const struct job *j)
{
	json_t *list = json_array();
	const struct table_lock *v = NULL;
	uint32_t n = d->locks == NULL ? 0 : d->locks(d, j->app, j->name,
	    j->back, &v);

	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("[ss]", v[i].table,
		    v[i].mode));
	return list;
}

/* What stands of one that was begun: the rest is asked for, or a person. */
static int
cut_find(struct lane *l, struct job *j, struct err *e)
{
	struct deploy *d = l->d;

	j->cut.n = 0;
	if (d->stopped == NULL || j->again ||
	    (!j->begun && j->tries == 0 && j->links == 0))
		return 0;
	int got = d->stopped(d, j->app, j->name, j->back, &j->cut, e);
	if (got <= 0 || j->cut.sure)
		return got;
	return err_kind(e, ERR_REFUSED, "it is not atomic and stopped halfway, "
	    "and cannot be gone on with: %s. By hand: do what is missing%s%s, "
	    "or take back what is done; where it is whole: manage.py migrate "
	    "--fake %s %s. Then --resume", j->cut.text,
	    *j->cut.by_hand == '\0' || j->back ? "" : ": ",
	    j->back ? "" : j->cut.by_hand, j->app, j->name);
}

static void
cut_add(json_t *o, const struct halfway_cut *c)
{
	json_t *invalid = json_array();

	if (c->n == 0)
		return;
	for (uint32_t i = 0; i < c->ninvalid; i++)
		json_array_append_new(invalid, json_string(c->invalid[i]));
	json_object_set_new(o, "done", json_integer(c->at));
	json_object_set_new(o, "of", json_integer(c->n));
	json_object_set_new(o, "invalid", invalid);
}

static void
request_send(struct lane *l, const struct job *j)
{
	const struct deploy *d = l->d;
	json_t *o = json_object();

	json_object_set_new(o, "do", json_string(j->back ? "unapply" :
	    j->again ? "repeat" : "apply"));
	json_object_set_new(o, "app", json_string(j->app));
	json_object_set_new(o, "name", json_string(j->name));
	json_object_set_new(o, "tables", table_list(l->d, j));
	cut_add(o, &j->cut);
	json_object_set_new(o, "lock_timeout",
	    json_integer(d->target->lock_timeout));
	json_object_set_new(o, "statement_timeout",
	    json_integer(d->target->statement_timeout));
	if (d->lease != NULL) {
		json_object_set_new(o, "target",
		    json_string(d->target->name));
		json_object_set_new(o, "serial",
		    json_integer(lease_serial(d->lease)));
	}
	send_json(l, o);
}

/* --- one try --- */

static int
job_end(struct lane *l, struct job *j, int answer)
{
	strbuf_release(&j->line);
	strbuf_release(&j->why);
	free(j);
	l->own = NULL;
	return answer;
}

/* The link broke: what it was asked for may or may not have happened. A host
 * that refuses us will go on refusing. */
static int
lost(struct lane *l, struct job *j, struct err *e)
{
	bool refused = e->kind == ERR_REFUSED;

	err_wrap(e, "the link to Django on %s broke", l->host->name);
	link_close(l);
	strbuf_reset(&j->line);
	if (refused || ++j->links >= LINKS_TRIED)
		return job_end(l, j, -1);
	strbuf_reset(&l->note);
	strbuf_printf(&l->note, "%s; looking what became of it", e->msg);
	err_clear(e);
	l->state = AT_LOST;
	l->wake = clock_ms() + ASK_AGAIN;
	return ANSWER_WAIT;
}

static int64_t
delay_of(const struct lane *l, const struct job *j)
{
	int64_t ms = l->d->target->retry_delay;

	for (int i = 1; i < j->tries && ms < DELAY_MAX; i++)
		ms *= 2;
	if (ms > DELAY_MAX)
		ms = DELAY_MAX;
	return ms + clock_ms() % (ms / 4 + 1);	/* not in step with others */
}

/* It did not get what it needs: later, or never. */
static int
again(struct lane *l, struct job *j, const char *why, struct err *e)
{
	int most = l->d->target->retries;

	if (j->why.len == 0)
		strbuf_str(&j->why, why);
	if (j->tries > most) {
		err_set(e, "gave up after %d tries: %s", j->tries, j->why.s);
		return job_end(l, j, -1);
	}
	int64_t ms = delay_of(l, j);
	strbuf_reset(&l->note);
	strbuf_printf(&l->note, "try %d of %d: %s; again in ", j->tries,
	    most + 1, j->why.s);
	duration_print(&l->note, ms);
	l->wake = clock_ms() + ms;
	l->state = AT_DELAY;
	return ANSWER_WAIT;
}

static int
asked(struct lane *l, struct job *j, struct err *e)
{
	if (cut_find(l, j, e) < 0)
		return job_end(l, j, -1);
	j->tries++;
	j->pid = 0;
	j->cancelled = false;
	j->over = 0;
	strbuf_reset(&j->why);
	request_send(l, j);
	l->state = AT_ASKED;
	l->deadline = 0;		/* the watch bounds it from here on */
	l->wake = clock_ms() + LOOK_EVERY;
	return ANSWER_WAIT;
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

static int
done(struct lane *l, struct job *j, const char *text)
{
	strbuf_reset(&l->note);
	strbuf_clean(&l->note, text, strlen(text), false);
	return job_end(l, j, ANSWER_YES);
}

static int
result(struct lane *l, struct job *j, const json_t *o, struct err *e)
{
	const char *r = text_of(o, "result"), *text = text_of(o, "text");
	struct strbuf clean STRBUF_SCOPED = STRBUF_LIMIT(900);

	strbuf_clean(&clean, text, strlen(text), false);
	if (streq(r, "done") || streq(r, "already"))
		return done(l, j, text);
	if (streq(r, "lock") || streq(r, "busy") ||
	    (streq(r, "canceled") && j->cancelled))
		return again(l, j, clean.s, e);
	if (streq(r, "lost")) {
		err_set(e, "%s", clean.s);
		return lost(l, j, e);
	}
	if (streq(r, "canceled"))
		err_set(e, "cancelled by somebody, or by statement_timeout: "
		    "%s", clean.s);
	else if (streq(r, "error"))
		err_set(e, "%s", clean.s);
	else
		err_kind(e, ERR_REFUSED, "%s", clean.s);
	return job_end(l, j, -1);
}

/* Django and we have to mean the same tables. */
static int
same_place(struct lane *l, const json_t *o, struct err *e)
{
	CLEANUP(pg_rows_free) struct pg_rows *r = NULL;
	const char *db = text_of(o, "database"), *schema = text_of(o,
	    "schema");

	if (pg_exec(l->d->db, &r, "SELECT current_database(), "
	    "current_schema()", NULL, 0, e) < 0)
		return -1;
	if (streq(pg_get(r, 0, 0), db) &&
	    streq(or_empty(pg_get(r, 0, 1)), schema))
		return 0;
	return err_kind(e, ERR_CONFIG, "Django on %s uses database '%s', "
	    "schema '%s'; 'database' of the target leads to '%s', schema "
	    "'%s'", l->host->name, db, schema, pg_get(r, 0, 0),
	    or_empty(pg_get(r, 0, 1)));
}

/* One line from django.py. */
static int
reply(struct lane *l, struct job *j, struct err *e)
{
	json_error_t bad;
	json_t *o = json_loadb(j->line.s, j->line.len, 0, &bad);
	int answer = ANSWER_WAIT;

	if (o == NULL) {
		err_set(e, "Django on %s said what is not JSON",
		    l->host->name);
		link_close(l);
		return job_end(l, j, -1);
	}
	if (json_object_get(o, "pid") != NULL) {
		j->pid = (int)json_integer_value(json_object_get(o, "pid"));
		l->state = AT_RUNNING;
	} else if (l->state == AT_HELLO && streq(text_of(o, "result"),
	    "done")) {
		answer = same_place(l, o, e) < 0 ? job_end(l, j, -1) :
		    asked(l, j, e);
	} else {
		if (l->state == AT_HELLO)
			link_close(l);
		answer = result(l, j, o, e);
	}
	json_decref(o);
	return answer;
}

/* --- the watch --- */

static void
blocked_too_much(struct lane *l, struct job *j, const struct watch_view *v)
{
	struct err e = ERR_INIT;
	const struct cfg_target *t = l->d->target;
	int64_t now = clock_ms();

	if (v->blocked <= t->max_blocked) {
		j->over = 0;
		return;
	}
	if (j->over == 0)
		j->over = now;
	if (now - j->over < t->max_blocked_time || j->cancelled)
		return;
	j->cancelled = true;
	strbuf_reset(&j->why);
	strbuf_str(&j->why, v->text);
	if (watch_cancel(l->d->watch, j->pid, &e) < 0)
		strbuf_printf(&l->note, "; %s", e.msg);
}

static void
look(struct lane *l, struct job *j)
{
	struct watch_view v;
	struct err e = ERR_INIT;

	if (j->pid == 0 || l->d->watch == NULL || j->blind ||
	    clock_ms() < j->look)
		return;
	j->look = clock_ms() + LOOK_EVERY;
	if (watch_look(&v, l->d->watch, j->pid, &e) < 0) {
		j->blind = true;	/* lock_timeout still bounds it */
		return;
	}
	strbuf_reset(&l->note);
	strbuf_str(&l->note, v.text);
	if (v.waiting) {
		strbuf_reset(&j->why);
		strbuf_str(&j->why, v.text);
	}
	blocked_too_much(l, j, &v);
}

/* --- the steps of make --- */

static int
open_link(struct lane *l, struct job *j, struct err *e)
{
	sym release = release_of(l, j);

	if (l->django != NULL && !streq(l->django_at, release))
		link_close(l);
	if (l->django != NULL)
		return asked(l, j, e);
	if (django_open(l, release, e) < 0)
		return job_end(l, j, -1);
	json_t *o = json_object();
	json_object_set_new(o, "do", json_string("hello"));
	send_json(l, o);
	l->state = AT_HELLO;
	l->wake = 0;
	l->deadline = clock_ms() + l->d->target->step_timeout;
	return ANSWER_WAIT;
}

/* The old session is fenced off by a new serial, waited for, and only then
 * asked about: nothing can be run by it any more, so nothing runs twice. */
static int
find_out(struct lane *l, struct job *j, const struct step *s, struct err *e)
{
	l->wake = clock_ms() + ASK_AGAIN;
	int fenced = l->d->lease == NULL ? 1 : lease_renew(l->d->lease, e);
	if (fenced < 0)
		return job_end(l, j, -1);
	int runs = watch_migrating(&l->note, l->d->db, e);
	if (runs < 0)
		return job_end(l, j, -1);
	if (runs > 0 || fenced == 0)
		return ANSWER_WAIT;
	int so = is_so(l, s, e);
	if (so != 0)
		return job_end(l, j, so < 0 ? -1 : ANSWER_YES);
	return open_link(l, j, e);
}

static int
talk(struct lane *l, struct job *j, struct err *e)
{
	int pumped = link_pump(l->django, e);

	/* what came before the end counts */
	while (l->django != NULL && link_reply(l->django, &j->line) == 1) {
		int answer = reply(l, j, e);
		if (answer != ANSWER_WAIT || l->state >= AT_DELAY)
			return answer;
		strbuf_reset(&j->line);
	}
	if (pumped < 0)
		return lost(l, j, e);
	look(l, j);
	l->wake = clock_ms() + LOOK_EVERY;
	return ANSWER_WAIT;
}

static struct job *
job_new(struct lane *l, const struct step *s, struct err *e)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->line = (struct strbuf)STRBUF_LIMIT(8u << 20);
	j->why = (struct strbuf)STRBUF_LIMIT(512);
	j->back = streq(s->want, "unapplied");
	j->again = streq(s->want, "repeated");
	j->begun = s->began != 0;
	if (subject_split(s, l->d->a, &j->app, &j->name, e) < 0) {
		free(j);
		return NULL;
	}
	l->own = j;
	return j;
}

static int
migration_make(struct lane *l, const struct step *s, struct err *e)
{
	struct job *j = l->state == AT_OPEN ? job_new(l, s, e) : l->own;

	if (j == NULL)
		return -1;
	switch (l->state) {
	case AT_OPEN:
		return open_link(l, j, e);
	case AT_DELAY:
		if (clock_ms() < l->wake) {	/* the link moved: it may be gone */
			struct err gone = ERR_INIT;
			if (l->django != NULL &&
			    link_pump(l->django, &gone) < 0)
				link_close(l);
			return ANSWER_WAIT;
		}
		return open_link(l, j, e);
	case AT_LOST:
		return clock_ms() < l->wake ? ANSWER_WAIT :
		    find_out(l, j, s, e);
	default:
		return talk(l, j, e);
	}
}

const struct kind kind_migration = { migration_ask, migration_make };

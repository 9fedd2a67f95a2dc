#include "act/talk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"

#define TRIES 3			/* in a row, for a host that was never reached */
#define TRIES_AGAIN 8		/* for one that was: a cut of half a minute */
#define PAUSE_MS 300		/* before a new try, then twice as long, … */
#define PAUSE_MAX_MS 5000
#define NOISE_MAX 100		/* lines that a login shell says before us */
#define GREETING "sluice-agent "
#define LINES '\036'		/* how agent.sh sends several lines in one */

static const char agent[] =
#include "act/agent.sh.h"
;

/* Reads exactly our bytes, then lives on them. */
static const char bootstrap[] =
    "agent=$(dd bs=1 count=\"$1\" 2>/dev/null); shift; eval \"$agent\"";

void
talk_init(struct talk *t, const struct cfg_project *p,
    const struct cfg_target *target, const struct cfg_host *h,
    struct link **link)
{
	*t = (struct talk){ .project = p, .target = target, .host = h,
	    .link = link, .fd = -1, .text = STRBUF_LIMIT(8192) };
}

/* Data as one word of a request: every odd byte as \0ooo. */
static void
word(struct strbuf *b, const char *s)
{
	strbuf_str(b, " =");
	for (; s != NULL && *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (strchr("/._-,:@%+", c) != NULL || (c >= '0' && c <= '9') ||
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
			strbuf_char(b, (char)c);
		else
			strbuf_printf(b, "\\0%03o", c);
	}
}

static int
connect_host(struct talk *t, struct err *e)
{
	struct strvec remote STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	const struct cfg_target *c = t->target;

	strvec_pushl(&remote, "sh", "-c", bootstrap, "sluice", NULL);
	strvec_pushf(&remote, "%zu", sizeof(agent) - 1);
	if (link_open(t->link, c, t->host, &remote, e) < 0)
		return -1;
	strbuf_str(&b, "hello");
	word(&b, t->host->path != NULL ? t->host->path : c->path);
	strbuf_printf(&b, " %s %" PRId64, t->host->name, t->serial);
	word(&b, t->project->root);
	word(&b, c->env);
	word(&b, c->build);
	word(&b, c->restart);
	word(&b, c->health);
	strbuf_char(&b, '\n');
	link_send(*t->link, agent, sizeof(agent) - 1);
	link_send(*t->link, b.s, b.len);
	t->at = TALK_HELLO;
	t->noise = 0;
	t->hello_by = clock_ms() + 3 * c->connect_timeout + 10000;
	return 0;
}

static void
send_request(struct talk *t, const char *request)
{
	link_send(*t->link, request, strlen(request));
	link_send(*t->link, "\n", 1);
	if (t->fd >= 0 && t->size > 0)
		link_send_file(*t->link, t->fd, t->size);
	t->at = TALK_REPLY;
	t->greeted = true;
	t->wake = 0;
}

static void
hang_up(struct talk *t)
{
	link_free(*t->link);
	*t->link = NULL;
}

/* A link that is lost is opened again, after a while, some times. */
static int
lost(struct talk *t, struct err *e)
{
	hang_up(t);
	t->at = TALK_IDLE;
	if (e->kind == ERR_REFUSED ||
	    ++t->lost >= (t->greeted ? TRIES_AGAIN : TRIES))
		return -1;
	int64_t pause = (int64_t)PAUSE_MS << t->lost;
	if (pause > PAUSE_MAX_MS)
		pause = PAUSE_MAX_MS;
	t->wake = clock_ms() + pause / 2 + pause * (getpid() % 16) / 16;
	t->at = TALK_PAUSE;
	err_clear(e);
	return TALK_WAIT;
}

static void
text_set(struct talk *t, const char *s, size_t n)
{
	char *copy = xmalloc(n + 1);

	memcpy(copy, s, n);
	for (size_t i = 0; i < n; i++)
		if (copy[i] == LINES)
			copy[i] = '\n';
	while (n > 0 && (copy[n - 1] == '\n' || copy[n - 1] == ' '))
		n--;
	strbuf_reset(&t->text);
	strbuf_clean(&t->text, copy, n, true);
	free(copy);
}

static int
reply(struct talk *t, const char *s, struct err *e)
{
	size_t verb = strcspn(s, " ");
	const char *rest = s + verb + (s[verb] == ' ');

	t->at = TALK_IDLE;
	t->lost = 0;
	text_set(t, rest, strlen(rest));
	if (verb == 2 && strncmp(s, "ok", 2) == 0)
		return TALK_OK;
	if (verb == 2 && strncmp(s, "no", 2) == 0)
		return TALK_NO;
	hang_up(t);		/* it may not be at the start of a request */
	if (verb == 3 && strncmp(s, "err", 3) == 0)
		return err_set(e, "%s", t->text.s);
	return err_set(e, "the agent's reply is not one: %.80s", t->text.s);
}

/* 1: greeted. 0: not yet, or something that is not ours. */
static int
hello(struct talk *t, const char *s, struct err *e)
{
	if (!starts_with(s, GREETING)) {
		if (++t->noise <= NOISE_MAX)
			return 0;
		hang_up(t);
		return err_kind(e, ERR_REFUSED, "the login shell says more "
		    "than %d lines before it runs a command", NOISE_MAX);
	}
	s += strlen(GREETING);
	if (starts_with(s, "ok"))
		return 1;
	text_set(t, s, strlen(s));
	hang_up(t);
	return err_kind(e, ERR_REFUSED, "%s", starts_with(t->text.s, "err ") ?
	    t->text.s + 4 : t->text.s);
}

static int
pump(struct talk *t, const char *request, struct err *e)
{
	struct strbuf line STRBUF_SCOPED = STRBUF_INIT;

	if (link_pump(*t->link, e) < 0)
		return lost(t, e);
	while (link_reply(*t->link, &line) == 1) {
		if (t->at == TALK_REPLY)
			return reply(t, line.s, e);
		int r = hello(t, line.s, e);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		send_request(t, request);
		if (link_pump(*t->link, e) < 0)
			return lost(t, e);
	}
	if (t->at == TALK_HELLO && clock_ms() > t->hello_by) {
		hang_up(t);
		return err_set(e, "logged in, but its shell does not answer");
	}
	t->wake = t->at == TALK_HELLO ? t->hello_by + 1 : 0;
	return TALK_WAIT;
}

int
talk_ask(struct talk *t, const char *request, struct err *e)
{
	int r = TALK_WAIT;

	if (t->at == TALK_PAUSE && clock_ms() < t->wake)
		return TALK_WAIT;
	if (t->at == TALK_IDLE && *t->link != NULL)
		send_request(t, request);
	else if (t->at == TALK_IDLE || t->at == TALK_PAUSE)
		r = connect_host(t, e);
	if (r == 0)
		r = pump(t, request, e);
	if (r < 0) {
		t->at = TALK_IDLE;
		err_wrap(e, "%s", t->host->name);
	}
	return r;
}

void
talk_release(struct talk *t)
{
	if (t->at != TALK_IDLE && *t->link != NULL)
		hang_up(t);
	strbuf_release(&t->text);
}

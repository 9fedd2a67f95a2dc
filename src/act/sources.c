#include "act/django.h"

#include <jansson.h>
#include <poll.h>
#include <string.h>

#include "act/act.h"
#include "base/clock.h"

struct asking {
	struct lane l;
	struct list(struct django_source) all;
	bool done;
};

/* One line of the answer. */
static int
take_line(struct asking *q, const struct strbuf *line, struct err *e)
{
	struct arena *a = q->l.d->a;
	json_error_t bad;
	json_t *o = json_loadb(line->s, line->len, 0, &bad);
	const char *app = json_string_value(json_object_get(o, "app"));
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *text = json_string_value(json_object_get(o, "text"));
	const char *result = json_string_value(json_object_get(o, "result"));
	int r = 0;

	if (app != NULL && name != NULL && text != NULL)
		*list_add(a, &q->all) = (struct django_source){
		    sym_get(a, app), sym_get(a, name), arena_strdup(a, text) };
	else if (result != NULL && strcmp(result, "done") == 0)
		q->done = true;
	else
		r = err_set(e, "Django on %s: %s", q->l.host->name,
		    text == NULL ? "said what is not understood" : text);
	json_decref(o);
	return r;
}

static int
pump(struct asking *q, struct err *e)
{
	struct strbuf line STRBUF_SCOPED = STRBUF_LIMIT(8u << 20);
	int moved = link_pump(q->l.django, e);

	while (!q->done && link_reply(q->l.django, &line) == 1) {
		if (take_line(q, &line, e) < 0)
			return -1;
		strbuf_reset(&line);
	}
	return q->done ? 0 : moved;
}

static int
wait_all(struct asking *q, int64_t until, struct err *e)
{
	while (!q->done) {
		struct pollfd p[3];
		int n = link_poll(q->l.django, p);
		int64_t left = until - clock_ms();
		if (left <= 0)
			return err_set(e, "Django on %s does not answer",
			    q->l.host->name);
		poll(p, (nfds_t)n, left < 1000 ? (int)left : 1000);
		if (pump(q, e) < 0)
			return -1;
	}
	return 0;
}

int
django_sources(const struct django_source **out, uint32_t *n,
    struct deploy *d, sym release, struct err *e)
{
	const struct cfg_target *t = d->target;
	struct asking q = { .l = { .name = "db", .d = d,
	    .host = &t->hosts[0] } };

	for (uint32_t i = 0; i < t->nhosts; i++)
		if (streq(t->hosts[i].name, t->release_host))
			q.l.host = &t->hosts[i];
	if (django_open(&q.l, release, e) < 0)
		return -1;
	static const char ask[] = "{\"do\":\"sources\"}\n";
	link_send(q.l.django, ask, sizeof(ask) - 1);
	int r = wait_all(&q, clock_ms() + t->step_timeout, e);
	if (r < 0) {
		struct strbuf talk STRBUF_SCOPED = STRBUF_LIMIT(1 << 16);
		link_talk(q.l.django, &talk);
		while (talk.len > 0 && talk.s[talk.len - 1] == '\n')
			strbuf_cut(&talk, talk.len - 1);
		const char *last = strrchr(talk.s, '\n');
		if (talk.len > 0)
			err_set(e, "%s: %s", e->msg,
			    last == NULL ? talk.s : last + 1);
	}
	link_free(q.l.django);
	*out = q.all.v;
	*n = q.all.n;
	return r;
}

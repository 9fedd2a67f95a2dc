#include "show/verdict.h"

#include <string.h>

#include "base/util.h"

static const char *const tag_values[] = { NULL, "safe", "unsafe", "never" };
static const char *const tag_sources[] = { NULL, "auto", "person",
	"safemigrate", "syzygy", "sentry" };

/* Written as it goes, keys in their order: a tree of a thousand migrations
 * built first takes longer than to judge them. */
struct out {
	struct strbuf *b;
	unsigned depth;
	bool more;		/* something stands before in this bracket */
};

static void
next(struct out *o, const char *key)
{
	static const char spaces[] = "        ";

	if (o->depth > 0)
		strbuf_str(o->b, o->more ? ",\n" : "\n");
	strbuf_add(o->b, spaces, o->depth);
	if (key != NULL) {
		strbuf_char(o->b, '"');
		strbuf_str(o->b, key);
		strbuf_str(o->b, "\": ");
	}
	o->more = true;
}

static void
open(struct out *o, const char *key, char bracket)
{
	next(o, key);
	strbuf_char(o->b, bracket);
	o->depth++;
	o->more = false;
}

static void
close(struct out *o, char bracket)
{
	static const char spaces[] = "\n        ";

	o->depth--;
	if (o->more)
		strbuf_add(o->b, spaces, o->depth + 1);
	strbuf_char(o->b, bracket);
	o->more = true;
}

static void
quoted(struct strbuf *b, const char *s)
{
	struct strbuf clean STRBUF_SCOPED = STRBUF_INIT;
	size_t plain = 0;

	while (s[plain] >= ' ' && s[plain] < 0x7f && s[plain] != '"' &&
	    s[plain] != '\\')
		plain++;
	strbuf_char(b, '"');
	if (s[plain] == '\0') {
		strbuf_add(b, s, plain);
		strbuf_char(b, '"');
		return;
	}
	strbuf_clean(&clean, s, strlen(s), true);
	for (s = clean.s; *s != '\0';) {
		size_t n = strcspn(s, "\"\\\n\t");

		strbuf_add(b, s, n);
		s += n;
		if (*s == '\0')
			break;
		strbuf_char(b, '\\');
		strbuf_char(b, *s == '\n' ? 'n' : *s == '\t' ? 't' : *s);
		s++;
	}
	strbuf_char(b, '"');
}

static void
set(struct out *o, const char *key, const char *s)
{
	next(o, key);
	if (s == NULL)
		strbuf_str(o->b, "null");
	else
		quoted(o->b, s);
}

static void
set_bool(struct out *o, const char *key, bool yes)
{
	next(o, key);
	strbuf_str(o->b, yes ? "true" : "false");
}

static void
set_line(struct out *o, uint32_t line)
{
	next(o, "line");
	if (line > 0)
		strbuf_printf(o->b, "%u", line);
	else
		strbuf_str(o->b, "null");
}

static void
reasons(struct out *o, const struct findings *f, const char *corner)
{
	for (uint32_t i = 0; i < f->n; i++) {
		const struct reason *r = &f->v[i];

		open(o, NULL, '{');
		set(o, "column", r->column);
		set(o, "corner", corner);
		set(o, "degree", degree_name[r->degree]);
		set(o, "field", r->field);
		set_line(o, r->line);
		set(o, "model", r->model);
		set(o, "path", r->m != NULL ? r->m->path : NULL);
		set(o, "table", r->table);
		set(o, "text", r->text);
		close(o, '}');
	}
}

static void
tag(struct out *o, const struct tag *t)
{
	open(o, "tag", '{');
	set(o, "reason", t->because);
	set(o, "source", tag_sources[t->source]);
	set(o, "value", tag_values[t->value]);
	close(o, '}');
}

static void
corners(struct out *o, const struct verdict *v)
{
	open(o, "verdict", '{');
	set(o, "a", v->opaque ? "opaque" : degree_name[v->da]);
	set(o, "b", v->opaque ? "opaque" : degree_name[v->db]);
	set(o, "forward", forward_name[v->forward]);
	set(o, "phase", forward_name[v->phase]);
	set(o, "reverse", forward_name[v->irreversible ? FWD_NEVER :
		v->reverse]);
	close(o, '}');
}

static void
hazards(struct out *o, const char *key, const struct hazard *v, uint32_t n)
{
	open(o, key, '[');
	for (uint32_t i = 0; i < n; i++) {
		const struct hazard *h = &v[i];

		open(o, NULL, '{');
		set_bool(o, "build", h->build);
		set(o, "code", h->code);
		set_line(o, h->line);
		set(o, "lock", h->lock);
		set_bool(o, "rewrite", h->rewrite);
		set_bool(o, "scan", h->scan);
		set(o, "table", h->table);
		set(o, "text", h->text);
		set_bool(o, "update", h->update);
		close(o, '}');
	}
	close(o, ']');
}

static void
fixes(struct out *o, const struct verdict *v)
{
	open(o, "fixes", '[');
	for (uint32_t i = 0; i < v->nfixes; i++) {
		open(o, NULL, '{');
		set(o, "code", v->fixes[i].code);
		set_line(o, v->fixes[i].line);
		set(o, "title", v->fixes[i].title);
		close(o, '}');
	}
	close(o, ']');
}

static void
opaque(struct out *o, const struct verdict *v)
{
	open(o, "opaque", '[');
	for (uint32_t i = 0; i < v->nparts; i++) {
		open(o, NULL, '{');
		set(o, "kind", opaque_name[v->parts[i].why]);
		set_line(o, v->parts[i].line);
		set(o, "text", v->parts[i].text);
		close(o, '}');
	}
	close(o, ']');
}

static void
conditions(struct out *o, const struct migration *m)
{
	open(o, "conditions", '[');
	for (uint32_t i = 0; i < m->nconds; i++) {
		open(o, NULL, '{');
		set_line(o, m->conds[i].line);
		set(o, "text", m->conds[i].text);
		close(o, '}');
	}
	close(o, ']');
}

static void
migration(struct out *o, const struct verdict *v)
{
	open(o, NULL, '{');
	set(o, "app", v->m->app);
	conditions(o, v->m);
	set(o, "drops", v->drops);
	set(o, "fails", v->fails);
	fixes(o, v);
	hazards(o, "hazards", v->hazards, v->nhazards);
	set(o, "loses", v->loses);
	set(o, "name", v->m->name);
	opaque(o, v);
	set(o, "path", v->m->path);
	open(o, "reasons", '[');
	reasons(o, &v->a, "a");
	reasons(o, &v->b, "b");
	reasons(o, &v->never, "never");
	close(o, ']');
	set(o, "refused", v->refused);
	hazards(o, "reverse_hazards", v->back, v->nback);
	tag(o, &v->m->tag);
	corners(o, v);
	close(o, '}');
}

static void
wrong(struct out *o, const struct verdict_show *s)
{
	open(o, "wrong", '[');
	for (uint32_t i = 0; i < s->nwrong; i++) {
		open(o, NULL, '{');
		set_line(o, s->wrong[i].line);
		set(o, "path", s->wrong[i].path);
		set(o, "text", s->wrong[i].text);
		close(o, '}');
	}
	close(o, ']');
}

void
verdict_json(struct strbuf *b, const struct verdict_show *s)
{
	struct out o = { .b = b };

	open(&o, NULL, '{');
	set(&o, "base", s->base);
	set_bool(&o, "fine", s->nwrong == 0 && s->j != NULL && s->j->fine);
	next(&o, "format");
	strbuf_char(b, '1');
	set(&o, "head", s->head);
	open(&o, "migrations", '[');
	for (uint32_t i = 0; s->j != NULL && i < s->j->n; i++)
		migration(&o, &s->j->v[i]);
	close(&o, ']');
	set(&o, "mode", s->mode);
	set(&o, "project", s->project);
	wrong(&o, s);
	close(&o, '}');
	strbuf_char(b, '\n');
}

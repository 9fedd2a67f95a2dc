#include "show/verdict.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "show/json.h"

static const char *const tag_values[] = { NULL, "safe", "unsafe", "never" };
static const char *const tag_sources[] = { NULL, "auto", "person",
	"safemigrate", "syzygy", "sentry" };

static void
set(json_t *o, const char *key, const char *s)
{
	json_object_set_new(o, key, json_text(s));
}

static void
set_line(json_t *o, uint32_t line)
{
	json_object_set_new(o, "line", line > 0 ? json_integer(line) :
		json_null());
}

static void
add_reasons(json_t *all, const struct findings *f, const char *corner)
{
	for (uint32_t i = 0; i < f->n; i++) {
		const struct reason *r = &f->v[i];
		json_t *o = json_object();

		set(o, "corner", corner);
		set(o, "degree", degree_name[r->degree]);
		set(o, "table", r->table);
		set(o, "column", r->column);
		set(o, "model", r->model);
		set(o, "field", r->field);
		set(o, "text", r->text);
		set(o, "path", r->m != NULL ? r->m->path : NULL);
		set_line(o, r->line);
		json_array_append_new(all, o);
	}
}

static json_t *
tag(const struct tag *t)
{
	json_t *o = json_object();

	set(o, "value", tag_values[t->value]);
	set(o, "source", tag_sources[t->source]);
	set(o, "reason", t->because);
	return o;
}

static json_t *
corners(const struct verdict *v)
{
	json_t *o = json_object();

	set(o, "a", v->opaque ? "opaque" : degree_name[v->da]);
	set(o, "b", v->opaque ? "opaque" : degree_name[v->db]);
	set(o, "forward", forward_name[v->forward]);
	set(o, "reverse", forward_name[v->irreversible ? FWD_NEVER :
		v->reverse]);
	set(o, "phase", forward_name[v->phase]);
	return o;
}

static json_t *
hazards(const struct hazard *v, uint32_t n)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < n; i++) {
		const struct hazard *h = &v[i];
		json_t *o = json_object();

		set(o, "code", h->code);
		set(o, "table", h->table);
		set(o, "lock", h->lock);
		json_object_set_new(o, "scan", json_boolean(h->scan));
		json_object_set_new(o, "rewrite", json_boolean(h->rewrite));
		json_object_set_new(o, "build", json_boolean(h->build));
		json_object_set_new(o, "update", json_boolean(h->update));
		set(o, "text", h->text);
		set_line(o, h->line);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *
fixes(const struct verdict *v)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < v->nfixes; i++) {
		json_t *o = json_object();

		set(o, "title", v->fixes[i].title);
		set(o, "code", v->fixes[i].code);
		set_line(o, v->fixes[i].line);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *
opaque(const struct verdict *v)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < v->nparts; i++) {
		json_t *o = json_object();

		set(o, "kind", opaque_name[v->parts[i].why]);
		set(o, "text", v->parts[i].text);
		set_line(o, v->parts[i].line);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *
migration(const struct verdict *v)
{
	json_t *o = json_object();
	json_t *why = json_array();

	set(o, "app", v->m->app);
	set(o, "name", v->m->name);
	set(o, "path", v->m->path);
	json_object_set_new(o, "tag", tag(&v->m->tag));
	json_object_set_new(o, "verdict", corners(v));
	set(o, "refused", v->refused);
	set(o, "loses", v->loses);
	set(o, "fails", v->fails);
	set(o, "drops", v->drops);
	add_reasons(why, &v->a, "a");
	add_reasons(why, &v->b, "b");
	add_reasons(why, &v->never, "never");
	json_object_set_new(o, "reasons", why);
	json_object_set_new(o, "hazards", hazards(v->hazards, v->nhazards));
	json_object_set_new(o, "reverse_hazards", hazards(v->back, v->nback));
	json_object_set_new(o, "fixes", fixes(v));
	json_object_set_new(o, "opaque", opaque(v));
	return o;
}

static json_t *
wrong(const struct verdict_show *s)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < s->nwrong; i++) {
		json_t *o = json_object();

		set(o, "path", s->wrong[i].path);
		set_line(o, s->wrong[i].line);
		set(o, "text", s->wrong[i].text);
		json_array_append_new(all, o);
	}
	return all;
}

void
verdict_json(struct strbuf *b, const struct verdict_show *s)
{
	json_t *o = json_object();
	json_t *all = json_array();

	json_object_set_new(o, "format", json_integer(1));
	set(o, "project", s->project);
	set(o, "mode", s->mode);
	set(o, "base", s->base);
	set(o, "head", s->head);
	json_object_set_new(o, "fine", json_boolean(s->nwrong == 0 &&
		s->j != NULL && s->j->fine));
	for (uint32_t i = 0; s->j != NULL && i < s->j->n; i++)
		json_array_append_new(all, migration(&s->j->v[i]));
	json_object_set_new(o, "migrations", all);
	json_object_set_new(o, "wrong", wrong(s));
	char *text = json_dumps(o, JSON_INDENT(1) | JSON_SORT_KEYS);
	strbuf_str(b, text);
	strbuf_char(b, '\n');
	free(text);
	json_decref(o);
}

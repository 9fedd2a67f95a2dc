#include "show/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

json_t *
json_text(const char *s)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (s == NULL)
		return json_null();
	strbuf_clean(&b, s, strlen(s), true);
	return json_stringn(b.s, b.len);
}

static json_t *
json_reasons(const struct findings *f)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < f->n; i++) {
		const struct reason *r = &f->v[i];
		json_t *o = json_object();
		json_object_set_new(o, "degree",
		    json_text(degree_name[r->degree]));
		json_object_set_new(o, "table", json_text(r->table));
		json_object_set_new(o, "column", json_text(r->column));
		json_object_set_new(o, "text", json_text(r->text));
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *
json_hazards(const struct verdict *v)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < v->nhazards; i++) {
		const struct hazard *h = &v->hazards[i];
		json_t *o = json_object();
		json_object_set_new(o, "code", json_text(h->code));
		json_object_set_new(o, "table", json_text(h->table));
		json_object_set_new(o, "lock", json_text(h->lock));
		json_object_set_new(o, "text", json_text(h->text));
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *
json_verdict(const struct verdict *v)
{
	json_t *o = json_object();

	json_object_set_new(o, "app", json_text(v->m->app));
	json_object_set_new(o, "name", json_text(v->m->name));
	json_object_set_new(o, "path", json_text(v->m->path));
	json_object_set_new(o, "a", json_text(degree_name[v->da]));
	json_object_set_new(o, "b", json_text(degree_name[v->db]));
	json_object_set_new(o, "forward", json_text(forward_name[v->forward]));
	json_object_set_new(o, "reverse", json_text(forward_name[v->reverse]));
	json_object_set_new(o, "phase", json_text(forward_name[v->phase]));
	json_object_set_new(o, "loses", json_text(v->loses));
	json_object_set_new(o, "overruled", json_text(v->overruled));
	json_object_set_new(o, "refused", json_text(v->refused));
	json_object_set_new(o, "reasons_a", json_reasons(&v->a));
	json_object_set_new(o, "reasons_b", json_reasons(&v->b));
	json_object_set_new(o, "hazards", json_hazards(v));
	return o;
}

static json_t *
json_step(const struct step *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "seq", json_integer(s->seq));
	json_object_set_new(o, "wave", json_integer(s->wave));
	json_object_set_new(o, "phase", json_text(s->phase));
	json_object_set_new(o, "lane", json_text(s->lane));
	json_object_set_new(o, "kind", json_text(step_kind_name[s->kind]));
	json_object_set_new(o, "subject", json_text(s->subject));
	json_object_set_new(o, "want", json_text(s->want));
	json_object_set_new(o, "status",
	    json_text(step_status_name[s->status]));
	return o;
}

json_t *
json_plan(const struct plan *p, const struct judgement *j)
{
	static const char *const notes[] = { [NOTE_INFO] = "info",
		[NOTE_WARN] = "warning", [NOTE_REFUSE] = "refused",
		[NOTE_LOSES] = "loses" };
	json_t *o = json_object(), *steps = json_array();
	json_t *said = json_array(), *all = json_array();

	json_object_set_new(o, "format", json_integer(1));
	json_object_set_new(o, "target", json_text(p->target));
	json_object_set_new(o, "kind", json_text(p->kind));
	json_object_set_new(o, "from", json_text(p->from));
	json_object_set_new(o, "to", json_text(p->to));
	json_object_set_new(o, "digest", json_text(p->digest));
	for (uint32_t i = 0; i < p->n; i++)
		json_array_append_new(steps, json_step(&p->steps[i]));
	json_object_set_new(o, "steps", steps);
	for (uint32_t i = 0; i < p->nnotes; i++) {
		json_t *n = json_object();
		json_object_set_new(n, "kind",
		    json_text(notes[p->notes[i].kind]));
		json_object_set_new(n, "text", json_text(p->notes[i].text));
		json_array_append_new(said, n);
	}
	json_object_set_new(o, "notes", said);
	for (uint32_t i = 0; j != NULL && i < j->n; i++)
		json_array_append_new(all, json_verdict(&j->v[i]));
	json_object_set_new(o, "migrations", all);
	return o;
}

json_t *
json_release(const struct ledger_release *r)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", json_text(r->id));
	json_object_set_new(o, "commit", json_text(r->commit));
	json_object_set_new(o, "status", json_text(r->status));
	json_object_set_new(o, "at", json_integer(r->at));
	json_object_set_new(o, "who", json_text(r->who));
	return o;
}

json_t *
json_run(const struct ledger_run *r)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", json_integer(r->id));
	json_object_set_new(o, "kind", json_text(r->kind));
	json_object_set_new(o, "from", json_text(r->from));
	json_object_set_new(o, "to", json_text(r->to));
	json_object_set_new(o, "status", json_text(r->status));
	json_object_set_new(o, "who", json_text(r->who));
	json_object_set_new(o, "why", json_text(r->why));
	json_object_set_new(o, "started", json_integer(r->started));
	json_object_set_new(o, "ended", r->ended == 0 ? json_null() :
	    json_integer(r->ended));
	return o;
}

void
json_print(struct strbuf *b, json_t *o)
{
	char *s = json_dumps(o, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	strbuf_str(b, s == NULL ? "{}" : s);
	strbuf_char(b, '\n');
	free(s);
	json_decref(o);
}

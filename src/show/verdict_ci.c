/* Verdicts for CI: one list of remarks, written in three ways. */
#include "show/verdict.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/util.h"
#include "show/json.h"

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTE };

static const struct { const char *github, *gitlab, *sarif; } levels[] = {
	[LEVEL_ERROR] = { "error", "critical", "error" },
	[LEVEL_WARNING] = { "warning", "minor", "warning" },
	[LEVEL_NOTE] = { "notice", "info", "note" },
};

struct remark {
	enum level level;
	const char *path, *rule, *text;
	uint32_t line;
};

typedef void emit(void *ctx, const struct remark *r);

/* The line of what cannot be read, or of the first reason that is this
 * migration's own. */
static uint32_t
line_of(const struct verdict *v)
{
	const struct findings *const all[] = { &v->a, &v->b, &v->never };

	if (v->forward == FWD_OPAQUE && v->nparts > 0 && v->parts[0].line > 0)
		return v->parts[0].line;
	for (size_t k = 0; k < countof(all); k++)
		for (uint32_t i = 0; i < all[k]->n; i++)
			if (all[k]->v[i].m == v->m && all[k]->v[i].line > 0)
				return all[k]->v[i].line;
	return 1;
}

/* With the first way to write it: a remark stands alone. */
static const char *
with_fix(struct strbuf *b, const struct verdict *v, const char *text)
{
	if (v->nfixes == 0)
		return text;
	strbuf_reset(b);
	strbuf_printf(b, "%s\nthe way to write it: %s", text,
	    v->fixes[0].title);
	if (v->fixes[0].code != NULL)
		strbuf_printf(b, "\n%s", v->fixes[0].code);
	while (b->len > 0 && b->s[b->len - 1] == '\n')
		b->s[--b->len] = '\0';
	return b->s;
}

static void
of_verdict(const struct verdict *v, emit *each, void *ctx)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct remark r = { LEVEL_ERROR, v->m->path, verdict_word(v),
		v->refused, line_of(v) };
	bool told = v->refused != NULL;

	if (told) {
		r.text = with_fix(&text, v, r.text);
		each(ctx, &r);
	} else if (v->phase == FWD_UNSAFE) {
		r.level = LEVEL_NOTE;
		r.text = v->pulled != NULL ? v->pulled :
		    v->a.n > 0 ? v->a.v[0].text : "runs after the new code is everywhere";
		each(ctx, &r);
	}
	for (uint32_t i = 0; i < v->nhazards; i++) {
		const struct hazard *h = &v->hazards[i];

		if (h->text == NULL)
			continue;
		r = (struct remark){ LEVEL_WARNING, v->m->path, h->code,
			told ? h->text : with_fix(&text, v, h->text),
			h->line > 0 ? h->line : 1 };
		told = true;
		each(ctx, &r);
	}
}

static void
remarks(const struct verdict_show *s, emit *each, void *ctx)
{
	for (uint32_t i = 0; i < s->nwrong; i++) {
		const struct verdict_wrong *w = &s->wrong[i];
		struct remark r = { LEVEL_ERROR, w->path != NULL ? w->path :
			"sluice.ini", "wrong", w->text, w->line > 0 ? w->line :
			1 };

		each(ctx, &r);
	}
	for (uint32_t i = 0; s->j != NULL && i < s->j->n; i++)
		if (!verdict_waits(s, &s->j->v[i]))
			of_verdict(&s->j->v[i], each, ctx);
}

/* GitHub's own escapes; a property may not hold : and , either. */
static void
escape(struct strbuf *b, const char *s, bool property)
{
	struct strbuf clean STRBUF_SCOPED = STRBUF_INIT;

	strbuf_clean(&clean, s, strlen(s), true);
	for (const char *p = clean.s; *p != '\0'; p++) {
		if (*p == '%' || *p == '\r' || *p == '\n' ||
		    (property && (*p == ':' || *p == ',')))
			strbuf_printf(b, "%%%02X", (unsigned)*p);
		else
			strbuf_char(b, *p);
	}
}

static void
github_one(void *ctx, const struct remark *r)
{
	struct strbuf *b = ctx;

	strbuf_printf(b, "::%s file=", levels[r->level].github);
	escape(b, r->path, true);
	strbuf_printf(b, ",line=%u,title=", r->line);
	escape(b, r->rule != NULL ? r->rule : "lock", true);
	strbuf_str(b, "::");
	escape(b, r->text, false);
	strbuf_char(b, '\n');
}

void
verdict_github(struct strbuf *b, const struct verdict_show *s)
{
	remarks(s, github_one, b);
}

static void
gitlab_one(void *ctx, const struct remark *r)
{
	struct strbuf key STRBUF_SCOPED = STRBUF_INIT;
	json_t *o = json_object(), *place = json_object();
	json_t *lines = json_object();
	char hex[65];

	strbuf_printf(&key, "%s\n%s\n%s", r->path, r->rule != NULL ? r->rule :
		"", r->text);
	sha256_hex(hex, key.s, key.len);
	json_object_set_new(lines, "begin", json_integer(r->line));
	json_object_set_new(place, "path", json_text(r->path));
	json_object_set_new(place, "lines", lines);
	json_object_set_new(o, "description", json_text(r->text));
	json_object_set_new(o, "check_name", json_text(r->rule));
	json_object_set_new(o, "fingerprint", json_text(hex));
	json_object_set_new(o, "severity", json_text(levels[r->level].gitlab));
	json_object_set_new(o, "location", place);
	json_array_append_new(ctx, o);
}

void
verdict_gitlab(struct strbuf *b, const struct verdict_show *s)
{
	json_t *all = json_array();

	remarks(s, gitlab_one, all);
	json_print(b, all);
}

static json_t *
wrap(const char *key, json_t *value)
{
	json_t *o = json_object();

	json_object_set_new(o, key, value);
	return o;
}

static json_t *
uri(const char *path)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (const char *p = path; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~/", c) != NULL)
			strbuf_char(&b, *p);
		else
			strbuf_printf(&b, "%%%02X", c);
	}
	return json_text(b.s);
}

static void
sarif_one(void *ctx, const struct remark *r)
{
	json_t *o = json_object(), *place = json_object();

	json_object_set_new(place, "artifactLocation",
	    wrap("uri", uri(r->path)));
	json_object_set_new(place, "region",
	    wrap("startLine", json_integer(r->line)));
	json_object_set_new(o, "ruleId", json_text(r->rule != NULL ? r->rule :
		"lock"));
	json_object_set_new(o, "level", json_text(levels[r->level].sarif));
	json_object_set_new(o, "message", wrap("text", json_text(r->text)));
	json_object_set_new(o, "locations",
	    json_pack("[o]", wrap("physicalLocation", place)));
	json_array_append_new(ctx, o);
}

void
verdict_sarif(struct strbuf *b, const struct verdict_show *s)
{
	json_t *results = json_array(), *driver = json_object();
	json_t *run = json_object(), *o = json_object();

	remarks(s, sarif_one, results);
	json_object_set_new(driver, "name", json_text("sluice"));
	json_object_set_new(driver, "version", json_text(VERSION));
	json_object_set_new(run, "tool", wrap("driver", driver));
	json_object_set_new(run, "results", results);
	json_object_set_new(o, "$schema",
	    json_text("https://json.schemastore.org/sarif-2.1.0.json"));
	json_object_set_new(o, "version", json_text("2.1.0"));
	json_object_set_new(o, "runs", json_pack("[o]", run));
	json_print(b, o);
}

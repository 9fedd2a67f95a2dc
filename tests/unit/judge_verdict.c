/* Verdicts of releases: worlds in, phases out. */
#include "tap.h"
#include "moves.h"

#define T "t: id bigint! serial, n integer!; pk p(id)"
#define PC "p: id bigint! serial; pk pp(id)|"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct stage {
	const char *key;	/* "app.name", "<" before it: needs none */
	const char *have;	/* tables after it */
	const char *want;	/* NULL: the same */
	const char *tag;	/* "safe", "unsafe because", "opaque …" */
};

static const struct {
	const char *name;
	const char *old, *old_want;	/* old_want NULL: the same */
	struct stage s[5];
	const char *phases;	/* "verdict>phase" of each, '!' refused */
} cases[] = {
	{ "new table", T, NULL, { { "a.1", T "|u: id bigint!" } }, "safe>safe" },
	{ "new nullable column", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!, m text?" } }, "safe>safe" },
	{ "new column with a default", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!, m text! =''" } }, "safe>safe" },
	{ "new NOT NULL column", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!, m text!" } }, "split>split!" },
	{ "nullable column removed", "t: n integer!, m text?", NULL,
	  { { "a.1", "t: n integer!" } }, "unsafe>unsafe" },
	{ "NOT NULL column removed", "t: n integer!, m text!", NULL,
	  { { "a.1", "t: n integer!" } }, "split>split!" },
	{ "column with a default removed", "t: n integer!, m text! =''", NULL,
	  { { "a.1", "t: n integer!" } }, "unsafe>unsafe" },
	{ "table removed", "t: n integer!|u: n integer!", NULL,
	  { { "a.1", "t: n integer!" } }, "unsafe>unsafe" },
	{ "table with a foreign key removed", PC "c: p_id bigint!; fk f(p_id>p.id)",
	  NULL, { { "a.1", PC } }, "split>split!" },
	{ "new table with a foreign key", PC, NULL,
	  { { "a.1", PC "c: p_id bigint!; fk f(p_id>p.id)" } }, "safe>safe" },
	{ "foreign key onto a known column", PC "c: p_id bigint!", NULL,
	  { { "a.1", PC "c: p_id bigint!; fk f(p_id>p.id)" } }, "unsafe>unsafe" },
	{ "index added", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!; index i(n)" } }, "either>safe" },
	{ "index removed", "t: n integer!; index i(n)", NULL,
	  { { "a.1", "t: n integer!" } }, "either>unsafe" },
	{ "unique added", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!; unique u(n)" } }, "unsafe>unsafe" },
	{ "unique removed", "t: n integer!; unique u(n)", NULL,
	  { { "a.1", "t: n integer!" } }, "safe>safe" },
	{ "NOT NULL added", "t: n integer?", NULL,
	  { { "a.1", "t: n integer!" } }, "unsafe>unsafe" },
	{ "NOT NULL added, a Python default", "t: n integer? py", NULL,
	  { { "a.1", "t: n integer! py" } }, "either>unsafe" },
	{ "NOT NULL removed", "t: n integer!", NULL,
	  { { "a.1", "t: n integer?" } }, "safe>safe" },
	{ "wider", "t: n character_varying(5)!", NULL,
	  { { "a.1", "t: n character_varying(9)!" } }, "safe>safe" },
	{ "narrower", "t: n character_varying(9)!", NULL,
	  { { "a.1", "t: n character_varying(5)!" } }, "unsafe>unsafe" },
	{ "renamed column", "t: n integer!", NULL,
	  { { "a.1", "t: m integer!" } }, "split>split!" },
	{ "added, filled, made NOT NULL", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!, m text?" },
	    { "a.2", "t: n integer!, m text?", NULL, "safe because" },
	    { "a.3", "t: n integer!, m text!" } },
	  "safe>safe opaque>safe unsafe>unsafe" },
	{ "a model moved between apps", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!", "" },
	    { "b.1", "t: n integer!", "t: n integer!" } },
	  "either>safe either>safe" },
	{ "a state-only removal of a NOT NULL column", "t: n integer!, m text!",
	  NULL, { { "a.1", "t: n integer!, m text!", "t: n integer!" } },
	  "never>never!" },
	{ "a left-over of before is not blamed", "t: n integer!, m text!",
	  "t: n integer!", { { "a.1", "t: n integer!, m text!, o text?",
	    "t: n integer!, o text?" } }, "safe>safe" },
	{ "safe that needs unsafe", "t: n integer?", NULL,
	  { { "a.1", "t: n integer!" },
	    { "a.2", "t: n integer!, m text?" } }, "unsafe>unsafe safe>safe!" },
	{ "unsafe that needs safe", "t: n integer?", NULL,
	  { { "a.1", "t: n integer?, m text?" },
	    { "a.2", "t: n integer!, m text?" } }, "safe>safe unsafe>unsafe" },
	{ "apart, in two apps", "t: n integer?|u: n integer!", NULL,
	  { { "a.1", "t: n integer!|u: n integer!" },
	    { "<b.1", "t: n integer!|u: n integer!, m text?" } },
	  "unsafe>unsafe safe>safe" },
	{ "either follows what it stands before", "t: n integer!; index i(n)", NULL,
	  { { "a.1", "t: n integer!" },
	    { "a.2", "t: n integer!, m text?" } }, "either>safe safe>safe" },
	{ "either follows what it needs", "t: n integer?", NULL,
	  { { "a.1", "t: n integer!" },
	    { "a.2", "t: n integer!; index i(n)" } },
	  "unsafe>unsafe either>unsafe" },
	{ "a tag decides", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!; index i(n)", NULL, "unsafe" } },
	  "either>unsafe" },
	{ "an overrule without a reason", "t: n integer?", NULL,
	  { { "a.1", "t: n integer!", NULL, "safe" } }, "unsafe>unsafe!" },
	{ "an overrule", "t: n integer?", NULL,
	  { { "a.1", "t: n integer!", NULL, "safe because" } }, "unsafe>safe" },
	{ "what breaks is not overruled", "t: n integer!, m text?", NULL,
	  { { "a.1", "t: n integer!", NULL, "safe because" } },
	  "unsafe>unsafe!" },
	{ "opaque without a tag", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!", NULL, "opaque" } }, "opaque>opaque!" },
	{ "opaque with a tag", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!", NULL, "opaque unsafe" } },
	  "opaque>unsafe" },
	{ "a tag for other operations", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!", NULL, "opaque safe stale" } },
	  "opaque>opaque!" },
	{ "a tag of the machine", "t: n integer!", NULL,
	  { { "a.1", "t: n integer!; index i(n)", NULL, "unsafe auto" } },
	  "either>safe" },
	{ "first release", "", NULL, { { "a.1", "t: n integer!", NULL, "opaque" },
	  { "a.2", "t: n integer!, m text!" } }, "opaque>safe safe>safe" },
};

static void
tag(struct arena *a, struct moved *m, const char *t)
{
	struct tag tag = { .source = TAG_PERSON };
	union { const struct migration *in; struct migration *out; } f = { m->m };
	union { const struct change *in; struct change *out; } c = {
	    m->changes };

	if (t == NULL)
		return;
	tag.value = strstr(t, "unsafe") != NULL ? TAG_UNSAFE :
	    strstr(t, "safe") != NULL ? TAG_SAFE : TAG_UNSET;
	if (strstr(t, "because") != NULL)
		tag.because = "idempotent";
	if (strstr(t, "auto") != NULL)
		tag.source = TAG_AUTO;
	tag.bound = sym_get(a, strstr(t, "stale") != NULL ? "ffff" : "01234567");
	if (strstr(t, "opaque") != NULL || c.out->fwd.n == 0)
		c.out->why = OPAQUE_PYTHON;
	if (strcmp(t, "opaque") == 0)
		tag.source = TAG_NONE;
	f.out->tag = tag;
}

static uint32_t
build(struct arena *a, struct release *r, size_t i)
{
	const struct moved **v = arena_array(a, const struct moved *, 5);
	const struct migration *last = NULL;
	uint32_t n = 0;

	r->old.have = w_vec(a, cases[i].old);
	r->old.want = cases[i].old_want != NULL ?
	    w_vec(a, cases[i].old_want) : r->old.have;
	r->new = r->old;
	for (; n < 5 && cases[i].s[n].key != NULL; n++) {
		const struct stage *s = &cases[i].s[n];
		struct vec have = w_vec(a, s->have);
		struct vec want = s->want != NULL ? w_vec(a, s->want) : have;
		bool apart = s->key[0] == '<';
		struct moved *m = m_move(a, s->key + apart, apart ? NULL : last,
		    &r->new, want, have);

		tag(a, m, s->tag);
		r->new = m->after;
		last = m->m;
		v[n] = m;
	}
	r->v = v;
	r->n = n;
	return n;
}

int
main(void)
{
	struct settings s = { .django = 502, .server = 15 };

	for (size_t i = 0; i < countof(cases); i++) {
		struct arena *a = arena_new();
		struct release r = { 0 };
		struct judgement j;
		struct strbuf got STRBUF_SCOPED = STRBUF_INIT;

		build(a, &r, i);
		judge_release(&j, a, &r, &s);
		for (uint32_t k = 0; k < j.n; k++)
			strbuf_printf(&got, "%s%s>%s%s", k > 0 ? " " : "",
			    forward_name[j.v[k].forward],
			    forward_name[j.v[k].phase],
			    j.v[k].refused != NULL ? "!" : "");
		bool good = is(got.s, cases[i].phases, cases[i].name);
		for (uint32_t k = 0; k < j.n; k++) {
			for (uint32_t x = 0; !good && x < j.v[k].a.n; x++)
				printf("# %u A %s\n", k, j.v[k].a.v[x].text);
			for (uint32_t x = 0; !good && x < j.v[k].b.n; x++)
				printf("# %u B %s\n", k, j.v[k].b.v[x].text);
			if (j.v[k].refused != NULL)
				printf("# %s\n", j.v[k].refused);
		}
		arena_free(a);
	}
	return done_testing();
}

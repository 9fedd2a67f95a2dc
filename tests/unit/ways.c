/* Conditions that nobody can decide: every way is judged, the worst holds. */
#include "ends.h"

#include "judge/ways.h"

struct ways_case {
	const char *name;
	const char *done, *next[2];	/* bodies of one that is applied, and of
					 * those that are not; NULL */
	const char *phases;
	const char *text;	/* is in what is told; '!': is not */
};

#define A "migrations.AddField('customer', 'a', models.TextField(null=True))"
#define B "migrations.AddField('customer', 'b', models.TextField(null=True))"
#define NOT_A "migrations.RemoveField('customer', 'a')"
#define EMAIL "migrations.RemoveField('customer', 'email')"
#define IF(c, ops) "    if " c ":\n        operations = [" ops "]\n"
#define ELSE(ops) "    else:\n        operations = [" ops "]\n"
#define OPS(ops) "    operations = [" ops "]\n"

static const struct ways_case cases[] = {
	{ "both add", NULL, { IF("settings.X", A) ELSE(B) }, "safe>safe",
	  "if settings.X is true: new code already SELECTs \"shop_customer\".\"a\"" },
	{ "one adds, one removes", NULL, { IF("settings.X", A) ELSE(EMAIL) },
	  "split>split!", "if settings.X is false: deployed code still SELECTs \"shop_customer\".\"email\"" },
	{ "the same either way", NULL, { IF("settings.X", A)
	  ELSE("migrations.RunSQL('SELECT 1', migrations.RunSQL.noop), " A) }, "safe>safe",
	  "!if settings.X" },
	{ "one way only is read", NULL, { IF("settings.X", A)
	  ELSE("migrations.RunPython(fill)") }, "opaque>opaque!",
	  "if settings.X is false: it runs the Python function" },
	{ "nothing otherwise", NULL, { IF("settings.X", EMAIL) },
	  "unsafe>unsafe", "if settings.X is true: deployed code still" },
	{ "the worst of four", NULL, { IF("settings.X and settings.Y", EMAIL)
	  ELSE(A) }, "split>split!",
	  "if settings.X is true and settings.Y is true: deployed code still" },
	{ "two files, one choice", NULL, { IF("settings.X", A),
	  IF("settings.X", NOT_A) }, "either>safe either>unsafe", "!there is no" },
	{ "two files, two choices", NULL, { IF("settings.X", A),
	  IF("settings.Y", NOT_A) }, NULL,
	  "if settings.X is false and settings.Y is true: " },
	{ "applied under the same choice", IF("settings.X", A), {
	  IF("settings.X", NOT_A) }, "unsafe>unsafe",
	  "if settings.X is true: deployed code still SELECTs \"shop_customer\".\"a\"" },
	{ "applied under a choice", IF("settings.X", A), { OPS(EMAIL) },
	  "unsafe>unsafe", "!if settings.X" },
	{ "there in one world only", IF("settings.X", A), { OPS(NOT_A) },
	  "opaque>opaque!", "if settings.X is false: model shop.customer has no field" },
	{ "four are too many", NULL, { IF("settings.A", A) IF("settings.B", B),
	  IF("settings.C", EMAIL) IF("settings.D", "") }, NULL,
	  "stands under a condition that cannot be decided" },
	{ "four of what is done are not", IF("settings.A", A)
	  IF("settings.B", B) IF("settings.C", B), { OPS(EMAIL) },
	  "unsafe>unsafe", "!cannot be decided" },
	{ "locks of both", NULL, { IF("settings.X", "migrations.AlterField("
	  "'customer', 'rank', models.BigIntegerField(db_default=0))") ELSE(A) },
	  NULL, "if settings.X is true: turns \"rank\" from" },
	{ "an exception", NULL, { "    try:\n        operations = [" A "]\n"
	  "    except Exception:\n        operations = []\n" },
	  "opaque>opaque!", "cannot be decided" },
};

static const char *
file(struct run *r, uint32_t at, const char *body)
{
	return arena_printf(r->a, "from django.conf import settings\n" HEAD
	    "class Migration(migrations.Migration):\n"
	    "    dependencies = [('shop', '%04d_%s')]\n%s", at - 1,
	    at == 2 ? "initial" : "next", body);
}

static void
judge_ways(struct run *r, uint32_t done)
{
	struct settings s = { .django = 502, .server = 15,
	    .auto_field = sym_get(r->a, "BigAutoField") };
	struct graph g = { 0 };
	struct ways w;

	graph_build(&g, r->a, r->m, r->n, NULL, 0, &s);
	ways_make(&w, r->a, &(struct ways_ask){ .base = g.order,
	    .nbase = done, .pending = g.order + done, .npending = g.n - done,
	    .graph = &g, .s = &s });
	ways_judge(&r->j, r->a, &w, &s);
}

int
main(void)
{
	for (size_t i = 0; i < countof(cases); i++) {
		const struct ways_case *c = &cases[i];
		struct run r = { .a = arena_new() };
		struct strbuf got STRBUF_SCOPED = STRBUF_INIT;
		struct strbuf text STRBUF_SCOPED = STRBUF_INIT;

		add(&r, "0001_initial", base);
		if (c->done != NULL)
			add(&r, "0002_next", file(&r, 2, c->done));
		uint32_t done = r.n;
		for (int k = 0; k < 2 && c->next[k] != NULL; k++)
			add(&r, sym_printf(r.a, "%04d_next", r.n + 1),
			    file(&r, r.n + 1, c->next[k]));
		judge_ways(&r, done);
		for (uint32_t k = 0; k < r.j.n; k++) {
			const struct verdict *v = &r.j.v[k];
			strbuf_printf(&got, "%s%s>%s%s", k > 0 ? " " : "",
			    forward_name[v->forward], forward_name[v->phase],
			    v->refused != NULL ? "!" : "");
			words(&text, v);
			for (uint32_t p = 0; p < v->nparts; p++)
				strbuf_printf(&text, "%s\n", v->parts[p].text);
		}
		bool not = c->text[0] == '!';
		if (c->phases != NULL)
			is(got.s, c->phases, c->name);
		if (!ok((strstr(text.s, c->text + not) == NULL) == not,
		    "%s: in words", c->name))
			printf("# %s: %s\n", got.s, text.s);
		arena_free(r.a);
	}
	return done_testing();
}

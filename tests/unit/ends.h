/* From the text of migration files to verdicts, reasons and fixes. */
#ifndef TESTS_ENDS_H
#define TESTS_ENDS_H

#include "tap.h"

#include <stdlib.h>

#include "base/util.h"
#include "judge/graph.h"
#include "judge/verdict.h"
#include "read/migration.h"

#define HEAD "from django.contrib.postgres.operations import *\n" \
    "import django.db.models.deletion; import pgtrigger.compiler; " \
    "import pgtrigger.migrations\n" \
    "from django.db import migrations, models\n\n\n" \
    "def fill(apps, schema_editor):\n    pass\n" \
    "class Odd(models.CharField): concrete = False\n" \
    "class Own(models.CharField): validators = []\n"

#define LOOP "def loop(apps, schema_editor):\n" \
    "    from shop.models import Order\n" \
    "    for x in Order.objects.all():\n" \
    "        x.number = 1\n        x.save()\n\n\n"

#define FUNCTION(body) "migrations.RunSQL(\"CREATE FUNCTION f() " \
    "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " body "; END " \
    "$$\", '')"
#define TRIGGER(when) "migrations.RunSQL('CREATE TRIGGER g " when " INSERT " \
    "ON shop_customer FOR EACH ROW EXECUTE FUNCTION f()', '')"
#define PGTRIGGER(func, when) "pgtrigger.migrations.AddTrigger(model_name=" \
    "'customer', trigger=pgtrigger.compiler.Trigger(name='log', sql=" \
    "pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO log VALUES " \
    "(NEW.email); " func "', hash='x', operation='INSERT', " \
    "pgid='pgtrigger_log_1a2b3', table='shop_customer', when='" when "')))"

static const char base[] = HEAD
    "class Migration(migrations.Migration):\n"
    "    initial = True\n"
    "    dependencies = []\n"
    "    operations = [\n"
    "        migrations.CreateModel('Customer', [\n"
    "            ('id', models.BigAutoField(primary_key=True)),\n"
    "            ('name', models.CharField(max_length=50)),\n"
    "            ('email', models.EmailField(null=True)),\n"
    "            ('rank', models.IntegerField(db_default=0)),\n"
    "        ]),\n"
    "        migrations.CreateModel('Order', [\n"
    "            ('id', models.BigAutoField(primary_key=True)),\n"
    "            ('number', models.IntegerField()),\n"
    "            ('state', models.CharField(max_length=9)),\n"
    "            ('note', models.TextField(blank=True)),\n"
    "            ('customer', models.ForeignKey('shop.Customer', "
    "models.CASCADE)),\n"
    "        ]),\n"
    "        migrations.AddConstraint('order', models.CheckConstraint("
    "check=models.Q(state__in=['new', 'paid']), name='state_ok')),\n"
    "    ]\n";

struct end {
	const char *name;
	const char *ops[3];	/* of one migration each, in a row; '!' before
				 * them: atomic = False */
	const char *phases;
	const char *text;	/* is in some reason, fix or refusal; '!': is not */
};

struct run {
	struct arena *a;
	struct migration m[4];
	uint32_t n;
	struct judgement j;
};

static inline bool
add(struct run *r, const char *name, const char *text)
{
	struct err e = ERR_INIT;
	sym path = sym_printf(r->a, "shop/migrations/%s.py", name);
	int got = migration_read(&r->m[r->n++], r->a, "shop", path, text,
	    strlen(text), NULL, &e);

	if (got != 1)
		printf("# %s: %d %s\n", path, got, e.msg);
	return got == 1;
}

static inline void
judge(struct run *r)
{
	struct settings s = { .django = 502, .server = 15,
	    .user_model = sym_get(r->a, "auth.user"),
	    .auto_field = sym_get(r->a, "BigAutoField") };
	struct graph g = { 0 };
	struct replay old, new;

	graph_build(&g, r->a, r->m, r->n, NULL, 0, &s);
	for (uint32_t i = 0; i < g.nwrong; i++)
		printf("# %s\n", g.wrong[i].text);
	replay_run(&old, r->a, g.order, 1, &s);
	replay_from(&new, r->a, &old.end, g.order + 1, g.n - 1, &s);
	const struct moved **v = arena_array(r->a, const struct moved *, g.n);
	for (uint32_t i = 0; i < new.n; i++)
		v[i] = &new.v[i];
	struct release rel = { .old = old.end, .new = new.end, .v = v,
	    .n = new.n, .graph = &g };
	judge_release(&r->j, r->a, &rel, &s);
}

static inline void
words(struct strbuf *b, const struct verdict *v)
{
	const struct findings *f[] = { &v->a, &v->b, &v->never };

	for (size_t k = 0; k < 3; k++)
		for (uint32_t i = 0; i < f[k]->n; i++)
			strbuf_printf(b, "%s\n", f[k]->v[i].text);
	for (uint32_t i = 0; i < v->nhazards; i++)
		strbuf_printf(b, "%s\n", v->hazards[i].text == NULL ? "" :
		    v->hazards[i].text);
	for (uint32_t i = 0; i < v->nfixes; i++)
		strbuf_printf(b, "%s\n%s\n", v->fixes[i].title,
		    v->fixes[i].code);
	const char *const gist[] = { v->drops, v->loses, v->fails };
	for (size_t i = 0; i < countof(gist); i++)
		strbuf_printf(b, "%s\n", gist[i] == NULL ? "" : gist[i]);
	strbuf_printf(b, "%s\n", v->refused == NULL ? "" : v->refused);
}

static inline int
ends_judged(const struct end *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct run r = { .a = arena_new() };
		struct strbuf got STRBUF_SCOPED = STRBUF_INIT;
		struct strbuf text STRBUF_SCOPED = STRBUF_INIT;

		add(&r, "0001_initial", base);
		for (int k = 0; k < 3 && cases[i].ops[k] != NULL; k++)
			add(&r, sym_printf(r.a, "%04d_next", k + 2),
			    arena_printf(r.a, HEAD "import uuid\n\n\n%s"
			    "class Migration(migrations.Migration):\n"
			    "    dependencies = [('shop', '%04d_%s')]\n"
			    "%s    operations = [\n        %s\n    ]\n",
			    strstr(cases[i].ops[k], "loop") ? LOOP : "", k + 1,
			    k == 0 ? "initial" : "next", cases[i].ops[k][0] ==
			    '!' ? "    atomic = False\n" : "",
			    cases[i].ops[k] + (cases[i].ops[k][0] == '!')));
		judge(&r);
		for (uint32_t k = 0; k < r.j.n; k++) {
			strbuf_printf(&got, "%s%s>%s%s", k > 0 ? " " : "",
			    forward_name[r.j.v[k].forward],
			    forward_name[r.j.v[k].phase],
			    r.j.v[k].refused != NULL ? "!" : "");
			words(&text, &r.j.v[k]);
		}
		bool good = cases[i].phases == NULL ||
		    is(got.s, cases[i].phases, cases[i].name);
		good &= ok(strstr(text.s, "(null)") == NULL,
		    "%s: all have a name", cases[i].name);
		bool not = cases[i].text != NULL && cases[i].text[0] == '!';
		if (cases[i].text != NULL)
			good &= ok((strstr(text.s, cases[i].text + not) !=
			    NULL) != not, "%s: in words", cases[i].name);
		if (!good)
			for (char *p = text.s, *e; (e = strchr(p, '\n')) != NULL;
			    p = e + 1)
				printf("# %.*s\n", (int)(e - p), p);
		arena_free(r.a);
	}
	return done_testing();
}

#endif

/* What [operations] and [values] say in the place of what cannot be read. */
#include "base/strbuf.h"
#include "base/util.h"
#include "read/config.h"
#include "read/migration.h"
#include "tap.h"

static struct arena *a;

static int
no_module(void *ctx, const char *dotted, const char **text, size_t *len,
    const char **path)
{
	(void)ctx;
	(void)dotted;
	(void)text;
	(void)len;
	(void)path;
	return 0;
}

static void
reading(void)
{
	static const char text[] = "import pg, swap\nfrom django.conf import settings\nfrom django.db import migrations, models\n"
	    "class Migration(migrations.Migration):\n    operations = [pg.Quiet(1), pg.Text('x', reverse_sql='y'), pg.Other(),\n"
	    "        migrations.AddField('a', f'{swap.name(\"x\", \"Page\").lower()}_ptr', models.CharField(max_length=settings.WIDE)),\n"
	    "        migrations.DeleteModel(swap.name('y', 'Page'))]\n";
	const struct cfg_pair ops[] = { { "pg.Quiet", "none" }, { "pg.Text", "django.db.migrations.RunSQL" } };
	struct cfg_value v[] = { { "django.conf.settings.WIDE", "", given_constant(a, "20_000") },
	    { given_key(a, "swap.name( \"x\",'Page')"), "", given_constant(a, "'x.Page'") } };
	struct cfg_project p = { .operations = ops, .noperations = 2, .values = v, .nvalues = 2 };
	struct module_lookup l = { no_module, NULL, NULL, &p };
	struct err e = ERR_INIT;
	struct migration m;

	is_int(migration_read(&m, a, "shop", "shop/migrations/0002_x.py", text, strlen(text), &l, &e), 1, "read");
	is_int(m.ops.n, 5, "operations");
	ok(m.ops.v[0].kind == OP_SEPARATE, "one that does nothing");
	ok(m.ops.v[1].kind == OP_RUN_SQL && m.ops.v[1].reversible, "one that is RunSQL");
	is(m.ops.v[1].sql->text, "x", "its text");
	is(m.ops.v[2].why, "operation pg.Other is not known", "one of which nothing is said");
	is(m.ops.v[3].name, "x.page_ptr", "a call that stands for a word");
	is_int(value_int(m.ops.v[3].value, "max_length", 0, NULL), 20000, "a setting");
	ok(m.ops.v[4].kind == OP_OPAQUE, "a call with other arguments");
}

static void
texts(void)
{
	is(given_key(a, "swap.name( \"x\",'Page')"), "swap.name('x', 'Page')", "a call as it is printed");
	is(given_key(a, "conf.X"), "conf.X", "a name");
	ok(given_key(a, "1") == NULL && given_key(a, "f(") == NULL, "no key");
	ok(given_constant(a, "f()") == NULL && given_constant(a, "1; x") == NULL, "no constant");
	ok(given_constant(a, "[1, x]") == NULL && given_constant(a, "") == NULL, "nor these");
	is_int(given_constant(a, "'a', 'b'")->n, 2, "a tuple");
}

int
main(void)
{
	a = arena_new();
	reading();
	texts();
	arena_free(a);
	return done_testing();
}

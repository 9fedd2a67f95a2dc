/* Names that come from other modules. */
#include "read/migration.h"

#include "base/util.h"
#include "ops.h"
#include "read/source.h"
#include "tap.h"

static struct arena *a;
static struct err e;
static struct migration m;

#define HEAD "from django.db import migrations, models\n"
#define CLASS "class Migration(migrations.Migration):\n"

static const char *const modules[][2] = {
	{ "shop.fields", "from django.db import models\nfrom django.db import migrations\nclass IntegerField(models.SmallIntegerField): pass\nclass Money(models.TextField): pass\nclass GeneratedField(models.TextField): pass\n" },
	{ "shop.a", "from django.db import models\nclass F(models.IntegerField): pass\n" },
	{ "shop.b", "from django.db import models\nclass F(models.TextField): pass\nclass IntegerField(models.TextField): pass\n__all__ = ['F']\n" },
	{ "shop.h", "from shop.a import *\nfrom shop.b import *\n" },
	{ "shop.c", "from django.db import models\nclass IntegerField(models.TextField): pass\n__all__ = names()\n" },
	{ "shop.lists", "from django.db import migrations\nOPS = [migrations.DeleteModel('A')]\n" },
	{ "shop.round", "from shop.circle import *\nfrom django.db.models import *\n" },
	{ "shop.circle", "from shop.round import *\nfrom shop.lists import *\n__all__ = ['OPS'] + __all__\n" },
	{ "shop.own", "from django.db.migrations import RunSQL as AddField\nclass migrations:\n    pass\n" },
};

static int
find_module(void *ctx, const char *dotted, const char **text, size_t *len, const char **path)
{
	(void)ctx;
	for (size_t i = 0; i < countof(modules); i++)
		if (streq(modules[i][0], dotted)) {
			*text = modules[i][1];
			*len = strlen(*text);
			*path = arena_printf(a, "shop/%s.py", dotted + 5);
			return 1;
		}
	return 0;
}

static void
star(const char *imports, const char *op, const char *want)
{
	struct module_lookup l = { find_module, NULL, NULL, NULL };
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	const char *text = arena_printf(a, "%s" CLASS "    operations = [%s]\n", imports, op);

	err_clear(&e);
	int r = migration_read(&m, a, "shop", "shop/migrations/0002_x.py", text, strlen(text), &l, &e);
	if (r == 1) {
		show(&b, &m.ops);
		for (uint32_t i = 0; i < m.ops.n && m.ops.v[i].value != NULL; i++)
			strbuf_printf(&b, " of %s", m.ops.v[i].value->base != NULL ? m.ops.v[i].value->base : "?");
	}
	is(r == 1 ? b.s : r == 0 ? "(none)" : e.msg, want, arena_printf(a, "%s%s", imports, op));
}

/* What is bound last is what counts. */
static void
stars(void)
{
#define ALTER "migrations.AlterField('o', 'q', IntegerField())"
#define ADDF "migrations.AddField('o', 'q', F())"
#define GIVEN "from django.db import migrations\nfrom django.db.models import IntegerField\n"
#define NOLIST "OPAQUE why[a list that is not written out]"
	static const char *const tables[][3] = {
#define DJANGO "alter o.q v=django.db.models.IntegerField() of ?"
#define OWNFIELD "alter o.q v=shop.fields.IntegerField() of django.db.models.SmallIntegerField"
		{ GIVEN "from shop.fields import *\n", ALTER, OWNFIELD },
		{ "from shop.fields import *\n" GIVEN, ALTER, DJANGO },
		{ "from django.db import migrations\nfrom django.db.models import *\nfrom shop.fields import *\n", ALTER, OWNFIELD },
		{ "from django.db import migrations\nfrom shop.fields import *\nfrom django.db.models import *\n", ALTER, DJANGO },
		{ "from django.db import migrations\nfrom shop.fields import IntegerField\nfrom django.db.models import *\n", ALTER, DJANGO },
		{ "from django.db import migrations\nfrom shop.fields import GeneratedField\nfrom django.db.models import *\n", "migrations.AddField('o', 'q', GeneratedField())", "OPAQUE o why[field: a call of what is not a name]" },
		{ "from django.db import migrations\nfrom shop.fields import Money\nfrom django.db.models import *\n", "migrations.AddField('o', 'q', Money())", "add o.q v=shop.fields.Money() of django.db.models.TextField" },
		{ GIVEN "from django.db.models.functions import *\nfrom decimal import *\n", ALTER, DJANGO },
		{ GIVEN "from shop.b import *\n", ALTER, DJANGO },
		{ GIVEN "from shop.c import *\n", ALTER, "OPAQUE o why[field: a call of what is not a name]" },
		{ GIVEN "if X:\n    from shop.fields import *\n", ALTER, "OPAQUE o why[field: a call of what is not a name]" },
		{ "from django.db import migrations\nfrom shop.fields import *\nif X:\n    from django.db.models import IntegerField\n", ALTER, "OPAQUE o why[field: a call of what is not a name]" },
		{ "from django.db import migrations\nfrom shop.h import F\n", ADDF, "add o.q v=shop.h.F() of django.db.models.TextField" },
		{ "from django.db import migrations\nfrom shop.h import *\n", ADDF, "add o.q v=shop.b.F() of django.db.models.TextField" },
		{ "from django.db import migrations\nfrom django.db.models import *\nfrom elsewhere import F\n", ADDF, "add o.q v=elsewhere.F() of ?" },
		{ "from django.db import migrations\nfrom django.db.migrations import AddField\nfrom shop.own import *\n", "AddField('x')", "sql sql<x>; OPAQUE why[the migration comes from migrations.Migration, which cannot be followed]" },
		{ "from django.db import migrations\nfrom elsewhere import *\n", ADDF, "OPAQUE why[a method's result]; OPAQUE why[the migration comes from migrations.Migration, which cannot be followed]" },
		{ "from elsewhere import *\nfrom django.db import migrations\n", "migrations.DeleteModel('A'), " ADDF, "delete a; add o.q v=elsewhere.F()" },
		{ "from django.db.models import *\nfrom elsewhere import *\nfrom django.db import migrations\n", ALTER, "OPAQUE o why[field: a call of what is not a name]" },
		{ "from django.db import migrations\nfrom shop.lists import *\n", "*OPS", "delete a" },
		{ "from django.db import migrations\nfrom shop.lists import *\nOPS.append(migrations.DeleteModel('B'))\n", "*OPS", NOLIST },
		{ "from django.db import migrations\nfrom shop.lists import *\nOPS += [migrations.DeleteModel('B')]\n", "*OPS", "delete a; delete b" },
		{ "from django.db import migrations\nfrom shop.lists import *\n[OPS.append(x) for x in (1, 2)]\n", "*OPS", NOLIST },
		{ "from django.db import migrations\nfrom shop.lists import *\nL = OPS\nL.clear()\n", "*OPS", NOLIST },
		{ "from django.db import migrations\nfrom django.db.models import *\nIntegerField.null = True\n", ALTER, "OPAQUE o why[field: a call of what is not a name]" },
		{ "from django.db import migrations\nfrom shop.round import *\n", "*OPS, " ALTER, "delete a; alter o.q v=django.db.models.IntegerField()" },
	};
	for (size_t i = 0; i < countof(tables); i++)
		star(tables[i][0], tables[i][1], tables[i][2]);
}

/* The version of Django that a migration asks for is the project's. */
static void
version(int django, const char *test, const char *want)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	const char *text = arena_printf(a, "import django\nfrom django import VERSION as V\n" HEAD CLASS
	    "    operations = []\n    if %s:\n        operations += [migrations.DeleteModel('A')]\n", test);
	struct source_file f = { "shop/migrations/0002_x.py", text, strlen(text) };
	struct cfg_project p = { .root = ".", .django = django };
	struct migrations all = { 0 };
	struct source *s = NULL;

	source_memory(&s, &f, 1, &e);
	source_migrations(&all, a, s, &p, &e);
	source_free(s);
	if (all.n == 1)
		show(&b, &all.v[0].ops);
	is(b.s, want, arena_printf(a, "%d: %s", django, test));
}

static void
versions(void)
{
	version(502, "django.VERSION >= (5, 0)", "delete a");
	version(402, "django.VERSION >= (5, 0)", "");
	version(402, "V < (5,)", "delete a");
	version(402, "V[:2] == (4, 2)", "delete a");
	version(402, "V[0] > 4", "");
	version(402, "V[:1] in ((3,), (4,))", "delete a");
	version(402, "V >= (4, 2, 7)", "delete a not-in-55");
	version(402, "V == (4, 2, 7, 'final', 0)", "delete a not-in-55");
	version(0, "django.VERSION >= (5, 0)", "delete a not-in-55");
	version(0, "V[:2] < (5, 0)", "delete a not-in-55");
	version(0, "V >= (2, 0)", "delete a");
	version(0, "V < (3, 2)", "");
}

int
main(void)
{
	a = arena_new();
	stars();
	versions();
	arena_free(a);
	return done_testing();
}

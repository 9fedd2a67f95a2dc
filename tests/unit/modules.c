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
	{ "shop.alias", "from django.db import models\nclass R(models.TextField):\n    def __init__(self, **k):\n        k['null'] = False\n        super().__init__(**k)\nG = R\n" },
	{ "shop.patch", "from django.db import models as m, migrations\nX = 1\ndef f():\n    m.CharField.db_type = None\nf()\n" },
	{ "shop.calm", "from django.db import models as m\nX = 1\ndef f():\n    m.CharField.db_type = None\nm.FileField.default_validators = []\nH = m.Model.__hash__\n" },
	{ "shop.consts", "from shop.maybe import FLAG\nWIDE = 40\nWIDER = WIDE\nNULL = True\nODD = 5 if FLAG else 6\ndef f(): pass\n" },
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
		{ "from django.db import migrations\nfrom shop.alias import G\n", "migrations.AddField('o', 'q', G(null=True))", "add o.q v=shop.alias.G(null=False) of django.db.models.TextField" },
		{ "from django.db import migrations\nfrom shop.patch import X\n", "migrations.RunSQL('x', X)", "sql sql<x> rsql<?SQL that is not written out> reversible; OPAQUE why[what it imports changes Django's own (shop/patch.py:4)]" },
		{ "from django.db import migrations\nfrom shop.calm import X\n", "migrations.RunSQL('x', X)", "sql sql<x> rsql<?SQL that is not written out> reversible" },
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

/* A field's class that decides about its column: its type, or more. */
static void
own_fields(void)
{
#define INIT "    def __init__(self, *a, **k):\n"
#define SUPER "        super().__init__(*a, **k)\n"
#define LONG "        if k.get('x'):\n            raise X('" FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY "')\n"
#define FIFTY "01234567890123456789012345678901234567890123456789"
	static const char *const cases[][2] = {
		{ "    def formfield(self): pass\n    def get_prep_value(self, v): return v\n", "F(null=True)" },
		{ "    def db_type(self, c): return x\n", "type: db_type" },
		{ "    get_internal_type = f\n", "type: get_internal_type" },
		{ "    def __new__(cls): pass\n", "more: __new__" },
		{ "    def __getattribute__(self, n): pass\n", "more: __getattribute__" },
		{ "    def get_attname_column(self): return 1, 2\n", "more: get_attname_column" },
		{ "    @property\n    def null(self): return False\n", "more: null" },
		{ "    db_type = f\n    unique = True\n", "more: unique" },
		{ "    _unique = True\n    db_collation = 'C'\n", "F(null=True)" },
		{ "    _unique = property(f)\n", "more: _unique" },
		{ "    db_collation = property(f)\n", "type: db_collation" },
		{ INIT SUPER "        self.null = False\n", "more: __init__" },
		{ INIT SUPER "        self.fix()\n    def fix(self):\n        self.null: bool = False\n", "more: fix" },
		{ INIT "        k['max_length'] = f()\n" SUPER, "type: __init__" },
		{ INIT LONG "        k['null'] = False\n" SUPER, "F(null=False)" },
		{ INIT "        self.lazy = k.get('default')\n        if self.lazy is None:\n            raise X\n        elif self.lazy:\n            raise X\n" SUPER, "F(null=True)" },
		{ INIT "        self.x = True\n        n = len('a\xc3\xa9') + SIZE\n        super().__init__(null=self.x, max_length=n)\n", "F(null=True, max_length=23)" },
		{ INIT "        if k.get('x'):\n            self.x = True\n        super().__init__(null=self.x)\n", "more: __init__" },
		{ INIT "        self.x = False\n        super().__init__(null=self.x, max_length=len('a\xc3\xa9') + SIZE)\n", "F(null=False, max_length=23)" },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
		const char *text = arena_printf(a, HEAD "from tools import f\nSIZE = 21\nclass F(models.CharField):\n%s" CLASS "    operations = [migrations.AddField('a', 'b', F(null=True))]\n",
		    cases[i][0]);
		int r = migration_read(&m, a, "shop", "shop/migrations/0002_x.py", text, strlen(text), NULL, &e);
		const struct value *v = r == 1 && m.ops.n == 1 ? m.ops.v[0].value : NULL;
		if (v != NULL && v->why != NULL)
			strbuf_printf(&b, "%s: %s", v->i != 0 ? "more" : "type", strrchr(v->why, ' ') + 1);
		else if (v != NULL)
			value_print(&b, v);
		if (v == NULL)
			show(&b, &m.ops);
		is(starts_with(b.s, "shop.") ? b.s + strlen("shop.migrations.0002_x.") : b.s, cases[i][1], cases[i][0]);
	}
}

/* What a tag is bound to: with the functions that are imported, not with what
 * is read from other files anyway. */
static const char *helper;

static int
helper_module(void *ctx, const char *dotted, const char **text, size_t *len, const char **path)
{
	(void)ctx;
	*text = streq(dotted, "shop.tools") ? helper :
	    "from shop.tools import fill, Bold, SQL, Odd, Base\nX = 1\n";
	*len = strlen(*text);
	*path = streq(dotted, "shop.tools") ? "shop/tools.py" : "shop/again.py";
	return streq(dotted, "shop.tools") || streq(dotted, "shop.again");
}

/* Imported constants that decide a column. */
static void
constants(void)
{
#define CONSTS "from django.db import migrations, models\nfrom shop.consts import WIDER, ODD, f\nfrom shop import consts\n"
	star(CONSTS, "migrations.AddField('o', 'q', models.CharField(max_length=WIDER, null=consts.NULL))",
	    "add o.q v=django.db.models.CharField(max_length=40, null=True) of ?");
	star(CONSTS, "migrations.CreateModel('o', [('q', models.CharField(max_length=WIDER, default=f))])",
	    "create o fields=[('q', django.db.models.CharField(max_length=40, default=shop.consts.f))]");
	star(CONSTS, "migrations.AddField('o', 'q', models.CharField(max_length=ODD))",
	    "add o.q v=django.db.models.CharField(max_length=shop.consts.ODD) of ?");
	star(CONSTS, "migrations.AddField('o', 'q', models.CharField(max_length=consts.NONE, default=consts.WIDE))",
	    "add o.q v=django.db.models.CharField(max_length=shop.consts.NONE, default=shop.consts.WIDE) of ?");
}

static const char *
bound(const char *body, const char *cls)
{
	struct module_lookup l = { helper_module, NULL, NULL, NULL };
	const char *text = arena_printf(a, HEAD "from shop import tools\nfrom shop.again import fill, Bold, SQL, Odd, X, Base\n"
	    "def own(apps, e):\n    pass\n" "class Migration(%s):\n    # sluice: safe for=00000000\n%s", cls, body);

	if (migration_read(&m, a, "shop", "shop/migrations/0002_x.py", text, strlen(text), &l, &e) != 1)
		return "(none)";
	return arena_printf(a, "%s %s", streq(m.bound, m.digest) ? "alone" : m.bound, m.digest);
}

static void
binds(const char *body, const char *cls, bool want)
{
#define TOOLS "from django.db import models, migrations\ndef fill(a, e):\n    return %s\nclass Bold(migrations.RunSQL):\n    def database_forwards(self):\n        return %s\n" \
	"SQL = 'UPDATE x SET y = %s'\nclass Odd(models.TextField):\n    def __new__(cls):\n        return %s\nclass Base(migrations.Migration):\n    operations = [migrations.RunSQL('UPDATE x')]\n"
	helper = arena_printf(a, TOOLS, "1", "1", "1", "1");
	const char *one = arena_strdup(a, bound(body, cls));
	ok(m.tag.wrong != NULL && strstr(m.tag.wrong, arena_printf(a, "they are %.8s now", m.bound)) != NULL, "what to bind to is told");
	helper = arena_printf(a, TOOLS, "2", "2", "2", "2");
	const char *two = bound(body, cls);
	ok(streq(one, two) != want && (want || starts_with(one, "alone ")) && streq(strchr(one, ' '), strchr(two, ' ')),
	    "%s", arena_printf(a, "%s%s", want ? "bound: " : "not bound: ", body));
}

static void
bounds(void)
{
#define M "migrations.Migration"
	binds("    operations = [migrations.RunPython(fill)]\n", M, true);
	binds("    operations = [migrations.RunPython(own, tools.fill)]\n", M, true);
	binds("    operations = [migrations.RunPython(own)]\n", M, false);
	binds("    operations = [Bold('x')]\n", M, true);
	binds("    operations = [migrations.RunSQL(SQL)]\n", M, true);
	binds("    operations = [migrations.AddField('a', 'b', Odd())]\n", M, true);
	binds("    operations = [migrations.AddField('a', 'b', models.TextField(default=X))]\n", M, false);
	binds("    pass\n", "Base", true);
}

int
main(void)
{
	a = arena_new();
	stars();
	constants();
	versions();
	own_fields();
	bounds();
	arena_free(a);
	return done_testing();
}

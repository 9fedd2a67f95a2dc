/* Migration files in the forms that people write, printed back in short. */
#include "read/migration.h"

#include "base/strbuf.h"
#include "base/util.h"
#include "read/source.h"
#include "ops.h"
#include "tap.h"

static struct arena *a;
static struct err e;
static struct migration m;

#define HEAD "from django.db import migrations, models\n"
#define SETTINGS "from django.conf import settings\n"
#define CLASS "class Migration(migrations.Migration):\n"

static int
read_text(const char *text)
{
	err_clear(&e);
	return migration_read(&m, a, "shop", "shop/migrations/0002_x.py", text,
	    strlen(text), NULL, &e);
}

static void
reads(const char *text, const char *want)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	int r = read_text(text);

	if (r == 1)
		show(&b, &m.ops);
	is(r == 1 ? b.s : r == 0 ? "(none)" : e.msg, want, want);
}

static void
ops(const char *list, const char *want)
{
	reads(arena_printf(a, HEAD SETTINGS CLASS "    operations = [%s]\n", list), want);
}

static void
written_by_django(void)
{
	ops("migrations.CreateModel(name='Item', fields=[('id', models.BigAutoField(primary_key=True)), ('n', models.CharField(max_length=20, default='a\\'b'))], options={'db_table': 'x', 'ordering': ['-n']}, bases=('shop.base', models.Model))",
	    "create item fields=[('id', django.db.models.BigAutoField(primary_key=True)), ('n', django.db.models.CharField(max_length=20, default=\"a'b\"))] options={'db_table': 'x', 'ordering': ['-n']} bases=('shop.base', django.db.models.Model)");
	ops("migrations.AddField('Item', 'f', models.IntegerField(default=-1), preserve_default=False)",
	    "add item.f v=django.db.models.IntegerField(default=-1) drop-default");
	ops("migrations.AlterField(model_name='item', name='f', field=models.DecimalField(decimal_places=2, max_digits=10))",
	    "alter item.f v=django.db.models.DecimalField(decimal_places=2, max_digits=10)");
	ops("migrations.RemoveField(model_name='item', name='f'), migrations.DeleteModel(name='Item')",
	    "remove item.f; delete item");
	ops("migrations.RenameField('item', 'a', 'b'), migrations.RenameModel('Item', 'Thing')",
	    "renamefield item.a->b; rename item->thing");
	is(m.ops.v[1].title, "Thing", "new title");
	ops("migrations.AlterUniqueTogether(name='item', unique_together={('a', 'b')})",
	    "unique item v={('a', 'b')}");
	ops("migrations.AlterModelTable(name='item', table=None), migrations.AlterModelTable('item', 'x')",
	    "table item; table item->x");
	ops("migrations.AddIndex('item', models.Index(fields=['a'], name='ix')), migrations.RemoveIndex('item', 'ix')",
	    "addindex item.ix v=django.db.models.Index(fields=['a'], name='ix'); removeindex item.ix");
	ops("migrations.AddConstraint('item', models.CheckConstraint(condition=models.Q(('a__gt', 0), ('b', 1), _connector='OR'), name='c'))",
	    "addcon item.c v=django.db.models.CheckConstraint(condition=django.db.models.Q(('a__gt', 0), ('b', 1), _connector='OR'), name='c')");
	ops("migrations.AddConstraint('item', models.UniqueConstraint(deferrable=models.Deferrable['DEFERRED'], fields=('a',), name='u'))",
	    "addcon item.u v=django.db.models.UniqueConstraint(deferrable=django.db.models.Deferrable.DEFERRED, fields=('a',), name='u')");
	ops("migrations.RenameIndex('item', new_name='y', old_name='x'), migrations.RenameIndex('item', new_name='y', old_fields=('a', 'b'))",
	    "renameindex item.x->y; renameindex item->y v=('a', 'b')");
	ops("migrations.AlterOrderWithRespectTo('item', order_with_respect_to='o'), migrations.AlterModelManagers('item', managers=[])",
	    "order item->o; managers item");
	ops("migrations.AlterModelOptions('item', options={'managed': False})",
	    "options item options={'managed': False}");
	reads(HEAD "import datetime, uuid\nfrom decimal import Decimal\nimport django.utils.timezone\nimport shop.models\n" CLASS
	    "    operations = [migrations.AddField('a', 'b', models.JSONField(default=dict)),\n"
	    "      migrations.AddField('a', 'c', models.UUIDField(default=uuid.uuid4)),\n"
	    "      migrations.AddField('a', 'd', models.F(default=[datetime.date(2020, 1, 2), Decimal('1.50'), django.utils.timezone.now, shop.models.x, 1.5, None, True, b'x', {1}, 0x10, 1_000]))]\n",
	    "add a.b v=django.db.models.JSONField(default=dict); add a.c v=django.db.models.UUIDField(default=uuid.uuid4); "
	    "add a.d v=django.db.models.F(default=[datetime.date(2020, 1, 2), decimal.Decimal('1.50'), django.utils.timezone.now, shop.models.x, 1.5, None, True, b'x', {1}, 16, 1000])");
}

static void
sql_and_python(void)
{
	ops("migrations.RunSQL('a'), migrations.RunSQL(['a', ('b %s %%', [1]), 'c%%'], migrations.RunSQL.noop), migrations.RunSQL(sql=\"\"\"\nx\n\"\"\", reverse_sql='')",
	    "sql sql<a>; sql sql<a> sql<b $1 %> sql<c%%> reversible rnoop; sql sql<\nx\n> rsql<> reversible rnoop");
	ops("migrations.RunSQL('ALTER ' 'TABLE {}'.format('x') + \" ADD %s\" % 'y', state_operations=[migrations.RemoveField('a', 'b')])",
	    "sql sql<ALTER TABLE x ADD y> db{} state{remove a.b}");
	reads(HEAD "T = 'tab'\nSQL = f'''DROP {T}'''\n" CLASS "    r = 'UNDO'\n    operations = [migrations.RunSQL(SQL, r), migrations.RunSQL(migrations.RunSQL.noop)]\n",
	    "sql sql<DROP tab> rsql<UNDO> reversible; sql noop");
	reads(HEAD "import textwrap\n" CLASS "    operations = [migrations.RunSQL(textwrap.dedent('''\n      a\n        b\n      '''), ';'.join(['x', 'y'])), migrations.RunSQL(open('x').read())]\n",
	    "sql sql<\na\n  b\n> rsql<x;y> reversible; sql sql<?a method's result>");
	reads(HEAD "def f(apps, schema_editor):\n    print(x := 1)\n" CLASS "    operations = [migrations.RunPython(f, migrations.RunPython.noop), migrations.RunPython(f), migrations.RunPython(code=f, reverse_code=f), migrations.RunPython(lambda a, s: None)]\n",
	    "python.shop.migrations.0002_x.f reversible rnoop; python.shop.migrations.0002_x.f; python.shop.migrations.0002_x.f reversible; python.<lambda>");
	ops("migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL('x')], state_operations=[migrations.DeleteModel('A')])",
	    "separate db{sql sql<x>} state{delete a}");
}

static void
other_forms(void)
{
	reads("from django.db import models as m\nfrom django.db.migrations import Migration as M, operations as o\nfrom django.contrib.postgres.operations import *\n"
	    "class Migration(M):\n    atomic = False\n    operations = [AddIndexConcurrently('a', m.Index(fields=['x'], name='i')), TrigramExtension(), o.RunSQL('x')]\n",
	    "addindex a.i v=django.db.models.Index(fields=['x'], name='i') concurrently; extension.pg_trgm reversible; sql sql<x>");
	ok(!m.atomic, "not atomic");
	reads(HEAD "BASE = [migrations.DeleteModel('A')]\n" CLASS "    operations = BASE + [migrations.DeleteModel('B')]\n    operations += [migrations.DeleteModel('C')]\n    operations.append(migrations.DeleteModel('D'))\n    operations.insert(0, migrations.DeleteModel('Z'))\n",
	    "delete z; delete a; delete b; delete c; delete d");
	reads(HEAD "import settings\n" CLASS "    operations = [migrations.DeleteModel('A')]\n    if settings.X:\n        operations += [migrations.DeleteModel('B')]\n    else:\n        operations.append(migrations.DeleteModel('C'))\n",
	    "delete a; delete b not-in-55; delete c not-in-aa");
	reads(HEAD "from django.db import connection\n" CLASS "    operations = []\n    if connection.vendor == 'postgresql':\n        operations += [migrations.DeleteModel('B')]\n    else:\n        operations += [migrations.DeleteModel('C')]\n",
	    "delete b");
	reads(HEAD CLASS "    operations = [migrations.DeleteModel(n) for n in ('A', 'B') if n != 'A'] + [*[migrations.DeleteModel('C')]]\n    for n in ['D', 'E']:\n        operations.append(migrations.DeleteModel(n))\n",
	    "delete b; delete c; delete d; delete e");
	reads(HEAD "def make(n, m='x'):\n    return migrations.RemoveField(n, m)\ndef many():\n    return [make('a'), make('b', m='y')]\n" CLASS "    operations = many() + [make('c')]\n",
	    "remove a.x; remove b.y; remove c.x");
	reads(HEAD "import pg\nclass Safe(migrations.RunSQL):\n    reversible = False\nclass Bold(migrations.AddField):\n    def database_forwards(self):\n        pass\n" CLASS "    operations = [Safe('x'), Bold('a', 'b', models.TextField()), pg.Strange()]\n",
	    "sql sql<x>; OPAQUE why[operation shop.migrations.0002_x.Bold (shop/migrations/0002_x.py:5) has code of its own]; OPAQUE why[operation pg.Strange is not known]");
	reads(HEAD "class Pg(migrations.RunSQL):\n    def database_forwards(self, a, schema_editor, f, t):\n        if schema_editor.connection.vendor != 'postgresql':\n            return\n        super().database_forwards(a, schema_editor, f, t)\n"
	    "class More(migrations.RunSQL):\n    def database_forwards(self, a, s, f, t):\n        super().database_forwards(a, s, f, t)\n        other()\n"
	    "class Not(migrations.RunSQL):\n    def database_forwards(self, a, s, f, t):\n        if s.connection.vendor == 'postgresql':\n            return\n        super().database_forwards(a, s, f, t)\n" CLASS "    operations = [Pg('x'), More('y'), Not('z')]\n",
	    "sql sql<x>; OPAQUE why[operation shop.migrations.0002_x.More (shop/migrations/0002_x.py:7) has code of its own]; OPAQUE why[operation shop.migrations.0002_x.Not (shop/migrations/0002_x.py:11) has code of its own]");
	ops("migrations.AddField('a', settings.name_of(), models.TextField()), lambda: 1, migrations.DeleteModel(settings.X)",
	    "OPAQUE a why[name: not written out]; OPAQUE why[a lambda]; OPAQUE why[name: not written out]");
	ops("migrations.AddField('a', 'b', models.CharField(max_length=settings.X, default=lambda: 1))",
	    "add a.b v=django.db.models.CharField(max_length=django.conf.settings.X, default=lambda: 1)");
	ok(value_opaque(m.ops.v[0].value), "a lambda is opaque");
	ops("migrations.AddConstraint('a', models.CheckConstraint(check=models.Q(x=1) | ~models.Q(y__gt=models.F('z') + 1), name='c'))",
	    "addcon a.c v=django.db.models.CheckConstraint(check=django.db.models.Q(django.db.models.Q(x=1), django.db.models.Q(django.db.models.Q(y__gt=(django.db.models.F('z') + django.db.models.Value(1))), _negated=True), _connector='OR'), name='c')");
	reads("\xef\xbb\xbf" HEAD "class Migration(migrations.Migration):\r\n\tdependencies = [\r\n\t]\r\n\toperations = [\r\n\t\tmigrations.DeleteModel('A'),\r\n\t]\r\n",
	    "delete a");
	reads(HEAD CLASS "    pass\n", "");
	reads(HEAD CLASS "    operations = migrations.make_them()\n", "OPAQUE why[operations that are not written out]");
	reads(HEAD CLASS "    operations = []\n    def __init__(self, *a):\n        self.operations = [1]\n", "OPAQUE why[the migration has its own __init__()]");
	reads("x = 1\n", "(none)");
	reads("class Migration:\n    operations = []\n", "(none)");
	reads("from south.v2 import SchemaMigration\nclass Migration(SchemaMigration):\n    def forwards(self): pass\n", "(none)");
	reads(HEAD "class Migration(migrations.Migration:\n    pass\n", "shop/migrations/0002_x.py:2: not valid Python: a '(' without its partner");
	reads(HEAD "x = = 1\n" CLASS, "shop/migrations/0002_x.py:2: not valid Python");
	reads(HEAD "def f():\n    try:\n        x = 1 +* 2\n    except A, B:\n        match y:\n            case {'a': 1}: pass\n" CLASS "    operations = []\n", "");
}

/* What a class has besides its operations decides what Django does. */
static void
classes(void)
{
	reads(HEAD "class Base(migrations.Migration):\n    def apply(self, *a):\n        pass\nclass Migration(Base):\n    operations = []\n",
	    "OPAQUE why[the migration has its own apply()]");
	ops("]\n    def unapply(self, *a): pass\n    mutate_state = print\n    x = [", "OPAQUE why[the migration has its own unapply()]; OPAQUE why[the migration has its own mutate_state]");
	reads(HEAD CLASS "    operations = []\n    def __init_subclass__(cls): pass\n    __getattribute__ = 1\n    def helper(apps, s): pass\n    'doc'\n",
	    "OPAQUE why[the migration has its own __init_subclass__()]; OPAQUE why[the migration has its own __getattribute__]");
	reads(HEAD CLASS "    @property\n    def operations(self): return []\n", "OPAQUE why[the migration has its own operations()]");
	reads(HEAD CLASS "    class operations: pass\n", "OPAQUE why[the migration has its own operations]");
	reads(HEAD "class Migration(migrations.Migration, metaclass=M):\n    operations = []\n", "OPAQUE why[the migration comes from metaclass=M, which cannot be followed]");
	reads(HEAD "from tools import Mixin\nclass Migration(Mixin, migrations.Migration):\n    operations = []\n", "OPAQUE why[the migration comes from Mixin, which cannot be followed]");
	reads(HEAD "from tools import Base\nclass Migration(Base):\n    pass\n", "OPAQUE why[the migration comes from Base, which cannot be followed]");
	reads(HEAD "class Mixin:\n    operations = [migrations.DeleteModel('B')]\nclass Migration(migrations.Migration, Mixin):\n    pass\n", "");
	reads(HEAD "class Mixin:\n    operations = [migrations.DeleteModel('B')]\nclass Migration(Mixin, migrations.Migration):\n    pass\n", "delete b");
}

/* A body of the class whose operations are changed behind their back. */
static void
spoils(const char *before, const char *body, const char *after)
{
	const char *text = arena_printf(a, HEAD "%s" CLASS "%s%s", before, body, after);
	bool told = false;
	int r = read_text(text);

	for (uint32_t i = 0; r == 1 && i < m.ops.n; i++)
		told |= (m.ops.v[i].kind == OP_OPAQUE &&
		    strstr(m.ops.v[i].why, "as soon as") == NULL) || m.ops.v[i].maybe || m.ops.v[i].not_in != 0 ||
		    (m.ops.v[i].value != NULL && value_opaque(m.ops.v[i].value));
	ok(r < 0 || told, "%s", arena_printf(a, "told: %s|%s|%s", before, body, after));
}

#define A "migrations.DeleteModel('A')"
#define B "migrations.DeleteModel('B')"
#define OPS "    operations = [" A "]\n"

static void
changed_operations(void)
{
	spoils("", "    ops = []\n    operations = ops\n    ops.append(" A ")\n", "");
	spoils("", OPS "    ops = operations\n    ops.append(" B ")\n", "");
	spoils("", "    a = operations = []\n    a.append(" A ")\n", "");
	spoils("", OPS "    ops = [operations]\n    ops[0].append(" B ")\n", "");
	spoils("", OPS "    operations.__iadd__([" B "])\n", "");
	spoils("", OPS "    operations[0] = " B "\n", "");
	spoils("", OPS "    operations[:] = []\n", "");
	spoils("", OPS "    operations.pop()\n", "");
	spoils("", OPS "    x = operations.append(" B ")\n", "");
	spoils("", OPS "    add = operations.append\n    add(" B ")\n", "");
	spoils("", OPS "    list.append(operations, " B ")\n", "");
	spoils("", OPS "    [operations.append(x) for x in (" B ",)]\n", "");
	spoils("", OPS "    exec('operations.clear()')\n", "");
	spoils("", OPS "    locals()['operations'] = []\n", "");
	spoils("", OPS "    vars().update(operations=[])\n", "");
	spoils("", OPS "    match X:\n        case 1:\n            operations = []\n", "");
	spoils("", OPS "    match X:\n        case operations:\n            pass\n", "");
	spoils("", OPS "    print(operations := [])\n", "");
	spoils("", OPS "    def f(ops=operations):\n        ops.append(" B ")\n    f()\n", "");
	spoils("", OPS "    def f(ops):\n        ops.append(" B ")\n    f(operations)\n", "");
	spoils("", OPS "    try:\n        raise X\n    except Exception as operations:\n        pass\n", "");
	spoils("", OPS "    try:\n        f()\n    except Exception:\n        operations = []\n", "");
	spoils("", OPS "    with f() as operations:\n        pass\n", "");
	spoils("", OPS "    for operations in ([],):\n        pass\n", "");
	spoils("", OPS "    for x in (1,):\n        break\n    else:\n        operations = []\n", "");
	spoils("", OPS "    for x in (1, 2):\n        if x == X:\n            continue\n        operations.append(" B ")\n", "");
	spoils("", OPS "    if X:\n        operations = []\n", "");
	spoils("", "    global operations\n" OPS, "");
	spoils("", OPS "    from tools import operations\n", "");
	spoils("", OPS "    import operations\n", "");
	spoils("", OPS "    del operations\n", "");
	spoils("", OPS "    [operations, x] = [], 1\n", "");
	spoils("", OPS "    *operations, x = 1, 2\n", "");
	spoils("", OPS "    operations *= 2\n", "");
	spoils("OPS = []\n", "    operations = OPS\n", "OPS.append(" A ")\n");
	spoils("from shop.lists import OPS\nALL = OPS\nALL.clear()\n", "    operations = [*OPS, " A "]\n", "");
	spoils("OPS = []\nALL = OPS\nALL.append(" A ")\n", "    operations = OPS\n", "");
	spoils("OPS = [" A "]\n", "    operations = OPS\n", "OPS = []\n");
	spoils("OPS = []\ndef add(x):\n    OPS.append(x)\nadd(" A ")\n", "    operations = OPS\n", "");
	spoils("OPS = []\ndef add(x):\n    OPS.append(x)\nx = add(" A ")\n", "    operations = OPS\n", "");
	spoils("OPS = []\ndef fill():\n    global OPS\n    OPS = [" A "]\nfill()\n", "    operations = OPS\n", "");
	spoils("from tools import fill\nOPS = []\nfill(OPS)\n", "    operations = OPS\n", "");
	spoils("from tools import fill\nOPS = []\n_ = fill(OPS)\n", "    operations = OPS\n", "");
	spoils("import functools\nOPS = []\nfunctools.partial(OPS.append, 1)()\n", "    operations = OPS\n", "");
	spoils("def make():\n    ops = []\n    def add(x):\n        ops.append(x)\n    add(" A ")\n    return ops\n", "    operations = make()\n", "");
	spoils("def make():\n    yield " A "\n    return []\n", "    operations = list(make())\n", "");
	spoils("@twice\ndef make():\n    return []\n", "    operations = make()\n", "");
	spoils("class Tool:\n    def __init__(self, ops):\n        ops.append(" A ")\nOPS = []\nTool(OPS)\n", "    operations = OPS\n", "");
}

static void
changed_values(void)
{
#define ADD "    operations = [migrations.AddField('a', 'b', %s)]\n"
	const char *k = arena_printf(a, ADD, "models.TextField(**K)");
	const char *f = arena_printf(a, ADD, "F");

	spoils("K = {'null': True}\nK['null'] = False\n", k, "");
	spoils("K = {'null': True}\n", k, "K['null'] = False\n");
	spoils("K = {'null': True}\nK.update(null=False)\n", k, "");
	spoils("K = {'null': True}\nK |= {'null': False}\n", k, "");
	spoils("K = {'null': True}\nL = K\nL['null'] = False\n", k, "");
	spoils("K = {'null': True}\ndel K['null']\n", k, "");
	spoils("K = {'null': True}\nfor K in [{}]:\n    pass\n", k, "");
	spoils("F = models.TextField(null=True)\nF.null = False\n", f, "");
	spoils("F = models.TextField(null=True)\nsetattr(F, 'null', False)\n", f, "");
	spoils("F = models.TextField(null=True)\n", f, "    operations[0].field.null = False\n");
	spoils("F = models.TextField(null=True)\nfor x in [F]:\n    x.null = False\n", f, "");
	spoils("F = models.TextField(null=True)\n[setattr(x, 'null', False) for x in [F]]\n", f, "");
	spoils("F = models.TextField(null=True)\nvars(F)['null'] = False\n", f, "");
	spoils("F = models.TextField(null=True)\nF.__dict__.update(null=False)\n", f, "");
	spoils("F = models.TextField(null=True)\nG = (F,)\nG[0].null = False\n", f, "");
	spoils("F = models.TextField(null=True)\nwith x as F:\n    pass\n", f, "");
	spoils("F = models.TextField(null=True)\ntry:\n    pass\nexcept E as F:\n    pass\n", f, "");
	spoils("F = models.TextField(null=True)\n", f, "F.null = False\n");
	spoils("models.TextField.null = True\n", arena_printf(a, ADD, "models.TextField()"), "");
	spoils("import sys\nF = models.TextField(null=True)\nsys.modules[__name__].F = 1\n", f, "");
}

/* … and what is no such change. */
static void
not_changed(void)
{
	reads(HEAD "import logging\nlog = logging.getLogger('x')\nNAMES = ['A', 'B']\ndef code(apps, s):\n    log.info('x')\n    NAMES.append(apps)\n"
	    CLASS "    operations = [migrations.DeleteModel(n) for n in NAMES]\n    operations += [migrations.RunPython(code)]\n",
	    "delete a; delete b; python.shop.migrations.0002_x.code");
	reads(HEAD "C = [('a', 'A')]\nfields = [('id', models.AutoField(primary_key=True))]\nfields.append(('c', models.TextField(choices=C)))\n"
	    CLASS "    operations = [migrations.CreateModel('X', fields)]\n    operations.append(migrations.AddField('x', 'd', models.TextField(choices=C)))\n",
	    "create x fields=[('id', django.db.models.AutoField(primary_key=True)), ('c', django.db.models.TextField(choices=[('a', 'A')]))]; add x.d v=django.db.models.TextField(choices=[('a', 'A')])");
	reads(HEAD "def make(names):\n    ops = []\n    for n in names:\n        sub = []\n        sub.append(migrations.DeleteModel(n))\n        ops.extend(sub)\n    return ops\nN = ['A', 'B']\n"
	    CLASS "    operations = make(N)\n", "delete a; delete b");
	static const char *const yes[] = { "F == 1", "1 == True", "0 == False", "True in (1, 2)", "1 in [True]", "(True, 2) == (1, 2)", "1 != 2", "(1, 2) != (1, 3)", "'a' != 1", "F is True" };
	for (size_t i = 0; i < countof(yes); i++)
		reads(arena_printf(a, HEAD "F = True\n" CLASS "    operations = [" B "] if %s else []\n", yes[i]), "delete b");
	static const char *const open[] = { "1 == 1.0", "1e3 == 1000", "{1: 2, 3: 4} == {3: 4, 1: 2}", "2.0 in (1, 2)" };
	for (size_t i = 0; i < countof(open); i++)
		reads(arena_printf(a, HEAD CLASS "    operations = [" B "] if %s else []\n", open[i]), "delete b not-in-55");
	reads(HEAD CLASS OPS "    for x in (1, 2, 3):\n        if x == 1:\n            continue\n        if x == 3:\n            break\n        operations.append(" B ")\n", "delete a; delete b");
	reads(HEAD "SQL = 'a'\nSQL += 'b'\nK = {'null': True}\nL = dict(K, unique=True)\n" CLASS "    operations = [migrations.RunSQL(SQL.strip()), migrations.AddField('a', 'b', models.TextField(**L))]\n",
	    "sql sql<ab>; add a.b v=django.db.models.TextField(null=True, unique=True)");
}

/* Bytes that are something else to Python than they look. */
static void
bytes(void)
{
#define BAD "shop/migrations/0002_x.py:"
	const char *rest = "x = 1\n" HEAD CLASS OPS;

	reads(arena_printf(a, "# -*- coding: latin-1 -*-\n%s", rest), "delete a");
	reads(arena_printf(a, "# -*- coding: latin-1 -*-\ny = '\xc3\xa9'\n%s", rest), BAD "1: written in the encoding 'latin-1', which is not read");
	reads(arena_printf(a, "#!/usr/bin/python\n# vim: set fileencoding=utf_7 :\n%s", rest), BAD "2: written in the encoding 'utf_7', which is not read");
	reads(arena_printf(a, "x = 1\n# coding: utf-7\n%s", rest), "delete a");
	reads(arena_printf(a, "\r# coding: utf-7\r%s", rest), BAD "2: written in the encoding 'utf-7', which is not read");
	reads(arena_printf(a, "# coding: UTF-8\n%s", rest), "delete a");
	reads(arena_printf(a, "# x\ry = '\xe9'\n%s", rest), BAD "2: not UTF-8");
	reads(HEAD CLASS OPS "    # x\r    operations += [" B "]\n", "delete a; delete b");
	reads(HEAD "\f\n" CLASS "\f    operations = [" A "]\n", "delete a");
	reads(HEAD CLASS OPS "    \xef\xbd\x8fperations = []\n", BAD "4: the name '\xef\xbd\x8fperations' may be another one to Python, which normalizes it");
	reads(HEAD CLASS OPS "    gr\xc3\xb6\xc3\x9f" "e = '\xef\xbd\x8f'\n", "delete a");
	ops("migrations.DeleteModel('A\\N{DIGIT ONE}'), migrations.DeleteModel('A\\ud800')", "OPAQUE why[name: a character by its name]; OPAQUE why[name: a character by its name]");
	err_clear(&e);
	ok(migration_read(&m, a, "shop", "x.py", "x = 1\0\n", 7, NULL, &e) < 0, "a NUL byte");
	is(e.msg, "x.py:1: holds a NUL byte", "and it is told");
}

/* Classes of the project that do not do what their Django class does. */
static void
custom(void)
{
#define FIELD(body) HEAD "class F(models.CharField):\n" body CLASS "    operations = [migrations.AddField('a', 'b', F(max_length=9))]\n"
	static const struct { const char *body; const char *why; } cases[] = {
		{ FIELD("    def formfield(self): pass\n    x = 1\n"), NULL },
		{ FIELD("    null = True\n"), "null" },
		{ FIELD("    db_type = print\n"), "db_type" },
		{ FIELD("    def db_check(self, c): return 'x'\n"), "db_check" },
		{ FIELD("    def db_parameters(self, c): return {}\n"), "db_parameters" },
		{ FIELD("    def clone(self):\n        k = {}\n        k['null'] = True\n        return F(**k)\n"), "clone" },
		{ FIELD("    def contribute_to_class(self, c, n):\n        self.null = True\n        super().contribute_to_class(c, n)\n"), "contribute_to_class" },
		{ FIELD("    def contribute_to_class(self, c, n):\n        super().contribute_to_class(c, n)\n        self.x = 1\n"), NULL },
		{ FIELD("    def deconstruct(self):\n        a, b, c, d = super().deconstruct()\n        d['null'] = True\n        return a, b, c, d\n"), "deconstruct" },
		{ FIELD("    def deconstruct(self):\n        a, b, c, d = super().deconstruct()\n        del d['max_length']\n        return a, b, c, d\n"), NULL },
		{ FIELD("    def __init__(self, *a, **k):\n        k['null'] = choose()\n        super().__init__(*a, **k)\n"), "__init__" },
		{ FIELD("    def __init__(self, *a, **k):\n        super().__init__(*a, **k)\n        self.null = True\n"), "__init__" },
		{ FIELD("    def __init__(self, *a, **k):\n        fix(k)\n        super().__init__(*a, **k)\n"), "__init__" },
		{ FIELD("    def __init__(self, *a, **k):\n        self.x = k.pop('x', None)\n        if k.get('y'):\n            self.y = 1\n        super().__init__(*a, **k)\n"), NULL },
		{ HEAD "from tools import M\nclass F(M, models.CharField): pass\n" CLASS "    operations = [migrations.AddField('a', 'b', F(max_length=9))]\n", "tools.M" },
		{ HEAD "@dress\nclass F(models.CharField): pass\n" CLASS "    operations = [migrations.AddField('a', 'b', F(max_length=9))]\n", "F" },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		int r = read_text(cases[i].body);
		const struct value *v = r == 1 && m.ops.n == 1 ? m.ops.v[0].value : NULL;
		ok(v != NULL && (cases[i].why == NULL ? v->why == NULL && v->base != NULL :
		    v->why != NULL && ends_with(v->why, cases[i].why)), "%s", cases[i].body);
	}
	reads(FIELD("    def __init__(self, *a, **k):\n        k['max_length'] = 20\n        k.setdefault('null', True)\n        super().__init__(*a, **k)\n"),
	    "add a.b v=shop.migrations.0002_x.F(max_length=20, null=True)");
	reads(FIELD("    def __init__(self, *args, max_length=5, **kw):\n        super().__init__(*args, max_length=max_length, unique=True, **kw)\n"),
	    "add a.b v=shop.migrations.0002_x.F(max_length=9, unique=True)");
#define OP(body, why) reads(HEAD "class O(migrations.RunSQL):\n    " body "\n" CLASS "    operations = [O('x')]\n", why)
#define OWN "OPAQUE why[operation shop.migrations.0002_x.O (shop/migrations/0002_x.py:2) has code of its own]"
	OP("elidable = True", "sql sql<x>");
	OP("def __init__(self, name, at=None):\n        if at is None:\n            at = now()\n        table = name.split('.')[-1].upper()\n"
	    "        super().__init__(f'LOCK {table}', reverse_sql='')\n        self.at = at", "sql sql<LOCK X> rsql<> reversible rnoop");
	OP("def __init__(self, sql):\n        def back(): pass\n        super().__init__(sql, back)\n        self.hints = {}", OWN);
	OP("def __init__(self, sql):\n        if sql:\n            sql = 'y'\n        super().__init__(sql)", "sql sql<?depends on a condition>");
	OP("def __init__(self, sql):\n        log(self)\n        super().__init__(sql)", OWN);
	OP("def __init__(self, sql):\n        super().__init__(sql)\n        self.sql += ';y'", OWN);
	OP("def database_forwards(self, *a): pass\n    def database_backwards(self, *a): pass", "separate db{} state{sql sql<x>}");
	OP("def database_forwards(self, *a): pass", OWN);
	OP("def state_forwards(self, *a): pass", OWN);
	OP("@classmethod\n    def from_file(cls, path): return cls(open(path).read())\n    FOLDER = 'sql'", "sql sql<x>");
	OP("@never\n    def database_forwards(self, a, s, f, t):\n        super().database_forwards(a, s, f, t)", OWN);
	OP("code = 'y'", OWN);
	OP("def _run_sql(self, *a): pass", OWN);
	OP("def allow_migrate_model(self, *a): return False", OWN);
	OP("database_forwards = print", OWN);
	OP("sql = property(print)", OWN);
	reads(HEAD "from tools import Mixin\nclass O(Mixin, migrations.RunSQL): pass\n" CLASS "    operations = [O('x')]\n",
	    "OPAQUE why[operation shop.migrations.0002_x.O (shop/migrations/0002_x.py:3) has code of its own]");
	reads(HEAD "class O(migrations.RunSQL): pass\nO.database_forwards = print\n" CLASS "    operations = [O('x')]\n",
	    "OPAQUE why[a call of what is not a name]");
}

static int
no_module(void *ctx, const char *dotted, const char **text, size_t *len, const char **path)
{
	(void)ctx;
	(void)dotted;
	(void)text;
	(void)len;
	(void)path;
	return 0;
}

static int
sql_file(void *ctx, const char *path, const char **text, size_t *len)
{
	(void)ctx;
	*text = arena_printf(a, "-- %s\r\nx", path);
	*len = strlen(*text);
	return ends_with(path, ".sql");
}

/* SQL from a file beside the module. */
static void
file(const char *before, const char *expr, const char *want)
{
	struct module_lookup l = { no_module, sql_file, NULL, NULL };
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	const char *text = arena_printf(a, HEAD "import os\nfrom pathlib import Path\n%s\n" CLASS "    operations = [migrations.RunSQL(%s)]\n", before, expr);

	err_clear(&e);
	int r = migration_read(&m, a, "shop", "web/shop/migrations/0002_x.py", text, strlen(text), &l, &e);
	if (r == 1)
		show(&b, &m.ops);
	is(r == 1 ? b.s : e.msg, want, expr);
}

static void
files(void)
{
#define GOT "sql sql<-- web/shop/migrations/%s\nx>"
	const char *got = arena_printf(a, GOT, "x.sql");

	file("", "open(os.path.join(os.path.dirname(__file__), 'x.sql')).read()", got);
	file("HERE = os.path.dirname(os.path.abspath(__file__))", "open(os.path.join(HERE, 'sql', 'y.sql'), encoding='utf-8').read()", arena_printf(a, GOT, "sql/y.sql"));
	file("", "(Path(__file__).parent / 'x.sql').read_text()", got);
	file("", "Path(__file__).resolve().parent.joinpath('x.sql').read_text(encoding='UTF-8')", got);
	file("", "Path(__file__).with_name('x.sql').read_text()", got);
	file("", "open(Path(__file__).parent.parent / 'x.sql').read()", "sql sql<-- web/shop/x.sql\nx>");
	file("def sql(name):\n    path = os.path.join(os.path.dirname(__file__), name)\n    with open(path) as f:\n        return f.read()\n", "sql('x.sql')", got);
	file("with open(Path(__file__).parent / 'x.sql', 'r') as f:\n    SQL = f.read()\n", "SQL", got);
	file("with (Path(__file__).parent / 'x.sql').open() as f:\n    SQL = f.read()\n", "SQL", got);
	file("", "open(Path(__file__).parent / '../sql/x.sql').read()", "sql sql<-- web/shop/sql/x.sql\nx>");
	file("", "open('x.sql').read()", "sql sql<?a method's result>");
	file("", "open(Path(__file__).parent / '../../../../x.sql').read()", "sql sql<?a method's result>");
	file("", "open(Path(__file__).parent / '/etc/x.sql').read()", "sql sql<?a method's result>");
	file("", "open(Path(__file__).parent / 'x.sql', encoding='latin-1').read()", "sql sql<?a method's result>");
	file("", "open(Path(__file__).parent / 'none').read()", "sql sql<?a method's result>");
	file("", "f'{__file__}'", "sql sql<?SQL that is not written out>");
}

static void
deps(const char *text, const char *want)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	read_text(arena_printf(a, HEAD "from django.conf import settings\n"
	    "LAST = ('z', '0009')\n" CLASS "    %s\n", text));
	for (uint32_t i = 0; i < m.ndeps; i++)
		strbuf_printf(&b, "%s.%s%s ", m.deps[i].app, m.deps[i].name,
		    m.deps[i].swappable ? "*" : "");
	for (uint32_t i = 0; i < m.nproblems; i++)
		strbuf_printf(&b, "[%s]", m.problems[i].what);
	is(b.s, want, text);
}

static void
dependencies(void)
{
	deps("dependencies = [('shop', '0001_initial'), ('auth', '__first__')]", "shop.0001_initial auth.__first__ ");
	ok(!m.initial, "not initial");
	deps("dependencies = (('auth', '0001'),)", "auth.0001 ");
	ok(m.initial, "initial: none in its own app");
	deps("dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), migrations.swappable_dependency('a.B')]",
	    "AUTH_USER_MODEL.__first__* a.__first__ ");
	deps("dependencies = [LAST] + [['x', 'y']]", "z.0009 x.y ");
	deps("dependencies = [('a', settings.f())]", "[dependencies: cannot be read]");
	deps("dependencies = settings.f()", "[dependencies: not written out]");
	read_text(HEAD CLASS "    initial = True\n    replaces = [('shop', '0001'), ('old', '0002')]\n    run_before = [('b', '0001')]\n");
	ok(m.initial && m.initial_set && m.nreplaces == 2 && m.nrun_before == 1, "initial, replaces, run_before");
	is(m.name, "0002_x", "its name");
}

static const char *
digest(const char *text)
{
	read_text(text);
	return arena_strdup(a, m.digest);
}

static void
digests(void)
{
	const char *one = digest(HEAD CLASS "    dependencies = [('a', '1')]\n    operations = [migrations.DeleteModel('A')]\n");

	is(digest("from django.db import models, migrations\n\n" CLASS "\n    # sluice: safe auto\n    dependencies = [\n        ('a', '2'),\n    ]\n\n    operations = [\n        migrations.DeleteModel(\n            \"A\",\n        ),  # why\n    ]\n"),
	    one, "layout, comments, quotes and dependencies do not count");
	ok(!streq(digest(HEAD CLASS "    operations = [migrations.DeleteModel('B')]\n"), one), "operations do");
	const char *sql = digest(HEAD CLASS "    operations = [migrations.RunSQL('''\nx\n''')]\n");
	is(digest(HEAD CLASS "    operations = [migrations.RunSQL('''\n-- sluice: unsafe because \"x\"\nx\n''')]\n"), sql, "a tag in SQL does not count");
	is_int(m.tag.value, TAG_UNSAFE, "but is read");
	is_int(m.tag.line, 4, "at its line");
}

static void
tag(const char *line, const char *want)
{
	static const char *const values[] = { "-", "safe", "unsafe", "never" };
	static const char *const sources[] = { "none", "auto", "person", "safemigrate", "syzygy", "sentry" };
	struct tag t;

	tag_parse(&t, a, line, strlen(line), 7);
	is(arena_printf(a, "%s %s %s %lld%s %s|%s|%s", sources[t.source], values[t.value], values[t.reverse],
	    (long long)t.delay_ms, t.repeat ? " repeat" : "", t.bound != NULL ? t.bound : "", t.because != NULL ? t.because : "",
	    t.wrong != NULL ? t.wrong : ""), want, line);
}

static void
tags(void)
{
	tag("# sluice: unsafe auto -- drops Issue.source, which \"is\" read", "auto unsafe - 0 ||");
	tag("# sluice: safe for=3f2a91c4 reverse=unsafe because \"backfill, idempotent\" repeat", "person safe unsafe 0 repeat 3f2a91c4|backfill, idempotent|");
	tag("#sluice: unsafe delay=2h reverse=never", "person unsafe never 7200000 ||");
	tag("# sluice: unsafe allow=rewrite", "person unsafe - 0 ||unknown word 'allow=rewrite'");
	tag("# sluice is good", "none - - 0 ||");
	tag("# a sluice: safe", "none - - 0 ||");
	tag("# sluice: saef", "person - - 0 ||unknown word 'saef'; did you mean 'safe'?");
	tag("# sluice: safe unsafe", "person unsafe - 0 ||both safe and unsafe at 'unsafe'");
	tag("# sluice: safe because", "person safe - 0 ||a reason in \"…\" must follow 'because'");
	tag("# sluice: safe because \" \"", "person safe - 0 ||an empty reason after 'because'");
	tag("# sluice: safe for=12", "person safe - 0 ||for= takes 8 to 16 hex digits, not '12'");
	tag("# sluice:", "person - - 0 ||says nothing: 'sluice:'");
	tag("# sluice: safe \033[1m", "person safe - 0 ||unknown word '?[1m'");
	tag("# sluice: split auto", "auto - - 0 ||");
	read_text(HEAD CLASS "    # sluice: safe for=0123456789abcdef\n    operations = []\n");
	like(m.tag.wrong, "written for other operations", "bound to others");
	read_text(arena_printf(a, HEAD CLASS "    # sluice: unsafe auto\n    # sluice: safe for=%.8s\n    operations = []\n", m.digest));
	ok(m.tag.wrong == NULL && m.tag.source == TAG_PERSON && m.tag.value == TAG_SAFE, "a person's tag counts before the machine's");
	read_text(HEAD "from django_safemigrate import Safe\nfrom datetime import timedelta\n" CLASS "    safe = Safe.after_deploy(delay=timedelta(hours=2))\n");
	ok(m.tag.source == TAG_SAFEMIGRATE && m.tag.value == TAG_UNSAFE && m.tag.delay_ms == 7200000, "safemigrate");
	read_text(HEAD "from syzygy import Stage\n" CLASS "    stage = Stage.PRE_DEPLOY\n");
	ok(m.tag.source == TAG_SYZYGY && m.tag.value == TAG_SAFE, "syzygy");
	read_text(HEAD CLASS "    is_post_deployment = True\n");
	ok(m.tag.source == TAG_SENTRY && m.tag.value == TAG_UNSAFE, "sentry");
}

/* Names that importing the file would look for in vain: the line and the name
 * of the first; NULL: it is read. */
static void
unbound(const char *text, const char *want)
{
	int r = read_text(text);

	is(r == 1 ? NULL : r == 0 ? "(none)" : e.msg, want == NULL ? NULL :
	    arena_printf(a, "shop/migrations/0002_x.py:%s", want), text);
}

static void
unbound_names(void)
{
#define ONLY "from django.db import migrations\n"
#define LIST(list) CLASS "    operations = [" list "]\n"
#define STOPS "' is not bound in this file: Python stops here with NameError; "
	static const char *const quiet[] = {
		"if X:\n    from y import nooop\n", "for nooop in X:\n    pass\n",
		"try:\n    from y import nooop\nexcept ImportError:\n    nooop = None\n",
		"try:\n    pass\nexcept KeyError as nooop:\n    pass\n",
		"with open('x') as (a, nooop):\n    pass\n",
		"a = (nooop := 1)\n", "a = [nooop for nooop in 'ab']\n",
		"def f():\n    global nooop\n    nooop = 1\nf()\n", "import nooop.b\n",
		"import a.b as nooop\n", "from . import nooop\n",
		"from y import (a, b as nooop)\n", "a, *nooop = 1, 2\n",
		"nooop: int = 1\n", "class nooop: pass\n", "async def nooop(): pass\n",
		"@x\ndef nooop(): pass\n", "from y import *\n",
		"match 1:\n    case [nooop]:\n        pass\n",
		"while X:\n    nooop = 1\n",
	};

	unbound(ONLY LIST("migrations.AddField('a', 'b',\n        models.TextField(null=True))"),
	    "4: name 'models" STOPS "import it: from django.db import models");
	unbound(ONLY LIST("migrations.RunSQL('SELECT 1', nooop)"),
	    "3: name 'nooop" STOPS "define or import it");
	unbound(ONLY "def f(apps, editor):\n    import uuid\n    models = 1\n    apps.x(models, uuid, other)\n" LIST("migrations.RunPython(f, uuid.uuid4)"),
	    "7: name 'uuid" STOPS "import it: import uuid");
	unbound(ONLY "x = f'{nooop}'\n" LIST(""), "2: name 'nooop" STOPS "define or import it");
	unbound(ONLY "nooop = 1\ndel nooop\n" LIST(""), NULL);
	unbound(ONLY "f = lambda x: models\ndef g(a: models) -> models: return models\nv: models = 1\n" LIST(""), NULL);
	unbound(ONLY LIST("*([models] if 0 else []), *(0 and nooop or [])"), NULL);
	unbound(ONLY "try:\n    nooop\nexcept NameError:\n    pass\nwhile 0:\n    nooop\nif 0:\n    nooop\n" LIST(""), NULL);
	unbound(ONLY "x = (__name__, __file__, ValueError, slice, memoryview, BaseExceptionGroup)\n" LIST(""), NULL);
	unbound(ONLY CLASS "    nooop = []\n    operations = nooop + [migrations.RunSQL(sql=__doc__)]\n", NULL);
	is_int(read_text(ONLY "x = models\n"), 0, "what is no migration is none");
	for (size_t i = 0; i < countof(quiet); i++)
		unbound(arena_printf(a, ONLY "%s" LIST("migrations.RunSQL('SELECT 1', nooop)"), quiet[i]), NULL);
#undef LIST
#undef ONLY
#undef STOPS
}

int
main(void)
{
	a = arena_new();
	written_by_django();
	sql_and_python();
	other_forms();
	classes();
	changed_operations();
	changed_values();
	not_changed();
	bytes();
	files();
	custom();
	dependencies();
	unbound_names();
	digests();
	tags();
	arena_free(a);
	return done_testing();
}

/* A tree's migrations: labels, modules that are followed, files kept. */
#include "read/source.h"

#include "base/strbuf.h"
#include "base/util.h"
#include "tap.h"

static struct arena *a;
static struct err e;

#define HEAD "from django.db import migrations, models\n"
#define DEP(app, name) "    dependencies = [('" app "', '" name "')]\n"
#define CLASS "class Migration(migrations.Migration):\n"
#define F(path, text) { path, text, sizeof(text) - 1 }

static struct source_file files[] = {
	F("manage.py", "import os\n"),
	F("web/shop/fields.py", "from django.db import models as m\nclass Money(m.DecimalField):\n    pass\nclass Odd(m.Field):\n    def db_type(self, c):\n        return 'odd'\n"),
	F("web/shop/ops.py", "from django.db.migrations import RunSQL\nfrom .sql import *\nclass Quiet(RunSQL):\n    pass\n"),
	F("web/shop/sql.py", "DROP = 'DROP TABLE ' + 'x'\n"),
	F("web/shop/unused.py", "syntax error here\n"),
	F("web/shop/migrations/__init__.py", ""),
	F("web/shop/migrations/0001_initial.py", HEAD "from shop.fields import Money, Odd\nimport thirdparty\n" CLASS
	    "    operations = [migrations.CreateModel('A', [('m', Money(max_digits=3)), ('o', Odd()), ('t', thirdparty.X())])]\n"),
	F("web/shop/migrations/0002_sql.py", HEAD "from ..ops import Quiet\nfrom shop import sql\n" CLASS DEP("shop", "0001_initial") "    operations = [Quiet(sql.DROP)]\n"),
	F("web/shop/migrations/0003_bad.py", HEAD CLASS DEP("shop", "0002_sql") "    operations = [\n"),
	F("web/shop/migrations/_helper.py", HEAD CLASS "    operations = []\n"),
	F("web/customers/migrations/__init__.py", ""),
	F("web/customers/migrations/0001_initial.py", HEAD CLASS DEP("auth", "0001_initial") "    operations = []\n"),
	F("web/customers/migrations/0002_b.py", HEAD CLASS "    dependencies = [('people', '0001_initial'), ('auth', '0001_initial')]\n"),
	F("web/customers/migrations/0003_c.py", HEAD CLASS DEP("people", "0002_b")),
	F("web/odd/migrations/0001_x.py", HEAD CLASS "    dependencies = [('a', migrations.f())]\n"),
	F("other/migrations/0001_initial.py", HEAD CLASS "    operations = []\n"),
};

static void
list_of(struct strbuf *b, const struct migrations *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		strbuf_printf(b, "%s.%s%s ", m->v[i].app, m->v[i].name,
		    m->v[i].initial ? "*" : "");
	strbuf_str(b, "| ");
	for (uint32_t i = 0; i < m->nunread; i++)
		strbuf_printf(b, "%s:%u %s ", m->unread[i].path,
		    m->unread[i].line, m->unread[i].why);
	strbuf_str(b, "| ");
	for (uint32_t i = 0; i < m->nfiles; i++)
		strbuf_printf(b, "%s ", m->files[i].path);
}

static const struct migration *
find(const struct migrations *m, const char *name)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (streq(m->v[i].name, name))
			return &m->v[i];
	return NULL;
}

static void
field_bases(const struct migrations *m)
{
	const struct migration *first = NULL;

	for (uint32_t i = 0; i < m->n; i++)
		if (streq(m->v[i].app, "shop") && m->v[i].ops.n == 1 &&
		    m->v[i].ops.v[0].fields != NULL)
			first = &m->v[i];
	const struct value *f = first != NULL ? first->ops.v[0].fields : NULL;
	if (!ok(f != NULL && f->n == 3, "three fields"))
		return;
	is(f->items[0]->items[1]->name, "shop.fields.Money", "a field class of the project");
	is(f->items[0]->items[1]->base, "django.db.models.DecimalField", "and what it comes from");
	is(f->items[1]->items[1]->base, NULL, "one with a db_type of its own has no base");
	is(f->items[2]->items[1]->base, NULL, "nor has one of a third party");
}

/* What Django would load and we cannot read is told, what it would not is not. */
static void
odd_files(void)
{
	static struct source_file odd[] = {
		F("shop/migrations/0001_initial.py", HEAD CLASS "    operations = []\n"),
		F("shop/migrations/0001_initial.pyc", "\x6f"),
		F("shop/migrations/0002_x.pyc", "\x6f"),
		F("shop/migrations/0003_x.abi3.so", "\x7f" "ELF"),
		F("shop/migrations/_speed.so", "\x7f" "ELF"),
		F("shop/migrations/__pycache__/0004_x.cpython-311.pyc", "\x6f"),
		F("shop/migrations/old/0005_x.py", HEAD CLASS "    operations = []\n"),
		F("shop/migrations/__init__.py", "default_app_config = 'x'\n"),
		F("till/migrations/__init__.py", "from django.db import migrations\n\nmigrations.AddField = None\n"),
		F("tray/migrations/__init__.py", "__path__ = []\n"),
		F("till/migrations/0001_x.py", "from elsewhere import Migration\n"),
		F("till/migrations/0002_x.py", "from elsewhere import *\n"),
		F("till/migrations/0003_x.py", "X = 1\n"),
		F("shop/schema/0002_x.py", HEAD CLASS "    operations = []\n"),
		F("shop/schema/0003_south.py", "class Migration(SchemaMigration):\n    pass\n"),
		F("shop/slides/0001_x.py", "x = 1\n"),
		F("tests/data/0001_x.py", HEAD CLASS "    operations = []\n"),
	};
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct cfg_project p = { .root = "." };
	struct source *s = NULL;
	struct migrations m;

	source_memory(&s, odd, countof(odd), &e);
	is_int(source_migrations(&m, a, s, &p, &e), 0, "files that are odd");
	source_free(s);
	for (uint32_t i = 0; i < m.nunread; i++)
		strbuf_printf(&b, "%s %.5s ", m.unread[i].path, m.unread[i].why);
	is(b.s, "shop/migrations/0002_x.pyc compi shop/migrations/0003_x.abi3.so compi "
	    "shop/schema/0002_x.py looks till/migrations/0001_x.py 'Migr till/migrations/0002_x.py 'Migr "
	    "till/migrations/__init__.py chang tray/migrations/__init__.py chang ", "are told, but for what Django does not load");
	is_int(m.n, 1, "and the one that is read is");
}

int
main(void)
{
	struct strbuf one STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf two STRBUF_SCOPED = STRBUF_INIT;
	struct cfg_project p = { .root = "./web/" };
	struct source *s = NULL;
	struct migrations m;

	a = arena_new();
	source_memory(&s, files, countof(files), &e);
	is_int(source_migrations(&m, a, s, &p, &e), 0, "read");
	source_free(s);
	list_of(&one, &m);
	is(one.s, "people.0001_initial* people.0002_b people.0003_c odd.0001_x* shop.0001_initial* shop.0002_sql "
	    "| web/odd/migrations/0001_x.py:3 dependencies: cannot be read web/shop/migrations/0003_bad.py:4 not valid Python: a '[' without its partner "
	    "| web/customers/migrations/0001_initial.py web/customers/migrations/0002_b.py web/customers/migrations/0003_c.py "
	    "web/customers/migrations/__init__.py web/odd/migrations/0001_x.py web/shop/migrations/0001_initial.py web/shop/fields.py "
	    "web/shop/migrations/0002_sql.py web/shop/sql.py web/shop/ops.py web/shop/migrations/0003_bad.py web/shop/migrations/__init__.py ",
	    "labels, what cannot be read, the files needed");
	const struct migration *sql = find(&m, "0002_sql");
	ok(sql->ops.n == 1 && sql->ops.v[0].kind == OP_RUN_SQL, "an operation of the project");
	is(sql->ops.v[0].sql[0].text, "DROP TABLE x", "with a constant of it");
	is(sql->ops.v[0].cls, "shop.ops.Quiet", "known by its name");
	field_bases(&m);
	source_memory(&s, m.files, m.nfiles, &e);
	struct migrations again;
	is_int(source_migrations(&again, a, s, &p, &e), 0, "the kept files, read again");
	source_free(s);
	list_of(&two, &again);
	is(two.s, one.s, "give the same");
	is(find(&again, "0002_sql")->digest, sql->digest, "digests too");
	odd_files();
	arena_free(a);
	return done_testing();
}

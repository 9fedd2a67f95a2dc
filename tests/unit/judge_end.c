/* From the text of migration files to verdicts, reasons and fixes. */
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
    "def fill(apps, schema_editor):\n    pass\n\n\n"

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

static const struct {
	const char *name;
	const char *ops[3];	/* of one migration each, in a row; '!' before
				 * them: atomic = False */
	const char *phases;
	const char *text;	/* is in some reason, fix or refusal; '!': is not */
} cases[] = {
	{ "AddField, after a type that cannot be known", {
	  "migrations.AlterField('order', 'note', tools.Strange())",
	  "migrations.AddField('order', 'src', models.CharField("
	  "max_length=20, default='web'))" }, "opaque>opaque! split>split!",
	  NULL },
	{ "AddField, Python default", { "migrations.AddField('order', 'src', "
	  "models.CharField(max_length=20, default='web'))" }, "split>split!",
	  "field=models.CharField(max_length=20, default='web', db_default='web')" },
	{ "AddField, blank text", { "migrations.AddField('order', 'src', "
	  "models.TextField(blank=True))" }, "split>split!", "db_default=\"\"" },
	{ "AddField, auto_now_add", { "migrations.AddField('order', 'at', "
	  "models.DateTimeField(auto_now_add=True, default=None))" },
	  "split>split!", "db_default=models.functions.Now()" },
	{ "AddField, a callable", { "migrations.AddField('order', 'key', "
	  "models.UUIDField(default=uuid.uuid4))" }, "split>split!",
	  "null=True in models.py too" },
	{ "AddField, db_default", { "migrations.AddField('order', 'src', "
	  "models.CharField(max_length=20, db_default='web'))" }, "safe>safe",
	  "new code already SELECTs \"shop_order\".\"src\"" },
	{ "AddField, null", { "migrations.AddField('order', 'src', "
	  "models.CharField(max_length=20, null=True))" }, "safe>safe", NULL },
	{ "AddField, foreign key", { "migrations.AddField('order', 'buyer', "
	  "models.ForeignKey('shop.Customer', models.SET_NULL, null=True))" },
	  "safe>safe", "deployed code cannot DELETE rows of \"shop_customer\"" },
	{ "RemoveField, NOT NULL", { "migrations.RemoveField('order', 'note')" },
	  "split>split!", "ALTER COLUMN \"note\" DROP NOT NULL" },
	{ "RemoveField, nullable", { "migrations.RemoveField('customer', 'email')" },
	  "unsafe>unsafe", "deployed code still SELECTs \"shop_customer\".\"email\"" },
	{ "RemoveField, db_default", { "migrations.RemoveField('customer', 'rank')" },
	  "unsafe>unsafe", NULL },
	{ "RemoveField by its fix, first release", {
	  "migrations.SeparateDatabaseAndState(database_operations=["
	  "migrations.RunSQL('ALTER TABLE \"shop_order\" ALTER COLUMN \"note\" "
	  "DROP NOT NULL', 'ALTER TABLE \"shop_order\" ALTER COLUMN \"note\" "
	  "SET NOT NULL')], state_operations=[migrations.RemoveField('order', "
	  "'note')])" }, "safe>safe", NULL },
	{ "a state-only RemoveField", {
	  "migrations.SeparateDatabaseAndState(state_operations=["
	  "migrations.RemoveField('order', 'note')])" }, "never>never!",
	  "the new code itself INSERTs" },
	{ "DeleteModel with a foreign key", { "migrations.DeleteModel('order')" },
	  "split>split!", "DROP CONSTRAINT \"shop_order_customer_id_" },
	{ "DeleteModel by its fix", {
	  "migrations.RunSQL('ALTER TABLE \"shop_order\" DROP CONSTRAINT "
	  "\"shop_order_customer_id_f638df20_fk_shop_customer_id\"', "
	  "'SELECT 1')", "migrations.DeleteModel('order')" },
	  "safe>safe unsafe>unsafe", NULL },
	{ "RenameField", { "migrations.RenameField('order', 'note', 'memo')" },
	  "split>split!", "field=models.TextField(blank=True, db_column=\"note\")" },
	{ "RenameField by its fix", {
	  "migrations.SeparateDatabaseAndState(state_operations=["
	  "migrations.RenameField('order', 'note', 'memo'), "
	  "migrations.AlterField('order', 'memo', models.TextField(blank=True, "
	  "db_column='note'))])" }, "either>safe", NULL },
	{ "RenameModel", { "migrations.RenameModel('Order', 'Purchase')" },
	  "split>split!", "migrations.AlterModelTable(name=\"purchase\", table=\"shop_order\")" },
	{ "RenameModel by its fix", {
	  "migrations.SeparateDatabaseAndState(state_operations=["
	  "migrations.RenameModel('Order', 'Purchase'), "
	  "migrations.AlterModelTable('purchase', 'shop_order')])" },
	  "either>safe", NULL },
	{ "null to NOT NULL", { "migrations.AlterField('customer', 'email', "
	  "models.EmailField(default=''))" }, "unsafe>unsafe",
	  "rows = apps.get_model(\"shop\", \"customer\")" },
	{ "NOT NULL to null", { "migrations.AlterField('order', 'note', "
	  "models.TextField(null=True))" }, "safe>safe", NULL },
	{ "longer", { "migrations.AlterField('customer', 'name', "
	  "models.CharField(max_length=90))" }, "safe>safe", NULL },
	{ "shorter", { "migrations.AlterField('customer', 'name', "
	  "models.CharField(max_length=9))" }, "unsafe>unsafe", NULL },
	{ "choices only", { "migrations.AlterField('order', 'state', "
	  "models.CharField(max_length=9, choices=[('a', 'b')]))" },
	  "either>safe", NULL },
	{ "AutoField to a plain one", { "migrations.AlterField('order', 'id', "
	  "models.BigIntegerField(primary_key=True))" }, "unsafe>unsafe", NULL },
	{ "AddIndex", { "migrations.AddIndex('order', models.Index("
	  "fields=['number'], name='num'))" }, "either>safe",
	  "AddIndexConcurrently(" },
	{ "AddIndexConcurrently in a transaction", { "AddIndexConcurrently("
	  "'order', models.Index(fields=['number'], name='num'))" },
	  "either>safe!", "atomic = False" },
	{ "the same, atomic = False", { "!AddIndexConcurrently("
	  "'order', models.Index(fields=['number'], name='num'))" },
	  "either>safe", NULL },
	{ "VACUUM in a transaction", { "migrations.RunSQL('VACUUM shop_order', "
	  "'')" }, "either>safe!", "VACUUM cannot run inside a transaction" },
	{ "VACUUM FULL outside of one", { "!migrations.RunSQL('VACUUM FULL "
	  "shop_order', '')" }, "either>safe", "writes the table and its indexes "
	  "anew while nobody can read it" },
	{ "REINDEX CONCURRENTLY in a transaction", { "migrations.RunSQL('REINDEX "
	  "TABLE CONCURRENTLY shop_order', '')" }, "either>safe!",
	  "REINDEX CONCURRENTLY cannot run inside a transaction" },
	{ "UniqueConstraint", { "migrations.AddConstraint('order', "
	  "models.UniqueConstraint(fields=['number'], name='num'))" },
	  "unsafe>unsafe", "UNIQUE USING INDEX" },
	{ "a check that is new", { "migrations.AddConstraint('order', "
	  "models.CheckConstraint(check=models.Q(number__gte=0), name='num'))" },
	  "unsafe>unsafe", "AddConstraintNotValid(" },
	{ "a check that admits more", {
	  "migrations.RemoveConstraint('order', 'state_ok'), "
	  "migrations.AddConstraint('order', models.CheckConstraint("
	  "check=models.Q(state__in=['new', 'paid', 'sent']), "
	  "name='state_ok2'))" }, "safe>safe", NULL },
	{ "a check that admits less", {
	  "migrations.RemoveConstraint('order', 'state_ok'), "
	  "migrations.AddConstraint('order', models.CheckConstraint("
	  "check=models.Q(state__in=['new']), name='state_ok2'))" },
	  "unsafe>unsafe", NULL },
	{ "a check on a new nullable column", {
	  "migrations.AddField('order', 'qty', models.IntegerField(null=True)), "
	  "migrations.AddConstraint('order', models.CheckConstraint("
	  "check=models.Q(qty__gt=0), name='qty_ok'))" }, "safe>safe", NULL },
	{ "PositiveIntegerField, null", { "migrations.AddField('order', 'qty', "
	  "models.PositiveIntegerField(null=True))" }, "safe>safe", NULL },
	{ "int to PositiveIntegerField", { "migrations.AlterField('order', "
	  "'number', models.PositiveIntegerField())" }, "unsafe>unsafe", NULL },
	{ "a foreign key that may be null", { "migrations.AlterField('order', "
	  "'customer', models.ForeignKey('shop.Customer', models.CASCADE, "
	  "null=True))" }, "safe>safe", "leave the foreign key alone" },
	{ "a many-to-many", { "migrations.AddField('order', 'friends', "
	  "models.ManyToManyField('shop.Customer', related_name='+'))" },
	  "safe>safe", NULL },
	{ "a one-to-one", { "migrations.AddField('order', 'twin', models."
	  "OneToOneField('shop.Customer', models.SET_NULL, null=True))" },
	  "safe>safe", "ADD CONSTRAINT \"shop_order_twin_id_key\" UNIQUE" },
	{ "RunPython", { "migrations.RunPython(fill)" }, "opaque>opaque!",
	  "only after the new code:  sluice tag --unsafe --because 'WHY' " },
	{ "under a condition that nobody can decide", { "*([migrations.AddField("
	  "'order', 'src', models.TextField(null=True))] if os.environ.get('X') "
	  "else [])" }, "opaque>opaque!", "cannot be decided here" },
	{ "RunPython.noop", { "migrations.RunPython(migrations.RunPython.noop, "
	  "migrations.RunPython.noop)" }, "either>safe", NULL },
	{ "two that only need a cut", {
	  "migrations.RemoveField('customer', 'email'), "
	  "migrations.AddField('customer', 'phone', models.TextField(null=True))"
	  }, "split>split!", "first: operation 2\n# in a second one that depends on "
	  "it: operation 1" },
	{ "one that only needs a cut", {
	  "migrations.AddField('customer', 'phone', models.TextField(null=True)), "
	  "migrations.AddField('customer', 'fax', models.TextField(null=True)), "
	  "migrations.RemoveField('customer', 'email')" }, "split>split!",
	  "after operation 2: then the first part is safe, the second unsafe" },
	{ "a rename there and back in no transaction", {
	  "!migrations.RenameField('order', 'note', 'memo'), "
	  "migrations.RenameField('order', 'memo', 'note')" }, "split>split!",
	  "SELECTs \"shop_order\".\"note\", between operation 1 and 2" },
	{ "the same in one", {
	  "migrations.RenameField('order', 'note', 'memo'), "
	  "migrations.RenameField('order', 'memo', 'note')" }, "either>safe",
	  NULL },
	{ "its fix", { "!migrations.RenameField('order', 'note', 'memo'), "
	  "migrations.RenameField('order', 'memo', 'note')" }, "split>split!",
	  "let it be one transaction: then it is either" },
	{ "statements of one text are one transaction", {
	  "!migrations.RunSQL('ALTER TABLE shop_order ADD x int NOT NULL; "
	  "ALTER TABLE shop_order ALTER x SET DEFAULT 1')" }, "either>safe", NULL },
	{ "statements of a list are not", {
	  "!migrations.RunSQL(['ALTER TABLE shop_order ADD x int NOT NULL', "
	  "'ALTER TABLE shop_order ALTER x SET DEFAULT 1'])" }, "split>split!",
	  "default in the database, within operation 1" },
	{ "added, filled, required", {
	  "migrations.AddField('order', 'src', models.TextField(null=True))",
	  "migrations.RunSQL('SELECT 1')",
	  "migrations.AlterField('order', 'src', models.TextField())" },
	  NULL, NULL },
	{ "a check written by hand", { "migrations.RunSQL('ALTER TABLE "
	  "shop_order ADD CONSTRAINT pos CHECK (number > 0) NOT VALID', "
	  "'ALTER TABLE shop_order DROP CONSTRAINT pos')" }, "unsafe>unsafe",
	  "the new code itself can write rows" },
	{ "a generated number", { "migrations.AddField('order', 'twice', "
	  "models.GeneratedField(expression=models.F('number') * 2, "
	  "output_field=models.IntegerField(), db_persist=True))" },
	  "split>split!", "where that fails or is out of range" },
	{ "a generated text", { "migrations.AddField('order', 'low', "
	  "models.GeneratedField(expression=models.functions.Lower('note'), "
	  "output_field=models.TextField(), db_persist=True))" },
	  "safe>safe", NULL },
	{ "a generated text that may be too long", { "migrations.AddField('order', "
	  "'low', models.GeneratedField(expression=models.functions.Lower("
	  "'state'), output_field=models.CharField(max_length=5), "
	  "db_persist=True))" }, "split>split!", "is computed" },
	{ "one that is as long", { "migrations.AddField('order', 'low', "
	  "models.GeneratedField(expression=models.functions.Lower('state'), "
	  "output_field=models.CharField(max_length=9), db_persist=True))" },
	  "safe>safe", NULL },
	{ "a generated NULL that may not be", { "migrations.RunSQL('ALTER TABLE "
	  "shop_customer ADD z text NOT NULL GENERATED ALWAYS AS (email::text) "
	  "STORED')" }, "unsafe>unsafe", "where it is NULL, the row is refused" },
	{ "an index that casts", { "migrations.AddIndex('order', models.Index("
	  "models.functions.Cast('state', models.IntegerField()), name='i'))" },
	  "unsafe>unsafe", "for which \"i\" (((\"state\")::integer)) cannot be "
	  "computed" },
	{ "one that casts what fits", { "migrations.AddIndex('order', "
	  "models.Index(models.functions.Cast('number', models.TextField()), "
	  "name='i'))" }, "either>safe", NULL },
	{ "an index on a sum", { "migrations.AddIndex('order', models.Index("
	  "models.F('number') + 1, name='i'))" }, "unsafe>unsafe", NULL },
	{ "an index on a function that nobody knows", { "migrations.RunSQL("
	  "'CREATE INDEX i ON shop_order (myf(state))')" }, "unsafe>unsafe",
	  NULL },
	{ "an index for which a quotient decides", { "migrations.RunSQL("
	  "'CREATE INDEX i ON shop_order (state) WHERE 1 / number > 0')" },
	  "unsafe>unsafe", NULL },
	{ "an index on text in small letters", { "migrations.RunSQL("
	  "\"CREATE INDEX i ON shop_order (lower(state)) WHERE number > -1 AND "
	  "note ~ '^x'\")" }, "either>safe", NULL },
	{ "a check by a function that nobody knows, of a new column", {
	  "migrations.RunSQL('ALTER TABLE shop_order ADD z text, ADD CONSTRAINT "
	  "k CHECK (myf(z))')" }, "unsafe>unsafe", NULL },
	{ "a check by one that is known", { "migrations.RunSQL('ALTER TABLE "
	  "shop_order ADD z text, ADD CONSTRAINT k CHECK (lower(z) > z)')" },
	  "either>safe", NULL },
	{ "a default that is too long", { "migrations.AddField('order', 'z', "
	  "models.CharField(max_length=3, db_default='abcdef'))" },
	  "split>split!", "whose default 'abcdef' does not fit" },
	{ "a default by a function that nobody knows", { "migrations.AddField("
	  "'order', 'z', models.IntegerField(db_default=models.Func(models.Value("
	  "1), function='myf')))" }, "split>split!", "cannot be told here" },
	{ "a default by one that is known", { "migrations.AddField('order', 'z', "
	  "models.DateTimeField(db_default=models.functions.Now()))" },
	  "safe>safe", NULL },
	{ "a text cut to length", { "migrations.AlterField('order', 'note', "
	  "models.CharField(max_length=5))" }, "unsafe>unsafe",
	  "cuts \"shop_order\".\"note\" to character varying(5) for good" },
	{ "the way back of a longer one", { "migrations.AlterField('customer', "
	  "'name', models.CharField(max_length=90))" }, "safe>safe",
	  "its reverse fails where \"shop_customer\".\"name\" does not fit" },
	{ "the way back to NOT NULL", { "migrations.AlterField('order', 'number', "
	  "models.IntegerField(null=True))" }, "safe>safe",
	  "its reverse fails where \"shop_order\".\"number\" is NULL" },
	{ "the way back of a check", { "migrations.RemoveConstraint('order', "
	  "'state_ok')" }, "safe>safe",
	  "its reverse fails where rows of \"shop_order\" do not keep \"state_ok\"" },
	{ "the way back of a fraction", { "migrations.AlterField('order', "
	  "'number', models.FloatField())" }, "split>split!",
	  "its reverse rounds \"shop_order\".\"number\" to integer" },
	{ "nothing at all", { "" }, "either>safe", "does nothing" },
	{ "rows and tables in one transaction", { "migrations.RunSQL('UPDATE "
	  "shop_order SET number = 1 WHERE id = 1', ''), "
	  "migrations.AddField('order', 'z', models.TextField(null=True))" },
	  "opaque>opaque!", "changes rows (line 16) and tables (line 16)" },
	{ "every row at once", { "migrations.RunSQL('UPDATE shop_order SET "
	  "number = 1', '')" }, "opaque>opaque!",
	  "writes every row of \"shop_order\"" },
	{ "every row of Python's", { "migrations.RunPython(lambda apps, e: "
	  "apps.get_model('shop', 'Order').objects.update(number=1), "
	  "migrations.RunPython.noop)" }, "opaque>opaque!",
	  "seems to write every row" },
	{ "a loop over all", { "migrations.RunPython(loop)" }, "opaque>opaque!",
	  "seems to write every row" },
	{ "no way back", { "migrations.RunSQL('SELECT 1')" }, "either>safe",
	  "RunSQL without reverse_sql" },
	{ "no way back of Python's", { "migrations.RunPython(loop)" },
	  "opaque>opaque!", "RunPython without reverse_code" },
	{ "a model that is imported", { "migrations.RunPython(loop)" },
	  "opaque>opaque!", "imports a model" },
	{ "CONCURRENTLY beside another statement", { "!migrations.RunSQL('CREATE "
	  "INDEX CONCURRENTLY i ON shop_order (number); SELECT 1', '')" },
	  "either>safe!", "CONCURRENTLY cannot run beside" },
	{ "a unique value that is called once", { "migrations.AddField('order', "
	  "'key', models.UUIDField(default=uuid.uuid4, unique=True, null=True))"
	  }, "safe>safe", "gives every row of \"shop_order\" the same \"key\"" },
	{ "a name that is cut", { "migrations.AddIndex('order', models.Index("
	  "fields=['number'], name='" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))" }, "either>safe",
	  "longer than 63 bytes" },
	{ "a setting under which texts are read otherwise", { "migrations.RunSQL("
	  "'SET standard_conforming_strings = off', '')" }, "opaque>opaque!",
	  "SET standard_conforming_strings" },
	{ "a timeout that stays", { "migrations.RunSQL(\"SET lock_timeout = '1s'\", "
	  "'')" }, "either>safe", "SET lock_timeout holds for the migrations "
	  "after this one too" },
	{ "one that is put back", { "migrations.RunSQL(\"SET lock_timeout = '1s'; "
	  "SELECT 1; RESET lock_timeout\", '')" }, "either>safe", "!SET lock" },
	{ "one that nobody keeps", { "!migrations.RunSQL(\"SET LOCAL "
	  "lock_timeout = '1s'\", '')" }, "either>safe", "SET LOCAL lock_timeout "
	  "does nothing outside of a transaction" },
	{ "one of one text", { "!migrations.RunSQL(\"SET LOCAL lock_timeout = '1s'"
	  "; SELECT 1\", '')" }, "either>safe", "!SET LOCAL" },
	{ "a table that hides a model's", { "migrations.RunSQL('CREATE TEMP TABLE "
	  "shop_order AS SELECT 1', '')" }, "opaque>opaque!",
	  "its temporary table hides the real \"shop_order\"" },
	{ "rows that go with others", { "migrations.RunSQL('TRUNCATE "
	  "shop_customer CASCADE', '')" }, "opaque>opaque!", "empties "
	  "\"shop_order\" too, which refers to \"shop_customer\"" },
	{ "a value that an enum has not yet", { "migrations.RunSQL(\"ALTER TYPE e "
	  "ADD VALUE 'b'\", ''), migrations.RunSQL(\"ALTER TABLE shop_order ADD "
	  "x e DEFAULT 'b'\", '')" }, "opaque>opaque!", "it speaks of 'b'" },
	{ "one that it has", { "!migrations.RunSQL(\"ALTER TYPE e ADD VALUE 'b'\", "
	  "''), migrations.RunSQL(\"ALTER TABLE shop_order ADD x e DEFAULT 'b'\", "
	  "'')" }, "either>safe", NULL },
	{ "a number that the database always makes", { "migrations.RunSQL('ALTER "
	  "TABLE shop_order ALTER number ADD GENERATED ALWAYS AS IDENTITY', '')" },
	  "never>never!", "which the database always generates" },
	{ "a key that it always makes", { "migrations.RunSQL('ALTER TABLE "
	  "shop_order ALTER id DROP IDENTITY, ALTER id ADD GENERATED ALWAYS AS "
	  "IDENTITY', '')" }, "either>unsafe", "cannot write a value of its own" },
	{ "a table whose rows cannot be told apart", { "migrations.RunSQL("
	  "'ALTER TABLE shop_order REPLICA IDENTITY NOTHING', '')" },
	  "opaque>opaque!", "UPDATE and DELETE are refused" },
	{ "a column that a view uses", { "migrations.RunSQL('CREATE VIEW report "
	  "AS SELECT id, email FROM shop_customer', 'DROP VIEW report')",
	  "migrations.RemoveField('customer', 'email')" },
	  "either>safe opaque>opaque!", "the view \"report\", made by hand, uses "
	  "\"email\"" },
	{ "one that it does not use", { "migrations.RunSQL('CREATE VIEW report "
	  "AS SELECT id, name FROM shop_customer', 'DROP VIEW report')",
	  "migrations.RemoveField('customer', 'email')" },
	  "either>safe unsafe>unsafe", NULL },
	{ "a key of a table that is not here, by its child", { "migrations."
	  "CreateModel('Page', [('page_ptr', models.OneToOneField('cms.Page', "
	  "models.CASCADE, primary_key=True, parent_link=True))], bases=("
	  "'cms.page',)), migrations.AddField('order', 'page', models."
	  "ForeignKey('shop.Page', models.CASCADE, null=True))",
	  "migrations.AlterField('order', 'page', models.ForeignKey("
	  "'cms.Page', models.CASCADE, null=True))" },
	  "safe>safe safe>safe", "\"shop_page\" has no row for" },
	{ "the same of another", { "migrations.AddField('order', 'page', models."
	  "ForeignKey('cms.Page', models.CASCADE, null=True))",
	  "migrations.AlterField('order', 'page', models.ForeignKey("
	  "'blog.Post', models.CASCADE, null=True))" },
	  "safe>safe opaque>opaque!", "cannot be known" },
	{ "a model that was not managed", { "migrations.CreateModel('Script', "
	  "[('id', models.AutoField(primary_key=True))], options={'managed': "
	  "False})", "migrations.CreateModel('Script', [('id', models."
	  "BigAutoField(primary_key=True))])" }, "either>safe safe>safe", NULL },
	{ "a trigger and what goes with it", { FUNCTION("RETURN NEW") ", "
	  TRIGGER("BEFORE"), "migrations.RunSQL('DROP TRIGGER g ON "
	  "shop_customer; DROP FUNCTION f', '')" }, "either>safe "
	  "either>unsafe", NULL },
	{ "a trigger that refuses", { FUNCTION("RAISE 'no'; RETURN NEW")
	  ", " TRIGGER("BEFORE") }, "opaque>opaque!", "RAISE" },
	{ "one that only tells", { FUNCTION("RAISE NOTICE 'no'; RETURN NEW")
	  ", " TRIGGER("BEFORE") }, "either>safe", NULL },
	{ "a trigger that leaves rows out", { FUNCTION("RETURN NULL") ", "
	  TRIGGER("BEFORE") }, "opaque>opaque!", "RETURN NULL" },
	{ "the same after they are written", { FUNCTION("RETURN NULL") ", "
	  TRIGGER("AFTER") }, "either>safe", NULL },
	{ "a trigger that puts SQL together", { FUNCTION("EXECUTE s; RETURN "
	  "NEW") ", " TRIGGER("AFTER") }, "opaque>opaque!", "puts together" },
	{ "a trigger whose function is not seen", { TRIGGER("AFTER") },
	  "opaque>opaque!", "is not in the migrations" },
	{ "a function that is dropped, and no trigger's", { "migrations.RunSQL("
	  "'DROP FUNCTION f', '')" }, "opaque>opaque!", "DROP of what code" },
	{ "a column that a trigger of before used", { FUNCTION("NEW.email = "
	  "1; RETURN NEW") ", " TRIGGER("BEFORE") ", migrations.RunSQL('DROP "
	  "TRIGGER g ON shop_customer', '')", "migrations.RemoveField("
	  "'customer', 'email')" }, "either>safe unsafe>unsafe", NULL },
	{ "and one that goes with it", { FUNCTION("NEW.email = 1; RETURN "
	  "NEW") ", " TRIGGER("BEFORE"), "migrations.RemoveField('customer', "
	  "'email'), migrations.RunSQL('DROP TRIGGER g ON shop_customer', '')" },
	  "either>safe unsafe>unsafe", NULL },
	{ "or in another transaction", { FUNCTION("NEW.email = 1; RETURN "
	  "NEW") ", " TRIGGER("BEFORE"), "!migrations.RemoveField('customer', "
	  "'email'), migrations.RunSQL('DROP TRIGGER g ON shop_customer', '')" },
	  "either>safe opaque>opaque!", "made by hand, uses \"email\"" },
	{ "a trigger of pgtrigger", { PGTRIGGER("RETURN NULL;", "AFTER"),
	  "pgtrigger.migrations.RemoveTrigger('customer', 'log'), "
	  "migrations.RemoveField('customer', 'email')" },
	  "either>safe unsafe>unsafe", NULL },
	{ "one that stays", { PGTRIGGER("RETURN NULL;", "AFTER"),
	  "migrations.RemoveField('customer', 'email')" },
	  "either>safe opaque>opaque!", "the function \"pgtrigger_log_1a2b3\", "
	  "made by hand, uses \"email\"" },
	{ "one that refuses", { PGTRIGGER("RAISE EXCEPTION ''no'';", "BEFORE") },
	  "opaque>opaque!", "RAISE" },
	{ "one that is not written out", { "pgtrigger.migrations.AddTrigger("
	  "'customer', pgtrigger.Protect(name='x'))" }, "opaque>opaque!",
	  "a trigger that is not written out" },
	{ "a column that a trigger uses", { "migrations.RunSQL('CREATE FUNCTION "
	  "f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.email = 1; "
	  "RETURN NEW; END $$; CREATE TRIGGER g BEFORE INSERT ON shop_customer "
	  "EXECUTE FUNCTION f()', '')", "migrations.AlterField('customer', "
	  "'email', models.TextField(null=True))" },
	  "either>safe opaque>opaque!", "the function \"f\"" },
	{ "a column that is not there", { "migrations.RunSQL('ALTER TABLE "
	  "shop_order DROP COLUMN nope', '')" }, "opaque>opaque!",
	  "has no column \"nope\"" },
	{ "a field that is not there, whatever a person says", { "# sluice: safe "
	  "because \"sure\"\n        migrations.RemoveField('order', 'nope')" },
	  "opaque>opaque!", "0002_next.py:17: model shop.order has no field "
	  "'nope' at this point: Django stops there" },
	{ "one that is there already", { "# sluice: safe because \"sure\"\n"
	  "        migrations.AddField('order', 'note', models.TextField("
	  "null=True))" }, "opaque>opaque!", "take one of the two out" },
	{ "one that another one is called", { "migrations.RenameField('order', "
	  "'note', 'state')" }, "split>split!", "has a field 'state' already: "
	  "PostgreSQL stops there" },
	{ "a model that is not there", { "# sluice: unsafe because \"sure\"\n"
	  "        migrations.AlterModelOptions('nope', {})" },
	  "opaque>opaque!", "there is no model shop.nope at this point: Django" },
	{ "an index on a field that is not there", { "# sluice: safe because "
	  "\"sure\"\n        migrations.AddIndex('order', models.Index("
	  "fields=['-nope'], name='i'))" }, "opaque>opaque!",
	  "no field 'nope' at this point: Django stops" },
	{ "a check of one", { "# sluice: unsafe because \"sure\"\n        "
	  "migrations.AddConstraint('order', models.CheckConstraint(condition="
	  "models.Q(pk__gt=0) | ~models.Q(nope__in=[1]), name='k'))" },
	  "opaque>opaque!", "no field 'nope' at this point: Django stops" },
	{ "a check of those that are there", { "migrations.AddConstraint('order', "
	  "models.CheckConstraint(condition=models.Q(pk__gt=0) | models.Q("
	  "customer_id__lt=models.F('number')), name='k'))" },
	  "unsafe>unsafe", NULL },
	{ "a constraint that is not there", { "# sluice: safe because \"sure\"\n"
	  "        migrations.RemoveConstraint('order', 'nope')" },
	  "opaque>opaque!", "no index or constraint 'nope'" },
	{ "the state alone may hold what is not there", { "# sluice: safe because "
	  "\"sure\"\n        migrations.SeparateDatabaseAndState("
	  "state_operations=[migrations.AlterField('order', 'nope', "
	  "models.TextField(null=True))])" }, "opaque>safe", NULL },
	{ "but loses nothing that is not there", { "# sluice: safe because "
	  "\"sure\"\n        migrations.SeparateDatabaseAndState("
	  "state_operations=[migrations.RemoveField('order', 'nope')])" },
	  "opaque>opaque!", "Django stops there" },
	{ "what something unread may have made", { "# sluice: safe because "
	  "\"sure\"\n        tools.Strange()", "# sluice: safe because \"sure\""
	  "\n        migrations.RemoveField('order', 'nope')" },
	  "opaque>safe opaque>safe", NULL },
	{ "rows that were written make no field", { "# sluice: safe because "
	  "\"sure\"\n        migrations.RunPython(fill)", "# sluice: safe because "
	  "\"sure\"\n        migrations.RemoveField('order', 'nope')" },
	  "opaque>safe opaque>opaque!", "Django stops there" },
	{ "a column that Python may have dropped", { "# sluice: safe because "
	  "\"sure\"\n        migrations.RunPython(fill)", "# sluice: safe because "
	  "\"sure\"\n        migrations.AddField('order', 'note', "
	  "models.TextField(null=True))" }, "opaque>safe opaque>safe", NULL },
	{ "what is no SQL", { "# sluice: safe because \"sure\"\n        "
	  "migrations.RunSQL('SELEC 1', '')" }, "opaque>opaque!",
	  "near \"SELEC\": PostgreSQL stops at it" },
	{ "what newer PostgreSQL may take", { "# sluice: safe because \"sure\"\n"
	  "        migrations.RunSQL('ALTER TABLE shop_order ADD x int "
	  "GENERATED ALWAYS AS (1) VIRTUAL', '')" }, "opaque>safe", NULL },
	{ "an argument that cannot be read", { "migrations.AlterField('order', "
	  "'number', models.IntegerField(unique=settings.X))" },
	  "opaque>opaque!", "'unique' of field shop.order.number cannot be read" },
	{ "one of a new field", { "migrations.AddField('order', 'z', "
	  "models.IntegerField(null=settings.X))" }, "opaque>opaque!",
	  "'null' of field" },
	{ "a length that cannot be read", { "migrations.AlterField('order', "
	  "'state', models.CharField(max_length=settings.X))" },
	  "opaque>opaque!", "the type of column" },
	{ "a collation that takes texts for the same", { "migrations.AlterField("
	  "'order', 'state', models.CharField(max_length=9, "
	  "db_collation='nocase'))" }, "unsafe>unsafe", "and refuse LIKE" },
	{ "one that does not", { "migrations.AlterField('order', 'state', "
	  "models.CharField(max_length=9, db_collation='de-x-icu'))" },
	  "either>safe", NULL },
	{ "a column into a table between", { "migrations.AlterField('order', "
	  "'customer', models.ManyToManyField('shop.Customer'))" },
	  "opaque>opaque!", "Django refuses it" },
	{ "a constraint that Django has not made yet", {
	  "migrations.AddField('order', 'buyer', models.IntegerField(null=True, "
	  "db_index=True)), migrations.RunSQL('DROP INDEX "
	  "shop_order_buyer_dcbc92dd', '')" }, "opaque>opaque!",
	  "is not there yet" },
	{ "options only", { "migrations.AlterModelOptions('order', "
	  "{'ordering': ['number']})" }, "either>safe", NULL },
};

struct run {
	struct arena *a;
	struct migration m[4];
	uint32_t n;
	struct judgement j;
};

static bool
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

static void
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

static void
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

int
main(void)
{
	for (size_t i = 0; i < countof(cases); i++) {
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

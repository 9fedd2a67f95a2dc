/* Operations of Django, one migration or more in a row. */
#include "ends.h"

static const struct end cases[] = {
	{ "AddField, after a type that cannot be known", {
	  "migrations.AlterField('order', 'note', tools.Strange())",
	  "migrations.AddField('order', 'src', models.CharField("
	  "max_length=20, default='web'))" }, "opaque>opaque! split>split!",
	  NULL },
	{ "AddField of a class that decides for itself", {
	  "migrations.AddField('order', 'src', Odd(max_length=9, null=True))",
	  "migrations.AddField('order', 'own', Own(max_length=9, null=True))" },
	  "opaque>opaque! safe>safe",
	  "Odd (shop/migrations/0002_next.py:8) decides by its own concrete" },
	{ "CreateModel with one", { "migrations.CreateModel('B', [('id', "
	  "models.AutoField(primary_key=True)), ('b', Odd(max_length=9))])" },
	  "opaque>opaque!", "decides by its own concrete" },
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
	{ "a column that code has left, past what is not read", { "migrations."
	  "SeparateDatabaseAndState(state_operations=[migrations.RemoveField("
	  "'customer', 'email')])", "migrations.SeparateDatabaseAndState(["
	  "migrations.RunSQL('DO $$ $$', '')], [migrations.AddField('customer', "
	  "'x', models.TextField(null=True))])", "migrations.RunSQL('ALTER TABLE "
	  "shop_customer DROP COLUMN email', '')" },
	  "either>safe opaque>opaque! unsafe>unsafe", NULL },
	{ "a constraint without a name in the code", { "migrations.AlterField("
	  "'customer', 'name', models.CharField(max_length=50, unique=True))" },
	  "unsafe>unsafe", "counts on a unique constraint on (name)" },
	{ "a function of the file itself", { "migrations.RunPython(fill, "
	  "migrations.RunPython.noop)" }, "opaque>opaque!",
	  ": it runs the Python function fill: a person" },
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
	  ", " TRIGGER("BEFORE") }, "opaque>opaque!", "code of its own" },
	{ "one that hands back what is not there", { FUNCTION("RETURN OLD")
	  ", " TRIGGER("BEFORE") }, "opaque>opaque!", "code of its own" },
	{ "one that runs another function then", { FUNCTION("RETURN NEW") ", "
	  TRIGGER("BEFORE"), FUNCTION("NEW.email = 1; RETURN NEW") },
	  "either>safe opaque>opaque!", "is made anew" },
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
	  "'customer', 'email')" }, "opaque>opaque! unsafe>unsafe", "code of" },
	{ "and one that goes with it", { FUNCTION("NEW.email = 1; RETURN "
	  "NEW") ", " TRIGGER("BEFORE"), "migrations.RemoveField('customer', "
	  "'email'), migrations.RunSQL('DROP TRIGGER g ON shop_customer', '')" },
	  "opaque>opaque! unsafe>unsafe", "code of its own" },
	{ "or in another transaction", { FUNCTION("NEW.email = 1; RETURN "
	  "NEW") ", " TRIGGER("BEFORE"), "!migrations.RemoveField('customer', "
	  "'email'), migrations.RunSQL('DROP TRIGGER g ON shop_customer', '')" },
	  "opaque>opaque! opaque>opaque!", "made by hand, uses \"email\"" },
	{ "a trigger of pgtrigger", { PGTRIGGER("RETURN NULL;", "AFTER"),
	  "pgtrigger.migrations.RemoveTrigger('customer', 'log'), "
	  "migrations.RemoveField('customer', 'email')" },
	  "opaque>opaque! unsafe>unsafe", "code of its own" },
	{ "one that stays", { PGTRIGGER("RETURN NULL;", "AFTER"),
	  "migrations.RemoveField('customer', 'email')" },
	  "opaque>opaque! opaque>opaque!", "the function \"pgtrigger_log_1a2b3\", "
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
	  "opaque>opaque! opaque>opaque!", "the function \"f\"" },
	{ "a name that becomes another column", { "migrations.RenameField("
	  "'customer', 'email', 'memo'), migrations.AddField('customer', "
	  "'email', models.TextField(null=True))" }, "opaque>opaque!",
	  "is another column after it" },
	{ "a table that gets its name back", { "migrations.RenameModel("
	  "'Customer', 'Old'), migrations.RenameModel('Old', 'Customer')" },
	  "either>safe", NULL },
	{ "a column that gets its name back", { "migrations.RenameField("
	  "'customer', 'email', 'x'), migrations.RenameField('customer', 'x', "
	  "'email')" }, "either>safe", NULL },
	{ "a column that is not there", { "migrations.RunSQL('ALTER TABLE "
	  "shop_order DROP COLUMN nope', '')" }, "opaque>opaque!",
	  "has no column \"nope\"" },
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

int
main(void)
{
	return ends_judged(cases, countof(cases));
}

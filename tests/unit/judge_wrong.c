/* What stops at migrate, and statements of RunSQL that are not what they seem. */
#include "ends.h"

static const struct end cases[] = {
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
	{ "a key with a default for this once", { "migrations.RemoveField('order', "
	  "'id'), migrations.AddField('order', 'key', models.IntegerField("
	  "default=1, primary_key=True), preserve_default=False)" },
	  "split>split!", "builds the unique index of \"shop_order\"" },
	{ "a type from which another column is generated", {
	  "migrations.AddField('order', 'low', models.GeneratedField(expression="
	  "models.functions.Lower('state'), output_field=models.CharField("
	  "max_length=40), db_persist=True))", "# sluice: unsafe because \"sure\""
	  "\n        migrations.AlterField('order', 'state', models.CharField("
	  "max_length=10))" }, "safe>safe safe>safe!", "\"shop_order\".\"low\" is "
	  "generated from \"state\": PostgreSQL does not change its type" },
	{ "a domain that takes no NULL", { "migrations.RunSQL('CREATE DOMAIN d AS "
	  "int NOT NULL; ALTER TABLE shop_order ADD q d', '')" },
	  "opaque>opaque!", "adds \"q\" with a domain that has rules" },
	{ "one of another migration", { "migrations.RunSQL('CREATE DOMAIN d AS int "
	  "CHECK (value > 0)', '')", "migrations.RunSQL('ALTER TABLE shop_order "
	  "ADD q d', '')" }, "either>safe opaque>opaque!", "the domain \"d\", made "
	  "by hand, may refuse what code writes" },
	{ "one that takes all", { "migrations.RunSQL('CREATE DOMAIN d AS int; "
	  "ALTER TABLE shop_order ADD q d', '')" }, "either>safe", NULL },
	{ "a default that may point nowhere", { "migrations.RunSQL('ALTER TABLE "
	  "shop_order ADD q bigint DEFAULT 7; ALTER TABLE shop_order ADD "
	  "CONSTRAINT f FOREIGN KEY (q) REFERENCES shop_customer (id) NOT VALID', "
	  "'')" }, "never>never!", "its default 7 has to be in \"shop_customer\"" },
	{ "what is no SQL", { "# sluice: safe because \"sure\"\n        "
	  "migrations.RunSQL('SELEC 1', '')" }, "opaque>opaque!",
	  "near \"SELEC\": PostgreSQL stops at it" },
	{ "what newer PostgreSQL may take", { "# sluice: safe because \"sure\"\n"
	  "        migrations.RunSQL('ALTER TABLE shop_order ADD x int "
	  "GENERATED ALWAYS AS (1) VIRTUAL', '')" }, "opaque>safe", NULL },
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
};

int
main(void)
{
	return ends_judged(cases, countof(cases));
}

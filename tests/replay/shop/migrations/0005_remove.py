from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_rename")]

    operations = [
        migrations.RemoveIndex("novel", "book_lower"),
        migrations.RemoveConstraint("novel", "book_n_check"),
        migrations.RemoveConstraint("novel", "book_lower_uniq"),
        migrations.RemoveConstraint("novel", "book_a5_uniq"),
        migrations.RemoveField("novel", "a1"),
        migrations.RemoveField("novel", "b4"),
        migrations.RemoveField("novel", "b5"),
        migrations.RemoveField("novel", "b7"),
        migrations.RemoveField("novel", "fans"),
        migrations.RemoveField("novel", "b2"),
        migrations.AlterOrderWithRespectTo("review", None),
        migrations.RemoveField("novel", "lines"),
        migrations.DeleteModel("line"),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL('ALTER TABLE shop_novel ADD COLUMN extra integer', 'ALTER TABLE shop_novel DROP COLUMN extra'),
                migrations.RunSQL('CREATE INDEX extra_ix ON shop_novel (extra)', migrations.RunSQL.noop),
            ],
            state_operations=[migrations.AddField("novel", "extra", models.IntegerField(db_index=True, null=True))],
        ),
        migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),
    ]

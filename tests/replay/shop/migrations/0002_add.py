import datetime
import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
import django.contrib.postgres.fields
from decimal import Decimal
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]

    operations = [
        migrations.AddField("book", "a1", models.IntegerField(null=True)),
        migrations.AddField("book", "a2", models.IntegerField(default=0)),
        migrations.AddField("book", "a3", models.CharField(default="x'y", max_length=10), preserve_default=False),
        migrations.AddField("book", "a4", models.CharField(blank=True, max_length=10)),
        migrations.AddField("book", "a5", models.IntegerField(default=5, null=True)),
        migrations.AddField("book", "a6", models.UUIDField(default=uuid.uuid4)),
        migrations.AddField("book", "a7", models.DateTimeField(auto_now=True)),
        migrations.AddField("book", "a8", models.IntegerField(db_default=0)),
        migrations.AddField("book", "a9", models.IntegerField(db_default=models.Value(7), default=1)),
        migrations.AddField("book", "b1", models.DateTimeField(db_default=Now())),
        migrations.AddField("book", "b3", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="b3", to="people.team")),
        migrations.AddField("book", "b4", models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="b4", to="people.team")),
        migrations.AddField("book", "b5", models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="b5", to="people.code")),
        migrations.AddField("book", "b6", models.IntegerField(null=True, unique=True)),
        migrations.AddField("book", "b7", models.CharField(db_index=True, max_length=10, null=True)),
        migrations.AddField("book", "b8", models.PositiveIntegerField(default=0)),
        migrations.AddField("book", "b2", models.GeneratedField(expression=models.F("b8") + 1, output_field=models.IntegerField(), db_persist=True)),
        migrations.AddField("book", "b9", models.JSONField(default=dict)),
        migrations.AddField("book", "c1", models.BooleanField(default=True)),
        migrations.AddField("book", "c2", models.DecimalField(decimal_places=2, default=Decimal("1.50"), max_digits=6)),
        migrations.AddField("book", "c3", models.DateField(default=datetime.date(2026, 1, 2))),
        migrations.AddField("book", "c4", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
        migrations.AddField("book", "c5", models.SlugField(null=True, unique=True)),
        migrations.AddField("book", "c6", models.TextField(db_index=True, default="")),
        migrations.AddField("book", "c7", models.CharField(db_collation="C", max_length=5, null=True)),
        migrations.AddField("book", "c8", models.BooleanField(default=0)),
        migrations.AddField("book", "c9", models.FloatField(default=1)),
        migrations.AddField("review", "when", models.DateTimeField(default=datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc))),
        migrations.AddField("review", "team", models.ForeignKey(default=1, on_delete=django.db.models.deletion.CASCADE, to="people.team"), preserve_default=False),
        migrations.AlterOrderWithRespectTo("review", "book"),
        migrations.AddIndex("book", models.Index(fields=["n", "-opt"], name="book_n_opt")),
        migrations.AddIndex("book", models.Index(models.functions.Lower("title"), name="book_lower")),
        migrations.AddIndex("book", models.Index(condition=models.Q(n__gt=3), fields=["opt"], include=["n"], name="book_part")),
        migrations.AddConstraint("book", models.CheckConstraint(condition=models.Q(n__gt=0) | models.Q(opt__isnull=True), name="book_n_check")),
        migrations.AddConstraint("book", models.UniqueConstraint(fields=["n", "opt"], name="book_n_uniq")),
        migrations.AddConstraint("book", models.UniqueConstraint(fields=["a2"], condition=models.Q(flag=True), name="book_ix_uniq")),
        migrations.AddConstraint("book", models.UniqueConstraint(models.functions.Lower("u"), name="book_lower_uniq")),
        migrations.AddConstraint("book", models.UniqueConstraint(fields=["pos"], deferrable=models.Deferrable.DEFERRED, name="book_pos_uniq")),
        migrations.AddConstraint("book", models.UniqueConstraint(fields=["a5"], nulls_distinct=False, name="book_a5_uniq")),
        migrations.AlterUniqueTogether("book", {("n", "author")}),
    ]

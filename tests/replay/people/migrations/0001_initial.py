import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Team",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, unique=True)),
                ("slug", models.SlugField()),
                ("motto", models.TextField(blank=True)),
                ("size", models.PositiveSmallIntegerField(default=0)),
            ],
            options={"ordering": ["name"], "verbose_name_plural": "teams"},
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(db_index=True, max_length=100)),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("home", models.URLField(blank=True, null=True)),
                ("photo", models.ImageField(blank=True, upload_to="photos")),
                ("age", models.PositiveIntegerField(null=True)),
                ("rank", models.PositiveBigIntegerField(default=1)),
                ("score", models.FloatField(default=0)),
                ("small", models.SmallIntegerField(default=-1)),
                ("paid", models.DecimalField(decimal_places=2, default=0, max_digits=12)),
                ("active", models.BooleanField(default=True)),
                ("born", models.DateField(null=True)),
                ("wakes", models.TimeField(null=True)),
                ("nap", models.DurationField(null=True)),
                ("joined", models.DateTimeField(auto_now_add=True)),
                ("seen", models.DateTimeField(default=django.utils.timezone.now)),
                ("token", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("blob", models.BinaryField(null=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("extra", models.JSONField(default=dict)),
                ("marks", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), default=list, size=None)),
                ("grid", django.contrib.postgres.fields.ArrayField(base_field=django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=3), null=True, size=2)),
                ("many", models.CharField()),
                ("user", models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ("team", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="members", to="people.team")),
                ("boss", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="people.person")),
                ("friends", models.ManyToManyField(to="people.person")),
                ("fans", models.ManyToManyField(db_table="fan_club", related_name="idols", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "db_table": "person",
                "unique_together": {("name", "email"), },
                "indexes": [
                    models.Index(fields=["name", "-joined"], name="person_name_joined"),
                    models.Index(condition=models.Q(("active", True)), fields=["seen"], name="person_active"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("rank__gte", 1), ("rank__lt", 100)), name="person_rank"),
                    models.UniqueConstraint(fields=("token",), name="person_token"),
                    models.UniqueConstraint(condition=models.Q(("active", True)), fields=("name",), name="person_one_active"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Code",
            fields=[
                ("code", models.CharField(max_length=8, primary_key=True, serialize=False)),
                ("number", models.IntegerField(unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="Alias",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="people.code")),
                ("number", models.ForeignKey(db_column="nr", on_delete=django.db.models.deletion.CASCADE, related_name="+", to="people.code", to_field="number")),
                ("loose", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="loose", to="people.code")),
                ("plain", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="plain", to="people.team")),
            ],
        ),
        migrations.CreateModel(
            name="Boss",
            fields=[
                ("person_ptr", models.OneToOneField(auto_created=True, on_delete=django.db.models.deletion.CASCADE, parent_link=True, primary_key=True, serialize=False, to="people.person")),
                ("car", models.CharField(default="none", max_length=20)),
            ],
            bases=("people.person",),
        ),
        migrations.CreateModel(
            name="Veteran",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("people.person",),
        ),
        migrations.CreateModel(
            name="Elsewhere",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={"managed": False, "db_table": "elsewhere"},
        ),
        migrations.CreateModel(
            name="WithQuiteALongNameSoThatItHasToBeCutSomewhereInTheMiddle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("a_field_that_has_a_rather_long_name_as_well", models.SlugField(unique=True)),
                ("another_field_with_a_rather_long_name", models.PositiveIntegerField(db_index=True, default=0)),
                ("a_team_with_a_name_that_is_really_too_long", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="people.team")),
                ("several_codes_with_a_name_that_is_too_long", models.ManyToManyField(to="people.code")),
            ],
        ),
    ]

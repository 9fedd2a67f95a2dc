import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("people", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Book",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=100)),
                ("body", models.TextField()),
                ("n", models.IntegerField()),
                ("opt", models.IntegerField(null=True)),
                ("price", models.DecimalField(decimal_places=2, max_digits=10)),
                ("at", models.DateTimeField()),
                ("nick", models.CharField(max_length=100, null=True)),
                ("u", models.CharField(max_length=30, unique=True)),
                ("ix", models.IntegerField(db_index=True)),
                ("cix", models.CharField(db_index=True, max_length=40)),
                ("pos", models.PositiveIntegerField(default=3)),
                ("flag", models.BooleanField(default=False)),
                ("author", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="people.person")),
            ],
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(blank=True, default="")),
                ("book", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="shop.book")),
            ],
        ),
        migrations.AddField("book", "readers", models.ManyToManyField(to="people.person", related_name="read")),
        migrations.CreateModel(
            name="Line",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("book", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="shop.book")),
                ("team", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="people.team")),
            ],
        ),
        migrations.AddField("book", "lines", models.ManyToManyField(through="shop.Line", to="people.Team")),
        migrations.AlterUniqueTogether("line", {("book", "team")}),
    ]

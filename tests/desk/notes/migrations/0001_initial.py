from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=20, unique=True)),
                ("weight", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=80, db_index=True)),
                ("price", models.DecimalField(max_digits=8, decimal_places=2)),
                ("made", models.DateTimeField(auto_now_add=True)),
                ("state", models.CharField(db_default="new", max_length=9)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=models.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("tags", models.ManyToManyField(to="notes.tag")),
            ],
            options={"unique_together": {("title", "author")}},
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=models.UniqueConstraint(
                fields=["title"],
                condition=models.Q(author__isnull=True),
                name="one_orphan",
            ),
        ),
    ]

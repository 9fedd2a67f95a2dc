from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("notes", "0002_color")]
    operations = [
        AddIndexConcurrently(
            "note", models.Index(fields=["color"], name="by_color")
        ),
    ]

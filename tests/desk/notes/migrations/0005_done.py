from django.conf import settings
from django.db import migrations


def fill(apps, schema_editor):
    print("filling")
    assert settings.SECRET_KEY == "two $words", settings.SECRET_KEY
    apps.get_model("notes", "Tag").objects.get_or_create(name="done")


class Migration(migrations.Migration):
    dependencies = [("notes", "0004_log")]
    operations = [migrations.RunPython(fill)]

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("people", "0003_rename")]

    operations = [
        migrations.RemoveField("person", "friends"),
        migrations.DeleteModel("Alias"),
        migrations.DeleteModel("Veteran"),
    ]

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("people", "0002_change")]

    operations = [
        migrations.RenameModel("Team", "Crew"),
        migrations.RenameModel("Code", "Zip"),
        migrations.RenameField("zip", "number", "digits"),
    ]

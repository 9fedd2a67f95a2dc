import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("shop", "0003_alter")]

    operations = [
        migrations.AlterField("person", "id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        migrations.AlterField("code", "code", models.CharField(max_length=12, primary_key=True, serialize=False)),
        migrations.AlterField("code", "number", models.BigIntegerField(unique=True)),
        migrations.AlterField("person", "team", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="members", to="people.team", default=1)),
    ]

from django.db import migrations


def say(apps, schema_editor):
    """To somebody who may have gone away in the meantime."""
    for _ in range(3):
        print("logged", flush=True)


class Migration(migrations.Migration):
    dependencies = [("notes", "0003_index")]
    operations = [
        migrations.RunSQL(
            "CREATE TABLE IF NOT EXISTS log (id serial PRIMARY KEY); "
            "INSERT INTO log DEFAULT VALUES; SELECT pg_sleep(1.5)",
            "SELECT pg_sleep(0)",
        ),
        migrations.RunPython(say, migrations.RunPython.noop),
    ]

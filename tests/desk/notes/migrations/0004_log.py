from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notes", "0003_index")]
    operations = [
        migrations.RunSQL(
            "CREATE TABLE IF NOT EXISTS log (id serial PRIMARY KEY); "
            "INSERT INTO log DEFAULT VALUES; SELECT pg_sleep(1.5)",
            "SELECT pg_sleep(0)",
        ),
    ]

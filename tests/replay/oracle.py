"""What Django really does: every migration forth, back and forth again, each
statement of the schema editor as one line "app.name fwd|rev SQL"."""
import django

django.setup()

from django.db import connection
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations.executor import MigrationExecutor

log = []
execute = DatabaseSchemaEditor.execute


def noted(self, sql, params=()):
    text = str(sql)
    if params:
        ops = self.connection.ops
        if hasattr(ops, "compose_sql"):
            text = ops.compose_sql(text, params)
        else:                           # before Django 4.2
            with self.connection.cursor() as cursor:
                text = cursor.mogrify(text, params).decode()
    log.append(" ".join(str(text).split()))
    return execute(self, sql, params)


DatabaseSchemaEditor.execute = noted


def main():
    connection.ensure_connection()
    executor = MigrationExecutor(connection)
    executor.recorder.ensure_schema()
    log.clear()
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    state = executor._create_project_state()
    for migration, _ in plan:
        for way in ("fwd", "rev", "again"):
            if way == "rev":
                executor.unapply_migration(state.clone(), migration)
            else:
                after = executor.apply_migration(state.clone(), migration)
            for line in log:
                if way != "again" and "django_migrations" not in line:
                    print(f"{migration.app_label}.{migration.name} {way} {line}")
            log.clear()
        state = after


main()

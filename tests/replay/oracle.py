"""What Django really does: every migration forth, back and forth again, each
statement of the schema editor as one line "app.name fwd|rev SQL"."""
import os
import sys

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
        text = self.connection.ops.compose_sql(text, params)
    log.append(" ".join(str(text).split()))
    return execute(self, sql, params)


DatabaseSchemaEditor.execute = noted


def fresh():
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    return executor


def main():
    connection.ensure_connection()
    executor = fresh()
    executor.recorder.ensure_schema()
    log.clear()
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    for migration, _ in plan:
        key = (migration.app_label, migration.name)
        for way in ("fwd", "rev", "again"):
            executor = fresh()
            state = executor._create_project_state(with_applied_migrations=True)
            if way == "rev":
                # the state before it
                nodes = [n for n in executor.loader.applied_migrations if n != key]
                state = executor.loader.project_state(nodes=(), at_end=True)
                for m, _ in plan:
                    k = (m.app_label, m.name)
                    if k == key:
                        break
                    m.mutate_state(state, preserve=False)
                executor.unapply_migration(state, migration)
            else:
                executor.apply_migration(state, migration)
            for line in log:
                if way != "again" and "django_migrations" not in line:
                    print("%s.%s %s %s" % (*key, way, line))
            log.clear()


main()

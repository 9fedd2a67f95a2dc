"""What migrations lock, read and write anew: prints JSON, an entry an app.

    watch.py watch|apply APP…

Each app's last migration goes forward and back on tables with rows. Looked
at after every statement, before the transaction ends and from its own session:
locks (pg_locks), rewrites and index builds (relfilenode), reads of the whole
table and writes of rows (pg_stat_xact). Only tables that stood there before
count: nobody waits for a new one.
"""

import contextlib
import json
import re
import sys
import threading

import django
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

RELATIONS = r"""
SELECT c.oid::bigint, c.relname, c.relfilenode::bigint, coalesce(i.indrelid, 0)::bigint,
    pg_stat_get_xact_numscans(c.oid), pg_stat_get_xact_tuples_updated(c.oid)
    + pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid)
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE (c.relkind IN ('r', 'p') AND c.relname LIKE %(app)s) OR i.indrelid IN
    (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE %(app)s)"""
LOCKS = """
SELECT relation::bigint, mode FROM pg_locks
WHERE pid = %(pid)s AND locktype = 'relation' AND granted"""
WAITS = "SELECT 1 FROM pg_locks WHERE pid = %(pid)s AND NOT granted"


def ask(raw, text, **values):
    with raw.cursor() as c:
        c.execute(text, values)
        return c.fetchall()


def another():
    raw = connection.get_new_connection(connection.get_connection_params())
    raw.autocommit = True
    return raw


class Watch:
    """The statements of one way of one migration."""

    def __init__(self, app):
        self.like = app + r"\_%"
        self.pid = ask(connection.connection, "SELECT pg_backend_pid()")[0][0]
        self.steps = []
        self.last = self.look()
        # index to table, oid to name, as everybody else knows them
        self.names = {oid: r[0] for oid, r in self.last.items() if not r[2]}
        self.on = {oid: r[2] for oid, r in self.last.items() if r[2]}

    def look(self):
        return {r[0]: r[1:] for r in ask(connection.connection, RELATIONS, app=self.like)}

    def held(self, raw):
        got = {}
        for oid, mode in ask(raw, LOCKS, pid=self.pid):
            if oid in self.on and mode == "AccessExclusiveLock":
                oid = self.on[oid]  # every plan looks at each index
            if oid in self.names:
                got.setdefault(self.names[oid], set()).add(mode)
        return got

    def after(self, text, locks=None):
        now, last = self.look(), self.last
        did = {}
        for oid, name in self.names.items():
            if oid not in now:
                continue
            files = [{r[1] for r in x.values() if r[2] == oid} for x in (last, now)]
            if text.startswith("TRUNCATE"):
                continue  # new files, but empty ones
            was, is_ = last.get(oid), now[oid]
            did[name] = [word for word, yes in (
                ("rewrite", was[1] != is_[1]), ("build", files[1] - files[0]),
                ("scan", is_[3] > was[3]), ("update", is_[4] > was[4])) if yes]
        locks = self.held(connection.connection) if locks is None else locks
        self.steps.append({"sql": text, "did": {k: v for k, v in did.items() if v},
                           "locks": {k: sorted(v) for k, v in locks.items()}})
        self.last = now

    def __call__(self, execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(("SELECT C.", "SELECT\n")):
            return execute(sql, params, many, context)  # Django's own questions
        if connection.in_atomic_block:
            got = execute(sql, params, many, context)
            self.after(sql)
            return got
        if "CONCURRENTLY" in sql:
            return self.concurrently(execute, sql, params, many, context)
        with transaction.atomic():
            got = execute(sql, params, many, context)
            self.after(sql)
        self.last = self.look()
        return got

    def concurrently(self, execute, sql, params, many, context):
        """It waits for somebody who writes to the table: looked at meanwhile."""
        writer, watcher, seen = another(), another(), {}
        end = threading.Event()

        def waiting():
            while not end.wait(0.002):
                if ask(watcher, WAITS, pid=self.pid):
                    seen.update(self.held(watcher))
                    break
            with writer.cursor() as c:
                c.execute("ROLLBACK")

        with writer.cursor() as c:
            c.execute("BEGIN")
            for name in self.names.values():
                c.execute(f'LOCK TABLE "{name}" IN ROW EXCLUSIVE MODE')
        thread = threading.Thread(target=waiting)
        thread.start()
        try:
            got = execute(sql, params, many, context)
        finally:
            end.set()
            thread.join()
            writer.close()
            watcher.close()
        self.after(sql, seen)
        return got


def way(loader, migration, back):
    app = migration.app_label
    before = next(k for k in migration.dependencies if k[0] == app)
    state = loader.project_state(before)
    watch = Watch(app)
    atomic = transaction.atomic() if migration.atomic else contextlib.nullcontext()
    error = None
    try:
        with atomic, connection.execute_wrapper(watch):
            with connection.schema_editor(atomic=migration.atomic) as editor:
                (migration.unapply if back else migration.apply)(state, editor)
    except Exception as e:  # compared with what was said of it
        error = re.sub(r"\s+", " ", str(e))
    return {"error": error, "steps": watch.steps}


def watched(loader, label):
    key = next(k for k in loader.graph.leaf_nodes() if k[0] == label)
    migration = loader.get_migration(*key)
    if key in loader.applied_migrations:
        return {}
    out = {"name": migration.name, "forward": way(loader, migration, False)}
    if out["forward"]["error"]:
        empty(label)
        out["failed"] = out["forward"]["error"]
        out["forward"] = way(loader, migration, False)
    if not out["forward"]["error"]:
        out["reverse"] = way(loader, migration, True)
        if out["reverse"]["error"]:
            empty(label)
            out["reverse"] = way(loader, migration, True)
    return out


def empty(label):
    """Rows that the migration does not take are none of the locks' business."""
    names = [r[1] for r in ask(connection.connection, RELATIONS, app=label + r"\_%") if not r[3]]
    with connection.cursor() as c:
        if names:
            c.execute("TRUNCATE " + ", ".join(f'"{n}"' for n in names) + " CASCADE")


def applied(loader, label):
    """All of an app that is not there yet; what went wrong, if anything.

    Not by `migrate`, which carries the models of all apps along."""
    leaf = next(k for k in loader.graph.leaf_nodes() if k[0] == label)
    recorder = MigrationRecorder(connection)
    for key in loader.graph.forwards_plan(leaf):
        if key in loader.applied_migrations:
            continue
        migration = loader.get_migration(*key)
        try:
            with connection.schema_editor(atomic=migration.atomic) as editor:
                migration.apply(loader.project_state(key, at_end=False), editor)
        except Exception as e:
            return re.sub(r"\s+", " ", str(e))
        recorder.record_applied(*key)
    return None


def main():
    django.setup()
    connection.ensure_connection()
    loader = MigrationLoader(connection)
    deed = {"watch": watched, "apply": applied}[sys.argv[1]]
    for label in sys.argv[2:]:
        print(json.dumps([label, deed(loader, label)]), flush=True)


main()

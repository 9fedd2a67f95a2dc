# Runs one named migration a request, by Django itself, in the release that
# the current folder holds. Requests come on standard input, one JSON object a
# line; answers go the same way to what was standard output when we started.
# What the application prints goes to standard error.
#
#   hello                        versions, applications
#   state    app name            is it applied?
#   apply    app name …          run it; first {"pid": …}, then {"result": …}
#   unapply  app name …          run it backwards
#   repeat   app name …          run what it does to rows once more
#   sources                      the texts of third-party migrations
#
# Python 3.8 and up, Django 3.2 and up.
import json
import os
import sys
import time
import traceback

answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
os.dup2(2, 1)


class Talk:
    """Standard error, which a migration may go on writing to when nobody is
    there any more to read it."""

    def __init__(self, file):
        self.file = file

    def write(self, text):
        try:
            self.file.write(text)
            self.file.flush()
        except (OSError, ValueError):
            pass
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass

    def __getattr__(self, name):
        return getattr(self.file, name)


sys.stdout = sys.stderr = Talk(sys.stderr)

# Whoever migrates holds this lock, so that nothing is ever run twice at once.
MIGRATE_LOCK = 5498170366551187820


class Refused(Exception):
    """What is asked for cannot be, and why."""

    def __init__(self, result, text):
        super().__init__(text)
        self.result = result


def tell(**answer):
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def setup():
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    import django

    django.setup()


def connect():
    from django.db import connection

    if connection.vendor != "postgresql":
        raise Refused(
            "error",
            "the project's database is %s: Sluice knows PostgreSQL only"
            % connection.vendor,
        )
    connection.ensure_connection()
    return connection


def disconnect(connection):
    """No session is left behind idle, and none goes back to a pool with what
    we set in it."""
    try:
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET ALL")
                cursor.execute("SELECT pg_advisory_unlock_all()")
    except Exception:
        pass
    try:
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    except Exception:
        pass


def backend(connection):
    """The session's process id, and whether a pooler stands in between."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    raw = connection.connection
    if hasattr(raw, "get_backend_pid"):
        own = raw.get_backend_pid()
    else:
        own = raw.info.backend_pid
    return pid, own != pid


# --- what there is ---------------------------------------------------------


def inside(path, folder):
    return os.path.commonpath([os.path.realpath(path), folder]) == folder


def is_own(path):
    """Does the file belong to the project, not to what it has installed?"""
    path = os.path.realpath(path)
    parts = path.split(os.sep)
    if "site-packages" in parts or "dist-packages" in parts:
        return False
    return inside(path, os.path.realpath(os.getcwd()))


def applications():
    """(label, module name, folder or None) of each application that has
    migrations."""
    from importlib import import_module

    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    for config in apps.get_app_configs():
        name, _ = MigrationLoader.migrations_module(config.label)
        if name is None:
            continue
        try:
            module = import_module(name)
        except ModuleNotFoundError as e:
            if e.name and (name == e.name or name.startswith(e.name + ".")):
                continue
            raise
        paths = list(getattr(module, "__path__", []))
        if paths:
            yield config.label, name, paths[0]


def hello(_):
    import django
    from django.conf import settings

    connection = connect()
    try:
        _, pooled = backend(connection)
        server = getattr(connection, "pg_version", 0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_database(), current_schema()")
            database, schema = cursor.fetchone()
    finally:
        disconnect(connection)
    tell(
        result="done",
        django=django.get_version(),
        python=".".join(map(str, sys.version_info[:3])),
        vendor=connection.vendor,
        server=server,
        database=database,
        schema=schema,
        pooled=pooled,
        user_model=settings.AUTH_USER_MODEL,
        apps=[
            {"app": label, "module": module, "path": path, "own": is_own(path)}
            for label, module, path in applications()
        ],
    )


def sources(_):
    for label, _, folder in applications():
        if is_own(folder):
            continue
        for file in sorted(os.listdir(folder)):
            if file[:1] in "_~" or not file.endswith(".py"):
                continue
            with open(os.path.join(folder, file), "rb") as f:
                text = f.read().decode("utf-8", "replace")
            tell(app=label, name=file[:-3], text=text)
    tell(result="done")


# --- one migration -----------------------------------------------------------


def executor_new(connection):
    """Everything is read anew: what is applied, and the graph."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    return executor


def find(executor, key):
    loader = executor.loader
    if key in loader.graph.nodes:
        return loader.graph.nodes[key]
    for squash, migration in loader.disk_migrations.items():
        if key in migration.replaces:
            raise Refused(
                "error",
                "%s.%s is replaced by %s.%s" % (key + squash),
            )
    raise Refused("error", "this release has no migration %s.%s" % key)


def names(keys):
    return ", ".join("%s.%s" % key for key in keys)


def check_plan(executor, key, backwards):
    """Django's plan has to be exactly this one migration. (Asking it for one
    that is applied can plan its successors backwards.)"""
    migration = find(executor, key)
    applied = executor.loader.applied_migrations
    if backwards:
        if key not in applied:
            raise Refused("already", "%s.%s is not applied" % key)
        keys = executor.loader.graph.backwards_plan(key)
        plan = [k for k in keys if k in applied]
        also = "needed by it and applied"
    else:
        if key in applied:
            raise Refused("already", "%s.%s is applied" % key)
        steps = executor.migration_plan([key])
        plan = [(m.app_label, m.name) for m, _ in steps]
        if any(b for _, b in steps):
            plan = []
        also = "needed first and not applied"
    if plan != [key]:
        others = [k for k in plan if k != key]
        raise Refused(
            "error",
            "Django would not run %s.%s alone (%s: %s)"
            % (key + (also, names(others) or "nothing")),
        )
    if backwards:
        for operation in migration.operations:
            if not operation.reversible:
                raise Refused(
                    "irreversible",
                    "%s.%s cannot be reversed: %s has no way back"
                    % (key + (operation.describe(),)),
                )
    return migration


def quote(name):
    return '"%s"' % name.replace('"', '""')


def quoted_table(cursor, name):
    """As PostgreSQL knows it, or as Django would write a db_table such as
    'other"."thing'; None where there is no such table."""
    schema, dot, table = name.strip('"').partition('"."')
    texts = [quote(name)] + [quote(schema) + "." + quote(table)] * bool(dot)
    for text in texts:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [text])
        if cursor.fetchone()[0]:
            return text
    return None


def bounds(cursor, request, local):
    """The session's, or only this transaction's, time limits."""
    for name in ("lock_timeout", "statement_timeout"):
        cursor.execute(
            "SELECT set_config(%s, %s, %s)",
            [name, "%dms" % int(request.get(name) or 0), local],
        )


def guard(cursor, request, key, applied):
    """Inside a transaction: the lease is ours and stays so until its end, and
    nobody else has run this in the meantime."""
    if request.get("target"):
        check_lease(cursor, request["target"], int(request["serial"]))
    cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return
    cursor.execute(
        "SELECT count(*) FROM django_migrations WHERE app = %s AND name = %s",
        list(key),
    )
    if (cursor.fetchone()[0] > 0) != applied:
        raise Refused("already", "%s.%s was just run by another" % key)


def check_lease(cursor, target, serial):
    from django.db import DatabaseError

    try:
        row = lease_row(cursor, target)
    except DatabaseError as e:
        if cause(e)[1] != "42501":
            raise
        role = quote(cursor.db.settings_dict.get("USER") or "?")
        raise Refused(
            "error",
            "the role that Django uses may not look at the lease: GRANT USAGE "
            "ON SCHEMA sluice TO %s; GRANT SELECT, UPDATE ON sluice.lease "
            "TO %s" % (role, role),
        )
    if row is None or row[0] != serial:
        raise Refused(
            "lease",
            "the lease on '%s' is no longer ours (ours was number %s, now it "
            "is %s)" % (target, serial, row[0] if row else "nobody's"),
        )


def lease_row(cursor, target):
    cursor.execute("SELECT to_regclass('sluice.lease') IS NOT NULL")
    if not cursor.fetchone()[0]:
        raise Refused(
            "error",
            "the database that Django uses has no ledger: is it the one "
            "that the target names?",
        )
    cursor.execute(
        "SELECT serial FROM sluice.lease WHERE target = %s FOR SHARE",
        [target],
    )
    return cursor.fetchone()


def alone(cursor, how):
    cursor.execute("SELECT %s(%d)" % (how, MIGRATE_LOCK))
    if not cursor.fetchone()[0]:
        raise Refused("busy", "another session is running a migration")


MODES = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE",
    "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE",
)


def lock_tables(cursor, request):
    """All tables in the order of their names, with one budget for all: what
    cannot be had in it is given up before PostgreSQL looks for deadlocks."""
    budget = int(request.get("lock_timeout") or 0)
    until = time.monotonic() + budget / 1000
    entries = {tuple(entry) for entry in request.get("tables") or []}
    for name, mode in sorted(entries):
        if mode not in MODES:
            raise Refused("error", "no such lock mode: %s" % mode)
        table = quoted_table(cursor, name)
        if table is None:
            continue
        if budget:
            left = max(1, int((until - time.monotonic()) * 1000))
            bounds(cursor, dict(request, lock_timeout=left), True)
        cursor.execute("LOCK TABLE %s IN %s MODE" % (table, mode))
    bounds(cursor, request, True)


def apps_after(state):
    """What `migrate` gives to post_migrate: models as they stand now."""
    from django.apps import apps
    from django.db.migrations.state import ModelState

    if hasattr(state, "clear_delayed_apps_cache"):
        state.clear_delayed_apps_cache()
    after = state.apps
    with after.bulk_update():
        keys = []
        for model in after.real_models:
            keys.append((model.app_label, model.name_lower))
            after.unregister_model(*keys[-1])
    after.render_multiple(
        [ModelState.from_model(apps.get_model(*key)) for key in keys]
    )
    return after


class Counted:
    """Counts what a migration without a transaction has changed so far; a
    concurrent build gets all the time that it needs."""

    def __init__(self, connection, request):
        self.connection = connection
        self.request = request
        self.done = 0
        self.inner = False

    def __call__(self, execute, sql, params, many, context):
        text = str(sql).lstrip().upper()
        if self.inner:
            return execute(sql, params, many, context)
        if "CONCURRENTLY" not in text:
            result = execute(sql, params, many, context)
        else:
            self.bounds({})
            try:
                result = execute(sql, params, many, context)
            finally:
                self.bounds(self.request)
        if not text.startswith(("SELECT", "SET ", "SHOW")):
            self.done += 1
        return result

    def bounds(self, request):
        if self.connection.in_atomic_block:
            return
        self.inner = True
        try:
            with self.connection.cursor() as cursor:
                bounds(cursor, request, False)
        finally:
            self.inner = False


def drop_invalid(connection, migration, names):
    """An index that a concurrent build left behind half-done has to go before
    the same build is tried again. Gives what there was to drop."""
    names = list(names)
    for operation in migration.operations:
        if type(operation).__name__ == "AddIndexConcurrently":
            names.append(operation.index.name)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c "
            "JOIN pg_index i ON i.indexrelid = c.oid "
            "WHERE c.relname = ANY (%s) AND NOT i.indisvalid "
            "AND c.relnamespace = current_schema()::regnamespace",
            [names],
        )
        dropped = [name for (name,) in cursor.fetchall()]
        for name in dropped:
            cursor.execute("DROP INDEX CONCURRENTLY IF EXISTS %s" % name)
    return dropped


class Job:
    """One migration, one way."""

    def __init__(self, connection, request, backwards, again=False):
        self.connection = connection
        self.request = request
        self.backwards = backwards
        self.again = again
        self.key = (request["app"], request["name"])
        self.pooled = False
        self.said = []

    def begin(self):
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('application_name', %s, false)",
                ["sluice migration " + ".".join(self.key)],
            )
        pid, self.pooled = backend(self.connection)
        tell(pid=pid)
        self.executor = executor_new(self.connection)
        if self.again:
            return
        self.migration = check_plan(self.executor, self.key, self.backwards)
        self.skip()
        self.plan = [(self.migration, self.backwards)]

    def skip(self):
        """Operations that stand already, or are gone already, change what
        the models are and nothing else."""
        from django.db.migrations.operations import SeparateDatabaseAndState

        operations, at = self.migration.operations, self.request.get("done")
        if at is None:
            return
        if len(operations) != self.request["of"]:
            raise Refused(
                "error",
                "%s.%s stopped halfway, and has %d operations here, not %d: "
                "where to go on cannot be told"
                % (self.key + (len(operations), self.request["of"])),
            )
        over = range(at, len(operations)) if self.backwards else range(at)
        if len(over):
            self.said.append(
                "%d of %d operations stood already"
                % (at, len(operations))
                if not self.backwards
                else "%d of %d operations were reversed already"
                % (len(over), len(operations))
            )
        self.migration.operations = [
            SeparateDatabaseAndState(state_operations=[operation])
            if i in over
            else operation
            for i, operation in enumerate(operations)
        ]

    def applied(self):
        return self.backwards or self.again

    def migrate(self, state):
        if self.again:
            return self.once_more(state)
        return self.executor.migrate([self.key], plan=self.plan, state=state)

    def atomic(self, state):
        """One transaction around it all: Django's own ends before the row in
        django_migrations is written where a migration has deferred SQL."""
        from django.db import transaction

        with transaction.atomic(using=self.connection.alias):
            with self.connection.cursor() as cursor:
                bounds(cursor, self.request, True)
                alone(cursor, "pg_try_advisory_xact_lock")
                guard(cursor, self.request, self.key, self.applied())
                lock_tables(cursor, self.request)
            return self.migrate(state)

    def plain(self, state):
        """Not atomic: the session holds what the transaction would, and the
        lease is looked at once, before the start."""
        from django.db import transaction

        if self.pooled:
            raise Refused(
                "error",
                "%s.%s is not atomic and Django reaches the database through "
                "a pooler: give DATABASES the server's own address" % self.key,
            )
        with self.connection.cursor() as cursor:
            bounds(cursor, self.request, False)
            alone(cursor, "pg_try_advisory_lock")
            with transaction.atomic(using=self.connection.alias):
                guard(cursor, self.request, self.key, self.applied())
        for name in drop_invalid(
            self.connection, self.migration, self.request.get("invalid", [])
        ):
            self.said.append("%s was not whole and was dropped first" % name)
        counted = Counted(self.connection, self.request)
        try:
            with self.connection.execute_wrapper(counted):
                return self.migrate(state)
        except Exception as e:
            if counted.done == 0 or cause(e)[0] not in ("lock", "canceled"):
                raise
            raise Refused(
                "error",
                "%s.%s is not atomic and stopped after %d statements (%s): "
                "what they did stands"
                % (self.key + (counted.done, one_line(e))),
            )

    def repeat(self):
        """Its operations again, on the models that it knows, and no record:
        rows that old code wrote since the first time are what it is for."""
        self.migration = find(self.executor, self.key)
        for operation in self.migration.operations:
            if type(operation).__name__ not in ("RunPython", "RunSQL"):
                raise Refused(
                    "error",
                    "%s.%s cannot be repeated: %s is not about rows alone"
                    % (self.key + (operation.describe(),)),
                )
        loader = self.executor.loader
        state = loader.project_state([self.key], at_end=False)
        way = self.atomic if self.migration.atomic else self.plain
        way(state)

    def once_more(self, state):
        with self.connection.schema_editor(
            atomic=self.migration.atomic
        ) as editor:
            return self.migration.apply(state, editor)

    def run(self):
        from django.core.management.sql import (
            emit_post_migrate_signal,
            emit_pre_migrate_signal,
        )

        alias = self.connection.alias
        said = {"stdout": sys.stderr, "plan": self.plan}
        # The private helper is what `migrate` itself calls.
        state_new = self.executor._create_project_state
        state = state_new(with_applied_migrations=True)
        emit_pre_migrate_signal(0, False, alias, apps=state.apps, **said)
        way = self.atomic if self.migration.atomic else self.plain
        state = way(state.clone())
        try:
            emit_post_migrate_signal(
                0, False, alias, apps=apps_after(state), **said
            )
        except Exception as e:
            traceback.print_exc()
            self.said.append("post_migrate: " + one_line(e))
        return "; ".join(self.said)


def migrate(request, backwards, again=False):
    connection = connect()
    try:
        job = Job(connection, request, backwards, again)
        job.begin()
        tell(result="done", text=job.repeat() if again else job.run())
    finally:
        disconnect(connection)


def repeat(request):
    migrate(request, False, True)


def apply(request):
    migrate(request, False)


def unapply(request):
    migrate(request, True)


def state(request):
    connection = connect()
    try:
        executor = executor_new(connection)
        key = (request["app"], request["name"])
        find(executor, key)
        tell(result="done", applied=key in executor.loader.applied_migrations)
    finally:
        disconnect(connection)


# --- the loop ---------------------------------------------------------------


def one_line(e):
    text = " ".join(str(e).split()) or type(e).__name__
    return "%s: %s" % (type(e).__name__, text)


def cause(e):
    """A kind of result for an exception, and its SQLSTATE. A session that
    broke may have committed or not: that is "lost"."""
    from django.db import InterfaceError, OperationalError
    from django.db.migrations.exceptions import IrreversibleError

    seen = e
    while seen is not None:
        code = getattr(seen, "sqlstate", None) or getattr(seen, "pgcode", None)
        if code in ("55P03", "40P01"):
            return "lock", code
        if code == "57014":
            return "canceled", code
        if code:
            return "error", code
        if isinstance(seen, IrreversibleError):
            return "irreversible", None
        seen = seen.__cause__ or seen.__context__
    if isinstance(e, (InterfaceError, OperationalError)):
        return "lost", None
    return "error", None


def answer(request):
    do = {
        "hello": hello,
        "sources": sources,
        "state": state,
        "apply": apply,
        "unapply": unapply,
        "repeat": repeat,
    }.get(request.get("do"))
    if do is None:
        raise Refused("error", "no such request: %r" % request.get("do"))
    do(request)


def main():
    try:
        setup()
    except BaseException as e:
        traceback.print_exc()
        tell(result="error", text="Django does not start: " + one_line(e))
        return 1
    for line in sys.stdin.buffer:
        try:
            answer(json.loads(line.decode("utf-8")))
        except Refused as e:
            tell(result=e.result, text=str(e))
        except Exception as e:
            result, code = cause(e)
            if result == "error":
                traceback.print_exc()
            tell(result=result, text=one_line(e), sqlstate=code)
    return 0


sys.exit(main())

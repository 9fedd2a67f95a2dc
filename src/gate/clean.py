# Is makemigrations clean on an exported tree? Run by the project's own Python
# as  python -c THIS EXPORT ROOT SETTINGS WORKTREE ANSWER
# with EXPORT the exported tree, ROOT the folder of manage.py in it, WORKTREE
# the developer's own tree ("" where there is none), ANSWER the file to write:
# its first line is a word (clean dirty conflict missing elsewhere failed),
# the rest is for people. Needs no database: only files are compared.
import os
import sys

EXPORT, ROOT, SETTINGS, WORKTREE, ANSWER = sys.argv[1:6]


def answer(word, lines=()):
    with open(ANSWER, "w", encoding="utf-8", errors="replace") as f:
        f.write(word + "\n" + "".join(line + "\n" for line in lines))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def inside(path, folder):
    return bool(folder) and (path + os.sep).startswith(folder.rstrip(os.sep) + os.sep)


def real(path):
    return os.path.realpath(path)


def of_worktree(path):
    """Of the developer's tree, and not of a virtual environment that stands
    in it."""
    return inside(path, WORKTREE) and not any(
        inside(path, real(p)) for p in {sys.prefix, sys.exec_prefix})


def in_project(path):
    """What is linked into the export stands elsewhere, and is its all the
    same; "<frozen …>" stands nowhere."""
    return not path.startswith("<") and inside(os.path.abspath(path), EXPORT)


def mend_path():
    """ROOT first; what names the work tree names the export instead."""
    moved = [ROOT]
    for p in sys.path[1:]:
        r = real(p)
        if of_worktree(r):
            r = os.path.join(EXPORT, os.path.relpath(r, WORKTREE))
            if not os.path.isdir(r):
                continue
            p = os.path.normpath(r)
        if p not in moved:
            moved.append(p)
    sys.path[:] = moved


def stands_in_export(name):
    tail = name.replace(".", os.sep)
    return any(inside(real(p), EXPORT) and (
        os.path.isdir(os.path.join(p, tail)) or os.path.isfile(os.path.join(p, tail + ".py")))
        for p in sys.path)


def place(module):
    """The folder or file that a module came from."""
    path = getattr(module, "__file__", None)
    if path is None:
        path = next(iter(getattr(module, "__path__", [])), "")
    return real(path) if path else ""


def own_apps(apps, loader):
    """Labels of the apps that the export has, and lines about those that were
    imported from somewhere else all the same."""
    own, strange = [], []
    for config in apps.get_app_configs():
        path = real(config.path)
        if not stands_in_export(config.name) and not inside(path, EXPORT):
            if of_worktree(path):
                strange.append("app '%s' is imported from '%s', which is not in the tree that is committed"
                               % (config.label, path))
            continue
        own.append(config.label)
        parts = [config.module, config.models_module]
        name, _ = loader.migrations_module(config.label)
        parts.append(sys.modules.get(name) if name else None)
        for module in parts:
            at = place(module) if module is not None else ""
            if at and not inside(at, EXPORT) and (module is not parts[2] or of_worktree(at)):
                strange.append("'%s' is imported from '%s' and not from the tree that is committed"
                               % (module.__name__, at))
    return own, strange


def detector():
    """The project's or a third-party app's own, as makemigrations would."""
    from django.core.management import get_commands, load_command_class
    from django.core.management.commands import makemigrations
    from django.db.migrations import autodetector
    if makemigrations.MigrationAutodetector is not autodetector.MigrationAutodetector:
        return makemigrations.MigrationAutodetector
    app = get_commands().get("makemigrations", "django.core")
    command = app if not isinstance(app, str) else load_command_class(app, "makemigrations")
    return getattr(command, "autodetector", None) or autodetector.MigrationAutodetector


def describe(operation):
    try:
        return operation.formatted_description()
    except AttributeError:
        return "- " + operation.describe()


def show(app, migrations):
    from django.db.migrations.writer import MigrationWriter
    yield "Migrations for '%s':" % app
    for migration in migrations:
        try:
            path = os.path.relpath(MigrationWriter(migration).path, ROOT)
        except Exception:
            path = migration.name
        yield "  " + path
        for operation in migration.operations:
            yield "    " + describe(operation)


def command(apps):
    """What a person types at the top of the work tree."""
    root = os.path.relpath(ROOT, EXPORT)
    python = sys.executable
    if WORKTREE and inside(python, WORKTREE):
        python = os.path.relpath(python, os.path.join(WORKTREE, root))
    return "%s%s manage.py makemigrations %s" % (
        "" if root == "." else "cd %s && " % root, python, " ".join(apps))


def check():
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.questioner import MigrationQuestioner
    from django.db.migrations.state import ProjectState
    loader = MigrationLoader(None, ignore_no_migrations=True)
    own, strange = own_apps(apps, loader)
    if strange:
        answer("elsewhere", strange)
    conflicts = {a: n for a, n in loader.detect_conflicts().items() if a in own}
    if conflicts:
        answer("conflict", ["app '%s' has several last migrations: %s" % (a, ", ".join(sorted(n)))
                            for a, n in sorted(conflicts.items())])
    changes = detector()(
        loader.project_state(), ProjectState.from_apps(apps), MigrationQuestioner(dry_run=True),
    ).changes(graph=loader.graph, trim_to_apps=set(own))
    changes = {a: m for a, m in changes.items() if a in own}
    if changes:
        lines = [line for a in sorted(changes) for line in show(a, changes[a])]
        answer("dirty", lines + ["run: " + command(sorted(changes)),
                                 "or let models.py say what the migrations say"])
    answer("clean", [" ".join(sorted(own))])


def main():
    global EXPORT, ROOT, WORKTREE
    EXPORT, ROOT = real(EXPORT), real(ROOT)
    WORKTREE = real(WORKTREE) if WORKTREE else ""
    sys.dont_write_bytecode = True
    sys.argv[1:] = ["makemigrations", "--check", "--dry-run"]
    sys.argv[0] = os.path.join(ROOT, "manage.py")
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    mend_path()
    try:
        import django
    except ImportError as e:
        answer("missing", ["'%s' cannot import Django: %s" % (sys.executable, e)])
    try:
        django.setup()
        check()
    except BaseException as e:
        import traceback
        own = [f for f in traceback.extract_tb(e.__traceback__) if in_project(f.filename)]
        at = ["%s:%s" % (os.path.relpath(os.path.abspath(f.filename), EXPORT), f.lineno) for f in own[-1:]]
        if isinstance(e, ModuleNotFoundError) and not own and (SETTINGS + ".").startswith("%s." % e.name):
            answer("failed", ["[project] settings = %s: there is no such module" % SETTINGS])
        if isinstance(e, SyntaxError) and e.filename and inside(real(e.filename), EXPORT):
            at = ["%s:%s" % (os.path.relpath(real(e.filename), EXPORT), e.lineno)]
        answer("failed", ["".join(a + ": " for a in at)
                          + "".join(traceback.format_exception_only(type(e), e)).strip().splitlines()[-1]])


main()

"""Speed and memory of sluice-check, as ratios against references in one run.

    bench.py --build DIR --parse PROGRAM [--python VENV/bin/python] [--runs N]
             [--linters]

The references are tree-sitter alone on the same bytes and, where a Python
with Django is given, `manage.py makemigrations --check` on the same tree.
Cold: nothing is known of any file. Warm: what was read is in the repository's
cache. --linters: other linters too, put into a virtual environment that is
gone afterwards; they want a PostgreSQL (sh tests/with-pg.sh python3 …).
Each figure is the best of N runs: the others were disturbed.
"""

import argparse
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def timed(argv, runs, core=None, stdin=None, ok=(0,), env=None, cwd=None):
    """Best wall seconds and the largest resident set in MiB."""
    if core is not None:
        argv = ["taskset", "-c", str(core)] + argv
    best, most, out = float("inf"), 0, ""
    for _ in range(runs):
        begun = time.perf_counter()
        p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=env, cwd=cwd)
        out, err = p.communicate(stdin)
        best = min(best, time.perf_counter() - begun)
        if p.returncode not in ok:
            raise SystemExit(f"{argv}: exit {p.returncode}: {err.decode()[-500:]}")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return best, most, out


def row(name, seconds, reference, note=""):
    print(f"{name:44} {seconds * 1000:9.1f} ms {seconds / reference:7.2f} x  {note}")


SQL = """
import io, django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
for app, name in sorted(MigrationLoader(connection).disk_migrations):
    call_command("sqlmigrate", app, name)
"""


def linters(tree, parse):
    """django-migration-linter on the project; squawk on its SQL, which it is given for nothing."""
    with tempfile.TemporaryDirectory(prefix="sluice-linters") as venv:
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        got = subprocess.run([f"{venv}/bin/pip", "install", "-q", "django<6", "psycopg[binary]",
                              "django-migration-linter", "squawk-cli"], capture_output=True)
        if got.returncode:
            print("# the other linters do not install here")
            return
        (tree / "lint_settings.py").write_text("from settings import *\nINSTALLED_APPS += ['django_migration_linter']\n")
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "lint_settings", "PYTHONPATH": str(tree)}
        python = f"{venv}/bin/python"
        try:
            lint, _, _ = timed([python, "manage.py", "lintmigrations", "--sql-analyser", "postgresql", "--no-cache",
                                "--quiet", "ok", "ignore", "warning", "error"], 1, env=env, cwd=tree, ok=(0, 1))
            row("manage.py lintmigrations, without its cache", lint, parse)
            again = [python, "manage.py", "lintmigrations", "--sql-analyser", "postgresql",
                     "--quiet", "ok", "ignore", "warning", "error"]
            lint, _, _ = timed(again, 2, env=env, cwd=tree, ok=(0, 1))
            row("manage.py lintmigrations, with it", lint, parse)
            _, _, sql = timed([python, "-c", SQL], 1, env=env, cwd=tree)
            (tree / "all.sql").write_bytes(sql)
            squawk, _, _ = timed([f"{venv}/bin/squawk", "--pg-version", "15", "all.sql"], 1, cwd=tree, ok=(0, 1))
            row("squawk, on the SQL alone", squawk, parse)
        except SystemExit as e:
            print(f"# {e}")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--build", type=pathlib.Path, required=True)
    args.add_argument("--parse", type=pathlib.Path, required=True)
    args.add_argument("--python", help="a Python with Django and psycopg")
    args.add_argument("--runs", type=int, default=5)
    args.add_argument("--migrations", default="1000")
    args.add_argument("--linters", action="store_true")
    o = args.parse_args()
    check = o.build.resolve() / "sluice-check"
    with tempfile.TemporaryDirectory(prefix="sluice-bench") as tmp:
        tree = pathlib.Path(tmp) / "tree"
        subprocess.run([sys.executable, HERE / "tree.py", tree, o.migrations], check=True)
        names = sorted(tree.glob("app*/migrations/*.py"))
        listing = "\n".join(map(str, names)).encode()
        _, _, out = timed([o.parse.resolve()], 1, 0, listing)
        print(f"# {out.decode().strip()} in tree-sitter itself")
        parse, _, _ = timed([o.parse.resolve()], o.runs, 0, listing)
        row("tree-sitter alone, one core (the reference)", parse, parse)
        judge = [check, "--dir", tree, "--format", "json"]
        cold, _, _ = timed(judge, o.runs, 0, ok=(0, 1))
        row("sluice-check --dir, cold, one core", cold, parse, "goal 1.30")
        cold, most, _ = timed(judge, o.runs, ok=(0, 1))
        row("sluice-check --dir, cold, all cores", cold, parse, "goal 0.75")
        print(f"{'memory at most':44} {most:9.1f} MiB          goal 64")
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
               "GIT_AUTHOR_NAME": "bench", "GIT_AUTHOR_EMAIL": "bench@localhost",
               "GIT_COMMITTER_NAME": "bench", "GIT_COMMITTER_EMAIL": "bench@localhost"}
        for argv in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
            subprocess.run(["git", *argv], cwd=tree, env=env, check=True)
        (tree / "app00/migrations/9999_last.py").write_text(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            f"    dependencies = [('app00', '{sorted((tree / 'app00/migrations').glob('0*'))[-1].stem}')]\n"
            "    operations = []\n")
        subprocess.run(["git", "add", "-A"], cwd=tree, env=env, check=True)
        kept = tree / ".git/sluice"
        cold = float("inf")
        for _ in range(o.runs):
            shutil.rmtree(kept, ignore_errors=True)
            once, _, _ = timed([check, "--index"], 1, 0, env=env, cwd=tree, ok=(0, 1))
            cold = min(cold, once)
        row("sluice-check --index, cold, one core", cold, parse)
        warm, _, _ = timed([check, "--index"], o.runs + 1, env=env, cwd=tree, ok=(0, 1))
        row("sluice-check --index, warm", warm, parse, "goal 30 ms")
        size = sum(f.stat().st_size for f in kept.iterdir()) / 1024
        print(f"{'what is kept for it':44} {size:9.1f} KiB")
        if o.python:
            env["DJANGO_SETTINGS_MODULE"] = "settings"
            django, _, _ = timed([o.python, "manage.py", "makemigrations", "--check", "--dry-run"],
                                 2, env=env, cwd=tree, ok=(0, 1))
            row("manage.py makemigrations --check", django, parse)
        if o.linters:
            linters(tree, parse)


main()

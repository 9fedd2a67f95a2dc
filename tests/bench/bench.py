"""Speed and memory of sluice-check, as ratios against references in one run.

    bench.py --build DIR --parse PROGRAM [--python VENV/bin/python] [--runs N]

The references are tree-sitter alone on the same bytes and, where a Python
with Django is given, `manage.py makemigrations --check` on the same tree.
Each figure is the best of N runs: the others were disturbed.
"""

import argparse
import os
import pathlib
import resource
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


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--build", type=pathlib.Path, required=True)
    args.add_argument("--parse", type=pathlib.Path, required=True)
    args.add_argument("--python", help="a Python with Django and psycopg")
    args.add_argument("--runs", type=int, default=5)
    args.add_argument("--migrations", default="1000")
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
        warm, _, _ = timed([check, "--index"], o.runs + 1, env=env, cwd=tree, ok=(0, 1))
        print(f"{'sluice-check --index, warm':44} {warm * 1000:9.1f} ms            goal 30 ms")
        if o.python:
            env["DJANGO_SETTINGS_MODULE"] = "settings"
            django, _, _ = timed([o.python, "manage.py", "makemigrations", "--check", "--dry-run"],
                                 2, env=env, cwd=tree, ok=(0, 1))
            row("manage.py makemigrations --check", django, parse)


main()

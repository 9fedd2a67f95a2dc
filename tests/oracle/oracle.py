"""Holds the verdicts of sluice-check against real Django and PostgreSQL.

    oracle.py [--every N] [--first K] --build DIR     TAP on stdout

Old and new code meet the old and the new schema; a verdict may be more
careful than what was seen (listed as a diagnostic), never safer. It needs
PGHOST and PGPORT of a server where it may create databases.
"""

import argparse
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from cases import cases

HERE = pathlib.Path(__file__).resolve().parent
SETTINGS = '''import os
SECRET_KEY = "x"
INSTALLED_APPS = {apps!r}
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ.get("PGDATABASE", "postgres")}}}}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
'''
RANK = {"ok": 0, "note": 1, "may": 2, "breaks": 3, "opaque": 4}
NEEDED = {"ordinary": 2, "edge": 2, "unasked": 1}


def run(*argv, cwd=None, db="postgres", **kw):
    env = {**os.environ, "PGDATABASE": db, "DJANGO_SETTINGS_MODULE": "settings",
           "PYTHONPATH": str(cwd or ""), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([str(a) for a in argv], cwd=cwd, env=env, check=True,
                          stdout=subprocess.PIPE, encoding="utf-8", **kw).stdout


def sql(text, db="postgres"):
    return run("psql", "-XAtqc", text, db=db)


def tree(root, todo, pick):
    apps = [c[0] for c in todo]
    for c in todo:
        folder = root / c[0]
        (folder / "migrations").mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "migrations/__init__.py").touch()
        (folder / "models.py").write_text(c[pick])
    (root / "settings.py").write_text(SETTINGS.format(apps=apps))
    (root / "manage.py").write_text("# the project's top\n")
    (root / "sluice.ini").write_text("[project]\nsettings = settings\nauto_field = BigAutoField\n")
    return root


def prepare(work, todo):
    apps = [c[0] for c in todo]
    old, new = tree(work / "old", todo, 2), tree(work / "new", todo, 3)
    run(sys.executable, HERE / "make.py", "initial", *apps, cwd=old)
    for app in apps:
        shutil.copytree(old / app / "migrations", new / app / "migrations", dirs_exist_ok=True)
    run(sys.executable, HERE / "make.py", "change", *apps, cwd=new)
    return old, new


def migrate(code, db):
    run(sys.executable, "-m", "django", "migrate", "-v0", cwd=code, db=db)


def corner(seeds, probes, template, name, apps):
    db = f"{template}_{name}"
    sql(f'CREATE DATABASE "{db}" TEMPLATE "{template}"')
    run(sys.executable, HERE / "probe.py", "seed", *apps, cwd=seeds, db=db, stderr=subprocess.DEVNULL)
    out = run(sys.executable, HERE / "probe.py", "probe", *apps, cwd=probes, db=db)
    sql(f'DROP DATABASE "{db}"')
    return {label: {(m, deed): (degree, text) for m, deed, degree, text in deeds}
            for label, deeds in map(json.loads, out.splitlines())}


def seen_only(met, base, app):
    """What failed at this corner and did not on the code's own schema."""
    return {k: v for k, v in met[app].items() if k not in base[app]}


def verdicts(build, new):
    p = subprocess.run([build / "sluice-check", "--dir", new, "--each", "--all", "--format", "json"],
                       stdout=subprocess.PIPE, encoding="utf-8")
    if p.returncode not in (0, 1):
        raise SystemExit(f"Bail out! sluice-check ended with {p.returncode}")
    found = json.loads(p.stdout)
    return {m["app"]: m for m in found["migrations"] if not m["name"].startswith("0001")}


def needed(which, degree):
    # unknown children of a parent: only the other release's rows in A
    if degree == "parent":
        return 1 if which == "a" else 2
    return NEEDED[degree]


def judge(number, case, verdict, seen):
    app, name = case[:2]
    told, wrong, careful = [], False, []
    for which in "ab":
        said = verdict["verdict"][which]
        need = max([needed(which, d) for d, _ in seen[which].values()], default=0)
        if RANK[said] < need:
            wrong = True
            told += [f"{which}: said {said}; {m} {deed}: {text}"
                     for (m, deed), (d, text) in seen[which].items() if needed(which, d) > RANK[said]][:3]
        if RANK[said] >= 2 and need < 2:
            careful.append(f"{which}: said {said}, seen {'note' if need else 'ok'}: "
                           + "; ".join(r.get("text", str(r)) if isinstance(r, dict) else r
                                       for r in verdict["reasons"])[:200])
    print(f"{'not ok' if wrong else 'ok'} {number} - {app} {name}: {verdict['verdict']['forward']}")
    for line in told:
        print(f"#   {line}")
    for line in careful:
        print(f"# careful {name} {line}")
    return wrong, bool(careful)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--build", type=pathlib.Path, required=True)
    args.add_argument("--every", type=int, default=1, help="a sample: every Nth case")
    args.add_argument("--first", type=int, default=0)
    args.add_argument("--keep", help="a folder for the trees, kept")
    o = args.parse_args()
    todo = list(cases())[o.first::o.every]
    apps = [c[0] for c in todo]
    with tempfile.TemporaryDirectory(prefix="sluice-oracle") as tmp:
        work = pathlib.Path(o.keep or tmp)
        old, new = prepare(work, todo)
        stem = f"oracle{os.getpid()}"
        dbs = [f"{stem}_old", f"{stem}_new"]
        try:
            sql(f'CREATE DATABASE "{dbs[0]}"')
            migrate(old, dbs[0])
            sql(f'CREATE DATABASE "{dbs[1]}" TEMPLATE "{dbs[0]}"')
            migrate(new, dbs[1])
            oo = corner(old, old, dbs[0], "oo", apps)
            nn = corner(new, new, dbs[1], "nn", apps)
            a = corner(new, old, dbs[1], "a", apps)
            b = corner(old, new, dbs[0], "b", apps)
        finally:
            for db in dbs:
                sql(f'DROP DATABASE IF EXISTS "{db}"')
        said = verdicts(o.build.resolve(), new)
        same = {app for app in apps if not list((new / app / "migrations").glob("0002*"))}
    count = collections.Counter()
    for number, case in enumerate(todo, 1):
        app = case[0]
        if app in same:
            print(f"ok {number} - {app} {case[1]}: # skip nothing to migrate")
            continue
        if app not in said:
            print(f"not ok {number} - {app} {case[1]}: no verdict")
            count["wrong"] += 1
            continue
        seen = {"a": seen_only(a, oo, app), "b": seen_only(b, nn, app)}
        wrong, careful = judge(number, case, said[app], seen)
        count["wrong"] += wrong
        count["careful"] += careful
    print(f"1..{len(todo)}")
    print(f"# {len(todo)} cases, {count['wrong']} too safe, {count['careful']} more careful")
    return 1 if count["wrong"] else 0


sys.exit(main())

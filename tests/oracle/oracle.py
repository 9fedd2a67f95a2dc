"""Holds what sluice-check says against real Django and PostgreSQL.

    oracle.py [--every N] [--first K] [--only REGEX] [--also REGEX] --build DIR

Prints TAP.

Old and new code meet the old and the new schema, and, where a migration has
no transaction, what stands between its statements. Then each migration goes
forward and back on tables with rows, and what it locks, reads and writes anew
is looked at. A verdict or a lock may be more careful than what was seen (it
is listed with its reason), never safer. It needs PGHOST and PGPORT of a
server where it may create databases.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import django

import locks
from cases import cases

HERE = pathlib.Path(__file__).resolve().parent
SETTINGS = '''import os
SECRET_KEY = "x"
INSTALLED_APPS = {apps!r}
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ.get("PGDATABASE", "postgres"),
    "OPTIONS": {{"options": "-c synchronous_commit=off"}}}}}}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS = ["fields.E002"]
'''
WRITTEN = '''from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("{app}", "{parent}")]
    operations = [
        {ops},
    ]
'''
RANK = {"ok": 0, "note": 1, "may": 2, "breaks": 3, "opaque": 4}
NEEDED = {"ordinary": 2, "edge": 2, "unasked": 1}


def run(*argv, cwd=None, db="postgres", **kw):
    env = {**os.environ, "PGDATABASE": db, "DJANGO_SETTINGS_MODULE": "settings",
           "PYTHONPATH": str(cwd or ""), "PYTHONDONTWRITEBYTECODE": "1",
           "PYTHONWARNINGS": "ignore", "PGOPTIONS": "-c client_min_messages=warning"}
    return subprocess.run([str(a) for a in argv], cwd=cwd, env=env, check=True,
                          stdout=subprocess.PIPE, encoding="utf-8", **kw).stdout


def python(script, *argv, **kw):
    out = run(sys.executable, HERE / script, *argv, **kw)
    return dict(map(json.loads, out.splitlines()))


def sql(text, db="postgres"):
    return run("psql", "-XAtqc", text, db=db)


# ---- the two versions of the code ----

def tree(root, todo, pick):
    for c in todo:
        folder = root / c.app / "migrations"
        folder.mkdir(parents=True)
        (root / c.app / "__init__.py").touch()
        (folder / "__init__.py").touch()
        (root / c.app / "models.py").write_text(getattr(c, pick))
    (root / "settings.py").write_text(SETTINGS.format(apps=[c.app for c in todo]))
    (root / "manage.py").write_text("# the project's top\n")
    (root / "sluice.ini").write_text(
        "[project]\nsettings = settings\nauto_field = django.db.models.BigAutoField\n"
        f"django = {django.VERSION[0]}.{django.VERSION[1]}\n")
    return root


def write(root, case, name, parent, ops):
    (root / case.app / "migrations" / f"{name}.py").write_text(WRITTEN.format(
        atomic=case.atomic, app=case.app, parent=parent, ops=",\n        ".join(ops)))


def prepare(work, todo):
    old, new = tree(work / "old", todo, "old"), tree(work / "new", todo, "new")
    run(sys.executable, HERE / "make.py", "initial", *[c.app for c in todo], cwd=old)
    for c in todo:
        if c.before:
            write(old, c, "0002_before", "0001_initial", [f"migrations.RunSQL({c.before!r})"])
        shutil.copytree(old / c.app / "migrations", new / c.app / "migrations", dirs_exist_ok=True)
        if c.ops:
            write(new, c, "0003_written", "0002_before" if c.before else "0001_initial", c.ops)
    run(sys.executable, HERE / "make.py", "change", *[c.app for c in todo if not c.ops], cwd=new)
    return old, new


def last(root, app):
    return max((root / app / "migrations").glob("0*.py")).stem


# ---- what happens ----

class World:
    """Databases on which code is tried; they are gone afterwards."""

    def __init__(self, old, new, todo):
        self.old, self.new = old, new
        self.apps = [c.app for c in todo]
        self.loose = {c.app for c in todo if not c.atomic}
        stem = f"oracle{os.getpid()}"
        self.dbs = {"old": f"{stem}_old", "new": f"{stem}_new"}

    def create(self, db, template="template1"):
        self.dbs[db] = db
        sql(f'CREATE DATABASE "{db}" TEMPLATE "{template}"')

    def drop(self):
        for db in self.dbs.values():
            sql(f'DROP DATABASE IF EXISTS "{db}"')

    def build(self):
        self.create(self.dbs["old"])
        bad = python("watch.py", "apply", *self.apps, cwd=self.old, db=self.dbs["old"])
        if any(bad.values()):
            raise SystemExit(f"Bail out! {bad}")
        self.create(self.dbs["new"], self.dbs["old"])
        return python("watch.py", "apply", *self.apps, cwd=self.new, db=self.dbs["new"])

    def seeded(self, name, template, code, apps, statements=()):
        db = f"{self.dbs['old']}_{name}"
        self.create(db, self.dbs[template])
        if statements:
            run("psql", "-Xqf", "-", db=db, input="\n;".join(statements), stderr=subprocess.DEVNULL)
        run(sys.executable, HERE / "probe.py", "seed", *apps, cwd=code, db=db, stderr=subprocess.DEVNULL)
        return db

    def corner(self, name, template, seeds, probes, apps=None, statements=()):
        db = self.seeded(name, template, seeds, apps or self.apps, statements)
        got = python("probe.py", "probe", *(apps or self.apps), cwd=probes, db=db)
        return {label: {(m, deed): (degree, text) for m, deed, degree, text in deeds}
                for label, deeds in got.items()}

    def watch(self):
        db = self.seeded("locks", "old", self.old, self.apps)
        run(sys.executable, HERE / "probe.py", "nulls", *self.apps, cwd=self.old, db=db, stderr=subprocess.DEVNULL)
        return python("watch.py", "watch", *self.apps, cwd=self.new, db=db)

    def between(self, watched):
        """Live code between the statements of what has no transaction."""
        seen = {"a": collections.defaultdict(dict), "b": collections.defaultdict(dict)}
        steps = {app: [s["sql"] for s in watched[app]["forward"]["steps"]] for app in self.loose}
        for k in range(1, max(map(len, steps.values()), default=0)):
            apps = sorted(app for app in steps if len(steps[app]) > k)
            if not apps:
                break
            sofar = [s for app in apps for s in steps[app][:k]]
            for which, code, other in (("a", self.old, self.new), ("b", self.new, self.old)):
                met = self.corner(f"half{k}{which}", "old", other, code, apps, sofar)
                for app in apps:
                    for key, value in met[app].items():
                        seen[which][app].setdefault(key, value)
        return seen


def seen_only(met, base, app):
    """What failed at this corner and did not on the code's own schema."""
    return {k: v for k, v in met.get(app, {}).items() if k not in base[app]}


def happens(world):
    failed = world.build()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = {"watched": pool.submit(world.watch)}
        for name, template, seeds, probes in (
                ("oo", "old", world.old, world.old), ("nn", "new", world.new, world.new),
                ("a", "new", world.new, world.old), ("b", "old", world.old, world.new)):
            jobs[name] = pool.submit(world.corner, name, template, seeds, probes)
        got = {name: job.result() for name, job in jobs.items()}
    half = world.between(got["watched"])
    seen = {app: {"a": {**seen_only(half["a"], got["oo"], app), **seen_only(got["a"], got["oo"], app)},
                  "b": {**seen_only(half["b"], got["nn"], app), **seen_only(got["b"], got["nn"], app)}}
            for app in world.apps}
    return seen, got["watched"], failed


# ---- what was said ----

def verdicts(build, old, new):
    p = subprocess.run([build / "sluice-check", "--dir", new, "--each", "--all", "--format", "json"],
                       stdout=subprocess.PIPE, encoding="utf-8")
    if p.returncode not in (0, 1):
        raise SystemExit(f"Bail out! sluice-check ended with {p.returncode}")
    return {m["app"]: m for m in json.loads(p.stdout)["migrations"]
            if not (old / m["app"] / "migrations" / f"{m['name']}.py").exists()}


def needed(which, degree):
    # unknown children of a parent: only the other release's rows in A
    if degree == "parent":
        return 1 if which == "a" else 2
    return NEEDED[degree]


def kind(text):
    return re.sub(r'"[^"]*"(\."[^"]*")*|\(.*?\)', "…", text)


def judge(case, said, seen, careful):
    """What was too safe, in words; what was more careful is added."""
    wrong = []
    for which in "ab":
        degree = said["verdict"][which]
        need = max([needed(which, d) for d, _ in seen[which].values()], default=0)
        wrong += [f"{which}: said {degree}; {m} {deed}: {text}"
                  for (m, deed), (d, text) in seen[which].items() if needed(which, d) > RANK[degree]][:3]
        if RANK[degree] >= 2 and need < 2:
            why = [r["text"] for r in said["reasons"] if r["corner"] == which and r["degree"] == degree]
            why += [r["text"] for r in said["opaque"]]
            careful.append((case, f"{which} {degree}: {kind((why + ['?'])[0])}", "; ".join(why)[:200]))
    return wrong


def hold(case, said, watched, careful):
    wrong = []
    for way, key in (("forward", "hazards"), ("reverse", "reverse_hazards")):
        if way not in watched or watched[way]["error"]:
            continue
        if said["verdict"]["a"] == "opaque" and not case.ops:
            continue
        bad, more = locks.hold(said[key], watched[way])
        wrong += [f"{way}: {line}" for line in bad]
        careful += [(case, f"locks: {what}", f"{way}: {line}") for what, line in more]
    return wrong


class Tap:
    def __init__(self):
        self.n = self.wrong = 0

    def point(self, text, wrong, note=""):
        self.n += 1
        self.wrong += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {self.n} - {text}{note}")
        for line in wrong or []:
            print("#   " + line)


def report(tap, todo, old, new, said, seen, watched, failed):
    careful = []
    for c in todo:
        text = f"{c.app} {c.name}: "
        if last(old, c.app) == last(new, c.app):
            tap.point(text, None, "# skip nothing to migrate")
        elif failed[c.app]:
            tap.point(text + "does not run", [failed[c.app]])
        elif c.app not in said:
            tap.point(text + "no verdict", ["nothing was said"])
        else:
            v = said[c.app]
            tap.point(text + v["verdict"]["forward"], judge(c, v, seen[c.app], careful))
            ways = [w for w in ("forward", "reverse") if w in watched[c.app] and not watched[c.app][w]["error"]]
            tap.point(text + "locks " + " and ".join(ways), hold(c, v, watched[c.app], careful))
    for c, what, why in careful:
        print(f"# careful {c.app} {c.name}: {what}: {why}")
    print(f"1..{tap.n}")
    kinds = collections.Counter(what for _, what, _ in careful)
    for what, n in kinds.most_common():
        print(f"# {n:4} more careful: {what}")
    return len({c.app for c, _, _ in careful})


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--build", type=pathlib.Path, required=True)
    args.add_argument("--every", type=int, default=1, help="a sample: every Nth case")
    args.add_argument("--first", type=int, default=0)
    args.add_argument("--only", help="cases whose name matches")
    args.add_argument("--also", help="besides the sample: cases of these names")
    args.add_argument("--keep", help="a folder for the trees, kept")
    o = args.parse_args()
    found = [c for c in cases() if not o.only or re.search(o.only, c.name)]
    todo = [c for i, c in enumerate(found) if i % o.every == o.first % o.every
            or o.also and re.fullmatch(o.also, c.name)]
    began, tap = time.monotonic(), Tap()
    with tempfile.TemporaryDirectory(prefix="sluice-oracle") as tmp:
        work = pathlib.Path(o.keep or tmp)
        old, new = prepare(work, todo)
        world = World(old, new, todo)
        try:
            seen, watched, failed = happens(world)
        finally:
            world.drop()
        said = verdicts(o.build.resolve(), old, new)
        more = report(tap, todo, old, new, said, seen, watched, failed)
    print(f"# Django {django.get_version()}: {len(todo)} pairs, {tap.wrong} too safe, {more} more careful, "
          f"{time.monotonic() - began:.0f} s")
    return 1 if tap.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

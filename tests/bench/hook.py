"""What the hooks cost: a commit with them and one with --no-verify, turn about.

    hook.py BUILD PYTHON [ROUNDS]

In a repository of 1,000 migrations (tree.py): a commit that touches none; one
of a migration, whose makemigrations verdict is known, and one whose is not.
Prints milliseconds: median and least, and the difference; and what of it was
processor time, which tells more on a machine that is busy with other things.
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
build, python = map(os.path.abspath, sys.argv[1:3])
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 25


def git(*words):
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout


def processor():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def commit(*words):
    start, cpu = time.perf_counter(), processor()
    git("commit", "-q", "-m", "x", *words)
    return (time.perf_counter() - start) * 1000, processor() - cpu


def tell(what, took):
    mid = {k: sorted(t for t, _ in v)[len(v) // 2] for k, v in took.items()}
    least = {k: min(t for t, _ in v) for k, v in took.items()}
    cpu = {k: sum(c for _, c in v) / len(v) for k, v in took.items()}
    print(f"{what}: with hooks {mid['with']:.1f} (least {least['with']:.1f}), "
          f"without {mid['without']:.1f} (least {least['without']:.1f}), "
          f"more {mid['with'] - mid['without']:.1f} (least {least['with'] - least['without']:.1f}) ms; "
          f"of processor time more {cpu['with'] - cpu['without']:.1f} ms")


def turns(what, n, change, undo=False):
    took = {"with": [], "without": []}
    for i in range(n):
        for kind, words in (("with", ()), ("without", ("--no-verify",))):
            change(f"{i}{kind}")
            git("add", "-A")
            took[kind].append(commit(*words))
            if undo:
                git("reset", "-q", "--hard", "HEAD^")
    tell(what, took)


def other(word):
    pathlib.Path("README").write_text(word)


def migration(word):
    last = sorted(pathlib.Path("app00/migrations").glob("0*.py"))[-1]
    number = int(last.name[:4]) + 1
    pathlib.Path(f"app00/migrations/{number:04}_bench.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [('app00', '{last.stem}')]\n\n    operations = []\n")


def edited(word):
    migration(word)
    with open("app00/models.py", "a") as f:
        f.write(f"# {word}\n")


with tempfile.TemporaryDirectory() as folder:
    os.environ.update(HOME=folder, GIT_AUTHOR_NAME="b", GIT_AUTHOR_EMAIL="b@example.org",
                      GIT_COMMITTER_NAME="b", GIT_COMMITTER_EMAIL="b@example.org")
    top = os.path.join(folder, "tree")
    subprocess.run([sys.executable, here / "tree.py", top, "1000", "30"], check=True)
    os.chdir(top)
    with open("sluice.ini", "a") as f:
        f.write(f"python = {python}\n")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    commit()
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    subprocess.run([os.path.join(build, "sluice-install")], check=True, capture_output=True)
    turns("nothing to judge", rounds, other)
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    migration("first")
    git("add", "-A")
    commit()
    git("reset", "-q", "--hard", "HEAD^")
    turns("a migration, makemigrations known", max(rounds // 4, 3), migration, True)
    turns("a migration, makemigrations asked", max(rounds // 8, 2), edited, True)

"""Pastes the fixes that sluice-check prints and runs them.

For each case: the models as they are to be, the operations that a person
wrote, the fix to take and the hazard that must be gone. What was pasted is
judged again, migrated over a table with rows, and must leave makemigrations
with nothing to do.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

HEAD = """import uuid
import django.db.models.deletion
from django.db import migrations, models
"""
BASE = HEAD + """

class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Person", [
            ("id", models.BigAutoField(auto_created=True, primary_key=True,
                serialize=False, verbose_name="ID")),
        ]),
        migrations.CreateModel("Order", [
            ("id", models.BigAutoField(auto_created=True, primary_key=True,
                serialize=False, verbose_name="ID")),
            ("number", models.IntegerField()),
            ("state", models.CharField(max_length=9, null=True)),
            ("person", models.ForeignKey("shop.Person", models.CASCADE)),
        ]),
    ]
"""
FIELDS = {
    "number": "models.IntegerField()",
    "state": "models.CharField(max_length=9, null=True)",
    "person": 'models.ForeignKey("shop.Person", models.CASCADE)',
}
INDEX = 'models.Index(fields=["number"], name="num")'
CHECK = 'models.CheckConstraint(condition=models.Q(number__gte=0), name="pos")'
UNIQUE = 'models.UniqueConstraint(fields=["number"], name="one")'


def alter(name, field):
    return f'migrations.AlterField("order", "{name}", {field})', {name: field}


def add(name, field):
    return f'migrations.AddField("order", "{name}", {field})', {name: field}


# name, (operation, fields that differ), Meta, title of the fix, hazard
CASES = [
    ("an index", (f'migrations.AddIndex("order", {INDEX})', {}),
     f"indexes = [{INDEX}]", "build it while", "index-blocks-writes"),
    ("an index of a field", alter("number", "models.IntegerField(db_index=True)"),
     "", "build it while", "index-blocks-writes"),
    ("an index of a new field", add("tag", "models.CharField(max_length=5, "
     "null=True, db_index=True)"), "", "without its index",
     "index-blocks-writes"),
    ("a check", (f'migrations.AddConstraint("order", {CHECK})', {}),
     f"constraints = [{CHECK}]", "without reading", "scan-locks"),
    ("a check of a field", alter("number", "models.PositiveIntegerField()"),
     "", "without reading", "scan-locks"),
    ("a unique constraint", (f'migrations.AddConstraint("order", {UNIQUE})', {}),
     f"constraints = [{UNIQUE}]", "build the index while", "index-locks"),
    ("a unique field", alter("state", "models.CharField(max_length=9, "
     "null=True, unique=True)"), "", "build the index while", "index-locks"),
    ("a new unique field", add("key", "models.UUIDField(null=True, "
     "unique=True)"), "", "build the index while", "index-locks"),
    ("NOT NULL", alter("state", "models.CharField(max_length=9)"), "",
     "let a CHECK prove it", "scan-locks"),
    ("NOT NULL with a default", alter("state", 'models.CharField(max_length=9, '
     'default="new")'), "", "fill the rows first", None),
    ("a column that is required", ('migrations.AddField("order", "src", '
     'models.CharField(max_length=9, default="web"))', {"src":
     'models.CharField(max_length=9, default="web", db_default="web")'}), "",
     "let the database fill it in", "refused"),
    ("a column that goes", ('migrations.RemoveField("order", "number")',
     {"number": None}), "", "in two releases", "refused"),
    ("a foreign key that goes", ('migrations.RemoveField("order", "person")',
     {"person": None}), "", "in two releases", "refused"),
    ("a foreign key that may be null", alter("person", 'models.ForeignKey('
     '"shop.Person", models.CASCADE, null=True)'), "", "leave the foreign key",
     "fk-revalidates"),
    ("a foreign key where none was enforced", add("other", 'models.ForeignKey('
     '"shop.Person", models.SET_NULL, null=True, related_name="+")'), "",
     "without its index", "index-blocks-writes"),
    ("a column under another name", ('migrations.RenameField("order", "number",'
     ' "no")', {"number": None, "no": 'models.IntegerField(db_column="number")'
     }), "", "keep the column", "refused"),
]


def model(fields, meta):
    lines = [f"{k} = {v}" for k, v in {**FIELDS, **fields}.items() if v]
    body = textwrap.indent("\n".join(lines), "    ")
    return ("import uuid\nfrom django.db import models\n\n\n"
            "class Person(models.Model):\n    pass\n\n\n"
            f"class Order(models.Model):\n{body}\n\n"
            f"    class Meta:\n        {meta or 'pass'}\n")


def write(top, name, text):
    path = top / "shop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def migration(number, operations, atomic=True, head=""):
    before = "0001_initial" if number == 2 else f"{number - 1:04d}_next"
    body = textwrap.indent(operations, "        ")
    return (f"{HEAD}{head}\n\nclass Migration(migrations.Migration):\n"
            + ("" if atomic else "    atomic = False\n")
            + f'    dependencies = [("shop", "{before}")]\n'
            f"    operations = [\n{body}\n    ]\n")


def pasted(code):
    """The migrations that a fix comes to: split at its '# 1' lines."""
    if "class Migration" in code:
        return [HEAD + code]
    head = "".join(re.findall(r"^from .*\n", code, re.M))
    code = re.sub(r"^from .*\n", "", code, flags=re.M)
    parts = re.split(r"^# (\d.*|this release|next release.*)$", code,
                     flags=re.M)
    if len(parts) == 1:
        return [migration(2, code, head=head)]
    return [migration(2 + i, parts[2 + 2 * i], "atomic = False" not in
                      parts[1 + 2 * i], head)
            for i in range((len(parts) - 1) // 2)]


def check(build, top):
    r = subprocess.run([f"{build}/sluice-check", "--dir", str(top), "--format",
                        "json"], capture_output=True, text=True)
    return json.loads(r.stdout)["migrations"]


def has(migrations, hazard):
    if hazard == "refused":
        return any(m["refused"] for m in migrations)
    return any(h["code"] == hazard for m in migrations for h in m["hazards"])


RUN = """
import os, sys, django
from django.conf import settings
settings.configure(INSTALLED_APPS=["shop"], USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"], "HOST": os.environ["PGHOST"],
        "USER": os.environ["PGUSER"]}})
django.setup()
from django.core.management import call_command
from django.db import connection
def sql(text):
    with connection.cursor() as c:
        c.execute(text)
sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
call_command("migrate", "shop", "0001", verbosity=0)
sql("INSERT INTO shop_person DEFAULT VALUES")
sql("INSERT INTO shop_order (number, state, person_id) "
    "SELECT i, 's' || i, 1 FROM generate_series(1, 9) i")
call_command("migrate", verbosity=0)
call_command("makemigrations", check=True, dry_run=True, verbosity=1)
call_command("migrate", "shop", "0001", verbosity=0)
call_command("migrate", verbosity=0)
"""


def try_case(build, top, case):
    name, (operation, fields), meta, title, hazard = case
    write(top, "__init__.py", "")
    write(top, "models.py", model(fields, meta))
    write(top, "migrations/__init__.py", "")
    write(top, "migrations/0001_initial.py", BASE)
    write(top, "migrations/0002_next.py", migration(2, operation + ","))
    before = check(build, top)
    fixes = [f for m in before for f in m["fixes"] if title in f["title"]]
    if not fixes:
        return f"no fix like '{title}': " + "; ".join(
            f["title"] for m in before for f in m["fixes"])
    if hazard is not None and not has(before, hazard):
        return f"there was no {hazard} to begin with"
    new = pasted(fixes[0]["code"])
    if hazard is None:	# it goes before what was written
        new.append(migration(3, operation + ","))
    for i, text in enumerate(new):
        write(top, f"migrations/{i + 2:04d}_next.py", text)
    after = check(build, top)
    if hazard is not None and has(after, hazard):
        return f"{hazard} is still there:\n" + "\n".join(new)
    r = subprocess.run([sys.executable, "-c", RUN], cwd=top, text=True,
                       capture_output=True)
    if r.returncode != 0:
        return "\n".join(new) + r.stdout + r.stderr[-1500:]
    return None


def main():
    build, bad = sys.argv[1], 0
    for i, case in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as d:
            why = try_case(build, pathlib.Path(d), case)
        print(f"{'ok' if why is None else 'not ok'} {i} - {case[0]}",
              flush=True)
        if why is not None:
            bad += 1
            print(textwrap.indent(why, "# "))
    print(f"1..{len(CASES)}")
    return 1 if bad else 0


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.exit(main())

"""Writes a Django project of many migrations, the same for the same seed.

    tree.py FOLDER [MIGRATIONS [APPS [SEED]]]

Sizes and operations follow what real projects hold: mostly AddField and
AlterField, a few models a migration in the first ones, some RunPython with a
body, an index or a constraint now and then. The models at the end stand in
models.py, so that the tree runs in Django too.
"""

import pathlib
import random
import sys

FIELDS = [
    ("CharField", "max_length={n}"), ("CharField", "max_length={n}, default='x'"),
    ("TextField", "default='', help_text='{words}'"), ("IntegerField", "default={n}"),
    ("BooleanField", "default=False, verbose_name='{words}'"), ("DateTimeField", "null=True, blank=True"),
    ("DecimalField", "max_digits=12, decimal_places=2, default=0"), ("EmailField", "max_length=254, default=''"),
    ("PositiveIntegerField", "default=0"), ("JSONField", "default=dict"), ("SlugField", "null=True"),
    ("CharField", "max_length=20, default='new', choices=[('new', 'New'), ('open', 'Open'), "
                  "('held', 'Held'), ('closed', 'Closed'), ('gone', '{words}')]"),
]
WORDS = "the order of things that a person sees when they look at what was sent".split()
BODY = '''
def fill_{name}(apps, schema_editor):
    {model} = apps.get_model("{app}", "{model}")
    for row in {model}.objects.order_by("pk").iterator():
        if not row.{field}:
            continue
        row.{field} = row.{field}
        row.save(update_fields=["{field}"])


def empty_{name}(apps, schema_editor):
    pass

'''


class App:
    def __init__(self, rnd, name):
        self.rnd, self.name = rnd, name
        self.models = {}        # name -> {field: source}
        self.indexes = {}       # model -> [source]
        self.count = 0
        self.serial = 0

    def fresh(self, stem):
        self.serial += 1
        return f"{stem}{self.serial}"

    def field(self):
        cls, args = self.rnd.choice(FIELDS)
        words = " ".join(self.rnd.choices(WORDS, k=self.rnd.randint(2, 9)))
        return f"models.{cls}({args.format(n=self.rnd.randint(10, 250), words=words)})"

    def create(self):
        name = self.fresh("Thing")
        fields = {self.fresh("field"): self.field() for _ in range(self.rnd.randint(3, 9))}
        if self.models and self.rnd.random() < 0.6:
            to = self.rnd.choice(list(self.models))
            fields[self.fresh("parent")] = (
                f"models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to='{self.name}.{to.lower()}')")
        self.models[name] = fields
        self.indexes[name] = []
        lines = ["migrations.CreateModel(", f"    name='{name}',", "    fields=[",
                 "        ('id', models.BigAutoField(auto_created=True, primary_key=True, "
                 "serialize=False, verbose_name='ID')),"]
        lines += [f"        ('{f}', {v})," for f, v in fields.items()]
        return lines + ["    ],", "    options={", "        'ordering': ['-id'],", "    },", "),"]

    def add(self):
        m = self.rnd.choice(list(self.models))
        f, v = self.fresh("field"), self.field()
        self.models[m][f] = v
        return self.on_field("AddField", m, f, v)

    def alter(self):
        m = self.rnd.choice(list(self.models))
        plain = [f for f, v in self.models[m].items() if "CharField(max_length" in v]
        if not plain:
            return self.add()
        f = self.rnd.choice(plain)
        self.models[m][f] = f"models.CharField(max_length={self.rnd.randint(250, 400)}, default='x')"
        return self.on_field("AlterField", m, f, self.models[m][f])

    def remove(self):
        m = self.rnd.choice(list(self.models))
        if len(self.models[m]) < 4:
            return self.add()
        f = self.rnd.choice([f for f in self.models[m] if f.startswith("field")])
        if any(f in i for i in self.indexes[m]):
            return self.add()
        del self.models[m][f]
        return ["migrations.RemoveField(", f"    model_name='{m.lower()}',", f"    name='{f}',", "),"]

    def index(self):
        m = self.rnd.choice(list(self.models))
        f, name = self.rnd.choice(list(self.models[m])), self.fresh(f"{self.name}_i")
        source = f"models.Index(fields=['{f}'], name='{name}')"
        self.indexes[m].append(source)
        return ["migrations.AddIndex(", f"    model_name='{m.lower()}',", f"    index={source},", "),"]

    @staticmethod
    def on_field(op, m, f, v):
        return [f"migrations.{op}(", f"    model_name='{m.lower()}',", f"    name='{f}',", f"    field={v},", "),"]

    def migration(self):
        self.count += 1
        body, ops = "", []
        if self.count == 1:
            for _ in range(self.rnd.randint(2, 6)):
                ops += self.create()
            name = "0001_initial"
        else:
            name = f"{self.count:04}_change_{self.rnd.choice(WORDS)}"
            kinds = [self.add] * 9 + [self.alter] * 9 + [self.create] * 2 + [self.remove] * 2 + [self.index] * 2
            for _ in range(self.rnd.choice([1, 1, 1, 1, 2, 2, 3, 6])):
                ops += self.rnd.choice(kinds)()
            if self.rnd.random() < 0.07:
                m = self.rnd.choice(list(self.models))
                f = self.rnd.choice(list(self.models[m]))
                body = BODY.format(name=f, model=m, app=self.name, field=f)
                ops += [f"migrations.RunPython(fill_{f}, empty_{f}),"]
        return name, body, ops

    def source(self, body, ops, before):
        deps = f"\n        ('{self.name}', '{before}'),\n    " if before else ""
        lines = ["# Generated by Django 5.2 on 2026-01-01 12:00", "", "import django.db.models.deletion",
                 "from django.db import migrations, models", "", body,
                 "class Migration(migrations.Migration):", ""]
        lines += ["    initial = True", ""] if not before else []
        lines += [f"    dependencies = [{deps}]", "", "    operations = ["]
        return "\n".join(lines + ["        " + o for o in ops] + ["    ]", ""])

    def models_py(self):
        out = ["import django.db.models.deletion", "from django.db import models", ""]
        for m, fields in self.models.items():
            out += ["", f"class {m}(models.Model):"] + [f"    {f} = {v}" for f, v in fields.items()]
            out += ["", "    class Meta:", "        ordering = ['-id']",
                    f"        indexes = [{', '.join(self.indexes[m])}]", ""]
        return "\n".join(out)


def main():
    root = pathlib.Path(sys.argv[1])
    count, napps, seed = [int(a) for a in sys.argv[2:] + ["1000", "30", "1"][len(sys.argv) - 2:]]
    rnd = random.Random(seed)
    apps = [App(rnd, f"app{i:02}") for i in range(napps)]
    for app in apps:
        (root / app.name / "migrations").mkdir(parents=True)
        (root / app.name / "__init__.py").touch()
        (root / app.name / "migrations/__init__.py").touch()
    last = {}
    for i in range(count):
        app = apps[i % napps]
        name, body, ops = app.migration()
        text = app.source(body, ops, last.get(app.name))
        (root / app.name / "migrations" / f"{name}.py").write_text(text)
        last[app.name] = name
    for app in apps:
        (root / app.name / "models.py").write_text(app.models_py())
    names = ["django.contrib.contenttypes"] + [a.name for a in apps]
    (root / "settings.py").write_text(
        "import os\nSECRET_KEY = 'x'\n" f"INSTALLED_APPS = {names!r}\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', "
        "'NAME': os.environ.get('PGDATABASE', 'postgres')}}\n"
        "DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\nUSE_TZ = True\n")
    (root / "manage.py").write_text(
        "import os\nimport sys\n\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n"
        "from django.core.management import execute_from_command_line\n\nexecute_from_command_line(sys.argv)\n")
    (root / "sluice.ini").write_text("[project]\nsettings = settings\nauto_field = django.db.models.BigAutoField\n")


main()

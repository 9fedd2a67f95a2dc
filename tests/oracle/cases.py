"""Pairs of code versions: every operation x field class x variant that matters.

A case is the bodies of two models.py files that share the parent model below.
What migrates the one to the other is asked of Django's own autodetector,
unless the case writes its operations itself (written.py).
"""

import collections

import django

V = django.VERSION[:2]

HEAD = '''import datetime, decimal, uuid
from django.db import models
from django.db.models import F, Q, Value
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex, HashIndex
from django.contrib.postgres.constraints import ExclusionConstraint


def token():
    return uuid.uuid4().hex[:12]


class P(models.Model):
    name = models.CharField(max_length=20, default="p")

'''

# app: where they live; ops: the operations, None: ask; before: SQL that runs
# ahead of them, in a migration that both versions have
Case = collections.namedtuple("Case", "name old new ops atomic before app",
                              defaults=(None, True, None, None))

# name, class and arguments, a Python default, the same for the database
FIELDS = [
    ("char", "models.CharField(max_length=20{})", '"x"'),
    ("text", "models.TextField({})", '"x"'),
    ("int", "models.IntegerField({})", "1"),
    ("bigint", "models.BigIntegerField({})", "1"),
    ("smallint", "models.SmallIntegerField({})", "1"),
    ("posint", "models.PositiveIntegerField({})", "1"),
    ("possmall", "models.PositiveSmallIntegerField({})", "1"),
    ("bool", "models.BooleanField({})", "False"),
    ("date", "models.DateField({})", "datetime.date(2020, 1, 1)"),
    ("time", "models.TimeField({})", "datetime.time(1, 2)"),
    ("duration", "models.DurationField({})", "datetime.timedelta(1)"),
    ("decimal", "models.DecimalField(max_digits=8, decimal_places=2{})", "decimal.Decimal('1.5')"),
    ("float", "models.FloatField({})", "1.5"),
    ("uuid", "models.UUIDField({})", "uuid.uuid4"),
    ("json", "models.JSONField({})", "dict"),
    ("binary", "models.BinaryField({})", 'b"x"'),
    ("slug", "models.SlugField({})", '"x"'),
    ("url", "models.URLField({})", '"http://x.test/"'),
    ("ip", "models.GenericIPAddressField({})", '"127.0.0.1"'),
    ("array", "ArrayField(models.IntegerField(){})", "list"),
    ("fk", 'models.ForeignKey("P", models.CASCADE{})', None),
    ("one", 'models.OneToOneField("P", models.CASCADE{})', None),
]
SHORT = ("char", "int", "bool", "decimal", "fk", "uuid")


def field(template, *words):
    text = ", ".join(w for w in words if w)
    if "({})" in template:
        return template.format(text)
    return template.format(", " + text if text else "")


def model(*lines, meta=(), name="T"):
    body = ['    keep = models.CharField(max_length=20, default="k")']
    body += ["    " + line for line in lines if line]
    if meta:
        body += ["", "    class Meta:"] + ["        " + m for m in meta]
    return f"class {name}(models.Model):\n" + "\n".join(body) + "\n\n"


def field_cases():
    for name, t, dflt in FIELDS:
        def f(*words):
            return "f = " + field(t, *words)

        d = dflt and "default=" + dflt
        yield f"add-{name}-null", model(), model(f("null=True"))
        yield f"remove-{name}-null", model(f("null=True")), model()
        yield f"remove-{name}-notnull", model(f(d)), model()
        yield f"null-to-notnull-{name}", model(f("null=True")), model(f(d))
        yield f"notnull-to-null-{name}", model(f(d)), model(f("null=True", d))
        if dflt:
            yield f"add-{name}-default", model(), model(f(d))
        if name not in ("bool", "json", "one"):
            yield f"add-unique-{name}", model(f("null=True")), model(f("null=True", "unique=True"))
            yield f"drop-unique-{name}", model(f("null=True", "unique=True")), model(f("null=True"))
        yield f"add-index-{name}", model(f("null=True")), model(f("null=True", "db_index=True"))
        if name in SHORT:
            yield f"rename-{name}", model(f("null=True")), model("g" + f("null=True")[1:])
            yield (f"rename-column-kept-{name}", model(f("null=True")),
                   model("g" + f("null=True", f'db_column="{"f_id" if name == "fk" else "f"}"')[1:]))
            yield f"add-{name}-null-unique", model(), model(f("null=True", "unique=True"))
            yield f"add-{name}-null-index", model(), model(f("null=True", "db_index=True"))
            yield f"auto-column-{name}", model(f("null=True")), model(f("null=True", 'db_column="other"'))
        if V >= (5, 0) and dflt and name not in ("uuid", "json", "array", "binary"):
            db = "db_default=" + dflt
            yield f"add-{name}-db_default", model(), model(f(db))
            yield f"remove-{name}-db_default", model(f(db)), model()
            yield f"give-{name}-db_default", model(f(d)), model(f(db))
            yield f"take-{name}-db_default", model(f(db)), model(f(d))


TYPES = {
    "char20": "models.CharField(max_length=20, null=True)",
    "char40": "models.CharField(max_length=40, null=True)",
    "text": "models.TextField(null=True)",
    "small": "models.SmallIntegerField(null=True)",
    "int": "models.IntegerField(null=True)",
    "big": "models.BigIntegerField(null=True)",
    "posint": "models.PositiveIntegerField(null=True)",
    "dec82": "models.DecimalField(max_digits=8, decimal_places=2, null=True)",
    "dec83": "models.DecimalField(max_digits=8, decimal_places=3, null=True)",
    "dec122": "models.DecimalField(max_digits=12, decimal_places=2, null=True)",
    "float": "models.FloatField(null=True)",
    "date": "models.DateField(null=True)",
    "datetime": "models.DateTimeField(null=True)",
    "bool": "models.BooleanField(null=True)",
}
PAIRS = """char20 char40|char40 char20|char20 text|text char20|small int|int small|int big|big int
int posint|posint int|int float|float int|int dec82|dec82 int|dec82 dec122|dec122 dec82|dec82 dec83
dec83 dec82|date datetime|datetime date|int text|bool int""".replace("\n", "|")


def type_cases():
    for pair in PAIRS.split("|"):
        a, b = pair.split()
        yield f"type-{a}-{b}", model("f = " + TYPES[a]), model("f = " + TYPES[b])


def check(q, name):
    word = "condition" if V >= (5, 1) else "check"
    return f'models.CheckConstraint({word}={q}, name="{name}")'


def meta_cases():
    n = "n = models.IntegerField(default=0)"
    m = "m = models.IntegerField(null=True)"
    metas = {
        "check": "constraints = [%s]" % check("Q(n__gte=0)", "{app}_n"),
        "check-null": "constraints = [%s]" % check("Q(m__gte=0)", "{app}_m"),
        "unique": 'constraints = [models.UniqueConstraint(fields=["n", "keep"], name="{app}_u")]',
        "unique-null": 'constraints = [models.UniqueConstraint(fields=["m"], name="{app}_u")]',
        "unique-where": 'constraints = [models.UniqueConstraint(fields=["n"], condition=Q(m__isnull=False), name="{app}_u")]',
        "together": 'unique_together = [("n", "keep")]',
        "index": 'indexes = [models.Index(fields=["n", "-keep"], name="{app}_i")]',
        "index-desc": 'indexes = [models.Index(fields=["-n"], include=["m"], name="{app}_i")]',
        "index-expr": 'indexes = [models.Index(models.functions.Lower("keep"), name="{app}_i")]',
        "index-raises": 'indexes = [models.Index(Value(10) / F("n"), name="{app}_i")]',
        "index-casts": 'indexes = [models.Index(models.functions.Cast("keep", models.IntegerField()), name="{app}_i")]',
        "index-brin": 'indexes = [BrinIndex(fields=["n"], name="{app}_i")]',
        "index-hash": 'indexes = [HashIndex(fields=["n"], name="{app}_i")]',
        "index-like": 'indexes = [models.Index(fields=["keep"], opclasses=["varchar_pattern_ops"], name="{app}_i")]',
        "exclude": 'constraints = [ExclusionConstraint(expressions=[("keep", "=")], index_type="SPGIST", name="{app}_x")]',
        "unique-deferred": 'constraints = [models.UniqueConstraint(fields=["n"], deferrable=models.Deferrable.DEFERRED, name="{app}_u")]',
        "unique-include": 'constraints = [models.UniqueConstraint(fields=["n"], include=["m"], name="{app}_u")]',
        "index-where": 'indexes = [models.Index(fields=["n"], condition=Q(n__gt=0), name="{app}_i")]',
        "verbose": 'verbose_name = "other"',
    }
    if V >= (4, 0):
        metas["unique-expr"] = 'constraints = [models.UniqueConstraint(models.functions.Lower("keep"), name="{app}_u")]'
    if V >= (4, 2):
        metas["comment"] = 'db_table_comment = "what it is for"'
    if V < (5, 1):
        metas["index-together"] = 'index_together = [("n", "keep")]'
    if V >= (5, 0):
        metas["unique-nulls"] = ('constraints = [models.UniqueConstraint(fields=["m"], '
                                 'nulls_distinct=False, name="{app}_u")]')
    for name, text in metas.items():
        yield f"add-meta-{name}", model(n, m), model(n, m, meta=[text])
        yield f"drop-meta-{name}", model(n, m, meta=[text]), model(n, m)
    yield ("widen-check", model(n, meta=["constraints = [%s]" % check("Q(n__in=[0, 1])", "{app}_c")]),
           model(n, meta=["constraints = [%s]" % check("Q(n__in=[0, 1, 2])", "{app}_d")]))
    yield ("check-new-column", model(),
           model(m, meta=["constraints = [%s]" % check("Q(m__gte=0)", "{app}_c")]))
    yield "table", model(n), model(n, meta=['db_table = "{app}_moved"'])
    yield ("order", model('p = models.ForeignKey("P", models.CASCADE, null=True)'),
           model('p = models.ForeignKey("P", models.CASCADE, null=True)', meta=['order_with_respect_to = "p"']))


def model_cases():
    u = model(name="U")
    uf = model('p = models.ForeignKey("P", models.CASCADE)', name="U")
    us = model('p = models.ForeignKey("P", models.SET_NULL, null=True)', name="U")
    un = model('p = models.ForeignKey("P", models.CASCADE, db_constraint=False)', name="U")
    for name, text in (("plain", u), ("fk", uf), ("fk-null", us), ("fk-free", un)):
        yield f"create-{name}", model(), model() + text
        yield f"delete-{name}", model() + text, model()
    yield "rename-model", model(), model(name="R")
    yield "rename-model-table", model(), model(name="R", meta=['db_table = "{app}_t"'])
    many = 'f = models.ManyToManyField("P")'
    yield "add-m2m", model(), model(many)
    yield "remove-m2m", model(many), model()
    yield "fk-to-int", model('f = models.ForeignKey("P", models.CASCADE, null=True)'), model("f_id = models.BigIntegerField(null=True)")
    yield ("fk-free", model('f = models.ForeignKey("P", models.CASCADE, null=True)'),
           model('f = models.ForeignKey("P", models.CASCADE, null=True, db_constraint=False)'))
    yield ("fk-bound", model('f = models.ForeignKey("P", models.CASCADE, null=True, db_constraint=False)'),
           model('f = models.ForeignKey("P", models.CASCADE, null=True)'))
    yield "choices", model('f = models.CharField(max_length=9, default="a")'), model('f = models.CharField(max_length=9, default="a", choices=[("a", "b")])')
    yield "auto_now", model(), model("f = models.DateTimeField(auto_now=True, null=True)")
    yield "null-to-auto_now", model("f = models.DateTimeField(null=True)"), model("f = models.DateTimeField(auto_now=True)")
    yield "unique-callable", model(), model("f = models.CharField(max_length=20, default=token, unique=True, null=True)")
    yield "child", model(), model() + "class C(T):\n    extra = models.IntegerField(default=1)\n\n"
    if V >= (5, 0):
        g = "g = models.GeneratedField(expression=F('n') + 1, output_field=models.IntegerField(), db_persist=True)"
        n = "n = models.IntegerField(default=0)"
        yield "add-generated", model(n), model(n, g)
        yield "remove-generated", model(n, g), model(n)


def key_cases():
    """Primary keys, collations, comments: what drags other tables along."""
    small, big = "id = models.AutoField(primary_key=True)", "id = models.BigAutoField(primary_key=True)"
    child = model('t = models.ForeignKey("T", models.CASCADE, null=True)', name="C")
    many = 'ps = models.ManyToManyField("P")'
    yield "key-bigger", model(small), model(big)
    yield "key-bigger-child", model(small) + child, model(big) + child
    yield "key-bigger-many", model(small, many), model(big, many)
    yield "key-smaller-child", model(big) + child, model(small) + child
    yield "unique-target-type", (model("u = models.CharField(max_length=9, unique=True)") + model(
        't = models.ForeignKey("T", models.CASCADE, null=True, to_field="u")', name="C")), (model(
            "u = models.CharField(max_length=19, unique=True)") + model(
                't = models.ForeignKey("T", models.CASCADE, null=True, to_field="u")', name="C"))
    yield "rename-model-child", model() + child, model(name="R") + child.replace('"T"', '"R"')
    yield "rename-model-many", model(many), model(many, name="R")
    c = "f = models.CharField(max_length=20, null=True%s)"
    yield "collation", model(c % ""), model(c % ', db_collation="C"')
    yield "collation-indexed", model(c % ", db_index=True"), model(c % ', db_index=True, db_collation="C"')
    yield "fk-column-kept", model('f = models.ForeignKey("P", models.CASCADE, null=True)'), model(
        'g = models.ForeignKey("P", models.CASCADE, null=True, db_column="f_id")')
    yield "fk-null-rename", model('f = models.ForeignKey("P", models.CASCADE, null=True)'), model(
        'f = models.ForeignKey("P", models.CASCADE, null=True, db_column="other")')
    yield "fk-unique", model('f = models.ForeignKey("P", models.CASCADE, null=True)'), model(
        'f = models.OneToOneField("P", models.CASCADE, null=True)')
    yield "fk-self", model(), model('f = models.ForeignKey("self", models.CASCADE, null=True)')
    yield "fk-required", model(), model('f = models.ForeignKey("P", models.CASCADE, default=1)')
    yield "widen-checked", (model("f = models.CharField(max_length=9)", meta=["constraints = [%s]" % check('~Q(f="")', "{app}_c")])), (
        model("f = models.CharField(max_length=19)", meta=["constraints = [%s]" % check('~Q(f="")', "{app}_c")]))
    part = 'constraints = [models.UniqueConstraint(fields=["keep"], condition=~Q(f=""), name="{app}_u")]'
    yield ("widen-partial", model("f = models.CharField(max_length=9)", meta=[part]),
           model("f = models.CharField(max_length=19)", meta=[part]))
    if V >= (4, 2):
        yield "comment", model(c % ""), model(c % ', db_comment="what it is for"')


def parent_cases():
    """DELETE of a parent whose children the code does not know."""
    for name in ("PROTECT", "DO_NOTHING", "SET_NULL", "DB_CASCADE", "DB_SET_NULL"):
        if name.startswith("DB_") and V < (6, 1):
            continue
        fk = f'f = models.ForeignKey("P", models.{name}, null=True)'
        yield f"parent-{name.lower()}-add", model(), model(fk)
        yield f"parent-{name.lower()}-gone", model(fk), model()
        yield f"parent-{name.lower()}-table", model() + model(fk, name="U"), model()
    through = 'class L(models.Model):\n    t = models.ForeignKey("T", models.CASCADE)\n    p = models.ForeignKey("P", models.CASCADE)\n\n'
    yield "parent-through", model(), model('ps = models.ManyToManyField("P", through="L")') + through
    yield "parent-through-gone", model('ps = models.ManyToManyField("P", through="L")') + through, model()


def upsert_cases():
    """Code that counts on ON CONFLICT, in a function beside the models; the
    folder that is judged is the new one, so it stands there too."""
    if V < (4, 1):
        return
    n = "n = models.IntegerField(default=0)"
    up = ('def upsert(rows):\n    return Up.objects.bulk_create(rows, update_conflicts=True, '
          'unique_fields=["n"], update_fields=["keep"])\n')
    con = 'constraints = [models.UniqueConstraint(fields=["n"], name="{app}_u")]'
    yield "upsert-unique", model(n, name="Up"), model(n, meta=[con], name="Up") + up
    yield "upsert-unique-gone", model(n, meta=[con], name="Up") + up, model(n, name="Up") + up
    yield "upsert-unique-kept", model(n, meta=[con], name="Up") + up, model(n, "m = models.IntegerField(null=True)", meta=[con], name="Up") + up
    yield "upsert-field", model(n, name="Up"), model("n = models.IntegerField(default=0, unique=True)", name="Up") + up
    yield "upsert-field-gone", model("n = models.IntegerField(default=0, unique=True)", name="Up") + up, model(n, name="Up") + up


def default_cases():
    if V < (5, 0):
        return
    f = "models.functions."
    for name, cls, text in (
            ("now", "models.DateTimeField(%s)", f + "Now()"),
            ("concat", "models.CharField(max_length=20, %s)", f + 'Concat(Value("a"), Value("b"))'),
            ("lower", "models.CharField(max_length=20, %s)", f + 'Lower(Value("ABC"))'),
            ("long", "models.CharField(max_length=3, %s)", f + 'Repeat(Value("ab"), Value(9))'),
            ("sum", "models.IntegerField(%s)", "Value(1) + Value(2)"),
            ("raises", "models.IntegerField(%s)", "Value(1) / Value(0)"),
            ("null", "models.IntegerField(%s)", f + "NullIf(Value(1), Value(1))"),
            ("pi", "models.FloatField(%s)", f + "Pi()"),
            ("random", "models.FloatField(%s)", f + "Random()"),
            ("checked", "models.PositiveIntegerField(%s)", "Value(1) - Value(9)")):
        if name not in ("raises", "long", "null"):  # those do not even run
            yield f"add-db_default-{name}", model(), model("f = " + cls % f"db_default={text}")
        yield (f"give-db_default-{name}", model("f = " + cls % "null=True"), model("f = " + cls % f"null=True, db_default={text}"))
        yield (f"take-db_default-{name}", model("f = " + cls % f"null=True, db_default={text}"), model("f = " + cls % "null=True"))


def cases():
    """All of them, in a fixed order, each with an app of its own."""
    from rarer import rarer
    from written import written
    seen = []
    for source in (field_cases, type_cases, meta_cases, model_cases, key_cases,
                   parent_cases, upsert_cases, default_cases, written, rarer):
        seen += [c if isinstance(c, Case) else Case(*c) for c in source()]
    for i, case in enumerate(seen):
        app = f"c{i:03}"
        yield case._replace(app=app, old=HEAD + case.old.replace("{app}", app),
                            new=HEAD + case.new.replace("{app}", app),
                            before=case.before and case.before.replace("{app}", app),
                            ops=case.ops and [o.replace("{app}", app) for o in case.ops])

"""Pairs of what is rarer: inheritance, keys that others point at, names that
are renamed while something speaks of them, options."""

import django

from cases import check, model

V = django.VERSION[:2]
N = "n = models.IntegerField(default=0)"
M = "m = models.IntegerField(null=True)"
C = "c = models.CharField(max_length=20, default='x')"
X = "x = models.TextField(null=True)"


def plain(text, name, base="T", meta=()):
    """A class without the field that model() adds."""
    body = "".join(f"    {line}\n" for line in text) or "    pass\n"
    if meta:
        body += "\n    class Meta:\n" + "".join(f"        {m}\n" for m in meta)
    return f"class {name}({base}):\n{body}\n\n"


def inherited():
    extra = "extra = models.IntegerField(default=1)"
    null = "more = models.IntegerField(null=True)"
    child = plain([extra], "C")
    yield "child-gone", model() + child, model()
    yield "child-field", model() + child, model() + plain([extra, null], "C")
    yield "child-field-gone", model() + plain([extra, null], "C"), model() + child
    yield "child-parent-field", model() + child, model("f = models.IntegerField(null=True)") + child
    yield "child-parent-gone", model("f = models.IntegerField(null=True)") + child, model() + child
    yield ("child-link", model() + child, model() + plain([
        "t = models.OneToOneField(T, models.CASCADE, parent_link=True, primary_key=True, db_column='t_ptr_id')", extra], "C"))
    yield "child-renamed", model() + child, model() + plain([extra], "D")
    yield "proxy", model(), model() + plain([], "X", meta=["proxy = True", "permissions = [('p', 'P')]"])
    yield "proxy-gone", model() + plain([], "X", meta=["proxy = True"]), model()
    yield ("proxy-rights", model() + plain([], "X", meta=["proxy = True"]),
           model() + plain([], "X", meta=["proxy = True", "permissions = [('p', 'P')]", "default_permissions = ()"]))
    yield ("abstract-field", plain(["a = models.IntegerField(default=1)"], "A", "models.Model", ["abstract = True"]) + plain([N], "T", "A"),
           plain(["a = models.IntegerField(default=1)", "b = models.IntegerField(null=True)"], "A", "models.Model", ["abstract = True"]) + plain([N], "T", "A"))


def keyed():
    """A primary key that others point at becomes another one."""
    child = model('t = models.ForeignKey("T", models.CASCADE, null=True)', name="C")
    one = model('t = models.OneToOneField("T", models.CASCADE, null=True)', name="C")
    uid = "id = models.UUIDField(primary_key=True, default=uuid.uuid4)"
    char = "code = models.CharField(max_length=%d, primary_key=True, default=token)"
    yield "key-char-longer", model(char % 20) + child, model(char % 40) + child
    yield "key-char-shorter", model(char % 40) + child, model(char % 20) + child
    yield "key-char-one", model(char % 20) + one, model(char % 40) + one
    yield "key-char-free", model(char % 20) + child.replace("null=True", "null=True, db_constraint=False"), (
        model(char % 40) + child.replace("null=True", "null=True, db_constraint=False"))
    yield "key-plain", model("id = models.BigAutoField(primary_key=True)") + child, model("id = models.BigIntegerField(primary_key=True)") + child
    yield "key-renamed", model("id = models.BigAutoField(primary_key=True)") + child, model("pk_id = models.BigAutoField(primary_key=True)") + child
    yield ("key-column-kept", model("id = models.BigAutoField(primary_key=True)") + child,
           model("pk_id = models.BigAutoField(primary_key=True, db_column='id')") + child)
    yield "key-uuid-child", model(uid), model(uid) + child
    yield ("unique-target-gone", model("u = models.IntegerField(unique=True)") + model(
        't = models.ForeignKey("T", models.CASCADE, null=True, to_field="u")', name="C"), model("u = models.IntegerField()") + model(
            't = models.ForeignKey("T", models.CASCADE, null=True)', name="C"))


def spoken_of():
    """A field changes its name or type, and an index, a constraint, a
    generated field or another table speaks of it."""
    long, short = C, C.replace("20", "40")
    metas = {
        "index": 'indexes = [models.Index(fields=["%s", "n"], name="{app}_i")]',
        "index-where": 'indexes = [models.Index(fields=["n"], condition=Q(%s="x"), name="{app}_i")]',
        "index-lower": 'indexes = [models.Index(models.functions.Lower("%s"), name="{app}_i")]',
        "unique": 'constraints = [models.UniqueConstraint(fields=["%s", "n"], name="{app}_u")]',
        "unique-where": 'constraints = [models.UniqueConstraint(fields=["n"], condition=Q(%s="z"), name="{app}_u")]',
        "together": 'unique_together = [("%s", "n")]',
        "ordering": 'ordering = ["%s"]',
    }
    for name, meta in metas.items():
        if name == "index-lower" and V < (3, 2):
            continue
        d = C.replace("c =", "d =")
        yield f"rename-in-{name}", model(N, C, meta=[meta % "c"]), model(N, d, meta=[meta % "d"]), rebuilt(meta), True
        yield f"longer-in-{name}", model(N, long, meta=[meta % "c"]), model(N, short, meta=[meta % "c"])
        yield f"text-in-{name}", model(N, long, meta=[meta % "c"]), model(N, "c = models.TextField(default='x')", meta=[meta % "c"])
    ck = "constraints = [%s]"
    yield ("rename-in-check", model(N, meta=[ck % check("Q(n__gte=0)", "{app}_k")]),
           model(N.replace("n =", "k ="), meta=[ck % check("Q(k__gte=0)", "{app}_k")]), [
               'migrations.RemoveConstraint("T", "{app}_k")', 'migrations.RenameField("T", "n", "k")',
               'migrations.AddConstraint("T", %s)' % check("models.Q(k__gte=0)", "{app}_k")], True)
    yield ("bigger-in-check", model(N, meta=[ck % check("Q(n__gte=0)", "{app}_k")]),
           model(N.replace("Integer", "BigInteger"), meta=[ck % check("Q(n__gte=0)", "{app}_k")]))
    if V >= (5, 0):
        g = "g = models.GeneratedField(expression=%s, output_field=models.%s, db_persist=True)"
        up = g % ("models.functions.Upper('c')", "CharField(max_length=%d)" % 40)
        yield "null-in-generated", model(C, up), model(C.replace("default='x'", "null=True"), up)
        yield "default-in-generated", model(C, up), model(C.replace("'x'", "'y'"), up)
        yield "remove-in-generated", model(N, M, g % ("F('n') + 1", "IntegerField()")), model(N, M)


def rebuilt(meta):
    """What the autodetector writes besides RenameField, where an index or a
    constraint names the field."""
    kind = "Index" if meta.startswith("indexes") else "Constraint"
    rename = 'migrations.RenameField("T", "c", "d")'
    if meta.startswith(("unique_together", "ordering")):
        return [rename]
    name = "{app}_" + meta.split("{app}_")[1][0]
    text = (meta[meta.index("[") + 1:-1] % "d").replace("Q(", "models.Q(")
    return [f'migrations.Remove{kind}("T", "{name}")', rename, f'migrations.Add{kind}("T", {text})']


def options():
    many = 'ps = models.ManyToManyField("P")'
    yield "table-many", model(many), model(many, meta=['db_table = "{app}_moved"'])
    yield "table-long", model(many), model(many, meta=['db_table = "{app}_%s"' % ("long_name_" * 5)])
    yield "many-table", model(many), model(many[:-1] + ', db_table="{app}_other")')
    yield "many-to-other", model(many) + model(name="U"), model('ps = models.ManyToManyField("U")') + model(name="U")
    yield "many-self", model(), model('ts = models.ManyToManyField("self")')
    yield "unmanaged", model(N), model(N, meta=["managed = False"])
    yield "managed", model(N, meta=["managed = False"]), model(N)
    yield "choices-more", model(C), model(C[:-1] + ', choices=[("x", "X")])')
    yield "blank", model(C), model(C[:-1] + ", blank=True, help_text='h', verbose_name='v', validators=[])")
    yield "related", model('p = models.ForeignKey("P", models.CASCADE, null=True)'), model(
        'p = models.ForeignKey("P", models.SET_NULL, null=True, related_name="ts", limit_choices_to={"name": "p"})')
    fk = 'p = models.ForeignKey("P", models.CASCADE, null=True)'
    yield "order-gone", model(fk, meta=['order_with_respect_to = "p"']), model(fk)
    yield ("order-other", model(fk, fk.replace("p =", "q =").replace("True", "True, related_name='+'"), meta=['order_with_respect_to = "p"']),
           model(fk, fk.replace("p =", "q =").replace("True", "True, related_name='+'"), meta=['order_with_respect_to = "q"']))
    yield "tablespace", model(N), model(N, meta=['db_tablespace = ""'])
    yield "together-more", model(N, M, meta=['unique_together = [("n", "keep")]']), model(N, M, meta=['unique_together = [("n", "keep", "m")]'])
    yield "together-less", model(N, M, meta=['unique_together = [("n", "keep", "m")]']), model(N, M, meta=['unique_together = [("n", "keep")]'])
    yield ("together-constraint", model(N, meta=['unique_together = [("n", "keep")]']),
           model(N, meta=['constraints = [models.UniqueConstraint(fields=["n", "keep"], name="{app}_u")]']))
    yield "case-table", model(), model() + model(name="Q", meta=['db_table = "{app}_T"'])
    yield "case-column", model(N), model(N, "f = models.IntegerField(null=True, db_column='N')")
    yield "blank-column", model(N), model(N, "f = models.IntegerField(null=True, db_column='a b C')")
    yield "long-column", model(), model("%s = models.IntegerField(null=True, db_index=True)" % ("f" * 60))
    yield "long-many", model(), model('%s = models.ManyToManyField("P")' % ("g" * 58))
    for name, f in (("text", X), ("json", "x = models.JSONField(null=True)"), ("binary", "x = models.BinaryField(null=True)")):
        yield f"index-wide-{name}", model(f), model(f, meta=['indexes = [models.Index(fields=["x"], name="{app}_i")]'])
    yield "unique-wide-text", model(X), model(X, meta=['constraints = [models.UniqueConstraint(fields=["x"], name="{app}_u")]'])
    yield "index-wide-hash", model(X), model(X, meta=['indexes = [HashIndex(fields=["x"], name="{app}_i")]'])
    yield "index-wide-gone", model(X, meta=['indexes = [models.Index(fields=["x"], name="{app}_i")]']), model(X)
    yield "wide-column", model(), model("x = models.TextField(null=True, db_index=True)")
    yield ("exclude-gone", model(N, meta=['constraints = [ExclusionConstraint(expressions=[("keep", "=")], index_type="SPGIST", name="{app}_x")]']), model(N))
    yield ("exclude-where", model(N), model(N, meta=['constraints = [ExclusionConstraint(expressions=[("keep", "=")], '
                                            'index_type="SPGIST", condition=Q(n__gt=0), name="{app}_x")]']))
    if V >= (5, 0):
        u = 'constraints = [models.UniqueConstraint(fields=["m", "n"]%s, name="{app}_u")]'
        yield "nulls-distinct", model(N, M, meta=[u % ""]), model(N, M, meta=[u % ", nulls_distinct=False"])
        yield "nulls-equal", model(N, M, meta=[u % ", nulls_distinct=False"]), model(N, M, meta=[u % ""])
        d = "d = models.IntegerField(db_default=%s)"
        yield "db_default-other", model(d % 1), model(d % 2)


SQL = [
    ("identity-always", "ALTER TABLE {app}_t ALTER n ADD GENERATED ALWAYS AS IDENTITY", "ALTER TABLE {app}_t ALTER n DROP IDENTITY"),
    ("identity-key-always", "ALTER TABLE {app}_t ALTER id DROP IDENTITY, ALTER id ADD GENERATED ALWAYS AS IDENTITY",
     "ALTER TABLE {app}_t ALTER id SET GENERATED BY DEFAULT"),
    ("default-null-check", "ALTER TABLE {app}_t ADD q int DEFAULT -1 CHECK (q > -5)", "ALTER TABLE {app}_t DROP q"),
    ("default-type", "ALTER TABLE {app}_t ADD q text DEFAULT 5", "ALTER TABLE {app}_t DROP q"),
    ("default-point", "ALTER TABLE {app}_t ADD q int DEFAULT 1.5", "ALTER TABLE {app}_t DROP q"),
    ("default-quoted", "ALTER TABLE {app}_t ADD q int DEFAULT ' 12 '", "ALTER TABLE {app}_t DROP q"),
    ("default-later", "ALTER TABLE {app}_t ADD q int; ALTER TABLE {app}_t ALTER q SET DEFAULT (1 / 0)", "ALTER TABLE {app}_t DROP q"),
    ("default-range-later", "ALTER TABLE {app}_t ADD q int; ALTER TABLE {app}_t ALTER q SET DEFAULT 99999999999", "ALTER TABLE {app}_t DROP q"),
    ("default-length-later", "ALTER TABLE {app}_t ADD q varchar(3); ALTER TABLE {app}_t ALTER q SET DEFAULT 'abcdef'", "ALTER TABLE {app}_t DROP q"),
    ("default-enum", "CREATE TYPE {app}_e AS ENUM ('a'); ALTER TABLE {app}_t ADD q {app}_e DEFAULT 'a'", "ALTER TABLE {app}_t DROP q; DROP TYPE {app}_e"),
    ("domain", "CREATE DOMAIN {app}_d AS int CHECK (VALUE > 5); ALTER TABLE {app}_t ALTER n TYPE {app}_d", "ALTER TABLE {app}_t ALTER n TYPE int; DROP DOMAIN {app}_d"),
    ("domain-required", "CREATE DOMAIN {app}_d AS int NOT NULL; ALTER TABLE {app}_t ADD q {app}_d DEFAULT 1; ALTER TABLE {app}_t ALTER q DROP DEFAULT",
     "ALTER TABLE {app}_t DROP q; DROP DOMAIN {app}_d"),
    ("enum-column", "CREATE TYPE {app}_e AS ENUM ('k', 'x'); ALTER TABLE {app}_t ALTER keep DROP DEFAULT, ALTER keep TYPE {app}_e USING 'k'::{app}_e",
     "ALTER TABLE {app}_t ALTER keep TYPE varchar(20); DROP TYPE {app}_e"),
    ("unique-nulls", "CREATE UNIQUE INDEX {app}_u ON {app}_t (m) NULLS NOT DISTINCT", "DROP INDEX {app}_u"),
    ("unique-lower", "CREATE UNIQUE INDEX {app}_u ON {app}_t (lower(keep), n)", "DROP INDEX {app}_u"),
    ("wide-index", "CREATE INDEX {app}_w ON {app}_t (x)", "DROP INDEX {app}_w"),
    ("exclude-where", "ALTER TABLE {app}_t ADD CONSTRAINT {app}_x EXCLUDE USING btree (n WITH =) WHERE (m IS NULL)", "ALTER TABLE {app}_t DROP CONSTRAINT {app}_x"),
    ("fk-cascade", "ALTER TABLE {app}_t ADD q bigint REFERENCES {app}_p (id) ON DELETE CASCADE", "ALTER TABLE {app}_t DROP q"),
    ("fk-set-default", "ALTER TABLE {app}_t ADD q bigint DEFAULT 77 ; ALTER TABLE {app}_t ADD CONSTRAINT {app}_f FOREIGN KEY (q) REFERENCES {app}_p (id) NOT VALID", "ALTER TABLE {app}_t DROP q"),
    ("collate", "ALTER TABLE {app}_t ALTER keep TYPE varchar(20) COLLATE \"C\"", "ALTER TABLE {app}_t ALTER keep TYPE varchar(20)"),
    ("statistics-made", "CREATE STATISTICS {app}_s ON n, m FROM {app}_t", "SELECT 1"),
    ("view-beside", "CREATE VIEW {app}_v AS SELECT id, n FROM {app}_t", "DROP VIEW {app}_v"),
]


def statements():
    m = model(N, M, X)
    for name, forward, back in SQL:
        if name == "identity-key-always" and V < (4, 1):
            continue
        yield f"sql-{name}", m, m, [f"migrations.RunSQL({forward!r}, {back!r})"], True


def rarer():
    for source in (inherited, keyed, spoken_of, options, statements):
        yield from source()

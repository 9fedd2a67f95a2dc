import textwrap
from django.conf import settings
from django.contrib.postgres.operations import *
from django.db import migrations, models as m
from .helpers import SQL as S
T = "tab"
SQL = f'''DROP {T!r:>3} {T}'''
def ops(n, k='x'):
    """doc"""
    if settings.X:
        return [migrations.RemoveField(n, k)]
    return [migrations.DeleteModel("A\x41\u00e9\N{DASH}\101")]
class Op(migrations.RunSQL):
    def database_forwards(self, *a): pass
class Migration(migrations.Migration):
    # sluice: safe for=0123456789abcdef because "x" repeat delay=2h
    initial = True
    atomic = False
    dependencies = [("a", "0001"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel("A", [("id", m.AutoField(primary_key=True)), ("b", m.CharField(max_length=0x10, default=-1_0, null=True))], options={"db_table": "x" * 3, **{"a": 1}}, bases=(m.Model,)),
        migrations.AddConstraint("a", m.CheckConstraint(check=~m.Q(x=1) | m.Q(y__gt=m.F("z") + 1), name="c")),
        migrations.RunSQL([("a %s %%", [1]), textwrap.dedent(" a\n  b")], reverse_sql="{} {x}".format(1, x="%d" % 2)),
        migrations.SeparateDatabaseAndState([Op(SQL)], [migrations.RenameModel("A", "B")]),
        *[migrations.DeleteModel(n) for n in ("a", "b") if n != "a" and not n in [1, 2]],
        migrations.AlterField("a", "b", m.TextField() if settings.Y else m.IntegerField()),
        lambda: 1, migrations.RunPython(ops, migrations.RunPython.noop),
    ] + ops("a", k="y")
    if settings.DEBUG:
        operations += ops(1)
    for i, (j, k) in enumerate([]):
        operations.append(migrations.DeleteModel(str(i)))
    operations.insert(-1, TrigramExtension())

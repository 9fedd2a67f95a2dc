"""What one code version can do on one schema: prints JSON, an entry an app.

Every deed runs in a transaction that is rolled back. An entry is a list of
[model, deed, degree, error]: degree "ordinary" for what every request does,
"edge" for values, duplicates and nulls that only some do, "parent" for the
deletion of a row to which rows unknown to this code refer.
"""

import datetime
import decimal
import json
import sys
import uuid

import django
from django.apps import apps
from django.db import connection, models, transaction


class Undo(Exception):
    pass


def sample(f, i):
    """An ordinary value for a field, different for each i."""
    if f.is_relation:
        return f.related_model.objects.order_by("pk")[i % 2]
    kind = f.get_internal_type()
    if kind == "ArrayField":
        return [i]
    if kind in ("CharField", "SlugField", "TextField"):
        return f"v{i}"
    return {
        "URLField": lambda: f"http://x.test/{i}",
        "BooleanField": lambda: bool(i % 2),
        "DateField": lambda: datetime.date(2021, 1, 1 + i % 28),
        "DateTimeField": lambda: datetime.datetime(2021, 1, 1 + i % 28, tzinfo=datetime.timezone.utc),
        "TimeField": lambda: datetime.time(1, i % 60),
        "DurationField": lambda: datetime.timedelta(i),
        "DecimalField": lambda: decimal.Decimal(i),
        "FloatField": lambda: float(i) + 0.5,
        "UUIDField": uuid.uuid4,
        "JSONField": lambda: {"i": i},
        "BinaryField": lambda: b"b%d" % i,
        "GenericIPAddressField": lambda: f"10.0.0.{i}",
    }.get(kind, lambda: i)()


def edges(f):
    kind = f.get_internal_type()
    if f.null:
        yield "null", None
    if kind in ("CharField", "SlugField", "URLField"):
        yield "longest", "x" * f.max_length
        yield "empty", ""
    if kind == "TextField":
        yield "longest", "x" * 5000
    if kind.endswith("IntegerField"):
        low, high = connection.ops.integer_field_range(kind)
        yield "zero", 0
        yield "lowest", low
        yield "highest", high
    if kind == "DecimalField":
        whole = f.max_digits - f.decimal_places
        yield "fraction", 1 + decimal.Decimal(1).scaleb(-f.decimal_places)
        yield "highest", decimal.Decimal(10) ** whole - decimal.Decimal(1).scaleb(-f.decimal_places)
    if kind == "FloatField":
        yield "highest", 1e300
        yield "fraction", 1.25
    if kind == "DateField":
        yield "day", datetime.date(2021, 1, 2)
    if kind == "DateTimeField":
        yield "second", datetime.datetime(2021, 1, 1, 1, 2, 3, 456789, datetime.timezone.utc)
    if kind == "BooleanField":
        yield "true", True


def writable(m):
    for f in m._meta.concrete_fields:
        made = getattr(f, "generated", False) or f.name == "_order"
        if not f.primary_key and not made:
            yield f


def values(m, i, only_needed=False):
    got = {}
    for f in writable(m):
        if only_needed and (f.null or f.has_default() or has_db_default(f)):
            continue
        if f.is_relation and f.unique:
            # a partner of its own, so that one-to-one stays one
            got[f.name] = f.related_model.objects.create()
        else:
            got[f.name] = sample(f, i)
    return got


def has_db_default(f):
    dflt = getattr(f, "db_default", models.NOT_PROVIDED)
    return dflt is not models.NOT_PROVIDED and dflt is not None


def attempt(out, m, deed, degree, fn):
    try:
        with transaction.atomic():
            fn()
            connection.check_constraints()
            raise Undo
    except Undo:
        pass
    except Exception as e:  # whatever the database answers is the finding
        out.append([m.__name__, deed, degree, str(e).split("\n")[0]])


def touch(m):
    row = m.objects.order_by("pk").first()
    if row is None:
        raise LookupError("no row to update")
    row.save()


def twice(m):
    vals = values(m, 7)
    m.objects.create(**vals)
    again = {f.name: sample(f, 8) if f.unique and not f.is_relation else vals[f.name]
             for f in writable(m) if f.name in vals}
    for f in writable(m):
        if f.is_relation and f.unique:
            again[f.name] = f.related_model.objects.create()
    m.objects.create(**again)


def probe_model(out, m):
    attempt(out, m, "create", "ordinary", lambda: m.objects.create(**values(m, 5)))
    attempt(out, m, "create with defaults", "ordinary",
            lambda: m.objects.create(**values(m, 6, only_needed=True)))
    attempt(out, m, "read", "ordinary", lambda: list(m.objects.all()))
    if m.__name__ == "P":  # the same in all pairs, but for who refers to it
        attempt(out, m, "delete parent", "parent", lambda: m.objects.all().delete())
        return
    attempt(out, m, "update", "ordinary", lambda: touch_own(m))
    attempt(out, m, "delete", "ordinary", lambda: m.objects.create(**values(m, 9)).delete())
    attempt(out, m, "duplicate", "edge", lambda: twice(m))
    for f in writable(m):
        for name, value in edges(f):
            soft = name == "null" and f.has_default()
            def write(f=f, value=value):
                row = m.objects.create(**{**values(m, 4), f.name: value})
                back = m.objects.values_list(f.attname, flat=True).get(pk=row.pk)
                if back != value:
                    raise ValueError(f"{value!r} comes back as {back!r}"[:200])
            attempt(out, m, f"{f.name} {name}", "unasked" if soft else "edge", write)
    for f in m._meta.many_to_many:
        def link(f=f):
            row = m.objects.create(**values(m, 3))
            getattr(row, f.name).add(f.related_model.objects.first())
            list(getattr(row, f.name).all())
        attempt(out, m, f"{f.name} add", "ordinary", link)
    attempt(out, m, "delete parent", "parent", lambda: m.objects.all().delete())
    upsert = getattr(sys.modules[m.__module__], "upsert", None)
    if upsert and m.__name__ == "Up":
        attempt(out, m, "upsert", "ordinary", lambda: upsert([m(**values(m, 11)), m(**values(m, 13))]))


def touch_own(m):
    row = m.objects.create(**values(m, 12))
    row.save()
    touch(m)


def seed(label, nulls=False):
    for m in apps.get_app_config(label).get_models():
        for i in (3,) if nulls else (1, 2):
            try:
                with transaction.atomic():
                    vals = values(m, i)
                    vals.update({f.name: None for f in writable(m) if f.null and nulls})
                    row = m.objects.create(**vals)
                    for f in m._meta.many_to_many:
                        getattr(row, f.name).add(f.related_model.objects.first())
                    connection.check_constraints()
            except Exception as e:  # what cannot be written here is probed there
                print(f"{label}: {e}", file=sys.stderr)


def main():
    django.setup()
    what, labels = sys.argv[1], sys.argv[2:]
    for label in labels:
        if what in ("seed", "nulls"):
            seed(label, what == "nulls")
            continue
        out = []
        for m in apps.get_app_config(label).get_models():
            probe_model(out, m)
        print(json.dumps([label, out]))


main()

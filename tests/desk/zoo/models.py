"""A bit of everything that Django writes to a schema."""
import decimal
import uuid

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, IntegerRangeField
from django.contrib.postgres.indexes import (
    BrinIndex,
    GinIndex,
    GistIndex,
    HashIndex,
)
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now


class Base(models.Model):
    made = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        abstract = True


class Keeper(Base):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE
    )
    boss = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    email = models.EmailField(unique=True)
    nick = models.CharField(max_length=10, db_collation="C")


class Cage(models.Model):
    code = models.CharField(max_length=8, primary_key=True)
    a = models.BigIntegerField(default=3)
    b = models.BinaryField(null=True)
    c = models.BooleanField(default=False, db_default=True)
    d = models.DateField(null=True, unique=True)
    e = models.DecimalField(
        max_digits=5, decimal_places=1, db_default=decimal.Decimal("1.5")
    )
    f = models.DurationField(null=True)
    g = models.FileField()
    h = models.FilePathField()
    i = models.FloatField(db_default=-1.5)
    j = models.GenericIPAddressField(null=True, unique=True)
    k = models.JSONField(default=dict)
    l = models.PositiveBigIntegerField(null=True)
    m = models.PositiveSmallIntegerField(default=1, db_default=1)
    n = models.SlugField()
    o = models.SmallIntegerField(db_default=-7)
    p = models.TextField(db_index=True)
    q = models.TimeField(null=True)
    r = models.URLField(unique=True)
    s = ArrayField(models.CharField(max_length=5), null=True)
    t = IntegerRangeField(null=True)
    u = models.GeneratedField(
        expression=F("a") * 2,
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    v = models.DateTimeField(db_default=Now())
    w = models.CharField(max_length=20, db_default="it's")
    x = ArrayField(ArrayField(models.IntegerField()), default=list)
    y = models.CharField(null=True)
    z = models.UUIDField(null=True, db_index=True)
    odd = models.IntegerField(db_column="Odd Name", null=True)

    class Meta:
        indexes = [
            models.Index(fields=["a", "-o"]),
            models.Index(Lower("w"), name="low_w"),
            GinIndex(fields=["s"], name="gin_s"),
            BrinIndex(fields=["v"], name="brin_v"),
            HashIndex(fields=["w"], name="hash_w"),
            GistIndex(fields=["t"], name="gist_t"),
            models.Index(fields=["n"], include=["a"], name="inc_n"),
            models.Index(
                fields=["w"], opclasses=["varchar_pattern_ops"], name="opc_w"
            ),
            models.Index(
                fields=["a"], condition=Q(c=True, o__gt=3), name="part_a"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(a__gte=0) | Q(o__isnull=True), name="chk_a"
            ),
            models.UniqueConstraint(
                fields=["a", "o"],
                name="uq_ao",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(
                fields=["w"], condition=~Q(w="x"), name="uq_w_part"
            ),
            models.UniqueConstraint(Lower("y"), name="uq_low"),
            models.UniqueConstraint(
                fields=["y"], name="uq_nulls", nulls_distinct=False
            ),
            models.UniqueConstraint(fields=["n"], include=["a"], name="uq_inc"),
            ExclusionConstraint(name="excl", expressions=[("t", "&&")]),
        ]


class Animal(models.Model):
    name = models.CharField(max_length=30)
    cage = models.ForeignKey(
        Cage, on_delete=models.PROTECT, related_name="+"
    )
    loose = models.ForeignKey(
        Cage,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    noidx = models.ForeignKey(
        Cage,
        null=True,
        on_delete=models.DO_NOTHING,
        db_index=False,
        related_name="+",
    )
    keepers = models.ManyToManyField(Keeper)
    via = models.ManyToManyField(Keeper, through="Feeds", related_name="+")

    class Meta:
        unique_together = [("name", "cage")]
        order_with_respect_to = "cage"


class Lion(Animal):
    mane = models.IntegerField()


class Feeds(models.Model):
    pk = models.CompositePrimaryKey("animal", "keeper")
    animal = models.ForeignKey(Animal, on_delete=models.CASCADE)
    keeper = models.ForeignKey(
        Keeper, to_field="email", on_delete=models.CASCADE
    )

    class Meta:
        db_table = "a_very_long_table_name_that_goes_on_until_it_hits_the_limit"

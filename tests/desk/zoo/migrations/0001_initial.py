
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.text
import uuid
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Animal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=30)),
            ],
        ),
        migrations.CreateModel(
            name='Lion',
            fields=[
                ('animal_ptr', models.OneToOneField(auto_created=True, on_delete=django.db.models.deletion.CASCADE, parent_link=True, primary_key=True, serialize=False, to='zoo.animal')),
                ('mane', models.IntegerField()),
            ],
            bases=('zoo.animal',),
        ),
        migrations.CreateModel(
            name='Cage',
            fields=[
                ('code', models.CharField(max_length=8, primary_key=True, serialize=False)),
                ('a', models.BigIntegerField(default=3)),
                ('b', models.BinaryField(null=True)),
                ('c', models.BooleanField(db_default=True, default=False)),
                ('d', models.DateField(null=True, unique=True)),
                ('e', models.DecimalField(db_default=Decimal('1.5'), decimal_places=1, max_digits=5)),
                ('f', models.DurationField(null=True)),
                ('g', models.FileField(upload_to='')),
                ('h', models.FilePathField()),
                ('i', models.FloatField(db_default=-1.5)),
                ('j', models.GenericIPAddressField(null=True, unique=True)),
                ('k', models.JSONField(default=dict)),
                ('l', models.PositiveBigIntegerField(null=True)),
                ('m', models.PositiveSmallIntegerField(db_default=1, default=1)),
                ('n', models.SlugField()),
                ('o', models.SmallIntegerField(db_default=-7)),
                ('p', models.TextField(db_index=True)),
                ('q', models.TimeField(null=True)),
                ('r', models.URLField(unique=True)),
                ('s', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=5), null=True, size=None)),
                ('t', django.contrib.postgres.fields.ranges.IntegerRangeField(null=True)),
                ('u', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(models.F('a'), '*', models.Value(2)), output_field=models.BigIntegerField())),
                ('v', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('w', models.CharField(db_default="it's", max_length=20)),
                ('x', django.contrib.postgres.fields.ArrayField(base_field=django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None), default=list, size=None)),
                ('y', models.CharField(null=True)),
                ('z', models.UUIDField(db_index=True, null=True)),
                ('odd', models.IntegerField(db_column='Odd Name', null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['a', '-o'], name='zoo_cage_a_f1a7eb_idx'), models.Index(django.db.models.functions.text.Lower('w'), name='low_w'), django.contrib.postgres.indexes.GinIndex(fields=['s'], name='gin_s'), django.contrib.postgres.indexes.BrinIndex(fields=['v'], name='brin_v'), django.contrib.postgres.indexes.HashIndex(fields=['w'], name='hash_w'), django.contrib.postgres.indexes.GistIndex(fields=['t'], name='gist_t'), models.Index(fields=['n'], include=('a',), name='inc_n'), models.Index(fields=['w'], name='opc_w', opclasses=['varchar_pattern_ops']), models.Index(condition=models.Q(('c', True), ('o__gt', 3)), fields=['a'], name='part_a')],
                'constraints': [models.CheckConstraint(condition=models.Q(('a__gte', 0), ('o__isnull', True), _connector='OR'), name='chk_a'), models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('a', 'o'), name='uq_ao'), models.UniqueConstraint(condition=models.Q(('w', 'x'), _negated=True), fields=('w',), name='uq_w_part'), models.UniqueConstraint(django.db.models.functions.text.Lower('y'), name='uq_low'), models.UniqueConstraint(fields=('y',), name='uq_nulls', nulls_distinct=False), models.UniqueConstraint(fields=('n',), include=('a',), name='uq_inc'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('t', '&&')], name='excl')],
            },
        ),
        migrations.AddField(
            model_name='animal',
            name='cage',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='zoo.cage'),
        ),
        migrations.AddField(
            model_name='animal',
            name='loose',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='zoo.cage'),
        ),
        migrations.AddField(
            model_name='animal',
            name='noidx',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='zoo.cage'),
        ),
        migrations.CreateModel(
            name='Keeper',
            fields=[
                ('made', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('email', models.EmailField(max_length=254, unique=True)),
                ('nick', models.CharField(db_collation='C', max_length=10)),
                ('boss', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='zoo.keeper')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Feeds',
            fields=[
                ('pk', models.CompositePrimaryKey('animal', 'keeper', blank=True, editable=False, primary_key=True, serialize=False)),
                ('animal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='zoo.animal')),
                ('keeper', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='zoo.keeper', to_field='email')),
            ],
            options={
                'db_table': 'a_very_long_table_name_that_goes_on_until_it_hits_the_limit',
            },
        ),
        migrations.AddField(
            model_name='animal',
            name='keepers',
            field=models.ManyToManyField(to='zoo.keeper'),
        ),
        migrations.AddField(
            model_name='animal',
            name='via',
            field=models.ManyToManyField(related_name='+', through='zoo.Feeds', to='zoo.keeper'),
        ),
        migrations.AlterOrderWithRespectTo(
            name='animal',
            order_with_respect_to='cage',
        ),
        migrations.AlterUniqueTogether(
            name='animal',
            unique_together={('name', 'cage')},
        ),
    ]

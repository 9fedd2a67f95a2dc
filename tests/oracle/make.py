"""Writes what the autodetector finds, answering its questions as a person would."""

import datetime
import decimal
import sys

import django
from django.apps import apps
from django.db import models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter

ANSWERS = {
    "BooleanField": False, "DateField": datetime.date(2020, 1, 1),
    "DateTimeField": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    "TimeField": datetime.time(1), "DurationField": datetime.timedelta(1),
    "DecimalField": decimal.Decimal(1), "FloatField": 1.0, "JSONField": dict,
    "BinaryField": b"x", "ArrayField": list, "GenericIPAddressField": "127.0.0.1",
}
WORDS = ("CharField", "TextField", "SlugField", "URLField")


class Answers(MigrationQuestioner):
    def answer(self, field):
        kind = field.get_internal_type()
        return ANSWERS.get(kind, "x" if kind in WORDS else 1)

    def ask_not_null_addition(self, field_name, model_name):
        return self.answer(apps.get_model(self.app, model_name)._meta.get_field(field_name))

    def ask_not_null_alteration(self, field_name, model_name):
        return models.NOT_PROVIDED

    def ask_rename(self, model_name, old_name, new_name, field_instance):
        return True

    def ask_rename_model(self, old, new):
        return True


def main():
    django.setup()
    loader = MigrationLoader(None)
    for label in sys.argv[2:]:
        asked = Answers(specified_apps={label}, defaults={"ask_initial": True})
        asked.app = label
        # no app knows another: their models are left out on both sides
        leaves = [k for k in loader.graph.leaf_nodes() if k[0] == label]
        was, is_ = loader.project_state(leaves), ProjectState()
        for model in apps.get_app_config(label).get_models(include_swapped=True):
            is_.add_model(ModelState.from_model(model))
        found = MigrationAutodetector(was, is_, asked)
        changes = found.changes(loader.graph, trim_to_apps={label},
                                convert_apps={label}, migration_name=sys.argv[1])
        for migration in changes.get(label, []):
            writer = MigrationWriter(migration)
            with open(writer.path, "w", encoding="utf-8") as f:
                f.write(writer.as_string())


main()

import os
import time

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


def slow(**kwargs):
    """Takes its time as long as there is a file 'slow' beside the releases."""
    path = os.path.join(os.environ.get("SLUICE_PATH", ""), "slow")
    if os.path.exists(path):
        print("slow")
        time.sleep(2)


def told(using, **kwargs):
    from django.db import connections

    with connections[using].cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS told (id serial PRIMARY KEY)"
        )
        cursor.execute("INSERT INTO told DEFAULT VALUES")


class NotesConfig(AppConfig):
    name = "notes"

    def ready(self):
        pre_migrate.connect(slow, sender=self)
        post_migrate.connect(told, sender=self)

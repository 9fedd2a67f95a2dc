"""A small project for tests of what drives Django."""
import os

SECRET_KEY = os.environ["DESK_KEY"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "notes.apps.NotesConfig",
]
if "DESK_ZOO" in os.environ:  # wants Django 5.2
    INSTALLED_APPS += [
        "django.contrib.admin",
        "django.contrib.messages",
        "django.contrib.postgres",
        "django.contrib.redirects",
        "django.contrib.sessions",
        "django.contrib.sites",
        "zoo",
    ]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "USER": os.environ["PGUSER"],
        "NAME": os.environ["PGDATABASE"],
    }
}
print("settings print to standard output, which must do no harm")

#!/bin/sh
# The replay against the real thing: for each migration of a small project and
# of django.contrib, forth and back, our statements are Django's, and at the
# end models, replay and catalogue are the same.
. "${0%/*}/lib.sh"

need_django
pg_start || skip_all "PostgreSQL does not start"

cp -r "$top/tests/replay" "$T/project"
contrib=$("$PY" -c 'import django.contrib as c; print(list(c.__path__)[0])')
for app in admin auth contenttypes sessions sites flatpages redirects; do
	mkdir -p "$T/project/django/$app"
	cp -r "$contrib/$app/migrations" "$T/project/django/$app/"
done
mv "$T/project/django" "$T/contrib"	# Django itself must not meet it
cd "$T/project" || exit 3
DJANGO_SETTINGS_MODULE=settings "$PY" oracle.py >"$T/theirs" 2>"$T/err" ||
    { diag <"$T/err"; fail "Django migrates"; done_testing; exit; }
mv "$T/contrib" "$T/project/django"

DJANGO=$("$PY" -c 'import django; print(django.VERSION[0] * 100 + django.VERSION[1])')
export DJANGO
ok "models, replay and catalogue agree" "$bin/unit/replay" "$T/project" \
    "host=$PGHOST dbname=$PGDATABASE user=postgres"
grep '^# [0-9]' "$T/out"
cp "$T/out" "$T/ours"
ok "statements are Django's" "$PY" compare.py "$T/theirs" "$T/ours"
grep '^# [0-9]' "$T/out"
done_testing

#!/bin/sh
# kill -9 of a deploy in the middle of a migration that goes on without it:
# the next one waits for its end and runs nothing twice. And one that stopped
# in its middle: the way back is asked of what stands, not of the record.
# shellcheck disable=SC2154
. "${0%/*}/lib.sh"
. "${0%/*}/site.sh"
site_start 1 || { fail "the site does not start"; exit 1; }

ok "release 1" deploy r1
cd "$work" || exit 1
git checkout -q r1
cat >shop/migrations/0002_note.py <<'END'
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0001_initial")]
    operations = [
        AddIndexConcurrently(
            "order", models.Index(fields=["note"], name="by_note")
        )
    ]
END
cat >>shop/models.py <<'END'

    class Meta:
        indexes = [models.Index(fields=["note"], name="by_note")]
END
git add -A && git commit -q -m "an index" && git tag index

# A snapshot that the concurrent build has to wait for.
mkfifo "$T/hold"
"$pgbin/psql" -Xq -d shop <"$T/hold" >/dev/null 2>&1 &
exec 4>"$T/hold"
echo "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM shop_order;" >&4

building() {
	[ "$(sql shop "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'
	    AND application_name = 'sluice migration shop.0002_note'
	    AND query LIKE 'CREATE INDEX CONCURRENTLY%'")" = 1 ]
}
sluice-deploy production index >"$T/deploy.out" 2>&1 &
pid=$!
ok "a build that takes long" wait_for 60 building
wait_for 10 grep -q 'waits for session .*psql' "$T/deploy.out"
run cat "$T/deploy.out"
said 'waits for session [0-9]+ \(psql, idle in transaction' \
    "who holds it up is shown"
kill -9 "$pid"
wait "$pid" 2>/dev/null

sluice-deploy production --resume >"$T/resume.out" 2>&1 &
pid=$!
ok "resumed, it sees that the build still runs" \
    wait_for 60 grep -q 'still runs (sluice migration shop.0002_note)' "$T/resume.out"
ok "which it does" building
echo "COMMIT;" >&4
exec 4>&-
code=0
wait "$pid" || code=$?
cp "$T/resume.out" "$T/out"
is "$code" 0 "and goes on after its end"
is "$(sql shop "SELECT count(*) FROM django_migrations WHERE app = 'shop'")" 2 \
    "nothing ran twice"
is "$(sql shop "SELECT indisvalid FROM pg_index
    WHERE indexrelid = 'by_note'::regclass")" t "the index is whole"
ok "the host serves it" serves 1 index

# --- it stopped in its middle -------------------------------------------------

cat >shop/migrations/0003_tidy.py <<'END'
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0002_note")]
    operations = [
        migrations.RemoveField("customer", "fax"),
        migrations.RemoveIndex("order", "by_note"),
    ]
END
sed -i -e '/fax = /d' -e '/class Meta/,$d' shop/models.py
git add -A && git commit -q -m "tidy" && git tag tidy
hold() { # a reader that keeps its lock
	rm -f "$T/hold"
	mkfifo "$T/hold"
	"$pgbin/psql" -Xq -d shop <"$T/hold" >/dev/null 2>&1 &
	exec 4>"$T/hold"
	echo "BEGIN; SELECT count(*) FROM shop_order;" >&4
}
sed -i 's/^retry_delay/lock_timeout = 200ms\nretries = 0\n&/' "$conf"
hold
exits 5 "a migration that is not atomic stops halfway" sluice-deploy production tidy
said 'held: an unsafe migration has begun' "it is held"
said 'stopped halfway: "shop_customer"."fax" is gone' "and says what is gone"
ok "the host still serves the new release" serves 1 tidy
exits 1 "sluice-rollback" sluice-rollback production --accept all
said 'shop.0003_tidy stopped halfway \("shop_customer"."fax" is gone' \
    "is refused by what the catalogue says"
said 'migrate --fake shop 0003_tidy' "and says what to do"
ok "the host serves the new release all the time" serves 1 tidy
sql shop 'ALTER TABLE shop_customer ADD fax varchar(40)'
exits 0 "undone by hand, it can go back" sluice-rollback production --accept all
ok "the host serves the old release" serves 1 index
is "$(sql shop "SELECT count(*) FROM django_migrations WHERE app = 'shop'")" 2 \
    "nothing is recorded that does not stand"
exits 5 "once more it stops halfway" sluice-deploy production tidy
echo "COMMIT;" >&4
exec 4>&-
exits 0 "--resume goes on with what is left" sluice-deploy production --resume
said '1 of 2 operations stood already' "and says so"
exits 1 "what it removes is gone" column shop_customer.fax
is "$(sql shop "SELECT to_regclass('by_note') IS NULL")" t "all of it"
is "$(sql shop "SELECT count(*) FROM django_migrations WHERE app = 'shop'")" 3 \
    "and it is recorded"

# The same in the safe phase: old code does not mind what is there already.
cat >shop/migrations/0004_more.py <<'END'
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0003_tidy")]
    operations = [
        migrations.AddField("customer", "phone", models.TextField(null=True)),
        migrations.AddField("order", "more", models.TextField(null=True)),
    ]
END
sed -i -e '/email = /a \    phone = models.TextField(null=True)' \
    -e '/note = /a \    more = models.TextField(null=True)' shop/models.py
git add -A && git commit -q -m "more" && git tag more
hold
exits 4 "one of the safe phase: the release goes back" sluice-deploy production more
said 'shop.0004_more stopped halfway and stays so: "shop_customer"."phone" is' \
    "it says what stays"
ok "the host serves the old release" serves 1 tidy
echo "COMMIT;" >&4
exec 4>&-
exits 1 "the next deploy is refused" sluice-deploy production more
said 'is there already' "it says what is in the way"
said '0004_more is not atomic, was begun by .*--fake shop 0004_more' \
    "why, and what to do"
sql shop 'ALTER TABLE shop_customer DROP phone'
exits 0 "it goes when that is undone" sluice-deploy production more
done_testing

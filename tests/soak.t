#!/bin/sh
# The soak between the roll and the unsafe migrations: the lease is free, the
# release says until when, and whoever comes first ends it.
# shellcheck disable=SC2154
. "${0%/*}/lib.sh"
. "${0%/*}/site.sh"
site_start 1 || { fail "the site does not start"; exit 1; }
soak() { sed -i -e '/^soak/d' -e "s/^retry_delay/soak = $1\n&/" "$conf"; }
leases() { sql shop "SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'sluice lease'"; }
soaking() { [ "$(sql shop "SELECT status FROM sluice.run ORDER BY id DESC
    LIMIT 1")" = soaking ]; }
ends() { # CODE WORDS: the deploy in the background
	code=0
	wait "$pid" || code=$?
	is "$code" "$1" "$2"
}
begin() { sluice-deploy production "$@" >"$T/first" 2>&1 & pid=$!; }

ok "release 1" deploy r1
cd "$work" || exit 1
soak 1h
begin r2
ok "it soaks" wait_for 60 soaking
wait_for 5 grep -q 'soaking until' "$T/first"
is "$(leases)" 0 "the lease is free"
ok "the hosts serve the new release" serves 1 r2
ok "the unsafe migration has not run" column shop_customer.fax
exits 0 "sluice-status" sluice-status production
said 'is soaking until 20' "says until when"
exits 1 "another deploy" deploy r1
said 'soaking until .*sluice-deploy --finish' "is refused, and told which and until when"
kill -TERM "$pid"
ends 6 "interrupted"
ok "it goes on soaking" soaking
exits 0 "--finish" deploy --finish
exits 1 "runs the unsafe migration" column shop_customer.fax
exits 0 "the way back" sluice-rollback production --accept all

begin r2
ok "it soaks again" wait_for 60 soaking
exits 0 "another ends it" deploy --finish
ends 0 "the first one sees that"
ok "and says so" grep -q 'another went on with' "$T/first"
exits 0 "the way back" sluice-rollback production --accept all

begin r2
ok "it soaks once more" wait_for 60 soaking
exits 0 "a rollback takes it back" sluice-rollback production --accept all
ends 4 "the first one sees that, too"
ok "the host serves release 1" serves 1 r1

soak 1s
exits 0 "a short soak is waited for" deploy r2
exits 1 "and then the rest is done" column shop_customer.fax
exits 0 "the way back" sluice-rollback production --accept all

soak 1h
begin r2
ok "killed while it soaks" wait_for 60 soaking
kill -9 "$pid"
wait "$pid" 2>/dev/null
git checkout -q r2
git commit -q --allow-empty -m "next" && git tag next
sql shop "UPDATE sluice.step SET began = began - interval '1 hour' WHERE kind = 'soak'"
exits 0 "the next deploy" deploy next
said 'has soaked: its unsafe migrations go first' "runs it first"
exits 1 "all of it" column shop_customer.fax
ok "and then its own" serves 1 next

# By a tag, where the target asks for none.
soak 0
sed -i '/phone = /d' shop/models.py
manage makemigrations -n nophone
sed -i 's/^class Migration/# sluice: unsafe delay=1h because "reports read it"\n&/' \
    shop/migrations/0004_nophone.py
git add -A && git commit -q -m "nophone" && git tag nophone
begin nophone
ok "delay= in a tag" wait_for 60 soaking
ok "is said in the plan" grep -q '0004_nophone waits 3600 s after the roll' "$T/first"
ok "the column is there meanwhile" column shop_customer.phone
exits 0 "--finish" deploy --finish
exits 1 "it is dropped then" column shop_customer.phone
ends 0 "and the first one ends"
done_testing

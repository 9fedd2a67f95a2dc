#!/bin/sh
# sluice-rollback --code-only: the hosts alone, with the database and without.
# shellcheck disable=SC2154
. "${0%/*}/lib.sh"
. "${0%/*}/site.sh"
site_start 2 || { fail "the site does not start"; exit 1; }
live() { sql shop "SELECT commit FROM sluice.release WHERE status = 'live'"; }
hash() { git -C "$work" rev-parse "$1"; }

ok "release 1" deploy r1
cd "$work" || exit 1
git checkout -q r1
sed -i '/fax = /a \    phone = models.TextField(null=True)' shop/models.py
manage makemigrations -n phone
git add -A && git commit -q -m "adds" && git tag adds
ok "a release that adds" deploy adds

# --- with the database ---------------------------------------------------------

sql shop "ALTER TABLE shop_order ADD hand integer NOT NULL"
exits 1 "--code-only on a schema that the old code does not run on" \
    sluice-rollback production --code-only
said 'does not run on the database as it is: .*shop_order.*hand' "says why"
sql shop "ALTER TABLE shop_order DROP hand"
exits 0 "--code-only" sluice-rollback production --code-only
ok "host 1 serves release 1" serves 1 r1
ok "host 2 serves release 1" serves 2 r1
is "$(live)" "$(hash r1)" "the ledger knows"
ok "the schema stays" column shop_customer.phone
exits 0 "forward again" deploy adds

# --- without ----------------------------------------------------------------------

cp "$conf" "$T/whole.ini"
sed -i "s|^database = .*|database = host=$T/nowhere dbname=shop|" "$conf"
exits 3 "without the database a rollback is not to be had" sluice-rollback production
exits 1 "nor --code-only without a word" sluice-rollback production --code-only
said 'cannot be asked which migrations are applied.*--accept schema' "which is told"
ok "nothing was touched" serves 1 adds
exits 0 "-n" sluice-rollback production --code-only --accept schema -n
ok "shows it and does nothing" serves 1 adds
exits 1 "a release that is not there" \
    sluice-rollback production 20200101T000000Z-0123456789ab --code-only --accept schema
said "is not on host 'app1'" "is told"
before=$(cat "$T/host1/srv/.sluice/serial")
exits 0 "--accept schema" sluice-rollback production --code-only --accept schema
said 'the ledger does not know it yet' "it says what is open"
said 'every host attests' "every host was asked"
ok "host 1 serves release 1" serves 1 r1
ok "host 2 serves release 1" serves 2 r1
is "$(($(cat "$T/host1/srv/.sluice/serial") > before))" 1 \
    "older deploys are fenced off"
exits 0 "once more" sluice-rollback production "$(basename "$(readlink "$T/host1/srv/current")")" --code-only --accept schema
is "$(grep -c . "$T/host1/srv/.sluice/journal")" 5 "the journal has every switch"

# --- and afterwards -------------------------------------------------------------------

cp "$T/whole.ini" "$conf"
exits 0 "sluice-status" sluice-status production
said 'app1 .*, put there without the ledger 20' "sees it"
for n in 1 2; do # a clock that was ahead
	echo 9999999999 >"$T/host$n/srv/.sluice/serial"
done
git commit -q --allow-empty -m "next" && git tag next
exits 0 "the next deploy" deploy next
said 'put back without the ledger, 20.*: the ledger is told' "says so"
is "$(sql shop "SELECT kind || ' ' || status FROM sluice.run
    WHERE why LIKE 'put back%'")" "rollback done" "and writes it down"
ok "host 1 serves it" serves 1 next
ok "host 2 serves it" serves 2 next

sed -i "s|^database = .*|database = host=$T/nowhere dbname=shop|" "$conf"
host_stop 2 all
exits 5 "one host that cannot be reached" sluice-rollback production --code-only --accept schema
said "host 'app2' cannot be reached: it keeps what it serves" "is told"
ok "the other is put back" serves 1 r1
done_testing

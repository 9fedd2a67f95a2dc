#!/bin/sh
# Deploys on real parts: PostgreSQL, hosts with sshd, a balancer, Django.
# shellcheck disable=SC2154
. "${0%/*}/lib.sh"
site_balanced=1
. "${0%/*}/site.sh"
site_start 2 || { fail "the site does not start"; exit 1; }

live() { sql shop "SELECT commit FROM sluice.release WHERE status = 'live'"; }
tables() { sql shop "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"; }
json() { python3 -c "import json, sys
o = json.load(open('$T/out'))
print($1)"; }
hash() { git -C "$work" rev-parse "$1"; }
short() { git -C "$work" rev-parse --short=12 "$1"; }

# --- looking ---------------------------------------------------------------------

exits 0 "-n shows the plan" deploy r1 -n
said 'apply shop.0001_initial' "with its migrations"
said 'third-party' "and says what is not known yet"
is "$(tables)" 0 "and does nothing"
exits 0 "sluice-plan --json" sluice-plan production r1 --json
one=$(json 'o["digest"]')
is "$(json 'o["format"], o["kind"], o["migrations"][0]["name"]')" \
    "1 deploy 0001_initial" "one object"
run sluice-plan production r1 --json
is "$(json 'o["digest"]')" "$one" "equal input, equal digest"
exits 0 "sluice-status before the first deploy" sluice-status production
said 'nothing is live yet' "says so"
exits 1 "sluice-rollback before the first deploy" sluice-rollback production
said 'nothing was deployed' "is refused"
is "$(tables)" 0 "all that touched nothing"

# --- release 1, release 2 ----------------------------------------------------------

exits 0 "release 1" deploy r1
said '^sluice-deploy: |apply auth.0001_initial' "third-party migrations too"
ok "host 1 serves it" serves 1 r1
ok "host 2 serves it" serves 2 r1
is "$(git rev-parse refs/sluice/deployed/production)" "$(hash r1)" "the ref"
is "$(live)" "$(hash r1)" "the ledger"
exits 0 "once more" deploy r1
said "live on 'production' already" "is told so"
sql shop "INSERT INTO shop_customer (email, fax) VALUES ('a@b.c', '1')"

exits 0 "sluice-plan of release 2" sluice-plan production r2
said 'apply shop.0002_grow +.safe' "what adds is safe"
said 'apply shop.0003_tidy +.unsafe' "what removes is unsafe"
said 'deployed code .*"shop_customer"."fax"' "and why"
not_said 'third-party' "third-party apps are known by now"
exits 0 "release 2" deploy r2 --because "it is time"
order=$(sed -n 's/^[0-9:]* *ok *[a-z0-9]* *\([a-z]* [a-z0-9._]*\).*/\1/p' \
    "$T/err" | grep -n 'apply\|restart' | tr '\n' ' ')
case $order in
*apply\ shop.0002_grow*restart*restart*apply\ shop.0003_tidy*)
	pass "safe, roll, unsafe" ;;
*)
	fail "safe, roll, unsafe: $order" ;;
esac
ok "a column more" column shop_customer.phone
exits 1 "release 1 by a deploy" deploy r1
said "refused: .*SELECTs \"shop_customer\".\"fax\"" "its code does not run any more"
exits 1 "a column less" column shop_customer.fax
exits 0 "sluice-status --json" sluice-status production --json
is "$(json 'len(o["hosts"]), len(o["releases"]), o["pending"], o["history"][0]["why"]')" \
    "2 2 [] it is time" "says all of it"
exits 0 "sluice-doctor" sluice-doctor production
said '^ok +drift: none' "finds no drift"
sql shop 'ALTER TABLE shop_order ADD COLUMN stray int'
exits 0 "sluice-doctor after somebody's ALTER TABLE" sluice-doctor production
said 'warn drift: "shop_order"."stray" is in no migration' "finds it"
sql shop 'ALTER TABLE shop_order DROP COLUMN stray'

# --- a release that fails ------------------------------------------------------------

sed -i '/stars = /a \    words = models.TextField(null=True)' shop/models.py
manage makemigrations -n words
git add -A && git commit -q -m "release 3" && git tag r3
hash r3 >"$T/host2/srv/shared/sick"
exits 4 "release 3 is sick on the second host" deploy r3
said 'going back to .*-'"$(short r2)" "the hosts go back by themselves"
ok "host 1 serves release 2 again" serves 1 r2
ok "host 2 serves release 2 again" serves 2 r2
ok "the additive schema stays" column shop_review.words
is "$(git rev-parse refs/sluice/deployed/production)" "$(hash r2)" "the ref stays"
rm "$T/host2/srv/shared/sick"
sed 's/^retry_delay/on_failure = hold\n&/' "$conf" >"$T/hold.ini"
hash r3 >"$T/host1/srv/shared/sick"
exits 5 "the same with on_failure = hold" sluice-deploy -c "$T/hold.ini" production r3
said 'held: .sluice-deploy --resume' "says how to go on"
exits 1 "another deploy" deploy r2
said 'held' "is refused meanwhile"
exits 5 "resumed while it is still sick" sluice-deploy -c "$T/hold.ini" production --resume
rm "$T/host1/srv/shared/sick"
exits 0 "resumed once it is mended" deploy --resume
ok "host 1 serves release 3" serves 1 r3
ok "host 2 serves release 3" serves 2 r3
exits 0 "resumed once more" deploy --resume
said 'nothing to resume' "there is nothing to resume"

# --- back ------------------------------------------------------------------------------

exits 0 "sluice-plan --rollback" sluice-plan production --rollback
exits 0 "sluice-rollback of release 3" sluice-rollback production
ok "host 1 serves release 2" serves 1 r2
ok "its migration was the failed deploy's, and stays" column shop_review.words

exits 1 "sluice-rollback of release 2" sluice-rollback production
said 'refused: shop.0003_tidy: .*"fax".*--accept shop.0003_tidy' "says what would be lost"
ok "and touches nothing" column shop_customer.phone

# --- signals -----------------------------------------------------------------------------

sed -i '/words = /a \    more = models.TextField(null=True)' shop/models.py
manage makemigrations -n more
git add -A && git commit -q -m "release 4" && git tag r4
started() { grep -q 'restart on the release' "$T/first"; }
: >"$T/first"
sluice-deploy production r4 >"$T/first" 2>&1 &
p=$!
wait_for 30 started
kill -TERM $p
code=0
wait $p || code=$?
is "$code" 6 "a TERM in the middle: interrupted"
said_first() { grep -q "$1" "$T/first"; }
ok "it finishes what is going on" said_first 'stopping: what is going on'
exits 0 "and is resumed" deploy --resume
ok "host 1 serves release 4" serves 1 r4
ok "host 2 serves release 4" serves 2 r4

git commit -q --allow-empty -m "release 5" && git tag r5
(deploy r5; echo $? >"$T/code") 2>&1 | sed 2q >/dev/null
ended() { [ -s "$T/code" ]; }
wait_for 30 ended
is "$(cat "$T/code")" 0 "whoever reads it goes away: it goes on"
ok "host 2 serves release 5" serves 2 r5
git commit -q --allow-empty -m "release 6" && git tag r6
: >"$T/first"
sluice-deploy production r6 >"$T/first" 2>&1 &
p=$!
wait_for 30 started
kill -HUP $p
code=0
wait $p || code=$?
is "$code" 0 "a hangup in the middle: it goes on"

# --- from wherever it got to ------------------------------------------------------------------

sed -i '/more = /a \    last = models.TextField(null=True)' shop/models.py
manage makemigrations -n last
git add -A && git commit -q -m "release 6b" && git tag r6b
exits 137 "killed while it stages" env SLUICE_CRASH=1:before sluice-deploy production r6b
exits 0 "sluice-rollback" sluice-rollback production
said 'nothing live had changed' "drops what was staged"
exits 137 "killed in the middle of the roll" env SLUICE_CRASH=8:after sluice-deploy production r6b
exits 0 "-n --resume shows what is open" deploy -n --resume
said 'back into the balancer$' "row by row"
exits 1 "sluice-rollback" sluice-rollback production
said 'shop.0006_last.*--accept' "names what its migration would lose"
exits 0 "sluice-rollback --accept" sluice-rollback production --accept all
ok "host 1 serves release 6" serves 1 r6
ok "host 2 serves release 6" serves 2 r6
exits 1 "its migration is reversed" column shop_review.last

: >"$T/first"
sluice-deploy production r6b >"$T/first" 2>&1 &
p=$!
wait_for 30 started
sql shop "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'sluice lease'" >"$T/out"
code=0
wait $p || code=$?
is "$code" 5 "the lease is lost in the middle: held"
ok "that is said" said_first 'the lease is lost'
exits 0 "and it is resumed" deploy --resume
ok "host 2 serves release 6b" serves 2 r6b
four=$(sql shop "SELECT id FROM sluice.release WHERE commit = '$(hash r2)' AND status = 'old' LIMIT 1")
exits 1 "a way back of which the last hop would lose something" \
    sluice-rollback production "$four" --accept shop.0006_last
said 'shop.0005_more: .*--accept shop.0005_more' "is refused for it"
ok "before the first hop" serves 1 r6b
failed=$(sql shop "SELECT id FROM sluice.release WHERE status = 'failed' LIMIT 1")
exits 1 "a release that is not on the way back" sluice-rollback production "$failed" --accept all
said "$failed is not on the way back" "is told"
ok "and nothing is touched" serves 1 r6b
two=$(sql shop "SELECT id FROM sluice.release WHERE commit = '$(hash r5)'")
exits 137 "killed in the first hop to a release two hops back" \
    env SLUICE_CRASH=1:before sluice-rollback production "$two" --accept all
exits 0 "resumed, it goes all the way" deploy --resume
ok "host 1 serves release 5" serves 1 r5
ok "host 2 serves release 5" serves 2 r5
is "$(sql shop "SELECT string_agg(status, ' ' ORDER BY commit = '$(hash r6b)')
    FROM sluice.release WHERE commit IN ('$(hash r6)', '$(hash r6b)')
    AND status <> 'failed'")" "old old" "what is undone is not live"
sql shop "UPDATE sluice.release SET status = 'old' WHERE status = 'live'"
exits 1 "a ledger with old releases and none that is live" deploy r6b
said 'what old code there is cannot be told' "is no first deploy"
sql shop "UPDATE sluice.release SET status = 'live' WHERE id = '$two'"
exits 0 "release 6b again" deploy r6b

# --- one phase alone -------------------------------------------------------------------------

sed -i '/words = /a \    other = models.TextField(null=True)' shop/models.py
manage makemigrations -n other
sed -i '/more = /d' shop/models.py
manage makemigrations -n less
git add -A && git commit -q -m "release 7" && git tag r7
exits 2 "sluice-migrate without a phase" sluice-migrate production r7
said 'phase safe' "is told which there are"
exits 1 "sluice-migrate --phase unsafe first" sluice-migrate production --phase unsafe r7
said 'run the safe phase first' "is refused"
exits 0 "sluice-migrate --phase safe" sluice-migrate production --phase safe r7
ok "what is added is there" column shop_review.other
ok "what is removed, still" column shop_review.more
ok "no host was touched" serves 1 r6b
exits 0 "sluice-migrate --phase unsafe" sluice-migrate production --phase unsafe r7
exits 1 "then it is gone" column shop_review.more
is "$(live)" "$(hash r7)" "and the ledger counts the release as live"
is "$(git rev-parse refs/sluice/deployed/production)" "$(hash r7)" "so does the ref"
done_testing

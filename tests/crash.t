#!/bin/sh
# kill -9 of a deploy and of a rollback at every step, right before it is made
# and right after, and --resume each time: it ends as if nothing had happened.
# shellcheck disable=SC2154
. "${0%/*}/lib.sh"
site_balanced=1
. "${0%/*}/site.sh"
site_start 2 || { fail "the site does not start"; exit 1; }

ok "release 1" deploy r1
sql shop "INSERT INTO shop_customer (email, fax) VALUES ('a@b.c', '1')"

rows() { sql shop "SELECT count(*) FROM sluice.step s JOIN sluice.run r
    ON r.id = s.run WHERE r.id = (SELECT max(id) FROM sluice.run)"; }
open_runs() { sql shop "SELECT count(*) FROM sluice.run
    WHERE ended IS NULL OR status = 'held'"; }
undone() { sql shop "SELECT count(*) FROM sluice.step s JOIN sluice.run r
    ON r.id = s.run WHERE r.id = (SELECT max(id) FROM sluice.run)
    AND s.status <> 'done'"; }
twice() { sql shop "SELECT count(*) FROM (SELECT app, name
    FROM django_migrations GROUP BY 1, 2 HAVING count(*) > 1) AS x"; }
ready() { # both hosts are in the balancer's rotation
	python3 - "$T/haproxy.sock" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.connect(sys.argv[1])
	s.sendall(b"show stat\n")
	rows = [l.split(",") for l in s.makefile().read().splitlines()]
	states = [r[17] for r in rows if len(r) > 17 and r[1].startswith("app")]
	sys.exit(0 if len(states) == 2 and
	    all(x in ("UP", "no check") for x in states) else 1)
	END
}

# killed WHERE COMMAND…: dies there, by that signal.
killed() {
	at=$1
	shift
	code=0
	SLUICE_CRASH=$at "$@" >"$T/out" 2>"$T/err" || code=$?
	kills=$((kills + (code == 137)))
	[ "$code" -eq 137 ] || [ "$code" -eq 0 ]
}

# Lanes go side by side: a row may have been done and marked before its turn
# to be killed comes.
is_done() { # SEQ: in the run that is open
	[ "$(sql shop "SELECT count(*) FROM sluice.step WHERE seq = $1
	    AND status = 'done' AND run = (SELECT max(id) FROM sluice.run
	    WHERE ended IS NULL)")" = 1 ]
}

# through FIRST LAST COMMAND…: the command is killed at FIRST:before, and then
# each resume a point later, until LAST:after.
through() {
	seq=$1 last=$2
	shift 2
	while [ "$seq" -le "$last" ]; do
		for point in before after; do
			if is_done "$seq"; then
				kills=$((kills + 1))
				continue
			fi
			if ! killed "$seq:$point" "$@"; then
				fail "killed at $seq:$point"
				told
				return 1
			fi
			set -- sluice-deploy production --resume
			[ "$code" -ne 0 ] || return 0
		done
		seq=$((seq + 1))
	done
}

kills=0
through 1 2 sluice-deploy production r2
is "$kills" 4 "killed twice at each row of the stage"
is "$(open_runs)" 1 "the ledger knows that it is not ended"
exits 1 "a new deploy is refused" deploy r1
said 'not ended: .sluice-deploy --resume' "and it is said how to go on"
killed 3:before sluice-deploy production --resume
n=$(rows)
through 3 "$n" sluice-deploy production --resume
is "$kills" "$((2 * n + 1))" "killed twice at each of the $n rows of the deploy"
exits 0 "the last resume" sluice-deploy production --resume
ok "host 1 serves release 2" serves 1 r2
ok "host 2 serves release 2" serves 2 r2
ok "both are back in the balancer" ready
ok "what release 2 adds is there" column shop_customer.phone
exits 1 "what it removes is gone" column shop_customer.fax
is "$(undone)" 0 "every row is done"
is "$(open_runs)" 0 "no run is open"
is "$(twice)" 0 "no migration was recorded twice"
is "$(git rev-parse refs/sluice/deployed/production)" \
    "$(git rev-parse r2)" "the ref is published"

kills=0
killed 1:before sluice-rollback production --accept all
n=$(rows)
through 1 "$n" sluice-deploy production --resume
is "$kills" "$((2 * n + 1))" "killed twice at each of the $n rows of the rollback"
exits 0 "the last resume" sluice-deploy production --resume
ok "host 1 serves release 1" serves 1 r1
ok "host 2 serves release 1" serves 2 r1
ok "both are back in the balancer" ready
exits 1 "what release 2 added is gone" column shop_customer.phone
ok "what it removed is back" column shop_customer.fax
is "$(undone)" 0 "every row is done"
is "$(open_runs)" 0 "no run is open"
is "$(git rev-parse refs/sluice/deployed/production)" \
    "$(git rev-parse r1)" "the ref is published"

# At any moment, not only between two steps.
for wait in 0.9 2.6 4.3; do
	sluice-deploy production r2 >"$T/out" 2>"$T/err" &
	p=$!
	sleep "$wait"
	kill -9 $p 2>/dev/null
	wait $p 2>/dev/null
	run sluice-deploy production --resume
	[ "$code" -eq 0 ] || told
	run sluice-deploy production r2
	if serves 1 r2 && serves 2 r2 && ready && column shop_customer.phone &&
	    ! column shop_customer.fax && [ "$(open_runs)" = 0 ]; then
		pass "killed after $wait s"
	else
		fail "killed after $wait s"
		told
	fi
	run sluice-rollback production --accept all
done
done_testing

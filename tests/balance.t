#!/bin/sh
# Drain and ready, through a real haproxy's runtime interface.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
command -v haproxy >/dev/null || skip_all "no haproxy here"

front=$(free_port) back=$(free_port) stats=$(free_port) nobody=$(free_port)
cat >"$T/haproxy.cfg" <<END
global
    stats socket $T/admin.sock mode 600 level admin
    stats socket $T/operator.sock mode 600 level operator
    stats socket ipv4@127.0.0.1:$stats level admin
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend f
    bind 127.0.0.1:$front
    default_backend shop
backend shop
    server app1 127.0.0.1:$back
    server app2 127.0.0.1:$nobody check inter 100ms fall 1 rise 1
backend other
    server app1 127.0.0.1:$nobody
END
haproxy_start "$T/haproxy.cfg"
wait_for 5 test -S "$T/admin.sock"

# A server that takes two seconds for /slow.
cat >"$T/slow.py" <<'END'
import http.server, sys, time
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(2)
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
END
/usr/bin/python3 "$T/slow.py" "$back" &
at_exit "kill $! 2>/dev/null"

# ini SOCKET DRAIN_TIMEOUT
ini() {
	cat >"$T/sluice.ini" <<-END
	[project]
	settings = shop.settings
	[target production]
	database = dbname=shop
	path = $T/srv
	haproxy = $1
	drain_timeout = $2
	health_timeout = 1s
	[host app1]
	target = production
	balancer = shop/app1
	[host app2]
	target = production
	balancer = shop/app2
	[host app3]
	target = production
	balancer = shop/app3
	[host app4]
	target = production
	END
}
play() { printf '%s\n' "$@" | "$bin/unit/lane" "$T/sluice.ini" >"$T/out" 2>"$T/err"; }
admin() { /usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(sys.stdin.read().encode()); print(s.makefile().read())' "$T/admin.sock"; }
state() {
	echo 'show stat shop 4 -1' | admin |
	    awk -F, -v n="$1" '$2 == n { print $18 }'
}
# How many requests a server has in hand, as haproxy counts them.
busy() {
	test "$(echo 'show stat shop 4 -1' | admin |
	    awk -F, -v n="$1" '$2 == n { print $5 }')" -ge 1
}
fetch() { /usr/bin/python3 -c 'import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=9).status)' "http://127.0.0.1:$front$1"; }

ini "$T/admin.sock" 10s
wait_for 5 fetch /
play 'ask balance app1 app1 ready' 'ask balance app1 app1 drained' \
    'make balance app1 app1 drained' 'ask balance app1 app1 drained' \
    'make balance app1 app1 drained' 'ask balance app1 app1 ready'
is "$(tr '\n' ' ' <"$T/out")" "yes no yes yes yes no " "drained, once and again"
is "$(state app1)" DRAIN "haproxy says so"
play 'make balance app1 app1 ready' 'ask balance app1 app1 ready'
is "$(tr '\n' ' ' <"$T/out") $(state app1)" "yes yes  no check" "ready again"

fetch /slow >"$T/slow" &
slow=$!
wait_for 5 busy app1
before=$(date +%s%N)
play 'make balance app1 app1 drained'
took=$((($(date +%s%N) - before) / 1000000))
wait "$slow"
is "$(cat "$T/out" "$T/slow" | tr '\n' ' ')" "yes 200 " \
    "a request that was under way is waited for"
is "$((took > 1000 && took < 4000))" 1 "as long as it takes ($took ms)"
said 'note: 1 session open' "and said so"
play 'make balance app1 app1 ready'

ini "$T/admin.sock" 500ms
fetch /slow >"$T/slow" &
slow=$!
wait_for 5 busy app1
play 'make balance app1 app1 drained'
is "$(cat "$T/out")" yes "drain_timeout ends the wait"
said 'open at the end of drain_timeout' "and that is told"
wait "$slow"
is "$(cat "$T/slow")" 200 "nothing was cut"
play 'make balance app1 app1 ready'

play 'ask balance app2 app2 ready' 'make balance app2 app2 ready'
is "$(head -n 1 "$T/out")" no "a server that is down is not ready"
said "does not take 'shop/app2' back: it says DOWN" "and does not become it"
play 'make balance app2 app2 drained'
is "$(cat "$T/out") $(state app2)" "yes DOWN" "but it can be drained"
play 'make balance app3 app3 drained' 'ask balance app3 app3 drained'
is "$(grep -c "no server 'shop/app3'" "$T/out")" 2 "a server that is not there"
echo 'set server shop/app1 state maint' | admin >"$T/null"
play 'make balance app1 app1 drained' 'make balance app1 app1 ready'
is "$(tr '\n' ' ' <"$T/out") $(state app1)" "yes yes  MAINT" \
    "what somebody put into maintenance stays so"
said 'note: haproxy says MAINT: left as it is' "and that is told"
echo 'set server shop/app1 state ready' | admin >"$T/null"
play 'make balance app4 app4 drained' 'ask balance app4 app4 ready'
is "$(tr '\n' ' ' <"$T/out")" "yes yes " "a host without a balancer"
ini "$T/operator.sock" 1s
play 'make balance app1 app1 drained'
said 'Permission denied' "a socket that may not change anything"
ini "$T/none.sock" 1s
play 'make balance app1 app1 drained'
said "cannot connect to '$T/none.sock'" "a socket that is not there"
ini "127.0.0.1:$stats" 1s
play 'make balance app1 app1 drained' 'make balance app1 app1 ready'
is "$(tr '\n' ' ' <"$T/out")" "yes yes " "over TCP"
ini "127.0.0.1:$nobody" 1s
play 'make balance app1 app1 drained'
said 'cannot' "nobody listens there"

done_testing

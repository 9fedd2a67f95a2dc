# The parts of the demo's stage: sourced by demo.sh after lib.sh.
# shellcheck shell=sh disable=SC2154,SC2034

# The balancer is set up so as not to hide a failure: a request is sent to one
# host, and to another one only if no connection could be made at all; what
# has been sent is never sent again, whatever the answer.
balancer_config() { # SOCKET ADDRESS:PORT NAME=ADDRESS:PORT…
	cat <<-END
	global
	    stats socket $1 level admin mode 600
	    nbthread 1
	    hard-stop-after 1s
	defaults
	    mode http
	    timeout connect 2s
	    timeout client 30s
	    timeout server 30s
	    timeout queue 5s
	    retries 2
	    option redispatch 1
	    option httpchk GET /health/
	    http-check expect status 200
	    default-server check inter 500ms fastinter 200ms fall 2 rise 1
	listen shop
	    bind $2
	    balance roundrobin
	END
	shift 2
	for s; do
		echo "    server ${s%%=*} ${s#*=}"
	done
}

# The three hosts of a target: folder, address and what only they know.
app_host() { # N DATABASE
	host_start "$1"
	app=$T/host$1/srv
	mkdir -p "$app/shared"
	cat >"$app/shared/env" <<-END
	PGHOST=$PGHOST
	PGUSER=postgres
	PGDATABASE=$2
	SHOP_ADDRESS=$(host_addr "$1")
	SHOP_PORT=$(free_port "$(host_addr "$1")")
	SHOP_PACKAGES=$(echo "$deps"/venv/lib/python3.*/site-packages)
	END
	at_exit "end_gunicorn $app"
}

end_gunicorn() {
	[ ! -s "$1/shared/gunicorn.pid" ] ||
	    kill "$(cat "$1/shared/gunicorn.pid")" 2>/dev/null
}

app_port() { sed -n 's/^SHOP_PORT=//p' "$T/host$1/srv/shared/env"; }

answers() { # URL
	/usr/bin/python3 -c 'import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=5).read()' "$1"
}

# phase NAME: what the requests from now on are counted under.
phase() {
	echo "$1" >"$T/phase.new"
	mv -f "$T/phase.new" "$T/phase"
}

traffic_start() { # URL
	/usr/bin/python3 "$top/tests/demo/traffic.py" run "$1" \
	    "$T/traffic.log" "$T/phase" &
	echo $! >"$T/traffic.pid"
}

traffic_stop() {
	[ -s "$T/traffic.pid" ] || return 0
	kill "$(cat "$T/traffic.pid")" 2>/dev/null || :
	wait "$(cat "$T/traffic.pid")" 2>/dev/null || :
	rm -f "$T/traffic.pid"
}

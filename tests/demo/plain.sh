# The same release 2 without Sluice: migrate, then restart. Sourced by demo.sh.
# shellcheck shell=sh disable=SC2154,SC2034

# Without the story there is no release 2 yet: make the commit by hand.
plain_commits() {
	git -C "$dev" rev-parse -q --verify r2 >/dev/null && return
	edit 2a-channel 2b-repair 2c-reviews
	manage makemigrations -n reviews >/dev/null
	edit 2d-tidy
	manage makemigrations -n tidy >/dev/null
	git -C "$dev" add -A
	git -C "$dev" commit -q -m "release 2"
	git -C "$dev" tag r2
}

# checkout COMMIT on one host, as git pull would.
plain_checkout() { # N COMMIT
	git -C "$T/plain$1/app" checkout -q "$2"
}

# in_app N COMMAND…: with the host's environment file.
in_app() {
	app=$T/plain$1
	shift
	(
		set -a
		# shellcheck source=/dev/null
		. "$app/shared/env"
		set +a
		export SLUICE_PATH="$app"
		cd "$app/app" && "$@"
	)
}

plain_host() { # N
	mkdir -p "$T/plain$1/shared"
	cat >"$T/plain$1/shared/env" <<-END
	PGHOST=$PGHOST
	PGUSER=postgres
	PGDATABASE=plain
	SHOP_ADDRESS=$(host_addr "2$1")
	SHOP_PORT=$(free_port "$(host_addr "2$1")")
	SHOP_PACKAGES=$(echo "$deps"/venv/lib/python3.*/site-packages)
	END
	git clone -q "$dev" "$T/plain$1/app"
	plain_checkout "$1" r1
	in_app "$1" sh deploy/build
	at_exit "end_gunicorn $T/plain$1"
}

plain_release_2() {
	chapter "For contrast: the same release 2 by migrate and restart"
	traffic_stop
	plain_commits
	servers=
	for n in 1 2 3; do
		plain_host $n || stop "no host"
		servers="$servers app$n=$(host_addr 2$n):$(sed -n \
		    's/^SHOP_PORT=//p' "$T/plain$n/shared/env")"
	done
	in_app 1 .venv/bin/python manage.py migrate -v 0 || stop "no migrate"
	in_app 1 .venv/bin/python manage.py fill
	for n in 1 2 3; do
		in_app $n sh deploy/restart || stop "no gunicorn"
	done
	plain_url=http://$(host_addr 20):$(free_port "$(host_addr 20)")
	# shellcheck disable=SC2086
	balancer_config "$T/plain.sock" "${plain_url#http://}" $servers \
	    >"$T/plain.cfg"
	haproxy_start "$T/plain.cfg" || stop "no balancer"
	wait_for 10 answers "$plain_url/products/" || stop "no answer"
	tell "Three hosts serve release 1 behind the same kind of balancer, the" \
	    "same customers come."
	phase plain_release_2
	traffic_start "$plain_url"
	sleep 3
	for n in 1 2 3; do
		plain_checkout $n r2
	done
	good in_app 1 .venv/bin/python manage.py migrate
	for n in 1 2 3; do
		good in_app $n sh deploy/restart
	done
	sleep 3
	traffic_stop
	phase idle
}

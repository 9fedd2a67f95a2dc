# The five steps of the story: sourced by demo.sh.
# shellcheck shell=sh disable=SC2154,SC2034

here=$top/tests/demo
dev=$T/dev		# the developer's clone
bare=$T/shop.git	# what is pushed to
conf=$T/server.ini	# its configuration, the server's alone

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[m')
fi

chapter() { printf '\n%s== %s ==%s\n' "$bold" "$*" "$plain"; }
tell() { printf '%s\n' "$*" | fmt -w 78; }
stop() {
	printf 'the demo stops: %s\n' "$*" >&2
	exit 1
}

# How a person would have typed it.
typed() {
	printf '%s\n' "$*" | sed -e "s|$T/||g" -e 's|^manage |./manage.py |' \
	    -e 's|^sluice_|sluice-|' -e 's|^host_run 1 .*venv|app1: .venv|' \
	    -e 's|^in_app \([0-9]\) |app\1: |' -e '1!d'
}

# show COMMAND…: as typed, then what it says, as it says it. The exit code is
# in $code.
show() {
	printf '\n%s$ %s%s\n' "$bold" "$(typed "$@")" "$plain"
	{
		"$@" 2>&1
		echo $? >"$T/code"
	} </dev/null | tee "$T/said" | sed -u 's/^/    /; s/ *$//'
	code=$(cat "$T/code")
}
good() {
	show "$@"
	[ "$code" -eq 0 ] || stop "exit code $code, wanted 0"
}
refused() {
	show "$@"
	[ "$code" -ne 0 ] || stop "that should have been refused"
	echo "    (exit code $code)"
}

# --- the developer ---------------------------------------------------------

manage() { (cd "$dev" && PGDATABASE=dev .venv/bin/python manage.py "$@"); }

developer_start() {
	mkdir "$dev"
	cp -a "$here/shop/." "$dev"
	(cd "$dev" && SHOP_PACKAGES=$(echo "$deps"/venv/lib/python3.*/site-packages) \
	    sh deploy/build) || stop "no Python environment"
	cat >"$dev/sluice.ini" <<-END
	[project]
	settings = shop.settings
	python = .venv/bin/python
	END
	git -C "$dev" init -q
	manage makemigrations >"$T/make.log" 2>&1 || stop "$(cat "$T/make.log")"
	git -C "$dev" add -A
	git -C "$dev" commit -q -m "the shop"
	git -C "$dev" tag r1
}

edit() { # PATCH…
	for p; do
		git -C "$dev" apply "$here/$p.patch" || stop "$p does not apply"
	done
}

# --- the stage ---------------------------------------------------------------

stage_start() {
	servers=
	for n in 1 2 3; do
		app_host $n shop || stop "host $n does not start"
		servers="$servers app$n=$(host_addr $n):$(app_port $n)"
	done
	url=http://$(host_addr 0):$(free_port "$(host_addr 0)")
	# shellcheck disable=SC2086
	balancer_config "$T/haproxy.sock" "${url#http://}" $servers \
	    >"$T/haproxy.cfg"
	haproxy_start "$T/haproxy.cfg" || stop "no balancer"
	# The folder that release 3 wants: nobody made it on the second host.
	mkdir "$T/host1/srv/shared/receipts" "$T/host3/srv/shared/receipts"
	{
		cat <<-END
		[project]
		settings = shop.settings

		[server]
		branches = main
		deploy = main:production

		[target production]
		database = host=$PGHOST user=postgres dbname=shop
		path = /srv/shop
		user = $me
		identity = $T/ssh/id
		known_hosts = $T/ssh/known_hosts
		env = shared/env
		build = sh deploy/build
		restart = sh deploy/restart
		health = python3 deploy/health
		haproxy = $T/haproxy.sock
		batches = 1
		drain_timeout = 10s
		health_timeout = 8s
		END
		for n in 1 2 3; do
			ini_host $n production shop/app$n
		done
	} >"$conf"
	git init -q --bare "$bare"
	git -C "$bare" config sluice.config "$conf"
	git -C "$dev" remote add origin "$bare"
	tell "three hosts with sshd: $(host_addr 1), $(host_addr 2), $(host_addr 3)"
	tell "haproxy: $url (no request is sent twice, no answer is retried)"
}

operator() { (cd "$bare" && SLUICE_CONFIG=$conf "$@"); }
sluice_rollback() { operator sluice-rollback "$@"; }
sluice_status() { operator sluice-status "$@"; }

# serving RELEASE-COMMIT: all three hosts serve it.
serving() {
	want=$(git -C "$dev" rev-parse --short=12 "$1")
	for n in 1 2 3; do
		case $(readlink "$T/host$n/srv/current") in
		*"-$want") ;;
		*) stop "host $n serves $(readlink "$T/host$n/srv/current"), not $want" ;;
		esac
		answers "http://$(host_addr $n):$(app_port $n)/health/" ||
		    stop "host $n does not answer"
	done
	tell "all three hosts serve $1 ($want)"
}

# has TABLE.COLUMN yes|no: in the live database.
has() {
	is=$(sql shop "SELECT count(*) FROM information_schema.columns
	    WHERE table_name || '.' || column_name = '$1'")
	case $is$2 in
	1yes|0no) ;;
	*) stop "$1 in the database: $is, wanted $2" ;;
	esac
}

# --- the story ---------------------------------------------------------------

step_1() {
	chapter "1. Hooks, in the developer's clone and in the bare repository"
	cd "$dev" || stop "no clone"
	good sluice-install --client
	good sluice-install --server -C "$bare"
}

step_2() {
	chapter "2. Release 1 goes out by git push"
	good git push origin main
	git -C "$dev" fetch -q origin
	serving r1
	env_on_host='set -a; . shared/env; set +a; cd current'
	good host_run 1 "cd $T/host1/srv && $env_on_host && .venv/bin/python manage.py fill"
	wait_for 10 answers "$url/products/" || stop "the shop does not answer"
	phase 2_release_1
	traffic_start "$url"
	tell "customers come in: six at a time, reading and writing, until the end"
	sleep 4
}

step_3() {
	chapter "3. Release 2: what the hooks refuse, and a roll in two phases"
	phase 3_release_2
	tell "A new column, the usual way: NOT NULL, with a default in Python."
	edit 2a-channel
	good manage makemigrations orders -n channel
	good git add -A
	refused git commit -q -m "orders know their channel"

	tell "So the default goes into the database. And while at it: a nullable" \
	    "column, an index, a new table."
	git -C "$dev" rm -qf orders/migrations/0002_channel.py
	edit 2b-repair 2c-reviews
	good manage makemigrations -n reviews
	good git add -A
	good git commit -q -m "channel, reviews, weight, an index"
	show git show --format= --unified=0 -- '*/0002_reviews.py'

	tell "Then the tidying: a column goes, another becomes NOT NULL. In a" \
	    "hurry: no makemigrations, no hook."
	edit 2d-tidy
	good git commit -q --no-verify -a -m "nobody faxes"
	refused git push origin main
	good manage makemigrations -n tidy
	good git add -A
	good git commit -q -m "nobody faxes: the migration"
	git tag r2
	good git push origin main
	serving r2
	has orders_customer.fax no
	has orders_order.channel yes
}

step_4() {
	chapter "4. Release 3 is not healthy on the second host"
	phase 4_release_3
	edit 3-receipts
	good manage makemigrations -n receipts
	good git add -A
	good git commit -q -m "receipts are written to a folder"
	git tag r3
	show git push origin main
	serving r2
	has orders_order.receipt yes
	tell "The hosts went back by themselves; the new nullable column stays."
}

step_5() {
	chapter "5. Release 4 is deployed whole, and then taken back"
	phase 5_release_4
	edit 4a-coupons
	good manage makemigrations -n coupons
	edit 4b-phone
	good manage makemigrations -n phone
	good git add -A
	good git commit -q -m "coupons; the folder is made when missing"
	git tag r4
	good git push origin main
	serving r4
	has orders_order.coupon_id yes
	sleep 2
	tell "A person wants it back. That would lose what the new table holds:" \
	    "it is said before anything is touched, and has to be accepted."
	refused sluice_rollback production
	tell "The unsafe migration goes first, then the hosts, then the safe one."
	good sluice_rollback production --accept orders.0005_coupons
	serving r2
	has orders_order.coupon_id no
	has orders_order.receipt yes
	good sluice_status production
	sleep 2
	traffic_stop
	phase idle
}

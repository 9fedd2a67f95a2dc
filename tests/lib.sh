# What every test stands on: a private folder, private servers, TAP, and a
# clean-up that ends exactly what was started here.
#
#	. "${0%/*}/lib.sh"
#
# Gives: $top the source tree, $bin the built programs (first on PATH), $T the
# private folder, $PY Python with Django, and the functions below.
# shellcheck shell=sh

top=${top:-$(cd "${0%/*}/.." && pwd)}
bin=${SLUICE_BUILD:-$top/build}
deps=$top/.deps
PY=$deps/venv/bin/python
pgbin=${PGBIN:-/usr/lib/postgresql/15/bin}
me=$(id -un)
T=$(mktemp -d "${TMPDIR:-/tmp}/sluice.XXXXXX") || exit 3
chmod 711 "$T"		# the postgres user walks through it

# Nothing of the person's own settings reaches a test.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_PREFIX
unset PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGSERVICE PGOPTIONS
unset DJANGO_SETTINGS_MODULE PYTHONPATH SLUICE_CONFIG NO_COLOR
export HOME="$T/home" LC_ALL=C.UTF-8 GIT_CONFIG_NOSYSTEM=1 PYTHONNOUSERSITE=1
export SLUICE_EXEC_PATH="$bin" PYTHONDONTWRITEBYTECODE=1
export PATH="$bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
export SLUICE_TEST="$T"	# how clean-up knows our processes
mkdir "$HOME" && printf '%s\n' '[user]' 'name = Test' \
    'email = test@example.org' '[init]' 'defaultBranch = main' '[advice]' \
    'detachedHead = false' '[safe]' 'directory = *' >"$HOME/.gitconfig"

# --- clean-up -------------------------------------------------------------

# at_exit COMMAND: run when the test ends in whatever way, last one first.
at_exit() {
	undo="$*
${undo-}"
}

# Every process that was started with our SLUICE_TEST in its environment: on
# the hosts too, since sshd sets it. The test's own shell is not one of them.
ours() {
	grep -lzxF "SLUICE_TEST=$T" /proc/[0-9]*/environ 2>/dev/null |
	    cut -d/ -f3
}

end_ours() {
	for sig in TERM KILL KILL; do
		again=
		for p in $(ours); do
			kill -"$sig" "$p" 2>/dev/null && again=1
		done
		[ -n "$again" ] || break
		wait_for 2 none_of_ours || :
	done
}
none_of_ours() { [ "$(ours | wc -l)" -le 2 ]; }	# its own grep and cut

clean_up() {
	code=$?
	trap '' INT TERM HUP
	trap - EXIT
	cd / || :
	eval "${undo-}"
	end_ours
	if [ -n "${KEEP-}" ]; then
		echo "# kept: $T" >&2
	else
		rm -rf "$T"
	fi
	exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- TAP ------------------------------------------------------------------

tests=0
bad=0

plan() { echo "1..$1"; }
diag() { sed 's/^/# /'; }
done_testing() {
	echo "1..$tests"
	[ "$bad" -eq 0 ]
}
skip_all() {
	echo "1..0 # skip $*"
	exit 0
}
pass() {
	tests=$((tests + 1))
	echo "ok $tests - $1"
}
fail() {
	tests=$((tests + 1)) bad=$((bad + 1))
	echo "not ok $tests - $1"
}

# run COMMAND…: stdout to $T/out, stderr to $T/err, the exit code to $code.
run() {
	code=0
	"$@" >"$T/out" 2>"$T/err" || code=$?
}
told() {
	{ echo "exit code $code"; cat "$T/out" "$T/err"; } | diag
}

# ok DESCRIPTION COMMAND…: it must exit 0.
ok() { exits 0 "$@"; }

# exits CODE DESCRIPTION COMMAND…
exits() {
	want=$1 what=$2
	shift 2
	run "$@"
	if [ "$code" -eq "$want" ]; then
		pass "$what"
	else
		fail "$what"
		echo "# wanted exit code $want from: $*"
		told
	fi
}

# is GOT WANT DESCRIPTION
is() {
	if [ "$1" = "$2" ]; then
		pass "$3"
	else
		fail "$3"
		printf 'wanted: %s\n   got: %s\n' "$2" "$1" | diag
	fi
}

# said PATTERN DESCRIPTION: what the last run printed (both streams) matches
# the extended regular expression.
said() {
	if cat "$T/out" "$T/err" | grep -Eq -- "$1"; then
		pass "$2"
	else
		fail "$2"
		echo "# wanted: $1"
		told
	fi
}

not_said() {
	if cat "$T/out" "$T/err" | grep -Eq -- "$1"; then
		fail "$2"
		echo "# not wanted: $1"
		told
	else
		pass "$2"
	fi
}

# --- small help -----------------------------------------------------------

# wait_for SECONDS COMMAND…: until it exits 0.
wait_for() {
	tries=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

# An own /24 of loopback, so that two runs at once never meet.
net=127.$(od -An -N2 -tu1 /dev/urandom |
    awk '{ print 1 + $1 % 250 "." 1 + $2 % 250 }')

# free_port [ADDRESS]: one that nobody listens on, asked by binding 0.
free_port() {
	/usr/bin/python3 -c 'import socket, sys
s = socket.socket(); s.bind((sys.argv[1], 0)); print(s.getsockname()[1])' \
	    "${1:-127.0.0.1}"
}

need_django() {
	[ -x "$PY" ] || skip_all "no Django here: run 'sh tests/setup.sh'"
}

# --- PostgreSQL -----------------------------------------------------------

# The server refuses to run as root: then it runs as postgres.
as_pg() {
	if [ "$(id -u)" -eq 0 ]; then
		runuser -u postgres -- env -u SLUICE_TEST "$@"
	else
		env -u SLUICE_TEST "$@"
	fi
}

# initdb takes seconds, a copy of its result does not. Made once, beside the
# other build products, by whoever comes first.
pg_template() {
	pgtpl=$top/build/pg-$me
	[ ! -d "$pgtpl" ] || return 0
	mkdir -p "$top/build" "$T/tpl"
	[ "$(id -u)" -ne 0 ] || chown postgres "$T/tpl"
	(cd "$T/tpl" && as_pg "$pgbin/initdb" -D "$T/tpl/data" -U postgres \
	    -A trust -E UTF8 --locale=C.UTF-8 --no-sync --wal-segsize=4) \
	    >"$T/tpl.log" 2>&1 || { diag <"$T/tpl.log" >&2; return 1; }
	cp -a "$T/tpl/data" "$pgtpl.$$" && rm -rf "$T/tpl"
	mv -T "$pgtpl.$$" "$pgtpl" 2>/dev/null || rm -rf "$pgtpl.$$"
}

# pg_start [SETTING…]: a private cluster on a socket in $PGHOST, one
# superuser postgres, no password; e.g. pg_start fsync=on.
pg_start() {
	pg_template || return 1
	mkdir "$T/pg" "$T/pg/run"
	cp -a "$pgtpl" "$T/pg/data"
	chmod 755 "$T/pg" "$T/pg/run"
	[ "$(id -u)" -ne 0 ] || chown postgres "$T/pg" "$T/pg/run"
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$T/pg/run'"
		echo "max_connections = 100"
		echo "fsync = off"
		echo "shared_buffers = 32MB"
		echo "log_lock_waits = on"
		for set; do
			echo "$set"
		done
	} >>"$T/pg/data/postgresql.conf"
	export PGHOST="$T/pg/run" PGUSER=postgres PGDATABASE=postgres
	at_exit pg_stop immediate
	pg_up
}

pg_up() {
	(cd "$T/pg" && as_pg "$pgbin/pg_ctl" -D "$T/pg/data" -w -t 30 \
	    -l "$T/pg/log" start) >"$T/pg.out" 2>&1 || {
		cat "$T/pg.out" "$T/pg/log" | diag >&2
		return 1
	}
}

# pg_stop [smart|fast|immediate]
pg_stop() {
	[ ! -f "$T/pg/data/postmaster.pid" ] ||
	    (cd "$T/pg" && as_pg "$pgbin/pg_ctl" -D "$T/pg/data" -w -t 30 \
	    -m "${1:-fast}" stop) >/dev/null 2>&1
}

# sql [DATABASE] STATEMENT: bare rows on stdout.
sql() {
	[ $# -lt 2 ] || { set -- "$2" "$1"; }
	"$pgbin/psql" -XqAt -v ON_ERROR_STOP=1 -d "${2:-$PGDATABASE}" -c "$1"
}

# --- hosts: each a real sshd on its own address ----------------------------

# The key that lets us in, and the file of the hosts' keys.
ssh_identity() {
	[ ! -f "$T/ssh/id" ] || return 0
	mkdir -m 700 "$T/ssh"
	ssh-keygen -q -t ed25519 -N '' -C test -f "$T/ssh/id"
	: >"$T/ssh/known_hosts"
}

# host_addr N: the address of host number N.
host_addr() { echo "$net.$((10 + $1))"; }

# host_start N: $T/hostN, sshd at host_addr N, its port in $T/hostN/port, its
# key in $T/ssh/known_hosts. Logs in as whoever runs the test.
host_start() {
	ssh_identity
	h=$T/host$1 a=$(host_addr "$1")
	mkdir -p "$h"
	[ -f "$h/port" ] || free_port "$a" >"$h/port"
	if [ ! -f "$h/key" ]; then
		ssh-keygen -q -t ed25519 -N '' -C "host$1" -f "$h/key"
		echo "[$a]:$(cat "$h/port") $(cut -d' ' -f1,2 "$h/key.pub")" \
		    >>"$T/ssh/known_hosts"
	fi
	cat >"$h/sshd_config" <<-END
	ListenAddress $a:$(cat "$h/port")
	HostKey $h/key
	PidFile $h/pid
	AuthorizedKeysFile $T/ssh/id.pub
	StrictModes no
	UsePAM $(sshd_pam)
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	PermitRootLogin yes
	MaxStartups 100
	PrintMotd no
	SetEnv SLUICE_TEST=$T
	LogLevel VERBOSE
	END
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
	at_exit "host_stop $1 all"
	/usr/sbin/sshd -f "$h/sshd_config" -E "$h/log" || return 1
	wait_for 10 test -s "$h/pid" || { diag <"$h/log" >&2; return 1; }
}

# Without PAM sshd refuses an account that is locked in /etc/shadow.
sshd_pam() {
	case $(getent shadow "$me" 2>/dev/null | cut -d: -f2) in
	!*) echo yes ;;
	*) echo no ;;
	esac
}

# host_stop N: no new connections; `host_stop N all` cuts the open ones too.
host_stop() {
	p=$(cat "$T/host$1/pid" 2>/dev/null) || return 0
	kids=
	[ "${2-}" != all ] || kids=$(tr '\n' ' ' </proc/"$p"/task/"$p"/children)
	# shellcheck disable=SC2086
	kill $p $kids 2>/dev/null || :
	rm -f "$T/host$1/pid"
}

# host_run N COMMAND…: by ssh(1), to look at what stands there.
host_run() {
	n=$1
	shift
	ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -i "$T/ssh/id" \
	    -o UserKnownHostsFile="$T/ssh/known_hosts" \
	    -p "$(cat "$T/host$n/port")" "$me@$(host_addr "$n")" "$@"
}

# ini_host N TARGET [BALANCER]: the section for sluice.ini. The target wants
# identity = $T/ssh/id, known_hosts = $T/ssh/known_hosts, user = $me.
ini_host() {
	printf '\n[host app%s]\ntarget = %s\naddress = %s\nport = %s\n' \
	    "$1" "$2" "$(host_addr "$1")" "$(cat "$T/host$1/port")"
	echo "path = $T/host$1/srv"
	[ -z "${3-}" ] || echo "balancer = $3"
}

# --- haproxy --------------------------------------------------------------

# haproxy_start FILE: the configuration names its own sockets and ports.
haproxy_start() {
	haproxy -c -q -f "$1" >"$T/haproxy.log" 2>&1 || {
		diag <"$T/haproxy.log" >&2
		return 1
	}
	haproxy -db -f "$1" >"$T/haproxy.log" 2>&1 &
	echo $! >"$T/haproxy.pid"
	at_exit "kill $! 2>/dev/null"
}

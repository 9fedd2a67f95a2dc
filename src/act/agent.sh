# What stands on a host while a deploy talks to it: sent once per connection,
# kept as .sluice/agent.sh, because a step runs in a session of its own that
# outlives the connection. One request line, one reply line: "ok …" it is so,
# "no …" it is not, "err …" it cannot be told. Names are checked, commands are
# data: nothing from outside is evaluated here.
# shellcheck shell=sh

say() { printf '%s\n' "$*" >&3; }

# A word "=text" with every odd byte as \0ooo.
data() { printf '%b' "${1#=}"; }

# Several lines of whatever as one, bounded; the other side cuts at \036.
one_line() {
	tail -n "${1:-12}" | tr '\000-\011\013-\037\177' '?' |
	    tail -c 800 | tr '\n' '\036'
}

is_name() {
	case $1 in
	'' | .* | -* | *[!A-Za-z0-9._-]*) return 1 ;;
	esac
}

now() { date +%s; }
# Short at first: most steps are over soon.
nap() {
	naps=$((${naps:-0} + 1))
	if [ "$naps" -lt 20 ]; then
		sleep 0.03 2>/dev/null || sleep 1
	else
		sleep 0.25 2>/dev/null || sleep 1
	fi
}
# To the disk: these files and folders, or everything below.
flush() { sync "$@" 2>/dev/null || sync; }

# --- what there is --------------------------------------------------------

whole() { [ -f "releases/$1/.sluice-release" ]; }
marked() { sed -n "s/^$2 //p" "releases/$1/.sluice-release" 2>/dev/null; }
linked() {
	l=$(readlink current 2>/dev/null) || l=
	l=${l##*/}
	is_name "$l" && echo "$l" || echo -
}
# Written when a switch is over, removed when one begins: the link alone does
# not say that the restart was made.
live() { cat .sluice/live 2>/dev/null || echo -; }
is_live() { [ "$(linked)" = "$1" ] && [ "$(live)" = "$1" ]; }

# Processes whose folder or program lies in another release.
strangers() {
	# shellcheck disable=SC2012
	ls -ld /proc/[0-9]*/cwd /proc/[0-9]*/exe 2>/dev/null |
	    sed -n 's,^.* /proc/\([0-9]*\)/[a-z]* -> ,\1 ,p' |
	    while read -r pid at; do
		case "$at/" in
		"$path/releases/$1/"* | "$path/releases/$1 (deleted)/") ;;
		"$path/releases/"*)
			at=${at#"$path/releases/"}
			echo "$pid ($(cat "/proc/$pid/comm")) of ${at%%[/ ]*}" ;;
		esac
	    done 2>/dev/null | sort -u
}

# --- one deploy at a time -------------------------------------------------

# The lease's serial of the newest deploy that was here, whoever is still
# connected: an older one acts no more. 0 in $serial: only looks.
newest() {
	n=$(cat .sluice/serial 2>/dev/null) || n=
	echo "${n:-0}"
}
older() { echo "a newer deploy (number $(newest)) has this host, ours is $serial"; }
raise() {
	at=$(newest)
	[ "$serial" -ge "$at" ] || return 9
	[ "$serial" -gt "$at" ] || return 0
	echo "$serial" >.sluice/serial.new && flush .sluice/serial.new &&
	    mv -f .sluice/serial.new .sluice/serial && flush .sluice
}

# Nobody else on this host meanwhile; what is started must close 9.
locked() {
	exec 9>>.sluice/lock && flock 9 || return 8
	"$@"
	set -- $?
	exec 9>&-
	return "$1"
}
# The same, and 9 if a newer deploy has come.
if_newest() {
	[ "$serial" -gt 0 ] && [ "$serial" -ge "$(newest)" ] || return 9
	"$@"
}
alone() { locked if_newest "$@"; }

# --- steps: a session of their own, a log, an end that stays --------------

# When a process began; nothing when it is gone or a zombie.
began() {
	if [ -d /proc/self ]; then
		stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
		# shellcheck disable=SC2086
		set -- ${stat##*) }
		[ "$1" != Z ] && echo "${20}"
	else
		kill -0 "$1" 2>/dev/null && echo 0
	fi
}

# Its process, when it runs.
running() {
	read -r pid when <".sluice/$1.pid" && [ -n "$when" ] &&
	    [ "$(began "$pid")" = "$when" ]
} 2>/dev/null

# In the new session: the work, then its exit code by rename. What the
# configuration says comes in a file: everybody can see a command line.
step_main() {
	step=$1
	shift
	path=$(pwd -P)
	echo "$$ $(began $$)" >".sluice/$step.pid"
	{ IFS= read -r host && IFS= read -r root && IFS= read -r env; } \
	    <".sluice/$step.job"
	"$@"
	echo $? >".sluice/$step.rc.new"
	mv -f ".sluice/$step.rc.new" ".sluice/$step.rc"
	rm -f ".sluice/$step.pid"
}

others() {
	for f in .sluice/*.pid; do
		f=${f#.sluice/}
		f=${f%.pid}
		[ "$f" != "$1" ] && running "$f" && return 0
	done
	return 1
}

# One at a time, under the lock. 0: it runs, as $started. 1: not its turn.
start() {	# NAME COMMAND WORK…
	if running "$1"; then
		started=$pid
		return 0
	fi
	others "$1" && return 1
	rm -f ".sluice/$1.rc" ".sluice/$1.pid" ".sluice/$1.job" ".sluice/$1.sh"
	(
		umask 077
		printf '%s\n' "$host" "$root" "$env" >".sluice/$1.job"
		printf '%s\n' "$2" >".sluice/$1.sh"
	) || return 1
	job=$1
	shift 2
	$setsid sh .sluice/agent.sh step "$job" "$@" </dev/null \
	    >".sluice/$job.log" 2>&1 3>&- 9>&- &
	started=$!
	echo "$started $(began "$started")" >".sluice/$job.pid"
	[ ! -f ".sluice/$job.rc" ] || rm -f ".sluice/$job.pid"
	return 0
}

# step NAME SECONDS COMMAND WORK…: starts it, or joins it where it runs. $rc
# is its exit code, "late" (then it was ended), "lost" (killed), "busy" or
# "older".
step() {
	name=$1 end=$(($(now) + $2)) naps=0
	shift 2
	until alone start "$name" "$@"; do
		if_newest true || { rc=older; return; }
		[ "$(now)" -lt "$end" ] || { rc=busy; return; }
		nap
	done
	until [ -f ".sluice/$name.rc" ]; do
		if ! began "$started" >/dev/null; then
			[ -f ".sluice/$name.rc" ] || { rc=lost; return; }
		elif [ "$(now)" -ge "$end" ]; then
			kill -TERM "-$started" 2>/dev/null
			nap
			kill -KILL "-$started" 2>/dev/null
			rc=late
			return
		fi
		nap
	done
	read -r rc <".sluice/$name.rc"
}

# The reply for a step that did not end with 0.
failed() {
	case $rc in
	late) said="did not end in $2 s and was stopped" ;;
	lost) said="was killed" ;;
	busy) said="waited in vain for another step on this host" ;;
	older) said=$(older) ;;
	*) said="exit code $rc" ;;
	esac
	[ "$rc" = busy ] || [ "$rc" = older ] || said="$said: $(one_line <".sluice/$name.log")"
	say "no $1 $said"
}

# --- work: runs in step_main ----------------------------------------------

# KEY=VALUE lines, quotes around a value taken off, nothing expanded.
load_env() {
	[ -n "$env" ] || return 0
	[ -f "$path/$env" ] || {
		echo "there is no $path/$env, which 'env' names"
		return 1
	}
	n=0
	while IFS= read -r line || [ -n "$line" ]; do
		n=$((n + 1))	# told instead of the line: it may be a secret
		line=${line%"$cr"}
		line=${line#export }
		case $line in
		'' | '#'*) continue ;;
		[A-Za-z_]*=*) ;;
		*) echo "$env: line $n is not KEY=VALUE"; return 1 ;;
		esac
		value=${line#*=}
		case $value in
		\"*\") value=${value#\"} value=${value%\"} ;;
		\'*\') value=${value#\'} value=${value%\'} ;;
		esac
		case ${line%%=*} in
		*[!A-Za-z0-9_]*) echo "$env: line $n is not KEY=VALUE"; return 1 ;;
		esac
		export "${line%%=*}=$value"
	done <"$path/$env"
}

# in_release ID: the step's command, as the configuration says it runs.
in_release() (
	[ "$(cat ".sluice/$step.sh")" ] || exit 0
	cd "releases/$1/$root" || exit 1
	load_env || exit 1
	SLUICE_RELEASE=$1 SLUICE_PATH=$path SLUICE_HOST=$host
	SLUICE_COMMIT=${commit:-$(cd "$path" && marked "$1" commit)}
	export SLUICE_RELEASE SLUICE_PATH SLUICE_HOST SLUICE_COMMIT
	exec sh "$path/.sluice/$step.sh"
)

# At its final place: what is built there cannot be moved. The marker comes
# last, when all else is on the disk.
work_build() {	# ID COMMIT SHA
	commit=$2
	rm -rf "releases/$1" && mkdir "releases/$1" &&
	    tar -xof ".sluice/$1.tar" -C "releases/$1" &&
	    rm -f "releases/$1/.sluice-release" "releases/$1/.sluice-new" ||
	    return 1
	in_release "$1" || return
	printf 'release %s\ncommit %s\nsha256 %s\n' "$1" "$2" "$3" \
	    >"releases/$1/.sluice-new" && flush -f . &&
	    mv -f "releases/$1/.sluice-new" "releases/$1/.sluice-release" &&
	    flush "releases/$1" && rm -f ".sluice/$1.tar"
}

# Another agent, of a link that was lost, may have switched while we waited for
# our turn: what is restarted and attested is what the link names, or nothing.
still_linked() {	# ID
	[ "$(linked)" = "$1" ] || {
		echo "another switch came in between: $(linked) is linked"
		return 1
	}
}
mark_live() {	# ID
	still_linked "$1" || return
	echo "$1" >.sluice/live.new && mv -f .sluice/live.new .sluice/live
}
work_restart() {	# ID
	still_linked "$1" || return
	in_release "$1" || return
	locked mark_live "$1"
}

work_command() { in_release "$1"; }	# ID

# --- requests -------------------------------------------------------------

do_hello() {	# =PATH HOST SERIAL =ROOT =ENV =BUILD =RESTART =HEALTH
	path='' host=$2 serial=$3
	at=$(data "$1") root=$(data "$4") env=$(data "$5")
	build=$(data "$6") restart=$(data "$7") health=$(data "$8")
	case $at in
	/*) ;;
	*) say "sluice-agent err the path is not absolute: $at"; return ;;
	esac
	if ! why=$(mkdir -p "$at/releases" "$at/shared" "$at/.sluice" 2>&1 &&
	    chmod 700 "$at/.sluice" 2>&1) || ! cd "$at"; then
		say "sluice-agent err $(echo "$why" | one_line 1)"
		return
	fi
	if [ "$serial" -gt 0 ] && ! locked raise; then
		say "sluice-agent err $(command -v flock >/dev/null && older ||
		    echo "flock is missing (it comes with util-linux)")"
		return
	fi
	if ! printf '%s\n' "${agent-}" >".sluice/agent.$$" ||
	    ! mv -f ".sluice/agent.$$" .sluice/agent.sh; then
		say "sluice-agent err $at cannot be written to"
		return
	fi
	path=$(pwd -P)
	say "sluice-agent ok $(id -un)"
}

do_probe() {
	missing=
	for tool in tar dd sed tr tail readlink sha256sum flock; do
		command -v "$tool" >/dev/null || missing=$missing,$tool
	done
	[ -n "$setsid" ] || missing=$missing,setsid
	free=$(df -Pk . | awk 'NR == 2 { print $4 }')
	# when it was switched last, and from what
	last=$(awk -v to="$(linked)" '$4 == to { l = "switched=" $1 " before=" $3 }
	    END { print l }' .sluice/journal 2>/dev/null)
	say "ok time=$(now) free=${free:-0} missing=${missing#,}" \
	    "serial=$(newest) $last"
}

do_current() { say "ok $(linked) $(live)"; }

do_list() {
	found=
	for d in releases/*/; do
		d=${d#releases/}
		d=${d%/}
		is_name "$d" && whole "$d" && found="$found $d"
	done
	say "ok$found"
}

do_need() {	# ID SHA
	if whole "$1"; then
		if [ "$(marked "$1" sha256)" = "$2" ]; then
			say ok staged
		else
			say "err release $1 is here with other content"
		fi
	elif running "build-$1" || [ -f ".sluice/$1.tar" ]; then
		say ok build
	else
		say ok send
	fi
}

# Exactly N bytes of stdin into a file; a short read must not end it.
receive() {	# FILE N
	: >"$1" || return
	if [ "$(echo ab | dd bs=2 count=1 iflag=fullblock 2>/dev/null)" = ab ]
	then
		{
			[ "$2" -lt 65536 ] || dd bs=65536 \
			    count=$(($2 / 65536)) iflag=fullblock 2>/dev/null
			[ $(($2 % 65536)) -eq 0 ] || dd bs=$(($2 % 65536)) \
			    count=1 iflag=fullblock 2>/dev/null
		} >"$1"
	else
		got=0
		while [ "$got" -lt "$2" ]; do
			n=$(($2 - got)) was=$got
			[ "$n" -le 65536 ] || n=65536
			dd bs="$n" count=1 2>/dev/null >>"$1"
			got=$(($(wc -c <"$1")))
			[ "$got" -gt "$was" ] || break
		done
	fi
	[ $(($(wc -c <"$1"))) -eq "$2" ]
}

do_put() {	# ID SHA SIZE, then the bytes
	part=.sluice/$1.part$$
	receive "$part" "$3" || {
		say "err only $(($(wc -c <"$part"))) of $3 bytes" \
		    "arrived, $(df -Pk . | awk 'NR == 2 { print $4 }') KB free"
		rm -f "$part"
		exit 1		# what comes next is not a request
	}
	sum=$(sha256sum <"$part")
	if [ "${sum%% *}" != "$2" ]; then
		say "err the upload's digest is ${sum%% *}, not $2"
	elif alone mv -f "$part" ".sluice/$1.tar"; then
		say ok
	else
		say "err $(older)"
	fi
	rm -f "$part"
}

do_build() {	# ID COMMIT SHA SECONDS
	whole "$1" && { say ok; return; }
	step "build-$1" "$4" "$build" work_build "$1" "$2" "$3"
	if [ "$rc" = 0 ] && whole "$1"; then
		say ok
	else
		failed "the build of $1:" "$4"
	fi
}

relink() {	# ID; who may have been here while the ledger was not at hand
	echo "$(now) $serial $(linked) $1" >>.sluice/journal
	rm -f .sluice/live .current.new
	ln -s "releases/$1" .current.new && mv -fT .current.new current &&
	    flush .
}

do_switch() {	# ID SECONDS
	whole "$1" || { say "err release $1 is not on this host"; return; }
	# a step that has marked it and not yet ended is not to be joined: it
	# may be gone by then, and the restart would be made again
	is_live "$1" && { say ok; return; }
	if ! running "restart-$1"; then
		if ! alone relink "$1"; then
			why="cannot switch the link $path/current"
			if_newest true || why=$(older)
			say "err $why"
			return
		fi
	fi
	step "restart-$1" "$2" "$restart" work_restart "$1"
	if [ "$rc" = 0 ] && is_live "$1"; then
		say ok
	else
		failed "the restart on $1:" "$2"
	fi
}

do_health() {	# ID SECONDS
	is_live "$1" || { say "no release $1 is not live here"; return; }
	step "health-$1" "$2" "$health" work_command "$1"
	if [ "$rc" = 0 ]; then
		say ok
	else
		failed "not healthy:" "$2"
	fi
}

do_attest() {	# ID
	if ! is_live "$1"; then
		say "no it serves $(linked), not $1"
		return
	fi
	old=$(strangers "$1")
	if [ -n "$old" ]; then
		say "no still running from an older release: $(
		    echo "$old" | one_line 5)"
	else
		say ok
	fi
}

drop() {	# ID: the marker first, so that half of it never counts
	running "build-$1" && return 1
	rm -f "releases/$1/.sluice-release" && rm -rf "releases/$1"
	rm -f ".sluice/$1.tar" ".sluice/$1.part"* ".sluice/build-$1".* \
	    ".sluice/restart-$1".* ".sluice/health-$1".*
}

do_prune() {	# KEEP PROTECTED…
	keep=$1 have=0 gone=0
	shift
	safe=" $* $(linked) $(live) "
	# shellcheck disable=SC2045
	for d in $(ls -r releases); do
		is_name "$d" || continue
		if whole "$d"; then
			have=$((have + 1))
			[ "$have" -gt "$keep" ] || continue
		fi
		case $safe in
		*" $d "*) continue ;;
		esac
		alone drop "$d" && gone=$((gone + 1))
	done
	tail -n 100 .sluice/journal >.sluice/journal.new 2>/dev/null &&
	    alone mv -f .sluice/journal.new .sluice/journal
	say "ok $gone"
}

# Every request's words are names or numbers by now, but for hello's.
request() {
	verb=$1
	shift
	[ "$verb" = hello ] && { do_hello "$@"; return; }
	[ -n "${path-}" ] || { say 'err no hello yet'; return; }
	for word; do
		is_name "$word" || { say 'err a word is not a name'; return; }
	done
	case $verb:$# in
	probe:0 | current:0 | list:0 | need:2 | put:3 | build:4 | switch:2 | \
	health:2 | attest:1 | prune:[1-9]*)
		case $verb in
		put | build | switch | health | prune)
			if_newest true || { say "err $(older)"; exit 1; } ;;
		esac
		"do_$verb" "$@" ;;
	*) say "err not a request: $verb" ;;
	esac
}

cr=$(printf '\r')
if [ "${1-}" = step ]; then
	shift
	step_main "$@"
	exit
fi
setsid=$(command -v setsid) || setsid=
exec 3>&1 >&2		# nobody but say() speaks to the other side
set -f
while read -r line; do
	# shellcheck disable=SC2086
	set -- $line
	set +f
	[ $# -eq 0 ] || request "$@"
	set -f
done

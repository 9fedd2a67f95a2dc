#!/bin/sh
# act/agent.sh under every sh that a host may have: releases are staged,
# switched, looked at, pruned; steps outlive their connection.
# shellcheck disable=SC2016,SC2089,SC2090
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"

size=$(wc -c <"$top/src/act/agent.sh")
# what is odd as \0ooo, as the other side sends it
word() { printf '%s' "$1" | od -An -v -to1 | tr -d '\n' | sed 's/ /\\0/g'; }
hello() {
	printf 'hello =%s app1 %s =%s =%s =%s =%s =%s\n' "$(word "$P")" \
	    "${serial-7}" "$(word "${root-.}")" "$(word "${env-}")" "$(word "${build-}")" \
	    "$(word "${restart-}")" "$(word "${health-}")"
}
# talk: requests on stdin, replies on stdout, the greeting left out
talk() {
	# shellcheck disable=SC2016,SC2086
	{ cat "$top/src/act/agent.sh"; hello; cat; } |
	    $shell -c 'agent=$(dd bs=1 count="$1" 2>/dev/null); shift
	    eval "$agent"' sluice "$size" | tr '\036' '|' |
	    sed '1{/^sluice-agent ok/d;}'
}
ask() { printf '%s\n' "$@" | talk; }

mkdir "$T/src" "$T/src/app"
echo 'print("hello")' >"$T/src/app/manage.py"
head -c 300000 /dev/urandom >"$T/src/app/data"
tar -cf "$T/r.tar" -C "$T/src" .
sha=$(sha256sum <"$T/r.tar" | cut -c1-64)
tarsize=$(wc -c <"$T/r.tar")
id() { echo "20261121T22000${1}Z-abcdef012345"; }
stage() {	# N [COMMIT]
	{
		echo "put $(id "$1") $sha $tarsize"
		cat "$T/r.tar"
		echo "build $(id "$1") ${2:-c0ffee} $sha 20"
	} | talk
}

links_to() { [ "$(readlink "$P/current")" = "releases/$1" ]; }

busybox=$(command -v busybox)
for shell in dash 'bash --posix' "$busybox sh"; do
	# a host of busybox has no other tools either; Debian's lacks flock
	case $shell in
	*busybox*)
		mkdir "$T/bb"
		busybox --install -s "$T/bb"
		[ -e "$T/bb/flock" ] || ln -s "$(command -v flock)" "$T/bb"
		export PATH="$T/bb" ;;
	esac
	n=${shell%% *} n=${n##*/}: P="$T/srv ${n%:}/it's"
	root=app env='' build='' restart='' health='' serial=7

	is "$(ask current list)" "ok - -
ok" "$n nothing yet"
	is "$(ask probe | sed 's/[0-9][0-9]*/N/g')" 'ok time=N free=N missing= serial=N ' \
	    "$n probe"
	is "$(ask 'need x;y z' 'frob' 'current a' 'put a b' \
	    'need ../x y' 'switch -x 1' | cut -d: -f1 | sort | uniq -c |
	    sed 's/^ *//')" "3 err a word is not a name
3 err not a request" "$n what is not a request"

	# --- stage
	is "$(ask "need $(id 1) $sha")" "ok send" "$n not there: send it"
	# shellcheck disable=SC2089
	build='pwd; echo "$SLUICE_RELEASE $SLUICE_COMMIT $SLUICE_HOST" >built
	    [ "$SLUICE_PATH/releases/$SLUICE_RELEASE/app" = "$PWD" ]'
	is "$(stage 1)" "ok
ok" "$n uploaded and built"
	cmp -s "$T/src/app/data" "$P/releases/$(id 1)/app/data"
	is $? 0 "$n the same bytes"
	is "$(cat "$P/releases/$(id 1)/app/built")" "$(id 1) c0ffee app1" \
	    "$n the build knows its release"
	is "$(ask "need $(id 1) $sha" "need $(id 1) x" list)" "ok staged
err release $(id 1) is here with other content
ok $(id 1)" "$n it is there now"
	is "$({ echo "put $(id 2) ${sha%?}x $tarsize"; cat "$T/r.tar"; } |
	    talk | cut -d, -f1)" "err the upload's digest is $sha" \
	    "$n another digest"
	is "$({ echo "put $(id 2) $sha $tarsize"; head -c 99999 "$T/r.tar"; } |
	    talk | cut -d' ' -f1-5)" "err only 99999 of $tarsize" "$n cut short"
	build='echo one; echo "two $(printf "\033[1m")" >&2; exit 3'
	is "$(stage 2 | tail -n 1)" "no the build of $(id 2): exit code 3: one|two ?[1m|" \
	    "$n a build that fails"
	is "$(ask list)" "ok $(id 1)" "$n it does not count"
	is "$(ask "need $(id 2) $sha")" "ok build" "$n but need not be sent again"
	build='sleep 30'
	is "$(ask "build $(id 2) x $sha 1" | sed 's/ |*$//')" \
	    "no the build of $(id 2): did not end in 1 s and was stopped:" \
	    "$n a build that takes too long"
	build=$(printf 'echo x >more\ntest -f manage.py')
	is "$(ask "build $(id 2) x $sha 10" list)" "ok
ok $(id 1) $(id 2)" "$n and then well"

	# --- the environment
	printf '%s\n' '# c' 'A=1 2' "B='\$x \"y'" 'export C="z"' '' \
	    >"$P/shared/env"
	env=shared/env health='echo "$A|$B|$C"; exit 1'
	is "$(ask "switch $(id 1) 9" "health $(id 1) 9" | tail -n 1)" \
	    "no not healthy: exit code 1: 1 2|\$x \"y|z|" \
	    "$n the environment file is data"
	# shellcheck disable=SC2016
	echo 'A$(id)=1' >>"$P/shared/env"
	is "$(ask "health $(id 1) 9")" \
	    "no not healthy: exit code 1: shared/env: line 6 is not KEY=VALUE|" \
	    "$n a bad line in it is told by its number: it may be a secret"
	rm "$P/shared/env"
	is "$(ask "health $(id 1) 9")" "no not healthy: exit code 1: there is no $P/shared/env, which 'env' names|" \
	    "$n no such file"
	env=''

	# --- switch
	is "$(readlink "$P/current")" "releases/$(id 1)" "$n the link"
	is "$(cut -d' ' -f2- "$P/.sluice/journal")" "7 - $(id 1)" \
	    "$n the journal"
	restart='sleep 300 & echo $! >"$SLUICE_PATH/pid"; date +%N >>"$SLUICE_PATH/again"'
	is "$(ask "switch $(id 2) 9" current "switch $(id 2) 9")" "ok
ok $(id 2) $(id 2)
ok" "$n switched"
	is "$(grep -c . "$P/again")" 1 "$n restarted once"
	kill -0 "$(cat "$P/pid")" 2>/dev/null
	is $? 0 "$n what the restart started lives on"
	is "$(ask "attest $(id 2)" "attest $(id 1)")" "ok
no it serves $(id 2), not $(id 1)" "$n attests"
	is "$(ask "health $(id 1) 9")" "no release $(id 1) is not live here" \
	    "$n health of another release"
	restart='echo broken; false'
	is "$(ask "switch $(id 1) 9" current)" "no the restart on $(id 1): exit code 1: broken|
ok $(id 1) -" "$n a restart that fails"
	restart=true
	is "$(ask "switch $(id 1) 9" current)" "ok
ok $(id 1) $(id 1)" "$n back"
	is "$(ask "attest $(id 1)")" \
	    "no still running from an older release: $(cat "$P/pid") (sleep) of $(id 2)|" \
	    "$n an old process is named"
	kill "$(cat "$P/pid")"
	wait_for 9 sh -c "! kill -0 $(cat "$P/pid")"
	is "$(ask "attest $(id 1)")" ok "$n until it ends"
	is "$(ask "switch $(id 7) 9")" "err release $(id 7) is not on this host" \
	    "$n a release that is not there"

	# --- command lines are for everybody to see
	health=': sEcReT; cat /proc/[0-9]*/cmdline >"$SLUICE_PATH/argv" 2>&1; :'
	is "$(ask "health $(id 1) 9")" ok "$n a command"
	is "$(grep -a -c sEcReT "$P/argv")" 0 "$n is in nobody's argv"
	is "$(stat -c %a "$P/.sluice/health-$(id 1).sh")" 600 "$n nor readable"
	health=''

	# --- one deploy at a time
	serial=9
	is "$(ask current)" "ok $(id 1) $(id 1)" "$n a newer deploy comes"
	serial=8
	is "$(ask current)" \
	    "sluice-agent err a newer deploy (number 9) has this host, ours is 8
err no hello yet" "$n an older one does not come in any more"
	serial=0
	is "$(ask current "switch $(id 2) 9" "prune 1 x")" "ok $(id 1) $(id 1)
err a newer deploy (number 9) has this host, ours is 0" \
	    "$n who only looks acts not"
	serial=10
	rm -f "$T/out"		# the shell's before left one
	mkfifo "$T/late"
	talk <"$T/late" >"$T/out" &
	exec 5>"$T/late"
	echo current >&5
	wait_for 30 grep -qx 10 "$P/.sluice/serial"
	serial=11
	is "$(ask current)" "ok $(id 1) $(id 1)" "$n one that is connected still"
	echo "switch $(id 2) 9" >&5
	exec 5>&-
	wait
	is "$(tail -n 1 "$T/out")" \
	    "err a newer deploy (number 11) has this host, ours is 10" \
	    "$n acts no more"
	is "$(readlink "$P/current")" "releases/$(id 1)" "$n nothing was switched"

	# one that waits for its turn meanwhile, and never gets it
	health='sleep 1.5; echo x >>"$SLUICE_PATH/looks"'
	ask "health $(id 1) 9" >"$T/out" &
	wait_for 30 test -f "$P/.sluice/health-$(id 1).pid"
	restart='echo x >>"$SLUICE_PATH/late"'
	ask "switch $(id 2) 9" >"$T/waits" &
	wait_for 30 links_to "$(id 2)"
	serial=12
	is "$(ask current)" "ok $(id 2) -" "$n its restart has not begun"
	wait
	is "$(cat "$T/waits")" \
	    "no the restart on $(id 2): a newer deploy (number 12) has this host, ours is 11" \
	    "$n a step that waits does not begin after a newer deploy came"
	is "$(cat "$P/late" 2>/dev/null)" "" "$n it has not acted"
	restart=true
	ask "switch $(id 1) 9" >"$T/null"

	# two at once: one step
	health='sleep 0.5; echo x >>"$SLUICE_PATH/both"'
	for i in 1 2 3; do
		ask "health $(id 1) 9" >"$T/both.$i" &
	done
	wait
	is "$(cat "$T/both.1" "$T/both.2" "$T/both.3" | sort -u)" ok \
	    "$n three agents at once"
	is "$(grep -c x "$P/both")" 1 "$n share one step"
	health=''
	rm -f "$T/late"

	# --- a lost connection
	build='echo x >>"$SLUICE_PATH/builds"; sleep 2; echo end'
	{
		{
			cat "$top/src/act/agent.sh"
			hello
			echo "put $(id 3) $sha $tarsize"
			cat "$T/r.tar"
			echo "build $(id 3) c $sha 20"
			sleep 20
		} | {
			# shellcheck disable=SC2016,SC2086
			$shell -c 'echo $$ >"$2"; agent=$(dd bs=1 count="$1" \
			    2>/dev/null); shift 2; eval "$agent"' \
			    sluice "$size" "$T/agentpid"
		} >"$T/lost" 2>&1
	} &
	wait_for 30 test -f "$P/builds"
	kill -9 "$(cat "$T/agentpid")"
	is "$(ask "need $(id 3) $sha")" "ok build" "$n the build outlives it"
	is "$(ask "build $(id 3) c $sha 20")" ok "$n and is joined"
	is "$(grep -c x "$P/builds")" 1 "$n it was built once"

	# --- prune
	build=''
	for i in 4 5; do
		stage "$i" >"$T/null"
	done
	mkdir "$P/releases/$(id 6)"
	is "$(ask "prune 2 $(id 3)" list)" "ok 2
ok $(id 1) $(id 3) $(id 4) $(id 5)" "$n pruned: the live and the protected stay"

	# --- a path that cannot be made
	P=/proc/nowhere
	case $(ask current) in
	'sluice-agent err '*) pass "$n a path that cannot be made" ;;
	*) fail "$n a path that cannot be made" ;;
	esac
done

done_testing

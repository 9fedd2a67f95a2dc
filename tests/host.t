#!/bin/sh
# The steps of hosts' lanes over a real sshd: stage, switch, health, census,
# prune; connections that are lost; keys that are accepted.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"

host_start 1
host_start 2
srv=$T/host1/srv
R1=20261121T220001Z-abcdef012345 R2=20261121T220002Z-abcdef012345

# ini [LINE…]: below [target]; the folder is the host's own
ini() {
	{
		printf '%s\n' '[project]' 'root = app' 'settings = s' \
		    '[target production]' 'database = dbname=shop' \
		    "path = $T/srv" "user = $me" "identity = $T/ssh/id" \
		    "known_hosts = $known" 'connect_timeout = 3s' \
		    'step_timeout = 20s' 'health_timeout = 3s' \
		    'drain_timeout = 0' "$@"
		ini_host 1 production
	} >"$T/sluice.ini"
}
known=$T/ssh/known_hosts
second() { ini_host 2 production >>"$T/sluice.ini"; }
play() {
	printf '%s\n' "$@" |
	    "$bin/unit/lane" "$T/sluice.ini" "$T/r.tar" >"$T/out" 2>"$T/err"
}
answers() { tr '\n' ' ' <"$T/out"; }

mkdir "$T/src" "$T/src/app"
head -c 5000000 /dev/urandom >"$T/src/app/data"
tar -cf "$T/r.tar" -C "$T/src" .

# --- the way of a release ---------------------------------------------------

# shellcheck disable=SC2016
ini 'build = echo building; sleep 0.2; echo $SLUICE_COMMIT >built' \
    'restart = sleep 300 & echo $! >"$SLUICE_PATH/pid"' \
    'health = test -f "$SLUICE_PATH/well"'
play "ask stage app1 $R1 staged" "make stage app1 $R1 staged" \
    "ask stage app1 $R1 staged" "make stage app1 $R1 staged"
is "$(answers)" "no yes yes yes " "staged"
ok "the same bytes" cmp "$T/src/app/data" "$srv/releases/$R1/app/data"
is "$(cat "$srv/releases/$R1/app/built")" c0ffee "built in its place"
play "ask current app1 current $R1" "make current app1 current $R1" \
    "ask current app1 current $R1" "ask current app1 current $R2"
is "$(answers)" "no yes yes no " "current"
before=$(date +%s)
play "ask health app1 $R1 healthy" "make health app1 $R1 healthy"
is "$(head -n 1 "$T/out")" no "not healthy"
said "app1: not well after 3 s: .*exit code 1" "for as long as it may take"
is "$(($(date +%s) - before < 8))" 1 "and no longer"
(sleep 1; : >"$srv/well") &
play "make health app1 $R1 healthy" "ask health app1 $R1 healthy"
is "$(answers)" "yes yes " "it becomes healthy"
play "make stage app1 $R2 staged" "make current app1 current $R2" \
    "ask census db hosts $R2" "ask census db hosts $R1"
is "$(answers)" "yes yes no no " "the old release's process still runs"

ini 'restart = true'
sed -i 's/^drain_timeout.*/drain_timeout = 1s/' "$T/sluice.ini"
play "make census app1 hosts $R2"
said "not every host serves $R2 alone: app1: still running from an older release: [0-9]+ \(sleep\) of $R1" \
    "the census names it"
# shellcheck disable=SC2046
kill $(ps -eo pid,args | awk '/[s]leep 300/ { print $1 }' | while read -r p; do
	readlink "/proc/$p/cwd" | grep -q "^$srv/releases/$R1" && echo "$p"
done)
play "make census app1 hosts $R2" "make prune app1 releases 1" view
is "$(head -n 2 "$T/out" | tr '\n' ' ')" "yes yes " "until it ends; pruned"
said "app1: reached, attests $R2, 1 releases, skew 0, room yes, missing nothing: fine" "the view"

# --- an older deploy, and what everybody can see ----------------------------

play "serial 5" "make health app1 $R2 healthy" "serial 4" \
    "make current app1 current $R2" "serial 0" "ask current app1 current $R2" \
    "make prune app1 releases 1"
is "$(sed -n 1p "$T/out")" yes "a newer deploy"
said "app1: a newer deploy \(number 5\) has this host, ours is 4" \
    "shuts out an older one"
is "$(sed -n 3p "$T/out")" yes "but not who only looks"
rm "$srv/.sluice/serial"
# shellcheck disable=SC2016
ini "health = cat /proc/[0-9]*/cmdline >$T/argv 2>/dev/null; : sEcReT" \
    'restart = : sEcReT' "env = shared/env"
echo "TOKEN=sEcReT" >"$srv/shared/env"
play "make health app1 $R2 healthy"
is "$(cat "$T/out")" yes "all command lines of the machine, both sides"
is "$(grep -a -c sEcReT "$T/argv")" 0 "hold no command of the configuration"
ok "ours are among them" grep -a -q 'sluice-ssh' "$T/argv"

# --- what goes wrong --------------------------------------------------------

ini 'build = echo what a pity >&2; false'
play "make stage app1 $R1 staged"
said "app1: the build of $R1: exit code 1: what a pity" "a build that fails"
play "make current app1 current $R1"
said "app1: release $R1 is not on this host" "a release that is not there"

ini 'health = true' 'restart = true'
second
host_stop 2 all
play "make census app1 hosts $R2" view
said "app2: cannot connect to .*: Connection refused" \
    "a host that is down is not counted as fine"
said "app1: reached.*fine" "the others are seen"
said "app2: not reached, attests nothing" "and it is told"
echo "[$(host_addr 1)]:$(cat "$T/host1/port") $(cut -d' ' -f1,2 "$T/host2/key.pub")" >"$T/wrong"
known=$T/wrong
ini
before=$(date +%s)
play "make stage app1 $R1 staged"
said "app1: the host key of .* HAS CHANGED" "a changed host key"
is "$(($(date +%s) - before < 2))" 1 "is not tried again"

# --- keys -------------------------------------------------------------------

known=$T/home/new/known_hosts
ini
print=$(ssh-keygen -lf "$T/host1/key.pub" | cut -d' ' -f2)
play "offered app1" "make stage app1 $R1 staged" "accept app1" "accept app1" \
    "make stage app1 $R1 staged"
is "$(sed -n 1p "$T/out")" "ssh-ed25519 $print" "the key that is offered"
said "the host key of .* is not known.*sluice-doctor" "not known yet"
is "$(sed -n '3,$p' "$T/out" | tr '\n' ' ')" \
    "accepted in $known accepted in $known yes " "accepted by name"
is "$(grep -c . "$known")" 1 "written once"
echo "[$(host_addr 1)]:$(cat "$T/host1/port") $(cut -d' ' -f1,2 "$T/host2/key.pub")" >"$known"
play "accept app1"
said "another ssh-ed25519 key is known" "another key is not pushed aside"
known=$T/ssh/known_hosts

# --- connections that are lost ----------------------------------------------

# shellcheck disable=SC2016
ini 'build = echo x >>"$SLUICE_PATH/builds"; sleep 3; echo end'
rm -rf "$srv/releases/$R1"
links() { pgrep -f "[s]luice-ssh .*-p $(cat "$T/host1/port")"; }
play "make stage app1 $R1 staged" &
played=$!
wait_for 8 test -f "$srv/builds"
links >"$T/links"
kill -9 "$(cat "$T/links")"
code=0
wait "$played" || code=$?
is "$(cat "$T/out")" yes "a link killed in the middle of a build is joined again"
is "$(grep -c x "$srv/builds")" 1 "it was built once"

rm -rf "$srv/releases/$R1" "$srv/builds"
play "make stage app1 $R1 staged" &
played=$!
wait_for 8 test -f "$srv/builds"
host_stop 1 all
sleep 0.5
/usr/sbin/sshd -f "$T/host1/sshd_config" -E "$T/host1/log"
wait "$played"
is "$(cat "$T/out")" yes "sshd gone and come again"
is "$(grep -c x "$srv/builds")" 1 "it was built once"

# the whole program dies: the build goes on, the next one joins it
rm -rf "$srv/releases/$R1" "$srv/builds"
echo "make stage app1 $R1 staged" |
    "$bin/unit/lane" "$T/sluice.ini" "$T/r.tar" >"$T/out" 2>&1 &
dead=$!
wait_for 8 test -f "$srv/builds"
kill -9 "$dead"
ok "its link ends with it" wait_for 5 sh -c \
    "! pgrep -f '[s]luice-ssh .*-p $(cat "$T/host1/port")'"
play "make stage app1 $R1 staged"
is "$(cat "$T/out")" yes "after a kill -9 it is joined"
is "$(grep -c x "$srv/builds")" 1 "it was built once"

# --- OpenSSH in its place ---------------------------------------------------

ini 'ssh = ssh' 'health = true'
play "make current app1 current $R1" "make health app1 $R1 healthy"
is "$(answers)" "yes yes " "by ssh"
known=$T/wrong
ini 'ssh = ssh'
play "make current app1 current $R1"
said 'app1: .*(key|verification)' "strict, too"

# --- a login shell that talks -----------------------------------------------

known=$T/ssh/known_hosts
ini
host_stop 1 all
echo "ForceCommand echo hi; echo ok; eval \"\$SSH_ORIGINAL_COMMAND\"" \
    >>"$T/host1/sshd_config"
/usr/sbin/sshd -f "$T/host1/sshd_config" -E "$T/host1/log"
wait_for 10 test -s "$T/host1/pid"
play "ask current app1 current $R1"
is "$(answers)" "yes " "what a login shell says first is passed over"


# --- how many at once ---------------------------------------------------------

mkdir "$T/counting"
cat >"$T/counting/sluice-ssh" <<END
#!/bin/sh
echo + >>"$T/count"
"$bin/sluice-ssh" "\$@"
code=\$?
echo - >>"$T/count"
exit \$code
END
chmod +x "$T/counting/sluice-ssh"
host_start 2
most() { awk '/[+]/ { if (++n > m) m = n } /-/ { n-- } END { print m }' "$T/count"; }
for n in 1 2; do
	ini "at_once = $n" 'health = true'
	sed -i 's/^drain_timeout.*/drain_timeout = 0/' "$T/sluice.ini"
	second
	: >"$T/count"
	printf '%s\n' view "make census app1 hosts $R1" |
	    SLUICE_EXEC_PATH=$T/counting "$bin/unit/lane" "$T/sluice.ini" \
	    "$T/r.tar" >"$T/out" 2>"$T/err"
	is "$(grep -c 'reached, attests' "$T/out")" 2 "all hosts are asked"
	said 'app2: it serves -, not' "all of them"
	is "$(most)" "$n" "at_once = $n: so many processes at once"
done
done_testing

#!/bin/sh
# sluice-ssh against a real sshd: commands, bytes, and whom it trusts.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"

host_start 1
addr=$(host_addr 1) port=$(cat "$T/host1/port")
known=$T/ssh/known_hosts
sls() { sluice-ssh -p "$port" -l "$me" -i "$T/ssh/id" \
    -o "KNOWN_HOSTS=$known" -T 4000 "$@"; }
on() { sls "$addr" "$@"; }
# shows TEXT DESCRIPTION: the last run printed it
shows() {
	case $(cat "$T/out" "$T/err") in
	*"$1"*) pass "$2" ;;
	*) fail "$2"; told ;;
	esac
}

# --- a command: its output, its end ---------------------------------------

run on 'echo out; echo err >&2; exit 7'
is "$code" 7 "the command's exit code"
is "$(cat "$T/out")" out "its stdout"
is "$(cat "$T/err")" err "its stderr"
exits 0 "exit code 0" on true
exits 253 "253 is told" on 'exit 253'
exits 253 "255 is not taken for a lost connection" on 'exit 255'
exits 9 "a command that closes its output first" \
    on 'exec >&- 2>&-; sleep 0.3; exit 9'
exits 3 "a child that keeps no output open" \
    on 'sleep 20 </dev/null >/dev/null 2>&1 & exit 3'
exits 127 "a command that is not there" on no-such-command
exits 137 "killed by a signal is not a success" \
    on "sh -c 'kill -9 \$\$'"
run on "kill -9 \$PPID"	# the shell that sshd started
is "$((code != 0))" 1 "the whole shell killed is not a success"
run on "it='a b'; printf '%s|' \"\$it\" 'c\"d' '\\x'"
is "$(cat "$T/out")" 'a b|c"d|\x|' "quotes arrive whole"

# --- bytes ----------------------------------------------------------------

head -c 20000000 /dev/urandom >"$T/big"
run on 'wc -c; echo done' <"$T/big"
is "$(tr -d ' \n' <"$T/out")" 20000000done "20 MB up"
run on 'sha256sum' <"$T/big"
is "$(cut -c1-64 "$T/out")" "$(sha256sum <"$T/big" | cut -c1-64)" \
    "and the same bytes"
run on 'cat' <"$T/big"
mv "$T/out" "$T/back"
ok "20 MB there and back" cmp "$T/big" "$T/back"
run on 'head -c 3000000 /dev/zero >&2; echo end'
is "$(cat "$T/out") $(wc -c <"$T/err")" "end 3000000" \
    "3 MB on stderr do not block stdout"
exits 0 "a command that reads nothing of 20 MB" on 'exit 0' <"$T/big"
sls "$addr" 'head -c 50000000 /dev/zero' 2>"$T/err" | head -c 10 >/dev/null
ok "a reader who leaves ends it" wait_for 3 sh -c \
    "! pgrep -f '[h]ead -c 50000000'"

# --- whom it trusts -------------------------------------------------------

line=$(cat "$known")
try() { known=$T/kh; shift; printf '%s\n' "$@" >"$known"; run on 'echo in'; }
print=$(ssh-keygen -lf "$T/host1/key.pub" | cut -d' ' -f2)
ssh-keygen -q -t ed25519 -N '' -f "$T/other"
ssh-keygen -q -t ecdsa -N '' -f "$T/ecdsa"
other=$(cut -d' ' -f1,2 "$T/other.pub")
blob=$(cut -d' ' -f1,2 "$T/host1/key.pub")
at="[$addr]:$port"

try unknown "# nothing here"
is "$code" 254 "an unknown host key: refused"
said 'not known' "it says so"
shows "$print" "it shows the fingerprint"
said 'accept-host-key' "it says what to do"
known=$T/none run on 'echo in'
is "$code" 254 "no known_hosts file: refused"
try changed "$at $other"
is "$code" 254 "a changed host key: refused"
said "HAS CHANGED.*kh:1" "it says so, and where"
shows "$print" "with the fingerprint"
try revoked "$line" "@revoked * $blob"
is "$code" 254 "a revoked host key: refused"
said 'revoked' "it says so"
try type "$at $(cut -d' ' -f1,2 "$T/ecdsa.pub")"
is "$code" 254 "a key of another type is known: refused"
printf '%s\n' "$line" >"$T/hashed"
ssh-keygen -q -H -f "$T/hashed" >/dev/null 2>&1
try hashed "$(cat "$T/hashed")"
is "$code" 0 "a hashed name"
try plain "$addr $blob"
is "$code" 0 "the name without a port vouches"
try both "$at $other" "$addr $blob"
is "$code" 254 "but not against the name with the port"
try wild "[127.*]:$port,x $blob"
is "$code" 0 "a wildcard"
try not "!*$addr*,* $blob"
is "$code" 254 "a negated name"
try broken "x" "$(printf '%05000d' 0) y z" "$line"
is "$code" 0 "a broken line hides no other"
try authority "@cert-authority * $blob"
is "$code" 254 "a certificate authority is no host key"
known=$T/ssh/known_hosts

# the host has two keys, only the ed25519 one is known
host_stop 1
echo "HostKey $T/ecdsa" >>"$T/host1/sshd_config"
/usr/sbin/sshd -f "$T/host1/sshd_config" -E "$T/host1/log"
wait_for 10 test -s "$T/host1/pid"
exits 0 "the known one of two keys is asked for" on true
run sls --show-host-key "$addr"
is "$(grep -c SHA256: "$T/out")" 2 "--show-host-key shows both"
said "^\[$addr\]:$port ssh-ed25519 AAAA" "as known_hosts lines"
shows " $print" "with fingerprints"

# --- who we are -----------------------------------------------------------

run sluice-ssh -p "$port" -l "$me" -i "$T/other" -o "KNOWN_HOSTS=$known" \
    "$addr" true
is "$code" 254 "a user key that is not admitted"
said "does not admit '$me'.*other" "it says who and which"
run sluice-ssh -p "$port" -l "$me" -i "$T/nokey" -o "KNOWN_HOSTS=$known" \
    "$addr" true
is "$code" 254 "an identity that is not there"
said "cannot read '$T/nokey'" "it says so"
ssh-keygen -q -t rsa -b 2048 -N '' -f "$T/rsa"
run sluice-ssh -p "$port" -l "$me" -i "$T/rsa" -o "KNOWN_HOSTS=$known" \
    "$addr" true
said 'RSA.*ed25519' "an RSA user key: what to do"
eval "$(ssh-agent -s)" >/dev/null
at_exit "kill $SSH_AGENT_PID"
ssh-add -q "$T/rsa" "$T/other" "$T/ssh/id" 2>/dev/null
exits 0 "the agent's keys, the third is the one" \
    sluice-ssh -p "$port" -l "$me" -o "KNOWN_HOSTS=$known" "$addr" true
unset SSH_AUTH_SOCK

# --- trouble on the way ---------------------------------------------------

run sluice-ssh -p "$(free_port "$addr")" -o "KNOWN_HOSTS=$known" "$addr" true
is "$code" 255 "nobody listens"
said 'Connection refused' "it says so"
run sluice-ssh -T 700 -p "$port" no-such-host.invalid true
is "$code" 255 "a name that is not there"
/usr/bin/python3 -c 'import socket, time, sys
s = socket.socket(); s.bind((sys.argv[1], 0)); s.listen()
print(s.getsockname()[1], flush=True); time.sleep(60)' "$addr" >"$T/mute" &
wait_for 5 test -s "$T/mute"
run sluice-ssh -T 700 -p "$(cat "$T/mute")" "$addr" true
is "$code" 255 "a port that never answers"
said 'in time' "it gives up in time"
on 'echo in; sleep 30' >"$T/out" 2>"$T/err" &
sls=$!
wait_for 10 grep -q in "$T/out"
host_stop 1 all
code=0
wait "$sls" || code=$?
is "$code" 255 "the connection is cut in the middle"
exits 2 "misuse" sluice-ssh
exits 2 "a bad port" sluice-ssh -p x h c

# --- servers that libssh2 cannot talk to ----------------------------------

ssh-keygen -q -t rsa -b 2048 -N '' -f "$T/hostrsa"
sed "s,^HostKey.*,," "$T/host1/sshd_config" >"$T/base"
with() {
	host_stop 1
	{ cat "$T/base"; printf '%s\n' "$@"; } >"$T/host1/sshd_config"
	/usr/sbin/sshd -f "$T/host1/sshd_config" -E "$T/host1/log"
	wait_for 10 test -s "$T/host1/pid"
}
with "HostKey $T/hostrsa"
run on true
is "$code" 254 "a host with only an RSA key"
said 'host key type.*rsa-sha2.*ssh-keygen -A.*ssh = ssh' "what to do"
run sls --show-host-key "$addr"
is "$code" 254 "--show-host-key too"
with "HostKey $T/host1/key" "MACs hmac-sha2-256-etm@openssh.com"
run on true
said 'MAC.*etm.*hmac-sha2-256.*ssh = ssh' "only EtM MACs: what to do"
with "HostKey $T/host1/key" "Ciphers aes256-gcm@openssh.com"
run on true
said 'cipher.*gcm.*aes256-ctr' "only AEAD ciphers: what to do"

done_testing

#!/bin/sh
# Bad input on the side that deploys: one clear line, the right exit code, and
# nothing begun.
# shellcheck disable=SC2154
. "${0%/*}/lib.sh"
. "${0%/*}/site.sh"

begun() { [ "$(sql shop "SELECT count(*) FROM sluice.run")" != 0 ]; }
nothing_begun() {
	if sql shop "SELECT 1 FROM pg_namespace WHERE nspname = 'sluice'" |
	    grep -q 1 && begun; then
		fail "$1: something was begun"
	else
		pass "$1: nothing was begun"
	fi
}

# --- usage ------------------------------------------------------------------

for p in plan deploy rollback migrate status doctor; do
	exits 0 "sluice-$p -h" "sluice-$p" -h
	said '^usage: sluice-' "sluice-$p -h teaches"
	exits 2 "sluice-$p without a target" "sluice-$p"
	exits 2 "sluice-$p --nonsense" "sluice-$p" --nonsense x
	said "no option '--nonsense'" "sluice-$p names the option"
done
exits 2 "sluice nonsense" sluice nonsense
said "no program 'nonsense'" "it is named"
exits 0 "sluice help" sluice help
said 'rollback' "the programs are listed"

# --- no repository, no configuration ------------------------------------------

mkdir "$T/empty"
cd "$T/empty" || exit 3
exits 2 "neither repository nor configuration" sluice-deploy production
said "there is no configuration 'sluice.ini'.*-c" "which, and what to do"
exits 2 "a configuration that is not there" sluice-deploy -c nope.ini x
said "there is no configuration 'nope.ini'" "which"

site_start 1 || { fail "the site does not start"; exit 1; }
cd "$T/empty" || exit 3
exits 2 "a configuration, but no repository" sluice-deploy production
said 'no git repository' "that is said"
nothing_begun "no repository"
cd "$work" || exit 3

# --- the configuration ---------------------------------------------------------

sed 's/^restart =/restrat =/' "$conf" >"$T/bad.ini"
exits 2 "a key that is misspelt" sluice-deploy -c "$T/bad.ini" production
said "bad.ini:[0-9]+: .*restrat.*restart" "file, line, and the nearest key"
sed "s/^build = .*/build = $(printf '%0250d' 0)/" "$conf" >"$T/bad.ini"
exits 2 "a line that is too long" sluice-deploy -c "$T/bad.ini" production
said "bad.ini:[0-9]+: .*(long|198)" "file, line, limit"
exits 2 "a target that is not there" sluice-deploy staging
said "staging" "which"
cp "$top/config.ini.example" "$T/example.ini"
exits 3 "config.ini.example is a configuration" \
    sluice-plan -c "$T/example.ini" production
said 'connect' "and its database is asked"

# --- what is to be deployed --------------------------------------------------------

exits 2 "a commit that is not there" deploy 0123456789abcdef
said "there is no commit '0123456789abcdef'" "which"
nothing_begun "no such commit"

git checkout -q r1
printf 'class Migration(\n' >shop/migrations/0002_torn.py
git add -A && git commit -q -m "torn"
exits 1 "a syntax error" deploy HEAD
said 'shop/migrations/0002_torn.py:[0-9]+: ' "file and line"
nothing_begun "syntax error"
exits 1 "sluice-plan says so too" sluice-plan production HEAD

git reset -q --hard r1
for n in left right; do
	sed -e 's/initial = True//' -e 's/dependencies = .*/dependencies = [("shop", "0001_initial")]/' \
	    -e '/operations = \[/,$d' shop/migrations/0001_initial.py |
	    sed '/^        migrations.swappable/d; /^    \]$/d; /^$/d' \
	    >"shop/migrations/0002_$n.py"
done
git add -A && git commit -q -m "two leaves"
exits 1 "two leaves" deploy HEAD
said '0002_left.*0002_right' "both are named"
said 'makemigrations --merge' "and what to do"
nothing_begun "two leaves"

git reset -q --hard r1
sed -i 's/^    dependencies = \[/&\n        ("shop", "0000_gone"),/' \
    shop/migrations/0001_initial.py
git commit -q -a -m "needs what is gone"
exits 1 "a dependency that does not exist" deploy HEAD
said '0001_initial.*0000_gone|0000_gone.*0001_initial' "who needs what"
nothing_begun "missing dependency"
git reset -q --hard r1

# --- the database ---------------------------------------------------------------

sed 's/dbname=shop/dbname=shopp/' "$conf" >"$T/bad.ini"
exits 3 "a database that is not there" sluice-deploy -c "$T/bad.ini" production
said 'shopp' "which"
pg_stop fast
exits 3 "the database is down" deploy r1
said '^sluice-deploy: .*(connect|server)' "that is said"
exits 2 "a commit that is not there is told first" deploy 0123456789abcdef
exits 2 "by sluice-plan" sluice-plan production 0123456789abcdef
exits 2 "by sluice-migrate" sluice-migrate production --phase safe 0123456789abcdef
sed '/^.host /,$d' "$conf" >"$T/bad.ini"
exits 2 "and so is a target without hosts" sluice-deploy -c "$T/bad.ini" production r1
said 'has no host: add a .host NAME. section' "with what to do"
exits 3 "sluice-status without it" sluice-status production
exits 3 "sluice-rollback without it" sluice-rollback production
sed 's/^env = /haproxy = 127.0.0.1:1\n&/' "$conf" >"$T/bad.ini"
exits 1 "sluice-doctor goes on without it" sluice-doctor -c "$T/bad.ini" production
said "FAIL haproxy: .*connect to '127.0.0.1:1'" "and looks at the balancer"
said 'FAIL database' "it names the database"
said 'ok +app1: reached' "and looks at the hosts"
pg_up

# --- hosts ------------------------------------------------------------------------

host_stop 1 all
exits 3 "a host that cannot be reached" deploy r1
said 'app1.*(refused|reach|connect)' "which, and why"
nothing_begun "unreachable host"
exits 3 "sluice-status says so, and the rest" sluice-status production
host_start 1

mkdir "$T/few" && ln -s /usr/bin/* "$T/few" && rm "$T/few/flock"
sed -i "s|^SetEnv .*|& PATH=$T/few|" "$T/host1/sshd_config"
kill -HUP "$(cat "$T/host1/pid")"
without() { ! host_run 1 command -v flock; }
wait_for 10 without
exits 1 "a host without flock" deploy r1
said 'app1: these programs are missing: flock \(.*util-linux\)' "that is said"
nothing_begun "flock is missing"
exits 1 "sluice-doctor says so" sluice-doctor production
said 'FAIL app1: these programs are missing: flock \(.*util-linux\)' \
    "and where it comes from"
host_stop 1 all
host_start 1

mv "$T/ssh/known_hosts" "$T/ssh/known"
: >"$T/ssh/known_hosts"
exits 3 "a host key that is not known" deploy r1
said 'app1.*(known|key)' "that is said"
nothing_begun "unknown host key"
exits 1 "sluice-doctor shows its fingerprint" sluice-doctor production
said "$(ssh-keygen -lf "$T/host1/key.pub" | cut -d' ' -f2 | sed 's/+/[+]/g')" \
    "the very one"
said '--accept-host-key app1' "and how to accept it"
exits 2 "a host that is none of them" sluice-doctor production --accept-host-key x
exits 0 "accepted by name" sluice-doctor production --accept-host-key app1
exits 0 "then all is well" sluice-doctor production

ssh-keygen -q -t ed25519 -N '' -f "$T/other"
sed "s,AAAA[^ ]*,$(cut -d' ' -f2 "$T/other.pub")," "$T/ssh/known" \
    >"$T/ssh/known_hosts"
exits 3 "a host key that has changed" deploy r1
said 'app1.*CHANGED' "that is said"
nothing_begun "changed host key"
exits 1 "sluice-doctor says so" sluice-doctor production
said 'known_hosts:1' "with the line that expects another"
run sluice-doctor production --accept-host-key app1
if [ "$code" -ne 0 ]; then
	pass "a changed key cannot be accepted over the old one"
else
	fail "a changed key cannot be accepted over the old one"
fi
cp "$T/ssh/known" "$T/ssh/known_hosts"

# --- a second deploy while one runs ---------------------------------------------------

mkfifo "$T/gate"
sed "s,^build = .*,build = cat $T/gate," "$conf" >"$T/slow.ini"
SLUICE_WHO=ada sluice-deploy -c "$T/slow.ini" production r1 \
    --because "release day" >"$T/first" 2>&1 &
first=$!
leased() { [ "$(sql shop 'SELECT who FROM sluice.lease')" = ada ]; }
wait_for 20 leased
exits 1 "a second deploy while one runs" deploy r1
said 'by ada on .*since .*release day' "who, since when, why"
run sluice-doctor production
said 'warn lease: ada on .*release day has it' "sluice-doctor says who has the lease"
echo go >"$T/gate"
if wait "$first"; then
	pass "the first one is not disturbed"
else
	fail "the first one is not disturbed"
	diag <"$T/first"
fi
exits 0 "what is live already is told so" deploy r1
said 'live on .production. already' "in words"
done_testing

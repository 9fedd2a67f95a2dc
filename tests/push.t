#!/bin/sh
# pre-push, and the server's side: pre-receive and post-receive.
. "${0%/*}/lib.sh"
. "${0%/*}/gate.sh"
[ -x "$PY" ] || skip_all "no Python with Django"

# The hooks run what stands beside them: a deploy that only says what it got.
mkdir "$T/bin" "$T/tmp"
cp "$bin"/sluice-install "$bin"/sluice-hook "$bin"/sluice-gate "$T/bin"
cat >"$T/bin/sluice-deploy" <<-END
#!/bin/sh
echo "deploy \$*"
echo "\$4 \$(git rev-parse --git-dir)" >>$T/deployed
while [ -e $T/hold ]; do sleep 0.1; done
echo "done \$4"
exit \$(cat $T/rc)
END
chmod 755 "$T/bin/sluice-deploy"
echo 0 >"$T/rc"
export TMPDIR="$T/tmp"
bare=$T/up.git
git init -q --bare "$bare"
git -C "$bare" config receive.shallowUpdate true
project "$T/clone"
git remote add origin "$bare"
push() { git push -q origin "${@:-main}"; }
commit() { git add -A && git commit -q --no-verify -m x; }

# --- pre-push ---
"$T/bin/sluice-install" >/dev/null
ok "a first push" push
add_nullable 0002_note 0001_initial
rm shop/migrations/0002_note.py
commit
exits 1 "makemigrations forgotten" push
said 'Add field note to product' "is refused with Django's words"
model_migration shop 0002_note 0001_initial 'migrations.AddField("product", "note", models.TextField(null=True))'
exits 1 "a migration in the work tree does not count" push
commit
ok "a migration that is committed does" push
add_default 0003_rank 0002_note && commit
exits 1 "a split one" push
said '^split +shop/migrations/0003_rank.py' "is refused"
said "the remote's branch" "on top of what the remote has"
exits 1 "as a new branch too" push main:refs/heads/new
said 'on top of origin/main' "on top of the base branch"
exits 1 "as a tag too" push main:refs/tags/v1
exits 1 "beside a fine one" git push -q origin HEAD~1:refs/heads/fine main:main
git reset -q --hard HEAD~1
ok "several refs" git push -q origin main:refs/heads/one main:refs/heads/two
ok "a deletion" git push -q origin :refs/heads/one
git tag -a -m v2 v2
ok "an annotated tag" git push -q origin v2
blob=$(git hash-object -w README 2>/dev/null || git hash-object -w sluice.ini)
git update-ref refs/tags/blob "$blob"
ok "a tag of a blob" git push -q origin refs/tags/blob
git checkout -q --detach
ok "from a detached HEAD" git push -q origin HEAD:refs/heads/detached
git checkout -q main
git commit -q --amend --no-verify -m forced
exits 1 "not a fast-forward: git refuses" push
ok "by force" push -f main
git reset -q --hard "HEAD@{1}" && git push -q -f origin main >/dev/null 2>&1
git commit -q --no-verify --amend -m again && add_default 0003_rank 0002_note && commit
exits 1 "by force, a split one" push -f main
said '^split' "is judged like any other"
git reset -q --hard HEAD~1 && git push -q -f --no-verify origin main >/dev/null 2>&1
ok "to a URL" git push -q "$bare" main:refs/heads/by-url
echo x >>README && commit
git clone -q --depth 1 "file://$T/clone" "$T/shallow"
(cd "$T/shallow" && "$T/bin/sluice-install" >/dev/null &&
    git remote set-url origin "$bare") || exit 3
ok "from a shallow clone" git -C "$T/shallow" push -q origin HEAD:refs/heads/shallow
is "$(ls "$TMPDIR")" "" "nothing is left in the temporary folder"

# --- what is there changes through a file that is no migration ---
cp -r . "$T/helper" && cd "$T/helper" || exit 3
git init -q --bare "$T/helper.git" && git remote set-url origin "$T/helper.git"
echo 'from django.db import migrations, models
OPERATIONS = [migrations.AddField("product", "kind", models.TextField(null=True))]' >shop/made.py
printf 'from django.db import migrations\nfrom shop.made import OPERATIONS\nclass Migration(migrations.Migration):\n    dependencies = [("shop", "%s")]\n    operations = OPERATIONS\n' \
    "$(ls shop/migrations | sed -n 's/^\(0.*\)\.py/\1/p' | tail -n 1)" >shop/migrations/0009_kind.py
sed -i '/fax = /a\    kind = models.TextField(null=True)' shop/models.py
commit && git push -q --no-verify origin main
sed -i 's/null=True/default=""/' shop/made.py && commit
exits 1 "only a file that a migration is made by" push
said 'the operations of shop.0009_kind were changed' "is judged"
git checkout -q -b apart
sed -i '/^settings/i\base = mian' sluice.ini && commit
exits 1 "a base that names no branch" push apart
said 'base = mian: there is no such branch' "is no first release"
cd "$T/clone" || exit 3

# --- pre-receive ---
"$T/bin/sluice-install" --uninstall >/dev/null
"$T/bin/sluice-install" -C "$bare" >/dev/null
exits 1 "a server without a configuration" push
said 'remote: .*there is no configuration' "refuses and says what is missing"
cat >"$T/server.ini" <<-END
[project]
settings = site1.settings
python = $PY
[server]
branches = main, release/*
[target production]
database = host=x
path = /srv/x
build = true
restart = true
health = true
[host one]
target = production
END
git -C "$bare" config sluice.config "$T/server.ini"
ok "with git config sluice.config" push
before=$(git -C "$bare" rev-parse main)
git mv shop/migrations/0002_note.py shop/migrations/0002_other.py && commit --amend
exits 1 "a force-push that renames what the branch has" push -f main
said 'remote: .*was renamed to 0002_other, but .* has it by its old name' "is refused"
git reset -q --hard "$before"
add_default 0003_rank 0002_note && commit
exits 1 "a split one" push
said 'remote: split +shop/migrations/0003_rank.py' "is refused"
said "remote: sluice: branch 'main' is refused" "naming the branch"
is "$(grep -c 'in one hop' "$T/err")" 0 "one commit has no way to stop on"
is "$(git -C "$bare" rev-parse main)" "$before" "the branch stays"
ok "a branch that is not listed" push main:refs/heads/experiment
exits 1 "one that is" push main:refs/heads/release/1
git checkout -q -b release/2 "$before"
model_migration shop 0003_free 0002_note 'migrations.AddField("product", "free", models.TextField(null=True))'
commit
ok "a branch of its own" push release/2
sed -i 's/null=True)),/null=True, verbose_name="f")),/' shop/migrations/0003_free.py
git mv shop/migrations/0003_free.py shop/migrations/0003_freely.py && commit
ok "its own migration edited and renamed" push release/2
git mv shop/migrations/0002_note.py shop/migrations/0002_other.py
sed -i 's/0002_note/0002_other/' shop/migrations/0003_freely.py && commit
exits 1 "one of the base branch renamed" push release/2
said 'remote: .*was renamed to 0002_other, but main has it' "is refused"
git checkout -q main
sed -i '/^settings/i\base = mian' "$T/server.ini"
exits 1 "where base names no branch" push main:refs/heads/release/1
said 'remote: .*base = mian: there is no such branch' "nothing is a first release"
sed -i '/^base/d' "$T/server.ini"
git -C "$bare" update-ref refs/sluice/deployed/production "$(git rev-parse HEAD)"
sed -i 's/^branches.*/&\ndeploy = main:production/' "$T/server.ini"
: >"$T/deployed"
ok "it is deployed already, by another way" push
said 'remote: deploy .*production' "and a push deploys"
git -C "$bare" update-ref refs/sluice/deployed/production "$before"
git commit -q --allow-empty -m again
exits 1 "what is deployed is not for a push to say" \
    push main:refs/sluice/deployed/production
said "remote: sluice: 'refs/sluice/deployed/production' is refused: only a deploy" "which is told"
exits 1 "nor to take away" push :refs/sluice/deployed/production
exits 1 "nor to make up, beside a fine branch" \
    push main:refs/heads/beside main:refs/sluice/deployed/other
is "$(git -C "$bare" for-each-ref --format='%(objectname) %(refname)' refs/sluice refs/heads/beside)" \
    "$before refs/sluice/deployed/production" "it stays"
exits 1 "judged on top of what is deployed, not of what the branch had" push
said 'what is deployed on production' "and says so"
said 'not deploy in one hop, and no commit on its way makes it two' "nor is there a stop on the way"
git -C "$bare" config receive.advertisePushOptions true
exits 1 "an override by whom the configuration does not name" \
    push -o sluice.override=now main
said 'not among those who may override' "is refused"
exits 1 "an option that is none" push -o sluice.overide=now main
said 'unknown option sluice.overide; did you mean sluice.override' "is told"
exits 1 "one without a reason" push -o sluice.override= main
said 'an override needs a reason' "is told"
sed -i "s/^branches.*/&\noverride = $(id -un)/" "$T/server.ini"
ok "one by whom it names" push -o 'sluice.override=no time' main
is "$(sed 's/^[^ ]* [^ ]* //' "$bare/sluice/overrides.log")" \
    "$me refs/heads/main $(git rev-parse --short=12 HEAD^)..$(git rev-parse --short=12 HEAD): no time" \
    "is recorded with the branch, where it was and is"
git -C "$bare" update-ref refs/sluice/deployed/production main

echo 'print(1)' >"$T/evil"
cat >>site1/settings.py <<-END
open("$T/ran", "w").write("ran")
END
commit
ok "pushed code" push
is "$([ -e "$T/ran" ] && echo ran)" "" "is not run"
git reset -q --hard HEAD^ && git push -q -f origin main >/dev/null 2>&1
sed -i "s/^branches.*/&\nmakemigrations = yes\ntimeout = 20s/" "$T/server.ini"
sed -i 's/title = .*/title = models.CharField(max_length=60)/' blog/models.py
commit
exits 1 "[server] makemigrations = yes" push
said 'remote: .*Alter field title on post' "verifies it there"
model_migration blog 0002_wide 0001_initial \
    'migrations.AlterField("post", "title", models.CharField(max_length=60))'
commit
ok "with the migration" push
cat >>site1/settings.py <<-END
import socket
assert "HOME" in os.environ and "PATH" in os.environ
assert "SLUICE_TEST" not in os.environ, "the server's environment is seen"
END
commit
ok "in an empty environment" push
cat >>site1/settings.py <<-END
x = bytearray(4 << 30)
END
commit
exits 1 "with limits on memory" push
said 'MemoryError' "that are told"
git reset -q --hard HEAD^

# hostile TEXT: settings that are pushed, and are taken back. Where they only
# try something, they tell by an AttributeError whether it was to be had.
echo 'the secret' >"$T/secret"
hostile() {
	cat >>site1/settings.py
	commit
	run push
	git reset -q --hard HEAD^
}
refused() { # WHAT PATTERN
	is "$code" 1 "$1: refused"
	said "remote: .*$2" "and told"
	is "$(ls "$TMPDIR")" "" "nothing is left in the temporary folder"
}
kernel() { # what the cell needs is there
	case $1 in
	landlock) "$PY" -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)' ;;
	apart) unshare -Unp --fork true 2>/dev/null ;;
	esac
}
sed -i 's/^timeout = .*/timeout = 4s/' "$T/server.ini"
hostile <<-END
while True:
    pass
END
refused "settings without an end" 'makemigrations is clean could not be told'
hostile <<-END
import time
for i in range(60):
    if os.fork() == 0:
        os.setsid()
        open("/dev/null").close()
        time.sleep(777)
while True:
    time.sleep(1)
END
refused "settings that fork and hide" 'did not end in time'
sed -i 's/^timeout = .*/timeout = 20s/' "$T/server.ini"
if kernel apart; then
	is "$(grep -l "$TMPDIR/[s]luice-export" /proc/[0-9]*/cmdline 2>/dev/null | wc -l)" 0 \
	    "none of them is left"
	hostile <<-END
	assert os.getpid() == 1
	raise RuntimeError("alone: %d" % os.getppid())
	END
	refused "settings that look for other processes" 'RuntimeError: alone: 0'
fi
hostile <<-END
import socket
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
    try:
        socket.socket(family)
        raise RuntimeError("a socket is to be had")
    except PermissionError:
        pass
raise RuntimeError("no sockets")
END
refused "settings that open a socket" 'RuntimeError: no sockets'
if kernel landlock; then
	hostile <<-END
	for path in ("$T/ran", "$bare/config", os.path.expanduser("~/x"), "/tmp/x-$$"):
	    try:
	        open(path, "a").write("ran")
	        raise RuntimeError("written: " + path)
	    except (PermissionError, FileNotFoundError):
	        pass
	for path in ("/proc/self/environ", "/proc/1/environ"):
	    try:
	        open(path).read()
	        raise RuntimeError("read: " + path)
	    except PermissionError:
	        pass
	open(os.path.join(os.path.dirname(__file__), "here"), "w").write("fine")
	raise RuntimeError("only here")
	END
	refused "settings that write outside, or read of others" 'RuntimeError: only here'
fi
hostile <<-END
import __main__
os.symlink("$T/secret", __main__.ANSWER)
os._exit(0)
END
refused "settings that put a link in place of the answer" 'ended with 0'
is "$(grep -c 'the secret' "$T/err")" 0 "it is not followed"
opaque 0077_forged "$(cd shop/migrations && ls 0*.py | sed -n '$s/.py//p')" && git add -A
hostile <<-END
import __main__
open(__main__.ANSWER, "w").write("clean\n")
os._exit(0)
END
refused "settings that say clean, with a migration that cannot be read" 'opaque +shop/migrations/0077_forged.py'
if [ "$me" = root ] && kernel apart; then
	exits 137 "a fork bomb of root's is ended" sluice-gate jail 9 /tmp -- \
	    /usr/bin/python3 -c '
import os, time
for n in range(3000):
    if os.fork() == 0:
        time.sleep(60)
time.sleep(60)'
fi
if [ "$me" = root ] && kernel apart &&
    runuser -u nobody -- test -x "$bin/sluice-gate"; then
	chmod 755 "$T"
	is "$(runuser -u nobody -- "$bin/sluice-gate" jail 5 /tmp -- /usr/bin/python3 -c '
import os, time
n = 0
try:
    while n < 1000:
        if os.fork() == 0:
            time.sleep(60)
        n += 1
except BlockingIOError:
    pass
print(n < 130)')" True "a fork bomb comes to an end"
	chmod 711 "$T"
fi

sed -i "s/^branches.*/&\nmax_files = 20/" "$T/server.ini"
mkdir many && for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i >many/$i; done
commit
exits 1 "more files than max_files" push
said 'remote: .*larger than' "are refused"
git reset -q --hard HEAD^
sed -i "s/^max_files.*/max_bytes = 100k/" "$T/server.ini"
head -c 200000 /dev/zero | tr '\0' '#' >shop/big.py
commit
exits 1 "more Python than max_bytes" push
git reset -q --hard HEAD^
sed -i "/^max_bytes/d" "$T/server.ini"

# --- a chain that goes in two hops, not in one ---
free_fax 0004_free 0003_rank && commit
git -C "$bare" fetch -q "$T/clone" main
git -C "$bare" update-ref refs/sluice/deployed/production "$(git rev-parse HEAD)"
git -C "$bare" update-ref refs/heads/main "$(git rev-parse HEAD)"
drop_fax 0005_drop 0004_free && commit
stop=$(git rev-parse --short=12 HEAD)
git commit -q --allow-empty -m nothing
model_migration shop 0006_y 0005_drop 'migrations.AddField("product", "y", models.TextField(null=True))'
sed -i '/name = /a\    y = models.TextField(null=True)' shop/models.py
commit
exits 1 "a safe migration that needs an unsafe one" push
said 'must run before the new code, but it needs shop.0005_drop' "does not go in one hop"
said "remote: sluice: .* but in two: deploy $(git rev-parse --short=12 HEAD^) first, then push this" \
    "the commit to stop at is named"
git -C "$bare" update-ref refs/sluice/deployed/production "$stop" 2>/dev/null ||
    { git push -q "$bare" "$stop:refs/tags/stop" && git -C "$bare" update-ref refs/sluice/deployed/production "$stop"; }
ok "once that is deployed" push

# --- post-receive ---
: >"$T/deployed"
echo 7 >"$T/rc"
git commit -q --allow-empty -m seven
ok "a deploy that fails does not undo the push" push
said 'remote: deploy -c .*/server.ini production' "its output streams"
said 'remote: sluice: the deploy of .* ended with 7' "and its end is told"
echo 0 >"$T/rc"
is "$(cat "$T/deployed")" "$(git rev-parse HEAD) $bare" "it got the commit and the repository"
for i in $(seq 60); do
	touch "$bare/sluice/log/production-00000000$((i + 10))-abc-1.log" \
	    "$bare/sluice/log/production-00000000$((i + 10))-abc-1.log.rc"
done
touch "$bare/sluice/log/staging-0000000001-abc-1.log.rc"
ok "another branch" push main:refs/heads/other
is "$(wc -l <"$T/deployed")" 1 "is not deployed"

git commit -q --allow-empty -m more
git push -q origin main >/dev/null 2>&1
is "$(ls "$bare/sluice/log" | grep -c '^production.*log$') $(ls "$bare/sluice/log" | grep -c staging)" \
    "50 1" "of old logs the last 50 of the target are kept"
rm "$bare"/sluice/log/*-abc-1.log*
touch "$T/hold"
git commit -q --allow-empty -m one
first=$(git rev-parse HEAD)
git push -q origin main >"$T/first" 2>&1 &
pid=$!
wait_for 10 grep -q "deploy -c" "$T/first"
kill -9 $pid
git commit -q --allow-empty -m two
ok "a push while one runs" push
said 'remote: sluice: a deploy of .* runs' "is told"
said 'follows when that has ended' "and queued"
git commit -q --allow-empty -m three
third=$(git rev-parse HEAD)
ok "and another" push
sed -i "s/^branches.*/&\nqueue = no/" "$T/server.ini"
git commit -q --allow-empty -m four
ok "queue = no" push
said 'is not deployed' "tells"
rm "$T/hold"
wait_for 10 sh -c "grep -q '^$third' '$T/deployed'"
sleep 0.5
is "$(tail -n 2 "$T/deployed" | cut -d' ' -f1 | tr '\n' ' ')" "$first $third " \
    "the pusher went away, the deploy went on, and the newest queued won"
wait_for 10 sh -c "[ \"\$(ls '$bare/sluice/log' | grep -c 'log\$')\" = \"\$(ls '$bare/sluice/log' | grep -c rc)\" ]"
is "$(grep -l "^done $third" "$bare"/sluice/log/*.log | wc -l)" 1 "its log is kept"
is "$(ls "$TMPDIR")" "" "nothing is left in the temporary folder"
done_testing

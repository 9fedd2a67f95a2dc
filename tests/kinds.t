#!/bin/sh
# Repositories of other kinds, and a hook that is killed: a commit works, or is
# refused and says why; index and files stay whole.
. "${0%/*}/lib.sh"
. "${0%/*}/gate.sh"
[ -x "$PY" ] || skip_all "no Python with Django"

project "$T/clone"
git update-ref refs/remotes/origin/main HEAD
sluice-install >/dev/null
commit() { git commit -q -m x "$@"; }
another() { # NAME: a nullable column of the post, staged
	model_migration blog 0002_"$1" 0001_initial "migrations.AddField(\"post\", \"$1\", models.TextField(null=True))"
	sed -i "/title = /a\    $1 = models.TextField(null=True)" blog/models.py
	git add -A
}
tagged() { git show HEAD:blog/migrations/0002_"$1".py | grep -c '# sluice: safe auto'; }
whole() { # NAME WHAT: it is committed, with its tag, and nothing else is left
	is "$(tagged "$1") $(git status --porcelain)" "1 " "$2"
}
start=$(git rev-parse HEAD)
undo() { git reset -q --hard "$start"; git clean -qfd; }

# --- another owner ---
if [ "$me" = root ]; then
	cp -r "$T/clone" "$T/foreign" && chown -R nobody "$T/foreign"
	cd "$T/foreign" || exit 3
	another owner
	ok "a repository of another owner, safe.directory = *" commit
	whole owner "is tagged"
	cp "$HOME/.gitconfig" "$T/gitconfig"
	git config --global --unset safe.directory
	exits 3 "without that" sluice-check
	said "belongs to another user; if you trust it: git config --global --add safe.directory" \
	    "is refused, with the line to run"
	echo x >x && exits 128 "and git itself refuses to commit" git add x
	git config --global --add safe.directory "$T/foreign"
	git reset -q --hard HEAD^ && git clean -qfd
	another owner
	ok "named" commit
	whole owner "is tagged"
	cp "$T/gitconfig" "$HOME/.gitconfig"
	cd "$T/clone" || exit 3
fi

# --- what a newer git or a large repository has switched on ---
git config core.repositoryFormatVersion 1
git config extensions.worktreeConfig true
git worktree add -q -b wt "$T/wt" && cd "$T/wt" || exit 3
git config --worktree core.whitespace -trailing-space
another worktreeconfig
ok "a configuration of its own for each work tree" commit
whole worktreeconfig "is tagged"
cd "$T/clone" && git worktree remove --force "$T/wt"
git config --unset extensions.worktreeConfig

printf '#!/bin/sh\nprintf "token\\0/\\0"\n' >"$T/monitor" && chmod 755 "$T/monitor"
git config core.fsmonitor "$T/monitor"
git update-index --fsmonitor
another fsmonitor
ok "a file system monitor" commit
whole fsmonitor "is tagged"
undo
git config --unset core.fsmonitor
git update-index --no-fsmonitor

git update-index --index-version 4
another four
ok "an index of version 4" commit
whole four "is tagged"
undo

# --- a partial clone: what is not here is brought by git itself ---
git config uploadpack.allowFilter true
git config uploadpack.allowAnySHA1InWant true
add_nullable 0002_note 0001_initial && git add -A && commit --no-verify
sed -i 's/note = .*/&  # wide/' shop/models.py
sed -i 's/^    operations/    # as agreed\n    operations/' shop/migrations/0002_note.py
git add -A && commit --no-verify
git clone -q --filter=blob:none "file://$T/clone" "$T/partial" && cd "$T/partial" || exit 3
git update-ref refs/remotes/origin/main HEAD~2
git rev-list --objects --missing=print HEAD 2>/dev/null | grep -c '^?' >"$T/lacks"
[ "$(cat "$T/lacks")" -gt 0 ] || fail "all of it is here"
sluice-install >/dev/null
another partial
ok "a partial clone" commit
whole partial "is tagged"
git clone -q --bare --filter=blob:none "file://$T/clone" "$T/partial.git"
cp sluice.ini "$T/partial.git"
git -C "$T/partial.git" update-ref refs/sluice/deployed/none HEAD~1
ok "sluice-check in one without any blob" \
    sluice-check -C "$T/partial.git" --all "$start..HEAD"
said '^safe +shop/migrations/0002_note.py' "judges"
cd "$T/clone" && undo

# --- killed in the middle of tagging ---
printf '[makemigrations]\ncommand = true\n' >>sluice.ini
git add -A && commit --no-verify && start=$(git rev-parse HEAD)
another killed
cp -r "$T/clone" "$T/fresh"
was=$(git hash-object blog/migrations/0002_killed.py)
commit >/dev/null 2>&1
now=$(git rev-parse HEAD:blog/migrations/0002_killed.py)
[ "$was" != "$now" ] || fail "the tag changes the file"
# state: what is staged and what is on disk are each the old or the new text,
# the rest of the index is there, and a commit then goes as ever.
state() {
	rm -f .git/index.lock
	staged=$(git ls-files -s blog/migrations/0002_killed.py | cut -d' ' -f2)
	disk=$(git hash-object blog/migrations/0002_killed.py)
	case "$staged $disk" in
	"$was $was" | "$was $now" | "$now $now") : ;;
	*) echo "staged $staged, on disk $disk" && return 1 ;;
	esac
	[ "$(git ls-files -s | cut -f2)" = "$(git -C "$T/fresh" ls-files -s | cut -f2)" ] &&
	    git cat-file -e "$staged" && commit >"$T/after" 2>&1 &&
	    [ "$(git rev-parse HEAD:blog/migrations/0002_killed.py)" = "$now" ] &&
	    git fsck --no-progress --no-dangling >"$T/after" 2>&1
}
kill_at() { # COMMAND…: in a copy of the repository as it was before
	rm -rf "$T/again" && cp -r "$T/fresh" "$T/again" && cd "$T/again" || exit 3
	killed=
	"$@" >"$T/out" 2>"$T/err" || killed=1
	state || { cat "$T/after"; cp -r "$T/again" "$T/torn.$n"; torn="$torn $n"; }
}
torn="" n=0 points=0
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	for call in rename,renameat,renameat2,link,linkat unlink,unlinkat fsync,fchmod write openat; do
		n=0 last=0
		set -- -e trace="$call"		# of openat those of what is at stake
		[ $call != openat ] || set -- "$@" -P "$T/again/.git/index" \
		    -P "$T/again/.git/index.lock" -P "$T/again/blog/migrations" \
		    -P "$T/again/blog/migrations/0002_killed.py"
		while [ $((n - last)) -lt 2 ] && [ $n -lt 8 ]; do
			n=$((n + 1))
			kill_at strace -f -o /dev/null "$@" \
			    -e inject="$call":signal=KILL:when=$n "$bin/sluice-hook" pre-commit
			[ -z "$killed" ] || last=$n points=$((points + 1))
		done
	done
	is "$torn" "" "killed at $points system calls: index and file stay whole"
	[ $points -gt 12 ] || fail "it was killed at $points calls only"
else
	pass "killed at each system call # skip there is no strace"
fi
torn="" points=0
for n in 010 030 050 070 090 120 160 200 300 400; do
	kill_at timeout -s KILL 0.$n "$bin/sluice-hook" pre-commit
	[ -z "$killed" ] || points=$((points + 1))
done
is "$torn" "" "killed at 10 moments ($points before its end): the same"
cd "$T/clone" || exit 3
done_testing

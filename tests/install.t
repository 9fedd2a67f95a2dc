#!/bin/sh
# sluice-install: what stood there before is kept, run, and given back.
. "${0%/*}/lib.sh"

repo=$T/clone
hooks=$repo/.git/hooks
fresh() {
	rm -rf "$repo"
	git init -q "$repo" && cd "$repo" || exit 3
	git commit -q --allow-empty -m start
}
hook() { # NAME TEXT…: a foreign hook
	name=$1
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$hooks/$name"
	chmod 755 "$hooks/$name"
}

fresh
ok "a work tree" sluice-install
is "$(ls "$hooks" | grep -v sample | tr '\n' ' ')" \
    "pre-commit pre-merge-commit pre-push " "gets the client's hooks"
ok "--status: all is in place" sluice-install --status
cp "$hooks/pre-commit" "$T/stub"
ok "a second time" sluice-install
said 'is installed already' "changes nothing"
is "$(cmp "$hooks/pre-commit" "$T/stub" && echo same)" same "to the byte"
ok "taken out" sluice-install --uninstall
is "$(ls "$hooks" | grep -cv sample)" 0 "nothing is left behind"
exits 1 "--status: nothing is in place" sluice-install --status
ok "taken out again: nothing to do" sluice-install --uninstall

fresh
hook pre-commit 'echo "foreign ran as ${0##*/} with $# arguments"'
chmod 750 "$hooks/pre-commit"
cp -p "$hooks/pre-commit" "$T/foreign"
ok "beside a foreign hook" sluice-install
ok "commit" git commit --allow-empty -m two
said 'foreign ran' "the foreign hook runs"
hook pre-commit.before-sluice 'echo no; exit 7'
exits 1 "and can refuse" git commit -q --allow-empty -m three
cp -p "$T/foreign" "$hooks/pre-commit.before-sluice"
exits 0 "--status" sluice-install --status
said 'pre-commit +sluice, after pre-commit.before-sluice' "names both"
ok "taken out" sluice-install --uninstall
is "$(cmp "$hooks/pre-commit" "$T/foreign" && stat -c %a "$hooks/pre-commit")" \
    750 "the very bytes and mode are back"

fresh
hook pre-push 'cat >"$OUT"; echo "args $*" >>"$OUT"'
OUT=$T/pushed
export OUT
git init -q --bare "$T/up.git"
printf '[project]\nsettings = x\n' >sluice.ini
git add sluice.ini && git commit -q -m ini
sluice-install >/dev/null
git push -q "$T/up.git" main:refs/heads/main >/dev/null 2>&1
is "$(grep -c 'refs/heads/main' "$OUT")" 1 "a foreign pre-push gets its input"
said=$(grep '^args' "$OUT")
is "$said" "args $T/up.git $T/up.git" "and its arguments"

fresh
ln -s ../../elsewhere "$hooks/pre-commit"
printf '#!/bin/sh\necho linked\n' >"$repo/elsewhere"
chmod 755 "$repo/elsewhere"
ok "a hook that is a symbolic link" sluice-install
ok "commit" git commit --allow-empty -m x
said linked "is followed when it runs"
sluice-install --uninstall >/dev/null
is "$(readlink "$hooks/pre-commit")" ../../elsewhere "and is a link again"

fresh
printf '#!/bin/sh\nexit 1\n' >"$hooks/pre-commit"
chmod 644 "$hooks/pre-commit"
sluice-install >/dev/null
ok "a foreign hook that git would not run is not run" \
    git commit -q --allow-empty -m x

fresh
sluice-install >/dev/null
mv "$hooks/pre-commit" "$hooks/pre-commit.legacy"
hook pre-commit 'exec "${0%/*}/pre-commit.legacy" "$@"'
ok "behind another hook manager" sluice-install
ok "--status knows" sluice-install --status
said 'run by the hook manager' "that it is run by that"
is "$(ls "$hooks" | grep -c before-sluice)" 0 "it is not chained twice"

fresh
hook pre-commit true
sluice-install >/dev/null
hook pre-commit true
exits 1 "two foreign hooks, one put over ours" sluice-install
said 'remove the one' "are for a person to sort out"

fresh
sluice-install >/dev/null
sed -i "s|^sluice=.*|sluice='/gone/sluice-hook'|" "$hooks/pre-commit"
exits 1 "a hook whose program is gone refuses" git commit -q --allow-empty -m x
said 'to repair' "and says how to repair it"
exits 1 "--status sees it" sluice-install --status
said "'/gone/sluice-hook' is gone" "and names what is gone"
ok "installing again" sluice-install
ok "mends it" git commit -q --allow-empty -m x

fresh
git config core.hooksPath "$repo/.git/own-hooks"
ok "core.hooksPath of this repository" sluice-install
is "$(ls "$repo/.git/own-hooks" | wc -l)" 3 "is obeyed"
git config core.hooksPath .githooks
mkdir .githooks
ok "a relative one, not under version control" sluice-install
is "$(ls .githooks | wc -l)" 3 "is obeyed"
rm .githooks/* && echo : >.githooks/pre-commit
git add -f .githooks && git commit -q --no-verify -m hooks
exits 1 "one under version control" sluice-install
said 'sluice-hook pre-commit "\$@" \|\| exit 1' "is refused with the line to add"
is "$(cat .githooks/pre-commit)" : "and not touched"
git config --unset core.hooksPath
git config --global core.hooksPath "$T/global-hooks"
exits 1 "a global one" sluice-install
said 'every repository of this user' "is refused, and says why"
is "$([ -e "$T/global-hooks" ] && echo made)" "" "and not made"
git config --global --unset core.hooksPath

fresh
git worktree add -q "$T/linked" && cd "$T/linked" || exit 3
ok "a linked work tree" sluice-install
is "$(ls "$hooks" | grep -cv sample)" 3 "shares its repository's hooks"
cd "$repo" && git worktree remove --force "$T/linked"

git init -q --bare "$T/bare.git"
ok "a bare repository" sluice-install -C "$T/bare.git"
is "$(ls "$T/bare.git/hooks" | grep -v sample | tr '\n' ' ')" \
    "post-receive pre-receive " "gets the server's hooks"
exits 2 "--client there" sluice-install --client -C "$T/bare.git"
exits 2 "--server in a work tree" sluice-install --server -C "$repo"
mkdir "$T/none"
exits 2 "no repository" sluice-install -C "$T/none"
said 'no git repository' "is said"
exits 2 "no such folder" sluice-install -C "$T/nowhere"
exits 2 "an unknown option" sluice-install --frobnicate
ok "--help" sluice-install --help
mkdir "$T/a 'b
c" && git init -q "$T/a 'b
c"
ok "a folder with odd characters" sluice-install -C "$T/a 'b
c"

fresh
echo 'repos: []' >.pre-commit-config.yaml
ok "where pre-commit is used" sluice-install
said 'entry: sluice-hook pre-commit' "the snippet for it is printed"

echo 'pre-commit: {}' >lefthook.yml && mkdir .husky
sluice-install >"$T/out"
said "run: 'sluice-hook pre-push \{0\}', use_stdin: true" "that for lefthook"
said 'in .husky/pre-push: +sluice-hook pre-push "\$@" \|\| exit 1' "that for husky"
mkdir .husky/_ && git config core.hooksPath .husky/_
exits 1 "husky's own folder" sluice-install
said 'husky writes anew' "is not written to"
said '^.in pre-merge-commit:  sluice-hook pre-merge-commit "\$@" || exit 1$' "the line is for its file"

# --- hooks in git's configuration (2.54 and up) ---
mkdir "$T/new"
printf '#!/bin/sh\n[ "$1" != version ] || { echo git version 2.54.1; exit; }\nexec /usr/bin/env PATH="%s" git "$@"\n' \
    "$PATH" >"$T/new/git" && chmod 755 "$T/new/git"
newer() { PATH="$T/new:$PATH" "$@"; }
fresh
sluice-install >/dev/null
hook pre-push true
cp "$hooks/pre-push" "$T/foreign"
ok "with git 2.54" newer sluice-install
is "$(ls "$hooks" | grep -v sample)" pre-push "no file is written, one of ours is taken back"
is "$(cmp "$hooks/pre-push" "$T/foreign" && git config hook.sluice-pre-push.event)" \
    pre-push "a foreign one is left where it is"
ok "again" newer sluice-install
said 'pre-commit +is installed already' "changes nothing"
ok "--status" newer sluice-install --status
said "pre-commit +sluice, by git's configuration" "says so"
exits 1 "--status of an older git" sluice-install --status
said 'does not run it: run sluice-install' "says that it is not run"
command=$(git config hook.sluice-pre-commit.command)
echo x >file && git add file
ok "the command, as git runs it" sh -c "$command \"\$@\"" "$command"
moved=$(echo "$command" | sed "s|^sluice='[^']*'|sluice='/gone/sluice-hook'|")
exits 1 "its program gone" sh -c "$moved \"\$@\"" "$moved"
said 'to remove: git config --remove-section hook.sluice-pre-commit' "says how to go on"
git config hook.sluice-pre-commit.command "$moved"
exits 1 "--status" newer sluice-install --status
said "its program '/gone/sluice-hook' is gone" "sees it"
ok "installing" newer sluice-install
ok "mends it" newer sluice-install --status
git config --global core.hooksPath "$T/global-hooks"
ok "with a global core.hooksPath too" newer sluice-install
git config --global --unset core.hooksPath
ok "an older git" sluice-install
is "$(ls "$hooks" | grep -v sample | tr '\n' ' ')$(git config --get-regexp '^hook\.')" \
    "pre-commit pre-merge-commit pre-push pre-push.before-sluice " "has them in files again"
newer sluice-install >/dev/null
ok "taken out" newer sluice-install --uninstall
is "$(ls "$hooks" | grep -v sample)$(git config --get-regexp '^hook\.')" pre-push \
    "nothing is left behind"

# --- a server without a configuration ---
git init -q --bare "$T/new.git"
ok "--server" sluice-install --server -C "$T/new.git"
said "$T/new.git/sluice.ini" "says where its configuration goes"
said "git -C '$T/new.git' config receive.advertisePushOptions true" "and what an override needs"
git -C "$T/new.git" config receive.advertisePushOptions true
touch "$T/new.git/sluice.ini"
ok "when both are there" sluice-install --server -C "$T/new.git"
is "$(grep -c git "$T/out")" 0 "nothing is said"

# --- a first sluice.ini ---
fresh
mkdir -p back/conf/settings back/.venv/bin
printf '#!/bin/sh\n' >back/.venv/bin/python && chmod 755 back/.venv/bin/python
cat >back/manage.py <<-END
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.settings.local")
END
cat >back/conf/settings/base.py <<-END
AUTH_USER_MODEL = "people.Person"
DEFAULT_AUTO_FIELD = "django.db.models.UUIDField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
END
: >back/conf/settings/local.py
git branch -q -m trunk
ok "a Django project without sluice.ini" sluice-install
said 'sluice.ini is written' "gets one"
is "$(grep -v '^#' sluice.ini | tr '\n' ' ')" "[project] root = back settings = conf.settings.local python = .venv/bin/python user_model = people.Person auto_field = django.db.models.UUIDField base = trunk " \
    "from what is found"
said 'the database is django.db.backends.sqlite3: Sluice judges for PostgreSQL' "the engine is told"
echo '# mine' >>sluice.ini
ok "again" sluice-install
is "$(tail -n 1 sluice.ini)" "# mine" "it is left as it is"
rm sluice.ini
VIRTUAL_ENV=$repo/tools/env sluice-install >/dev/null
is "$(grep python sluice.ini)" "python = tools/env/bin/python" "an active environment in the tree"
rm -r sluice.ini back/.venv
VIRTUAL_ENV=/elsewhere/env sluice-install >"$T/out"
is "$(grep python sluice.ini)" "python = python" "one elsewhere is found by PATH"
said 'VIRTUAL_ENV, which is to be active' "which is said"
done_testing

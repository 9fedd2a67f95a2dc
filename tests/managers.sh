#!/bin/sh
# make managers: lefthook and husky themselves, with what sluice-install prints
# for them, by commits, a merge and pushes. By hand: they are fetched by npm.
# shellcheck disable=SC1091,SC2154
. "${0%/*}/lib.sh"
. "${0%/*}/gate.sh"
[ -x "$PY" ] || skip_all "no Python with Django"
npm=$(command -v npm) || skip_all "no npm"
mkdir "$T/npm"
(cd "$T/npm" && "$npm" install --no-save --no-audit lefthook husky) >"$T/npm.log" 2>&1 ||
    skip_all "npm cannot install them"
export PATH="$PATH:$T/npm/node_modules/.bin"

as_lefthook() {
	: >lefthook.yml
	sluice-install >"$T/said" && sluice-install --uninstall >/dev/null
	sed -n '/^lefthook.yml is here/,$s/^  //p' "$T/said" >lefthook.yml
	lefthook install >/dev/null
}
as_husky() {
	husky >/dev/null
	sluice-install 2>&1 |
	    sed -n 's/^	in \([a-z-]*\):  \(.*\)$/echo '"'\2'"' >>.husky\/\1/p' |
	    sh
}

for m in lefthook husky; do
	project "$T/$m" && git init -q --bare "$T/$m.git"
	git remote add origin "$T/$m.git" && git push -q origin main
	"as_$m"
	git add -A
	ok "$m: its own commit" git commit -q -m hooks
	add_nullable 0002_note 0001_initial && git add -A
	ok "$m: a migration" git commit -q -m note
	is "$(git show HEAD:shop/migrations/0002_note.py | grep -c '# sluice: safe auto') $(git status --porcelain)" \
	    "1 " "$m: is tagged"
	add_default 0003_rank 0002_note && git add -A
	exits 1 "$m: one that fits in no phase" git commit -q -m rank
	said 'fits in no phase' "$m: is refused in words"
	git commit -q --no-verify -m rank
	exits 1 "$m: a push of it" git push -q origin main
	git checkout -q -b side HEAD^ && echo x >README && git add README
	git commit -q --no-verify -m side
	exits 1 "$m: a merge of it" git merge -q --no-edit main
	git merge --abort
	ok "$m: a push without it" git push -q origin side
done
done_testing

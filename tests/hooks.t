#!/bin/sh
# pre-commit: what is staged is judged as the release it would be, tagged, and
# refused with the reason and the way to write it.
. "${0%/*}/lib.sh"
. "${0%/*}/gate.sh"
[ -x "$PY" ] || skip_all "no Python with Django"

project "$T/clone"
sluice-install >/dev/null
back() { git reset -q --hard && git clean -qfd; }
commit() { git commit -q -m x "$@"; }
staged() { git show ":$1"; }
tag_of() { grep -c "^    # sluice: $2 auto -- " "$1"; }

# follow: does what the last run's indented lines say, as they stand.
follow() {
	sed -n 's/^    //p' "$T/err" | while read -r line; do
		case $line in
		git*) sh -c "$line" >>"$T/followed" 2>&1 ;;
		in*)
			file=${line#in } old=${line##* for }
			new=${line#* write } file=${file%% write *}
			new=$(echo "${new% for *}" | tr "'" '"')
			sed -i "s/$(echo "$old" | tr "'" '"')/$new/" "$file"
			;;
		esac
	done
}

# --- nothing to judge ---
echo text >README && git add README
ok "a commit of other files" commit
is "$(cat "$T/out" "$T/err")" "" "is not talked about"
echo 'x = 1' >shop/views.py && git add -A
mv sluice.ini "$T/ini"
ok "nor one of other Python, even without a configuration" commit
mv "$T/ini" sluice.ini

# --- tags ---
git update-ref refs/remotes/origin/main HEAD
add_nullable 0002_note 0001_initial && git add -A
ok "a nullable column" commit
said '^safe +shop/migrations/0002_note.py' "is safe"
is "$(tag_of shop/migrations/0002_note.py safe)" 1 "the file on disk is tagged"
said '^sluice: tagged shop/migrations/0002_note.py$' "and named"
is "$(git show HEAD:shop/migrations/0002_note.py | grep -c '# sluice: safe auto')" 1 \
    "and what is committed"
is "$(git status --porcelain)" "" "the work tree is clean"
ok "what is tagged is valid Python" "$PY" -c \
    "compile(open('shop/migrations/0002_note.py').read(), 'x', 'exec')"
is "$(git diff HEAD^ --stat -- shop/migrations | grep -c changed)" 1 "in one commit"
git config core.autocrlf true
sed -i -e '/# sluice:/d' -e 's/$/\r/' shop/migrations/0002_note.py
git add -A 2>/dev/null
ok "a file with CRLF where git takes that away" commit
is "$(git show HEAD:shop/migrations/0002_note.py | grep -c '# sluice: safe auto.*[^\r]$') $(git status --porcelain)" \
    "1 " "is tagged, and clean"
is "$(grep -c -v "$(printf '\r')\$" shop/migrations/0002_note.py)" 0 "and has CRLF throughout"
git config --unset core.autocrlf
sed -i 's/\r$//' shop/migrations/0002_note.py
echo '# more' >>shop/migrations/0002_note.py && git add -A
ok "the same again" commit
is "$(tag_of shop/migrations/0002_note.py safe)" 1 "is tagged once"
sed -i 's/# sluice: safe auto.*/# sluice: unsafe auto -- nonsense/' shop/migrations/0002_note.py
git add -A
ok "a machine's tag that lies" commit
is "$(tag_of shop/migrations/0002_note.py safe)" 1 "is derived anew"

# --- what a migration is made of ---
printf '%s\n' 'from django.db import migrations, models' \
    'MADE = [migrations.AddField("post", "made", models.TextField(null=True))]' >blog/made.py
model_migration blog 0002_made 0001_initial
sed -i -e '1i from blog.made import MADE' -e '/operations = /,$d' blog/migrations/0002_made.py
echo '    operations = MADE' >>blog/migrations/0002_made.py
sed -i '/title = /a\    made = models.TextField(null=True)' blog/models.py
git add -A && commit 2>/dev/null
git update-ref refs/sluice/deployed/production HEAD
sed -i 's/^.project/[target production]\ndatabase = host=x\n&/' sluice.ini
sed -i 's/TextField/CharField/; s/null=True/max_length=3, &/' blog/made.py && git add blog/made.py
exits 1 "a file staged that a deployed migration is made of" commit
said 'the operations of blog.0002_made were changed through another file' "is looked into"
rm .git/sluice/needs
exits 1 "where nothing is known of that, too" commit
git checkout -q HEAD blog/made.py && echo '# x' >>blog/made.py && git add blog/made.py
ok "a comment in it is no edit" commit
is "$(cat "$T/out" "$T/err")" "" "and not talked about"
git reset -q --hard HEAD~2 && git update-ref -d refs/sluice/deployed/production

ln -s ../fields.py shop/migrations/0003_free.py && git add -A
exits 1 "a link where a migration stands" commit
said '0003_free.py: a link' "is told"
git rm -q -f shop/migrations/0003_free.py
: >shop/migrations/0003_free.abi3.so && git add -A -f
exits 1 "nothing but a compiled one" commit
said '0003_free.abi3.so: compiled' "is told"
git rm -q -f shop/migrations/0003_free.abi3.so

free_fax 0003_free 0002_note && git add -A
ok "a column made nullable" commit
git branch -f deployed
drop_fax 0004_drop 0003_free && git add -A
git update-ref refs/sluice/deployed/production HEAD
cat >>sluice.ini <<-END
[target production]
database = host=x
path = /srv/x
build = true
restart = true
health = true
[host one]
target = production
END
git add -A
ok "a nullable column removed" commit
said '^unsafe +shop/migrations/0004_drop.py' "is unsafe"
said 'shop_product' "the reason names the table"
is "$(tag_of shop/migrations/0004_drop.py unsafe)" 1 "and is tagged so"
said 'what is deployed on production' "judged on top of what is deployed"

# --- partial staging ---
git update-ref refs/sluice/deployed/production HEAD
model_migration shop 0005_a 0004_drop 'migrations.AddField("product", "a", models.TextField(null=True))'
sed -i '/name = /a\    a = models.TextField(null=True)' shop/models.py
git add -A
echo '# not staged' >>shop/migrations/0005_a.py
ok "a file with other changes on disk" commit
said 'tagged as staged only' "is tagged as staged"
is "$(tag_of shop/migrations/0005_a.py safe)" 0 "and not touched on disk"
is "$(git show HEAD:shop/migrations/0005_a.py | grep -c '# sluice: safe auto')" 1 \
    "the commit has the tag"
git checkout -q -- .
model_migration shop 0006_b 0005_a 'migrations.AddField("product", "b", models.TextField(null=True))'
sed -i '/name = /a\    b = models.TextField(null=True)' shop/models.py
git add shop/migrations/0006_b.py
git add -N shop/migrations/0006_b.py
ok "git commit -a" commit -a
is "$(git show HEAD:shop/migrations/0006_b.py | grep -c '# sluice: safe auto')" 1 \
    "is tagged"
is "$(git status --porcelain)" "" "and leaves a clean work tree"
model_migration shop 0007_c 0006_b 'migrations.AddField("product", "c", models.TextField(null=True))'
sed -i '/name = /a\    c = models.TextField(null=True)' shop/models.py
git add -N shop/migrations/0007_c.py
ok "git commit PATH" commit shop
said 'temporary index' "is not tagged, and says why"
is "$(git status --porcelain)" "" "and leaves a clean work tree"
echo '# amended' >>shop/migrations/0007_c.py && git add -A
ok "amend" git commit -q --amend -m y
is "$(git show HEAD:shop/migrations/0007_c.py | grep -c '# sluice: safe auto')" 1 \
    "tags it"
git update-ref refs/sluice/deployed/production HEAD

# --- refused ---
add_default 0008_rank 0007_c && git add -A
exits 1 "a NOT NULL column with a default in Python" commit
said '^split' "is split"
said 'fits in no phase' "in words"
said 'the way to write it: ' "with the way to write it"
said 'db_default' "as code"
is "$(grep -c 'sluice:' shop/migrations/0008_rank.py)" 0 "and is not tagged"
back
opaque 0008_fill 0007_c && git add -A
exits 1 "Python that cannot be read" commit
said '^opaque' "is opaque"
said 'only after the new code:  sluice tag --unsafe --because '"'WHY'"' shop/migrations/0008_fill.py$' \
    "and asks for a person's tag"
line=$(sed -n 's/^ *if it fits the running code too:  sluice tag/sluice-tag/p' "$T/err")
ok "by a line to be pasted" sh -c "$line"
exits 2 "a person's tag needs its reason" sluice-tag --safe shop/migrations/0008_fill.py
ok "sluice-tag --safe --because" sluice-tag --safe --because 'can run twice' \
    shop/migrations/0008_fill.py
is "$(grep -c '# sluice: safe for=[0-9a-f]\{8\} because "can run twice"' shop/migrations/0008_fill.py)" 1 \
    "is bound to the operations"
git add -A
ok "then it goes" commit
unbind() { sed -i 's/ for=[0-9a-f]*//' shop/migrations/0008_fill.py && git add -A; }
bound() { git show HEAD:shop/migrations/0008_fill.py | grep -c '# sluice: safe for=[0-9a-f]\{8\} because "can run twice"'; }
unbind
ok "a person's tag that is not bound" commit
is "$(bound) $(git status --porcelain)" "1 " "is bound, in the file too"
unbind && echo '# not staged' >>shop/migrations/0008_fill.py
ok "with other changes on disk" commit
said 'tagged as staged only' "is bound as staged"
is "$(bound) $(grep -c 'for=' shop/migrations/0008_fill.py)" "1 0" "alone"
git checkout -q -- . && unbind
ok "in git commit PATH" commit shop
said '0008_fill.py: its tag is not bound to its operations: sluice tag shop/migrations/0008_fill.py$' \
    "is asked for"
is "$(bound)" 0 "and not touched"
exits 1 "sluice-check" sluice-check
said 'refused: its tag is not bound to its operations: sluice tag shop/migrations/0008_fill.py$' "refuses it"
sed -i 's/# sluice: safe because/# sluice: because/; s/can run twice"/& safe/' shop/migrations/0008_fill.py
printf '[hooks]\ntag = require\n' >>sluice.ini && git add -A
exits 1 "with tag = require" commit
said 'its tag is not bound to its operations: sluice tag --index shop/migrations/0008_fill.py$' "it is asked for"
git checkout -q HEAD sluice.ini
ok "in another order" commit
is "$(git show HEAD:shop/migrations/0008_fill.py | grep -c '# sluice: for=[0-9a-f]\{8\} because "can run twice" safe')" 1 "it is bound too"
git reset -q --hard HEAD~4
sed -i 's/RunPython(print/RunPython(len/' shop/migrations/0008_fill.py && git add -A
exits 1 "operations edited after the tag" commit
said 'written for other operations' "need a new one"
said "if it holds for them too:  sluice tag --safe --because 'can run twice' shop/migrations/0008_fill.py\$" \
    "by a line to be pasted"
back
git update-ref refs/sluice/deployed/production HEAD
sed -i 's/RunPython(print/RunPython(len/' shop/migrations/0008_fill.py && git add -A
exits 1 "a deployed migration edited" commit
said 'were changed, but what is deployed on production has it as it was: git checkout [0-9a-f]{12} -- shop/migrations/0008_fill.py, and' "is refused"
sh -c "$(sed -n 's/.*as it was: \(git checkout .*\), and.*/\1/p' "$T/err")"
is "$(git status --porcelain)" "" "with the line that undoes it"
git rm -q shop/migrations/0008_fill.py
exits 1 "a deployed migration removed" commit
said 'is gone' "is refused"
back
git mv shop/migrations/0008_fill.py shop/migrations/0008_other.py
exits 1 "a deployed migration renamed" commit
not_said 'sluice tag|has the number of' "with one remedy only"
said '^1 migration: 1 judged once that is mended$' "the rest is told later"
said 'was renamed to 0008_other, but .*: git mv shop/migrations/0008_other.py shop/migrations/0008_fill.py' \
    "is refused, with the line that mends it"
back
sed -i 's/^    operations/    # why it is so\n    operations/' shop/migrations/0008_fill.py && git add -A
ok "a comment in a deployed migration is no edit" commit
sed -i 's/RunPython(len, /RunPython(\n            len,\n            /; s/RunPython(print, /RunPython(\n            print,\n            /' \
    shop/migrations/0008_fill.py && git add -A
is "$(git diff --cached --stat | grep -c 0008_fill)" 1 "its operations are reformatted"
ok "nor is another way to write the same" commit
model_migration blog 0002_never 0001_initial \
    'migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("post", "title")])'
sed -i '/title = /d; $a\    pass' blog/models.py && git add -A
exits 1 "what fits in no order" commit
said '^never +blog/migrations/0002_never.py' "is refused"
back
model_migration blog 0002_wide 0001_initial \
    'migrations.AlterField("post", "title", models.CharField(max_length=60))'
sed -i 's/title = .*/title = models.CharField(max_length=60)/' blog/models.py
sed -i 's/^    operations/    # sluice: unsafe\n    operations/' blog/migrations/0002_wide.py
git add -A
exits 1 "a tag against the verdict, without a reason" commit
said 'an overrule needs its reason' "is refused"
sed -i 's/sluice: unsafe/sluice: unsafe because "nobody writes long ones yet"/' blog/migrations/0002_wide.py
git add -A
ok "with one" commit
said 'overruled by its tag: nobody writes long ones yet' "it goes, and is shown"
git reset -q --hard HEAD^

# --- bad input ---
printf 'class Migration(:\n' >shop/migrations/0009_bad.py && git add -A
exits 1 "a syntax error" commit
said 'shop/migrations/0009_bad.py:1' "is named with its line"
model_migration shop 0009_good 0008_fill
model_migration shop 0010_next 0009_bad && git add -A
exits 1 "beside another, and below one" commit
is "$(grep -c 'makemigrations --merge\|which is not there' "$T/err")" 0 \
    "says nothing of what only follows from that"
back
model_migration shop 0009_left 0008_fill
model_migration shop 0009_right 0008_fill
git add -A
exits 1 "two last migrations" commit
said 'makemigrations --merge' "are refused with the way out"
model_migration shop 0010_merge 0009_left
sed -i 's/0009_left")\]/0009_left"), ("shop", "0009_right")]/' shop/migrations/0010_merge.py
git add -A
ok "joined by makemigrations --merge, they keep their numbers" commit
back && git reset -q --hard HEAD^
model_migration shop 0009_a 0008_fill
model_migration shop 0009_b 0009_a
git add -A
exits 1 "a number twice, the one on top of the other" commit
said 'shop.0009_b has the number of 0009_a, which it stands on:' "is refused"
cp sluice.ini "$T/ini" && printf '[hooks]\nexceptions = shop.0009_b\n' >>sluice.ini && git add sluice.ini
ok "an exception" commit
git reset -q --soft HEAD^ && mv "$T/ini" sluice.ini && git add -A
commit 2>"$T/err" && exit 3
follow
ok "with the lines that mend it" commit
is "$(git show --name-only --format= HEAD)" "$(printf 'shop/migrations/0009_a.py\nshop/migrations/0010_b.py')" \
    "done"
back && git reset -q --hard HEAD^

# --- what the base branch has, though it is not deployed ---
git checkout -q -b ahead
model_migration shop 0009_y 0008_fill 'migrations.AddField("product", "y", models.TextField(null=True))'
sed -i '/name = /a\    y = models.TextField(null=True)' shop/models.py
git add -A && commit >/dev/null 2>&1
git update-ref refs/remotes/origin/main HEAD
git checkout -q main
model_migration shop 0009_z 0008_fill 'migrations.AddField("product", "z", models.TextField(null=True))'
model_migration shop 0010_w 0009_z 'migrations.AddField("product", "w", models.TextField(null=True))'
model_migration blog 0002_v 0001_initial 'migrations.AddField("post", "v", models.TextField(null=True))'
sed -i 's/0001_initial")/&, ("shop", "0009_z")/' blog/migrations/0002_v.py
sed -i '/title = /a\    v = models.TextField(null=True)' blog/models.py
sed -i '/name = /i\    z = models.TextField(null=True)\n    w = models.TextField(null=True)' shop/models.py
git add -A && echo '# not staged' >>blog/__init__.py
start=$(git rev-parse HEAD)
exits 1 "a number that the base branch has by now" commit
said 'shop.0009_z has the number of 0009_y.py, which origin/main has:' "is refused"
follow
is "$(git status --porcelain | sed 's/^\(.\).*migrations/\1/' | tr '\n' ' ')" \
    " M blog/__init__.py A/0002_v.py M  blog/models.py A/0010_z.py A/0011_w.py M  shop/models.py " \
    "its lines do as they say, and stage what was staged"
ok "then it goes" commit
git checkout -q . && git reset -q --hard "$start"
git checkout -q ahead
sed -i 's/null=True)),/null=True, verbose_name="y")),/' shop/migrations/0009_y.py && git add -A
exits 1 "what it has, edited" commit
said '0009_y.py: its operations were changed, but origin/main has it' "is refused"
sh -c "$(sed -n 's/.*as it was: \(git checkout .*\), and.*/\1/p' "$T/err")"
is "$(git status --porcelain)" "" "with the line that undoes it"
sed -i 's/^    operations/    # why\n    operations/' shop/migrations/0009_y.py && git add -A
ok "a comment is no edit" commit
git rm -q shop/migrations/0009_y.py
exits 1 "removed" commit
said '0009_y.py: is gone, but origin/main has it' "is refused"
back
git mv shop/migrations/0009_y.py shop/migrations/0009_w.py
exits 1 "renamed" commit
not_said 'has the number of' "is no clash with its old name"
said 'was renamed, but origin/main has it by this name: git mv shop/migrations/0009_w.py shop/migrations/0009_y.py' \
    "is refused, with the line that mends it"
printf '[hooks]\nexceptions = shop.0009_y, shop.0009_w\n' >>sluice.ini && git add -A
ok "exceptions" commit
git checkout -q main && git branch -q -D ahead
git update-ref -d refs/remotes/origin/main
model_migration shop 0009_x 0077_nowhere
git add -A
exits 1 "a dependency that does not exist" commit
said '0077_nowhere' "is named"
back
model_migration shop 0009_x 0008_fill && git add shop
sed -i '/^settings/i\base = mian' sluice.ini
exits 1 "a base that names no branch" commit
said 'base = mian: there is no such branch' "is no first release"
exits 2 "nor one for sluice-check" sluice-check --index
git checkout -q sluice.ini
sed -i '/^settings/i\root = sub' sluice.ini
exits 1 "a root that is not there" commit
said 'root = sub: there is no such folder.*say where manage.py is' "is told"
git checkout -q sluice.ini
back
sed -i 's/^settings/setings/' sluice.ini
model_migration shop 0009_x 0008_fill && git add shop
exits 1 "a key misspelt" commit
said 'sluice.ini:2.*setings' "is named with its line"
mv sluice.ini "$T/ini"
exits 1 "no configuration" commit
said 'there is no configuration' "is said"
back
git reset -q --hard

# --- other ways to commit ---
printf '[hooks]\ntag = require\n' >>sluice.ini
model_migration shop 0009_d 0008_fill 'migrations.AddField("product", "d", models.TextField(null=True))'
sed -i '/name = /a\    d = models.TextField(null=True)' shop/models.py
git add shop
exits 1 "tag = require" commit
said '# sluice: safe auto -- ' "prints the line to add"
line=$(sed -n 's/.*require asks for; sluice tag \(.*\), or add above its operations:$/sluice-tag \1/p' "$T/err")
ok "and the command" sh -c "$line"
ok "which writes it" commit
git checkout -q sluice.ini
git update-ref refs/sluice/deployed/production HEAD
git checkout -q -b side
model_migration blog 0002_e 0001_initial 'migrations.AddField("post", "e", models.TextField(null=True))'
sed -i '/title = /a\    e = models.TextField(null=True)' blog/models.py
git add -A && commit >/dev/null 2>&1
git checkout -q main
add_default 0010_rank 0009_d && git add -A && commit --no-verify >/dev/null 2>&1
git checkout -q side
exits 1 "a merge that brings in a split one" git merge -q --no-edit main
said '^split +shop/migrations/0010_rank.py' "is refused by pre-merge-commit"
git merge --abort 2>/dev/null; back
git worktree add -q "$T/other" side~1 && cd "$T/other" || exit 3
model_migration blog 0002_f 0001_initial 'migrations.AddField("post", "f", models.TextField(null=True))'
sed -i '/title = /a\    f = models.TextField(null=True)' blog/models.py
git add -A
ok "in a linked work tree" commit
is "$(git show HEAD:blog/migrations/0002_f.py | grep -c '# sluice: safe auto')" 1 "it is tagged"
is "$(git status --porcelain)" "" "and clean"
cd "$T/clone" || exit 3
git worktree remove --force "$T/other"

# --- repositories of other kinds ---
git checkout -q main && git reset -q --hard HEAD~1
git update-ref refs/sluice/deployed/production HEAD
another() { # NAME: a nullable column of the post, staged
	model_migration blog 0002_"$1" 0001_initial "migrations.AddField(\"post\", \"$1\", models.TextField(null=True))"
	sed -i "/title = /a\    $1 = models.TextField(null=True)" blog/models.py
	git add -A
}
undo() { git reset -q --hard "$start"; git clean -qfd; }
start=$(git rev-parse HEAD)
tagged() { git show HEAD:blog/migrations/0002_"$1".py | grep -c '# sluice: safe auto'; }
git update-index --split-index
another split
ok "a split index" commit
is "$(tagged split)" 1 "is tagged"
undo
git update-index --no-split-index
git config core.untrackedCache true
git config index.skipHash true
another skiphash
ok "index.skipHash and an untracked cache" commit
is "$(tagged skiphash)" 1 "is tagged"
undo
git config --unset index.skipHash
mkdir -p far/away && echo x >far/away/file && git add -A && commit
git sparse-checkout set --cone --sparse-index shop blog site1
another sparse
ok "a sparse index" commit
is "$(tagged sparse)" 1 "is tagged"
git sparse-checkout disable
undo

odd=$(printf 'a b\nc\377d')
mkdir "$odd" && echo 'x = 1' >"$odd/models.py" && git add -A
ok "a path with a space, a newline and a byte that is not UTF-8" commit
is "$(git status --porcelain)" "" "leaves a clean work tree"
mkdir -p "$odd/migrations" && cp blog/migrations/__init__.py "$odd/migrations"
cp blog/migrations/0001_initial.py "$odd/migrations/0001_initial.py" && git add -A
ok "a migration there" commit
is "$(git show "HEAD:$odd/migrations/0001_initial.py" | grep -c '# sluice: safe auto') $(git status --porcelain)" \
    "1 " "is tagged"
clean() { is "$(LC_ALL=C grep -c "$(printf '\377')" "$T/err")" 0 "no strange byte reaches the terminal"; }
clean
sed -i '/# sluice:/d' "$odd/migrations/0001_initial.py" && git add -A
echo '# more' >>"$odd/migrations/0001_initial.py"
ok "with other changes on disk" commit
said 'tagged as staged only' "it is told"
clean
git reset -q HEAD^ && git add -A && sed -i '/# sluice:/d' "$odd/migrations/0001_initial.py"
ok "in git commit PATH" commit "$odd"
said 'temporary index' "it is told"
clean
undo

another workdir
cd / || exit 3
ok "GIT_DIR and GIT_WORK_TREE" \
    git --git-dir="$T/clone/.git" --work-tree="$T/clone" commit -q -m x
cd "$T/clone" || exit 3
is "$(tagged workdir)" 1 "it is tagged"
is "$(git status --porcelain)" "" "and clean"
undo

git init -q "$T/outer" && cd "$T/outer" || exit 3
git -c protocol.file.allow=always submodule add -q "$T/clone" inner >/dev/null 2>&1
cd inner || exit 3
sluice-install >/dev/null
another submodule
ok "in a submodule" commit
is "$(tagged submodule)" 1 "it is tagged"
cd "$T/clone" || exit 3

git init -q --object-format=sha256 "$T/sha256" && cp -r site1 shop blog sluice.ini "$T/sha256"
cd "$T/sha256" || exit 3
sluice-install >/dev/null
echo x >README && git add README
ok "a SHA-256 repository, nothing to judge" commit
echo 'x = 1' >shop/views.py && git add shop/views.py
ok "a SHA-256 repository, other Python" commit
is "$(cat "$T/out" "$T/err")" "" "is not talked about"
git add -A
exits 1 "a SHA-256 repository, migrations" commit
said 'SHA-256' "is refused, and says why"
cd "$T/clone" || exit 3

# --- projects below the top ---
project "$T/mono/back" >/dev/null && rm -rf .git && cp -r . ../other && cd .. || exit 3
mv back/sluice.ini . && rm other/sluice.ini && mv back/.gitignore .
{
	sed 's/^.project.$/[project back]\nroot = back/' sluice.ini
	printf '[project other]\nroot = other\nsettings = site1.settings\npython = %s\n' "$PY"
} >both.ini && mv both.ini sluice.ini
git init -q . && git add -A && git commit -q -m start
git update-ref refs/remotes/origin/main HEAD
sluice-install >/dev/null
(cd back && add_nullable 0002_note 0001_initial)
git add -A
ok "two projects in folders of their own" commit
said '^safe +back/migrations/0002_note.py|^safe +back/shop/migrations/0002_note.py' "the one that is concerned is judged"
is "$(git show HEAD:back/shop/migrations/0002_note.py | grep -c '# sluice: safe auto')" 1 "and tagged"
echo '    x = models.TextField(null=True)' >>other/blog/models.py && git add -A
exits 1 "a migration forgotten in the other" commit
said 'cd other && .*python.* manage.py makemigrations blog' "is noticed"
ok "sluice-check of one of them" sluice-check --project back
exits 2 "of none that is named" sluice-check
cd "$T/clone" || exit 3

# --- two at once ---
git worktree add -q -b left "$T/left" && git worktree add -q -b right "$T/right"
for side in left right; do
	(cd "$T/$side" && another $side && commit) >"$T/$side.out" 2>&1 &
done
wait
for side in left right; do
	is "$(git show $side:blog/migrations/0002_$side.py | grep -c '# sluice: safe auto') $(git -C "$T/$side" status --porcelain)" \
	    "1 " "two commits at once in two work trees: $side"
done

# --- what is linked: a developer's laptop has to have it ---
for p in hook gate check tag install; do
	is "$(readelf -d "$bin/sluice-$p" | sed -n 's/.*(NEEDED).*\[lib\([a-z0-9_-]*\)[-.].*/\1/p' |
	    grep -vxE 'c|m|git2|tree-sitter|pg_query|jansson|inih|md|asan|ubsan|ld-linux.*')" "" \
	    "sluice-$p links nothing but what it may"
done
for p in hook install; do
	is "$(readelf -d "$bin/sluice-$p" | grep NEEDED | grep -cvE 'libc\.|asan|ubsan|ld-linux')" 0 \
	    "sluice-$p nothing at all: it starts at once"
done
done_testing

#!/bin/sh
# sluice-check and sluice-tag as programs.
. "${0%/*}/lib.sh"
. "${0%/*}/gate.sh"

project "$T/clone"
add_nullable 0002_note 0001_initial && git add -A && git commit -q -m two
free_fax 0003_free 0002_note && git add -A && git commit -q -m three
drop_fax 0004_drop 0003_free && git add -A && git commit -q -m four
json() { "$PY" -c "import json, sys; d = json.load(open('$T/out')); print($1)"; }

ok "a range" sluice-check --all HEAD~3..HEAD
said '^safe +shop/migrations/0002_note.py' "what is added"
said '^unsafe +shop/migrations/0004_drop.py' "what is removed"
said '^3 migrations: ' "and the sum"
ok "--format json" sluice-check --format json HEAD~3..HEAD
is "$(json 'd["format"], d["mode"], d["fine"], len(d["migrations"])')" \
    "1 release True 3" "one object"
is "$(json 'sorted(d)')" \
    "['base', 'fine', 'format', 'head', 'migrations', 'mode', 'project', 'wrong']" "its keys"
is "$(json 'sorted(d["migrations"][0])')" \
    "['app', 'conditions', 'drops', 'fails', 'fixes', 'hazards', 'loses', 'name', 'opaque', 'path', 'reasons', 'refused', 'reverse_hazards', 'tag', 'verdict']" \
    "a migration's keys"
is "$(json '[m["verdict"]["phase"] for m in d["migrations"]][0]')" safe "its phase"
is "$(json 'd["base"]')" "$(git rev-parse HEAD~3)" "its base"
ok "HEAD on top of itself: nothing is new" sluice-check
git checkout -q -b side HEAD~1
add_default 0005_rank 0003_free && git add -A && git commit -q -m rank
exits 1 "a commit on top of the base branch" sluice-check
said '^split +shop/migrations/0005_rank.py' "a split one"
is "$(grep -c 'still INSERTs into' "$T/out")" 1 "the reason is told once"
exits 1 "the same as JSON" sluice-check --format json
is "$(json 'd["migrations"][-1]["verdict"]["forward"], d["fine"]')" "split False" "says so"
is "$(json 'bool(d["migrations"][-1]["refused"]), len(d["migrations"][-1]["fixes"]) > 0')" \
    "True True" "with reason and fixes"
sed -i '1a# x' shop/models.py && git add -A
exits 1 "--index" sluice-check --index
git reset -q --hard
ok "--each" sluice-check --each --all main~3..main
exits 1 "--explain" sluice-check --explain
said 'way back' "tells more"
exits 1 "--format github" sluice-check --format github
said '^::error file=shop/migrations/0005_rank.py,line=[0-9]+,title=split::fits in no phase' "annotates"
said '%0Athe way to write it: ' "with the way to write it"
is "$(grep -c -v '^::' "$T/out")" 0 "standard output has nothing else"
is "$(grep -c '^split ' "$T/err")" 1 "the report is on standard error, for the job's log"
ok "what is fine" sluice-check --format github --all main~3..main~1
is "$(tail -n 1 "$T/err")" "nothing is refused" "is said there"
exits 1 "--format gitlab" sluice-check --format gitlab
is "$(json 'd[0]["location"]["path"], d[0]["severity"]')" "shop/migrations/0005_rank.py critical" "reports"
exits 1 "--format sarif" sluice-check --format sarif
is "$(json 'd["version"], d["runs"][0]["results"][0]["level"], d["runs"][0]["results"][0]["ruleId"]')" \
    "2.1.0 error split" "is SARIF"
git checkout -q main

# --- a lock is told, not refused ---
model_migration shop 0005_index 0004_drop \
    'migrations.AddIndex("product", models.Index(fields=["name"], name="by_name"))'
git add -A
ok "an index that blocks writes" sluice-check --index -C .
said '^safe ' "is safe"
said '^ +lock: .*' "its lock is told"
said "another way: sluice check --index -C . --explain$" "and where the way around it is"
ok "that command" sluice-check --index -C . --explain
said 'AddIndexConcurrently' "has it"
is "$(grep -c 'another way' "$T/out")" 0 "and needs no further one"
ok "an annotation" sluice-check --index --format github
said '^::warning .*%0Athe way to write it: ' "has it too"
git rm -qf shop/migrations/0005_index.py

git checkout -q -b opaque
opaque 0005_fill 0004_drop && git add -A && git commit -q -m fill
exits 1 "one that a person must judge" sluice-check --format json
is "$(json '[(o["kind"], o["line"]) for o in d["migrations"][0]["opaque"]]')" \
    "[('python', 9)]" "which part, and where"
git checkout -q main

# --- an if that nobody can decide: both ways ---
under() {	# under NAME PARENT CONDITION OPERATION ELSE
	cat >"shop/migrations/$1.py" <<-E
	from django.conf import settings
	from django.db import migrations, models


	class Migration(migrations.Migration):
	    dependencies = [('shop', '$2')]

	    if $3:
	        operations = [$4]
	    else:
	        operations = [$5]
	E
}
add_null="migrations.AddField('product', 'heavy', models.TextField(null=True))"
git checkout -q -b choice
under 0005_heavy 0004_drop settings.SKIP "$add_null" ""
git add -A && git commit -q -m heavy
ok "what fits both ways" sluice-check --explain
said '^safe +shop/migrations/0005_heavy.py' "is what it is the worse way"
said 'if settings.SKIP is true: new code already SELECTs' "and says which way that is"
ok "as JSON" sluice-check --format json
is "$(json 'd["migrations"][0]["conditions"], d["migrations"][0]["opaque"]')" \
    "[{'line': 8, 'text': 'settings.SKIP'}] []" "names the condition"
git checkout -q -b chosen
under 0006_light 0005_heavy settings.SKIP "migrations.RemoveField('product', 'heavy')" ""
git add -A && git commit -q -m light
ok "the same choice in what is there" sluice-check choice..chosen
said '^unsafe +shop/migrations/0006_light.py' "is the same choice"
under 0006_light 0005_heavy settings.OTHER "migrations.RemoveField('product', 'heavy')" ""
git add -A && git commit -q -m other
exits 1 "another one" sluice-check choice..chosen
said '^opaque +shop/migrations/0006_light.py' "may be a mistake"
git checkout -q choice && git branch -qD chosen
git checkout -q -b edited
under 0005_heavy 0004_drop settings.SKIP "$add_null" "migrations.RunSQL('SELECT 1')"
git add -A && git commit -q -m edited
exits 1 "the other branch of one that is applied" sluice-check choice..edited
said 'operations of shop.0005_heavy were changed' "is an edit"
git checkout -q main && git branch -qD edited choice

# --- what the base branch has, and where this left it ---
git checkout -q -b behind HEAD~2
add_default 0003_rank 0002_note && git add -A && git commit -q -m rank
exits 1 "A..B of a branch that is behind" sluice-check main..HEAD
said 'shop.0003_free is gone, but main has it' "misses what it never had"
exits 1 "A...B" sluice-check main...HEAD
is "$(grep -c 'is gone' "$T/out")" 0 "is on top of where it left"
said 'shop.0003_rank has the number of 0003_free.py, which main has:$' "a number that is taken is told"
said '^    git rebase --autostash main$' "with the way out"
exits 2 "A...B without a common commit" \
    sluice-check "main...$(git commit-tree -m x "$(git write-tree)")"
said 'no commit in common' "is said"
git checkout -q main

# --- several targets: it must fit on each ---
cp sluice.ini "$T/ini"
for t in one two; do
	printf '[target %s]\ndatabase = host=x\npath = /srv/x\nbuild = true\nrestart = true\nhealth = true\n[host %s]\ntarget = %s\n' $t $t $t
done >>sluice.ini
git update-ref refs/sluice/deployed/one HEAD~1
git update-ref refs/sluice/deployed/two HEAD~3
ok "two targets" sluice-check
said 'judged on top of what is deployed on one: fine' "each is told"
said 'judged on top of what is deployed on two: fine' "with what it says"
git update-ref refs/sluice/deployed/two "$(git rev-parse side)"
exits 1 "one that it does not fit on" sluice-check
said 'on top of what is deployed on two:' "is the one that is shown"
said 'shop.0005_rank is gone' "with its reason"
exits 1 "as JSON" sluice-check --format json
is "$(json 'd["base"]')" "$(git rev-parse side)" "too"
git update-ref -d refs/sluice/deployed/one
git update-ref -d refs/sluice/deployed/two
mv "$T/ini" sluice.ini

# --- the recipes of README and page, as they stand there ---
recipe() { # FORMAT: its commands, run where CI would have put us
	sed -n "s/^ *- run: \\(sluice-check .*\\)/\\1/p; s/^ *- \\(git fetch .*\\)/\\1/p; s/^ *- \\(sluice-check .*\\)/\\1/p" \
	    "$top/README.md" "$top/hooks/sluice-check.1" | grep -e "$1" -e "$2" >"$T/recipe"
	sh -e "$T/recipe"
}
git clone -q "$T/clone" "$T/ci" && cd "$T/ci" && git checkout -q origin/behind 2>/dev/null || exit 3
export GITHUB_BASE_REF=main CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main
exits 1 "GitHub: a branch that is behind" recipe 'format github' 'no fetch'
is "$(wc -l <"$T/recipe")" 1 "one command"
said '^::error file=shop/migrations/0003_rank.py' "annotates"
git checkout -q origin/main && git -c user.name=ci merge -q --no-edit -s ours origin/behind 2>/dev/null
exits 0 "GitHub: the merge that it checks out" recipe 'format github' 'no fetch'
git checkout -q origin/behind
exits 1 "GitLab" recipe 'format gitlab' 'git fetch'
is "$("$PY" -c 'import json; d = json.load(open("sluice.json")); print(d[0]["severity"], d[0]["location"]["path"])')" \
    "critical shop/migrations/0003_rank.py" "reports"
cd "$T/clone" || exit 3

exits 2 "a commit that is not there" sluice-check 1234567890
said "there is no commit '1234567890'" "is named"
exits 2 "a range whose end is not there" sluice-check HEAD..nowhere
said "there is no commit 'nowhere'" "is named"
exits 2 "two things at once" sluice-check --index HEAD
exits 2 "a format that is none" sluice-check --format xml
exits 2 "an unknown option" sluice-check --frobnicate
ok "--help" sluice-check --help
mkdir "$T/none" && cd "$T/none" || exit 3
exits 2 "no repository" sluice-check
said 'no git repository' "is said"
cd "$T/clone" || exit 3
mv sluice.ini "$T/ini"
exits 2 "no configuration" sluice-check
said 'there is no configuration' "is said"
cp "$T/ini" sluice.ini && sed -i 's/^settings/setings/' sluice.ini
exits 2 "a key misspelt" sluice-check
said "sluice.ini:2.*setings.*settings" "is named, with the nearest key"
{ printf '[project]\nsettings = '; head -c 3000 /dev/zero | tr '\0' x; } >sluice.ini
exits 2 "a line too long" sluice-check
said 'sluice.ini:2' "is named"
cp "$T/ini" sluice.ini

cp -r "$T/clone" "$T/plain" && rm -rf "$T/plain/.git" "$T/plain/sluice.ini"
run sluice-check --dir "$T/plain" --all
said '0001_initial' "a folder without git and without a configuration"
ok "as JSON" sh -c "sluice-check --dir '$T/plain' --format json || [ \$? -eq 1 ]"
is "$(json 'd["mode"], len(d["migrations"])')" "alone 5" "each alone"

cat >"$T/plain/shop/migrations/0009_py, %.py" <<END
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunPython(print),
    ]
END
exits 1 "what cannot be read, for GitHub" sluice-check --dir "$T/plain" --format github
said '^::error file=shop/migrations/0009_py%2C %25.py,line=7,title=opaque::shop/migrations/0009_py, %25.py:7: ' \
    "has its line, and is escaped"
rm "$T/plain/shop/migrations/0009_py, %.py"

# --- what is upserted needs its constraint, what is not does well without ---
mkdir -p "$T/up" && cp -r "$T/plain/." "$T/up" && cd "$T/up" || exit 3
last=$(cd shop/migrations && ls 0*.py | tail -n 1)
cat >shop/migrations/0009_unique.py <<END
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "${last%.py}")]
    operations = [
        migrations.AddConstraint("product", models.UniqueConstraint(fields=["name"], name="u")),
    ]
END
b='[m["verdict"]["b"] for m in d["migrations"] if m["name"] == "0009_unique"]'
run sluice-check --dir . --format json
is "$(json "$b")" "['note']" "a constraint that nobody upserts by"
echo 'Product.objects.bulk_create(x, update_conflicts=True, unique_fields=["name"])' >shop/jobs.py
run sluice-check --dir . --format json
is "$(json "$b")" "['breaks']" "one that somebody does"
echo 'self.bulk_create(x, unique_fields=("name",), update_conflicts=True)' >shop/jobs.py
run sluice-check --dir . --format json
is "$(json "$b")" "['breaks']" "one by which a manager does, of whatever model"
echo 'self.bulk_create(x, unique_fields=["name", "shop"], update_conflicts=True)' >shop/jobs.py
run sluice-check --dir . --format json
is "$(json "$b")" "['note']" "by other fields it is another"
echo 'INSERT = "INSERT INTO shop_product VALUES (1) ON CONFLICT (name) DO NOTHING"' >shop/jobs.py
run sluice-check --dir . --format json
is "$(json "$b")" "['breaks']" "the same in SQL"
echo 'INSERT = "INSERT INTO shop_product VALUES (1) ON CONFLICT DO NOTHING"' >shop/jobs.py
run sluice-check --dir . --format json
is "$(json "$b")" "['note']" "and without a target"
cd "$T/clone" || exit 3

# --- a class that is changed where it is not followed never reads as safe ---
for trick in 'Migration.operations.append(1)' 'Migration = make()' 'M = Migration' \
    'class Migration(Migration): operations = []' 'setattr(Migration, "operations", [])' \
    '    operations[0:0] = [migrations.DeleteModel("Order")]'; do
	rm -rf "$T/trick" && cp -r "$T/plain" "$T/trick"
	first=$(cd "$T/trick/shop/migrations" && ls 0*.py | tail -n 1)
	cat >"$T/trick/shop/migrations/9999_trick.py" <<END
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "${first%.py}")]
    operations = []
$trick
END
	run sluice-check --dir "$T/trick" --all
	said '9999_trick.py:7' "$trick"
done

# --- what Django would load and no one can read ---
rm -rf "$T/trick" && cp -r "$T/plain" "$T/trick"
mkdir "$T/trick/lib" && mv "$T/trick/shop/migrations/0001_initial.py" "$T/trick/lib/real.py"
ln -s ../../lib/real.py "$T/trick/shop/migrations/0001_initial.py"
exits 1 "a link in a folder" sluice-check --dir "$T/trick" --all
said '0001_initial.py: a link' "is told"
git checkout -q -b link
mkdir lib && git mv shop/migrations/0004_drop.py lib/real.py
ln -s ../../lib/real.py shop/migrations/0004_drop.py && git add -A
exits 1 "a link in the index" sluice-check --index
said '0004_drop.py: a link' "is told"
git commit -q -m link
exits 1 "a link in a commit" sluice-check
said '0004_drop.py: a link' "is told"
git rm -q -r shop/migrations && ln -s ../lib shop/migrations && git add -A
exits 1 "a folder of them that is a link" sluice-check --index
said 'shop/migrations: a link' "is told"
git reset -q --hard && git checkout -q main && git branch -q -D link
rm -rf "$T/trick" && cp -r "$T/plain" "$T/trick"
: >"$T/trick/shop/migrations/0009_x.abi3.so"
exits 1 "a compiled one" sluice-check --dir "$T/trick" --all
said '0009_x.abi3.so: compiled' "is told"
rm -rf "$T/trick" && cp -r "$T/plain" "$T/trick"
mv "$T/trick/shop/migrations" "$T/trick/shop/schema"
exits 1 "migrations in a folder of another name" sluice-check --dir "$T/trick" --all
said 'shop/schema/0001_initial.py: looks like a migration' "are told"

# --- sluice-tag ---
git update-ref refs/remotes/origin/main HEAD~3
ok "sluice-tag" sluice-tag
is "$(grep -l '# sluice: .* auto' shop/migrations/*.py | wc -l)" 3 "tags what is new"
is "$(git diff --name-only | wc -l)" 3 "in the work tree"
ok "again" sluice-tag
is "$(cat "$T/out")" "" "changes nothing"
git checkout -q .
ok "a file" sluice-tag shop/migrations/0002_note.py
is "$(git diff --name-only)" shop/migrations/0002_note.py "alone"
exits 2 "files that are not new" sluice-tag shop/models.py shop/none.py shop/migrations/0001_initial.py
said 'shop/models.py: not a migration$' "one that is none"
said 'shop/none.py: no such file$' "one that is not there"
said 'shop/migrations/0001_initial.py: .*origin/main.* has it, its tag is settled$' "one that is settled"
ok "a person's, over the machine's" sluice-tag --safe --because 'as agreed "today"' \
    shop/migrations/0002_note.py
is "$(grep -c 'sluice:' shop/migrations/0002_note.py)" 1 "replaces it"
said "because \"as agreed 'today'\"" "with its reason"
sed -i 's/ for=[0-9a-f]*//' shop/migrations/0002_note.py
ok "one that is not bound" sluice-tag
is "$(grep -c 'sluice: safe for=[0-9a-f]\{8\} because' shop/migrations/0002_note.py)" 1 "is bound"
sed -i 's/TextField/CharField/; s/null=True/max_length=9, null=True/' shop/migrations/0002_note.py
exits 1 "one that was written for other operations" sluice-tag shop/migrations/0002_note.py
said '0002_note.py:[0-9]+: written for other operations .*anew, or remove it' "is told"
git checkout -q .
exits 1 "a person's tag that no verdict admits" \
    sluice-tag --safe --because 'it will do' shop/migrations/0004_drop.py
said 'not written: .* no tag overrules it' "is refused, with the reason"
is "$(git status --porcelain)" "" "and not written"
git checkout -q .
model_migration shop 0005_idx 0004_drop \
    'migrations.AddIndex("product", models.Index(fields=["name"], name="by_name"))'
ok "one that is unsafe only since it needs an unsafe one" sluice-tag shop/migrations/0005_idx.py
said '# sluice: unsafe auto -- after shop.0004_drop, which is unsafe' "is tagged with that reason"
git add -A
ok "in words" sluice-check --index
said '^ +after shop.0004_drop, which is unsafe$' "it is said"
ok "as an annotation" sluice-check --index --format github
said '^::notice file=shop/migrations/0005_idx.py.*::after shop.0004_drop, which is unsafe' "too"
git rm -q -f shop/migrations/0005_idx.py
free=shop/migrations/0003_free.py
tag() { sed -n 's/^ *\(# sluice:.*\) for=[0-9a-f]\{8\}/\1/p' "$free"; }
sed -i 's/^    operations/    # sluice: unsafe delay=90m repeat because "x"\n&/' $free
ok "a person's tag anew" sluice-tag --safe --because y $free
is "$(tag)" '# sluice: safe delay=90m repeat because "y"' "keeps its other words"
ok "with others" sluice-tag --safe --delay 24h --reverse unsafe --because z $free
is "$(tag)" '# sluice: safe reverse=unsafe delay=1d repeat because "z"' "has those"
ok "--delay 0" sluice-tag --safe --delay 0 --because z $free
is "$(tag)" '# sluice: safe reverse=unsafe repeat because "z"' "takes it away"
git checkout -q .
ok "--repeat" sluice-tag --safe --repeat --because z $free
is "$(tag)" '# sluice: safe repeat because "z"' "is written"
git checkout -q .
exits 2 "--delay alone" sluice-tag --delay 1h $free
exits 2 "a delay that is none" sluice-tag --unsafe --because z --delay soon $free
exits 2 "a way back that is none" sluice-tag --unsafe --because z --reverse maybe $free
printf 'x = 1\r\n' >>shop/migrations/0002_note.py
sed -i 's/$/\r/; s/\r\r$/\r/' shop/migrations/0003_free.py
ok "a file with CRLF" sluice-tag shop/migrations/0003_free.py
is "$(grep -c 'sluice:.*[^'"$(printf '\r')"']$' shop/migrations/0003_free.py)" 0 "keeps them"
# --- an app whose migrations stand on another app's alone keeps its name ---
project "$T/label"
model_migration blog 0002_a 0001_initial 'migrations.AddField("post", "a", models.TextField(null=True))'
model_migration blog 0003_b 0001_initial 'migrations.AddField("post", "b", models.TextField(null=True))'
sed -i 's/"blog", "0001_initial"/"shop", "0001_initial"/' blog/migrations/000[23]*.py
git add -A
run sluice-check --index
is "$(grep -c "two migrations are called shop" "$T/out")" 0 "it is not taken for the other"

# --- what is applied builds what it built, however it is written now ---
project "$T/helper"
cat >shop/made.py <<-END
from django.db import migrations, models
KINDS = [("a", "b")]
OPERATIONS = [migrations.AddField("product", "kind", models.TextField(null=True, choices=KINDS))]
END
model_migration shop 0002_kind 0001_initial
sed -i -e '1i from shop.made import OPERATIONS' -e '/operations = /,$d' shop/migrations/0002_kind.py
echo '    operations = OPERATIONS' >>shop/migrations/0002_kind.py
add_nullable 0003_note 0002_kind
model_migration shop 0004_other 0003_note
sed -i -e '1i from shop.made import OTHER' -e '/operations = /,$d' shop/migrations/0004_other.py
echo '    operations = OTHER' >>shop/migrations/0004_other.py
echo 'OTHER = [migrations.AddField("product", "other", models.TextField(null=True))]' >>shop/made.py
git add -A && git commit -q -m two
sed -i 's/^OPERATIONS.*)\]/&\nOPERATIONS += [migrations.RemoveField("product", "fax")]/' shop/made.py
git add -A && git commit -q -m helper
exits 1 "a migration changed through the file that makes it" sluice-check HEAD~1..HEAD
said 'the operations of shop.0002_kind were changed' "is told"
exits 1 "so where what was read is known" sluice-check HEAD~1..HEAD
said 'the operations of shop.0002_kind were changed' "is told again"
echo 'OTHER = make()' >>shop/made.py && git commit -q -a --amend -m helper
exits 1 "beside another that cannot be read any more" sluice-check HEAD~1..HEAD
said 'the operations of shop.0002_kind were changed' "is told too"
not_said 'shop.0004_other' "the other is not compared"
git reset -q --hard HEAD~1
echo '# x' >>shop/made.py && git add -A
ok "that file changed beside the point" sluice-check --index

squash() { # OPERATION…
	model_migration shop 0002_squashed_0003 0001_initial "$@"
	sed -i '/dependencies/i\    replaces = [("shop", "0002_kind"), ("shop", "0003_note")]' \
	    shop/migrations/0002_squashed_0003.py
	git add -A
}
kind='migrations.AddField("product", "kind", models.TextField(null=True))'
note='migrations.AddField("product", "note", models.TextField(null=True))'
git rm -q -f shop/migrations/0004_other.py && git commit -q -m three
squash "$note" "$kind"
ok "a squash of what is deployed" sluice-check --index
git rm -q -f shop/migrations/0002_kind.py shop/migrations/0003_note.py
ok "and without what it replaces" sluice-check --index
squash "$kind" "$note" 'migrations.RemoveField("product", "fax")'
exits 1 "one that does more" sluice-check --index
said 'the squash shop.0002_squashed_0003 does not build what it replaces, .*: column "fax" of table "shop_product" differs' \
    "is told"
squash "$kind" "${note%null=True*}))"
exits 1 "one that makes a column another" sluice-check --index
said 'column "note" of table "shop_product"' "is told"
printf '[hooks]\nexceptions = shop.0002_squashed_0003\n' >>sluice.ini
ok "unless it is an exception" sluice-check --index
done_testing

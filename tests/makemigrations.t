#!/bin/sh
# The hooks verify makemigrations on what is staged or pushed, and on nothing
# else: not the work tree, not a database.
. "${0%/*}/lib.sh"
. "${0%/*}/gate.sh"
[ -x "$PY" ] || skip_all "no Python with Django"

mkdir "$T/tmp"
export TMPDIR="$T/tmp"
project "$T/clone"
sluice-install >/dev/null
back() { git reset -q --hard && git clean -qfd; }
commit() { git commit -q -m x; }
wide() { sed -i 's/title = .*/title = models.CharField(max_length=60)/' blog/models.py; }
wide_migration() {
	model_migration blog 0002_wide 0001_initial \
	    'migrations.AlterField("post", "title", models.CharField(max_length=60))'
}

wide && git add -A
exits 1 "a model changed, its migration forgotten" commit
said 'blog/migrations/0002_.*\.py' "Django's own words are shown"
said 'Alter field title on post' "with the operation"
said 'manage\.py makemigrations blog' "and the command to run"
said 'or let models.py say what the migrations say' "or the other way round"
is "$(git status --porcelain)" "M  blog/models.py" "nothing is touched"
is "$(ls "$TMPDIR")" "" "nothing is left in the temporary folder"

wide_migration
exits 1 "the migration is in the work tree only" commit
git add -A
ok "model and migration staged (no database is there to ask)" commit

sed -i 's/title = .*/title = models.CharField(max_length=70)/' blog/models.py
sed -i '1a# a comment' shop/models.py
git add shop
ok "an unstaged change of another model does not count" commit
is "$(git diff --name-only)" "blog/models.py" "and stays as it is"
back

sed -i 's/title = .*/title = models.CharField(max_lenth=70)/' blog/models.py
git add -A
exits 1 "models that cannot be imported" commit
said 'could not be told' "are not a yes"
said 'blog/models.py:5: TypeError' "the place is named"
back

model_migration blog 0003_left 0002_wide
model_migration blog 0003_right 0002_wide
git add -A
exits 1 "two last migrations" commit
said 'makemigrations --merge' "the way out is named"
back

# --- the environment ---
cp sluice.ini "$T/ini"
echo '# again' >>blog/models.py && git add -A
sed -i "s|^python = .*|python = .venv/bin/python|" sluice.ini
exits 1 "no Python there" commit
said "there is no Python at '.*/clone/.venv/bin/python'" "is said"
said 'missing = warn' "and how to go on without"
printf '[makemigrations]\nmissing = warn\n' >>sluice.ini
ok "missing = warn" commit
said 'warning' "warns"
echo '# bare' >>blog/models.py && git add blog
sed -i "s|^python = .*|python = nopython3|" sluice.ini
ok "the same for a name that PATH has not" commit
said "there is no 'nopython3' on PATH" "which is told"
cp "$T/ini" sluice.ini
echo '# settings' >>blog/models.py && git add blog
sed -i 's/^settings = .*/settings = nope.settings/' sluice.ini
exits 1 "a settings module that is not there" commit
said '\[project\] settings = nope.settings: there is no such module' "is named by its key"
git reset -q --hard && cp "$T/ini" sluice.ini

python3 -m venv --without-pip "$T/bare" >/dev/null
sed -i "s|^python = .*|python = $T/bare/bin/python|" sluice.ini
echo '# 2' >>blog/models.py && git add blog
exits 1 "a Python without Django" commit
said 'cannot import Django' "is said"
cp "$T/ini" sluice.ini
back

cat >>site1/settings.py <<-END
SECRET_KEY = open(os.path.join(os.path.dirname(__file__), "..", ".env")).read()
END
echo .env >>.gitignore && echo secret >.env
echo '# 3' >>blog/models.py && git add -A
exits 1 "settings that read an ignored file" commit
said 'site1/settings.py:.*No such file' "that the export has not"
printf '[makemigrations]\nlink = .env\n' >>sluice.ini
ok "link = .env" commit
cp sluice.ini "$T/ini"
echo 'timeout = 2s' >>sluice.ini
printf 'import time\ntime.sleep(60)\n' >>site1/settings.py
echo '# 4' >>blog/models.py && git add -A
exits 1 "a settings module that sleeps" commit
said 'did not end in time \(\[makemigrations\] timeout = 2s\)' "is not waited for"
is "$(ls "$TMPDIR")" "" "nothing is left in the temporary folder"
git reset -q --hard HEAD
cp "$T/ini" sluice.ini

# --- the work tree imported instead of the export ---
venv=$T/editable
python3 -m venv --without-pip "$venv" >/dev/null
lib=$(echo "$venv"/lib/python3*/site-packages)
echo "$deps"/venv/lib/python3*/site-packages >"$lib/django.pth"
sed -i "s|^python = .*|python = $venv/bin/python|" sluice.ini
echo "$T/clone" >"$lib/clone.pth"
echo '# 5' >>blog/models.py && git add blog
ok "an editable install by path is led to the export" commit
cat >"$lib/finder.py" <<-END
import importlib.util, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "blog":
            return importlib.util.spec_from_file_location(name,
                "$T/clone/blog/__init__.py", submodule_search_locations=["$T/clone/blog"])
sys.meta_path.insert(0, Finder)
END
echo 'import finder' >"$lib/editable.pth"
echo '# 6' >>blog/models.py && git add blog
exits 1 "an editable install by an import hook" commit
said 'could not be told' "cannot be trusted"
said "'blog' is imported from '.*/clone/blog" "and is named"
cp "$T/ini" sluice.ini && back

# --- the project's own check ---
printf '[project]\nsettings = site1.settings\n[makemigrations]\ncommand = echo looked; grep -q fine blog/models.py\n' >sluice.ini
echo '# own' >>blog/models.py && git add blog
exits 1 "[makemigrations] command that says no" commit
said '    looked' "is quoted"
said 'makemigrations\] command says no:' "as what it is"
echo '# fine' >>blog/models.py && git add blog
ok "one that says yes" commit
printf '[project]\nsettings = site1.settings\n[makemigrations]\ncommand = exit 9\n' >sluice.ini
echo '# 61' >>blog/models.py && git add blog
exits 1 "one that fails" commit
said 'could not be told' "is no answer"
cp "$T/ini" sluice.ini && back

# --- asked once for each tree ---
cat >"$T/python" <<-END
#!/bin/sh
echo run >>$T/asked
exec $PY "\$@"
END
chmod 755 "$T/python"
printf '[project]\nsettings = site1.settings\npython = %s\n[makemigrations]\nlink = .env\n' "$T/python" >sluice.ini
echo '# 7' >>blog/models.py && git add -A
ok "a verdict" commit
git reset -q --soft HEAD^
ok "the same tree again" commit
is "$(wc -l <"$T/asked")" 1 "is known"
echo '# 8' >>blog/models.py && git add -A
commit
is "$(wc -l <"$T/asked")" 2 "another one is asked"
echo '# 8' >README.md && git add -A && git commit -q --amend --no-verify -m x
git reset -q --soft HEAD^
commit
is "$(wc -l <"$T/asked")" 2 "one that differs in what models do not read is not"
git reset -q --soft HEAD^
echo '{}' >blog/sizes.json && git add -A
commit
is "$(wc -l <"$T/asked")" 3 "one that differs in data that they may read is"
git reset -q --soft HEAD^
touch "$T/python"
commit
is "$(wc -l <"$T/asked")" 4 "and all when the environment has changed"

# --- ended from outside ---
sed -i "s|^exec|sleep 5; exec|" "$T/python"
echo '# 9' >>blog/models.py && git add -A
"$bin/sluice-hook" pre-commit >/dev/null 2>&1 &
pid=$!
wait_for 5 sh -c "[ \$(wc -l <'$T/asked') -eq 5 ]"
kill -TERM $pid
wait $pid
wait_for 5 sh -c "[ -z \"\$(ls '$TMPDIR')\" ]" || :
is "$(ls "$TMPDIR" | grep -c export)" 0 "ended by a signal: the export is removed"
done_testing

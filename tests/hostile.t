#!/bin/sh
# Input that is meant to take all time and memory: it is refused, or judged,
# within bounds of work. Limits stop the program long after it should be done.
. "${0%/*}/lib.sh"

head='from django.db import migrations\nclass Migration(migrations.Migration):\n'

# app NAME: its folder of migrations, entered
app() {
	mkdir -p "$T/$1/a/migrations"
	cd "$T/$1/a/migrations" || exit 3
}
# one NAME DEPENDENCIES [LINE]
one() {
	# shellcheck disable=SC2059
	printf "$head    dependencies = [%s]\n%s    operations = []\n" \
	    "$2" "${3-}" >"$1.py"
}
case $bin in
*san*) data=unlimited ;;	# its shadow is terabytes
*) data=98304 ;;
esac
# judged CODE NAME: sluice-check of that folder ends with it, within bounds.
judged() {
	exits "$1" "$2" sh -c "ulimit -t 20; ulimit -d $data; exec \"\$@\"" \
	    sh sluice-check --dir "$T/$2"
}
long() { head -c "$1" /dev/zero | tr '\0' "$2"; }

app bytes
truncate -s 100000000 0001_initial.py
exits 1 "a hundred million bytes" sluice-check --dir "$T/bytes"
said 'larger than' "that is said"

app brackets
{ printf 'x = '; long 1000000 '('; } >0001_initial.py
exits 1 "a million brackets" sluice-check --dir "$T/brackets"
said 'nested too deeply' "that is said"

app signs
{ printf 'x = '; long 1000000 '-'; echo 1; } >0001_initial.py
exits 1 "a million signs" sluice-check --dir "$T/signs"
said 'more words and signs' "that is said"

app words
awk 'BEGIN { printf "x = "; for (i = 0; i < 150000; i++) printf "not "; print 1 }' \
    >0001_initial.py
judged 1 words

app merge
one 0001_initial ''
i=0
while [ $i -lt 1000 ]; do
	one "0002_$i" "('a', '0001_initial')"
	list="${list-}('a', '0002_$i'), "
	i=$((i + 1))
done
one 0003_merge "$list"
judged 0 merge

app cycle
i=0
while [ $i -lt 1000 ]; do
	one "m$i" "('a', 'm$(((i + 999) % 1000))')"
	i=$((i + 1))
done
judged 1 cycle

app squashes
one s0 ''
i=1
while [ $i -lt 1000 ]; do
	one "s$i" '' "    replaces = [('a', 's$((i - 1))')]
"
	i=$((i + 1))
done
judged 0 squashes

app all
i=0
list=
while [ $i -lt 1000 ]; do
	one "m$i" "${before-}"
	before="('a', 'm$i')"
	list="$list('a', 'm$i'), "
	i=$((i + 1))
done
i=0
while [ $i -lt 40 ]; do
	one "s$i" '' "    replaces = [$list]
"
	i=$((i + 1))
done
judged 1 all
done_testing

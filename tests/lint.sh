#!/bin/sh
# make lint: what the compiler does not see. Exit 1 if anything is found.
#
#	sh tests/lint.sh [BUILD]	BUILD: where the objects are (build)
set -u
cd "$(dirname "$0")/.." || exit 3
build=${1:-build}
list=$(mktemp) || exit 3
other=$list.other
trap 'rm -f "$list" "$other"' EXIT

# complain WHAT: every line on stdin is a finding.
complain() { grep . | sed "s|^|lint: $1: |" | tee -a "$list"; }

c_files() { git ls-files -- '*.c' '*.h' | grep -v '/grammar/'; }
sh_files() {
	git ls-files -- '*.sh' 'tests/*.t' 'tests/demo/shop/deploy/*' .ci/run |
	    xargs grep -lE '^#!/bin/(ba)?sh|shellcheck shell=sh'
}

# 1. Functions that have no place here. The demo's own prose is not code.
c_files | xargs grep -nE \
    '(^|[^[:alnum:]_.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|system|popen)[[:space:]]*\(' |
    complain "forbidden function"

# 2. Includes go leftwards only: base < read < judge < plan < act, gate < show;
# act and gate do not know each other; prog is for programs.
allowed() {
	case $1 in
	base) echo base ;;
	read) echo 'base|read|judge/schema' ;;
	judge) echo 'base|read|judge' ;;
	plan) echo 'base|read|judge|plan' ;;
	act) echo 'base|read|judge|plan|act' ;;
	gate) echo 'base|read|judge|plan|gate' ;;
	show) echo 'base|read|judge|plan|act|gate|show' ;;
	prog) echo '[a-z]+' ;;
	esac
}
for room in base read judge plan act gate show prog; do
	git ls-files -- "src/$room/*.[ch]" "include/$room/*.h" |
	    xargs -r grep -nE '^#include "[a-z]+/' |
	    grep -vE "#include \"($(allowed $room))(/|\.h\")" |
	    complain "$room may not include this"
done

# 3. judge and plan are pure: their objects ask nothing of the system and keep
# nothing that could be written to.
pure='^(mem|str)(cpy|move|set|cmp|chr|rchr|len|ncmp|str|dup|spn|cspn|pbrk|nlen|casecmp|ncasecmp|toul|tol|toull|toll|tod|toumax|toimax)$|^(__)?(v?snprintf)(_chk)?$|^__(mem|str)[a-z]+_chk$|^__stack_chk_fail$|^_GLOBAL_OFFSET_TABLE_$|^(qsort|bsearch|abort|free|malloc|calloc|realloc|__errno_location|__ctype_[a-z_]+|__isoc99_sscanf|__assert_fail|isdigit|tolower|toupper|strcasestr|strtok_r|mempcpy|stpcpy|memmem|memrchr|rawmemchr|strchrnul)$|^(__asan|__ubsan|__tsan|__sanitizer)|^strbuf_empty$'
ours=$(find "$build"/base "$build"/read "$build"/judge "$build"/plan -name '*.o' |
    grep -vE '/(base/(file|child|clock|signals)|read/(config|repo|source|cache)[a-z_]*)\.o' |
    xargs -r nm --defined-only 2>/dev/null |
    awk 'NF == 3 && $2 ~ /[TRDBVW]/ { print $3 }' | sort -u)
for room in judge plan; do
	for o in "$build/$room"/*.o; do
		[ -f "$o" ] || continue
		nm -u "$o" | awk '{ print $2 }' | grep -vE "$pure" |
		    grep -vxF -e "$ours" | sed "s|^|$o: |" |
		    complain "$room is pure, and calls"
		nm -f sysv "$o" | awk -F '|' '
			{ gsub(/ /, ""); s = $7 }
			s ~ /^\.(t?data|t?bss)/ && s !~ /^\.data\.rel\.ro/ { print $1 }
			$3 == "C" { print $1 }' | sed "s|^|$o: |" |
		    complain "$room keeps state"
	done
done
# …and does not reach into what does I/O among our own.
for room in judge plan; do
	git ls-files -- "src/$room/*.[ch]" | xargs -r grep -nE \
	    '#include "(base/(file|child|clock)|act/|gate/|show/|read/(config|repo|source|cache)\.h)' |
	    complain "$room is pure, and includes"
done

# 4. Sizes: a file under 600 lines, a function under 80, a main under 50.
c_files | xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines" }' |
    complain "file too long"
# shellcheck disable=SC2016
c_files | grep '\.c$' | xargs awk '
FNR == 1 { start = 0 }
/^[a-z_][a-zA-Z0-9_]*\(/ { name = $0; sub(/\(.*/, "", name) }
/^\{/ { start = FNR }
/^\}/ && start {
	n = FNR - start - 1
	if (n > 80 || (name == "main" && n > 50))
		print FILENAME ": " name "(): " n " lines"
	start = 0
}' | complain "function too long"

# 5. Every program has its page, and the pages are clean mdoc.
for c in $(git ls-files -- 'hooks/*.c' 'deploy/*.c'); do
	[ -f "${c%.c}.1" ] || echo "$c has no ${c%.c}.1"
done | complain "page"
git ls-files -- '*.1' '*.5' | xargs -r mandoc -T lint -W warning 2>&1 |
    complain "mandoc"

# 6. Shell and Python. A test takes its names from lib.sh, and may look at
# folders and write scripts for others in ways that a program may not.
sh_files | grep -v '\.t$' | xargs -r shellcheck -x -f gcc | complain "shellcheck"
sh_files | grep '\.t$' |
    xargs -r shellcheck -f gcc -e SC1091,SC2154,SC2016,SC2010,SC2012,SC2034 |
    complain "shellcheck"
for f in $(git ls-files -- 'src/act/agent.sh'); do
	for s in dash "bash --posix" "busybox sh"; do
		$s -n "$f" 2>&1
	done
done | complain "syntax"
git ls-files -- '*.py' ':!tests/fuzz/corpus' | xargs -r /usr/bin/python3 -c '
import ast, sys
for f in sys.argv[1:]:
    old = {"feature_version": (3, 8)} if f.startswith("src/") else {}
    try:
        ast.parse(open(f, encoding="utf-8").read(), f, **old)
    except SyntaxError as e:
        print(f"{f}:{e.lineno}: {e.msg}")
' | complain "python"

# 7. A test that cannot be run is not run.
for f in $(git ls-files -- 'tests/*.t'); do
	[ -x "$f" ] || echo "$f: chmod +x"
done | complain "not executable"

# 8. Every key of sluice.ini is in its page and in the example, and no other;
# so are the defaults that the page gives.
keys() {
	case $1 in
	src)
		sed -n 's/.*{ S_\([A-Z]*\), "\([a-z_]*\)", [A-Z](.*/\1 \2/p' \
		    src/read/config.c | tr '[:upper:]' '[:lower:]' |
		    sed 's/^make /makemigrations /'
		;;
	example)
		awk '/^\[/ { gsub(/[][]/, ""); s = $1 }
		    s !~ /^(fields|operations|values)$/ &&
		    match($0, /^(; )?[a-z_]+ = /) { sub(/^; /, ""); print s, $1 }' \
		    config.ini.example
		;;
	page)
		awk '/^\.Ss \[/ { gsub(/[][]/, ""); s = $2 }
		    /^\.It Li [a-z_]+ No =/ { print s, $3 }' deploy/sluice.ini.5
		;;
	esac | sort -u
}
defaults() {
	case $1 in
	src)
		sed -n 's/.*{ S_\([A-Z]*\), "\([a-z_]*\)", [A-Z](.*), T_[A-Z]*, "\([^"]*\)".*/\1 \2 \3/p' \
		    src/read/config.c | awk '{ $1 = tolower($1); print }' |
		    sed 's/^make /makemigrations /' | grep -v '^project root '
		;;
	page)
		awk '/^\.Ss \[/ { gsub(/[][]/, ""); s = $2 }
		    /^\.It / { k = $3 }
		    said { sub(/^\.Li (\\&)?/, ""); sub(/ \.$/, ""); print s, k, $0 }
		    { said = /^Default:$/ }' deploy/sluice.ini.5
		;;
	esac | sort
}
for what in keys defaults; do
	for of in page $([ $what = defaults ] || echo example); do
		$what "$of" >"$other"
		$what src | comm -3 - "$other" |
		    sed "s|^	|only the $of has: |; t
			s|^|the $of lacks: |"
	done
done | complain "sluice.ini"

# 9. White space.
git ls-files -- '*.c' '*.h' '*.sh' '*.py' '*.t' Makefile README.md \
    ':!tests/fuzz/corpus' |
    xargs grep -nE '[[:blank:]]+$' | complain "blanks at the end of the line"

[ ! -s "$list" ] || exit 1
echo "lint: nothing found"

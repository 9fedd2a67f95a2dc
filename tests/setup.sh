#!/bin/sh
# Makes a fresh Debian 12 ready: packages, the grammar, Django for the tests.
#
#	sh tests/setup.sh		only that
#	sh tests/setup.sh demo		that, then make, then the demo
#	sh tests/setup.sh check		that, then make, then all tests
#	sh tests/setup.sh oracle	that, and other versions of Django for
#					`make oracle DJANGO=4.2`, each with the
#					newest Python here that runs it
#
# As root, or as a user with sudo. What is there already is left alone, so a
# second run asks no network. Everything but the packages goes into .deps/.
set -eu
cd "$(dirname "$0")/.."

build='gcc libc6-dev make libgit2-dev libpq-dev libssh2-1-dev libinih-dev
	libtree-sitter-dev libpg-query-dev libjansson-dev libmd-dev'
run='git ca-certificates python3 python3-venv postgresql-15 haproxy
	openssh-client openssh-server perl procps util-linux'
check='busybox mandoc shellcheck'

# The Python grammar of tree-sitter is not in Debian: one source archive, by
# name, version and digest.
grammar=tree-sitter-python==0.23.6
grammar_sha256=354bfa0a2f9217431764a631516f85173e9711af2c13dbd796a8815acfe505d9
python='Django==5.2.19 psycopg[binary]==3.3.9 gunicorn==23.0.0'
# version|Pythons that run it, newest first|what is installed
others='3.2|3.10 3.9 3.8|Django==3.2.25 psycopg2-binary==2.9.12
4.2|3.12 3.11 3.10 3.9 3.8|Django==4.2.30 psycopg[binary]==3.3.9
6.1|3.14 3.13 3.12|Django==6.1.3 psycopg[binary]==3.3.9'

say() { echo "setup: $*" >&2; }

missing() {
	for p in $build $run $check; do
		case $(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null) in
		installed) ;;
		*) echo "$p" ;;
		esac
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

# The demo and the tests start servers of their own. None of the system's is
# started or enabled for it: what Debian would start at once is held back.
hold=/usr/sbin/policy-rc.d
no_cluster=/etc/postgresql-common/createcluster.d/sluice-setup.conf

packages() {
	need=$(missing | tr '\n' ' ')
	if [ -z "$need" ]; then
		say "all packages are installed"
		return
	fi
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		say "as root: apt-get install $need"
		exit 3
	fi
	say "installing with apt-get:" "$need"
	trap release EXIT
	held=
	if [ ! -e "$hold" ]; then
		held=$hold
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$hold" >/dev/null
		as_root chmod 755 "$hold"
	fi
	as_root mkdir -p "${no_cluster%/*}"
	echo 'create_main_cluster = false' |
	    as_root tee "$no_cluster" >/dev/null
	as_root apt-get -q update </dev/null >&2
	# shellcheck disable=SC2086
	as_root apt-get -qy install --no-install-recommends $need \
	    </dev/null >&2
	case " $need" in *" openssh-server "*) disable ssh ;; esac
	case " $need" in *" haproxy "*) disable haproxy ;; esac
	release
	trap - EXIT
}

disable() { as_root systemctl disable "$1" >/dev/null 2>&1 || :; }

release() {
	as_root rm -f "$no_cluster" ${held:+"$held"}
	as_root rmdir "${no_cluster%/*}" 2>/dev/null || :
}

venv() { # FOLDER PACKAGE…
	rm -rf "$1"
	"${PYTHON:-/usr/bin/python3}" -m venv "$1"
	[ $# -eq 1 ] || {
		d=$1
		shift
		"$d/bin/pip" install -q --disable-pip-version-check "$@" >&2
	}
}

fetch_grammar() {
	g=.deps/tree-sitter-python
	if [ -f $g/src/parser.c ] && [ -f $g/src/scanner.c ]; then
		say "the grammar is there"
		return
	fi
	say "fetching $grammar"
	rm -rf .deps/fetch $g
	mkdir -p .deps/fetch $g.new
	venv .deps/fetch/venv
	echo "$grammar --hash=sha256:$grammar_sha256" >.deps/fetch/wanted
	.deps/fetch/venv/bin/pip download -q --disable-pip-version-check \
	    --no-deps --no-binary :all: --require-hashes \
	    -r .deps/fetch/wanted -d .deps/fetch >&2
	echo "$grammar_sha256  $(echo .deps/fetch/*.tar.gz)" |
	    sha256sum --check --quiet >&2
	tar -xzf .deps/fetch/*.tar.gz -C $g.new --strip-components=1
	mv -T $g.new $g
	rm -rf .deps/fetch
}

fetch_django() {
	v=.deps/venv
	if [ "$(cat $v/wanted 2>/dev/null)" = "$python" ]; then
		say "Django is there"
		return
	fi
	say "installing $python into $v"
	# shellcheck disable=SC2086
	venv $v $python
	echo "$python" >$v/wanted
}

find_python() { # VERSION…: the first of them that is here and starts
	for v; do
		for p in /usr/bin/python"$v" /usr/local/bin/python"$v" \
		    "$HOME"/.pyenv/versions/"$v".*/bin/python; do
			"$p" -c '' 2>/dev/null && echo "$p" && return
		done
	done
}

fetch_others() {
	echo "$others" | while IFS='|' read -r version pythons wanted; do
		v=.deps/venv-$version
		if [ "$(cat "$v/wanted" 2>/dev/null)" = "$wanted" ]; then
			say "Django $version is there"
			continue
		fi
		# shellcheck disable=SC2086
		PYTHON=$(find_python $pythons)
		if [ -z "$PYTHON" ]; then
			say "Django $version needs one of Python $pythons: left out"
			continue
		fi
		say "installing $wanted into $v with $PYTHON"
		# shellcheck disable=SC2086
		venv $v $wanted </dev/null
		echo "$wanted" >"$v/wanted"
	done
}

case ${1-} in
''|demo|check|oracle) ;;
*) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
packages
mkdir -p .deps
exec 9>.deps/lock
flock 9
fetch_grammar
fetch_django
[ "${1-}" != oracle ] || fetch_others
exec 9>&-
case ${1-} in ''|oracle) exit 0 ;; esac
make -j2 >&2
exec make "$1"

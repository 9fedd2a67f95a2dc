#!/bin/sh
# The whole story on real parts: PostgreSQL, three hosts with sshd and
# gunicorn, haproxy, a Django shop, and customers who read and write all the
# while. Exit 0 if no request failed where none may.
#
#	make demo			everything
#	ONLY=plain make demo		only the contrast, without Sluice
#	KEEP=1 make demo		leave the folder for a look
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$top/tests/lib.sh"
# shellcheck source=tests/demo/parts.sh
. "$top/tests/demo/parts.sh"
# shellcheck source=tests/demo/story.sh
. "$top/tests/demo/story.sh"
# shellcheck source=tests/demo/plain.sh
. "$top/tests/demo/plain.sh"

began=$(date +%s)
only=${ONLY-}

phase idle
chapter "The stage"
pg_start fsync=on || stop "no PostgreSQL"
for db in dev shop plain; do
	sql "CREATE DATABASE $db" || stop "no database"
done
developer_start
tell "PostgreSQL $(sql 'SHOW server_version'), private, fsync on: $PGHOST"

if [ "$only" != plain ]; then
	stage_start
	step_1
	step_2
	step_3
	step_4
	step_5
fi
if [ "$only" != story ]; then
	plain_release_2
fi

chapter "Summary"
must=
[ "$only" = plain ] ||
    must="2_release_1 3_release_2 4_release_3 5_release_4"
# shellcheck disable=SC2086
/usr/bin/python3 "$top/tests/demo/traffic.py" report "$T/traffic.log" $must
code=$?
echo
tell "the demo took $(($(date +%s) - began)) s, set-up and contrast included"
[ $code -eq 0 ] || echo "requests failed where none may" >&2
exit $code

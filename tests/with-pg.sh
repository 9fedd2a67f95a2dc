#!/bin/sh
# with-pg.sh COMMAND…: runs it beside a private PostgreSQL, whose address is
# in $PGHOST, $PGUSER and $PGDATABASE, and ends that with it. A private folder
# is in $SLUICE_TEST_PG.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
pg_start || exit 3
export SLUICE_TEST_PSQL="$pgbin/psql" SLUICE_TEST_PG="$T" SLUICE_TEST_TOP="$top" SLUICE_TEST_PY="${SLUICE_TEST_PY:-$PY}"
"$@"

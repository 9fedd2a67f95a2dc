#!/bin/sh
# The way to write it, as sluice-check prints it, pasted into a project and
# run by Django on PostgreSQL.
top=$(cd "${0%/*}/.." && pwd)
exec sh "$top/tests/with-pg.sh" "$top/.deps/venv/bin/python" \
	"$top/tests/fixes/paste.py" "$SLUICE_BUILD"

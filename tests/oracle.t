#!/bin/sh
# A sample of the oracle: every 40th pair of code versions on a real Django
# and PostgreSQL. `make oracle` runs them all.
top=$(cd "${0%/*}/.." && pwd)
exec sh "$top/tests/with-pg.sh" "$top/.deps/venv/bin/python" \
	"$top/tests/oracle/oracle.py" --build "$SLUICE_BUILD" --every 40

#!/bin/sh
# A sample of the oracle: every 40th pair of code versions on a real Django
# and PostgreSQL, and what locks more than one would think: foreign keys made
# again, the check of a positive number, NULLs that are filled, the second
# index for LIKE, the parent of a dropped child, an index without a
# transaction. `make oracle` runs them all.
top=$(cd "${0%/*}/.." && pwd)
exec sh "$top/tests/with-pg.sh" "$top/.deps/venv/bin/python" \
	"$top/tests/oracle/oracle.py" --build "$SLUICE_BUILD" --every 40 --also \
	'rename-fk|type-int-posint|null-to-notnull-char|add-index-char|delete-fk|half-index|key-bigger-child'

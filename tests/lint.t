#!/bin/sh
# The sources keep to their own rules.
. "${0%/*}/lib.sh"
ok "make lint finds nothing" sh "$top/tests/lint.sh" "$bin"
done_testing

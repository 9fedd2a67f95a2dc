#!/bin/sh
# The story on real parts, without the contrast: no request may fail in it.
. "${0%/*}/lib.sh"
need_django
export ONLY=story
ok "the demo's story ends well" sh "$top/tests/demo/demo.sh"
sed -n '/== Summary/,$p' "$T/out" | diag
done_testing

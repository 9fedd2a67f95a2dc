#!/bin/sh
# max_failed: hosts that fail are told and left behind, but before anything is
# taken away every host must attest.
# shellcheck disable=SC2154
. "${0%/*}/lib.sh"
. "${0%/*}/site.sh"
site_start 2 || { fail "the site does not start"; exit 1; }
ok "release 1" deploy r1
cd "$work" || exit 1
git checkout -q r1
git commit -q --allow-empty -m "plain" && git tag plain
sed -i 's/^retry_delay/max_failed = 1\n&/' "$conf"

git rev-parse plain >"$T/host2/srv/shared/sick"
exits 0 "a host that is not healthy, within the budget" deploy plain
said 'FAIL app2' "is told"
ok "the others serve it" serves 1 plain
rm "$T/host2/srv/shared/sick"

host_stop 2 all
git commit -q --allow-empty -m "more" && git tag more
exits 0 "so is one that cannot be reached" deploy more
said 'every host attests .*app2: ' "the census names it"
ok "the others serve it" serves 1 more
exits 4 "but not where something is to be removed" deploy r2
said 'not every host serves .*app2: ' "it says why"
ok "nothing was removed" column shop_customer.fax
ok "the others are back" serves 1 more
host_start 2
exits 0 "once all are there" deploy r2
exits 1 "it goes" column shop_customer.fax
ok "host 2 serves it too" serves 2 r2
done_testing

#!/bin/sh
# A migration of rows that is tagged `repeat` runs before the roll and once
# more when no old code writes any more.
# shellcheck disable=SC2154
. "${0%/*}/lib.sh"
. "${0%/*}/site.sh"
site_start 1 || { fail "the site does not start"; exit 1; }
# while hosts roll, old code writes one more row
sed -i "s|^restart = .*|& \\&\\& $pgbin/psql -Xq -d shop -c \"INSERT INTO shop_customer (email) VALUES (gen_random_uuid())\"|" "$conf"

ok "release 1" deploy r1
cd "$work" || exit 1
git checkout -q r1
sed -i '/fax = /a \    phone = models.TextField(null=True)' shop/models.py
manage makemigrations -n phone
cat >shop/migrations/0003_fill.py <<'END'
from django.db import migrations


def fill(apps, schema_editor):
    Customer = apps.get_model("shop", "Customer")
    Customer.objects.filter(phone=None).update(phone="-")


# sluice: safe because "fills in, idempotent" repeat
class Migration(migrations.Migration):
    dependencies = [("shop", "0002_phone")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
END
git add -A && git commit -q -m "phone" && git tag phone
exits 1 "a tag that is bound to nothing" sluice-plan production phone
said 'refused: .*its tag is not bound to its operations: sluice tag shop/migrations/0003_fill.py$' \
    "is refused, with the line that binds it"
exits 1 "by the deploy, too" sluice-deploy production phone
sh -c "$(sed -n 's/.*operations: sluice tag/sluice-tag/p' "$T/out" "$T/err" | head -n 1)" >/dev/null
git commit -q -a --amend -m "phone" && git tag -f phone >/dev/null
exits 0 "sluice-plan" sluice-plan production phone
order=$(sed -n 's/^ *[0-9]* *[a-z0-9]* *\(apply\|restart\|repeat\|every\).*/\1/p' "$T/out" | tr '\n' ' ')
is "$order" "apply apply restart every repeat " "runs it again after the census"
exits 0 "the deploy" sluice-deploy production phone
is "$(sql shop "SELECT count(*), count(phone) FROM shop_customer")" "2|2" \
    "rows that old code wrote during the roll are filled in"
is "$(sql shop "SELECT count(*) FROM django_migrations WHERE app = 'shop'")" 3 \
    "it is recorded once"
exits 0 "the way back" sluice-rollback production --accept all
exits 1 "is complete" column shop_customer.phone
is "$(sql shop "SELECT count(*) FROM django_migrations WHERE app = 'shop'")" 1 "too"

# Applied by a release that failed and went back: the next one repeats it.
git rev-parse phone >"$T/host1/srv/shared/sick"
exits 4 "a release that fails after its safe phase" sluice-deploy production phone
rm "$T/host1/srv/shared/sick"
git commit -q --allow-empty -m "again" && git tag again
exits 0 "the next one" sluice-deploy production again
said 'repeat shop.0003_fill' "repeats it all the same"
is "$(sql shop "SELECT count(*) - count(phone) FROM shop_customer")" 0 \
    "no row is left out"

# Only what is about rows.
sed -i '/fax = /a \    more = models.TextField(null=True)' shop/models.py
manage makemigrations -n more
sed -i 's/^class Migration/# sluice: safe because "x" repeat\n&/' shop/migrations/0004_more.py
git add -A && git commit -q -m "more" && git tag more
exits 4 "DDL is not repeated" sluice-deploy production more
said '0004_more cannot be repeated: .* is not about rows alone' "and it is said"
ok "the old release serves" serves 1 again
done_testing

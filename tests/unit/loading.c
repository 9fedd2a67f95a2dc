/* What a migration's file does as soon as it is imported. */
#include "read/migration.h"

#include "base/util.h"
#include "tap.h"

static struct arena *a;

#define HEAD "from django.db import migrations, models\n"
#define CLASS "class Migration(migrations.Migration):\n"

/* Why, and on which line, what the file does by itself is told. */
static void
loads(const char *before, const char *body, uint32_t line)
{
	const char *text = arena_printf(a, HEAD "%s" CLASS "    operations = []\n%s", before, body);
	uint32_t at = 0;

	struct err e = ERR_INIT;
	struct migration m;
	int r = migration_read(&m, a, "shop", "shop/migrations/0002_x.py",
	    text, strlen(text), NULL, &e);
	for (uint32_t i = 0; r == 1 && i < m.ops.n; i++)
		if (m.ops.v[i].kind == OP_OPAQUE &&
		    strstr(m.ops.v[i].why, "as soon as") != NULL)
			at = m.ops.v[i].line;
	is_int(at, line, arena_printf(a, "loading: %s|%s", before, body));
}

static void
loading(void)
{
	loads("from django.db import connection\nwith connection.cursor() as c:\n    c.execute('ALTER')\n", "", 3);
	loads("from django.db import connection as k\n", "    k.cursor().execute('ALTER')\n", 5);
	loads("from django.db import connections\n", "    x = connections['a'].cursor()\n", 5);
	loads("from django.core.management import call_command\ncall_command('flush')\n", "", 3);
	loads("from django.core.management import call_command as c\nX = c('flush')\n", "", 3);
	loads("from shop import tools\ntools.fill()\n", "", 3);
	loads("from shop.tools import fill\n[fill(x) for x in (1, 2)]\n", "", 3);
	loads("def fill():\n    import shop\n    shop.x()\nif True:\n    fill()\n", "", 6);
	loads("import subprocess\nX = subprocess.run(['x'])\n", "", 3);
	loads("from django.conf import settings\nsettings.X = 1\n", "", 3);
	loads("from shop import models as s\n", "    s.Order.objects = None\n", 5);
	loads("import logging\nlog = logging.getLogger(__name__)\nlog.info('x')\nlogging.disable()\n", "", 0);
	loads("import os, sys\nsys.path.append('x')\nos.environ['X'] = '1'\nos.environ.setdefault('X', '1')\n", "", 0);
	loads("import re\nfrom django.db import connection\nR = re.compile('x')\nPG = connection.vendor == 'postgresql'\nL = []\nL.append(R)\nprint(L)\n", "    operations.append(migrations.DeleteModel('A'))\n", 0);
	loads("from django.db import connection\ndef fill(apps, e):\n    with connection.cursor() as c:\n        c.execute('x')\nF = lambda a, e: e.execute('x')\n", "", 0);
	loads("from pathlib import Path\nwith open(Path(__file__).parent / 'x.sql') as f:\n    SQL = f.read()\n", "", 0);
}

int
main(void)
{
	a = arena_new();
	loading();
	arena_free(a);
	return done_testing();
}

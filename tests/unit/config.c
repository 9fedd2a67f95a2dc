#include "read/config.h"

#include "read/value.h"
#include "tap.h"

static struct arena *a;
static struct config c;
static struct err e;

static int
parse(const char *text)
{
	err_clear(&e);
	return config_parse(&c, a, "sluice.ini", text, strlen(text), &e);
}

static void
bad(const char *text, const char *part)
{
	ok(parse(text) == -1 && e.kind == ERR_CONFIG, "refused");
	like(e.msg, part, part);
}

static void
whole(void)
{
	is_int(parse("[project]\nsettings = shop.settings\n"
	    "user_model = shop.User  ; a comment\ndjango = 5.2\n"
	    "[fields]\nshop.Money = django.db.models.DecimalField\n"
	    "[operations]\nx.Idle = none\nx.Pg = django.db.migrations.RunSQL\n"
	    "[values]\ndjango.conf.settings.WIDE = 3\n"
	    "[hooks]\ntag = require\n[makemigrations]\nmissing = warn\n"
	    "[server]\ndeploy = main:production\nmax_bytes = 64M\n"
	    "[target production]\ndatabase = host=/run/pg dbname=shop\n"
	    "path = /srv/shop\nuser = web\nbuild = a\n  b\n\tc\n"
	    "haproxy = /run/h.sock\nbatches = 1, 25%\nsoak = 2m\n"
	    "[host app1]\ntarget = production\naddress = 127.0.0.2\n"
	    "port = 2201\nbalancer = shop/app1\n[host app2]\n"), 0,
	    "a whole file");
	is(e.msg, "", "no error");
	const struct cfg_project *p = config_project(&c, NULL, &e);
	is(p->settings, "shop.settings", "settings");
	is(p->user_model, "shop.User", "comment after a value is cut");
	is(p->root, ".", "default of root");
	is_int(p->django, 502, "django");
	is_int(p->nfields, 1, "a field class");
	is(p->fields[0].value, "django.db.models.DecimalField", "its base");
	ok(p->noperations == 2 && p->nvalues == 1, "operations, a value");
	is(p->operations[1].value, "django.db.migrations.RunSQL", "what an operation is");
	is_int(p->values[0].value->i, 3, "what a name stands for");
	const struct cfg_target *t = config_target(&c, NULL, &e);
	is(t->database, "host=/run/pg dbname=shop", "a value with '='");
	is(t->build, "a\nb\nc", "a command over several lines");
	is(t->batches, "1, 25%", "batches");
	is_int(t->soak, 120000, "a duration");
	is_int(t->lock_timeout, 800, "a default duration");
	is_int(t->nhosts, 2, "hosts");
	is(t->hosts[0].address, "127.0.0.2", "address");
	is_int(t->hosts[0].port, 2201, "port");
	is(t->hosts[1].address, "app2", "address from the name");
	is(t->hosts[1].user, "web", "user from the target");
	is(t->hosts[1].target, "production", "the only target");
	ok(!c.hooks.tag_write && c.makemigrations.missing_warn, "words");
	is_int(c.server.max_bytes, 64 << 20, "bytes");
	ok(config_target(&c, "x", &e) == NULL, "no such target");
	like(e.msg, "no [target x]", "named");
}

static void
mistakes(void)
{
	char text[600];

	bad("[project]\nsetings = x\n",
	    "sluice.ini:2: unknown key 'setings' in [project]; did you mean 'settings'?");
	bad("[project]\nhaproxy = x\n", "it belongs in [target]");
	bad("[projekt]\nroot = x\n", "sluice.ini:1: unknown section [projekt]; did you mean [project]?");
	bad("[zzzzzzzzzzz]\n", "unknown section [zzzzzzzzzzz]");
	bad("x = 1\n", "before the first");
	bad("[project]\nroot\n", "sluice.ini:2: neither");
	bad("[project]\nroot = a\n\nroot = b\n", "sluice.ini:4: 'root' is set twice in [project]; first on line 2");
	bad("[project\nroot = a\n", "without its ']'");
	bad("[target]\n", "needs a name");
	bad("[hooks x]\n", "takes no name");
	bad("[hooks]\ntag = maybe\n", "must be require|write");
	bad("[target a]\ndatabase=x\nkeep = 1\n", "at least 2");
	bad("[target a]\ndatabase=x\nkeep = many\n", "not a number");
	bad("[project]\n\nuser_model = User\n", "sluice.ini:3: user_model = User: must be APP.MODEL, such as auth.User");
	bad("[project]\nuser_model = shop.models.User\n", "must be APP.MODEL");
	bad("[project]\ndjango = 9.9\n", "sluice.ini:2: django = 9.9: must be one of Django's versions, 1.8 to 8.2");
	bad("[project]\ndjango = 5\n", "one of Django's versions");
	bad("[project]\ndjango = 5.2x\n", "one of Django's versions");
	bad("[project]\nserver = 99\n", "server = 99: must be at most 30");
	bad("[project]\nsettings = shop/settings.py\n", "must be a module, such as shop.settings");
	bad("[project]\nsettings =\n", "settings has no value");
	bad("[project]\nauto_field = BigAutoField\n", "a class with its module");
	bad("[project]\nroot = ../x\n", "root = ../x: must be a folder of the tree");
	bad("[project]\nbase = refs/heads/main\n", "a branch's name");
	bad("[hooks]\nexceptions = shop.0001_a, orders/0002\n", "exceptions = shop.0001_a, orders/0002: must be APP.MIGRATION, by comma");
	bad("[hooks]\nexceptions = shop.0001_a.py\n", "must be APP.MIGRATION");
	bad("[makemigrations]\nlink = .env, /etc/env\n", "files of the tree");
	bad("[server]\nmax_bytes = 3T\n", "max_bytes = 3T: not a number; k, M or G may follow it");
	bad("[server]\ntimeout = 3 parsecs\n", "timeout = 3 parsecs: not a duration (250ms, 30s, 5m, 2h, 7d)");
	bad("[target a]\ndatabase=x\nhaproxy = lb1\n", "a path or HOST:PORT");
	bad("[target a]\ndatabase=x\npath=/s\n[host h]\nport = 70000\n", "port = 70000: must be at most 65535");
	bad("[target a]\ndatabase=x\nkeep = 99999999999999999999\n", "not a number");
	bad("[target a]\ndatabase=x\nsoak = 5 apples\n", "not a duration");
	bad("[target a]\ndatabase=x\nbatches = 1,,2\n", "not a list");
	bad("[target a]\ndatabase=x\nbatches = 0\n", "not a list");
	bad("[target a]\ndatabase=x\nbatches = 120%\n", "not a list");
	bad("[operations]\nx.Y = django.db.migrations.RunSql\n", "sluice.ini:2: x.Y = django.db.migrations.RunSql: not an operation of Django");
	bad("[values]\nx.Y = y\n", "sluice.ini:2: x.Y = y: not a constant as Python writes it");
	bad("[values]\n'x' = 1\n", "is not a dotted name");
	bad("[values b]\nx = 1\n", "[values b]: there is no [project b]");
	bad("[target a]\n", "[target a] has no 'database'");
	bad("[target a]\ndatabase=host=x password=y\n", "password");
	bad("[target a]\ndatabase=postgresql://u:p@h/db\n", "password");
	bad("[target a]\ndatabase=x\n[host h]\ntarget=b\n", "there is no [target b]");
	bad("[target a]\ndatabase=x\n[host h]\n", "needs 'path'");
	bad("[target a]\ndatabase=x\npath=/s\n[host h]\naddress=-oProxy\n", "not an address");
	bad("[target a]\ndatabase=x\nbuild = a ; b\n", "would cut the command");
	bad("[target a]\ndatabase=x\n keep = 3\n", "sluice.ini:3: an indented line");
	bad("[server]\ndeploy = main\n", "BRANCH:TARGET");
	bad("[server]\ndeploy = main:x\n", "there is no [target x]");
	bad("[target a]\ndatabase=x\nrelease_host=z\n", "none of its hosts");
	snprintf(text, sizeof(text), "[project]\nroot = %0300d\n", 0);
	bad(text, "sluice.ini:2: line of 307 bytes");
	err_clear(&e);
	is_int(config_parse(&c, a, "f", "[project]\nroot = a\0b\n", 21, &e), -1,
	    "a NUL byte");
	bad("[project]\n\033[31m = 1\n", "unknown key '?[31m' in [project]");
}

static void
small(void)
{
	is_int(parse(""), 0, "an empty file");
	is_int(c.nprojects, 1, "has one project");
	ok(config_target(&c, NULL, &e) == NULL, "and no target");
	is_int(e.kind, ERR_CONFIG, "which is a mistake where one is needed");
	is_int(parse("\xef\xbb\xbf[project]\r\nroot = web\r\n"), 0,
	    "BOM and CRLF");
	is(c.projects[0].root, "web", "read");
	is_int(parse("[project a]\nroot=a\n[project b]\nroot=b\n"
	    "[target x]\nproject = b\ndatabase = d\n"), 0, "two projects");
	is(config_target(&c, "x", &e)->project, "b", "the target's");
	ok(config_project(&c, NULL, &e) == NULL, "one must be named");
	is_int(config_load(&c, a, "/nonexistent/x.ini", &e), -1, "no file");
	is_int(e.kind, ERR_CONFIG, "is configuration");
}

int
main(void)
{
	a = arena_new();
	whole();
	mistakes();
	small();
	arena_free(a);
	return done_testing();
}

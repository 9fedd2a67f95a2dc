/* An `if` that nobody can decide here: what stands in which world. */
#include "read/migration.h"

#include "base/strbuf.h"
#include "base/util.h"
#include <string.h>

#include "tap.h"

static struct arena *a;
static struct err e;
static struct migration m;

/* "A B ?C !…": there, maybe there, cannot be read */
static void
show(struct strbuf *b, const struct op_list *l, uint32_t world)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct op *o = &l->v[i];

		if ((o->not_in >> world & 1) != 0)
			continue;
		strbuf_printf(b, " %s%s", o->maybe ? "?" : "",
		    o->kind == OP_OPAQUE ? "!" : o->kind == OP_SEPARATE ? "{" :
		    o->model);
		if (o->value != NULL) {
			strbuf_char(b, '=');
			value_print(b, o->value);
		}
		if (o->kind != OP_SEPARATE)
			continue;
		show(b, &o->db, world);
		strbuf_str(b, " |");
		show(b, &o->state, world);
		strbuf_str(b, " }");
	}
}

static int
no_module(void *ctx, const char *dotted, const char **text, size_t *len,
    const char **path)
{
	static const char flags[] = "from django.conf import settings\n"
	    "from django.db import migrations\n"
	    "HEAVY = settings.X\nSLOW = find()\n"
	    "OPS = [migrations.DeleteModel('A')] if settings.Y else []\n"
	    "def ops(flag):\n    if flag:\n"
	    "        return [migrations.DeleteModel('A')]\n"
	    "    return [migrations.DeleteModel('B')]\n";

	(void)ctx;
	if (!streq(dotted, "shop.flags"))
		return 0;
	*text = flags;
	*len = strlen(flags);
	*path = "shop/flags.py";
	return 1;
}

static int
no_file(void *ctx, const char *path, const char **text, size_t *len)
{
	(void)ctx, (void)path, (void)text, (void)len;
	return 0;
}

#define HEAD "from django.db import migrations, models\n" \
    "from django.conf import settings\nimport os\n"
#define CLASS "class Migration(migrations.Migration):\n"
#define A "migrations.DeleteModel('A')"
#define B "migrations.DeleteModel('B')"
#define C "migrations.DeleteModel('C')"

/* "settings.X, settings.Y: b; a b; b; a b": the conditions, then what is there
 * in each world, the first condition turning fastest. */
static void
reads(const char *text, const char *want)
{
	struct module_lookup l = { .find = no_module, .file = no_file };
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	err_clear(&e);
	int r = migration_read(&m, a, "shop", "shop/migrations/0002_x.py",
	    text, strlen(text), &l, &e);
	for (uint32_t i = 0; r == 1 && i < m.nconds; i++)
		strbuf_printf(&b, "%s%s", i > 0 ? ", " : "", m.conds[i].text);
	for (uint32_t w = 0; r == 1 && w < 1u << m.nconds; w++) {
		strbuf_str(&b, w == 0 ? ":" : ";");
		show(&b, &m.ops, w);
	}
	is(r == 1 ? b.s : r == 0 ? "(none)" : e.msg, want, want);
}

static void
body(const char *before, const char *text, const char *want)
{
	reads(arena_printf(a, HEAD "%s" CLASS "%s", before, text), want);
}

#define OPS(ops) "    operations = [" ops "]\n"
#define IF(c, ops) "    if " c ":\n        operations = [" ops "]\n"
#define ELIF(c, ops) "    elif " c ":\n        operations = [" ops "]\n"
#define ELSE(ops) "    else:\n        operations = [" ops "]\n"
#define MORE(c, ops) "    if " c ":\n        operations += [" ops "]\n"

static void
statements(void)
{
	body("", IF("settings.X", A) ELSE(B), "settings.X: b; a");
	body("", IF("not settings.X", A) ELSE(B), "settings.X: a; b");
	body("", IF("settings.X", A), "settings.X:; a");
	body("", OPS(C) IF("settings.X", A), "settings.X: c; a");
	body("", OPS(C) MORE("settings.X", A), "settings.X: c; c a");
	body("", IF("settings.X", A) ELSE(B) MORE("settings.X", C),
	    "settings.X: b; a c");
	body("", IF("settings.X", A) ELIF("settings.Y", B) ELSE(C),
	    "settings.X, settings.Y: c; a; b; a");
	body("", IF("settings.X", A) ELIF("settings.Y", B),
	    "settings.X, settings.Y:; a; b; a");
	body("", IF("settings.X", A) ELIF("True", B) ELSE(C),
	    "settings.X: b; a");
	body("", IF("settings.X and settings.Y", A) ELSE(B),
	    "settings.X, settings.Y: b; b; b; a");
	body("", IF("settings.X or not settings.Y", A) ELSE(B),
	    "settings.X, settings.Y: a; a; b; a");
	body("", OPS(C) "    if settings.X:\n        if settings.Y:\n"
	    "            operations = [" A "]\n        else:\n"
	    "            operations.append(" B ")\n",
	    "settings.X, settings.Y: c; c b; c; a");
	body("", "    if settings.X:\n        if not settings.X:\n"
	    "            operations = [" A "]\n        else:\n"
	    "            operations = [" B "]\n", "settings.X:; b");
	body("if settings.X:\n    ops = [" A "]\nelse:\n    ops = [" B "]\n",
	    "    operations = ops + [" C "]\n", "settings.X: b c; a c");
	body("", OPS(A ", " B) "    if settings.X:\n"
	    "        operations.insert(0, " C ")\n",
	    "settings.X: a b; c a b");
	body("", OPS(A) MORE("settings.X", B)
	    "    operations.insert(1, " C ")\n", "settings.X: !; !");
	body("", OPS("") "    for on in (settings.X, settings.Y):\n"
	    "        if on:\n            operations.append(" A ")\n",
	    "settings.X, settings.Y:; a; a; a a");
}

static void
expressions(void)
{
	body("", "    operations = [" A "] if settings.X else [" B "]\n",
	    "settings.X: b; a");
	body("", OPS(A " if settings.X else " B ", " C),
	    "settings.X: b c; a c");
	body("", OPS(C ", *([" A "] if settings.X else [])"),
	    "settings.X: c; c a");
	body("", "    operations = [" C "] + ([" A "] if settings.X else [])\n",
	    "settings.X: c; c a");
	body("", OPS("migrations.AlterField('a', 'f', models.CharField("
	    "max_length=9 if settings.X else 8))"),
	    "settings.X: a=django.db.models.CharField(max_length=8);"
	    " a=django.db.models.CharField(max_length=9)");
	body("", OPS("migrations.SeparateDatabaseAndState("
	    "[] if settings.X else [" A "], [" B "])"),
	    "settings.X: { a | b }; { | b }");
	body("if settings.X:\n    F = models.TextField\nelse:\n"
	    "    F = models.CharField\n",
	    OPS("migrations.AddField('a', 'f', F())"), "settings.X: !; !");
	body("if settings.X:\n    F = models.TextField()\nelse:\n"
	    "    F = models.CharField()\n",
	    OPS("migrations.AddField('a', 'f', F)"),
	    "settings.X: a=django.db.models.CharField();"
	    " a=django.db.models.TextField()");
	body("", OPS("*[migrations.DeleteModel(n) for n in (['A', 'B'] "
	    "if settings.X else ['C'])]"), "settings.X: c; a b");
	body("", OPS("*[migrations.DeleteModel(n) for n in ('A', 'B') "
	    "if n == 'A' or settings.X]"), "settings.X: a; a b");
	body("", OPS("") "    for n in ['A'] + (['B'] if settings.X else []):\n"
	    "        operations.append(migrations.DeleteModel(n))\n",
	    "settings.X: a; a b");
	body("", OPS("migrations.DeleteModel(''.join(['A'] + (['B'] if "
	    "settings.X else [])))"), "settings.X: !; !");
	body("", OPS("migrations.DeleteModel((['A'] + (['B'] if settings.X "
	    "else []))[-1])"), "settings.X: !; !");
	body("", OPS(A) "    if [" B "] if settings.X else []:\n"
	    "        operations = []\n", "settings.X: a;");
}

static void
functions(void)
{
	body("def ops():\n    if settings.X:\n        return [" A "]\n"
	    "    return [" B "]\n", "    operations = ops()\n",
	    "settings.X: b; a");
	body("def ops():\n    v = [" C "]\n    if settings.X:\n"
	    "        v.append(" A ")\n    return v\n",
	    "    operations = ops()\n", "settings.X: c; c a");
	body("def ops():\n    if settings.X:\n        return [" A "]\n"
	    "    v = [" B "]\n    if settings.Y:\n        v += [" C "]\n"
	    "    return v\n", "    operations = ops()\n",
	    "settings.X, settings.Y: b; a; b c; a");
	body("from shop.flags import ops\n",
	    "    operations = ops(settings.X) + ops(not settings.X)\n",
	    "settings.X: b ?a ?b; a ?a ?b");
	body("from shop.flags import OPS\n", "    operations = OPS + [" B "]\n",
	    ": ?a b");
	body("from shop.flags import HEAVY\n", IF("HEAVY", A) ELSE(B)
	    MORE("settings.X", C), "settings.X: b; a c");
	body("from shop.flags import SLOW\n", IF("SLOW", A) ELSE(B)
	    MORE("SLOW", C), "shop.flags.SLOW: b; a c");
}

/* The same choice, or another? */
static void
choices(void)
{
	body("X = settings.X\n", IF("X", A) MORE("settings.X", B),
	    "settings.X:; a b");
	body("X = not settings.X\n", IF("X", A) MORE("settings.X", B),
	    "settings.X: a; b");
	body("import django.conf as c\n", IF("c.settings.X", A)
	    MORE("(settings . X)", B), "settings.X:; a b");
	body("", "    x = settings.X\n" IF("x", A) "    x = settings.Y\n"
	    MORE("x", B), "settings.X, settings.Y:; a; b; a b");
	body("", "    x = models.find()\n" IF("x", A) "    x = models.find()\n"
	    MORE("x", B), "x, x (line 9):; a; b; a b");
	body("", IF("find()", A) MORE("find()", B),
	    "find(), find() (line 7):; a; b; a b");
	body("", IF("settings.E == 'a'", A) MORE("settings.E != 'a'", B),
	    "settings.E == 'a': b; a");
	body("", IF("settings.E == 'a'", A) MORE("settings.E == 'b'", B),
	    "settings.E == 'a', settings.E == 'b':; a; b; a b");
	body("", IF("'a' in settings.E", A) MORE("'a' not in settings.E", B),
	    "'a' in django.conf.settings.E: b; a");
	body("", IF("os.environ['X']", A) MORE("os.environ['X']", B),
	    "os.environ['X']:; a b");
	body("", IF("os.getenv('X')", A) MORE("os.getenv('X')", B),
	    "os.getenv('X'):; a b");
	body("", IF("getattr(settings, 'X', False)", A) ELSE(B),
	    "getattr(django.conf.settings, 'X', False): b; a");
	body("", IF("settings.A", A) IF("settings.B", A) IF("settings.C", A)
	    IF("settings.D", B), "settings.A, settings.B, settings.C: ?b;"
	    " ?a ?b; ?a ?b; ?a ?b; ?a ?b; ?a ?b; ?a ?b; ?a ?b");
	body("try:\n    import x\n    X = True\nexcept ImportError:\n"
	    "    X = False\n", IF("X", A) ELSE(B), "X: b; a");
	reads(HEAD "class Base(migrations.Migration):\n" OPS(C) "\n\n"
	    "class Migration(Base):\n" IF("settings.X", A),
	    "settings.X: !; a !");
	body("", "    try:\n        operations = [" A "]\n"
	    "    except Exception:\n        operations = [" B "]\n",
	    ": ?a ?b");
	body("def f():\n    if find():\n        return [" A "]\n"
	    "    return [" B "]\n", "    operations = f()\n", ": ?a ?b");
}

static void
rest(void)
{
	body("", "    dependencies = [('a', '1')]\n    if settings.X:\n"
	    "        dependencies += [('b', '1')]\n" OPS(A), "settings.X: a; a");
	ok(m.ndeps == 2, "what may be needed is needed");
	body("", "    if settings.X:\n        atomic = False\n" OPS(A),
	    "settings.X: a; a");
	ok(m.nproblems == 1, "atomic under a condition is told");
	char was[17];
	body("", IF("settings.X", A) ELSE(B), "settings.X: b; a");
	memcpy(was, m.digest, sizeof(was));
	body("", IF("settings.X", A) ELSE(C), "settings.X: c; a");
	ok(!streq(was, m.digest), "a tag is bound to both ways");
	body("", IF("settings.Y", A) ELSE(B), "settings.Y: b; a");
	ok(!streq(was, m.digest), "and to the condition");
}

int
main(void)
{
	a = arena_new();
	statements();
	expressions();
	functions();
	choices();
	rest();
	arena_free(a);
	return done_testing();
}

/* src/base: each module's promises, edges first. */
#include "tap.h"

#include <fcntl.h>
#include <signal.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/util.h"

static void
test_err(void)
{
	struct err e = ERR_INIT;
	char longer[2000];

	is_int(err_kind(&e, ERR_CONFIG, "no %s", "key"), -1, "err_kind gives -1");
	err_wrap(&e, "file '%s'", "x");
	is(e.msg, "file 'x': no key", "context goes before");
	is_int(e.kind, ERR_CONFIG, "the kind stays");
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longer + 1022, "\xc3\xa9", 2);
	err_set(&e, "%s", longer);
	is_int((int64_t)strlen(e.msg), 1022, "a text too long is cut at a character");
}

static void
test_strbuf(void)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(10);
	struct strbuf c STRBUF_SCOPED = STRBUF_INIT;

	is(b.s, "", "empty is a string");
	strbuf_str(&b, "0123456789abc");
	is(b.s, "0123456789", "a hard maximum");
	ok(b.over, "and it says so");
	strbuf_drop(&b, 4);
	is(b.s, "456789", "dropped from the front");
	strbuf_clean(&c, "a\x1b[31m\xc3\xa9\xff\xe2\x80\xae\n", 13, true);
	is(c.s, "a?[31m\xc3\xa9?\?\?\?\n", "control, bad and bidi bytes become ?");
}

static void
test_split(void)
{
	static const struct { const char *in, *out; } t[] = {
		{ "a b", "a|b" }, { " a  'b c' \"d'e\" f\\ g ", "a|b c|d'e|f g" },
		{ "''", "" }, { "a'b'c", "abc" }, { "$(x) `y`", "$(x)|`y`" },
	};

	for (size_t i = 0; i < countof(t); i++) {
		struct strvec v STRVEC_SCOPED = STRVEC_INIT;
		struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

		is_int(strvec_split(&v, t[i].in), 0, "splits");
		for (size_t k = 0; k < v.n; k++)
			strbuf_printf(&b, "%s%s", k > 0 ? "|" : "", v.v[k]);
		is(b.s, t[i].out, t[i].in);
	}
	struct strvec v STRVEC_SCOPED = STRVEC_INIT;
	is_int(strvec_split(&v, "a 'b"), -1, "an open quote is an error");
}

static void
test_arena(void)
{
	struct arena *a = arena_new();
	struct list(int) numbers = { 0 };
	bool same = true;

	for (int i = 0; i < 20000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "n%d", i % 5000);
		same = same && sym_get(a, text) == sym_printf(a, "n%d", i % 5000);
		*list_add(a, &numbers) = i;
	}
	ok(same, "equal text is one pointer");
	ok(sym_get(a, "x") != sym_get(a, "y"), "different text is not");
	is(sym_lower(a, "Shop.ISSUE"), "shop.issue", "lower case");
	is(sym_printf(a, "%s.%.*s|%lld|%lld|%.*s", "a", 2, "bcd", LLONG_MIN,
	    0ll, 9, "e"), "a.bc|-9223372036854775808|0|e",
	    "the short way of printing");
	is(sym_printf(a, "%s%%%d%.*s", "a", 7, 1, "xy"), "a%7x",
	    "and where it gives up");
	ok(sym_get(a, NULL) == NULL, "NULL stays NULL");
	is_int(numbers.v[19999], 19999, "a list grows");
	char *big = arena_alloc(a, 1, 1 << 20);
	ok(big[0] == '\0' && big[(1 << 20) - 1] == '\0', "large and zeroed");
	struct arena *scratch = arena_scratch(a);
	sym fresh = sym_get(scratch, "fresh");
	ok(sym_get(scratch, "field_1") == sym_get(a, "field_1"),
	    "a scratch has the names of its arena");
	arena_free(scratch);
	ok(sym_get(a, "fresh") == fresh, "which outlive it");
	arena_free(a);
}

static void
test_clock(void)
{
	static const struct { const char *s; int64_t ms; } t[] = {
		{ "250ms", 250 }, { "30s", 30000 }, { "5m", 300000 },
		{ "2h", 7200000 }, { "7d", 604800000 }, { "9", 9000 },
		{ "", -1 }, { "-1s", -1 }, { "1w", -1 }, { "1 s", -1 },
		{ "99999999999999999999s", -1 },
	};
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (size_t i = 0; i < countof(t); i++)
		is_int(duration_parse(t[i].s), t[i].ms, t[i].s);
	duration_print(&b, 65000);
	is(b.s, "1m 05s", "durations for people");
	strbuf_reset(&b);
	stamp_print(&b, 0);
	is(b.s, "1970-01-01 00:00:00Z", "stamps are UTC");
}

static void
test_file(void)
{
	struct err e = ERR_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf small STRBUF_SCOPED = STRBUF_LIMIT(3);
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	char *dir = NULL;
	struct stat st;

	is_int(dir_temp(&dir, "sluice-base", &e), 0, "a private folder");
	stat(dir, &st);
	is_int(st.st_mode & 0777, 0700, "of mode 0700");
	strbuf_printf(&path, "%s/a/b/c", dir);
	is_int(dir_make(path.s, 0755, &e), 0, "folders on the way");
	is_int(dir_make(path.s, 0755, &e), 0, "and again");
	size_t folder = path.len;
	strbuf_str(&path, "/file");
	is_int(file_write(path.s, "hello", 5, 0640, &e), 0, "written");
	stat(path.s, &st);
	is_int(st.st_mode & 0777, 0640, "with the mode");
	is_int(file_read(&b, path.s, &e), 0, "read");
	is(b.s, "hello", "the same bytes");
	is_int(file_read(&small, path.s, &e), -1, "larger than allowed is an error");
	strbuf_cut(&path, folder);
	strbuf_str(&path, "/link");
	ok(symlink("/etc", path.s) == 0, "a link out of the tree");
	is_int(dir_remove(dir, &e), 0, "removed");
	ok(!file_exists(dir), "whole");
	ok(file_exists("/etc/passwd"), "and nothing behind a link");
	is_int(dir_remove(dir, &e), 0, "missing is fine");
	free(dir);
}

static int
run(const char *words, const char *in, size_t len, struct strbuf *out,
    struct strbuf *errs, int64_t ms, int *code, struct err *e)
{
	struct strvec argv STRVEC_SCOPED = STRVEC_INIT;

	strvec_split(&argv, words);
	struct child_spec s = { .argv = argv.v };
	return child_run(&s, in, len, out, errs, ms, code, e);
}

static void
test_child(void)
{
	struct err e = ERR_INIT;
	struct strbuf out STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf errs STRBUF_SCOPED = STRBUF_INIT;
	int code = -1;

	is_int(run("sh -c 'cat; echo two >&2; exit 7'", "one", 3, &out, &errs, 5000, &code, &e), 0, "runs");
	is(out.s, "one", "its output");
	is(errs.s, "two\n", "its errors");
	is_int(code, 7, "its exit code");
	run("sh -c 'kill -9 $$'", NULL, 0, NULL, NULL, 5000, &code, &e);
	is_int(code, 137, "a signal is not success");
	is_int(run("/no/such/program", NULL, 0, &out, NULL, 5000, &code, &e), -1,
	    "a program that is not there is an error");
	ok(strstr(e.msg, "/no/such/program") != NULL, "that names it");
	int64_t t0 = clock_ms();
	is_int(run("sh -c 'sleep 30 & sleep 30'", NULL, 0, &out, NULL, 200, &code, &e), -1, "a deadline");
	ok(clock_ms() - t0 < 10000, "that takes the whole group");
	char *much = xcalloc(1 << 20, 1);
	is_int(run("true", much, 1 << 20, NULL, NULL, 5000, &code, &e), 0,
	    "input that nobody reads");
	free(much);
	struct strbuf few STRBUF_SCOPED = STRBUF_LIMIT(1000);
	is_int(run("yes", NULL, 0, &few, NULL, 5000, &code, &e), -1,
	    "more output than allowed is an error");
}

static void
test_word(void)
{
	struct arena *a = arena_new();

	is(sym_word(a, "a/b_c-1.py"), "a/b_c-1.py", "a plain word");
	is(sym_word(a, "a b'c"), "'a b'\\''c'", "one for quotes");
	is(sym_word(a, "a\033\377'\\"), "$'a\\033\\377\\'\\\\'",
	    "one that no terminal is to get");
	is(sym_word(a, ""), "''", "none");
	arena_free(a);
}

static void
test_leaks(void)
{
	struct err e = ERR_INIT;
	struct strbuf out STRBUF_SCOPED = STRBUF_INIT;
	int code = -1;
	int fd = open("/dev/null", O_RDONLY);
	int high = fcntl(fd, F_DUPFD, 40);
	char name[64];

	snprintf(name, sizeof(name), "test -e /proc/self/fd/%d", high);
	run(name, NULL, 0, &out, NULL, 5000, &code, &e);
	is_int(code, 1, "no descriptor above 2 reaches a child");
	close(fd);
	close(high);
	ok(signals_fd(&e) >= 0, "signals come by a descriptor");
	raise(SIGTERM);
	is_int(signals_seen(), SIGTERM, "the last one");
	is_int(signals_seen(), 0, "once");
	is_int(signals_count(), 1, "counted");
}

int
main(void)
{
	char hex[65];

	test_err();
	test_strbuf();
	test_split();
	test_arena();
	test_clock();
	test_file();
	test_child();
	test_leaks();
	test_word();
	sha256_hex(hex, "abc", 3);
	is(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    "SHA-256");
	md5_hex(hex, "abc", 3);
	is(hex, "900150983cd24fb0d6963f7d28e17f72", "MD5");
	return done_testing();
}

#include "read/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "read/confparse.h"
#include "read/module.h"
#include "read/ops.h"
#include "read/read.h"

/* inih holds a line in 200 bytes and cuts what is longer without a word. */
#define LINE_LIMIT 198
#define NAME_LIMIT 48
#define FILE_LIMIT (1u << 20)

enum type {
	T_STR,		/* sym */
	T_CMD,		/* sym; may go on in indented lines */
	T_INT,		/* int */
	T_LONG,		/* int64_t; k, M, G */
	T_TIME,		/* int64_t milliseconds */
	T_BOOL,		/* yes or no; `words` "no|yes" in other spellings */
	T_WORD,		/* sym, one of `words` */
	T_DJANGO,	/* int: "5.2" is 502 */
	T_BATCHES	/* sym: "1,25%" */
};

static const struct { const char *name; bool named; } sections[] = {
	[S_PROJECT] = { "project", false },
	[S_TARGET] = { "target", true },
	[S_HOST] = { "host", true },
	[S_HOOKS] = { "hooks", false },
	[S_MAKE] = { "makemigrations", false },
	[S_SERVER] = { "server", false },
	[S_FIELDS] = { "fields", false },
	[S_OPERATIONS] = { "operations", false },
	[S_VALUES] = { "values", false },
};

#define P(f) offsetof(struct cfg_project, f)
#define T(f) offsetof(struct cfg_target, f)
#define H(f) offsetof(struct cfg_host, f)
#define C(f) offsetof(struct config, f)

static const struct key {
	enum section in;
	const char *name;
	size_t off;
	enum type type;
	const char *dflt;	/* NULL: none */
	int64_t min;
	const char *words;	/* of a number: the most */
} keys[] = {
	{ S_PROJECT, "root", P(root), T_STR, ".", 0, NULL },
	{ S_PROJECT, "settings", P(settings), T_STR, NULL, 0, NULL },
	{ S_PROJECT, "python", P(python), T_STR, ".venv/bin/python", 0, NULL },
	{ S_PROJECT, "user_model", P(user_model), T_STR, NULL, 0, NULL },
	{ S_PROJECT, "auto_field", P(auto_field), T_STR, NULL, 0, NULL },
	{ S_PROJECT, "base", P(base), T_STR, NULL, 0, NULL },
	{ S_PROJECT, "django", P(django), T_DJANGO, NULL, 0, NULL },
	{ S_PROJECT, "server", P(server), T_INT, "15", 9, "30" },

	{ S_TARGET, "project", T(project), T_STR, NULL, 0, NULL },
	{ S_TARGET, "database", T(database), T_STR, NULL, 0, NULL },
	{ S_TARGET, "path", T(path), T_STR, NULL, 0, NULL },
	{ S_TARGET, "user", T(user), T_STR, NULL, 0, NULL },
	{ S_TARGET, "identity", T(identity), T_STR, NULL, 0, NULL },
	{ S_TARGET, "known_hosts", T(known_hosts), T_STR, NULL, 0, NULL },
	{ S_TARGET, "ssh", T(ssh), T_WORD, "sluice-ssh", 0, "sluice-ssh|ssh" },
	{ S_TARGET, "build", T(build), T_CMD, NULL, 0, NULL },
	{ S_TARGET, "restart", T(restart), T_CMD, NULL, 0, NULL },
	{ S_TARGET, "health", T(health), T_CMD, NULL, 0, NULL },
	{ S_TARGET, "env", T(env), T_STR, NULL, 0, NULL },
	{ S_TARGET, "python", T(python), T_STR, ".venv/bin/python", 0, NULL },
	{ S_TARGET, "release_host", T(release_host), T_STR, NULL, 0, NULL },
	{ S_TARGET, "haproxy", T(haproxy), T_STR, NULL, 0, NULL },
	{ S_TARGET, "batches", T(batches), T_BATCHES, "1", 0, NULL },
	{ S_TARGET, "on_failure", T(on_failure), T_WORD, "back", 0, "back|hold" },
	{ S_TARGET, "keep", T(keep), T_INT, "5", 2, "1000" },
	{ S_TARGET, "max_failed", T(max_failed), T_INT, "0", 0, NULL },
	{ S_TARGET, "at_once", T(at_once), T_INT, "32", 1, "1000" },
	{ S_TARGET, "max_blocked", T(max_blocked), T_INT, "5", 0, NULL },
	{ S_TARGET, "retries", T(retries), T_INT, "10", 0, NULL },
	{ S_TARGET, "connect_timeout", T(connect_timeout), T_TIME, "10s", 1, NULL },
	{ S_TARGET, "step_timeout", T(step_timeout), T_TIME, "10m", 1, NULL },
	{ S_TARGET, "drain_timeout", T(drain_timeout), T_TIME, "30s", 0, NULL },
	{ S_TARGET, "health_timeout", T(health_timeout), T_TIME, "60s", 1, NULL },
	{ S_TARGET, "lock_timeout", T(lock_timeout), T_TIME, "800ms", 1, NULL },
	{ S_TARGET, "max_blocked_time", T(max_blocked_time), T_TIME, "2s", 0, NULL },
	{ S_TARGET, "statement_timeout", T(statement_timeout), T_TIME, "0", 0, NULL },
	{ S_TARGET, "retry_delay", T(retry_delay), T_TIME, "1s", 0, NULL },
	{ S_TARGET, "soak", T(soak), T_TIME, "0", 0, NULL },

	{ S_HOST, "target", H(target), T_STR, NULL, 0, NULL },
	{ S_HOST, "address", H(address), T_STR, NULL, 0, NULL },
	{ S_HOST, "port", H(port), T_INT, "22", 1, "65535" },
	{ S_HOST, "user", H(user), T_STR, NULL, 0, NULL },
	{ S_HOST, "identity", H(identity), T_STR, NULL, 0, NULL },
	{ S_HOST, "path", H(path), T_STR, NULL, 0, NULL },
	{ S_HOST, "known_hosts", H(known_hosts), T_STR, NULL, 0, NULL },
	{ S_HOST, "balancer", H(balancer), T_STR, NULL, 0, NULL },

	{ S_HOOKS, "tag", C(hooks.tag_write), T_BOOL, "write", 0, "require|write" },
	{ S_HOOKS, "exceptions", C(hooks.exceptions), T_STR, NULL, 0, NULL },

	{ S_MAKE, "command", C(makemigrations.command), T_CMD, NULL, 0, NULL },
	{ S_MAKE, "link", C(makemigrations.link), T_STR, NULL, 0, NULL },
	{ S_MAKE, "missing", C(makemigrations.missing_warn), T_BOOL, "refuse", 0, "refuse|warn" },
	{ S_MAKE, "timeout", C(makemigrations.timeout), T_TIME, "60s", 1, NULL },

	{ S_SERVER, "branches", C(server.branches), T_STR, NULL, 0, NULL },
	{ S_SERVER, "deploy", C(server.deploy), T_STR, NULL, 0, NULL },
	{ S_SERVER, "override", C(server.override), T_STR, NULL, 0, NULL },
	{ S_SERVER, "makemigrations", C(server.makemigrations), T_BOOL, "no", 0, "no|yes" },
	{ S_SERVER, "queue", C(server.queue), T_BOOL, "yes", 0, "no|yes" },
	{ S_SERVER, "max_files", C(server.max_files), T_LONG, "100000", 1, NULL },
	{ S_SERVER, "max_bytes", C(server.max_bytes), T_LONG, "256M", 1, NULL },
	{ S_SERVER, "timeout", C(server.timeout), T_TIME, "60s", 1, NULL },
};

_Static_assert(countof(keys) <= CONFIG_KEYS_MAX, "more keys than bits");

int
config_bad(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	if (p->failed)
		return -1;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf clean STRBUF_SCOPED = STRBUF_INIT;
	va_start(ap, fmt);
	strbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	strbuf_clean(&clean, b.s, b.len, false);
	p->failed = true;
	return err_kind(p->e, ERR_CONFIG, "%s:%u: %s", p->c->path, p->line,
	    clean.s);
}

/* The spelling nearest to `word` among the keys of a section (-1: the
 * sections' names); NULL where none is near. */
static const char *
nearest(const char *word, int in)
{
	const char *best = NULL;
	size_t least = strlen(word) / 3 + 2;

	if (in < 0) {
		for (size_t i = 0; i < countof(sections); i++) {
			size_t d = word_distance(word, sections[i].name);
			if (d < least) {
				least = d;
				best = sections[i].name;
			}
		}
		return best;
	}
	for (size_t i = 0; i < countof(keys); i++) {
		size_t d = word_distance(word, keys[i].name);
		if (keys[i].in == (enum section)in && d < least) {
			least = d;
			best = keys[i].name;
		}
	}
	return best;
}

static int
unknown_section(struct parser *p, const char *name)
{
	char word[64] = "";
	size_t n = strcspn(name, " \t");

	memcpy(word, name, n < sizeof(word) ? n : sizeof(word) - 1);
	const char *near = nearest(word, -1);
	if (near != NULL)
		return config_bad(p, "unknown section [%s]; did you mean [%s]?", name,
		    near);
	return config_bad(p, "unknown section [%s]", name);
}

static void *
part_new(struct parser *p, enum section kind, sym name)
{
	void *at = p->c;

	if (kind == S_PROJECT) {
		struct cfg_project *o = arena_make(p->a, struct cfg_project);
		o->name = name;
		at = o;
	} else if (kind == S_TARGET) {
		struct cfg_target *o = arena_make(p->a, struct cfg_target);
		o->name = name;
		at = o;
	} else if (kind == S_HOST) {
		struct cfg_host *o = arena_make(p->a, struct cfg_host);
		o->name = name;
		at = o;
	}
	return at;
}

/* "[target production]": the part it opens, made where it is new. */
static int
section_open(struct parser *p, char *name)
{
	char *word = name + strcspn(name, " \t");
	char *second = word + strspn(word, " \t");
	enum section kind = 0;

	while (kind < countof(sections) &&
	    (strlen(sections[kind].name) != (size_t)(word - name) ||
	    strncmp(sections[kind].name, name, (size_t)(word - name)) != 0))
		kind++;
	if (kind == countof(sections))
		return unknown_section(p, name);
	size_t n = strlen(second);
	while (n > 0 && isspace((unsigned char)second[n - 1]))
		n--;
	if (n > NAME_LIMIT || strlen(name) > NAME_LIMIT)
		return config_bad(p, "the name in [%s] is too long", name);
	if (sections[kind].named && n == 0)
		return config_bad(p, "[%s] needs a name: [%s NAME]", name, name);
	if (n > 0 && (kind == S_HOOKS || kind == S_MAKE || kind == S_SERVER))
		return config_bad(p, "[%s] takes no name", sections[kind].name);
	sym who = sym_getn(p->a, second, n);
	p->last = NULL;
	for (uint32_t i = 0; i < p->parts.n; i++) {
		p->part = p->parts.v[i];
		if (p->part->kind == kind && p->part->name == who)
			return 0;
	}
	p->part = arena_make(p->a, struct part);
	p->part->kind = kind;
	p->part->name = who;
	p->part->line = p->line;
	p->part->at = part_new(p, kind, who);
	*list_add(p->a, &p->parts) = p->part;
	return 0;
}

static int
read_long(const char *s, int64_t *out)
{
	char *end;

	errno = 0;
	long long n = strtoll(s, &end, 10);
	if (errno != 0 || end == s)
		return -1;
	const char *unit = strchr("kMG", *end);
	if (*end != '\0' && unit != NULL && end[1] == '\0') {
		for (const char *u = "kMG"; u <= unit; u++) {
			if (n > INT64_MAX / 1024 || n < 0)
				return -1;
			n *= 1024;
			if (*u == *end)
				break;
		}
	} else if (*end != '\0') {
		return -1;
	}
	*out = n;
	return 0;
}

static int
set_number(struct parser *p, const struct key *k, void *at, const char *value)
{
	int64_t n;

	if (k->type == T_TIME) {
		if ((n = duration_parse(value)) < 0)
			return config_bad(p, "%s = %s: not a duration (250ms, 30s, 5m, 2h, 7d)",
			    k->name, value);
	} else if (read_long(value, &n) < 0 ||
	    (k->type == T_INT && (n > INT32_MAX || n < INT32_MIN))) {
		return config_bad(p, "%s = %s: not a number%s", k->name, value,
		    k->type == T_LONG ? "; k, M or G may follow it" : "");
	}
	if (n < k->min)
		return config_bad(p, "%s = %s: must be at least %lld", k->name, value,
		    (long long)k->min);
	if (k->words != NULL && n > strtoll(k->words, NULL, 10))
		return config_bad(p, "%s = %s: must be at most %s", k->name, value,
		    k->words);
	if (k->type == T_INT)
		*(int *)at = (int)n;
	else
		*(int64_t *)at = n;
	return 0;
}

/* The place of value in "a|b|c", or -1. */
static int
word_index(const char *words, const char *value)
{
	size_t n = strlen(value);
	int i = 0;

	for (const char *w = words; ; w += strcspn(w, "|") + 1, i++) {
		if (strcspn(w, "|") == n && strncmp(w, value, n) == 0)
			return i;
		if (strchr(w, '|') == NULL)
			return -1;
	}
}

static int
set_word(struct parser *p, const struct key *k, void *at, const char *value)
{
	int i = word_index(k->words, value);

	if (i < 0 && streq(k->words, "no|yes")) {
		if ((i = word_index("false|true", value)) < 0)
			i = word_index("0|1", value);
	}
	if (i < 0)
		return config_bad(p, "%s = %s: must be %s", k->name, value, k->words);
	if (k->type == T_BOOL)
		*(bool *)at = i == 1;
	else
		*(sym *)at = sym_get(p->a, value);
	return 0;
}

/* "1,25%,100%": how many hosts at a time, the last one repeats. */
static int
set_batches(struct parser *p, void *at, const char *value)
{
	const char *s = value;

	for (;;) {
		char *end;
		s += strspn(s, " \t");
		long n = isdigit((unsigned char)*s) ? strtol(s, &end, 10) : 0;
		if (n < 1 || n > 100000 || (*end == '%' && n > 100))
			return config_bad(p, "batches = %s: not a list such as 1,25%%",
			    value);
		s = end + (*end == '%');
		s += strspn(s, " \t");
		if (*s == '\0')
			break;
		if (*s++ != ',')
			return config_bad(p, "batches = %s: not a list such as 1,25%%",
			    value);
	}
	*(sym *)at = sym_get(p->a, value);
	return 0;
}

static int
key_set(struct parser *p, const struct key *k, void *base, const char *value)
{
	void *at = (char *)base + k->off;

	switch (k->type) {
	case T_STR:
	case T_CMD:
		if (config_value(p, k->in, k->name, value) < 0)
			return -1;
		*(sym *)at = sym_get(p->a, value);
		return 0;
	case T_INT:
	case T_LONG:
	case T_TIME:
		return set_number(p, k, at, value);
	case T_BOOL:
	case T_WORD:
		return set_word(p, k, at, value);
	case T_DJANGO:
		return config_django(p, at, value);
	case T_BATCHES:
		return set_batches(p, at, value);
	}
	return -1;
}

static int
unknown_key(struct parser *p, const char *name)
{
	enum section in = p->part->kind;
	const char *near = nearest(name, (int)in);

	if (near != NULL)
		return config_bad(p, "unknown key '%s' in [%s]; did you mean '%s'?",
		    name, sections[in].name, near);
	for (size_t i = 0; i < countof(keys); i++)
		if (streq(keys[i].name, name))
			return config_bad(p, "unknown key '%s' in [%s]; it belongs in [%s]",
			    name, sections[in].name,
			    sections[keys[i].in].name);
	return config_bad(p, "unknown key '%s' in [%s]", name, sections[in].name);
}

/* An indented line goes on with the command above it. */
static int
key_more(struct parser *p, const char *value)
{
	if (p->last == NULL || p->last->type != T_CMD)
		return config_bad(p, "an indented line continues a command only; "
		    "begin 'key = value' at the start of the line");
	sym *at = (sym *)(void *)((char *)p->part->at + p->last->off);
	*at = sym_printf(p->a, "%s\n%s", *at != NULL ? *at : "", value);
	return 0;
}

/* [fields], [operations], [values]: any name. */
static int
pair_read(struct parser *p, const char *name, const char *value)
{
	struct cfg_pair f = { sym_get(p->a, name), sym_get(p->a, value) };

	if (p->part->kind == S_OPERATIONS && !op_known(value))
		return config_bad(p, "%s = %s: not an operation of Django "
		    "(django.db.migrations.RunSQL), nor 'none'", name, value);
	if (p->part->kind == S_VALUES &&
	    (f.key = given_key(p->a, name)) == NULL)
		return config_bad(p, "'%s' in [values] is not a dotted name, nor a "
		    "call of one with constants", name);
	if (p->part->kind == S_VALUES && given_constant(p->a, value) == NULL)
		return config_bad(p, "%s = %s: not a constant as Python writes it",
		    name, value);
	*list_add(p->a, &p->part->pairs) = f;
	return 0;
}

static int
key_read(struct parser *p, const char *name, const char *value)
{
	if (p->part == NULL)
		return config_bad(p, "'%s' stands before the first [section]", name);
	if (p->indented)
		return key_more(p, value);
	if (p->part->kind >= S_FIELDS)
		return pair_read(p, name, value);
	for (size_t i = 0; i < countof(keys); i++) {
		const struct key *k = &keys[i];
		if (k->in != p->part->kind || !streq(k->name, name))
			continue;
		if (p->part->set[i] > 0)
			return config_bad(p, "'%s' is set twice in [%s]; first on line %u",
			    name, sections[k->in].name, p->part->set[i]);
		if (k->type == T_CMD && p->comment_cut)
			return config_bad(p, "' ;' begins a comment and would cut the command "
			    "'%s'; write ';' without a blank before it, or '&&'",
			    name);
		p->part->set[i] = p->line;
		p->last = k;
		return key_set(p, k, p->part->at, value);
	}
	return unknown_key(p, name);
}

static int
on_key(void *user, const char *section, const char *name, const char *value)
{
	struct parser *p = user;

	(void)section;
	if (p->failed)
		return 1;
	if (p->indented && p->last != NULL && p->comment_cut)
		config_bad(p, "' ;' begins a comment and would cut the command; "
		    "write ';' without a blank before it, or '&&'");
	else
		key_read(p, name, value);
	return 1;
}

/* "[name]" opens a section at once: inih tells of its keys only. */
static void
line_section(struct parser *p, const char *s)
{
	char name[LINE_LIMIT + 1];
	size_t n = strcspn(s + 1, "]");

	if (s[1 + n] == '\0') {
		config_bad(p, "a '[' without its ']'");
		return;
	}
	memcpy(name, s + 1, n);
	name[n] = '\0';
	section_open(p, name);
}

/* Hands inih the next line, looked at first. */
static char *
next_line(char *s, int num, void *user)
{
	struct parser *p = user;

	if (p->failed || p->text == p->end)
		return NULL;
	const char *nl = memchr(p->text, '\n', (size_t)(p->end - p->text));
	size_t n = (size_t)((nl != NULL ? nl : p->end) - p->text);
	const char *line = p->text;

	p->line++;
	p->text = nl != NULL ? nl + 1 : p->end;
	if (n > LINE_LIMIT || n + 1 >= (size_t)num) {
		config_bad(p, "line of %zu bytes, %d at most; a command may go on in "
		    "indented lines", n, LINE_LIMIT);
		return NULL;
	}
	if (memchr(line, '\0', n) != NULL) {
		config_bad(p, "a NUL byte");
		return NULL;
	}
	memcpy(s, line, n);
	s[n] = '\0';
	if (p->line == 1 && starts_with(s, "\xef\xbb\xbf"))
		s += 3;
	p->indented = *s == ' ' || *s == '\t';
	p->comment_cut = strstr(s, " ;") != NULL || strstr(s, "\t;") != NULL;
	if (*s == '[')
		line_section(p, s);
	return s;
}

/* Keys that were not given take their default, every part at its line. */
static int
finish(struct parser *p)
{
	static const enum section always[] = { S_PROJECT, S_HOOKS, S_MAKE,
	    S_SERVER };

	for (size_t i = 0; i < countof(always); i++) {
		bool there = false;
		for (uint32_t k = 0; k < p->parts.n; k++)
			there |= p->parts.v[k]->kind == always[i];
		char name[32];
		snprintf(name, sizeof(name), "%s", sections[always[i]].name);
		if (!there && section_open(p, name) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < p->parts.n; i++) {
		struct part *t = p->parts.v[i];
		p->line = t->line;
		for (size_t k = 0; k < countof(keys); k++)
			if (keys[k].in == t->kind && t->set[k] == 0 &&
			    keys[k].dflt != NULL &&
			    key_set(p, &keys[k], t->at, keys[k].dflt) < 0)
				return -1;
	}
	return 0;
}

int
config_parse(struct config *c, struct arena *a, const char *path,
    const char *text, size_t len, struct err *e)
{
	struct parser p = { .c = c, .a = a, .e = e, .text = text,
	    .end = text + len };

	memset(c, 0, sizeof(*c));
	c->path = sym_get(a, path);
	int bad_line = ini_parse_stream(next_line, &p, on_key, &p);
	if (p.failed)
		return -1;
	if (bad_line != 0)
		return err_kind(e, ERR_CONFIG,
		    "%s:%d: neither '[section]' nor 'key = value'", path,
		    bad_line);
	return finish(&p) < 0 || config_link(&p) < 0 ? -1 : 0;
}

int
config_load(struct config *c, struct arena *a, const char *path,
    struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(FILE_LIMIT);

	if (file_read(&b, path, e) < 0) {
		e->kind = ERR_CONFIG;
		return err_wrap(e, "configuration");
	}
	return config_parse(c, a, path, b.s, b.len, e);
}

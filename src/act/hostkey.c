#include "act/hostkey.h"

#include <ctype.h>
#include <errno.h>
#include <sha1.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "act/link.h"
#include "act/ssh.h"
#include "base/child.h"
#include "base/file.h"
#include "base/util.h"

#define FILE_MAX (16u << 20)
#define MARKER_REVOKED "@revoked"

/* One line of a known_hosts file, cut up in place. */
struct line {
	const char *marker;	/* "@revoked", or NULL */
	char *names, *type, *blob;
	const char *file;
	int number;
};

/* For each line that speaks of the host; non-zero ends the walk. */
typedef int line_fn(void *ctx, const struct line *l);

struct asked {
	const char *name;	/* as hostkey_name gives it */
	line_fn *fn;
	void *ctx;
};

int
hostkey_make(struct hostkey *k, const void *blob, size_t n)
{
	const unsigned char *p = blob;
	uint8_t sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX c;

	if (n < 4 || p[0] != 0 || p[1] != 0 || p[2] != 0 || p[3] == 0 ||
	    p[3] >= sizeof(k->type) || p[3] + 4u > n ||
	    base64_size(n) > sizeof(k->blob))
		return -1;
	*k = (struct hostkey){ 0 };
	for (unsigned i = 0; i < p[3]; i++) {
		if (!isalnum(p[4 + i]) && strchr("-.@", p[4 + i]) == NULL)
			return -1;
		k->type[i] = (char)p[4 + i];
	}
	base64_put(k->blob, blob, n);
	SHA256Init(&c);
	SHA256Update(&c, blob, n);
	SHA256Final(sum, &c);
	char text[64];
	base64_put(text, sum, sizeof(sum));
	text[strcspn(text, "=")] = '\0';
	snprintf(k->print, sizeof(k->print), "SHA256:%.43s", text);
	return 0;
}

void
hostkey_name(struct strbuf *b, const char *host, int port)
{
	size_t from = b->len;

	if (port == 0 || port == 22)
		strbuf_str(b, host);
	else
		strbuf_printf(b, "[%s]:%d", host, port);
	for (char *p = b->s + from; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
}

void
hostkey_files(struct strvec *files, const char *file)
{
	const char *home = getenv("HOME");

	if (file != NULL) {
		strvec_push(files, file);
		return;
	}
	if (home != NULL && *home != '\0')
		strvec_pushf(files, "%s/.ssh/known_hosts", home);
	strvec_push(files, "/etc/ssh/ssh_known_hosts");
}

/* HMAC-SHA1 of a name, as OpenSSH hides names with it. */
static void
hmac_sha1(uint8_t out[SHA1_DIGEST_LENGTH], const uint8_t *key, size_t n,
    const char *text)
{
	uint8_t pad[SHA1_BLOCK_LENGTH] = { 0 };
	SHA1_CTX c;

	memcpy(pad, key, n);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	SHA1Init(&c);
	SHA1Update(&c, pad, sizeof(pad));
	SHA1Update(&c, (const uint8_t *)text, strlen(text));
	SHA1Final(out, &c);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA1Init(&c);
	SHA1Update(&c, pad, sizeof(pad));
	SHA1Update(&c, out, SHA1_DIGEST_LENGTH);
	SHA1Final(out, &c);
}

/* "|1|salt|hash" */
static bool
hashed_is(const char *field, const char *name)
{
	uint8_t salt[SHA1_BLOCK_LENGTH], sum[SHA1_DIGEST_LENGTH];
	char text[64];
	const char *bar = strchr(field + 3, '|');

	if (bar == NULL)
		return false;
	int n = base64_get(salt, sizeof(salt), field + 3,
	    (size_t)(bar - field - 3));
	if (n <= 0)
		return false;
	hmac_sha1(sum, salt, (size_t)n, name);
	base64_put(text, sum, sizeof(sum));
	return streq(bar + 1, text);
}

/* '*' and '?', without a stack: back to the last star on a mismatch. */
static bool
wild_is(const char *pat, const char *name)
{
	const char *star = NULL, *at = NULL;

	while (*name != '\0') {
		if (*pat == '*') {
			star = ++pat;
			at = name;
		} else if (*pat == '?' ||
		    tolower((unsigned char)*pat) == *name) {
			pat++;
			name++;
		} else if (star != NULL) {
			pat = star;
			name = ++at;
		} else {
			return false;
		}
	}
	while (*pat == '*')
		pat++;
	return *pat == '\0';
}

/* A list of patterns; one that is negated and fits forbids the line. */
static bool
names_have(char *names, const char *name)
{
	bool found = false;
	char *rest = names, *one;

	if (starts_with(names, "|1|"))
		return hashed_is(names, name);
	while ((one = strsep(&rest, ",")) != NULL) {
		bool not = *one == '!';
		if (!wild_is(one + not, name))
			continue;
		if (not)
			return false;
		found = true;
	}
	return found;
}

/* false: a comment, an empty or a broken line; the others still count. */
static bool
line_cut(struct line *l, char *text)
{
	char *rest = text + strspn(text, " \t"), *word[5] = { NULL };
	int n = 0;

	while (n < 5 && (word[n] = strsep(&rest, " \t\r")) != NULL)
		if (*word[n] != '\0')
			n++;
	if (n == 0 || *word[0] == '#')
		return false;
	int at = *word[0] == '@';
	l->marker = at ? word[0] : NULL;
	if (n < at + 3)
		return false;
	l->names = word[at];
	l->type = word[at + 1];
	l->blob = word[at + 2];
	return true;
}

static int
file_walk(const struct asked *q, const char *path, struct err *e)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(FILE_MAX);
	struct line l = { .file = path };

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 0;
	if (file_read(&b, path, e) < 0)
		return err_wrap(e, "known hosts");
	char *rest = b.s, *text;
	while ((text = strsep(&rest, "\n")) != NULL) {
		l.number++;
		if (!line_cut(&l, text) || !names_have(l.names, q->name))
			continue;
		int r = q->fn(q->ctx, &l);
		if (r != 0)
			return r;
	}
	return 0;
}

static int
walk(const struct asked *q, const struct strvec *files, struct err *e)
{
	for (size_t i = 0; i < files->n; i++) {
		int r = file_walk(q, files->v[i], e);
		if (r != 0)
			return r;
	}
	return 0;
}

struct look {
	const struct hostkey *k;
	struct strbuf *where;
	bool any, good, revoked;
	bool clash;		/* of the same type, and not the same */
};

static int
look_line(void *ctx, const struct line *l)
{
	struct look *s = ctx;
	bool same = streq(l->type, s->k->type) && streq(l->blob, s->k->blob);

	if (l->marker != NULL) {
		s->revoked |= same && streq(l->marker, MARKER_REVOKED);
		return 0;
	}
	if (same)
		s->good = true;
	else if (!s->any)
		strbuf_printf(s->where, "%s:%d", l->file, l->number);
	s->any = true;
	s->clash |= !same && streq(l->type, s->k->type);
	return 0;
}

static int
look(struct look *s, const struct strvec *files, const char *host, int port,
    struct err *e)
{
	struct strbuf name STRBUF_SCOPED = STRBUF_INIT;
	struct asked q = { NULL, look_line, s };

	hostkey_name(&name, host, port);
	q.name = name.s;
	return walk(&q, files, e);
}

int
hostkey_look(enum hostkey_is *is, struct strbuf *where,
    const struct strvec *files, const char *host, int port,
    const struct hostkey *k, struct err *e)
{
	struct look s = { .k = k, .where = where };

	if (look(&s, files, host, port, e) < 0)
		return -1;
	bool exact = s.any;
	if (!exact && port != 0 && port != 22) {
		/* a key of the plain name vouches, but accuses nobody */
		if (look(&s, files, host, 22, e) < 0)
			return -1;
	}
	*is = s.revoked ? HOSTKEY_REVOKED : s.good ? HOSTKEY_KNOWN :
	    exact ? HOSTKEY_CHANGED : HOSTKEY_UNKNOWN;
	if (*is != HOSTKEY_CHANGED)
		strbuf_reset(where);
	return 0;
}

static int
type_line(void *ctx, const struct line *l)
{
	struct strbuf *b = ctx;

	if (l->marker != NULL || strstr(b->s, l->type) != NULL)
		return 0;
	strbuf_printf(b, "%s%s", b->len > 0 ? "," : "", l->type);
	return 0;
}

int
hostkey_types(struct strbuf *b, const struct strvec *files, const char *host,
    int port, struct err *e)
{
	struct strbuf name STRBUF_SCOPED = STRBUF_INIT;
	struct asked q = { NULL, type_line, b };

	hostkey_name(&name, host, port);
	q.name = name.s;
	if (walk(&q, files, e) < 0)
		return -1;
	if (b->len > 0 || port == 0 || port == 22)
		return 0;
	strbuf_reset(&name);
	hostkey_name(&name, host, 22);
	q.name = name.s;
	return walk(&q, files, e);
}

/* "NAME TYPE BLOB [PRINT]" */
static int
offered_line(struct hostkey *k, char *text)
{
	struct line l = { 0 };
	uint8_t raw[1024];

	if (!line_cut(&l, text))
		return 0;
	int n = base64_get(raw, sizeof(raw), l.blob, strlen(l.blob));
	return n > 0 && hostkey_make(k, raw, (size_t)n) == 0 &&
	    streq(k->type, l.type);
}

int
hostkey_offered(struct hostkey *k, int most, const struct cfg_target *t,
    const struct cfg_host *h, struct err *e)
{
	struct strvec v STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf out STRBUF_SCOPED = STRBUF_LIMIT(1u << 20);
	struct strbuf errs STRBUF_SCOPED = STRBUF_LIMIT(1u << 16);
	struct cfg_target ours = *t;
	int code, n = 0;

	ours.ssh = "sluice-ssh";
	link_argv(&v, &ours, h);
	strvec_pushl(&v, "--show-host-key", "--",
	    h->address != NULL ? h->address : h->name, NULL);
	struct child_spec s = { .argv = v.v };
	if (child_run(&s, NULL, 0, &out, &errs, 5 * t->connect_timeout + 5000,
	    &code, e) < 0)
		return -1;
	if (code != 0) {
		struct strbuf why STRBUF_SCOPED = STRBUF_INIT;

		strbuf_clean(&why, errs.s, strcspn(errs.s, "\n"), false);
		return err_set(e, "%s", starts_with(why.s, "sluice-ssh: ") ?
		    why.s + strlen("sluice-ssh: ") : why.s);
	}
	char *rest = out.s, *text;
	while (n < most && (text = strsep(&rest, "\n")) != NULL)
		n += offered_line(&k[n], text);
	return n;
}

/* 1: it stands there already. 0: may be added. */
static int
acceptable(const struct strvec *files, const struct cfg_host *h,
    const char *host, const struct hostkey *k, struct err *e)
{
	struct strbuf where STRBUF_SCOPED = STRBUF_INIT;
	struct look s = { .k = k, .where = &where };

	if (look(&s, files, host, h->port, e) < 0)
		return -1;
	if (s.revoked)
		return err_kind(e, ERR_REFUSED, "this key of '%s' is marked as "
		    MARKER_REVOKED " in the known hosts", host);
	if (s.clash)
		return err_kind(e, ERR_REFUSED, "another %s key is known for "
		    "'%s' (%s): if the host was really given a new one, "
		    "remove that line first", k->type, host, where.s);
	return s.good;
}

static int
parent_make(const char *file, struct err *e)
{
	struct strbuf dir STRBUF_SCOPED = STRBUF_INIT;
	const char *slash = strrchr(file, '/');

	if (slash == NULL || slash == file)
		return 0;
	strbuf_add(&dir, file, (size_t)(slash - file));
	return dir_make(dir.s, 0700, e);
}

int
hostkey_accept(const struct cfg_host *h, const struct hostkey *k,
    struct strbuf *file, struct err *e)
{
	struct strvec files STRVEC_SCOPED = STRVEC_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(FILE_MAX);
	const char *host = h->address != NULL ? h->address : h->name;

	hostkey_files(&files, h->known_hosts);
	strbuf_reset(file);
	strbuf_str(file, files.v[0]);
	int r = acceptable(&files, h, host, k, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	if (file_exists(file->s) && file_read(&b, file->s, e) < 0)
		return -1;
	if (b.len > 0 && b.s[b.len - 1] != '\n')
		strbuf_char(&b, '\n');
	hostkey_name(&b, host, h->port);
	strbuf_printf(&b, " %s %s\n", k->type, k->blob);
	if (b.over)
		return err_set(e, "'%s' is too large", file->s);
	if (parent_make(file->s, e) < 0)
		return -1;
	return file_write(file->s, b.s, b.len, 0600, e);
}

#include "read/upserts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define SIZE_MAX_PY ((size_t)4 << 20)	/* nobody writes so much by hand */

struct looking {
	struct upserts *out;
	struct arena *a;
	struct source *s;
	const char *root;
	struct err *e;
};

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Does it stand there, not as a part of a longer word? */
static const char *
word_in(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; (p = strcasestr(p, word)) != NULL; p += n)
		if ((p == text || !is_word(p[-1])) && !is_word(p[n]))
			return p;
	return NULL;
}

/* ON CONFLICT (…) or ON CONFLICT ON CONSTRAINT …; without a target it takes
 * whatever constraint there is. */
static bool
has_target(const char *text)
{
	for (const char *p = text; (p = word_in(p, "on conflict")) != NULL;) {
		p += strlen("on conflict");
		const char *at = p + strspn(p, " \t\r\n\"'\\f");
		if (*at == '(' || strncasecmp(at, "on constraint", 13) == 0)
			return true;
	}
	return false;
}

static void
names(struct looking *l, const char *text, bool tables)
{
	for (const char *p = text; *p != '\0';) {
		size_t n = 0;

		while (is_word(p[n]))
			n++;
		bool class = isupper((unsigned char)*p);
		if (n > 0 && n < 128 && (class ||
		    (tables && memchr(p, '_', n) != NULL)))
			*list_add(l->a, l->out) = sym_lower(l->a,
			    sym_getn(l->a, p, n));
		p += n + (n == 0);
	}
}

/* Where the call ends whose bracket opens at p. */
static const char *
call_end(const char *p)
{
	int depth = 0;

	for (const char *s = p; *s != '\0'; s++) {
		depth += (*s == '(' || *s == '[' || *s == '{') -
		    (*s == ')' || *s == ']' || *s == '}');
		if (depth == 0)
			return s;
	}
	return p;
}

/* Does a class stand before ".bulk_create", as in Order.objects? */
static bool
of_class(const char *text, const char *at)
{
	const char *s = at;

	while (s > text && (is_word(s[-1]) || s[-1] == '.' || s[-1] == ')' ||
	    s[-1] == '('))
		s--;
	for (; s < at; s++)
		if (isupper((unsigned char)*s) && (s == text || !is_word(s[-1])))
			return true;
	return false;
}

static int
by_text(const void *x, const void *y)
{
	const sym *const a = x, *const b = y;

	return strcmp(*a, *b);
}

/* unique_fields=["shop", "name"] as "*name,shop". */
static void
fields(struct looking *l, const char *from, const char *end)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	sym v[16];
	size_t n = 0;
	const char *p = strstr(from, "unique_fields");

	p = p == NULL || p > end ? NULL : strpbrk(p, "[(");
	for (const char *to = p; p != NULL && n < countof(v); p = to + 1) {
		p += strcspn(p, "\"'])");
		if (*p != '"' && *p != '\'')
			break;
		to = strchr(p + 1, *p);
		if (to == NULL || to > end)
			return;
		size_t len = (size_t)(to - p - 1);
		if (len > 3 && strncmp(to - 3, "_id", 3) == 0)
			len -= 3;
		v[n++] = sym_lower(l->a, sym_getn(l->a, p + 1, len));
	}
	if (n == 0)
		return;
	qsort(v, n, sizeof(*v), by_text);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&b, "%c%s", i == 0 ? '*' : ',', v[i]);
	*list_add(l->a, l->out) = sym_get(l->a, b.s);
}

/* self.bulk_create(…), qs.bulk_create(…): of which model is not to be seen. */
static void
unnamed(struct looking *l, const char *text)
{
	static const char *const calls[] = { "bulk_create", "abulk_create" };

	for (size_t i = 0; i < countof(calls); i++)
		for (const char *p = text; (p = word_in(p, calls[i])) != NULL;) {
			const char *open = p + strlen(calls[i]);
			const char *end = *open == '(' ? call_end(open) : open;
			const char *up = word_in(open, "update_conflicts");

			if (up != NULL && up < end && !of_class(text, p))
				fields(l, open, end);
			p = open;
		}
}

static bool
serves(const struct looking *l, const char *path)
{
	const char *name = strrchr(path, '/');
	size_t n = l->root == NULL || streq(l->root, ".") ? 0 :
	    strlen(l->root);

	name = name == NULL ? path : name + 1;
	return ends_with(path, ".py") && strncmp(path, l->root == NULL ? "" :
	    l->root, n) == 0 && strstr(path, "migrations/") == NULL &&
	    strstr(path, "tests/") == NULL && !starts_with(name, "test_") &&
	    !streq(name, "tests.py") && !streq(name, "conftest.py");
}

static int
look(void *ctx, const char *path, size_t size)
{
	struct looking *l = ctx;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	if (size > SIZE_MAX_PY || !serves(l, path))
		return 0;
	int r = source_read(l->s, &b, path, l->e);
	if (r <= 0)
		return r;
	bool sql = has_target(b.s);
	if (sql || word_in(b.s, "update_conflicts") != NULL)
		names(l, b.s, sql);
	if (strstr(b.s, "update_conflicts") != NULL)
		unnamed(l, b.s);
	return 0;
}

int
upserts_find(struct upserts *out, struct arena *a, struct source *s,
    const char *root, struct err *e)
{
	struct looking l = { out, a, s, root, e };
	uint32_t n = 0;

	if (source_walk(s, look, &l, e) < 0)
		return -1;
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), by_text);
	for (uint32_t i = 0; i < out->n; i++)
		if (n == 0 || out->v[n - 1] != out->v[i])
			out->v[n++] = out->v[i];
	out->n = n;
	return 0;
}

/* What is not read, only looked at: imports, and the bodies of functions. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/read.h"

#define BODY 1500		/* bytes after a loop's head */

static uint32_t
line_at(const char *text, const char *p)
{
	uint32_t n = 1;

	for (; text < p; text++)
		n += *text == '\n';
	return n;
}

static const char *
find(const char *p, const char *end, const char *what)
{
	return p < end ? memmem(p, (size_t)(end - p), what, strlen(what)) :
	    NULL;
}

static const char *
line_start(const char *text, const char *p)
{
	while (p > text && p[-1] != '\n')
		p--;
	return p;
}

/* Is it in a comment? Strings are not looked for. */
static bool
in_comment(const char *text, const char *p)
{
	const char *s = line_start(text, p);

	return memchr(s, '#', (size_t)(p - s)) != NULL;
}

/* Order.objects.update(…), .all().update(…) */
static uint32_t
whole_update(const char *text, const char *end)
{
	static const char *const words[] = { ".objects.update(",
	    ".all().update(" };

	for (size_t i = 0; i < countof(words); i++)
		for (const char *p = text; (p = find(p, end, words[i])) != NULL;
		    p++)
			if (!in_comment(text, p))
				return line_at(text, p);
	return 0;
}

/* for x in Order.objects.all(): … x.save() */
static uint32_t
whole_loop(const char *text, const char *end)
{
	for (const char *p = text; (p = find(p, end, ".all()")) != NULL; p++) {
		const char *s = line_start(text, p);
		const char *stop = end - p > BODY ? p + BODY : end;

		while (s < p && (*s == ' ' || *s == '\t'))
			s++;
		if (p - s > 4 && memcmp(s, "for ", 4) == 0 &&
		    find(p, stop, ".save(") != NULL)
			return line_at(text, p);
	}
	return 0;
}

/* A model's name; not what fields and choices are made of. */
static bool
is_model(const char *name, size_t n)
{
	static const char *const other[] = { "Field", "Manager", "QuerySet",
	    "Mixin", "Choices", "Type", "Validator", "Base" };

	for (size_t i = 0; i < countof(other); i++) {
		size_t k = strlen(other[i]);

		if (n >= k && memcmp(name + n - k, other[i], k) == 0)
			return false;
	}
	return n > 1 && isupper((unsigned char)name[0]) &&
	    islower((unsigned char)name[1]);
}

/* The names after "import": to the end of the line, or of the brackets. */
static bool
imports_model(const char *p, const char *end)
{
	bool brackets = false;

	for (; p < end && *p != ')' && (brackets || *p != '\n'); p++) {
		size_t n = 0;

		brackets |= *p == '(';
		while (p + n < end && (isalnum((unsigned char)p[n]) ||
		    p[n] == '_'))
			n++;
		if (is_model(p, n))
			return true;
		p += n > 0 ? n - 1 : 0;
	}
	return false;
}

/* from shop.models import Order, wherever it stands */
static uint32_t
model_import(const char *text, const char *end)
{
	static const char word[] = ".models import ";

	for (const char *p = text; (p = find(p, end, word)) != NULL; p++) {
		const char *s = line_start(text, p);

		while (s < p && (*s == ' ' || *s == '\t'))
			s++;
		if (p - s < 5 || memcmp(s, "from ", 5) != 0 ||
		    memmem(s, (size_t)(p - s), "db", 2) == p - 2)
			continue;
		if (imports_model(p + sizeof(word) - 1, end))
			return line_at(text, p);
	}
	return 0;
}

void
migration_remark(struct migration *m, const char *text, size_t len)
{
	const char *end = text + len;
	bool python = false;

	for (uint32_t i = 0; i < m->ops.n; i++)
		python |= m->ops.v[i].kind == OP_RUN_PYTHON &&
		    !m->ops.v[i].noop;
	if (!python)
		return;
	m->model_import = model_import(text, end);
	m->whole_write = whole_update(text, end);
	if (m->whole_write == 0)
		m->whole_write = whole_loop(text, end);
}

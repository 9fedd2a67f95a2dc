/* By its path: does Django load it as a migration? */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "read/read.h"

/* "migrations" or "db_migrations" */
static bool
is_folder(const char *name, size_t len)
{
	static const char word[] = "migrations";
	size_t n = sizeof(word) - 1;

	return len >= n && memcmp(name + len - n, word, n) == 0 &&
	    (len == n || name[len - n - 1] == '_');
}

/* A folder of what is copied or tried, not loaded; or what is put by below
 * migrations, where Django does not look. */
static bool
is_aside(const char *name, size_t len)
{
	static const char *const words[] = { "test", "template", "fixture",
	    "example", "sample", "doc" };
	static const char *const tails[] = { "_test", "_tests", "_template",
	    "_templates" };

	for (size_t i = 0; i < countof(words); i++)
		if (len >= strlen(words[i]) &&
		    memcmp(name, words[i], strlen(words[i])) == 0)
			return true;
	for (size_t i = 0; i < countof(tails); i++)
		if (len > strlen(tails[i]) && memcmp(name + len -
		    strlen(tails[i]), tails[i], strlen(tails[i])) == 0)
			return true;
	return is_folder(name, len);
}

/* 0001_initial.py, and no folder on the way says that it is something else */
static bool
is_numbered(const char *path, const char *name)
{
	for (int i = 0; i < 4; i++)
		if (!isdigit((unsigned char)name[i]))
			return false;
	if (name[4] != '_' || !ends_with(name, ".py"))
		return false;
	for (const char *p = path; p < name; p += strcspn(p, "/") + 1)
		if (is_aside(p, strcspn(p, "/")))
			return false;
	return true;
}

enum place
place_of(const char *path, bool link)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path, *from;
	bool text = ends_with(name, ".py");

	if (link && is_folder(name, strlen(name)))
		return PLACE_LINK;
	if (slash == NULL)
		return PLACE_NONE;
	for (from = slash; from > path && from[-1] != '/'; )
		from--;
	if (!is_folder(from, (size_t)(slash - from)))
		return !link && is_numbered(path, name) ? PLACE_STRAY :
		    PLACE_NONE;
	if (streq(name, "__init__.py") && !link)
		return PLACE_INIT;
	if (*name == '_' || *name == '~')
		return PLACE_NONE;
	if (ends_with(name, ".pyc") || ends_with(name, ".so"))
		return PLACE_COMPILED;
	return !text ? PLACE_NONE : link ? PLACE_LINK : PLACE_FILE;
}

bool
blob_empty(const char *of)
{
	static const unsigned char id[20] = { 0xe6, 0x9d, 0xe2, 0x9b,
	    0xb2, 0xd1, 0xd6, 0x43, 0x4b, 0x8b, 0x29, 0xae, 0x77, 0x5a, 0xd8,
	    0xc2, 0xe4, 0x8c, 0x53, 0x91 };

	return memcmp(of, id, 20) == 0;
}

sym
root_prefix(struct arena *a, const struct cfg_project *p)
{
	const char *root = p != NULL && p->root != NULL ? p->root : ".";

	while (starts_with(root, "./"))
		root += 2;
	size_t n = strlen(root);
	while (n > 0 && root[n - 1] == '/')
		n--;
	if (n == 0 || (n == 1 && root[0] == '.'))
		return sym_get(a, "");
	return sym_printf(a, "%.*s/", (int)n, root);
}

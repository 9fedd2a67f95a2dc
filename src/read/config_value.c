/* What a value of sluice.ini may be, beyond its type. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "read/confparse.h"

#define MAX_DJANGO 802

/* The length of a Python name at s; 0: there is none. Any letter beyond ASCII
 * may be in one. */
static size_t
name_len(const char *s)
{
	size_t n = 0;

	if (isdigit((unsigned char)*s))
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_' ||
	    (unsigned char)s[n] >= 0x80)
		n++;
	return n;
}

/* Names joined by dots: how many; 0: it is something else. */
static int
dotted(const char *s)
{
	int names = 0;

	for (;; s++) {
		size_t n = name_len(s);
		if (n == 0)
			return 0;
		names++;
		s += n;
		if (*s == '\0')
			return names;
		if (*s != '.')
			return 0;
	}
}

static bool
is_module(const char *s)
{
	return dotted(s) > 0;
}

static bool
is_class(const char *s)
{
	return dotted(s) > 1;
}

static bool
is_model(const char *s)
{
	return dotted(s) == 2;
}

/* A folder or file of the tree. */
static bool
is_inside(const char *s)
{
	for (const char *p = s; *p != '\0'; p += *p == '/') {
		size_t n = strcspn(p, "/");
		if (n == 2 && strncmp(p, "..", 2) == 0)
			return false;
		p += n;
	}
	return *s != '/';
}

static bool
each(const char *s, bool (*is)(const char *word))
{
	char word[256];

	while (*s != '\0') {
		s += strspn(s, ", \t");
		size_t n = strcspn(s, ", \t");
		snprintf(word, sizeof(word), "%.*s", (int)n, s);
		if (n >= sizeof(word) || (n > 0 && !is(word)))
			return false;
		s += n;
	}
	return true;
}

/* "shop.0003_orders": a migration's name is a file's. */
static bool
is_migration(const char *s)
{
	size_t n = name_len(s);

	return n > 0 && s[n] == '.' && s[n + 1] != '\0' &&
	    s[n + 1 + strcspn(s + n + 1, "./\\")] == '\0';
}

static bool
are_migrations(const char *s)
{
	return each(s, is_migration);
}

static bool
are_inside(const char *s)
{
	return each(s, is_inside);
}

static bool
is_branch(const char *s)
{
	return *s != '-' && s[strcspn(s, " \t~^:?*[\\")] == '\0' &&
	    !starts_with(s, "refs/");
}

static bool
is_word(const char *s)
{
	return *s != '-' && s[strcspn(s, " \t")] == '\0';
}

static bool
is_socket(const char *s)
{
	return strpbrk(s, "/:") != NULL;
}

static bool
is_absolute(const char *s)
{
	return *s == '/';
}

static const struct {
	enum section in;
	const char *name;
	bool (*is)(const char *value);
	const char *what;
} wants[] = {
	{ S_PROJECT, "root", is_inside, "a folder of the tree, such as . or backend" },
	{ S_PROJECT, "settings", is_module, "a module, such as shop.settings" },
	{ S_PROJECT, "user_model", is_model, "APP.MODEL, such as auth.User" },
	{ S_PROJECT, "auto_field", is_class, "a class with its module, such as django.db.models.BigAutoField" },
	{ S_PROJECT, "base", is_branch, "a branch's name, such as main" },
	{ S_TARGET, "path", is_absolute, "an absolute folder, such as /srv/shop" },
	{ S_TARGET, "user", is_word, "a login name" },
	{ S_TARGET, "haproxy", is_socket, "a path or HOST:PORT" },
	{ S_HOST, "path", is_absolute, "an absolute folder, such as /srv/shop" },
	{ S_HOST, "user", is_word, "a login name" },
	{ S_HOOKS, "exceptions", are_migrations, "APP.MIGRATION, by comma, such as shop.0003_orders" },
	{ S_MAKE, "link", are_inside, "files of the tree, by comma, such as .env" },
};

int
config_value(struct parser *p, enum section in, const char *name,
    const char *value)
{
	if (*value == '\0')
		return config_bad(p, "%s has no value: give it one, or leave "
		    "the line out", name);
	for (size_t i = 0; i < countof(wants); i++)
		if (wants[i].in == in && streq(wants[i].name, name) &&
		    !wants[i].is(value))
			return config_bad(p, "%s = %s: must be %s", name, value,
			    wants[i].what);
	return 0;
}

/* Since 2.0 there are three of each: 5.0, 5.1, 5.2. */
int
config_django(struct parser *p, int *at, const char *value)
{
	int major, minor, n = 0;

	if (sscanf(value, "%2d.%2d%n", &major, &minor, &n) != 2 ||
	    (value[n] != '\0' && value[n] != '.') || minor < 0 ||
	    value[n + strspn(value + n, ".0123456789")] != '\0' ||
	    major < 1 || (major == 1 ? minor < 8 || minor > 11 : minor > 2) ||
	    major * 100 + minor > MAX_DJANGO)
		return config_bad(p, "django = %s: must be one of Django's "
		    "versions, 1.8 to 8.2, such as 5.2", value);
	*at = major * 100 + minor;
	return 0;
}

#include "gate/touch.h"

#include <stddef.h>
#include <string.h>

#include "base/util.h"

/* Is a folder on the way to the file called that, or (if `tail`) something
 * that ends with _ and that? */
static bool
below(const char *path, const char *folder, bool tail)
{
	size_t n = strlen(folder);

	for (const char *p = path, *end; (end = strchr(p, '/')) != NULL;
	    p = end + 1) {
		size_t len = (size_t)(end - p);

		if (len >= n && memcmp(end - n, folder, n) == 0 &&
		    (len == n || (tail && end[-(ptrdiff_t)n - 1] == '_')))
			return true;
	}
	return false;
}

bool
touch_migration(const char *path)
{
	return ends_with(path, ".py") && below(path, "migrations", true);
}

bool
touch_odd(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	/* a folder of git's list is a link or a submodule */
	if (streq(name, "migrations") || ends_with(name, "_migrations"))
		return true;
	if (below(path, "migrations", true))
		return ends_with(name, ".pyc") || ends_with(name, ".so");
	return strspn(name, "0123456789") == 4 && name[4] == '_' &&
	    ends_with(name, ".py");
}

bool
touch_models(const char *path)
{
	return ends_with(path, ".py") && (below(path, "models", false) ||
	    ends_with(path, "/models.py") || streq(path, "models.py"));
}

bool
touch_judged(const char *path)
{
	return touch_migration(path) || touch_odd(path) || touch_models(path);
}

bool
touch_source(const char *path)
{
	return touch_odd(path) || ends_with(path, ".py") ||
	    ends_with(path, ".sql");
}

bool
touch_any(const char *names, size_t len)
{
	const char *end = names + len;

	for (const char *p = names; p < end; p += strlen(p) + 1)
		if (touch_judged(p))
			return true;
	return false;
}

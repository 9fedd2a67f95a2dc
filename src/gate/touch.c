#include "gate/touch.h"

#include <string.h>

#include "base/util.h"

/* Is there a folder of this name on the way to the file? */
static bool
below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	for (const char *p = path; p != NULL; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, folder, n) == 0 && p[n] == '/')
			return true;
	}
	return false;
}

bool
touch_migration(const char *path)
{
	return ends_with(path, ".py") && below(path, "migrations");
}

bool
touch_models(const char *path)
{
	return ends_with(path, ".py") && (below(path, "models") ||
	    ends_with(path, "/models.py") || streq(path, "models.py"));
}

bool
touch_any(const char *names, size_t len)
{
	const char *end = names + len;

	for (const char *p = names; p < end; p += strlen(p) + 1)
		if (touch_migration(p) || touch_models(p))
			return true;
	return false;
}

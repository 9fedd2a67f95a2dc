/* Which paths concern us: migrations, and the modules that models live in. */
#ifndef GATE_TOUCH_H
#define GATE_TOUCH_H

#include <stdbool.h>
#include <stddef.h>

bool touch_migration(const char *path);	/* …/migrations/NAME.py */
/* What stands where a migration would, but cannot be read as one: a link, a
 * compiled one, one whose folder has another name. */
bool touch_odd(const char *path);
bool touch_models(const char *path);	/* …/models.py, …/models/….py */
bool touch_judged(const char *path);	/* one of these */
/* What any of them may be made of: helpers, SQL. */
bool touch_source(const char *path);
/* Any of NUL-separated names? */
bool touch_any(const char *names, size_t len);

#endif

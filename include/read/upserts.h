/* Which models a project's code upserts: a look through its sources, no more. */
#ifndef READ_UPSERTS_H
#define READ_UPSERTS_H

#include "read/source.h"

struct upserts {
	sym *v;			/* sorted; see upserts_find() */
	uint32_t n, cap;
};

/* Adds the names of files below `root` that hold update_conflicts or
 * ON CONFLICT with a target: what is written like a class, and, for SQL, like
 * a table; in lower case. Where update_conflicts is asked of what is no class
 * (self, a variable), its unique_fields: "*name,shop". Migrations and tests are left out: neither serves. */
int upserts_find(struct upserts *out, struct arena *a, struct source *s,
    const char *root, struct err *e);

#endif

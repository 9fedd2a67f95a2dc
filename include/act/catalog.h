/* pg_catalog read into the same tables that the replay makes. */
#ifndef ACT_CATALOG_H
#define ACT_CATALOG_H

#include "act/pg.h"
#include "judge/schema.h"
#include "judge/graph.h"
#include "judge/world.h"

/* Tables of the search path's first schema, those of schema sluice left out. */
int catalog_read(struct vec *out, struct arena *a, struct pg *p,
    struct err *e);
/* Views of the database, and which columns each uses. */
int catalog_views(const struct by_hand **out, struct arena *a, struct pg *p,
    struct err *e);
/* django_migrations; an absent table is an empty set. */
int catalog_applied(struct applied **out, uint32_t *n, struct arena *a,
    struct pg *p, struct err *e);
/* Estimated rows and bytes of a table; -1 unknown. */
int catalog_size(int64_t *rows, int64_t *bytes, struct pg *p,
    const char *table, struct err *e);

#endif

/* SQL text to struct ddl, by PostgreSQL's own parser. */
#ifndef READ_SQL_H
#define READ_SQL_H

#include "base/arena.h"
#include "judge/schema.h"

/* Never fails: what the parser cannot read becomes one DDL_OPAQUE with why. */
void sql_read(struct ddls *out, struct arena *a, const char *text,
    uint32_t line);

#endif

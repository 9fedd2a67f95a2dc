/* What the files of this room share and nobody else needs. */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include "judge/schema.h"
#include "judge/world.h"

/* ---- schema.c ---- */
void cons_sort(struct con *c, uint16_t n);	/* by name */

/* ---- names.c ---- */
/* A name cut to `max` bytes as Django does it: the last characters become a
 * digest. */
sym name_cut(struct arena *a, const char *name, size_t max);
/* "author_id", "_fk_t_author_id" → "t_author_id_d0610981_fk_t_author_id" */
sym name_index(struct arena *a, sym table, const sym *cols, uint32_t n,
    const char *suffix);
sym name_fk(struct arena *a, sym table, sym col, sym to_table, sym to_col);
/* "table_col_label", cut the way PostgreSQL cuts names it makes up. */
sym name_pg(struct arena *a, const char *table, const char *col,
    const char *label);
/* The name PostgreSQL gives a constraint or index that has none. */
sym con_pg_name(struct arena *a, const struct vec *have,
    const struct table *t, const struct con *c);
/* Is the identifier in this SQL text? Swapped for another (NULL stays). */
bool ident_in(sym sql, sym name);
sym ident_swap(struct arena *a, sym sql, sym name, sym to);

#endif

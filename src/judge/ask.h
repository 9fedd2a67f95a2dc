/* What the rooms of the judgement share with each other: fit, conditions, shape. */
#ifndef JUDGE_ASK_H
#define JUDGE_ASK_H

#include "base/strbuf.h"
#include "judge/verdict.h"

/* runs_on that is asked of the same tables again and again: they never change,
 * nor do the answers. */
struct memo {
	struct asked {
		const struct table *want, *have;
		const struct reason *v;
		uint32_t n;
		bool mute;
	} v[64];
};
/* Its answer added to f, if it was asked; kept, from f's place `from` on. No
 * memo: never. */
bool memo_find(struct memo *memo, struct findings *f, struct arena *a,
    const struct table *want, const struct table *have);
void memo_keep(struct memo *memo, const struct findings *f, uint32_t from,
    struct arena *a, const struct table *want, const struct table *have);
void runs_on_memo(struct findings *f, struct arena *a, const struct vec *want,
    const struct vec *have, const struct names *touched,
    const struct settings *s, struct memo *memo);

/* The tables about which code may have come to run otherwise: of a release,
 * and where reasons are already known. */
struct names reach_release(struct arena *a, const struct world *old,
    const struct vec *want, const struct vec *have);
struct names names_sort(sym *v, uint32_t n);	/* each once */
bool names_has(const struct names *n, sym name);
struct names reach_reasons(struct arena *a, const struct findings *f);

/* Does a column of type `have` take every value of type `want`, and give it
 * back as the same kind of thing? NULL: not known, then yes. */
enum degree type_fit(const char *want, const char *have);

/* constant.c: false: PostgreSQL refuses this constant for the type, for sure. */
bool constant_fits(const char *type, const char *sql);
bool divides_by_zero(const char *sql);

/* What a condition may come to: any of these, together. */
enum truth { TRUTH_TRUE = 1, TRUTH_FALSE = 2, TRUTH_NULL = 4 };
#define TRUTH_ANY (TRUTH_TRUE | TRUTH_FALSE | TRUTH_NULL)

/* A condition on rows that the code writes: columns it does not know are
 * NULL or their database default. want NULL: any row. */
unsigned truth_of(const struct con *c, const struct table *want,
    const struct table *have);
unsigned truth_q(const struct value *q, const struct table *want,
    const struct table *have);
unsigned truth_sql(const char *sql, const struct table *want,
    const struct table *have);
/* What else an expression may come to for such a row: any of these. */
enum { EXPR_RAISES = 1, EXPR_NULL = 2 };
unsigned expr_may(const char *sql, const struct table *want,
    const struct table *have);
/* The column that is all of an expression; NULL: there is more to it. */
const struct column *expr_column(const char *sql, const struct table *have);
/* The column of a field in a table of either side. */
const struct column *column_of(const struct table *t, const char *field);
/* Is whatever fulfils `known` sure to fulfil `c`? */
bool check_implied(const struct con *c, const struct con *known);

/* The same constraint, names aside. */
bool con_same(const struct con *x, const struct con *y);
bool cols_subset(const struct con *x, const struct con *y);
bool con_is_unique(const struct con *c);

#endif

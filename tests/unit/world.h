/* Worlds from one line of text a table, for tests by tables:
 *	"shop_order: id bigint! serial, note text?, qty integer! =0 py; "
 *	"pk p(id); unique u(note,qty) where (qty > 0); fk f(c_id>shop_c.id); "
 *	"check k(qty > 0); index i(note)"
 * Types are written with '_' for blanks. '!' NOT NULL, '?' nullable, =x the
 * database's default, `py` a Python default. Tables are parted by '|'. */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "judge/verdict.h"

/* The next piece up to `sep` outside of parentheses, without blanks round it;
 * NULL at the end. */
static inline char *
w_piece(struct arena *a, const char **p, char sep)
{
	const char *s = *p;
	int depth = 0;

	if (s == NULL)
		return NULL;
	while (*s == ' ')
		s++;
	const char *e = s;
	for (; *e != '\0' && (*e != sep || depth > 0); e++)
		depth += (*e == '(') - (*e == ')');
	*p = *e == '\0' ? NULL : e + 1;
	while (e > s && e[-1] == ' ')
		e--;
	char *out = arena_alloc(a, (size_t)(e - s) + 1, 1);
	memcpy(out, s, (size_t)(e - s));
	return out;
}

static inline struct column
w_column(struct arena *a, const char *text, const char *table)
{
	struct column c = { 0 };
	const char *p = text;

	c.name = sym_get(a, w_piece(a, &p, ' '));
	char *type = w_piece(a, &p, ' ');
	size_t n = strlen(type);
	c.notnull = type[n - 1] == '!';
	c.writes_null = !c.notnull;
	type[n - 1] = '\0';
	for (char *t = type; *t != '\0'; t++)
		*t = *t == '_' ? ' ' : *t;
	c.type = streq(type, "unknown") ? NULL : sym_get(a, type);
	c.field = sym_printf(a, "%s.%s", table, c.name);
	for (char *w; (w = w_piece(a, &p, ' ')) != NULL;) {
		if (streq(w, "serial"))
			c.dflt = DFLT_SERIAL;
		else if (streq(w, "generated"))
			c.dflt = DFLT_GENERATED;
		else if (streq(w, "py"))
			c.py_default = true;
		else if (w[0] == '=') {
			c.dflt = strchr(w, '(') != NULL ? DFLT_EXPR : DFLT_CONST;
			c.dflt_sql = sym_get(a, w + 1);
		}
	}
	return c;
}

static inline struct con
w_con(struct arena *a, const char *text)
{
	static const char *const kinds[] = { "pk", "unique", "check", "fk",
	    "exclude", "index" };
	struct con c = { 0 };
	const char *p = text;
	char *kind = w_piece(a, &p, ' '), *name = w_piece(a, &p, ' ');
	char *in = strchr(name, '(');

	for (size_t i = 0; i < countof(kinds); i++)
		if (streq(kinds[i], kind))
			c.kind = (enum con_kind)i;
	c.name = sym_getn(a, name, (size_t)(in - name));
	in++;
	in[strlen(in) - 1] = '\0';
	if (c.kind == CON_CHECK) {
		c.expr = sym_get(a, in);
		return c;
	}
	sym *cols = arena_array(a, sym, 8);
	const char *q = in;
	for (char *col; (col = w_piece(a, &q, ',')) != NULL;) {
		char *to = strchr(col, '>');

		if (to != NULL) {
			*to++ = '\0';
			c.ref_table = sym_getn(a, to, strcspn(to, "."));
			c.ref_col = sym_get(a, strchr(to, '.') + 1);
		}
		cols[c.ncols++] = sym_get(a, col);
	}
	c.cols = cols;
	for (char *w; (w = w_piece(a, &p, ' ')) != NULL;) {
		if (streq(w, "where"))
			c.where = sym_get(a, w_piece(a, &p, ' '));
		else if (streq(w, "cascade"))
			c.on_delete = sym_get(a, "CASCADE");
		else if (streq(w, "notdistinct"))
			c.nulls_equal = true;
		else if (streq(w, "invalid"))
			c.invalid = true;
	}
	return c;
}

static inline int
w_by_name(const void *x, const void *y)
{
	const struct con *a = x, *b = y;

	return strcmp(a->name, b->name);
}

static inline const struct table *
w_table(struct arena *a, const char *text)
{
	struct table *t = arena_make(a, struct table);
	struct column *cols = arena_array(a, struct column, 32);
	struct con *cons = arena_array(a, struct con, 32);
	const char *p = text;

	t->name = sym_get(a, w_piece(a, &p, ':'));
	t->model = sym_printf(a, "m.%s", t->name);
	const char *all = w_piece(a, &p, ';');
	for (char *c; (c = w_piece(a, &all, ',')) != NULL;)
		cols[t->ncols++] = w_column(a, c, t->name);
	for (char *c; (c = w_piece(a, &p, ';')) != NULL;)
		if (c[0] != '\0')
			cons[t->ncons++] = w_con(a, c);
	qsort(cons, t->ncons, sizeof(*cons), w_by_name);
	t->cols = cols;
	t->cons = cons;
	return t;
}

static inline struct vec
w_vec(struct arena *a, const char *text)
{
	struct vec v = { 0 };
	const char *p = text;

	for (char *t; (t = w_piece(a, &p, '|')) != NULL;)
		if (t[0] != '\0')
			v = vec_put(a, v, w_table(a, t));
	return v;
}

#endif

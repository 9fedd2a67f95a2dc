/* Names that Django and PostgreSQL make up, byte for byte. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "judge/judge.h"

#define NAME_MAX_PG 63

/* The first n digits of the MD5 of all parts joined. */
static void
digest(char out[33], size_t n, const sym *parts, uint32_t nparts)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	for (uint32_t i = 0; i < nparts; i++)
		strbuf_str(&b, parts[i]);
	md5_hex(out, b.s, b.len);
	out[n] = '\0';
}

/* Bytes of the first n characters: Python counts characters. */
static size_t
chars(const char *s, size_t n)
{
	size_t i = 0;

	while (s[i] != '\0' && n > 0) {
		i++;
		while (((unsigned char)s[i] & 0xc0) == 0x80)
			i++;
		n--;
	}
	return i;
}

static size_t
length(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

sym
name_cut(struct arena *a, const char *name, size_t max)
{
	if (length(name) <= max)
		return sym_get(a, name);
	char hex[33];
	sym part = name;
	digest(hex, 4, &part, 1);
	return sym_printf(a, "%.*s%s", (int)chars(name, max - 4), name, hex);
}

/* A table name may carry its schema: "s"."t" → t */
static sym
bare(struct arena *a, sym table)
{
	const char *dot = strstr(table, "\".\"");

	if (dot == NULL)
		return table;
	size_t n = strlen(dot + 3);
	return sym_getn(a, dot + 3, n > 0 && dot[2 + n] == '"' ? n - 1 : n);
}

sym
name_index(struct arena *a, sym table, const sym *cols, uint32_t n,
    const char *suffix)
{
	sym t = bare(a, table);
	sym *parts = arena_array(a, sym, n + 1u);
	char hex[33];

	parts[0] = t;
	if (n > 0)
		memcpy(parts + 1, cols, n * sizeof(*parts));
	digest(hex, 8, parts, n + 1);
	struct strbuf all STRBUF_SCOPED = STRBUF_INIT;
	for (uint32_t i = 0; i < n; i++) {
		strbuf_str(&all, i > 0 ? "_" : "");
		strbuf_str(&all, cols[i]);
	}
	size_t max = NAME_MAX_PG, end = 8 + length(suffix);

	if (length(t) + length(all.s) + end + 2 <= max)
		return sym_printf(a, "%s_%s_%s%s", t, all.s, hex, suffix);
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	strbuf_printf(&b, "%s%s", hex, suffix);
	if (end > max / 3) {
		strbuf_cut(&b, chars(b.s, max / 3));
		end = max / 3;
	}
	size_t other = (max - end) / 2 - 1;
	struct strbuf r STRBUF_SCOPED = STRBUF_INIT;
	strbuf_add(&r, t, chars(t, other));
	strbuf_char(&r, '_');
	strbuf_add(&r, all.s, chars(all.s, other));
	strbuf_char(&r, '_');
	strbuf_str(&r, b.s);
	if (r.s[0] == '_' || isdigit((unsigned char)r.s[0]))
		return sym_printf(a, "D%.*s", (int)chars(r.s, length(r.s) - 1),
		    r.s);
	return sym_getn(a, r.s, r.len);
}

sym
name_fk(struct arena *a, sym table, sym col, sym to_table, sym to_col)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

	strbuf_printf(&b, "_fk_%s_%s", bare(a, to_table), to_col);
	return name_index(a, table, &col, 1, b.s);
}

/* mbcliplen: at most n bytes, no character cut in two */
static size_t
clip(const char *s, size_t n)
{
	size_t len = strlen(s);

	if (len <= n)
		return len;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

sym
name_pg(struct arena *a, const char *table, const char *col,
    const char *label)
{
	size_t over = (col != NULL ? 1 : 0) + strlen(label) + 1;
	size_t room = NAME_MAX_PG - over;
	size_t n1 = strlen(table), n2 = col != NULL ? strlen(col) : 0;

	while (n1 + n2 > room) {
		if (n1 > n2)
			n1--;
		else
			n2--;
	}
	n1 = clip(table, n1);
	if (col == NULL)
		return sym_printf(a, "%.*s_%s", (int)n1, table, label);
	n2 = clip(col, n2);
	return sym_printf(a, "%.*s_%.*s_%s", (int)n1, table, (int)n2, col,
	    label);
}

/* As table_con, but nearly always in vain: names of one arena are equal by
 * their pointers. */
static bool
has_con(const struct table *t, sym name)
{
	for (uint16_t i = 0; i < t->ncons; i++)
		if (t->cons[i].name == name)
			return true;
	return false;
}

static bool
taken(const struct vec *have, const struct table *t, sym name)
{
	if (t != NULL && has_con(t, name))
		return true;
	for (uint32_t i = 0; i < have->n; i++)
		if (have->v[i]->name == name || has_con(have->v[i], name))
			return true;
	return false;
}

sym
con_pg_name(struct arena *a, const struct vec *have, const struct table *t,
    const struct con *c)
{
	static const char *const label[] = {
		[CON_PK] = "pkey", [CON_UNIQUE] = "key", [CON_CHECK] = "check",
		[CON_FK] = "fkey", [CON_EXCLUDE] = "excl", [CON_INDEX] = "idx",
	};
	struct strbuf cols STRBUF_SCOPED = STRBUF_INIT;
	uint16_t n = c->kind == CON_PK ||
	    (c->kind == CON_CHECK && c->ncols != 1) ? 0 : c->ncols;

	for (uint16_t i = 0; i < n; i++)
		strbuf_printf(&cols, "%s%s", i > 0 ? "_" : "",
		    c->cols[i] != NULL ? c->cols[i] : "expr");
	sym table = bare(a, t->name);
	const char *mid = n > 0 ? cols.s : NULL;
	sym name = name_pg(a, table, mid, label[c->kind]);
	for (int i = 1; taken(have, t, name); i++) {
		char more[32];

		snprintf(more, sizeof(more), "%s%d", label[c->kind], i);
		name = name_pg(a, table, mid, more);
	}
	return name;
}

static bool
word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' ||
	    (unsigned char)c >= 0x80;
}

/* The next identifier from *p on, outside of literals. NULL: no more. */
static const char *
next_ident(const char **p, size_t *len)
{
	const char *s = *p;

	while (*s != '\0') {
		if (*s == '\'') {
			for (s++; *s != '\0' && *s != '\'';)
				s++;
			s += *s != '\0';
		} else if (*s == '"') {
			const char *from = ++s;

			while (*s != '\0' && *s != '"')
				s++;
			*len = (size_t)(s - from);
			*p = s + (*s != '\0');
			return from;
		} else if (isdigit((unsigned char)*s)) {
			while (word(*s) || *s == '.')
				s++;
		} else if (word(*s)) {
			const char *from = s;

			while (word(*s))
				s++;
			*len = (size_t)(s - from);
			*p = s;
			return from;
		} else {
			s++;
		}
	}
	*p = s;
	return NULL;
}

bool
ident_in(sym sql, sym name)
{
	size_t n = name != NULL ? strlen(name) : 0, len;

	if (sql == NULL || n == 0 || strstr(sql, name) == NULL)
		return false;
	for (const char *s; (s = next_ident(&sql, &len)) != NULL;)
		if (len == n && memcmp(s, name, n) == 0 && *sql != '(')
			return true;
	return false;
}

sym
ident_swap(struct arena *a, sym sql, sym name, sym to)
{
	if (!ident_in(sql, name))
		return sql;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	size_t n = strlen(name), len;
	const char *from = sql;

	for (const char *s; (s = next_ident(&sql, &len)) != NULL;) {
		if (len != n || memcmp(s, name, n) != 0 || *sql == '(')
			continue;
		strbuf_add(&b, from, (size_t)(s - from));
		strbuf_str(&b, to);
		from = s + n;
	}
	strbuf_str(&b, from);
	return sym_getn(a, b.s, b.len);
}

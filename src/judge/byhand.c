/* Views, functions and triggers of RunSQL: what their text names does not go,
 * change its name or its type without them. Read by its words, not parsed. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "judge/judge.h"

static bool
part(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' ||
	    (unsigned char)c >= 0x80;
}

static bool
said(const char *text, const char *word)
{
	size_t n = word == NULL ? 0 : strlen(word);

	for (const char *s = text; n > 0 && (s = strcasestr(s, word)) != NULL;
	    s++)
		if ((s == text || !part(s[-1])) && !part(s[n]))
			return true;
	return false;
}

/* The word after the first of VIEW, FUNCTION, …; *kind is that. */
static sym
object(struct arena *a, const char *sql, const char **kind)
{
	static const char *const kinds[] = { "VIEW", "FUNCTION", "PROCEDURE",
	    "TRIGGER", "RULE" };
	static const char blank[] = " \t\r\n\"";

	for (int i = 0; i < 6 && *sql != '\0'; i++) {
		size_t n = strcspn(sql, blank);

		for (size_t k = 0; k < countof(kinds); k++) {
			if (strlen(kinds[k]) != n ||
			    strncasecmp(kinds[k], sql, n) != 0)
				continue;
			sql += n + strspn(sql + n, blank);
			if (strncasecmp(sql, "IF ", 3) == 0)
				sql += strncasecmp(sql, "IF NOT", 6) == 0 ?
				    14 : 10;
			*kind = kinds[k];
			return sym_getn(a, sql, strcspn(sql, " \t\r\n\"(;"));
		}
		sql += n + strspn(sql + n, blank);
	}
	return NULL;
}

static void
note(struct arena *a, const struct by_hand **list, const struct ddl *d)
{
	const char *kind = NULL;
	bool made = strncasecmp(d->sql, "CREATE", 6) == 0;
	sym name = made || strncasecmp(d->sql, "DROP", 4) == 0 ?
	    object(a, d->sql, &kind) : NULL;

	if (name == NULL)
		return;
	struct by_hand *h = arena_make(a, struct by_hand);
	*h = (struct by_hand){ *list, kind, name, made ? d->sql : NULL };
	*list = h;
}

/* Dropped since? */
static bool
gone(const struct by_hand *list, const struct by_hand *h)
{
	for (; list != h; list = list->next)
		if (list->text == NULL && list->kind == h->kind &&
		    streq(list->name, h->name))
			return true;
	return false;
}

/* A trigger's function says NEW.x, and not of which table. */
static bool
of_table(const struct by_hand *list, const struct by_hand *h, sym table)
{
	if (said(h->text, table))
		return true;
	for (; list != NULL && streq(h->kind, "FUNCTION"); list = list->next)
		if (streq(list->kind, "TRIGGER") && list->text != NULL &&
		    said(list->text, table) &&
		    said(list->text, h->name))
			return true;
	return false;
}

sym
by_hand(struct arena *a, const struct by_hand **list, const struct ddl *d)
{
	bool column = d->kind == DDL_DROP_COLUMN || d->kind == DDL_TYPE ||
	    d->kind == DDL_RENAME_COLUMN;

	if ((d->kind == DDL_OTHER || d->kind == DDL_OPAQUE) && d->sql != NULL)
		note(a, list, d);
	if (!column && d->kind != DDL_DROP_TABLE &&
	    d->kind != DDL_RENAME_TABLE)
		return NULL;
	for (const struct by_hand *h = *list; h != NULL; h = h->next)
		if (h->text != NULL && of_table(*list, h, d->table) &&
		    (!column || said(h->text, d->name) ||
		    strchr(h->text, '*') != NULL) && !gone(*list, h))
			return sym_printf(a, "the %s \"%s\", made by hand, uses "
			    "\"%s\"", streq(h->kind, "VIEW") ? "view" :
			    streq(h->kind, "TRIGGER") ? "trigger" :
			    streq(h->kind, "RULE") ? "rule" : "function",
			    h->name, column ? d->name : d->table);
	return NULL;
}

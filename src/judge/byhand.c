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

/* Known by their addresses. */
static const char *const kinds[] = { "VIEW", "FUNCTION", "PROCEDURE", "TRIGGER",
	"RULE", "DOMAIN" };

/* The word after the first of VIEW, FUNCTION, …; *kind is that. */
static sym
object(struct arena *a, const char *sql, const char **kind)
{
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

const struct by_hand *
by_hand_live(struct arena *a, const struct by_hand *list, sym view, sym uses)
{
	struct by_hand *h = arena_make(a, struct by_hand);

	*h = (struct by_hand){ .next = list, .kind = kinds[0], .name = view,
	    .text = uses, .live = true };
	return h;
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
	*h = (struct by_hand){ *list, kind, name, made ? d->sql : NULL,
	    d->table, false };
	*list = h;
}

/* Without its schema, as PostgreSQL folds it. */
static bool
same_name(const char *x, const char *y)
{
	const char *p = strrchr(x, '.'), *q = strrchr(y, '.');

	return strcasecmp(p != NULL ? p + 1 : x, q != NULL ? q + 1 : y) == 0;
}

/* Dropped or made anew since? A trigger is its table's; "pgtrigger_x_" is one
 * of which the end of the name is not known. */
static bool
gone(const struct by_hand *list, const struct by_hand *h)
{
	bool trigger = streq(h->kind, "TRIGGER");

	for (; list != h; list = list->next) {
		bool same = same_name(list->name, h->name) || (trigger &&
		    starts_with(list->name, "pgtrigger_") &&
		    ends_with(list->name, "_") &&
		    starts_with(h->name, list->name));

		if (list->kind == h->kind && same &&
		    (!trigger || streq(list->table, h->table)))
			return true;
	}
	return false;
}

static bool
of_trigger(const struct by_hand *h)
{
	const char *s = streq(h->kind, "FUNCTION") && h->text != NULL ?
	    strcasestr(h->text, "returns") : NULL;

	if (s == NULL)
		return false;
	s += strlen("returns");
	return strncasecmp(s + strspn(s, " \t\r\n"), "trigger", 7) == 0;
}

/* Does a trigger that is there run it? */
static bool
fired(const struct by_hand *list, const struct by_hand *h)
{
	for (const struct by_hand *t = list; t != NULL; t = t->next)
		if (streq(t->kind, "TRIGGER") && t->text != NULL &&
		    said(t->text, h->name) && !gone(list, t))
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

static const struct by_hand *
function(const struct by_hand *list, sym name)
{
	for (; list != NULL; list = list->next)
		if (streq(list->kind, "FUNCTION") && same_name(list->name, name))
			return list->text != NULL ? list : NULL;
	return NULL;
}

/* RAISE, but of what is only told */
static bool
raises(const char *s)
{
	static const char *const told[] = { "NOTICE", "INFO", "LOG", "DEBUG",
	    "WARNING" };

	for (; (s = strcasestr(s, "raise")) != NULL; s++) {
		const char *level = s + 5 + strspn(s + 5, " \t\r\n");
		bool fine = part(s[5]);

		for (size_t i = 0; i < countof(told) && !fine; i++)
			fine = strncasecmp(level, told[i],
			    strlen(told[i])) == 0;
		if (!fine)
			return true;
	}
	return false;
}

/* The next word, lower or upper, and what follows it; NULL: another. */
static const char *
word_next(const char *s, const char *word)
{
	size_t n = strlen(word);

	s += strspn(s, " \t\r\n");
	return strncasecmp(s, word, n) == 0 && !part(s[n]) ? s + n : NULL;
}

/* A body that does nothing but let the row through. */
static bool
lets_through(const char *text, const char *trigger)
{
	bool before = said(trigger, "BEFORE") || said(trigger, "INSTEAD");
	bool gone = said(trigger, "DELETE");
	static const char *const rows[] = { "NEW", "OLD", "NULL" };
	const char *s = strcasestr(text, "BEGIN"), *after = NULL;
	const char *p = s;

	while (p != NULL && p > text && strchr(" \t\r\n", p[-1]) != NULL)
		p--;
	if (p == NULL || p == text || strchr("$'", p[-1]) == NULL ||
	    (s = word_next(s, "BEGIN")) == NULL ||
	    (s = word_next(s, "RETURN")) == NULL)
		return false;
	size_t row = 0;
	while (row < countof(rows) && after == NULL)
		after = word_next(s, rows[row++]);
	if (after == NULL || (before && (gone ? row != 2 || said(trigger,
	    "INSERT") || said(trigger, "UPDATE") : row != 1)))
		return false;
	after += strspn(after, " \t\r\n");
	if (*after != ';' || (after = word_next(after + 1, "END")) == NULL)
		return false;
	after += strspn(after, " \t\r\n;");
	return *after == '$' || *after == '\'';
}

/* A function that a trigger runs already, with another body. */
static sym
made_anew(struct arena *a, const struct by_hand *list, const struct ddl *d)
{
	const char *kind = NULL;
	sym name = (d->kind == DDL_OTHER || d->kind == DDL_OPAQUE) &&
	    d->sql != NULL && strncasecmp(d->sql, "CREATE", 6) == 0 ?
	    object(a, d->sql, &kind) : NULL;

	if (name == NULL || !streq(kind, "FUNCTION"))
		return NULL;
	for (const struct by_hand *t = list; t != NULL; t = t->next)
		if (streq(t->kind, "TRIGGER") && t->text != NULL &&
		    said(t->text, name) && !gone(list, t) &&
		    !lets_through(d->sql, t->text))
			return sym_printf(a, "the function \"%s\", which the "
			    "trigger \"%s\" runs, is made anew", name,
			    t->name);
	return NULL;
}

sym
by_hand_odd(struct arena *a, const struct by_hand *list, const struct ddl *d)
{
	const struct by_hand *f;
	const char *why = NULL;

	if (d->kind != DDL_OTHER || d->to == NULL)
		return made_anew(a, list, d);
	if (starts_with(d->to, "tsvector_update_trigger"))
		return NULL;
	if ((f = function(list, d->to)) == NULL)
		return sym_printf(a, "the function \"%s\" that the trigger "
		    "\"%s\" runs is not in the migrations", d->to, d->name);
	bool before = said(d->sql, "BEFORE") || said(d->sql, "INSTEAD");
	const char *none = before ? strcasestr(f->text, "return null") : NULL;
	if (!said(f->text, "plpgsql"))
		why = "is not in PL/pgSQL";
	else if (raises(f->text))
		why = "may refuse what code writes (RAISE)";
	else if (said(f->text, "EXECUTE"))
		why = "runs SQL that it puts together";
	else if (none != NULL)
		why = "may leave out what code writes (RETURN NULL)";
	else if (!lets_through(f->text, d->sql))
		why = "is code of its own, which runs with each write";
	return why == NULL ? NULL : sym_printf(a, "the function \"%s\" of the "
	    "trigger \"%s\" %s", d->to, d->name, why);
}

bool
by_hand_unused(struct arena *a, const struct by_hand *list,
    const struct ddl *d)
{
	const char *kind = NULL;
	sym name = d->kind == DDL_OPAQUE && d->sql != NULL &&
	    strncasecmp(d->sql, "DROP", 4) == 0 &&
	    strpbrk(d->sql, ",") == NULL && !said(d->sql, "CASCADE") ?
	    object(a, d->sql, &kind) : NULL;
	const struct by_hand *f = name != NULL && streq(kind, "FUNCTION") ?
	    function(list, name) : NULL;

	return f != NULL && of_trigger(f);
}

bool
by_hand_free(const struct by_hand *list, const struct by_hand *h)
{
	return !streq(h->kind, "VIEW") && (gone(list, h) || (of_trigger(h) &&
	    !fired(list, h)));
}

/* Does the text make a domain of that name that does not take every value? */
static bool
refuses(const char *sql, sym name, sym type)
{
	return same_name(name, type) && (strcasestr(sql, "CHECK") != NULL ||
	    strcasestr(sql, "NOT NULL") != NULL);
}

bool
by_hand_domain(struct arena *a, const struct by_hand *list,
    const struct ddl *before, uint32_t n, sym type)
{
	const char *kind = NULL;

	for (uint32_t i = 0; type != NULL && i < n; i++) {
		sym name = before[i].kind != DDL_OTHER ||
		    before[i].sql == NULL ||
		    strcasestr(before[i].sql, "DOMAIN") == NULL ? NULL :
		    object(a, before[i].sql, &kind);

		if (name != NULL && streq(kind, "DOMAIN") &&
		    refuses(before[i].sql, name, type))
			return true;
	}
	for (; type != NULL && list != NULL; list = list->next)
		if (streq(list->kind, "DOMAIN") && list->text != NULL &&
		    refuses(list->text, list->name, type))
			return true;
	return false;
}

sym
by_hand(struct arena *a, const struct by_hand **list, const struct ddl *d,
    const struct by_hand **who)
{
	bool column = d->kind == DDL_DROP_COLUMN || d->kind == DDL_TYPE ||
	    d->kind == DDL_RENAME_COLUMN;

	if ((d->kind == DDL_OTHER || d->kind == DDL_OPAQUE) && d->sql != NULL)
		note(a, list, d);
	if ((d->kind == DDL_ADD_COLUMN || d->kind == DDL_TYPE) &&
	    d->col != NULL && by_hand_domain(a, *list, NULL, 0, d->col->type))
		return sym_printf(a, "the domain \"%s\", made by hand, may "
		    "refuse what code writes", d->col->type);
	if (!column && d->kind != DDL_DROP_TABLE &&
	    d->kind != DDL_RENAME_TABLE)
		return NULL;
	for (const struct by_hand *h = *list; h != NULL; h = h->next) {
		if (h->text == NULL || streq(h->kind, "DOMAIN") || !of_table(*list, h, d->table) ||
		    (column && !said(h->text, d->name) &&
		    strchr(h->text, '*') == NULL) || gone(*list, h) ||
		    (of_trigger(h) && !fired(*list, h)))
			continue;
		*who = h;
		return sym_printf(a, "the %s \"%s\", made by hand, uses \"%s\"",
		    streq(h->kind, "VIEW") ? "view" :
		    streq(h->kind, "TRIGGER") ? "trigger" :
		    streq(h->kind, "RULE") ? "rule" : "function", h->name,
		    column ? d->name : d->table);
	}
	return NULL;
}

/* Its full name ends in a digest: pgtrigger_<name>_1a2b3. */
void
by_hand_remove(struct lower *l)
{
	const struct model *m = models_find(l->from.models, sym_printf(l->a,
	    "%s.%s", l->app, l->op->model));

	if (m == NULL)
		return;
	sym t = model_table(&l->from, m);
	sym name = sym_printf(l->a, "pgtrigger_%s_", l->op->name);
	emit(l, (struct ddl){ .kind = DDL_OTHER, .table = t, .name = name,
	    .lock = l->back ? "SHARE ROW EXCLUSIVE" : "ACCESS EXCLUSIVE",
	    .sql = arena_printf(l->a, "%s TRIGGER %s ON \"%s\"", l->back ?
	    "CREATE" : "DROP", name, t) });
}

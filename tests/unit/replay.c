/* The replay of a folder, told in lines for tests/replay.t:
 *
 *	replay DIR [CONNINFO]	statements forth and back as Django emits them,
 *				then how models, replay and catalogue differ
 *
 * Without arguments: TAP over small worlds. */
#include "tap.h"

#include <stdlib.h>

#include "act/catalog.h"
#include "act/pg.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "judge/code.h"
#include "judge/graph.h"
#include "read/source.h"

static struct arena *a;
static int differ;

static void
flat(const char *s)
{
	for (; *s != '\0'; s++)
		putchar(*s == '\n' ? ' ' : *s);
	putchar('\n');
}

static void
statements(const struct moved *m, const char *way, const struct ddls *d,
    bool deferred)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (d->v[i].sql != NULL && d->v[i].deferred == deferred) {
			printf("%s.%s %s ", m->m->app, m->m->name, way);
			flat(d->v[i].sql);
		}
}

static void
tell(const struct moved *m)
{
	for (uint32_t i = 0; i < m->nchanges; i++)
		statements(m, "fwd", &m->changes[i].fwd, false);
	for (uint32_t i = 0; i < m->nchanges; i++)
		statements(m, "fwd", &m->changes[i].fwd, true);
	for (uint32_t i = m->nchanges; i > 0; i--)
		statements(m, "rev", &m->changes[i - 1].rev, false);
	for (uint32_t i = m->nchanges; i > 0; i--)
		statements(m, "rev", &m->changes[i - 1].rev, true);
	for (uint32_t i = 0; i < m->nchanges; i++)
		if (m->changes[i].why != OPAQUE_NOT)
			printf("# opaque %s.%s:%u: %d %s\n", m->m->app,
			    m->m->name, m->changes[i].op->line,
			    m->changes[i].why, m->changes[i].note != NULL ?
			    m->changes[i].note : "");
	for (uint32_t i = 0; i < m->nchanges; i++)
		if (m->changes[i].rev_why != OPAQUE_NOT)
			printf("# opaque back %s.%s:%u: %d %s\n", m->m->app,
			    m->m->name, m->changes[i].op->line,
			    m->changes[i].rev_why,
			    m->changes[i].rev_note != NULL ?
			    m->changes[i].rev_note : "");
}

static void __attribute__((format(printf, 1, 2)))
diff(const char *fmt, ...)
{
	va_list ap;

	differ++;
	fputs("# differs: ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static const char *
text(const char *s)
{
	return s != NULL ? s : "-";
}

static void
diff_columns(const char *what, const struct table *x, const struct table *y)
{
	for (uint16_t i = 0; i < x->ncols; i++) {
		const struct column *p = &x->cols[i];
		const struct column *q = table_col(y, p->name);

		if (q == NULL)
			diff("%s %s.%s is not there", what, x->name, p->name);
		else if (!streq(p->type, q->type) || p->notnull != q->notnull ||
		    p->dflt != q->dflt || !streq(p->collation, q->collation))
			diff("%s %s.%s: %s %d %d %s, %s %d %d %s", what,
			    x->name, p->name, text(p->type), p->notnull,
			    p->dflt, text(p->collation), text(q->type),
			    q->notnull, q->dflt, text(q->collation));
	}
	for (uint16_t i = 0; i < y->ncols; i++)
		if (table_col(x, y->cols[i].name) == NULL)
			diff("%s %s.%s is too much", what, x->name,
			    y->cols[i].name);
}

static bool
same_con(const struct con *p, const struct con *q, bool names)
{
	if (p->kind != q->kind || (names && !streq(p->name, q->name)))
		return false;
	if (names && (p->kind == CON_CHECK || p->kind == CON_EXCLUDE))
		return true;
	if (p->ncols != q->ncols || !streq(p->ref_table, q->ref_table) ||
	    !streq(p->ref_col, q->ref_col) || (p->where != NULL) !=
	    (q->where != NULL) || p->ninclude != q->ninclude ||
	    p->deferrable != q->deferrable || !streq(p->method != NULL ?
	    p->method : "btree", q->method != NULL ? q->method : "btree") ||
	    !streq(p->opclass, q->opclass) || p->nulls_equal != q->nulls_equal)
		return false;
	for (uint16_t i = 0; i < p->ncols; i++)
		if (!streq(p->cols[i], q->cols[i]))
			return false;
	return true;
}

static void
diff_cons(const char *what, const struct table *x, const struct table *y,
    const char *how, bool want)
{
	for (uint16_t i = 0; i < x->ncons; i++) {
		const struct con *p = &x->cons[i];
		bool found = false;

		for (uint16_t k = 0; k < y->ncons && !found; k++)
			found = same_con(p, &y->cons[k], !want ||
			    (!p->generated && !y->cons[k].generated));
		if (!found)
			diff("%s %s: %s %s (kind %d, on %s) %s", what, x->name,
			    how, text(p->name), p->kind, p->ncols > 0 ?
			    text(p->cols[0]) : "-", text(p->opclass));
	}
}

static void
diff_vecs(const char *what, const struct vec *x, const struct vec *y,
    bool want)
{
	for (uint32_t i = 0; i < x->n; i++) {
		const struct table *p = x->v[i];
		const struct table *q = vec_find(y, p->name);

		if (q == NULL) {
			diff("%s table %s is not there", what, p->name);
			continue;
		}
		diff_columns(what, p, q);
		diff_cons(what, p, q, "only the first has", want);
		diff_cons(what, q, p, "only the second has", want);
	}
	for (uint32_t i = 0; i < y->n; i++)
		if (vec_find(x, y->v[i]->name) == NULL &&
		    strcmp(y->v[i]->name, "django_migrations") != 0)
			diff("%s table %s is too much", what, y->v[i]->name);
}

static int
replay(const char *dir, const char *conninfo)
{
	struct err e = ERR_INIT;
	struct source *src;
	struct cfg_project p = { .name = "", .root = "." };
	struct migrations all = { 0 };
	struct settings s = { .django = 502, .server = 15,
		.auto_field = "BigAutoField" };
	struct graph g;
	struct replay r;

	s.user_model = getenv("USER_MODEL");
	if (getenv("DJANGO") != NULL)
		s.django = (int)strtol(getenv("DJANGO"), NULL, 10);
	if (source_folder(&src, dir, &e) < 0 ||
	    source_migrations(&all, a, src, &p, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 3;
	}
	for (uint32_t i = 0; i < all.nunread; i++)
		diff("unread %s: %s", all.unread[i].path, all.unread[i].why);
	graph_build(&g, a, all.v, all.n, NULL, 0, &s);
	for (uint32_t i = 0; i < g.nwrong; i++)
		diff("%s", g.wrong[i].text);
	replay_run(&r, a, g.order, g.n, &s);
	for (uint32_t i = 0; i < r.n; i++)
		tell(&r.v[i]);
	diff_vecs("want and have:", &r.end.want, &r.end.have, true);
	struct vec whole = world_want(&r.end.models, &s, a);
	diff_vecs("want anew:", &r.end.want, &whole, false);
	if (conninfo != NULL) {
		struct vec live;
		struct pg *pg;

		if (pg_open(&pg, conninfo, "test", 5000, &e) < 0 ||
		    catalog_read(&live, a, pg, &e) < 0) {
			fprintf(stderr, "%s\n", e.msg);
			return 3;
		}
		diff_vecs("have and catalogue:", &r.end.have, &live, false);
		pg_free(pg);
	}
	printf("# %u migrations, %u tables, %d differences, %zu kB\n", r.n,
	    r.end.want.n, differ, arena_used(a) / 1024);
	source_free(src);
	return differ != 0;
}

int
main(int argc, char **argv)
{
	a = arena_new();
	if (argc > 1) {
		int code = replay(argv[1], argc > 2 ? argv[2] : NULL);

		arena_free(a);
		return code;
	}
	arena_free(a);
	return done_testing();
}

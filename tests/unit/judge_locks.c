/* Locks, rows and fixes of one migration: tables before and after it. */
#include "tap.h"
#include "moves.h"

#define PC "p: id bigint! serial; pk pp(id)|"

static const struct {
	const char *name, *old, *new;
	const char *locks;	/* "table lock code;" in their order */
	const char *rows;	/* queries, "!" before one that old code undoes */
} cases[] = {
	{ "new table", "t: n integer!", "t: n integer!|u: n integer!", "", "" },
	{ "new table with a foreign key", PC, PC "c: p_id bigint!; fk f(p_id>p.id)",
	  "p SHARE ROW EXCLUSIVE locks-parent;", "" },
	{ "table dropped", PC "c: p_id bigint!; fk f(p_id>p.id)", PC,
	  "c ACCESS EXCLUSIVE -;p ACCESS EXCLUSIVE locks-parent;", "" },
	{ "nullable column", "t: n integer!", "t: n integer!, m text?",
	  "t ACCESS EXCLUSIVE -;", "" },
	{ "constant default", "t: n integer!", "t: n integer!, m text! =''",
	  "t ACCESS EXCLUSIVE -;", "" },
	{ "stable default", "t: n integer!", "t: n integer!, m text! =now()",
	  "t ACCESS EXCLUSIVE -;", "" },
	{ "volatile default", "t: n integer!", "t: n integer!, m uuid! =gen_random_uuid()",
	  "t ACCESS EXCLUSIVE rewrite;", "" },
	{ "generated", "t: n integer!", "t: n integer!, m text? generated",
	  "t ACCESS EXCLUSIVE rewrite;", "" },
	{ "NOT NULL without a default", "t: n integer!", "t: n integer!, m text!",
	  "t ACCESS EXCLUSIVE -;", "!SELECT count(*) FROM \"t\";" },
	{ "NOT NULL", "t: n integer?", "t: n integer!",
	  "t ACCESS EXCLUSIVE scan-locks;",
	  "!SELECT count(*) FROM \"t\" WHERE \"n\" IS NULL;" },
	{ "NOT NULL that a check proves", "t: n integer?; check k(n IS NOT NULL)",
	  "t: n integer!; check k(n IS NOT NULL)", "t ACCESS EXCLUSIVE -;",
	  "!SELECT count(*) FROM \"t\" WHERE \"n\" IS NULL;" },
	{ "NOT NULL that a wider check proves",
	  "t: n integer?; check k((n IS NOT NULL) AND (n > 0))",
	  "t: n integer!; check k((n IS NOT NULL) AND (n > 0))",
	  "t ACCESS EXCLUSIVE -;", "!SELECT count(*) FROM \"t\" WHERE \"n\" IS NULL;" },
	{ "NOT NULL beside a check of something else",
	  "t: n integer?; check k(n > 0)", "t: n integer!; check k(n > 0)",
	  "t ACCESS EXCLUSIVE scan-locks;", "!SELECT count(*) FROM \"t\" WHERE \"n\" IS NULL;" },
	{ "wider", "t: n character_varying(5)!", "t: n character_varying(9)!",
	  "t ACCESS EXCLUSIVE -;", "" },
	{ "to text", "t: n character_varying(5)!", "t: n text!",
	  "t ACCESS EXCLUSIVE -;", "" },
	{ "narrower", "t: n character_varying(9)!", "t: n character_varying(5)!",
	  "t ACCESS EXCLUSIVE rewrite;",
	  "!SELECT count(*) FROM \"t\" WHERE length(\"n\"::text) > 5;" },
	{ "int to bigint", "t: n integer!", "t: n bigint!",
	  "t ACCESS EXCLUSIVE rewrite;", "" },
	{ "bigint to int", "t: n bigint!", "t: n integer!",
	  "t ACCESS EXCLUSIVE rewrite;",
	  "!SELECT count(*) FROM \"t\" WHERE \"n\" NOT BETWEEN -2147483648 AND 2147483647;" },
	{ "numeric, more digits", "t: n numeric(10,2)!", "t: n numeric(12,2)!",
	  "t ACCESS EXCLUSIVE -;", "" },
	{ "numeric, other scale", "t: n numeric(10,2)!", "t: n numeric(12,3)!",
	  "t ACCESS EXCLUSIVE rewrite;", "" },
	{ "numeric, fewer digits", "t: n numeric(12,2)!", "t: n numeric(10,2)!",
	  "t ACCESS EXCLUSIVE rewrite;",
	  "!SELECT count(*) FROM \"t\" WHERE abs(\"n\") >= 10::numeric ^ 8;" },
	{ "index", "t: n integer!", "t: n integer!; index i(n)",
	  "t SHARE index-blocks-writes;", "" },
	{ "index dropped", "t: n integer!; index i(n)", "t: n integer!",
	  "t ACCESS EXCLUSIVE -;", "" },
	{ "unique", "t: n integer!", "t: n integer!; unique u(n)",
	  "t ACCESS EXCLUSIVE index-locks;",
	  "!SELECT count(*) FROM (SELECT 1 FROM \"t\" WHERE \"n\" IS NOT NULL GROUP BY \"n\" HAVING count(*) > 1) AS twice;" },
	{ "partial unique", "t: n integer!, m integer!", "t: n integer!, m integer!; unique u(n,m) where (m>0)",
	  "t SHARE index-blocks-writes;",
	  "!SELECT count(*) FROM (SELECT 1 FROM \"t\" WHERE ((m>0)) AND \"n\" IS NOT NULL AND \"m\" IS NOT NULL GROUP BY \"n\", \"m\" HAVING count(*) > 1) AS twice;" },
	{ "check", "t: n integer!", "t: n integer!; check k(n > 0)",
	  "t ACCESS EXCLUSIVE scan-locks;",
	  "!SELECT count(*) FROM \"t\" WHERE NOT (n > 0);" },
	{ "foreign key", PC "c: p_id bigint!", PC "c: p_id bigint!; fk f(p_id>p.id)",
	  "c SHARE ROW EXCLUSIVE fk-validates;p SHARE ROW EXCLUSIVE fk-validates;",
	  "!SELECT count(*) FROM \"c\" AS child WHERE child.\"p_id\" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM \"p\" AS parent WHERE parent.\"id\" = child.\"p_id\");" },
	{ "foreign key on a new nullable column", PC "c: n integer!",
	  PC "c: n integer!, p_id bigint?; fk f(p_id>p.id)",
	  "c ACCESS EXCLUSIVE -;c SHARE ROW EXCLUSIVE -;p SHARE ROW EXCLUSIVE locks-parent;", "" },
	{ "foreign key and its index on a new column", PC "c: n integer!",
	  PC "c: n integer!, p_id bigint?; fk f(p_id>p.id); index i(p_id)",
	  "c ACCESS EXCLUSIVE -;c SHARE ROW EXCLUSIVE -;p SHARE ROW EXCLUSIVE locks-parent;"
	  "c SHARE index-blocks-writes;c  lock-held;p  lock-held;", "" },
	{ "foreign key dropped", PC "c: p_id bigint!; fk f(p_id>p.id)", PC "c: p_id bigint!",
	  "c ACCESS EXCLUSIVE -;p ACCESS EXCLUSIVE locks-parent;", "" },
	{ "foreign key dropped and added again", PC "c: p_id bigint!; fk f(p_id>p.id)",
	  PC "c: p_id bigint?; fk g(p_id>p.id)",
	  "c ACCESS EXCLUSIVE -;p ACCESS EXCLUSIVE locks-parent;"
	  "c SHARE ROW EXCLUSIVE fk-revalidates;p SHARE ROW EXCLUSIVE fk-revalidates;c  lock-held;p  lock-held;", "" },
	{ "default of a function nobody knows", "t: n integer!", "t: n integer!, m text! =stamp()",
	  "t ACCESS EXCLUSIVE rewrite;", "" },
	{ "character is padded", "t: n character(5)!", "t: n character(9)!",
	  "t ACCESS EXCLUSIVE rewrite;", "" },
	{ "array of wider ones", "t: n character_varying(5)[]!", "t: n character_varying(9)[]!",
	  "t ACCESS EXCLUSIVE rewrite;", "" },
	{ "wider, named by a check", "t: n character_varying(5)!; check k(n > 'a')",
	  "t: n character_varying(9)!; check k(n > 'a')",
	  "t ACCESS EXCLUSIVE -;t ACCESS EXCLUSIVE scan-locks;", "" },
	{ "wider, in a partial index", "t: n character_varying(5)!; unique u(n) where (n > 'a')",
	  "t: n character_varying(9)!; unique u(n) where (n > 'a')",
	  "t ACCESS EXCLUSIVE -;t ACCESS EXCLUSIVE index-locks;", "" },
	{ "wider, plain index", "t: n character_varying(5)!; index u(n)",
	  "t: n character_varying(9)!; index u(n)", "t ACCESS EXCLUSIVE -;", "" },
	{ "another table waits for the index", "t: n integer!|u: n integer!", "t: n integer!, m text?|u: n integer!; index i(n)",
	  "t ACCESS EXCLUSIVE -;u SHARE index-blocks-writes;t  lock-held;", "" },
};

static const struct {
	const char *name, *old, *new, *locks;
} backs[] = {
	{ "table back", PC, PC "c: p_id bigint!; fk f(p_id>p.id)",
	  "c ACCESS EXCLUSIVE -;p ACCESS EXCLUSIVE locks-parent;" },
	{ "dropped table back", PC "c: p_id bigint!; fk f(p_id>p.id)", PC,
	  "p SHARE ROW EXCLUSIVE locks-parent;" },
	{ "dropped index back", "t: n integer!; index i(n)", "t: n integer!",
	  "t SHARE index-blocks-writes;" },
	{ "null back to not null", "t: n integer!", "t: n integer?",
	  "t ACCESS EXCLUSIVE scan-locks;" },
};

static void
ways_back(const struct settings *s)
{
	for (size_t i = 0; i < countof(backs); i++) {
		struct arena *a = arena_new();
		struct judgement j;
		struct strbuf locks STRBUF_SCOPED = STRBUF_INIT;
		struct release r = { .n = 1 };

		r.old.have = r.old.want = w_vec(a, backs[i].old);
		r.new.have = r.new.want = w_vec(a, backs[i].new);
		const struct moved *v[] = { m_move(a, "a.1", NULL, &r.old,
		    r.new.want, r.new.have) };
		r.v = v;
		judge_release(&j, a, &r, s);
		for (uint32_t k = 0; k < j.v[0].nback; k++)
			strbuf_printf(&locks, "%s %s %s;",
			    j.v[0].back[k].table, j.v[0].back[k].lock,
			    j.v[0].back[k].code == NULL ? "-" :
			    j.v[0].back[k].code);
		is(locks.s, backs[i].locks, backs[i].name);
		arena_free(a);
	}
}

int
main(void)
{
	struct settings s = { .django = 502, .server = 15 };

	for (size_t i = 0; i < countof(cases); i++) {
		struct arena *a = arena_new();
		struct judgement j;
		struct strbuf locks STRBUF_SCOPED = STRBUF_INIT;
		struct strbuf rows STRBUF_SCOPED = STRBUF_INIT;
		struct release r = { 0 };

		r.old.have = r.old.want = w_vec(a, cases[i].old);
		r.new.have = r.new.want = w_vec(a, cases[i].new);
		struct moved *m = m_move(a, "a.1", NULL, &r.old, r.new.want,
		    r.new.have);
		union { const struct migration *in; struct migration *out; } u =
		    { m->m };
		u.out->atomic = true;
		const struct moved *v[] = { m };
		r.v = v;
		r.n = 1;
		judge_release(&j, a, &r, &s);
		for (uint32_t k = 0; k < j.v[0].nhazards; k++)
			strbuf_printf(&locks, "%s %s %s;",
			    j.v[0].hazards[k].table, j.v[0].hazards[k].lock,
			    j.v[0].hazards[k].code == NULL ? "-" :
			    j.v[0].hazards[k].code);
		for (uint32_t k = 0; k < j.v[0].nrows; k++)
			strbuf_printf(&rows, "%s%s;",
			    j.v[0].rows[k].old_code_violates ? "!" : "",
			    j.v[0].rows[k].query);
		is(locks.s, cases[i].locks, cases[i].name);
		is(rows.s, cases[i].rows, sym_printf(a, "%s: rows",
		    cases[i].name));
		arena_free(a);
	}
	ways_back(&s);
	return done_testing();
}

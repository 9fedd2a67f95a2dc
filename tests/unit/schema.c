/* judge/schema: statements applied to tables, and the names that are made up. */
#include "tap.h"

#include "base/util.h"
#include "judge/judge.h"

static struct arena *a;

static sym
S(const char *s)
{
	return sym_get(a, s);
}

static struct con
con(enum con_kind kind, const char *name, const char *col)
{
	sym *cols = arena_array(a, sym, 1);

	cols[0] = S(col);
	return (struct con){ .kind = kind, .name = S(name), .cols = cols,
		.ncols = 1 };
}

static struct vec
two_tables(void)
{
	struct vec v = { 0 };
	struct column *c = arena_array(a, struct column, 3);
	struct con *k = arena_array(a, struct con, 3);
	struct table *t = arena_make(a, struct table);

	c[0] = (struct column){ .name = S("id"), .type = S("bigint"),
		.notnull = true };
	c[1] = (struct column){ .name = S("name"), .type = S("text") };
	k[0] = con(CON_PK, "author_pkey", "id");
	*t = (struct table){ .name = S("author"), .cols = c, .ncols = 2,
		.cons = k, .ncons = 1 };
	v = vec_put(a, v, t);
	c = arena_array(a, struct column, 3);
	k = arena_array(a, struct con, 3);
	t = arena_make(a, struct table);
	c[0] = (struct column){ .name = S("id"), .type = S("bigint") };
	c[1] = (struct column){ .name = S("author_id"), .type = S("bigint") };
	c[2] = (struct column){ .name = S("n"), .type = S("integer") };
	k[0] = con(CON_CHECK, "book_check", "n");
	k[0].expr = S("((n > 0) AND ('n' <> ''))");
	k[1] = con(CON_FK, "book_fk", "author_id");
	k[1].ref_table = S("author");
	k[1].ref_col = S("id");
	k[2] = con(CON_INDEX, "book_n", "n");
	*t = (struct table){ .name = S("book"), .cols = c, .ncols = 3,
		.cons = k, .ncons = 3 };
	return vec_put(a, v, t);
}

static sym
apply(struct vec *v, struct ddl d)
{
	sym missing;

	schema_apply(a, v, &d, &missing);
	return missing;
}

static void
test_apply(void)
{
	struct vec v0 = two_tables(), v = v0;
	const struct table *t;

	is(apply(&v, (struct ddl){ .kind = DDL_RENAME_TABLE,
	    .table = S("author"), .to = S("writer") }), NULL, "renamed");
	ok(vec_find(&v, S("author")) == NULL && vec_find(&v, S("writer")),
	    "under the new name only");
	t = vec_find(&v, S("book"));
	is(table_con(t, S("book_fk"))->ref_table, "writer",
	    "a foreign key follows its table");
	is(table_con(vec_find(&v0, S("book")), S("book_fk"))->ref_table,
	    "author", "the old state is as it was");
	is(apply(&v, (struct ddl){ .kind = DDL_RENAME_TABLE,
	    .table = S("author_id_seq"), .to = S("writer_id_seq") }), NULL,
	    "ALTER TABLE of a sequence");
	is(apply(&v, (struct ddl){ .kind = DDL_RENAME_TABLE,
	    .table = S("gone"), .to = S("writer_id_seq") }),
	    "table \"gone\" is not there", "but not of anything else");
	struct names n = vec_touched(a, &v0, &v);
	is_int(n.n, 3, "touched: author, book, writer");
	const sym moved[] = { S("author"), S("writer") };
	struct names of = { moved, 2 };
	struct vec mix = vec_mixed(a, &v, &v0, &of);
	ok(mix.n == v.n && vec_find(&mix, S("writer")) == NULL &&
	    vec_find(&mix, S("author")) == vec_find(&v0, S("author")),
	    "mixed: the named tables as they were, or not there");
	ok(vec_find(&mix, S("book")) == vec_find(&v, S("book")),
	    "mixed: the others as they are");

	apply(&v, (struct ddl){ .kind = DDL_RENAME_COLUMN, .table = S("writer"),
	    .name = S("id"), .to = S("pk") });
	t = vec_find(&v, S("book"));
	is(table_con(t, S("book_fk"))->ref_col, "pk", "and its column");
	apply(&v, (struct ddl){ .kind = DDL_RENAME_COLUMN, .table = S("book"),
	    .name = S("n"), .to = S("m") });
	t = vec_find(&v, S("book"));
	is(table_con(t, S("book_check"))->expr, "((m > 0) AND ('n' <> ''))",
	    "a check speaks of the new name, literals are left");
	is(table_con(t, S("book_n"))->cols[0], "m", "an index too");

	apply(&v, (struct ddl){ .kind = DDL_DROP_COLUMN, .table = S("book"),
	    .name = S("m"), .cascade = true });
	t = vec_find(&v, S("book"));
	is_int(t->ncols, 2, "a column less");
	is_int(t->ncons, 1, "its check and index went with it");
	apply(&v, (struct ddl){ .kind = DDL_DROP_TABLE, .table = S("writer"),
	    .cascade = true });
	t = vec_find(&v, S("book"));
	is_int(t->ncons, 0, "DROP TABLE CASCADE takes the foreign key along");
}

static void
test_missing(void)
{
	struct vec v = two_tables();

	is(apply(&v, (struct ddl){ .kind = DDL_DROP_COLUMN, .table = S("x"),
	    .name = S("n") }), "table \"x\" is not there", "no such table");
	is(apply(&v, (struct ddl){ .kind = DDL_SET_NOT_NULL,
	    .table = S("book"), .name = S("zz") }),
	    "table \"book\" has no column \"zz\"", "no such column");
	is(apply(&v, (struct ddl){ .kind = DDL_DROP_CON, .table = S("book"),
	    .name = S("zz") }),
	    "table \"book\" has no constraint or index \"zz\"",
	    "no such constraint");
	is(apply(&v, (struct ddl){ .kind = DDL_DROP_CON, .name = S("zz"),
	    .if_exists = true }), NULL, "IF EXISTS says nothing");
	is(apply(&v, (struct ddl){ .kind = DDL_DROP_CON,
	    .name = S("book_n") }), NULL, "DROP INDEX finds its table");
	ok(table_con(vec_find(&v, S("book")), S("book_n")) == NULL,
	    "and takes it out");
}

static void
test_pg_names(void)
{
	struct vec v = two_tables();
	struct con c = con(CON_UNIQUE, "x", "n");

	c.name = NULL;
	apply(&v, (struct ddl){ .kind = DDL_ADD_CON, .table = S("book"),
	    .con = &c });
	ok(table_con(vec_find(&v, S("book")), S("book_n_key")) != NULL,
	    "a constraint without a name gets PostgreSQL's");
	apply(&v, (struct ddl){ .kind = DDL_ADD_CON, .table = S("book"),
	    .con = &c });
	ok(table_con(vec_find(&v, S("book")), S("book_n_key1")) != NULL,
	    "a second one is counted");
	is(name_pg(a, "a_table_with_quite_a_long_name_that_goes_on_and_on_x",
	    "a_column_with_a_long_name_too", "check"),
	    "a_table_with_quite_a_long_na_a_column_with_a_long_name_to_check",
	    "both are cut, the longer first");
	sym col = S("author_id");
	is(name_fk(a, S("t_tag"), col, S("t_author"), S("id")),
	    "t_tag_author_id_d0610981_fk_t_author_id", "Django's foreign key");
	is(name_index(a, S("t_tag"), &col, 1, ""), "t_tag_author_id_d0610981",
	    "Django's index");
	sym cols[] = { S("n"), S("opt") };
	is(name_index(a, S("t_book"), cols, 2, "_uniq"),
	    "t_book_n_opt_1c16481c_uniq", "Django's unique_together");
	sym perm[] = { S("content_type_id"), S("codename") };
	is(name_index(a, S("auth_permission"), perm, 2, "_uniq"),
	    "auth_permission_content_type_id_codename_01ab375a_uniq",
	    "one that everybody has");
	sym ug = S("permission_id");
	is(name_fk(a, S("auth_user_user_permissions"), ug,
	    S("auth_permission"), S("id")),
	    "auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm",
	    "and one that is cut");
}

int
main(void)
{
	a = arena_new();
	test_apply();
	test_missing();
	test_pg_names();
	arena_free(a);
	return done_testing();
}

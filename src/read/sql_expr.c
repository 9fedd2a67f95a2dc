/* Expressions printed back as SQL, every inner one in parentheses. */
#include <string.h>

#include "base/util.h"
#include "read/sqlparse.h"

#define EXPR_DEPTH 200

struct printing {
	struct arena *a;
	struct strbuf b;
	bool lost;
	int depth;
};

static void print(struct printing *p, json_t *j);

static void
quoted(struct printing *p, const char *s, char q)
{
	strbuf_char(&p->b, q);
	for (; *s != '\0'; s++) {
		if (*s == q)
			strbuf_char(&p->b, q);
		strbuf_char(&p->b, *s);
	}
	strbuf_char(&p->b, q);
}

static void
identifier(struct printing *p, const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_0123456789");

	if (s[n] == '\0' && n > 0 && (*s < '0' || *s > '9'))
		strbuf_str(&p->b, s);
	else
		quoted(p, s, '"');
}

static void
names(struct printing *p, json_t *list)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		const char *type;
		json_t *v = pq_node(json_array_get(list, i), &type);
		const char *s = pq_str(v, "sval");
		if (streq(s, "pg_catalog") && n > 1)
			continue;
		if (streq(type, "A_Star"))
			strbuf_char(&p->b, '*');
		else if (s != NULL)
			identifier(p, s);
		else
			p->lost = true;
		if (i + 1 < n)
			strbuf_char(&p->b, '.');
	}
}

static void
items(struct printing *p, json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i > 0)
			strbuf_str(&p->b, ", ");
		print(p, json_array_get(list, i));
	}
}

static void
constant(struct printing *p, json_t *v)
{
	json_t *i = pq_get(v, "ival"), *f = pq_get(v, "fval");
	json_t *s = pq_get(v, "sval"), *o = pq_get(v, "boolval");

	if (pq_bool(v, "isnull"))
		strbuf_str(&p->b, "NULL");
	else if (i != NULL)
		strbuf_printf(&p->b, "%lld",
		    (long long)json_integer_value(pq_get(i, "ival")));
	else if (f != NULL)
		strbuf_str(&p->b, pq_str(f, "fval") != NULL ?
		    pq_str(f, "fval") : "0");
	else if (s != NULL)
		quoted(p, pq_str(s, "sval") != NULL ? pq_str(s, "sval") : "",
		    '\'');
	else if (o != NULL)
		strbuf_str(&p->b, pq_bool(o, "boolval") ? "true" : "false");
	else
		p->lost = true;
}

/* An operand: in parentheses unless it stands alone. */
static void
operand(struct printing *p, json_t *j)
{
	const char *type;

	pq_node(j, &type);
	bool plain = streq(type, "A_Const") || streq(type, "ColumnRef") ||
	    streq(type, "FuncCall") || streq(type, "TypeCast");
	if (!plain)
		strbuf_char(&p->b, '(');
	print(p, j);
	if (!plain)
		strbuf_char(&p->b, ')');
}

static void
operator(struct printing *p, json_t *v)
{
	const char *op = pq_last(pq_get(v, "name"));
	const char *kind = pq_str(v, "kind");
	json_t *left = pq_get(v, "lexpr"), *right = pq_get(v, "rexpr");
	const char *list;
	json_t *in = pq_node(right, &list);

	if (op == NULL || kind == NULL) {
		p->lost = true;
		return;
	}
	if (left != NULL)
		operand(p, left);
	if (streq(kind, "AEXPR_IN")) {
		strbuf_str(&p->b, streq(op, "=") ? " IN (" : " NOT IN (");
		items(p, pq_get(in, "items"));
		strbuf_char(&p->b, ')');
		return;
	}
	if (streq(kind, "AEXPR_BETWEEN") || streq(kind, "AEXPR_NOT_BETWEEN")) {
		json_t *ends = pq_get(in, "items");
		strbuf_str(&p->b, kind[6] == 'N' ? " NOT BETWEEN " :
		    " BETWEEN ");
		operand(p, json_array_get(ends, 0));
		strbuf_str(&p->b, " AND ");
		operand(p, json_array_get(ends, 1));
		return;
	}
	bool any = streq(kind, "AEXPR_OP_ANY"), all = streq(kind, "AEXPR_OP_ALL");
	const char *word = streq(kind, "AEXPR_LIKE") ?
	    (*op == '!' ? "NOT LIKE" : "LIKE") :
	    streq(kind, "AEXPR_ILIKE") ? (*op == '!' ? "NOT ILIKE" : "ILIKE") :
	    streq(kind, "AEXPR_DISTINCT") ? "IS DISTINCT FROM" :
	    streq(kind, "AEXPR_NOT_DISTINCT") ? "IS NOT DISTINCT FROM" :
	    streq(kind, "AEXPR_OP") || any || all ? op : NULL;
	if (word == NULL) {
		p->lost = true;
		return;
	}
	strbuf_printf(&p->b, left != NULL ? " %s " : "%s ", word);
	if (any || all) {
		strbuf_str(&p->b, any ? "ANY (" : "ALL (");
		print(p, right);
		strbuf_char(&p->b, ')');
	} else {
		operand(p, right);
	}
}

static void
boolean(struct printing *p, json_t *v)
{
	json_t *args = pq_get(v, "args");
	bool and = pq_is(v, "boolop", "AND_EXPR");

	if (pq_is(v, "boolop", "NOT_EXPR")) {
		strbuf_str(&p->b, "NOT ");
		operand(p, json_array_get(args, 0));
		return;
	}
	for (size_t i = 0; i < json_array_size(args); i++) {
		if (i > 0)
			strbuf_str(&p->b, and ? " AND " : " OR ");
		operand(p, json_array_get(args, i));
	}
}

static void
function(struct printing *p, json_t *v)
{
	if (pq_get(v, "agg_order") != NULL || pq_get(v, "over") != NULL ||
	    pq_get(v, "agg_filter") != NULL || pq_bool(v, "func_variadic"))
		p->lost = true;
	names(p, pq_get(v, "funcname"));
	strbuf_char(&p->b, '(');
	if (pq_bool(v, "agg_star"))
		strbuf_char(&p->b, '*');
	items(p, pq_get(v, "args"));
	strbuf_char(&p->b, ')');
}

static void
case_of(struct printing *p, json_t *v)
{
	json_t *when = pq_get(v, "args");

	strbuf_str(&p->b, "CASE");
	if (pq_get(v, "arg") != NULL) {
		strbuf_char(&p->b, ' ');
		operand(p, pq_get(v, "arg"));
	}
	for (size_t i = 0; i < json_array_size(when); i++) {
		json_t *w = pq_get(json_array_get(when, i), "CaseWhen");
		strbuf_str(&p->b, " WHEN ");
		print(p, pq_get(w, "expr"));
		strbuf_str(&p->b, " THEN ");
		print(p, pq_get(w, "result"));
	}
	if (pq_get(v, "defresult") != NULL) {
		strbuf_str(&p->b, " ELSE ");
		print(p, pq_get(v, "defresult"));
	}
	strbuf_str(&p->b, " END");
}

static void
test(struct printing *p, json_t *v, const char *kind)
{
	static const struct { const char *is, *text; } tests[] = {
		{ "IS_NULL", " IS NULL" }, { "IS_NOT_NULL", " IS NOT NULL" },
		{ "IS_TRUE", " IS TRUE" }, { "IS_NOT_TRUE", " IS NOT TRUE" },
		{ "IS_FALSE", " IS FALSE" }, { "IS_NOT_FALSE", " IS NOT FALSE" },
		{ "IS_UNKNOWN", " IS UNKNOWN" }, { "IS_NOT_UNKNOWN", " IS NOT UNKNOWN" },
	};

	operand(p, pq_get(v, "arg"));
	for (size_t i = 0; i < countof(tests); i++)
		if (streq(tests[i].is, kind)) {
			strbuf_str(&p->b, tests[i].text);
			return;
		}
	p->lost = true;
}

static void
print_node(struct printing *p, const char *type, json_t *v)
{
	if (streq(type, "A_Const")) {
		constant(p, v);
	} else if (streq(type, "ColumnRef")) {
		names(p, pq_get(v, "fields"));
	} else if (streq(type, "A_Expr")) {
		operator(p, v);
	} else if (streq(type, "BoolExpr")) {
		boolean(p, v);
	} else if (streq(type, "NullTest")) {
		test(p, v, pq_str(v, "nulltesttype"));
	} else if (streq(type, "BooleanTest")) {
		test(p, v, pq_str(v, "booltesttype"));
	} else if (streq(type, "FuncCall")) {
		function(p, v);
	} else if (streq(type, "CaseExpr")) {
		case_of(p, v);
	} else if (streq(type, "TypeCast")) {
		sym t = sql_type(p->a, pq_get(v, "typeName"));
		operand(p, pq_get(v, "arg"));
		strbuf_printf(&p->b, "::%s", t != NULL ? t : "?");
		p->lost |= t == NULL;
	} else if (streq(type, "CoalesceExpr") || streq(type, "MinMaxExpr")) {
		strbuf_str(&p->b, *type == 'C' ? "COALESCE(" :
		    pq_is(v, "op", "IS_LEAST") ? "LEAST(" : "GREATEST(");
		items(p, pq_get(v, "args"));
		strbuf_char(&p->b, ')');
	} else if (streq(type, "A_ArrayExpr")) {
		strbuf_str(&p->b, "ARRAY[");
		items(p, pq_get(v, "elements"));
		strbuf_char(&p->b, ']');
	} else if (streq(type, "List") || streq(type, "RowExpr")) {
		strbuf_char(&p->b, '(');
		items(p, pq_get(v, *type == 'L' ? "items" : "args"));
		strbuf_char(&p->b, ')');
	} else if (streq(type, "SQLValueFunction")) {
		strbuf_str(&p->b, pq_is(v, "op", "SVFOP_CURRENT_DATE") ?
		    "CURRENT_DATE" : pq_is(v, "op", "SVFOP_CURRENT_TIMESTAMP") ?
		    "CURRENT_TIMESTAMP" : pq_is(v, "op", "SVFOP_CURRENT_USER") ?
		    "CURRENT_USER" : "?");
		p->lost |= p->b.s[p->b.len - 1] == '?';
	} else if (streq(type, "CollateClause")) {
		operand(p, pq_get(v, "arg"));
		strbuf_str(&p->b, " COLLATE ");
		names(p, pq_get(v, "collname"));
	} else {
		p->lost = true;
	}
}

static void
print(struct printing *p, json_t *j)
{
	const char *type;
	json_t *v = pq_node(j, &type);

	if (v == NULL || p->depth >= EXPR_DEPTH || p->lost) {
		p->lost = true;
		return;
	}
	p->depth++;
	print_node(p, type, v);
	p->depth--;
}

sym
sql_said(struct arena *a, json_t *expr)
{
	struct printing p = { a, STRBUF_LIMIT(65536), false, 0 };

	print(&p, expr);
	sym s = p.lost || p.b.over ? NULL : sym_getn(a, p.b.s, p.b.len);
	strbuf_release(&p.b);
	return s;
}

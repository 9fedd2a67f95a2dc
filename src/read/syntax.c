#include "read/syntax.h"

#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

#include "base/util.h"
#include "read/pool.h"
#include "read/read.h"

#define PARSE_MICROS 3000000
#define SMALL_BYTES 16384	/* is never too much to parse */
#define SYMBOLS 512
#define FIELDS 64

const TSLanguage *tree_sitter_python(void);

static const struct { const char *name; enum node_kind kind; } kinds[] = {
	{ "module", N_MODULE }, { "block", N_BLOCK }, { "expression_statement", N_STATEMENT },
	{ "assignment", N_ASSIGN }, { "augmented_assignment", N_AUG_ASSIGN }, { "import_statement", N_IMPORT },
	{ "import_from_statement", N_IMPORT_FROM }, { "future_import_statement", N_FUTURE }, { "aliased_import", N_ALIASED },
	{ "dotted_name", N_DOTTED }, { "relative_import", N_RELATIVE }, { "import_prefix", N_PREFIX },
	{ "wildcard_import", N_WILDCARD }, { "class_definition", N_CLASS }, { "function_definition", N_FUNCTION },
	{ "decorated_definition", N_DECORATED }, { "argument_list", N_ARGS }, { "keyword_argument", N_KEYWORD },
	{ "call", N_CALL }, { "attribute", N_ATTRIBUTE }, { "identifier", N_IDENTIFIER }, { "string", N_STRING },
	{ "concatenated_string", N_CONCATENATED }, { "interpolation", N_INTERPOLATION }, { "type_conversion", N_CONVERSION },
	{ "format_specifier", N_FORMAT }, { "integer", N_INTEGER }, { "float", N_FLOAT }, { "true", N_TRUE }, { "false", N_FALSE },
	{ "none", N_NONE }, { "list", N_LIST }, { "tuple", N_TUPLE }, { "set", N_SET }, { "dictionary", N_DICT }, { "pair", N_PAIR },
	{ "parenthesized_expression", N_PAREN }, { "binary_operator", N_BINARY }, { "unary_operator", N_UNARY },
	{ "not_operator", N_NOT }, { "boolean_operator", N_BOOLEAN }, { "comparison_operator", N_COMPARE },
	{ "conditional_expression", N_CONDITIONAL }, { "lambda", N_LAMBDA }, { "list_comprehension", N_LIST_COMP },
	{ "generator_expression", N_GENERATOR }, { "set_comprehension", N_SET_COMP }, { "dictionary_comprehension", N_DICT_COMP },
	{ "for_in_clause", N_FOR_IN }, { "if_clause", N_IF_CLAUSE }, { "subscript", N_SUBSCRIPT }, { "slice", N_SLICE },
	{ "list_splat", N_SPLAT }, { "dictionary_splat", N_DICT_SPLAT }, { "expression_list", N_EXPR_LIST },
	{ "pattern_list", N_PATTERN_LIST }, { "tuple_pattern", N_TUPLE_PATTERN }, { "named_expression", N_NAMED },
	{ "if_statement", N_IF }, { "elif_clause", N_ELIF }, { "else_clause", N_ELSE }, { "for_statement", N_FOR },
	{ "while_statement", N_WHILE }, { "try_statement", N_TRY }, { "except_clause", N_EXCEPT },
	{ "except_group_clause", N_EXCEPT }, { "finally_clause", N_FINALLY }, { "with_statement", N_WITH },
	{ "return_statement", N_RETURN }, { "pass_statement", N_PASS }, { "delete_statement", N_DELETE },
	{ "parameters", N_PARAMETERS }, { "lambda_parameters", N_PARAMETERS }, { "default_parameter", N_DEFAULT_PARAM },
	{ "type", N_TYPE }, { "ellipsis", N_ELLIPSIS }, { "decorator", N_DECORATOR },
	{ "as_pattern", N_AS }, { "as_pattern_target", N_AS_TARGET }, { "global_statement", N_GLOBAL }, { "nonlocal_statement", N_GLOBAL },
	{ "match_statement", N_MATCH }, { "break_statement", N_JUMP }, { "continue_statement", N_JUMP }, { "yield", N_YIELD },
};

static const struct { const char *name; enum node_field field; } fields[] = {
	{ "name", F_NAME }, { "value", F_VALUE }, { "left", F_LEFT }, { "right", F_RIGHT }, { "body", F_BODY },
	{ "function", F_FUNCTION }, { "arguments", F_ARGUMENTS }, { "object", F_OBJECT }, { "attribute", F_ATTRIBUTE },
	{ "condition", F_CONDITION }, { "consequence", F_CONSEQUENCE }, { "alternative", F_ALTERNATIVE },
	{ "module_name", F_MODULE }, { "alias", F_ALIAS }, { "superclasses", F_SUPERS }, { "definition", F_DEFINITION },
	{ "argument", F_ARGUMENT }, { "subscript", F_SUBSCRIPT }, { "expression", F_EXPRESSION },
	{ "parameters", F_PARAMETERS }, { "key", F_KEY }, { "type", F_TYPE }, { "return_type", F_RETURN_TYPE },
};

/* The grammar's numbers for our names: constant data, worked out once. */
static struct {
	bool ready;
	uint8_t kind[SYMBOLS], field[FIELDS];
	TSSymbol comment;
} map;

static void
map_fill(const TSLanguage *l)
{
	if (map.ready)
		return;
	uint32_t n = ts_language_symbol_count(l);
	for (uint32_t s = 0; s < n && s < SYMBOLS; s++) {
		const char *name = ts_language_symbol_name(l, (TSSymbol)s);
		if (name == NULL || ts_language_symbol_type(l, (TSSymbol)s) !=
		    TSSymbolTypeRegular)
			continue;
		for (size_t i = 0; i < countof(kinds); i++)
			if (streq(kinds[i].name, name))
				map.kind[s] = (uint8_t)kinds[i].kind;
		if (streq(name, "comment"))
			map.comment = (TSSymbol)s;
	}
	for (size_t i = 0; i < countof(fields); i++) {
		TSFieldId id = ts_language_field_id_for_name(l, fields[i].name,
		    (uint32_t)strlen(fields[i].name));
		if (id < FIELDS)
			map.field[id] = (uint8_t)fields[i].field;
	}
	map.ready = true;
}

static enum node_kind
kind_of(TSNode t)
{
	TSSymbol s = ts_node_symbol(t);

	return s < SYMBOLS ? map.kind[s] : N_OTHER;
}

static bool
is_error(TSNode t)
{
	return ts_node_symbol(t) == (TSSymbol)-1;
}

struct reading {
	const char *text;
	struct node *v;
	uint32_t n, cap;
	uint32_t open[SYNTAX_DEPTH_MAX + 1];	/* indices on the way down */
	TSTreeCursor cursor;
	bool check;		/* there is an error somewhere */
	uint32_t *line;
	struct err *e;
};

#define BODY_BYTES 16384
#define BODY_DEPTH 6
#define METHOD_BYTES 400
#define INIT_BYTES 4000

/* Does a block return a value, in itself or under its ifs? */
static bool
returns_value(TSNode block, int depth)
{
	uint32_t n = depth < BODY_DEPTH ? ts_node_named_child_count(block) : 0;

	for (uint32_t i = n; i > 0; i--) {
		TSNode c = ts_node_named_child(block, i - 1);
		enum node_kind k = kind_of(c);
		if (k == N_RETURN && ts_node_named_child_count(c) > 0)
			return true;
		if ((k == N_IF || k == N_ELSE || k == N_ELIF || k == N_BLOCK ||
		    k == N_TRY || k == N_WITH) && returns_value(c, depth + 1))
			return true;
	}
	return false;
}

static bool
is_init(const struct reading *r, uint32_t fn)
{
	const struct node *name = fn + 1 < r->n ? &r->v[fn + 1] : NULL;

	return name != NULL && name->field == F_NAME &&
	    name->end - name->start == 8 &&
	    memcmp(r->text + name->start, "__init__", 8) == 0;
}

/* A function that gives a value may have made operations or SQL, a tiny one
 * may do nothing but call its base's, as a field's __init__ may; any other is
 * of no use to us, and may be broken or of newer syntax. */
static bool
body_wanted(const struct reading *r, uint32_t fn, TSNode block)
{
	uint32_t size = ts_node_end_byte(block) - ts_node_start_byte(block);

	if (size > BODY_BYTES || ts_node_has_error(block))
		return false;
	return size <= METHOD_BYTES || (size <= INIT_BYTES && is_init(r, fn)) ||
	    returns_value(block, 0);
}

static struct node *
node_add(struct reading *r)
{
	if (r->n == r->cap) {
		r->cap = r->cap > 0 ? r->cap * 2 : 512;
		r->v = xrealloc(r->v, r->cap, sizeof(*r->v));
	}
	return &r->v[r->n++];
}

enum visit { V_SKIP, V_THROUGH, V_KEEP, V_LEAF, V_BAD };

/* Has it nothing in it that is wanted? Only what Python calls an f-string has
 * expressions in it. */
static bool
is_leaf(const struct reading *r, const struct node *n)
{
	if (n->kind != N_STRING)
		return n->kind == N_IDENTIFIER || n->kind == N_INTEGER;
	for (const char *s = r->text + n->start; s < r->text + n->end; s++)
		if (*s == '"' || *s == '\'' || *s == 'f' || *s == 'F')
			return *s == '"' || *s == '\'';
	return false;
}

/* What is to be done with the node under the cursor. */
static enum visit
visit(struct reading *r, TSNode t, uint32_t up, struct node *out)
{
	enum node_kind above = r->n > 0 ? r->v[up].kind : N_OTHER;

	if (r->check && (is_error(t) || ts_node_is_missing(t))) {
		*r->line = ts_node_start_point(t).row + 1;
		err_set(r->e, "not valid Python");
		return V_BAD;
	}
	if (!ts_node_is_named(t))
		return r->check ? V_THROUGH : V_SKIP;
	TSSymbol s = ts_node_symbol(t);
	if (s == map.comment)
		return V_SKIP;
	enum node_kind k = kind_of(t);
	TSFieldId f = ts_tree_cursor_current_field_id(&r->cursor);
	enum node_field field = f < FIELDS ? map.field[f] : F_NONE;
	if (above == N_STRING && k != N_INTERPOLATION)
		return V_THROUGH;
	if (above == N_FUNCTION && field == F_BODY &&
	    !body_wanted(r, up, t))
		return V_SKIP;
	*out = (struct node){ .kind = (uint8_t)k, .field = (uint8_t)field,
	    .start = ts_node_start_byte(t), .end = ts_node_end_byte(t),
	    .line = ts_node_start_point(t).row + 1, .size = 1 };
	return !r->check && is_leaf(r, out) ? V_LEAF : V_KEEP;
}

/* The tree in preorder, without recursion. A node passed through without
 * being kept counts as a level all the same. */
static int
flatten(struct reading *r)
{
	uint32_t depth = 0;

	for (;;) {
		struct node n = { 0 };
		uint32_t up = depth > 0 ? r->open[depth - 1] : 0;
		enum visit v = visit(r, ts_tree_cursor_current_node(&r->cursor),
		    up, &n);
		if (v == V_BAD)
			return -1;
		if (v == V_KEEP || v == V_LEAF) {
			*node_add(r) = n;
			up = r->n - 1;
		}
		if (v != V_SKIP && v != V_LEAF && ts_tree_cursor_goto_first_child(&r->cursor)) {
			if (depth >= SYNTAX_DEPTH_MAX) {
				*r->line = ts_node_start_point(
				    ts_tree_cursor_current_node(&r->cursor)).row + 1;
				return err_set(r->e, "nested too deeply");
			}
			r->open[depth++] = up;
			continue;
		}
		while (!ts_tree_cursor_goto_next_sibling(&r->cursor)) {
			if (depth == 0 || !ts_tree_cursor_goto_parent(&r->cursor))
				return 0;
			up = r->open[--depth];
			r->v[up].size = r->n - up;
		}
	}
}

static int
tree_read(struct syntax *out, struct arena *a, const TSTree *tree,
    uint32_t *line, struct err *e)
{
	TSNode root = ts_tree_root_node(tree);
	struct reading r = { .text = out->text,
	    .cursor = ts_tree_cursor_new(root),
	    .check = ts_node_has_error(root), .line = line, .e = e };

	if (is_error(root)) {
		*line = 1;
		return err_set(e, "not valid Python");
	}
	int rc = flatten(&r);
	if (rc == 0) {
		out->v = arena_copy(a, r.v, r.n * sizeof(*r.v));
		out->n = r.n;
	}
	free(r.v);
	return rc;
}

/* Tree-sitter's part, whose memory is all in the pool. 1: it is broken. */
static int
parse(struct syntax *out, struct arena *a, uint32_t *line, struct err *e)
{
	TSParser *p = ts_parser_new();
	const TSLanguage *l = tree_sitter_python();

	if (!ts_parser_set_language(p, l)) {
		ts_parser_delete(p);
		return err_set(e, "the Python grammar does not fit this tree-sitter");
	}
	map_fill(l);
	ts_parser_set_timeout_micros(p, PARSE_MICROS);
	TSTree *tree = ts_parser_parse_string(p, NULL, out->text,
	    (uint32_t)out->len);
	ts_parser_delete(p);
	if (tree == NULL)
		return err_set(e, "takes too long to parse");
	int rc = tree_read(out, a, tree, line, e);
	return rc < 0 && ts_node_has_error(ts_tree_root_node(tree)) ? 1 : rc;
}

/* Is it more than a parse may be given, by its length or its brackets? */
static int
check_size(const struct syntax *s, uint32_t *line, struct err *e)
{
	if (s->len > SYNTAX_BYTES_MAX)
		return err_set(e, "%zu bytes, at most %u can be read", s->len,
		    SYNTAX_BYTES_MAX);
	if (s->len < SMALL_BYTES)
		return 0;
	char wrong = bracket_wrong(s->text, s->len, line);
	if (wrong == BRACKETS_DEEP)
		return err_set(e, "nested too deeply");
	if (wrong == BRACKETS_MANY)
		return err_set(e, "more words and signs than can be read");
	*line = 0;
	return 0;
}

int
syntax_read(struct syntax *out, struct arena *a, const char *text,
    size_t len, uint32_t *line, struct err *e)
{
	uint32_t at = 0;

	*out = (struct syntax){ .text = text, .len = len };
	*line = 0;
	if (check_size(out, line, e) < 0)
		return -1;
	pool_begin();
	int rc = parse(out, a, line, e);
	pool_end();
	char wrong = rc > 0 ? bracket_wrong(text, len, &at) : 0;
	if (wrong == 0)
		return rc > 0 ? -1 : rc;
	*line = at;
	return wrong == BRACKETS_DEEP ? err_set(e, "nested too deeply") :
	    err_set(e, "not valid Python: a '%c' without its partner", wrong);
}

uint32_t
node_first(const struct syntax *s, uint32_t i)
{
	return s->v[i].size > 1 ? i + 1 : 0;
}

uint32_t
node_next(const struct syntax *s, uint32_t parent, uint32_t i)
{
	uint32_t next = i + s->v[i].size;

	return next < parent + s->v[parent].size ? next : 0;
}

uint32_t
node_field(const struct syntax *s, uint32_t i, enum node_field f)
{
	for (uint32_t c = node_first(s, i); c != 0; c = node_next(s, i, c))
		if (s->v[c].field == f)
			return c;
	return 0;
}

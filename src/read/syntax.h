/* A Python file as one flat array of nodes in preorder, which depends on the
 * file's bytes alone. Bodies of functions are left out, but for short ones
 * that return a value; comments are left out too. */
#ifndef READ_SYNTAX_H
#define READ_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define SYNTAX_BYTES_MAX (1u << 20)
#define SYNTAX_DEPTH_MAX 300

enum node_kind {
	N_OTHER,
	N_MODULE, N_BLOCK, N_STATEMENT, N_ASSIGN, N_AUG_ASSIGN, N_IMPORT,
	N_IMPORT_FROM, N_FUTURE, N_ALIASED, N_DOTTED, N_RELATIVE, N_PREFIX,
	N_WILDCARD, N_CLASS, N_FUNCTION, N_DECORATED, N_ARGS, N_KEYWORD,
	N_CALL, N_ATTRIBUTE, N_IDENTIFIER, N_STRING, N_CONCATENATED,
	N_INTERPOLATION, N_CONVERSION, N_FORMAT, N_INTEGER, N_FLOAT, N_TRUE,
	N_FALSE, N_NONE, N_LIST, N_TUPLE, N_SET, N_DICT, N_PAIR, N_PAREN,
	N_BINARY, N_UNARY, N_NOT, N_BOOLEAN, N_COMPARE, N_CONDITIONAL,
	N_LAMBDA, N_LIST_COMP, N_GENERATOR, N_SET_COMP, N_DICT_COMP,
	N_FOR_IN, N_IF_CLAUSE, N_SUBSCRIPT, N_SLICE, N_SPLAT, N_DICT_SPLAT,
	N_EXPR_LIST, N_PATTERN_LIST, N_TUPLE_PATTERN, N_NAMED, N_IF, N_ELIF,
	N_ELSE, N_FOR, N_WHILE, N_TRY, N_EXCEPT, N_FINALLY, N_WITH, N_RETURN,
	N_PASS, N_DELETE, N_PARAMETERS, N_DEFAULT_PARAM, N_TYPE, N_ELLIPSIS,
	N_DECORATOR, N_AS, N_AS_TARGET, N_GLOBAL, N_MATCH, N_JUMP, N_YIELD
};

enum node_field {
	F_NONE, F_NAME, F_VALUE, F_LEFT, F_RIGHT, F_BODY, F_FUNCTION,
	F_ARGUMENTS, F_OBJECT, F_ATTRIBUTE, F_CONDITION, F_CONSEQUENCE,
	F_ALTERNATIVE, F_MODULE, F_ALIAS, F_SUPERS, F_DEFINITION, F_ARGUMENT,
	F_SUBSCRIPT, F_EXPRESSION, F_PARAMETERS, F_KEY, F_TYPE, F_RETURN_TYPE
};

struct node {
	uint8_t kind, field;
	uint32_t start, end;	/* bytes */
	uint32_t line;		/* 1-based */
	uint32_t size;		/* nodes in it, itself included */
};

struct syntax {
	const char *text;	/* borrowed */
	size_t len;
	const struct node *v;
	uint32_t n;
};

/* -1: too large, too deep, or not Python, with *line (0: no line). */
int syntax_read(struct syntax *out, struct arena *a, const char *text,
    size_t len, uint32_t *line, struct err *e);

/* for (uint32_t c = node_first(s, i); c != 0; c = node_next(s, i, c)) */
uint32_t node_first(const struct syntax *s, uint32_t i);
uint32_t node_next(const struct syntax *s, uint32_t parent, uint32_t i);
/* The child in that field, 0 if there is none. */
uint32_t node_field(const struct syntax *s, uint32_t i, enum node_field f);

#endif

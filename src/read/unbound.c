/* Names that Python would look for in vain as soon as it imports the file. */
#include <string.h>

#include "base/util.h"
#include "read/spoil.h"

/* What every module has beside those that names_builtin() knows, in some
 * version of Python or by its site module. All dunder names count as bound. */
static const char *const builtins[] = { "ArithmeticError", "AssertionError",
    "AttributeError", "BaseException", "BaseExceptionGroup",
    "BlockingIOError", "BrokenPipeError", "BufferError", "BytesWarning",
    "ChildProcessError", "ConnectionAbortedError", "ConnectionError",
    "ConnectionRefusedError", "ConnectionResetError", "DeprecationWarning",
    "EOFError", "Ellipsis", "EncodingWarning", "EnvironmentError",
    "Exception", "ExceptionGroup", "False", "FileExistsError",
    "FileNotFoundError", "FloatingPointError", "FutureWarning",
    "GeneratorExit", "IOError", "ImportError", "ImportWarning",
    "IndentationError", "IndexError", "InterruptedError",
    "IsADirectoryError", "KeyError", "KeyboardInterrupt", "LookupError",
    "MemoryError", "ModuleNotFoundError", "NameError", "None",
    "NotADirectoryError", "NotImplemented", "NotImplementedError", "OSError",
    "OverflowError", "PendingDeprecationWarning", "PermissionError",
    "ProcessLookupError", "PythonFinalizationError", "RecursionError",
    "ReferenceError", "ResourceWarning", "RuntimeError", "RuntimeWarning",
    "StopAsyncIteration", "StopIteration", "SyntaxError", "SyntaxWarning",
    "SystemError", "SystemExit", "TabError", "TimeoutError", "True",
    "TypeError", "UnboundLocalError", "UnicodeDecodeError",
    "UnicodeEncodeError", "UnicodeError", "UnicodeTranslateError",
    "UnicodeWarning", "UserWarning", "ValueError", "Warning",
    "WindowsError", "ZeroDivisionError", "_", "_IncompleteInputError",
    "aiter", "anext", "ascii", "basestring", "bin", "breakpoint",
    "bytearray", "cmp", "compile", "complex", "copyright", "credits",
    "delattr", "dir", "divmod", "eval", "exec", "exit", "file", "format",
    "globals", "help", "hex", "input", "license", "locals", "long",
    "memoryview", "oct", "pow", "quit", "raw_input", "reduce", "reload",
    "setattr", "slice", "unichr", "unicode", "vars", "xrange" };

/* What may bind a name out of sight. */
static const char *const hidden[] = { "global ", "global\t", "global\\",
    "globals", "builtins", "exec(", "eval(", "__dict__", "setattr",
    "modules[", "locals(", "vars(", "__import__", "_getframe", "settrace",
    "currentframe" };

static bool
is_word(const struct syntax *y, uint32_t node, sym name)
{
	size_t n = y->v[node].end - y->v[node].start;

	return y->v[node].kind == N_IDENTIFIER && strlen(name) == n &&
	    memcmp(y->text + y->v[node].start, name, n) == 0;
}

/* May it be bound in a way that names.c does not follow? */
static bool
may_be_bound(const struct spoil *x, sym name)
{
	const struct syntax *y = x->y;

	for (size_t i = 0; i < countof(hidden); i++)
		if (memmem(y->text, y->len, hidden[i], strlen(hidden[i])) !=
		    NULL)
			return true;
	for (uint32_t i = 1; i < y->n; i++) {
		enum node_kind k = y->v[i].kind;
		if (k != N_MATCH && k != N_OTHER && k != N_AUG_ASSIGN &&
		    k != N_FUTURE && k != N_GLOBAL)
			continue;
		for (uint32_t c = i + 1; c < i + y->v[i].size; c++)
			if (is_word(y, c, name))
				return true;
	}
	return false;
}

static bool
is_bound(const struct spoil *x, sym name)
{
	if (starts_with(name, "__") || names_builtin(name) ||
	    names_find(x, name) != NULL)
		return true;
	for (size_t i = 0; i < countof(builtins); i++)
		if (streq(builtins[i], name))
			return true;
	return may_be_bound(x, name);
}

/* A metaclass may put names into the body. */
static bool
is_plain_class(const struct syntax *y, uint32_t cls)
{
	uint32_t list = node_field(y, cls, F_SUPERS);

	for (uint32_t c = list != 0 ? node_first(y, list) : 0; c != 0;
	    c = node_next(y, list, c))
		if (y->v[c].kind != N_IDENTIFIER &&
		    y->v[c].kind != N_ATTRIBUTE)
			return false;
	return true;
}

/* Is what stands in it run, whatever happens, when the file is imported? */
static bool
is_run(const struct syntax *y, uint32_t i)
{
	switch ((enum node_kind)y->v[i].kind) {
	case N_CLASS:
		return is_plain_class(y, i);
	case N_MODULE:
	case N_BLOCK:
	case N_STATEMENT:
	case N_ASSIGN:
	case N_ARGS:
	case N_KEYWORD:
	case N_CALL:
	case N_ATTRIBUTE:
	case N_IDENTIFIER:
	case N_STRING:
	case N_CONCATENATED:
	case N_INTERPOLATION:
	case N_LIST:
	case N_TUPLE:
	case N_SET:
	case N_DICT:
	case N_PAIR:
	case N_PAREN:
	case N_BINARY:
	case N_UNARY:
	case N_NOT:
	case N_SUBSCRIPT:
	case N_SPLAT:
	case N_DICT_SPLAT:
	case N_EXPR_LIST:
		return true;
	default:
		return false;
	}
}

/* The same word as before is most words of a migration. */
static bool
is_same_word(const struct syntax *y, uint32_t a, uint32_t b)
{
	size_t n = y->v[a].end - y->v[a].start;

	return n == y->v[b].end - y->v[b].start && memcmp(y->text +
	    y->v[a].start, y->text + y->v[b].start, n) == 0;
}

uint32_t
names_unbound(struct spoil *x)
{
	const struct syntax *y = x->y;
	uint32_t seen[2] = { 0 };

	x->nfns = 0;
	for (uint32_t i = 0; x->star == NO_STAR && i < y->n; i++) {
		const struct node *n = &y->v[i];
		if (!is_run(y, i) || (n->field == F_LEFT &&
		    n->kind != N_IDENTIFIER && y->v[i - 1].kind == N_ASSIGN)) {
			i += n->size - 1;
			continue;
		}
		if (n->kind != N_IDENTIFIER || n->field == F_ATTRIBUTE ||
		    n->field == F_NAME || (seen[0] != 0 &&
		    is_same_word(y, i, seen[0])) || (seen[1] != 0 &&
		    is_same_word(y, i, seen[1])))
			continue;
		if (!is_bound(x, names_text(x, i)))
			return i;
		seen[1] = seen[0];
		seen[0] = i;
	}
	return 0;
}

int
unbound_tell(const struct module *m, struct arena *a, struct err *e)
{
	static const char *const of_django[][2] = {
		{ "models", "from django.db import models" },
		{ "migrations", "from django.db import migrations" },
		{ "settings", "from django.conf import settings" },
		{ "timezone", "from django.utils import timezone" } };
	const struct node *n = &m->syn.v[m->unbound];
	sym name = sym_getn(a, m->syn.text + n->start, n->end - n->start);
	const char *line = NULL;

	for (size_t i = 0; i < countof(of_django); i++)
		if (streq(of_django[i][0], name))
			line = of_django[i][1];
	if (line == NULL && (streq(name, "django") ||
	    module_of_python(name)))
		line = sym_printf(a, "import %s", name);
	return err_set(e, "name '%s' is not bound in this file: Python stops "
	    "here with NameError; %s%s", name, line != NULL ? "import it: " :
	    "define or import it", line != NULL ? line : "");
}

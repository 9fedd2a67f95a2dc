/* Files beside a module, as its code names them: os.path, pathlib, open. */
#include <string.h>

#include "base/util.h"
#include "read/module.h"
#include "read/read.h"

/* Strings that are paths of the tree begin so, which no text does. */
#define TREE "\x7ftree/"
#define PATH_MAX_LEN 4096

bool
path_within(const char *text, size_t len)
{
	return memmem(text, len, TREE, strlen(TREE)) != NULL;
}

const struct value *
path_of_module(struct reader *r, const struct module *m, uint32_t line)
{
	sym path = sym_printf(r->a, TREE "%s", m->path);

	return value_text(r, VALUE_STR, path, strlen(path), line);
}

static bool
is_path(const struct value *v)
{
	return v->kind == VALUE_CALL && streq(v->name, "pathlib.Path") &&
	    v->n == 1 && v->items[0]->kind == VALUE_STR;
}

/* The string of a path, spelt either way; NULL: not one of the tree. */
static const struct value *
tree_path(struct reader *r, const struct value *v)
{
	v = eval_force(r, v);
	if (is_path(v))
		v = v->items[0];
	return v->kind == VALUE_STR && v->len >= strlen(TREE) &&
	    memcmp(v->text, TREE, strlen(TREE)) == 0 ? v : NULL;
}

static const struct value *
parent(struct reader *r, const struct value *v)
{
	size_t n = v->len;

	while (n >= strlen(TREE) && v->text[n - 1] != '/')
		n--;
	if (n < strlen(TREE) || v->len == strlen(TREE))
		return NULL;	/* above the tree */
	return value_text(r, VALUE_STR, v->text, n > strlen(TREE) ? n - 1 : n,
	    v->line);
}

/* "a/b" + "../c": NULL where it leaves the tree. */
static const struct value *
join(struct reader *r, const struct value *v, const struct value *more)
{
	more = eval_force(r, more);
	if (more->kind != VALUE_STR || more->len == 0 ||
	    more->text[0] == '/' || more->text[0] == '\x7f' ||
	    memchr(more->text, '\0', more->len) != NULL)
		return NULL;
	for (const char *s = more->text, *end = s + more->len; s < end; ) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		size_t n = slash != NULL ? (size_t)(slash - s) :
		    (size_t)(end - s);
		bool up = n == 2 && s[0] == '.' && s[1] == '.';
		if (up && (v = parent(r, v)) == NULL)
			return NULL;
		if (!up && n > 0 && !(n == 1 && s[0] == '.')) {
			sym text = sym_printf(r->a, "%s%s%.*s", v->text,
			    ends_with(v->text, "/") ? "" : "/", (int)n, s);
			v = value_text(r, VALUE_STR, text, strlen(text),
			    v->line);
		}
		if (v->len > PATH_MAX_LEN)
			return NULL;
		s += n + 1;
	}
	return v;
}

static const struct value *
join_all(struct reader *r, const struct value *v, const struct value *call,
    uint32_t from)
{
	for (uint32_t i = from; i < call->n && v != NULL; i++)
		v = join(r, v, call->items[i]);
	return call->nkw == 0 ? v : NULL;
}

static const struct value *
as_path(struct reader *r, const struct value *v)
{
	return v != NULL ? value_call(r, "pathlib.Path", &v, 1, v->line) :
	    NULL;
}

const struct value *
path_call(struct reader *r, const struct value *call)
{
	const struct value *v = call->n > 0 ? tree_path(r, call->items[0]) :
	    NULL;

	if (v == NULL || (!starts_with(call->name, "os.path.") &&
	    !starts_with(call->name, "pathlib.")))
		return NULL;
	if (streq(call->name, "os.path.join"))
		return join_all(r, v, call, 1);
	if (streq(call->name, "pathlib.Path") && (call->n > 1 ||
	    !is_path(call)))
		return as_path(r, join_all(r, v, call, 1));
	if (call->n != 1 || call->nkw > 0)
		return NULL;
	if (streq(call->name, "os.path.dirname"))
		return parent(r, v);
	if (streq(call->name, "os.path.abspath") ||
	    streq(call->name, "os.path.realpath") ||
	    streq(call->name, "os.path.normpath"))
		return v;
	return NULL;
}

const struct value *
path_divide(struct reader *r, const struct value *a, const struct value *b)
{
	return is_path(a) && tree_path(r, a) != NULL ?
	    as_path(r, join(r, a->items[0], b)) : NULL;
}

const struct value *
path_attribute(struct reader *r, const struct value *v, const char *name)
{
	if (!is_path(v) || tree_path(r, v) == NULL || !streq(name, "parent"))
		return NULL;
	return as_path(r, parent(r, v->items[0]));
}

/* Opened to be read as text in UTF-8? */
static bool
opened_plainly(struct reader *r, const struct value *call, int mode)
{
	const struct value *m = value_arg(call, "mode", mode);
	const struct value *enc = value_arg(call, "encoding", -1);
	sym s = value_str(r->a, m), e = value_str(r->a, enc);

	for (uint32_t i = 0; i < call->nkw; i++)
		if (!streq(call->kw[i].name, "mode") &&
		    !streq(call->kw[i].name, "encoding"))
			return false;
	if (mode >= 0 && call->n > (uint32_t)mode + 1)
		return false;
	return (m == NULL || (s != NULL && (streq(s, "r") ||
	    streq(s, "rt")))) && (enc == NULL || (e != NULL &&
	    (strcasecmp(e, "utf-8") == 0 || strcasecmp(e, "utf8") == 0)));
}

static const struct value *
content(struct reader *r, const struct value *path, uint32_t line)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(SYNTAX_BYTES_MAX);
	const char *name = path->text + strlen(TREE), *text, *plain;
	struct err e = ERR_INIT;
	size_t len;
	bool ascii;
	uint32_t at;

	r->looked = true;
	if (r->lookup == NULL || r->lookup->file == NULL ||
	    !path_plain(name) ||
	    r->lookup->file(r->lookup->ctx, name, &text, &len) != 1 ||
	    len >= SYNTAX_BYTES_MAX || text_plain(&plain, r->a, text, len,
	    &ascii, &at, &e) < 0)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (plain[i] != '\r')	/* that of "\r\n" */
			strbuf_char(&b, plain[i]);
	return value_text(r, VALUE_STR, b.s, b.len, line);
}

const struct value *
path_method(struct reader *r, const struct value *self, const char *method,
    const struct value *call)
{
	const struct value *v = self->n > 0 ? tree_path(r, self->items[0]) :
	    NULL;

	if (v == NULL)
		return NULL;
	if (ends_with(self->name, "open"))
		return streq(method, "read") && call->n == 0 &&
		    call->nkw == 0 && (streq(self->name, "open") ||
		    streq(self->name, "io.open")) &&
		    opened_plainly(r, self, 1) ? content(r, v, call->line) :
		    NULL;
	if (!is_path(self))
		return NULL;
	if (streq(method, "read_text"))
		return call->n == 0 && opened_plainly(r, call, -1) ?
		    content(r, v, call->line) : NULL;
	if (streq(method, "joinpath"))
		return as_path(r, join_all(r, v, call, 0));
	if (streq(method, "open") && call->n <= 1 &&
	    opened_plainly(r, call, 0))
		return value_call(r, "open", &self, 1, call->line);
	if ((streq(method, "resolve") || streq(method, "absolute")) &&
	    call->n == 0)
		return self;
	if (streq(method, "with_name") && call->n == 1 &&
	    (v = parent(r, v)) != NULL)
		return as_path(r, join_all(r, v, call, 0));
	return NULL;
}

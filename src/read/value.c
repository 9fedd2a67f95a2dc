#include "read/value.h"

#include <ctype.h>
#include <string.h>

#include "base/util.h"

static bool
same_text(const struct value *a, const struct value *b)
{
	return a->len == b->len &&
	    (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

static bool
same_items(const struct value *a, const struct value *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!value_equal(a->items[i], b->items[i]) ||
		    a->items[i]->maybe != b->items[i]->maybe ||
		    a->items[i]->not_in != b->items[i]->not_in)
			return false;
	return true;
}

static bool
same_call(const struct value *a, const struct value *b)
{
	if (!streq(a->name, b->name) || a->nkw != b->nkw || !same_items(a, b))
		return false;
	for (uint32_t i = 0; i < a->nkw; i++) {
		uint32_t k = 0;
		while (k < b->nkw && !streq(a->kw[i].name, b->kw[k].name))
			k++;
		if (k == b->nkw ||
		    !value_equal(a->kw[i].value, b->kw[k].value))
			return false;
	}
	return true;
}

bool
value_equal(const struct value *a, const struct value *b)
{
	if (a == b)
		return true;
	if (a == NULL || b == NULL || a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_NONE:
		return true;
	case VALUE_BOOL:
		return a->i == b->i;
	case VALUE_INT:
		return a->i == b->i && (a->text == NULL) == (b->text == NULL) &&
		    (a->text == NULL || same_text(a, b));
	case VALUE_OPAQUE:
		return same_text(a, b) && same_items(a, b);
	case VALUE_FLOAT:
	case VALUE_STR:
	case VALUE_BYTES:
		return same_text(a, b);
	case VALUE_LIST:
	case VALUE_TUPLE:
	case VALUE_SET:
	case VALUE_DICT:
		return same_items(a, b);
	case VALUE_NAME:
		return streq(a->name, b->name);
	case VALUE_CALL:
		return same_call(a, b);
	}
	return false;
}

bool
value_opaque(const struct value *v)
{
	if (v->kind == VALUE_OPAQUE)
		return true;
	for (uint32_t i = 0; i < v->n; i++)
		if (value_opaque(v->items[i]))
			return true;
	for (uint32_t i = 0; i < v->nkw; i++)
		if (value_opaque(v->kw[i].value))
			return true;
	return false;
}

const struct value *
value_arg(const struct value *call, const char *kw, int pos)
{
	for (uint32_t i = 0; i < call->nkw; i++)
		if (streq(call->kw[i].name, kw))
			return call->kw[i].value;
	return pos >= 0 && (uint32_t)pos < call->n ? call->items[pos] : NULL;
}

bool
value_bool(const struct value *call, const char *kw, bool dflt, bool *known)
{
	const struct value *v = value_arg(call, kw, -1);

	if (v == NULL)
		return dflt;
	if (v->kind == VALUE_BOOL || (v->kind == VALUE_INT && v->text == NULL))
		return v->i != 0;
	if (v->kind == VALUE_NONE)
		return false;
	if (known != NULL)
		*known = false;
	return dflt;
}

int64_t
value_int(const struct value *call, const char *kw, int64_t dflt, bool *known)
{
	const struct value *v = value_arg(call, kw, -1);

	if (v == NULL)
		return dflt;
	if (v->kind == VALUE_INT && v->text == NULL)
		return v->i;
	if (known != NULL)
		*known = false;
	return dflt;
}

sym
value_str(struct arena *a, const struct value *v)
{
	if (v == NULL || v->kind != VALUE_STR ||
	    memchr(v->text, '\0', v->len) != NULL)
		return NULL;
	return sym_getn(a, v->text, v->len);
}

static void
print_quoted(struct strbuf *b, const struct value *v)
{
	bool bytes = v->kind == VALUE_BYTES;
	char q = memchr(v->text, '\'', v->len) != NULL &&
	    memchr(v->text, '"', v->len) == NULL ? '"' : '\'';

	strbuf_str(b, bytes ? "b" : "");
	strbuf_char(b, q);
	for (size_t i = 0; i < v->len; i++) {
		unsigned char c = (unsigned char)v->text[i];
		if (c == '\n')
			strbuf_str(b, "\\n");
		else if (c == '\t')
			strbuf_str(b, "\\t");
		else if (c == '\r')
			strbuf_str(b, "\\r");
		else if (c == (unsigned char)q || c == '\\')
			strbuf_printf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f || (bytes && c >= 0x80))
			strbuf_printf(b, "\\x%02x", c);
		else
			strbuf_char(b, (char)c);
	}
	strbuf_char(b, q);
}

static void
print_items(struct strbuf *b, const struct value *v, const char *open,
    const char *close)
{
	strbuf_str(b, open);
	for (uint32_t i = 0; i < v->n; i++) {
		if (i > 0)
			strbuf_str(b, v->kind == VALUE_DICT && i % 2 == 1 ?
			    ": " : ", ");
		value_print(b, v->items[i]);
	}
	if (v->kind == VALUE_TUPLE && v->n == 1)
		strbuf_char(b, ',');
	for (uint32_t i = 0; i < v->nkw; i++) {
		strbuf_printf(b, "%s%s=", i > 0 || v->n > 0 ? ", " : "",
		    v->kw[i].name);
		value_print(b, v->kw[i].value);
	}
	strbuf_str(b, close);
}

static bool
is_operator(const struct value *v)
{
	return ends_with(v->name, ".CombinedExpression") && v->n == 3 &&
	    v->nkw == 0 && v->items[1]->kind == VALUE_STR &&
	    v->items[1]->len == 1 && strchr("+-*/", v->items[1]->text[0]);
}

void
value_print(struct strbuf *b, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NONE:
		strbuf_str(b, "None");
		break;
	case VALUE_BOOL:
		strbuf_str(b, v->i != 0 ? "True" : "False");
		break;
	case VALUE_INT:
		if (v->text == NULL) {
			strbuf_printf(b, "%lld", (long long)v->i);
			break;
		}
		/* fallthrough */
	case VALUE_OPAQUE:
	case VALUE_FLOAT:
		strbuf_add(b, v->text, v->len);
		break;
	case VALUE_STR:
	case VALUE_BYTES:
		print_quoted(b, v);
		break;
	case VALUE_LIST:
		print_items(b, v, "[", "]");
		break;
	case VALUE_TUPLE:
		print_items(b, v, "(", ")");
		break;
	case VALUE_SET:
		print_items(b, v, v->n > 0 ? "{" : "set(", v->n > 0 ? "}" : ")");
		break;
	case VALUE_DICT:
		print_items(b, v, "{", "}");
		break;
	case VALUE_NAME:
		strbuf_str(b, v->name);
		break;
	case VALUE_CALL:
		if (is_operator(v)) {	/* F('a') + 1 */
			strbuf_char(b, '(');
			value_print(b, v->items[0]);
			strbuf_printf(b, " %s ", v->items[1]->text);
			value_print(b, v->items[2]);
			strbuf_char(b, ')');
			break;
		}
		strbuf_str(b, v->name);
		print_items(b, v, "(", ")");
		break;
	}
}

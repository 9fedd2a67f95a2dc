/* What str's methods and a few pure functions make of constants. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "read/module.h"

#define TEXT_MAX (4u << 20)
#define RANGE_MAX 5000

bool
text_of(struct strbuf *b, const struct value *v)
{
	switch (v->kind) {
	case VALUE_STR:
		strbuf_add(b, v->text, v->len);
		return true;
	case VALUE_NONE:
	case VALUE_BOOL:
	case VALUE_INT:
		value_print(b, v);
		return true;
	default:
		return false;
	}
}

static const struct value *
made(struct reader *r, const struct strbuf *b, uint32_t line)
{
	return b->over ? NULL : value_text(r, VALUE_STR, b->s, b->len, line);
}

/* "{}", "{0}", "{name}" */
static const struct value *
do_format(struct reader *r, const struct value *self,
    const struct value *call)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(TEXT_MAX);
	const char *end = self->text + self->len;
	uint32_t next = 0;

	for (const char *s = self->text; s < end; s++) {
		if ((*s == '{' || *s == '}') && s + 1 < end && s[1] == *s) {
			strbuf_char(&b, *s++);
			continue;
		}
		if (*s == '}')
			return NULL;
		if (*s != '{') {
			strbuf_char(&b, *s);
			continue;
		}
		const char *close = memchr(s, '}', (size_t)(end - s));
		if (close == NULL || close - s > 64)
			return NULL;
		char name[66];
		size_t n = (size_t)(close - s - 1);
		memcpy(name, s + 1, n);
		name[n] = '\0';
		const struct value *v = NULL;
		char *stop;
		unsigned long k = strtoul(name, &stop, 10);
		if (n == 0)
			v = next < call->n ? call->items[next] : NULL;
		else if (isdigit((unsigned char)*name) && *stop == '\0')
			v = k < call->n ? call->items[k] : NULL;
		else
			v = value_arg(call, name, -1);
		next++;
		if (v == NULL || !text_of(&b, eval_force(r, v)))
			return NULL;
		s = close;
	}
	return made(r, &b, self->line);
}

static const struct value *
do_replace(struct reader *r, const struct value *self, const struct value *x,
    const struct value *y)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(TEXT_MAX);
	const char *s = self->text, *end = s + self->len;

	if (x->kind != VALUE_STR || y->kind != VALUE_STR || x->len == 0)
		return NULL;
	while (s < end) {
		const char *at = memmem(s, (size_t)(end - s), x->text, x->len);
		if (at == NULL)
			break;
		strbuf_add(&b, s, (size_t)(at - s));
		strbuf_add(&b, y->text, y->len);
		s = at + x->len;
	}
	strbuf_add(&b, s, (size_t)(end - s));
	return made(r, &b, self->line);
}

static const struct value *
do_join(struct reader *r, const struct value *self, const struct value *over)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(TEXT_MAX);

	over = eval_force(r, over);
	if (over->either || (over->kind != VALUE_LIST &&
	    over->kind != VALUE_TUPLE))
		return NULL;
	for (uint32_t i = 0; i < over->n; i++) {
		const struct value *v = eval_force(r, over->items[i]);
		if (v->kind != VALUE_STR)
			return NULL;
		if (i > 0)
			strbuf_add(&b, self->text, self->len);
		strbuf_add(&b, v->text, v->len);
	}
	return made(r, &b, self->line);
}

static const struct value *
do_strip(struct reader *r, const struct value *self, bool left, bool right)
{
	const char *s = self->text, *end = s + self->len;

	while (left && s < end && isspace((unsigned char)*s))
		s++;
	while (right && end > s && isspace((unsigned char)end[-1]))
		end--;
	return value_text(r, self->kind, s, (size_t)(end - s), self->line);
}

static const struct value *
do_case(struct reader *r, const struct value *self, bool upper)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(TEXT_MAX);

	for (size_t i = 0; i < self->len; i++) {
		unsigned char c = (unsigned char)self->text[i];
		strbuf_char(&b, (char)(c >= 0x80 ? c :
		    (unsigned char)(upper ? toupper(c) : tolower(c))));
	}
	return made(r, &b, self->line);
}

/* {…}.items(), .keys(), .values() */
static const struct value *
do_dict(struct reader *r, const struct value *self, const char *method)
{
	struct value *v = value_new(r, VALUE_LIST, self->line);
	const struct value **items = arena_array(r->a, const struct value *,
	    self->n / 2 + 1);
	bool keys = streq(method, "keys"), values = streq(method, "values");

	if (!keys && !values && !streq(method, "items"))
		return NULL;
	for (uint32_t i = 0; i + 1 < self->n; i += 2) {
		struct value *pair = value_new(r, VALUE_TUPLE, self->line);
		pair->items = self->items + i;
		pair->n = 2;
		items[v->n++] = keys ? self->items[i] : values ?
		    self->items[i + 1] : value_seal(r, pair);
	}
	v->items = items;
	return value_seal(r, v);
}

/* {…}.get(key, value) */
static const struct value *
do_get(struct reader *r, const struct value *self, const struct value *call)
{
	const struct value *k = call->n > 0 && call->n <= 2 &&
	    call->nkw == 0 ? eval_force(r, call->items[0]) : NULL;

	if (k == NULL || k->kind != VALUE_STR)
		return NULL;
	for (uint32_t i = self->n; i > 1; i -= 2) {
		if (self->items[i - 2]->kind != VALUE_STR)
			return NULL;
		if (value_equal(self->items[i - 2], k))
			return self->items[i - 1];
	}
	return call->n == 2 ? call->items[1] :
	    value_seal(r, value_new(r, VALUE_NONE, call->line));
}

static const struct value *
do_split(struct reader *r, const struct value *self, const struct value *by)
{
	struct value *v = value_new(r, VALUE_LIST, self->line);
	struct list(const struct value *) items = { 0 };
	const char *s = self->text, *end = s + self->len, *p;

	if (self->kind != VALUE_STR || by->kind != VALUE_STR || by->len == 0)
		return NULL;
	while ((p = memmem(s, (size_t)(end - s), by->text, by->len)) != NULL) {
		*list_add(r->a, &items) = value_text(r, VALUE_STR, s,
		    (size_t)(p - s), self->line);
		s = p + by->len;
	}
	*list_add(r->a, &items) = value_text(r, VALUE_STR, s,
	    (size_t)(end - s), self->line);
	v->items = items.v;
	v->n = items.n;
	return value_seal(r, v);
}

const struct value *
text_method(struct reader *r, const struct value *self, const char *method,
    const struct value *call)
{
	if (self->kind == VALUE_DICT && streq(method, "get"))
		return do_get(r, self, call);
	if (self->kind == VALUE_DICT)
		return do_dict(r, self, method);
	if (self->kind != VALUE_STR)
		return NULL;
	if (streq(method, "format"))
		return do_format(r, self, call);
	if (streq(method, "join") && call->n == 1)
		return do_join(r, self, call->items[0]);
	if (streq(method, "split") && call->n == 1 && call->nkw == 0)
		return do_split(r, self, eval_force(r, call->items[0]));
	if (streq(method, "replace") && call->n == 2)
		return do_replace(r, self, eval_force(r, call->items[0]),
		    eval_force(r, call->items[1]));
	if (call->n > 0 || call->nkw > 0)
		return NULL;
	if (streq(method, "strip") || streq(method, "lstrip") ||
	    streq(method, "rstrip"))
		return do_strip(r, self, *method != 'r', *method != 'l');
	if (streq(method, "upper") || streq(method, "lower"))
		return do_case(r, self, *method == 'u');
	return NULL;
}

/* One %-directive's value, from a tuple, a dict or the value itself. */
static const struct value *
percent_value(const struct value *arg, const char *name, size_t n,
    uint32_t *next)
{
	if (name != NULL) {
		for (uint32_t i = 0; arg->kind == VALUE_DICT && i + 1 < arg->n;
		    i += 2) {
			const struct value *k = arg->items[i];
			if (k->kind == VALUE_STR && k->len == n &&
			    memcmp(k->text, name, n) == 0)
				return arg->items[i + 1];
		}
		return NULL;
	}
	if (arg->kind == VALUE_TUPLE)
		return *next < arg->n ? arg->items[(*next)++] : NULL;
	return (*next)++ == 0 ? arg : NULL;
}

const struct value *
text_percent(struct reader *r, const struct value *fmt,
    const struct value *arg)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(TEXT_MAX);
	const char *end = fmt->text + fmt->len;
	uint32_t next = 0;

	for (const char *s = fmt->text; s < end; s++) {
		if (*s != '%') {
			strbuf_char(&b, *s);
			continue;
		}
		if (++s == end)
			return NULL;
		if (*s == '%') {
			strbuf_char(&b, '%');
			continue;
		}
		const char *name = NULL, *close = NULL;
		if (*s == '(') {
			name = s + 1;
			close = memchr(s, ')', (size_t)(end - s));
			if (close == NULL || close + 1 == end)
				return NULL;
			s = close + 1;
		}
		const struct value *v = percent_value(arg, name,
		    name != NULL ? (size_t)(close - name) : 0, &next);
		if (v == NULL || (*s != 's' && *s != 'd') ||
		    !text_of(&b, eval_force(r, v)))
			return NULL;
	}
	return made(r, &b, fmt->line);
}

static bool
blank_line(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	return s == end;
}

/* textwrap.dedent */
static const struct value *
do_dedent(struct reader *r, const struct value *v)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(TEXT_MAX);
	const char *margin = NULL, *end = v->text + v->len;
	size_t n = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (const char *s = v->text; s <= end; ) {
			const char *nl = memchr(s, '\n', (size_t)(end - s));
			const char *e = nl != NULL ? nl : end;
			size_t k = 0;
			bool blank = blank_line(s, e);
			while (s + k < e && (s[k] == ' ' || s[k] == '\t'))
				k++;
			if (pass == 0 && !blank && margin == NULL) {
				margin = s;
				n = k;
			} else if (pass == 0 && !blank) {
				size_t i = 0;
				while (i < n && i < k && s[i] == margin[i])
					i++;
				n = i;
			} else if (pass == 1) {
				if (!blank)
					strbuf_add(&b, s + n, (size_t)(e - s) - n);
				if (nl != NULL)
					strbuf_char(&b, '\n');
			}
			s = e + 1;
		}
	}
	return made(r, &b, v->line);
}

static const struct value *
do_range(struct reader *r, const struct value *call)
{
	int64_t at[3] = { 0, 0, 1 };
	struct value *v = value_new(r, VALUE_LIST, call->line);

	if (call->n == 0 || call->n > 3 || call->nkw > 0)
		return NULL;
	for (uint32_t i = 0; i < call->n; i++) {
		const struct value *k = eval_force(r, call->items[i]);
		if (k->kind != VALUE_INT || k->text != NULL)
			return NULL;
		at[call->n == 1 ? 1 : i] = k->i;
	}
	if (at[2] <= 0 || at[1] <= at[0])
		return at[2] > 0 ? value_seal(r, v) : NULL;
	uint64_t span = (uint64_t)at[1] - (uint64_t)at[0];
	if (span / (uint64_t)at[2] > RANGE_MAX)
		return NULL;
	const struct value **items = arena_array(r->a, const struct value *,
	    span / (uint64_t)at[2] + 2);
	for (uint64_t i = 0; i < span; i += (uint64_t)at[2])
		items[v->n++] = value_int_new(r,
		    (int64_t)((uint64_t)at[0] + i), call->line);
	v->items = items;
	return value_seal(r, v);
}

/* dict(a=1), dict(other, a=1) */
static const struct value *
do_make_dict(struct reader *r, const struct value *call)
{
	struct value *v = value_new(r, VALUE_DICT, call->line);
	const struct value *first = call->n == 1 ?
	    eval_force(r, call->items[0]) : NULL;

	if (call->n > 1 || (first != NULL && first->kind != VALUE_DICT))
		return NULL;
	uint32_t was = first != NULL ? first->n : 0;
	const struct value **items = arena_array(r->a, const struct value *,
	    was + 2 * (size_t)call->nkw + 1);
	for (uint32_t i = 0; i < was; i++)
		items[v->n++] = first->items[i];
	for (uint32_t i = 0; i < call->nkw; i++) {
		items[v->n++] = value_text(r, VALUE_STR, call->kw[i].name,
		    strlen(call->kw[i].name), call->line);
		items[v->n++] = call->kw[i].value;
	}
	v->items = items;
	return value_seal(r, v);
}

static const struct value *
do_sequence(struct reader *r, const struct value *call, enum value_kind kind)
{
	struct value *v = value_new(r, kind, call->line);

	if (call->n > 1 || call->nkw > 0)
		return NULL;
	if (call->n == 1) {
		const struct value *of = eval_force(r, call->items[0]);
		if (of->kind != VALUE_LIST && of->kind != VALUE_TUPLE &&
		    of->kind != VALUE_SET)
			return NULL;
		v->items = of->items;
		v->n = of->n;
	}
	return value_seal(r, v);
}

static const struct value *
do_len(struct reader *r, const struct value *v, uint32_t line)
{
	int64_t n = 0;

	if (v->kind != VALUE_STR)
		return NULL;
	for (size_t i = 0; i < v->len; i++)
		n += ((unsigned char)v->text[i] & 0xc0) != 0x80;
	return value_int_new(r, n, line);
}

const struct value *
text_call(struct reader *r, const struct value *call)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(TEXT_MAX);
	const char *name = call->name;

	if (call->kind != VALUE_CALL)
		return NULL;
	const struct value *path = path_call(r, call);
	if (path != NULL)
		return path;
	if (streq(name, "textwrap.dedent") && call->n == 1) {
		const struct value *v = eval_force(r, call->items[0]);
		return v->kind == VALUE_STR ? do_dedent(r, v) : NULL;
	}
	if (streq(name, "str") && call->n == 1)
		return text_of(&b, eval_force(r, call->items[0])) ?
		    made(r, &b, call->line) : NULL;
	if (streq(name, "len") && call->n == 1)
		return do_len(r, eval_force(r, call->items[0]), call->line);
	if (streq(name, "dict"))
		return do_make_dict(r, call);
	if (streq(name, "list") || streq(name, "sorted"))
		return *name == 'l' ? do_sequence(r, call, VALUE_LIST) : NULL;
	if (streq(name, "tuple"))
		return do_sequence(r, call, VALUE_TUPLE);
	if (streq(name, "set") || streq(name, "frozenset"))
		return do_sequence(r, call, VALUE_SET);
	if (streq(name, "range"))
		return do_range(r, call);
	return NULL;
}

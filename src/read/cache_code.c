/* Migrations as bytes. Numbers are of seven bits a byte; strings are numbers of
 * a table. What is read back is looked at as if a stranger had written it. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "read/cache.h"
#include "read/module.h"

/* Whoever adds a field teaches this file. */
_Static_assert(sizeof(void *) != 8 || (sizeof(struct value) == 96 &&
    sizeof(struct op) == 152 && sizeof(struct migration) == 224 &&
    sizeof(struct tag) == 64 && sizeof(struct dep) == 24 &&
    sizeof(struct sql_text) == 24), "cache_code.c must keep every field");

#define NESTED 250

struct writer {
	struct strbuf *b;
	struct cache_strings *t;
	size_t most;
	bool bad;
};

struct reading {
	const unsigned char *p, *end;
	struct cache_text *t;
	uint32_t depth;
	bool bad;
};

static void
strings_grow(struct cache_strings *t)
{
	uint32_t n = t->nslots > 0 ? t->nslots * 2 : 4096;

	free(t->slots);
	t->slots = xcalloc(n, sizeof(*t->slots));
	t->nslots = n;
	for (uint32_t i = 0; i < t->v.n; i++) {
		uint32_t k = hash_bytes(t->v.v[i].s, t->v.v[i].n) & (n - 1);
		while (t->slots[k] != 0)
			k = (k + 1) & (n - 1);
		t->slots[k] = i + 1;
	}
}

uint32_t
cache_string(struct cache_strings *t, const char *s, size_t n)
{
	if ((t->v.n + 1) * 2 > t->nslots)
		strings_grow(t);
	uint32_t k = hash_bytes(s, n) & (t->nslots - 1);
	for (; t->slots[k] != 0; k = (k + 1) & (t->nslots - 1)) {
		const struct cache_string *o = &t->v.v[t->slots[k] - 1];
		if (o->n == n && memcmp(o->s, s, n) == 0)
			return t->slots[k] - 1;
	}
	struct cache_string *c = list_add(t->a, &t->v);
	c->s = s;
	c->n = n;
	t->slots[k] = t->v.n;
	return t->v.n - 1;
}

void
cache_strings_release(struct cache_strings *t)
{
	free(t->slots);
	t->slots = NULL;
	t->nslots = 0;
}

static void
put(struct writer *w, uint64_t n)
{
	char c[10];
	size_t k = 0;

	for (; n >= 0x80; n >>= 7)
		c[k++] = (char)(n | 0x80);
	c[k++] = (char)n;
	strbuf_add(w->b, c, k);
	w->bad |= w->b->len > w->most || w->b->over;
}

static void
put_text(struct writer *w, const char *s, size_t n)
{
	put(w, s == NULL ? 0 : cache_string(w->t, s, n) + (uint64_t)1);
}

static void
put_sym(struct writer *w, const char *s)
{
	put_text(w, s, s != NULL ? strlen(s) : 0);
}

enum { V_MAYBE = 1, V_INT = 2, V_TEXT = 4, V_NAME = 8, V_WHY = 16,
	V_ITEMS = 32, V_KW = 64, V_BASE = 128 };

static void
put_value(struct writer *w, const struct value *v)
{
	if (w->bad)
		return;
	if (v == NULL) {
		put(w, 0);
		return;
	}
	put(w, v->kind + (uint64_t)1);
	put(w, (v->maybe ? V_MAYBE : 0) | (v->i != 0 ? V_INT : 0) |
	    (v->text != NULL ? V_TEXT : 0) | (v->name != NULL ? V_NAME : 0) |
	    (v->why != NULL ? V_WHY : 0) | (v->n > 0 ? V_ITEMS : 0) |
	    (v->nkw > 0 ? V_KW : 0) | (v->base != NULL ? V_BASE : 0));
	put(w, v->line);
	put(w, v->depth);
	put(w, v->weight);
	if (v->i != 0)
		put(w, (uint64_t)v->i);
	if (v->text != NULL)
		put_text(w, v->text, v->len);
	if (v->name != NULL)
		put_sym(w, v->name);
	if (v->why != NULL)
		put_sym(w, v->why);
	if (v->base != NULL)
		put_sym(w, v->base);
	if (v->n > 0)
		put(w, v->n);
	for (uint32_t i = 0; i < v->n; i++)
		put_value(w, v->items[i]);
	if (v->nkw > 0)
		put(w, v->nkw);
	for (uint32_t i = 0; i < v->nkw; i++) {
		put_sym(w, v->kw[i].name);
		put_value(w, v->kw[i].value);
	}
}

static void
put_sql(struct writer *w, const struct sql_text *s, uint32_t n)
{
	put(w, n);
	for (uint32_t i = 0; i < n; i++) {
		put_sym(w, s[i].text);
		put(w, s[i].line);
		put_sym(w, s[i].why);
	}
}

static void
put_ops(struct writer *w, const struct op_list *l)
{
	put(w, l->n);
	for (uint32_t i = 0; i < l->n && !w->bad; i++) {
		const struct op *o = &l->v[i];
		put(w, o->kind);
		put(w, o->line);
		put_sym(w, o->cls);
		put_sym(w, o->model);
		put_sym(w, o->title);
		put_sym(w, o->name);
		put_sym(w, o->to);
		put_value(w, o->value);
		put_value(w, o->fields);
		put_value(w, o->options);
		put_value(w, o->bases);
		put(w, o->preserve_default | o->concurrently << 1 |
		    o->not_valid << 2 | o->reversible << 3 | o->noop << 4 |
		    o->rnoop << 5 | o->maybe << 6);
		put(w, o->not_in);
		put_sql(w, o->sql, o->nsql);
		put_sql(w, o->rsql, o->nrsql);
		put_ops(w, &o->db);
		put_ops(w, &o->state);
		put_sym(w, o->why);
	}
}

static void
put_deps(struct writer *w, const struct dep *d, uint32_t n)
{
	put(w, n);
	for (uint32_t i = 0; i < n; i++) {
		put_sym(w, d[i].app);
		put_sym(w, d[i].name);
		put(w, d[i].swappable);
		put(w, d[i].line);
	}
}

static void
put_conds(struct writer *w, const struct condition *c, uint32_t n)
{
	put(w, n);
	for (uint32_t i = 0; i < n; i++) {
		put_sym(w, c[i].id);
		put_sym(w, c[i].text);
		put(w, c[i].line);
	}
}

static void
put_tag(struct writer *w, const struct tag *t)
{
	put(w, t->source);
	put(w, t->value);
	put(w, t->reverse);
	put(w, (uint64_t)t->delay_ms);
	put(w, t->repeat);
	put_sym(w, t->bound);
	put_sym(w, t->because);
	put(w, t->line);
	put_sym(w, t->wrong);
}

/* false: too much for the cache, or nothing that may be kept. */
bool
cache_encode(struct strbuf *b, struct cache_strings *t,
    const struct migration *m)
{
	struct writer w = { b, t, b->len + CACHE_RECORD_MAX, false };
	size_t was = b->len;

	if (m->nproblems > 0)
		return false;
	put_sym(&w, m->app);
	put_sym(&w, m->name);
	put_sym(&w, m->path);
	put_sym(&w, m->digest);
	put_sym(&w, m->bound);
	put(&w, m->atomic | m->initial << 1 | m->initial_set << 2 |
	    m->initial_value << 3 | m->alone << 4);
	put(&w, m->model_import);
	put(&w, m->whole_write);
	put_tag(&w, &m->tag);
	put_deps(&w, m->deps, m->ndeps);
	put_deps(&w, m->run_before, m->nrun_before);
	put_deps(&w, m->replaces, m->nreplaces);
	put_conds(&w, m->conds, m->nconds);
	put_ops(&w, &m->ops);
	if (w.bad)
		strbuf_cut(b, was);
	return !w.bad;
}

static uint64_t
get(struct reading *r)
{
	uint64_t n = 0;

	for (unsigned shift = 0; r->p < r->end && shift < 64; shift += 7) {
		unsigned char c = *r->p++;
		n |= (uint64_t)(c & 0x7f) << shift;
		if ((c & 0x80) == 0)
			return n;
	}
	r->bad = true;
	r->p = r->end;
	return 0;
}

/* A number below the limit. */
static uint32_t
get_below(struct reading *r, uint64_t limit)
{
	uint64_t n = r->p < r->end && *r->p < 0x80 ? *r->p++ : get(r);

	if (n >= limit)
		r->bad = true;
	return n < limit ? (uint32_t)n : 0;
}

/* How many things follow: each has a byte at least. */
static uint32_t
get_count(struct reading *r)
{
	uint32_t n = get_below(r, UINT32_MAX);

	if (n > (size_t)(r->end - r->p)) {
		r->bad = true;
		return 0;
	}
	return n;
}

sym
cache_sym(struct cache_text *t, uint32_t i, size_t *n)
{
	uint32_t at[2];

	if (i >= t->n)
		return NULL;
	memcpy(at, t->offsets + (size_t)i * 4, sizeof(at));
	if (at[0] >= at[1] || at[1] > t->size || t->bytes[at[1] - 1] != '\0')
		return NULL;
	*n = at[1] - at[0] - 1;
	if (t->known[i] == NULL)
		t->known[i] = sym_getn(t->a, t->bytes + at[0], *n);
	return t->known[i];
}

static sym
get_text(struct reading *r, size_t *n)
{
	uint64_t i = get(r);

	*n = 0;
	if (i == 0)
		return NULL;
	sym s = i <= UINT32_MAX ? cache_sym(r->t, (uint32_t)(i - 1), n) : NULL;
	r->bad |= s == NULL;
	return s;
}

static sym
get_sym(struct reading *r)
{
	size_t n;

	return get_text(r, &n);
}

/* One that has to be there. */
static sym
get_name(struct reading *r)
{
	sym s = get_sym(r);

	r->bad |= s == NULL;
	return s != NULL ? s : "";
}

static const struct value *get_value(struct reading *r);

/* Never NULL among items and keywords. */
static const struct value *
get_part(struct reading *r)
{
	static const struct value none = { .kind = VALUE_NONE };
	const struct value *v = get_value(r);

	r->bad |= v == NULL;
	return v != NULL ? v : &none;
}

static void
get_items(struct reading *r, struct value *v, uint32_t flags)
{
	uint32_t n = flags & V_ITEMS ? get_count(r) : 0;
	const struct value **items = n > 0 ? arena_array(r->t->a,
	    const struct value *, n) : NULL;

	for (; v->n < n && !r->bad; v->n++)
		items[v->n] = get_part(r);
	v->items = items;
	n = flags & V_KW ? get_count(r) : 0;
	struct kwarg *kw = n > 0 ? arena_array(r->t->a, struct kwarg, n) : NULL;
	for (; v->nkw < n && !r->bad; v->nkw++) {
		kw[v->nkw].name = get_name(r);
		kw[v->nkw].value = get_part(r);
	}
	v->kw = kw;
}

static const struct value *
get_value(struct reading *r)
{
	uint32_t kind = get_below(r, VALUE_CALL + 2);

	if (kind == 0 || r->bad)
		return NULL;
	if (++r->depth > NESTED) {
		r->bad = true;
		return NULL;
	}
	struct value *v = arena_make(r->t->a, struct value);
	uint32_t flags = get_below(r, 256);
	v->kind = kind - 1;
	v->maybe = (flags & V_MAYBE) != 0;
	v->line = get_below(r, UINT32_MAX);
	v->depth = (uint16_t)get_below(r, VALUE_DEPTH + 1);
	v->weight = get_below(r, (uint64_t)READER_WEIGHT * 2);
	if (flags & V_INT)
		v->i = (int64_t)get(r);
	if (flags & V_TEXT)
		v->text = get_text(r, &v->len);
	if (flags & V_NAME)
		v->name = get_sym(r);
	if (flags & V_WHY)
		v->why = get_sym(r);
	if (flags & V_BASE)
		v->base = get_sym(r);
	get_items(r, v, flags);
	r->depth--;
	bool text = v->kind == VALUE_STR || v->kind == VALUE_BYTES ||
	    v->kind == VALUE_FLOAT || v->kind == VALUE_OPAQUE;
	bool name = v->kind == VALUE_NAME || v->kind == VALUE_CALL;
	r->bad |= (text && v->text == NULL) || (name && v->name == NULL) ||
	    (v->kind == VALUE_DICT && v->n % 2 != 0);
	return v;
}

static const struct sql_text *
get_sql(struct reading *r, uint32_t *n)
{
	*n = get_count(r);
	struct sql_text *s = *n > 0 ? arena_array(r->t->a, struct sql_text,
	    *n) : NULL;

	for (uint32_t i = 0; i < *n && !r->bad; i++) {
		s[i].text = get_sym(r);
		s[i].line = get_below(r, UINT32_MAX);
		s[i].why = get_sym(r);
	}
	return s;
}

static struct op_list
get_ops(struct reading *r)
{
	struct op_list l = { .n = get_count(r) };
	struct op *v = l.n > 0 && ++r->depth < NESTED ? arena_array(r->t->a,
	    struct op, l.n) : NULL;

	r->bad |= l.n > 0 && v == NULL;
	for (uint32_t i = 0; i < l.n && !r->bad; i++) {
		struct op *o = &v[i];
		o->kind = get_below(r, OP_SEPARATE + 1);
		o->line = get_below(r, UINT32_MAX);
		o->cls = get_sym(r);
		o->model = get_sym(r);
		o->title = get_sym(r);
		o->name = get_sym(r);
		o->to = get_sym(r);
		o->value = get_value(r);
		o->fields = get_value(r);
		o->options = get_value(r);
		o->bases = get_value(r);
		uint32_t bits = get_below(r, 128);
		o->preserve_default = bits & 1;
		o->concurrently = (bits & 2) != 0;
		o->not_valid = (bits & 4) != 0;
		o->reversible = (bits & 8) != 0;
		o->noop = (bits & 16) != 0;
		o->rnoop = (bits & 32) != 0;
		o->maybe = (bits & 64) != 0;
		o->not_in = (uint8_t)get_below(r, ALL_WORLDS);
		o->sql = get_sql(r, &o->nsql);
		o->rsql = get_sql(r, &o->nrsql);
		o->db = get_ops(r);
		o->state = get_ops(r);
		o->why = get_sym(r);
	}
	if (l.n > 0)
		r->depth--;
	l.v = v;
	return l;
}

static const struct dep *
get_deps(struct reading *r, uint32_t *n)
{
	*n = get_count(r);
	struct dep *d = *n > 0 ? arena_array(r->t->a, struct dep, *n) : NULL;

	for (uint32_t i = 0; i < *n && !r->bad; i++) {
		d[i].app = get_name(r);
		d[i].name = get_name(r);
		d[i].swappable = get_below(r, 2) != 0;
		d[i].line = get_below(r, UINT32_MAX);
	}
	return d;
}

static const struct condition *
get_conds(struct reading *r, uint32_t *n)
{
	*n = get_below(r, CONDS_MAX + 1);
	struct condition *c = *n > 0 ? arena_array(r->t->a, struct condition,
	    *n) : NULL;

	for (uint32_t i = 0; i < *n && !r->bad; i++) {
		c[i].id = get_name(r);
		c[i].text = get_name(r);
		c[i].line = get_below(r, UINT32_MAX);
	}
	return c;
}

static void
get_tag(struct reading *r, struct tag *t)
{
	t->source = get_below(r, TAG_SENTRY + 1);
	t->value = get_below(r, TAG_NEVER + 1);
	t->reverse = get_below(r, TAG_NEVER + 1);
	t->delay_ms = (int64_t)get(r);
	t->repeat = get_below(r, 2) != 0;
	t->bound = get_sym(r);
	t->because = get_sym(r);
	t->line = get_below(r, UINT32_MAX);
	t->wrong = get_sym(r);
}

static bool
get_digest(struct reading *r, char *out, size_t size)
{
	sym s = get_name(r);

	if (strlen(s) >= size)
		return false;
	memcpy(out, s, strlen(s));
	return true;
}

bool
cache_decode(struct migration *out, struct cache_text *t,
    const unsigned char *p, size_t n)
{
	struct reading r = { p, p + n, t, 0, false };

	*out = (struct migration){ 0 };
	out->app = get_name(&r);
	out->name = get_name(&r);
	out->path = get_name(&r);
	if (!get_digest(&r, out->digest, sizeof(out->digest)) ||
	    !get_digest(&r, out->bound, sizeof(out->bound)))
		return false;
	uint32_t bits = get_below(&r, 32);
	out->atomic = bits & 1;
	out->initial = (bits & 2) != 0;
	out->initial_set = (bits & 4) != 0;
	out->initial_value = (bits & 8) != 0;
	out->alone = (bits & 16) != 0;
	out->model_import = get_below(&r, UINT32_MAX);
	out->whole_write = get_below(&r, UINT32_MAX);
	get_tag(&r, &out->tag);
	out->deps = get_deps(&r, &out->ndeps);
	out->run_before = get_deps(&r, &out->nrun_before);
	out->replaces = get_deps(&r, &out->nreplaces);
	out->conds = get_conds(&r, &out->nconds);
	out->ops = get_ops(&r);
	return !r.bad && r.p == r.end;
}

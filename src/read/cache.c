#include "read/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "read/readers.h"
#include "reader.h"

/* The file: this, padded with NULs to HEAD bytes, then parts. Numbers are of
 * this machine's byte order; the mark tells. */
#define MARK "sluice: what was read, format 1, reader " READER
#define HEAD 128
#define ORDER 0x01020304u

struct part_head {
	uint32_t size;		/* of the part, this included; of 8 bytes */
	uint32_t nstrings, nrecords, nneeds;
	uint32_t text, body;	/* bytes of strings, of records */
	uint64_t sum;		/* of all behind it */
};

struct record {			/* sorted by id, path */
	unsigned char id[CACHE_ID];
	uint32_t path, at, size;	/* size 0: the file has no migration */
	uint32_t alone;
};

struct part {
	const unsigned char *records, *needs, *body;
	uint32_t nrecords, nneeds, nbody;
	struct cache_text text;
	bool holds;		/* its needs are as they were */
	bool sent;		/* by another process of this run */
};

struct entry {
	sym path, id;
	const struct migration *m;	/* NULL: none */
};

struct cache {
	struct arena *a;
	struct strbuf file, path;
	sym scope;
	struct part parts[CACHE_PARTS_MAX + READERS_MAX];
	uint32_t nparts, nkept;	/* nkept: of the file */
	struct list(struct entry) used, new;
};

/* Torn and bad bytes are found by it, not malice. */
uint64_t
cache_sum(const void *p, size_t n, uint64_t h)
{
	const unsigned char *s = p;

	h ^= 0x9e3779b97f4a7c15u;
	for (; n >= 8; n -= 8, s += 8) {
		uint64_t w;
		memcpy(&w, s, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	for (; n > 0; n--)
		h = (h ^ *s++) * 0xff51afd7ed558ccdu;
	return h ^ h >> 29;
}

/* The next part at p, 0 if there is none that is whole; its size. */
static size_t
part_open(struct cache *c, const unsigned char *p, size_t left)
{
	struct part *t = &c->parts[c->nparts];
	struct part_head h;

	if (left < sizeof(h) || c->nparts == countof(c->parts))
		return 0;
	memcpy(&h, p, sizeof(h));
	uint64_t want = sizeof(h) + (uint64_t)h.nrecords * sizeof(struct record) +
	    (uint64_t)h.nneeds * 12 + ((uint64_t)h.nstrings + 1) * 4 +
	    h.text + h.body;
	if (h.size > left || h.size % 8 != 0 || want > h.size ||
	    h.size - want >= 8 ||
	    cache_sum(p + sizeof(h), h.size - sizeof(h), h.size) != h.sum)
		return 0;
	t->records = p + sizeof(h);
	t->nrecords = h.nrecords;
	t->needs = t->records + h.nrecords * sizeof(struct record);
	t->nneeds = h.nneeds;
	t->text = (struct cache_text){ .offsets = t->needs + h.nneeds * 12,
	    .n = h.nstrings, .size = h.text, .a = c->a,
	    .known = arena_array(c->a, sym, h.nstrings + 1) };
	t->text.bytes = (const char *)t->text.offsets +
	    ((size_t)h.nstrings + 1) * 4;
	t->body = (const unsigned char *)t->text.bytes + h.text;
	t->nbody = h.body;
	t->holds = h.nneeds == 0;
	c->nparts++;
	return h.size;
}

static void
head_make(char head[HEAD], const char *scope)
{
	uint32_t order = ORDER, hash = (uint32_t)cache_sum(scope, strlen(scope), 1);

	memset(head, 0, HEAD);
	snprintf(head, HEAD - 8, "%s", MARK);
	memcpy(head + HEAD - 8, &order, 4);
	memcpy(head + HEAD - 4, &hash, 4);
}

/* Ours, and nobody else may write to it. */
static bool
file_open(struct cache *c)
{
	struct stat st;
	struct err none = ERR_INIT;
	int fd = open(c->path.s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return false;
	bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 022) == 0 &&
	    st.st_size <= CACHE_BYTES_MAX && st.st_size > HEAD &&
	    fd_read_all(&c->file, fd, &none) == 0;
	close(fd);
	return good;
}

struct cache *
cache_open(const char *folder, const char *scope, struct arena *a)
{
	struct cache *c = xcalloc(1, sizeof(*c));
	char head[HEAD];

	c->a = a;
	c->scope = sym_get(a, scope);
	c->file = (struct strbuf)STRBUF_LIMIT(CACHE_BYTES_MAX);
	c->path = (struct strbuf)STRBUF_INIT;
	if (folder == NULL)
		return c;
	strbuf_printf(&c->path, "%s/read-%08x", folder,
	    (uint32_t)cache_sum(scope, strlen(scope), 1));
	head_make(head, scope);
	if (!file_open(c) || c->file.len < HEAD ||
	    memcmp(c->file.s, head, HEAD) != 0)
		return c;
	const unsigned char *p = (const unsigned char *)c->file.s;
	for (size_t at = HEAD, n; at < c->file.len; at += n) {
		n = c->nkept < CACHE_PARTS_MAX ? part_open(c, p + at,
		    c->file.len - at) : 0;
		c->nkept = c->nparts;
		if (n == 0) {
			strbuf_cut(&c->file, at);
			break;
		}
	}
	return c;
}

void
cache_receive(struct cache *c, const struct strbuf *b)
{
	const void *own = arena_copy(c->a, b->s, b->len);

	if (part_open(c, own, b->len) == b->len && b->len > 0)
		c->parts[c->nparts - 1].sent = true;
}

void
cache_close(struct cache *c)
{
	if (c == NULL)
		return;
	strbuf_release(&c->file);
	strbuf_release(&c->path);
	free(c);
}

uint32_t
cache_parts(const struct cache *c)
{
	return c->nparts;
}

uint32_t
cache_needs(struct cache *c, uint32_t part, struct cache_need **out)
{
	struct part *t = &c->parts[part];
	struct cache_need *v = arena_array(c->a, struct cache_need,
	    t->nneeds + 1);

	*out = v;
	for (uint32_t i = 0; i < t->nneeds; i++) {
		uint32_t k[3];
		size_t n = 0, nid = 0;

		memcpy(k, t->needs + (size_t)i * 12, sizeof(k));
		v[i].dotted = cache_sym(&t->text, k[0], &n);
		if (k[1] != UINT32_MAX) {
			v[i].path = cache_sym(&t->text, k[1], &n);
			v[i].id = cache_sym(&t->text, k[2], &nid);
		}
		if (v[i].dotted == NULL || (k[1] != UINT32_MAX &&
		    (v[i].path == NULL || nid != CACHE_ID)))
			return 0;	/* never told to hold: see the caller */
	}
	return t->nneeds;
}

void
cache_part_holds(struct cache *c, uint32_t part)
{
	c->parts[part].holds = true;
}

/* The first record of that id in a part. */
static uint32_t
first(const struct part *t, const char *id)
{
	uint32_t low = 0, high = t->nrecords;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (memcmp(t->records + (size_t)mid * sizeof(struct record), id,
		    CACHE_ID) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int
part_get(struct part *t, struct migration *out, const char *path,
    const char *id)
{
	struct record r;
	size_t n;

	for (uint32_t i = first(t, id); i < t->nrecords; i++) {
		memcpy(&r, t->records + (size_t)i * sizeof(r), sizeof(r));
		if (memcmp(r.id, id, CACHE_ID) != 0)
			break;
		const char *is = cache_sym(&t->text, r.path, &n);
		if (is == NULL || !streq(is, path) || (!r.alone && !t->holds))
			continue;
		if (r.size == 0)
			return 0;
		if (r.at > t->nbody || r.size > t->nbody - r.at ||
		    !cache_decode(out, &t->text, t->body + r.at, r.size) ||
		    !streq(out->path, path))
			return -1;
		return 1;
	}
	return -1;
}

static void
note(struct entry *o, const char *path, const char *id,
    const struct migration *m)
{
	o->path = path;
	o->id = id;
	o->m = m;
}

int
cache_get(struct cache *c, struct migration **out, const char *path,
    const char *id)
{
	struct migration m;

	for (uint32_t i = c->nparts; i > 0; i--) {
		int r = part_get(&c->parts[i - 1], &m, path, id);
		if (r < 0)
			continue;
		*out = r == 0 ? NULL : arena_copy(c->a, &m, sizeof(m));
		/* what came of other files may not be kept on without them */
		if (c->parts[i - 1].sent)
			cache_put(c, path, id, *out);
		else if (r == 0 || m.alone)
			note(list_add(c->a, &c->used), path, id, *out);
		return r;
	}
	return -1;
}

void
cache_put(struct cache *c, const char *path, const char *id,
    const struct migration *m)
{
	note(list_add(c->a, &c->new), path, id, m);
}

struct building {
	struct strbuf body;
	struct cache_strings t;
	struct list(struct record) records;
	bool others;		/* one is not alone */
};

static void
add(struct cache *c, struct building *b, const struct entry *o)
{
	struct record r = { .alone = o->m == NULL || o->m->alone };
	size_t at = b->body.len;

	if (o->m != NULL && !cache_encode(&b->body, &b->t, o->m))
		return;
	memcpy(r.id, o->id, CACHE_ID);
	r.path = cache_string(&b->t, o->path, strlen(o->path));
	r.at = (uint32_t)at;
	r.size = (uint32_t)(b->body.len - at);
	b->others |= !r.alone;
	*list_add(c->a, &b->records) = r;
}

static int
by_id(const void *x, const void *y)
{
	return memcmp(x, y, CACHE_ID);
}

static void
put32(struct strbuf *b, uint32_t n)
{
	strbuf_add(b, &n, sizeof(n));
}

static void
put_needs(struct strbuf *out, struct building *b,
    const struct cache_need *needs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct cache_need *d = &needs[i];
		put32(out, cache_string(&b->t, d->dotted, strlen(d->dotted)));
		put32(out, d->path == NULL ? UINT32_MAX :
		    cache_string(&b->t, d->path, strlen(d->path)));
		put32(out, d->path == NULL ? UINT32_MAX :
		    cache_string(&b->t, d->id, CACHE_ID));
	}
}

/* The part's bytes behind what stands in out. */
static void
put_part(struct strbuf *out, struct building *b,
    const struct cache_need *needs, uint32_t n)
{
	struct part_head h = { .nrecords = b->records.n,
	    .nneeds = b->others ? n : 0, .body = (uint32_t)b->body.len };
	size_t begin = out->len, text = 0;

	qsort(b->records.v, b->records.n, sizeof(*b->records.v), by_id);
	strbuf_add(out, &h, sizeof(h));
	strbuf_add(out, b->records.v, b->records.n * sizeof(*b->records.v));
	put_needs(out, b, needs, h.nneeds);
	for (uint32_t i = 0; i < b->t.v.n; i++) {
		put32(out, (uint32_t)text);
		text += b->t.v.v[i].n + 1;
	}
	put32(out, (uint32_t)text);
	for (uint32_t i = 0; i < b->t.v.n; i++) {
		strbuf_add(out, b->t.v.v[i].s, b->t.v.v[i].n);
		strbuf_char(out, '\0');
	}
	strbuf_add(out, b->body.s, b->body.len);
	while ((out->len - begin) % 8 != 0)
		strbuf_char(out, '\0');
	if (out->over)
		return;
	h.nstrings = b->t.v.n;
	h.text = (uint32_t)text;
	h.size = (uint32_t)(out->len - begin);
	h.sum = cache_sum(out->s + begin + sizeof(h), h.size - sizeof(h), h.size);
	memcpy(out->s + begin, &h, sizeof(h));
}

/* Whoever renames last wins: what the other one added is read once more. */
static void
replace(const struct cache *c, const struct strbuf *b)
{
	struct strbuf temp STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf dir STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;
	struct stat st;

	strbuf_add(&dir, c->path.s, (size_t)(strrchr(c->path.s, '/') -
	    c->path.s));
	if (dir_make(dir.s, 0777, &none) < 0 || (lstat(c->path.s, &st) == 0 &&
	    (!S_ISREG(st.st_mode) || st.st_uid != geteuid())))
		return;
	strbuf_printf(&temp, "%s.%ld", c->path.s, (long)getpid());
	(void)unlink(temp.s);
	int fd = open(temp.s, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	bool good = fd_write_all(fd, b->s, b->len, &none) == 0;
	if (close(fd) < 0 || !good || rename(temp.s, c->path.s) < 0)
		(void)unlink(temp.s);
}

void
cache_write(struct cache *c, const struct cache_need *needs, uint32_t n)
{
	struct strbuf out STRBUF_SCOPED = STRBUF_LIMIT(CACHE_BYTES_MAX);
	struct building b = { .body = STRBUF_LIMIT(CACHE_BYTES_MAX) };
	bool again = c->nkept == CACHE_PARTS_MAX ||
	    c->file.len > CACHE_BYTES_MAX / 2;
	char head[HEAD];

	if (c->new.n == 0 || c->path.len == 0)
		return;
	b.t.a = c->a;
	head_make(head, c->scope);
	strbuf_add(&out, head, HEAD);
	if (!again && c->nkept > 0)
		strbuf_add(&out, c->file.s + HEAD, c->file.len - HEAD);
	/* past the bound only what this run used goes on */
	for (uint32_t i = 0; again && i < c->used.n; i++)
		add(c, &b, &c->used.v[i]);
	for (uint32_t i = 0; i < c->new.n; i++)
		add(c, &b, &c->new.v[i]);
	put_part(&out, &b, needs, n);
	if (!out.over && b.records.n > 0)
		replace(c, &out);
	cache_strings_release(&b.t);
	strbuf_release(&b.body);
}

void
cache_send(struct cache *c, struct strbuf *out)
{
	struct building b = { .body = STRBUF_LIMIT(CACHE_BYTES_MAX) };

	b.t.a = c->a;
	for (uint32_t i = 0; i < c->new.n; i++)
		if (c->new.v[i].m == NULL || c->new.v[i].m->alone)
			add(c, &b, &c->new.v[i]);
	put_part(out, &b, NULL, 0);
	cache_strings_release(&b.t);
	strbuf_release(&b.body);
}

/* A cache of any bytes behind a head and sums that are right: what comes out
 * may be nonsense, but must be whole. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "read/cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 128

static char folder[64], path[128];
static struct strbuf file = STRBUF_INIT;

static void
use(const struct op_list *l, struct strbuf *b)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->v[i].value != NULL)
			value_print(b, l->v[i].value);
		value_equal(l->v[i].fields, l->v[i].options);
		use(&l->v[i].db, b);
		use(&l->v[i].state, b);
	}
}

/* A cache with one migration, for its head. */
static void
begin(void)
{
	static const char text[] = "from django.db import migrations\n"
	    "class Migration(migrations.Migration):\n    operations = []\n";
	struct arena *a = arena_new();
	struct migration m;
	struct err e = ERR_INIT;

	snprintf(folder, sizeof(folder), "/tmp/sluice-fuzz-%ld", (long)getpid());
	snprintf(path, sizeof(path), "%s/read-8ef1b1df", folder);
	migration_read(&m, a, "app", "a.py", text, sizeof(text) - 1, NULL, &e);
	struct cache *c = cache_open(folder, "", a);
	cache_put(c, "a.py", sym_getn(a, "aaaaaaaaaaaaaaaaaaaa", CACHE_ID), &m);
	cache_write(c, NULL, 0);
	cache_close(c);
	if (file_read(&file, path, &e) < 0)
		abort();
	arena_free(a);
}

static void
set(const uint8_t *data, size_t size)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	uint32_t n;

	strbuf_add(&b, file.s, HEAD);
	strbuf_add(&b, data, size);
	if (size >= 32) {	/* one part, of all there is */
		n = (uint32_t)(size & ~(size_t)7);
		uint64_t sum = cache_sum(b.s + HEAD + 32, n - 32, n);
		memcpy(b.s + HEAD, &n, 4);
		memcpy(b.s + HEAD + 24, &sum, 8);
	}
	int fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0 || write(fd, b.s, b.len) != (ssize_t)b.len)
		abort();
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(1u << 16);
	struct cache_need *needs;
	struct migration *m;

	if (file.len == 0)
		begin();
	set(data, size);
	struct arena *a = arena_new();
	struct cache *c = cache_open(folder, "", a);
	for (uint32_t i = 0; i < cache_parts(c); i++) {
		cache_needs(c, i, &needs);
		cache_part_holds(c, i);
	}
	sym id = sym_getn(a, "aaaaaaaaaaaaaaaaaaaa", CACHE_ID);
	if (cache_get(c, &m, "a.py", id) == 1)
		use(&m->ops, &b);
	cache_close(c);
	arena_free(a);
	return 0;
}

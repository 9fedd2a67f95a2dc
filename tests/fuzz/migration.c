/* A migration out of any bytes, and what is then done with its values. */
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "read/migration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use(const struct value *v)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_LIMIT(1u << 20);

	if (v == NULL)
		return;
	value_print(&b, v);
	value_opaque(v);
	value_equal(v, v);
}

static void
use_ops(const struct op_list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		use(l->v[i].value);
		use(l->v[i].fields);
		use(l->v[i].options);
		use(l->v[i].bases);
		use_ops(&l->v[i].db);
		use_ops(&l->v[i].state);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct migration m;
	struct err e = ERR_INIT;

	if (migration_read(&m, a, "app", "app/migrations/0001_x.py",
	    (const char *)data, size, NULL, &e) == 1)
		use_ops(&m.ops);
	arena_free(a);
	return 0;
}

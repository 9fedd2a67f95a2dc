/* One comment out of any bytes. */
#include <stddef.h>
#include <stdint.h>

#include "read/tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct tag t;

	tag_parse(&t, a, (const char *)data, size, 1);
	arena_free(a);
	return 0;
}

/* SQL out of any bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "read/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct ddls d;
	char *text = calloc(1, size + 1);

	memcpy(text, data, size);
	sql_read(&d, a, text, 1);
	free(text);
	arena_free(a);
	return 0;
}

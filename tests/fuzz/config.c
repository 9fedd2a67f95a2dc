/* sluice.ini out of any bytes. */
#include <stddef.h>
#include <stdint.h>

#include "read/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct config c;
	struct err e = ERR_INIT;

	config_parse(&c, a, "f", (const char *)data, size, &e);
	arena_free(a);
	return 0;
}

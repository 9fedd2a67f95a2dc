#include "base/hex.h"

#include <md5.h>
#include <sha2.h>

void
sha256_hex(char out[65], const void *p, size_t n)
{
	SHA256Data(p, n, out);
}

void
md5_hex(char out[33], const void *p, size_t n)
{
	MD5Data(p, n, out);
}

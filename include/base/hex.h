/* SHA-256 and MD5 as hex, for digests and Django's generated names. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>

void sha256_hex(char out[65], const void *p, size_t n);
void md5_hex(char out[33], const void *p, size_t n);

#endif

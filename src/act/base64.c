#include "act/ssh.h"

#include <string.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
base64_size(size_t n)
{
	return (n + 2) / 3 * 4 + 1;
}

void
base64_put(char *out, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (; n > 0; s += 3, n -= n < 3 ? n : 3) {
		uint32_t v = (uint32_t)s[0] << 16;

		if (n > 1)
			v |= (uint32_t)s[1] << 8;
		if (n > 2)
			v |= s[2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = n > 1 ? digits[v >> 6 & 63] : '=';
		*out++ = n > 2 ? digits[v & 63] : '=';
	}
	*out = '\0';
}

int
base64_get(void *out, size_t max, const char *s, size_t n)
{
	uint8_t *o = out;
	size_t len = 0;
	uint32_t v = 0;
	int bits = 0;

	while (n > 0 && s[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		const char *d = s[i] != '\0' ? strchr(digits, s[i]) : NULL;
		if (d == NULL)
			return -1;
		v = v << 6 | (uint32_t)(d - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (len == max)
			return -1;
		o[len++] = (uint8_t)(v >> bits);
	}
	return (int)len;
}

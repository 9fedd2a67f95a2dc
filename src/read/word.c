#include "read/read.h"

#include <string.h>

#include "base/util.h"

#define WORD 48

size_t
word_distance(const char *a, const char *b)
{
	size_t row[3][WORD + 1];	/* two rows back, one back, this one */
	size_t n = strlen(a), m = strlen(b);

	if (n > WORD || m > WORD)
		return n > m ? n : m;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *now = row[i % 3];
		const size_t *one = row[(i - 1) % 3], *two = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t d = one[j - 1] + (a[i - 1] != b[j - 1]);
			if (one[j] + 1 < d)
				d = one[j] + 1;
			if (now[j - 1] + 1 < d)
				d = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && two[j - 2] + 1 < d)
				d = two[j - 2] + 1;
			now[j] = d;
		}
	}
	return row[n % 3][m];
}

/* What a migration says, apart from comments, layout and quoting, as a digest;
 * and the tags in its comments, found on the same way. */
#ifndef READ_DIGEST_H
#define READ_DIGEST_H

#include "base/arena.h"
#include "read/tag.h"

struct span { uint32_t start, end; };

/* skip: spans that do not count, sorted. The digest is 16 hex digits. */
void digest_read(char out[17], struct tag *t, struct arena *a,
    const char *text, size_t len, const struct span *skip, uint32_t n);

#endif

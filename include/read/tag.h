/* One comment beside the operations, or another tool's word for it:
 *	# sluice: unsafe auto -- drops Issue.source, which deployed code reads
 *	# sluice: safe for=3f2a91c4 reverse=unsafe because "backfill" repeat */
#ifndef READ_TAG_H
#define READ_TAG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum tag_source { TAG_NONE, TAG_AUTO, TAG_PERSON, TAG_SAFEMIGRATE, TAG_SYZYGY, TAG_SENTRY };
enum tag_value { TAG_UNSET, TAG_SAFE, TAG_UNSAFE, TAG_NEVER };

struct tag {
	enum tag_source source;
	enum tag_value value;		/* forward */
	enum tag_value reverse;		/* TAG_UNSET: follows the verdict */
	int64_t delay_ms;		/* 0: none */
	bool repeat;
	sym bound;			/* for=…, NULL: not bound yet */
	sym because;			/* NULL: no reason given */
	uint32_t line;			/* of the comment */
	sym wrong;			/* what is wrong with the tag, or NULL */
};

/* Reads one comment line (from '#'); *t stays TAG_NONE when it is none of
 * ours. A tag that is ours and wrong has `wrong` set and blocks. */
void tag_parse(struct tag *t, struct arena *a, const char *line, size_t len,
    uint32_t lineno);

#endif

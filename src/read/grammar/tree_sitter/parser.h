/* The grammar was generated for headers newer than Debian's tree-sitter: what
 * they add to it, for the same ABI. Used to compile the grammar only. */
#ifndef GRAMMAR_PARSER_H
#define GRAMMAR_PARSER_H

#include_next <tree_sitter/parser.h>

typedef struct {
	int32_t start, end;
} TSCharacterRange;

/* By position since; Debian's takes what follows as members of any order. */
#undef REDUCE
#define REDUCE(sym, children, precedence, production) {{			\
	.reduce = {							\
		.type = TSParseActionTypeReduce,			\
		.symbol = (sym),					\
		.child_count = (children),				\
		.dynamic_precedence = (precedence),			\
		.production_id = (production),				\
	},								\
}}

/* Is c in one of the n sorted ranges? */
static inline bool
set_contains(const TSCharacterRange *v, uint32_t n, int32_t c)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (c < v[mid].start)
			hi = mid;
		else if (c > v[mid].end)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

/* Pairs: a character, the state that it leads to. */
#define ADVANCE_MAP(...)						\
	do {								\
		static const uint16_t pairs_[] = { __VA_ARGS__ };	\
		for (uint32_t i_ = 0; i_ + 1 < sizeof(pairs_) /		\
		    sizeof(pairs_[0]); i_ += 2) {			\
			if (pairs_[i_] == lookahead) {			\
				state = pairs_[i_ + 1];			\
				goto next_state;			\
			}						\
		}							\
	} while (0)

#endif

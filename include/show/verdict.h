/* What sluice-check and the hooks say about migrations. */
#ifndef SHOW_VERDICT_H
#define SHOW_VERDICT_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "judge/verdict.h"

/* Something in the files that people have to mend before anything fits. */
struct verdict_wrong {
	sym path;		/* NULL: of no one file */
	uint32_t line;		/* 0: of no one line */
	bool holds;		/* what its folder comes to waits for it */
	sym text;
};

struct verdict_show {
	sym project;
	sym mode;		/* "release" or "alone" */
	sym base, head;		/* commit, "index", a folder; base NULL: nothing */
	const struct judgement *j;	/* NULL: it did not come to that */
	const struct verdict_wrong *wrong;
	uint32_t nwrong;
	bool all;		/* the fine ones too */
	/* which are shown; NULL: all; the others are counted, and shown only
	 * if they are refused */
	bool (*which)(void *ctx, const struct verdict *v);
	void *ctx;
	bool explain;		/* every reason, hazard and way back */
	bool colour;
	sym again;		/* the command that explains; NULL: none */
};

/* One line a migration, what follows from it indented below. */
void verdict_text(struct strbuf *b, const struct verdict_show *s);
/* One object, format 1: documented in sluice-check(1). */
void verdict_json(struct strbuf *b, const struct verdict_show *s);
/* For CI: annotations of GitHub's, a code quality report of GitLab's, SARIF
 * 2.1.0. What is refused is an error, a hazard a warning, unsafe a note; each
 * with the first way to write it, where there is one. */
void verdict_github(struct strbuf *b, const struct verdict_show *s);
void verdict_gitlab(struct strbuf *b, const struct verdict_show *s);
void verdict_sarif(struct strbuf *b, const struct verdict_show *s);
/* Something that holds is wrong in its folder: what it comes to, and what is
 * to be done about it, is told once that is mended. JSON has it all the same. */
bool verdict_waits(const struct verdict_show *s, const struct verdict *v);
/* "safe", "unsafe", or the word for what is refused. */
const char *verdict_word(const struct verdict *v);

#endif

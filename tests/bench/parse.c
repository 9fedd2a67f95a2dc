/* The reference of the benchmarks: what tree-sitter alone takes to parse the
 * files that are named on stdin, one a line. Prints files, bytes, seconds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tree_sitter/api.h>

#include "base/file.h"
#include "base/strbuf.h"

const TSLanguage *tree_sitter_python(void);

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(void)
{
	TSParser *parser = ts_parser_new();
	struct err e = ERR_INIT;
	char line[4096];
	size_t files = 0, bytes = 0;
	double spent = 0;

	ts_parser_set_language(parser, tree_sitter_python());
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct strbuf b STRBUF_SCOPED = STRBUF_INIT;

		line[strcspn(line, "\n")] = '\0';
		if (file_read(&b, line, &e) < 0) {
			fprintf(stderr, "parse: %s\n", e.msg);
			return 3;
		}
		double from = now();
		TSTree *tree = ts_parser_parse_string(parser, NULL, b.s,
		    (uint32_t)b.len);
		spent += now() - from;
		ts_tree_delete(tree);
		files++;
		bytes += b.len;
	}
	ts_parser_delete(parser);
	printf("%zu files, %zu bytes, %.3f s\n", files, bytes, spent);
	return 0;
}

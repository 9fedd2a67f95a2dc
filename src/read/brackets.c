/* Where a file that cannot be parsed goes wrong, when it is a bracket. */
#include <string.h>

#include "read/read.h"

#define OPEN_MAX 300
#define TOKENS_MAX 180000u	/* a parse takes some 240 bytes for each */

/* Past a string that begins at i; lines are counted. */
static size_t
past_string(const char *s, size_t len, size_t i, uint32_t *line)
{
	char q = s[i];
	size_t k = len - i >= 3 && s[i + 1] == q && s[i + 2] == q ? 3 : 1;

	for (i += k; i < len; i++) {
		if (s[i] == '\n' && k == 1)
			return i;
		*line += s[i] == '\n';
		if (s[i] == '\\' && i + 1 < len)
			*line += s[++i] == '\n';
		else if (s[i] == q && (k == 1 || (len - i >= 3 &&
		    s[i + 1] == q && s[i + 2] == q)))
			return i + k;
	}
	return len;
}

static bool
word_part(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

char
bracket_wrong(const char *s, size_t len, uint32_t *line)
{
	struct { char c; uint32_t line; } open[OPEN_MAX];
	uint32_t n = 0, at = 1, tokens = 0;
	bool word = false;

	for (size_t i = 0; i < len; ) {
		char c = s[i];
		bool part = word_part(c);
		tokens += c != ' ' && c != '\n' && c != '\t' &&
		    (!part || !word);
		word = part;
		if (tokens > TOKENS_MAX) {
			*line = at;
			return BRACKETS_MANY;
		}
		if (c == '#') {
			const char *nl = memchr(s + i, '\n', len - i);
			i = nl != NULL ? (size_t)(nl - s) : len;
			continue;
		}
		if (c == '"' || c == '\'') {
			i = past_string(s, len, i, &at);
			continue;
		}
		at += c == '\n';
		i++;
		if (c == '(' || c == '[' || c == '{') {
			if (n == OPEN_MAX) {
				*line = at;
				return BRACKETS_DEEP;
			}
			open[n].c = c;
			open[n++].line = at;
		} else if (c == ')' || c == ']' || c == '}') {
			char want = c == ')' ? '(' : (char)(c - 2);
			if (n == 0 || open[n - 1].c != want) {
				*line = n == 0 ? at : open[n - 1].line;
				return n == 0 ? c : open[n - 1].c;
			}
			n--;
		}
	}
	if (n == 0)
		return 0;
	*line = open[n - 1].line;
	return open[n - 1].c;
}

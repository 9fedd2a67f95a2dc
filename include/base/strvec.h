/* A NULL-terminated vector of owned strings: argv and environments. */
#ifndef BASE_STRVEC_H
#define BASE_STRVEC_H

#include <stddef.h>

struct strvec {
	char **v;		/* v[n] is NULL; v itself NULL when empty */
	size_t n, cap;
};

#define STRVEC_INIT { NULL, 0, 0 }
#define STRVEC_SCOPED __attribute__((cleanup(strvec_release)))

void strvec_release(struct strvec *v);
void strvec_push(struct strvec *v, const char *s);
void strvec_pushf(struct strvec *v, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void strvec_pushl(struct strvec *v, ...) __attribute__((sentinel));
/* Words of a configured command: blanks separate, '…' and "…" group,
 * backslash escapes; no expansion of any kind. -1: an open quote. */
int strvec_split(struct strvec *v, const char *words);

#endif

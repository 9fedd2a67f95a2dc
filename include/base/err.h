/* One failure, told once: a value without allocation, passed as the last
 * parameter. What is wrong in the user's files is not an err but a finding. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* What a program's exit code is made of. */
enum err_kind {
	ERR_NONE,
	ERR_CONFIG,		/* usage or configuration: exit 2 */
	ERR_TROUBLE,		/* could not tell or reach: exit 3 */
	ERR_REFUSED		/* understood, and no: exit 1 */
};

struct err {
	enum err_kind kind;
	char msg[1024];
};

#define ERR_INIT { ERR_NONE, "" }

/* All return -1, so that `return err_set(e, …)` reads well. Without a kind
 * the kind is ERR_TROUBLE. A text too long is cut at a character. */
int err_set(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int err_kind(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "…: strerror(errno)" */
int err_sys(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Puts "…: " before what is there; keeps the kind. */
int err_wrap(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void err_clear(struct err *e);

#endif

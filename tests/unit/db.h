/* A unit test that wants a database: with_pg() starts the test again under
 * tests/with-pg.sh unless that is already so. */
#ifndef TESTS_DB_H
#define TESTS_DB_H

#include "tap.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "act/pg.h"
#include "base/util.h"

#define CONNINFO ""		/* all of it is in the environment */

static inline void
with_pg(void)
{
	char self[PATH_MAX], script[PATH_MAX + 32];

	if (getenv("SLUICE_TEST_PG") != NULL)
		return;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		exit(3);
	self[n] = '\0';
	snprintf(script, sizeof(script), "%s", self);
	for (int i = 0; i < 3; i++)		/* build/unit/name */
		*strrchr(script, '/') = '\0';
	snprintf(script + strlen(script), 32, "/tests/with-pg.sh");
	execl("/bin/sh", "sh", script, self, (char *)NULL);
	exit(3);
}

static inline struct pg *
db_open(void)
{
	struct err e = ERR_INIT;
	struct pg *p = NULL;

	if (pg_open(&p, CONNINFO, "test", 5000, &e) < 0) {
		printf("Bail out! %s\n", e.msg);
		exit(3);
	}
	return p;
}

static inline void
db_run(struct pg *p, const char *sql)
{
	struct err e = ERR_INIT;

	if (pg_script(p, sql, &e) < 0)
		printf("# %s\n# in: %s\n", e.msg, sql);
}

/* The first field of the first row; "" when there is none. Static. */
static inline const char *
db_get(struct pg *p, const char *sql)
{
	static char text[4096];
	struct err e = ERR_INIT;
	struct pg_rows *r = NULL;

	text[0] = '\0';
	if (pg_exec(p, &r, sql, NULL, 0, &e) < 0)
		printf("# %s\n", e.msg);
	else if (pg_count(r) > 0 && pg_get(r, 0, 0) != NULL)
		snprintf(text, sizeof(text), "%s", pg_get(r, 0, 0));
	pg_rows_free(r);
	return text;
}

#endif

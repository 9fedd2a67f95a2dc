#include "gate/gitcmd.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/strvec.h"
#include "base/util.h"

static int
run(struct strbuf *out, const char *dir, const struct strbuf *input,
    const struct strvec *argv, struct err *e)
{
	struct strbuf errs STRBUF_SCOPED = STRBUF_LIMIT(64u << 10);
	struct child_spec spec = { .argv = argv->v, .cwd = dir };
	int code;

	if (child_run(&spec, input != NULL ? input->s : NULL,
		input != NULL ? input->len : 0, out,
		&errs, 60000, &code, e) < 0)
		return -1;
	if (code != 0) {
		struct strbuf said STRBUF_SCOPED = STRBUF_LIMIT(900);

		while (errs.len > 0 && errs.s[errs.len - 1] == '\n')
			strbuf_cut(&errs, errs.len - 1);
		strbuf_clean(&said, errs.s, errs.len, true);
		err_set(e, "git %s: %s", argv->v[1],
		    said.len > 0 ? said.s : "failed and says nothing");
	}
	return code;
}

static void
words(struct strvec *argv, va_list ap)
{
	const char *w;

	strvec_push(argv, "git");
	while ((w = va_arg(ap, const char *)) != NULL)
		strvec_push(argv, w);
}

int
gitcmd_run(struct strbuf *out, const char *dir, const struct strbuf *input,
    struct err *e, ...)
{
	struct strvec argv STRVEC_SCOPED = STRVEC_INIT;
	va_list ap;

	va_start(ap, e);
	words(&argv, ap);
	va_end(ap);
	return run(out, dir, input, &argv, e);
}

int
gitcmd_line(struct strbuf *out, const char *dir, struct err *e, ...)
{
	struct strvec argv STRVEC_SCOPED = STRVEC_INIT;
	va_list ap;

	va_start(ap, e);
	words(&argv, ap);
	va_end(ap);
	int r = run(out, dir, NULL, &argv, e);
	if (out->len > 0 && out->s[out->len - 1] == '\n')
		strbuf_cut(out, out->len - 1);
	return r;
}

/* What `git rev-parse --local-env-vars` names, and the hook's own. */
static bool
is_local(const char *var)
{
	static const char *const local[] = {
		"GIT_ALTERNATE_OBJECT_DIRECTORIES=", "GIT_CONFIG=",
		"GIT_CONFIG_PARAMETERS=", "GIT_CONFIG_COUNT=",
		"GIT_OBJECT_DIRECTORY=", "GIT_DIR=", "GIT_WORK_TREE=",
		"GIT_IMPLICIT_WORK_TREE=", "GIT_GRAFT_FILE=",
		"GIT_INDEX_FILE=", "GIT_NO_REPLACE_OBJECTS=",
		"GIT_REPLACE_REF_BASE=", "GIT_PREFIX=", "GIT_SHALLOW_FILE=",
		"GIT_COMMON_DIR=", "GIT_INTERNAL_SUPER_PREFIX=",
		"GIT_QUARANTINE_PATH=", "GIT_EXEC_PATH=", "GIT_EDITOR=",
		"GIT_REFLOG_ACTION=", "GIT_PUSH_OPTION_COUNT=",
	};

	for (size_t i = 0; i < countof(local); i++)
		if (starts_with(var, local[i]))
			return true;
	return starts_with(var, "GIT_CONFIG_KEY_") ||
	    starts_with(var, "GIT_CONFIG_VALUE_") ||
	    starts_with(var, "GIT_PUSH_OPTION_");
}

char **
gitcmd_clean_env(void)
{
	size_t n = 0;

	while (environ[n] != NULL)
		n++;
	char **env = xcalloc(n + 1, sizeof(*env));
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (!is_local(environ[i]))
			env[k++] = environ[i];
	return env;
}

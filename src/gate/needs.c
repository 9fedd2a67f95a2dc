#include "gate/needs.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/util.h"

#define LIST_MAX (256u << 10)

/* NUL after each path. */
static void
file_of(struct strbuf *b, const char *gitdir)
{
	size_t n = strlen(gitdir);

	strbuf_str(b, gitdir);
	if (n > 0 && gitdir[n - 1] != '/')
		strbuf_char(b, '/');
	strbuf_str(b, "sluice/needs");
}

int
needs_read(struct strbuf *out, const char *gitdir)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;

	file_of(&path, gitdir);
	return file_read(out, path.s, &none) < 0 ? 0 : 1;
}

bool
needs_has(const struct strbuf *list, const char *path)
{
	for (size_t at = 0; at < list->len; at += strlen(list->s + at) + 1)
		if (streq(list->s + at, path))
			return true;
	return false;
}

void
needs_add(struct strbuf *list, const char *path)
{
	if (!needs_has(list, path))
		strbuf_add(list, path, strlen(path) + 1);
}

void
needs_write(const struct strbuf *list, const char *gitdir)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;

	if (list->over || list->len > LIST_MAX)
		return;
	file_of(&path, gitdir);
	size_t n = path.len;
	strbuf_cut(&path, n - strlen("/needs"));
	if (dir_make(path.s, 0777, &none) < 0)
		return;
	strbuf_str(&path, "/needs");
	(void)file_write(path.s, list->s, list->len, 0666, &none);
}

void
needs_gitdir(struct strbuf *out)
{
	const char *index = getenv("GIT_INDEX_FILE");
	const char *slash = index != NULL ? strrchr(index, '/') : NULL;
	const char *dir = getenv("GIT_DIR");

	if (slash != NULL && (starts_with(slash, "/index") ||
		starts_with(slash, "/next-index-")))
		strbuf_add(out, index, (size_t)(slash - index));
	else
		strbuf_str(out, dir != NULL ? dir : ".git");
}

#include "gate/hookfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "gate/gate.h"
#include "gate/gitcmd.h"

#define MARK "#!/bin/sh\n# sluice hook "
#define VARIABLE "\nsluice='"

void
hook_place_release(struct hook_place *p)
{
	strbuf_release(&p->dir);
	strbuf_release(&p->top);
	strbuf_release(&p->refuse);
}

/* core.hooksPath and where it was set: "" where it is not. */
static int
hooks_path(struct strbuf *scope, struct strbuf *path, const char *dir,
    struct err *e)
{
	struct strbuf line STRBUF_SCOPED = STRBUF_INIT;
	int r = gitcmd_line(&line, dir, e, "config", "--show-scope", "--type",
	    "path", "--get", "core.hooksPath", NULL);

	if (r == 1)
		return 0;
	if (r != 0)
		return -1;
	const char *tab = strchr(line.s, '\t');
	if (tab == NULL)
		return err_set(e, "cannot read git's '%s'", line.s);
	strbuf_add(scope, line.s, (size_t)(tab - line.s));
	strbuf_str(path, tab + 1);
	return 0;
}

static bool
inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return starts_with(path, folder) && (path[n] == '/' || path[n] == '\0');
}

static void
absolute(struct strbuf *b, const char *top, const char *path)
{
	char real[PATH_MAX];
	struct strbuf joined STRBUF_SCOPED = STRBUF_INIT;

	if (path[0] != '/')
		strbuf_printf(&joined, "%s/", top);
	strbuf_str(&joined, path);
	strbuf_str(b, realpath(joined.s, real) != NULL ? real : joined.s);
}

static void
refuse(struct hook_place *p, const char *why, const char *guard)
{
	static const char *const client[] = { "pre-commit", "pre-merge-commit",
		"pre-push", NULL };
	static const char *const server[] = { "pre-receive", "post-receive",
		NULL };

	strbuf_printf(&p->refuse,
	    "core.hooksPath is '%s', %s, so nothing is written there\n"
	    "write it yourself, where a hook that is new begins with #!/bin/sh "
	    "and is executable:", p->dir.s, why);
	for (const char *const *h = p->bare ? server : client; *h != NULL; h++)
		strbuf_printf(&p->refuse, "\n\tin %s:  %ssluice-hook %s \"$@\" "
		    "|| exit 1", *h, guard, *h);
}

/* A hooks folder that is not this repository's own is not ours to fill. */
static int
judge_hooks_path(struct hook_place *p, const char *common, const char *scope,
    struct err *e)
{
	if (inside(p->dir.s, common))
		return 0;
	if (!streq(scope, "local") && !streq(scope, "worktree")) {
		refuse(p, "which serves every repository of this user",
		    p->bare ? "[ ! -e \"$(git rev-parse --git-dir)/sluice.ini\" ] || "
			    : "[ ! -e sluice.ini ] || ");
		return 0;
	}
	if (p->bare || !inside(p->dir.s, p->top.s))
		return 0;
	struct strbuf tracked STRBUF_SCOPED = STRBUF_INIT;
	if (gitcmd_line(&tracked, p->top.s, e, "ls-files", "--", p->dir.s,
		NULL) != 0)
		return -1;
	if (ends_with(p->dir.s, "/.husky/_")) {
		strbuf_cut(&p->dir, p->dir.len - 2);
		refuse(p, "which husky writes anew at each install", "");
	} else if (tracked.len > 0) {
		refuse(p, "which is under version control", "");
	}
	return 0;
}

int
hook_place(struct hook_place *p, const char *dir, struct err *e)
{
	struct strbuf bare STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf common STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf real STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf scope STRBUF_SCOPED = STRBUF_INIT;
	char here[PATH_MAX];

	if (realpath(dir != NULL ? dir : ".", here) == NULL)
		return err_kind(e, ERR_CONFIG, "cannot open '%s': %s",
		    dir != NULL ? dir : ".", strerror(errno));
	if (gitcmd_line(&bare, here, e, "rev-parse", "--is-bare-repository",
		NULL) != 0)
		return err_kind(e, ERR_CONFIG, "no git repository at '%s': %s",
		    here, e->msg);
	p->bare = streq(bare.s, "true");
	if (gitcmd_line(&p->top, here, e, "rev-parse",
		p->bare ? "--absolute-git-dir" : "--show-toplevel", NULL) != 0)
		return -1;
	if (gitcmd_line(&common, p->top.s, e, "rev-parse", "--git-common-dir",
		NULL) != 0 ||
	    hooks_path(&scope, &path, p->top.s, e) < 0)
		return -1;
	absolute(&real, p->top.s, common.s);
	if (path.len == 0) {
		strbuf_printf(&p->dir, "%s/hooks", real.s);
		return 0;
	}
	absolute(&p->dir, p->top.s, path.s);
	return judge_hooks_path(p, real.s, scope.s, e);
}

void
gate_quote(struct strbuf *b, const char *s)
{
	strbuf_char(b, '\'');
	for (; *s != '\0'; s++)
		if (*s == '\'')
			strbuf_str(b, "'\\''");
		else
			strbuf_char(b, *s);
	strbuf_char(b, '\'');
}

void
gate_unquote(struct strbuf *b, const char *s)
{
	for (; *s != '\0' && *s != '\n'; s++) {
		if (starts_with(s, "'\\''")) {
			strbuf_char(b, '\'');
			s += 3;
		} else if (*s == '\'') {
			return;
		} else {
			strbuf_char(b, *s);
		}
	}
}

static void
stub(struct strbuf *b, const char *name, const char *program)
{
	strbuf_printf(b, "%s1: %s. sluice-install --uninstall puts back what was here.\n",
	    MARK, name);
	strbuf_str(b, "sluice=");
	gate_quote(b, program);
	strbuf_printf(b,
	    "\nif [ ! -x \"$sluice\" ]; then\n"
	    "\techo \"sluice: '$sluice' is gone, so this %s is refused\" >&2\n"
	    "\techo \"sluice: to repair: build and install Sluice, then run sluice-install here\" >&2\n"
	    "\techo \"sluice: to remove: rm '$0'\" >&2\n"
	    "\t[ ! -e \"${0%%/*}/%s" HOOK_BEFORE "\" ] ||\n"
	    "\t\techo \"sluice: and then: mv '${0%%/*}/%s" HOOK_BEFORE "' '$0'\" >&2\n"
	    "\texit 1\n"
	    "fi\n"
	    "exec \"$sluice\" --first \"${0%%/*}/%s" HOOK_BEFORE "\" %s \"$@\"\n",
	    name, name, name, name, name);
}

/* 1: read. 0: nothing there. */
static int
slurp(struct strbuf *b, const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 :
		    err_sys(e, "cannot look at '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(e, "'%s' is a folder, not a hook", path);
	if (S_ISREG(st.st_mode) && st.st_size <= (64 << 10))
		return file_read(b, path, e) < 0 ? -1 : 1;
	return 1;	/* a link or something large: not ours, whatever it says */
}

static bool
is_ours(const struct strbuf *text)
{
	return starts_with(text->s, MARK);
}

int
hook_state(struct hook_state *s, const char *dir, const char *name,
    const char *program, struct err *e)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf want STRBUF_SCOPED = STRBUF_INIT;
	struct stat st;

	strbuf_printf(&path, "%s/%s%s", dir, name, HOOK_BEFORE);
	s->before = lstat(path.s, &st) == 0;
	strbuf_cut(&path, path.len - strlen(HOOK_BEFORE));
	int r = slurp(&text, path.s, e);
	if (r <= 0)
		return r;
	s->owner = is_ours(&text) ? HOOK_OURS : HOOK_FOREIGN;
	if (s->owner == HOOK_FOREIGN) {
		strbuf_str(&path, ".legacy");
		strbuf_reset(&text);
		r = slurp(&text, path.s, e);
		if (r < 0 || r == 0 || !is_ours(&text))
			return r < 0 ? -1 : 0;
		s->owner = HOOK_BEHIND;
	}
	const char *v = strstr(text.s, VARIABLE);
	if (v != NULL)
		gate_unquote(&s->program, v + strlen(VARIABLE));
	s->gone = access(s->program.s, X_OK) != 0;
	stub(&want, name, program);
	s->stale = !streq(want.s, text.s);
	return 0;
}

/* Keeps what stands at path under its second name, without a moment in which
 * neither name has it. */
static int
keep(const char *path, const char *before, struct err *e)
{
	if (linkat(AT_FDCWD, path, AT_FDCWD, before, 0) == 0)
		return 0;
	struct stat x, y;
	if (errno == EEXIST && lstat(path, &x) == 0 && lstat(before, &y) == 0 &&
	    x.st_dev == y.st_dev && x.st_ino == y.st_ino)
		return 0;	/* a broken-off install got this far */
	if (lstat(before, &y) == 0)
		return err_kind(e, ERR_REFUSED,
		    "both '%s' and '%s' are there and neither is ours: "
		    "remove the one that is not wanted", path, before);
	if (rename(path, before) < 0)
		return err_sys(e, "cannot move '%s' aside", path);
	return 0;
}

int
hook_put(const char *dir, const char *name, const char *program,
    struct err *e)
{
	struct hook_state s = HOOK_STATE_INIT;
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf before STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	int r = hook_state(&s, dir, name, program, e);

	strbuf_release(&s.program);
	if (r < 0)
		return -1;
	bool ours = s.owner == HOOK_OURS || s.owner == HOOK_BEHIND;
	if (ours && !s.stale)
		return 0;
	strbuf_printf(&path, "%s/%s%s", dir, name,
	    s.owner == HOOK_BEHIND ? ".legacy" : "");
	strbuf_printf(&before, "%s/%s%s", dir, name, HOOK_BEFORE);
	if (dir_make(dir, 0777, e) < 0)
		return -1;
	if (s.owner == HOOK_FOREIGN && keep(path.s, before.s, e) < 0)
		return -1;
	stub(&text, name, program);
	return file_write(path.s, text.s, text.len, 0755, e) < 0 ? -1 : 1;
}

int
hook_remove(const char *dir, const char *name, struct err *e)
{
	struct hook_state s = HOOK_STATE_INIT;
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf before STRBUF_SCOPED = STRBUF_INIT;
	int r = hook_state(&s, dir, name, "", e);

	strbuf_release(&s.program);
	if (r < 0)
		return -1;
	if (s.owner != HOOK_OURS && s.owner != HOOK_BEHIND)
		return 0;
	strbuf_printf(&path, "%s/%s%s", dir, name,
	    s.owner == HOOK_BEHIND ? ".legacy" : "");
	strbuf_printf(&before, "%s/%s%s", dir, name, HOOK_BEFORE);
	if (s.before ? rename(before.s, path.s) < 0 : unlink(path.s) < 0)
		return err_sys(e, "cannot take '%s' out", path.s);
	return 1;
}

#include "gate/hookconfig.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "gate/gate.h"
#include "gate/gitcmd.h"

int
hookconfig_known(struct strbuf *version, struct err *e)
{
	struct strbuf line STRBUF_SCOPED = STRBUF_INIT;
	int major = 0, minor = 0;

	if (gitcmd_line(&line, NULL, e, "version", NULL) != 0)
		return -1;
	strbuf_str(version, line.s);
	if (sscanf(line.s, "git version %d.%d", &major, &minor) != 2)
		return 0;
	return major > 2 || (major == 2 && minor >= 54);
}

/* The section may not be called as the event is: git has other keys there. */
static void
key(struct strbuf *b, const char *name, const char *what)
{
	strbuf_printf(b, "hook.sluice-%s%s", name, what);
}

/* Git puts "$@" behind it. */
static void
command(struct strbuf *b, const char *name, const char *program)
{
	strbuf_str(b, "sluice=");
	gate_quote(b, program);
	strbuf_printf(b, "; [ -x \"$sluice\" ] || { "
	    "echo \"sluice: '$sluice' is gone, so this %s is refused\"; "
	    "echo \"sluice: to repair: build and install Sluice, then run sluice-install here\"; "
	    "echo \"sluice: to remove: git config --remove-section hook.sluice-%s\"; "
	    "exit 1; } >&2; exec \"$sluice\" %s", name, name, name);
}

static int
get(struct strbuf *out, const char *dir, const char *name, const char *what,
    struct err *e)
{
	struct strbuf k STRBUF_SCOPED = STRBUF_INIT;

	key(&k, name, what);
	int r = gitcmd_line(out, dir, e, "config", "--local", "--get", k.s,
	    NULL);
	return r < 0 || r > 1 ? -1 : r == 0;
}

int
hookconfig_state(bool *stale, struct strbuf *program, const char *dir,
    const char *name, const char *want, struct err *e)
{
	struct strbuf is STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf event STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	int r = get(&is, dir, name, ".command", e);

	if (r <= 0 || get(&event, dir, name, ".event", e) < 0)
		return r <= 0 ? r : -1;
	command(&text, name, want);
	*stale = !streq(is.s, text.s) || !streq(event.s, name);
	if (starts_with(is.s, "sluice='"))
		gate_unquote(program, is.s + strlen("sluice='"));
	return 1;
}

static int
set(const char *dir, const char *name, const char *what, const char *value,
    struct err *e)
{
	struct strbuf none STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf k STRBUF_SCOPED = STRBUF_INIT;

	key(&k, name, what);
	return gitcmd_run(&none, dir, NULL, e, "config", "--local",
	    "--replace-all", k.s, value, NULL) == 0 ? 0 : -1;
}

int
hookconfig_put(const char *dir, const char *name, const char *program,
    struct err *e)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf old STRBUF_SCOPED = STRBUF_INIT;
	bool stale = false;
	int r = hookconfig_state(&stale, &old, dir, name, program, e);

	if (r < 0 || (r == 1 && !stale))
		return r < 0 ? -1 : 0;
	command(&text, name, program);
	/* the event last: half of it is no hook yet */
	return set(dir, name, ".command", text.s, e) < 0 ||
	    set(dir, name, ".event", name, e) < 0 ? -1 : 1;
}

int
hookconfig_remove(const char *dir, const char *name, struct err *e)
{
	struct strbuf none STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf k STRBUF_SCOPED = STRBUF_INIT;
	int r = get(&none, dir, name, ".command", e);

	if (r <= 0)
		return r;
	key(&k, name, "");
	return gitcmd_run(&none, dir, NULL, e, "config", "--local",
	    "--remove-section", k.s, NULL) == 0 ? 1 : -1;
}

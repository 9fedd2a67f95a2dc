#include "gate/survey.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "gate/gate.h"
#include "gate/gitcmd.h"

struct found {
	struct strbuf root;		/* folder of manage.py; "." for the top */
	struct strbuf settings;		/* dotted */
	struct strbuf python, user, field, engine, base;
	const char *python_from;
};

static int
slashes(const char *s)
{
	int n = 0;

	for (; *s != '\0'; s++)
		n += *s == '/';
	return n;
}

/* The manage.py that is nearest to the top. 0: there is none. */
static int
find_root(struct found *f, const char *top, struct err *e)
{
	struct strbuf names STRBUF_SCOPED = STRBUF_INIT;
	const char *best = NULL;

	if (gitcmd_run(&names, top, NULL, e, "ls-files", "-z", "--cached",
		"--others", "--exclude-standard", "--", "manage.py",
		"*/manage.py", NULL) != 0)
		return -1;
	for (const char *p = names.s; p < names.s + names.len;
	    p += strlen(p) + 1)
		if (best == NULL || slashes(p) < slashes(best))
			best = p;
	if (best == NULL)
		return 0;
	if (strchr(best, '/') == NULL)
		strbuf_str(&f->root, ".");
	else
		strbuf_add(&f->root, best, strlen(best) - strlen("/manage.py"));
	return 1;
}

/* The string that stands behind `name` and some of = , ( : and blanks. */
static bool
value_after(struct strbuf *out, const char *text, const char *name)
{
	for (const char *p = text; (p = strstr(p, name)) != NULL;) {
		p += strlen(name);
		p += strspn(p, "'\"");
		p += strspn(p, " \t=,(:");
		if (*p != '\'' && *p != '"')
			continue;
		size_t n = strcspn(p + 1, "'\"\n");
		if (n == 0 || p[1 + n] != *p)
			continue;
		strbuf_add(out, p + 1, n);
		return true;
	}
	return false;
}

static bool
read_below(struct strbuf *out, const char *top, const char *root,
    const char *path)
{
	struct strbuf full STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;

	strbuf_printf(&full, "%s/%s/%s", top, root, path);
	return file_exists(full.s) && file_read(out, full.s, &none) == 0;
}

/* What the settings say, be they a module or a package with a base.py. */
static void
find_settings(struct found *f, const char *top)
{
	static const char *const tails[] = { ".py", "/__init__.py", "/base.py",
		NULL };		/* NULL: base.py beside the module */
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;

	for (size_t i = 0; i < countof(tails); i++) {
		struct strbuf path STRBUF_SCOPED = STRBUF_INIT;

		strbuf_str(&path, f->settings.s);
		for (char *p = path.s; *p != '\0'; p++)
			*p = *p == '.' ? '/' : *p;
		if (tails[i] == NULL && strrchr(path.s, '/') != NULL)
			strbuf_cut(&path, (size_t)(strrchr(path.s, '/') - path.s));
		strbuf_str(&path, tails[i] != NULL ? tails[i] : "/base.py");
		read_below(&text, top, f->root.s, path.s);
	}
	value_after(&f->user, text.s, "AUTH_USER_MODEL");
	value_after(&f->field, text.s, "DEFAULT_AUTO_FIELD");
	value_after(&f->engine, text.s, "ENGINE");
}

/* $VIRTUAL_ENV if it stands in the tree, else what usually does; else the name
 * that PATH has while it is active. */
static void
find_python(struct found *f, const char *top)
{
	static const char *const usual[] = { ".venv", "venv", "env" };
	const char *active = getenv("VIRTUAL_ENV");
	struct strbuf own STRBUF_SCOPED = STRBUF_INIT;
	const char *const starts[] = { f->root.s, "." };

	f->python_from = "$VIRTUAL_ENV";
	for (size_t i = 0; active != NULL && i < countof(starts); i++) {
		strbuf_reset(&own);
		strbuf_printf(&own, "%s/", top);
		if (!streq(starts[i], "."))
			strbuf_printf(&own, "%s/", starts[i]);
		if (starts_with(active, own.s)) {
			strbuf_printf(&f->python, "%s/bin/python",
			    active + own.len);
			return;
		}
	}
	f->python_from = "what is there";
	for (size_t i = 0; i < 2 * countof(usual); i++) {
		strbuf_reset(&own);
		strbuf_printf(&own, "%s/%s/%s/bin/python", top, starts[i % 2],
		    usual[i / 2]);
		if (access(own.s, X_OK) == 0) {
			strbuf_printf(&f->python, "%s/bin/python", usual[i / 2]);
			return;
		}
	}
	if (active != NULL && *active != '\0') {
		f->python_from = "$VIRTUAL_ENV, which is to be active";
		strbuf_str(&f->python, "python");
	}
}

/* The branch that origin's HEAD names, else the one that is checked out. */
static void
find_base(struct found *f, const char *top)
{
	struct strbuf head STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;
	const char *name = NULL;

	if (gitcmd_line(&head, top, &none, "symbolic-ref", "-q",
		"refs/remotes/origin/HEAD", NULL) == 0)
		name = head.s + strlen("refs/remotes/origin/");
	else if (strbuf_reset(&head), gitcmd_line(&head, top, &none,
		"symbolic-ref", "-q", "HEAD", NULL) == 0)
		name = head.s + strlen("refs/heads/");
	if (name != NULL && !streq(name, "main"))
		strbuf_str(&f->base, name);
}

static void
line(struct strbuf *out, struct strbuf *said, const char *key,
    const struct strbuf *value, const char *from)
{
	if (value->len == 0)
		return;
	strbuf_printf(out, "%s = %s\n", key, value->s);
	strbuf_printf(said, "  %s = %s%s%s\n", key, value->s,
	    *from != '\0' ? ", from " : "", from);
}

static int
write_it(struct found *f, struct strbuf *said, const char *top,
    const char *path, struct err *e)
{
	struct strbuf text STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf out STRBUF_SCOPED = STRBUF_INIT;
	int r = find_root(f, top, e);

	if (r < 0)
		return -1;
	if (r == 0 || !read_below(&text, top, f->root.s, "manage.py") ||
	    !value_after(&f->settings, text.s, "DJANGO_SETTINGS_MODULE")) {
		strbuf_str(said, "there is no sluice.ini, and no manage.py with "
		    "a settings module to write one from: see "
		    "config.ini.example\n");
		return 0;
	}
	find_settings(f, top);
	find_python(f, top);
	find_base(f, top);
	strbuf_str(&out, "# Written by sluice-install; every key is in "
	    "config.ini.example.\n[project]\n");
	strbuf_str(said, "sluice.ini is written; commit it:\n");
	if (!streq(f->root.s, "."))
		line(&out, said, "root", &f->root, "manage.py");
	line(&out, said, "settings", &f->settings, "manage.py");
	line(&out, said, "python", &f->python, f->python_from);
	line(&out, said, "user_model", &f->user, "the settings");
	line(&out, said, "auto_field", &f->field, "the settings");
	line(&out, said, "base", &f->base, "git");
	if (f->python.len == 0)
		strbuf_str(said, "no virtual environment was found: python = "
		    "names the one with Django\n");
	if (f->engine.len > 0)
		strbuf_printf(said, "the database is %s%s\n", f->engine.s,
		    strstr(f->engine.s, "postg") != NULL ? "" :
		    ": Sluice judges for PostgreSQL");
	return file_write(path, out.s, out.len, 0644, e) < 0 ? -1 : 1;
}

int
survey_write(struct strbuf *said, const char *top, struct err *e)
{
	struct strbuf path STRBUF_SCOPED = STRBUF_INIT;
	struct found f = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT,
		STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, "" };

	strbuf_printf(&path, "%s/sluice.ini", top);
	if (file_exists(path.s))
		return 0;
	int r = write_it(&f, said, top, path.s, e);
	strbuf_release(&f.root);
	strbuf_release(&f.settings);
	strbuf_release(&f.python);
	strbuf_release(&f.user);
	strbuf_release(&f.field);
	strbuf_release(&f.engine);
	strbuf_release(&f.base);
	return r;
}

void
survey_managers(struct strbuf *said, const char *top)
{
	static const struct { const char *file, *text; } managers[] = {
		{ ".pre-commit-config.yaml",
		    "  - repo: local\n"
		    "    hooks:\n"
		    "      - {id: sluice, name: sluice, entry: sluice-hook pre-commit, language: system, files: '\\.py$', pass_filenames: false}\n" },
		{ "lefthook.yml",
		    "  pre-commit: {commands: {sluice: {run: sluice-hook pre-commit}}}\n"
		    "  pre-merge-commit: {commands: {sluice: {run: sluice-hook pre-merge-commit}}}\n"
		    "  pre-push: {commands: {sluice: {run: 'sluice-hook pre-push {0}', use_stdin: true}}}\n" },
		{ ".husky",
		    "  in .husky/pre-commit:  sluice-hook pre-commit \"$@\" || exit 1\n"
		    "  in .husky/pre-merge-commit:  sluice-hook pre-merge-commit \"$@\" || exit 1\n"
		    "  in .husky/pre-push:  sluice-hook pre-push \"$@\" || exit 1\n" },
	};

	for (size_t i = 0; i < countof(managers); i++) {
		struct strbuf path STRBUF_SCOPED = STRBUF_INIT;

		strbuf_printf(&path, "%s/%s", top, managers[i].file);
		if (file_exists(path.s))
			strbuf_printf(said, "%s is here; those who install by it "
			    "can have the same from it:\n%s",
			    managers[i].file, managers[i].text);
	}
}

void
survey_server(struct strbuf *said, const char *top)
{
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf at STRBUF_SCOPED = STRBUF_INIT;
	struct err none = ERR_INIT;

	gate_quote(&at, top);
	strbuf_printf(&b, "%s/sluice.ini", top);
	bool there = file_exists(b.s);
	strbuf_reset(&b);
	if (!there && gitcmd_line(&b, top, &none, "config", "--get",
		"sluice.config", NULL) != 0)
		strbuf_printf(said, "there is no configuration yet, so every "
		    "push is refused: write one (config.ini.example explains "
		    "every key) to\n\t%s/sluice.ini\nor name it by\n\tgit -C "
		    "%s config sluice.config FILE\n", top, at.s);
	strbuf_reset(&b);
	if (gitcmd_line(&b, top, &none, "config", "--type", "bool", "--get",
		"receive.advertisePushOptions", NULL) != 0 ||
	    !streq(b.s, "true"))
		strbuf_printf(said, "for git push --no-verify -o sluice.override=WHY, by "
		    "those whom [server] override names, run\n\tgit -C %s "
		    "config receive.advertisePushOptions true\n", at.s);
}

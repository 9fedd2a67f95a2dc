/* Everything a deploy will need, asked before it is needed: configuration,
 * repository, database, ledger, hosts and their keys, balancer, drift.
 * Changes nothing, but for --accept-host-key, which a person asks for by name.
 *
 * Exit codes: 0 nothing fails, 1 something does, 2 usage or configuration,
 * 3 could not tell. */
#include <stdlib.h>
#include <unistd.h>

#include "act/hostkey.h"
#include "base/util.h"
#include "prog/checks.h"

static const char help[] =
"usage: sluice-doctor [-c FILE] TARGET [--json]\n"
"       sluice-doctor [-c FILE] TARGET --accept-host-key HOST\n\n"
"Looks at all that a deploy to TARGET will need and says what to do about what is\n"
"not there: configuration, repository, database and rights, ledger, every host's\n"
"key, connection, programs and disk, the balancer, drift of the live catalogue.\n\n"
"      --accept-host-key HOST  add the key that HOST shows to known_hosts,\n"
"                              once you have compared its fingerprint\n"
"      --json                  one object\n"
"  -c, --config F              the configuration\n\n"
"Exit code: 0 nothing fails, 1 something does, 2 usage or configuration, 3 could\n"
"not tell.\n";

static int
accept_key(struct go *g, const char *name, struct err *e)
{
	const struct cfg_target *t = g->s.target;
	const struct cfg_host *h = NULL;
	struct strbuf file STRBUF_SCOPED = STRBUF_INIT;
	struct strbuf b STRBUF_SCOPED = STRBUF_INIT;
	struct hostkey k[8];

	for (uint32_t i = 0; i < t->nhosts; i++)
		if (streq(t->hosts[i].name, name))
			h = &t->hosts[i];
	if (h == NULL)
		return err_kind(e, ERR_CONFIG, "%s: target '%s' has no host "
		    "'%s'", g->s.cfg.path, t->name, name);
	int n = hostkey_offered(k, (int)countof(k), t, h, e);
	if (n < 0)
		return -1;
	if (n == 0)
		return err_set(e, "%s shows no key", name);
	if (hostkey_accept(h, &k[0], &file, e) < 0)
		return -1;
	strbuf_printf(&b, "%s: %s %s is in %s now\n", name, k[0].type,
	    k[0].print, file.s);
	say(STDOUT_FILENO, &b);
	return 0;
}

static int
run(struct go *g, const struct opts *o, struct err *e)
{
	if (site_config(&g->s, o, e) < 0)
		return -1;
	return o->host_key != NULL ? accept_key(g, o->host_key, e) :
	    checks_run(g, o);
}

int
main(int argc, char **argv)
{
	return go_main(argc, argv, "cjk", false, help, run);
}

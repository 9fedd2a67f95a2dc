/* sluice.ini. Every key, its default and unit is in config.ini.example. */
#ifndef READ_CONFIG_H
#define READ_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct value;
struct cfg_project {
	sym name;		/* "" for a plain [project] */
	sym root;		/* folder of manage.py, relative to the tree; "." */
	sym settings;		/* DJANGO_SETTINGS_MODULE */
	sym python;		/* on the developer's machine; ".venv/bin/python" */
	sym user_model;		/* "auth.User" */
	sym auto_field;		/* NULL: Django's default */
	sym base;		/* branch that releases come from; NULL: "main" */
	int django;		/* 502 for "5.2"; 0: ask or assume the current LTS */
	int server;		/* PostgreSQL major; 15 */
	const struct cfg_pair { sym key, value; } *fields; /* [fields]: class = known class */
	uint32_t nfields;
	const struct cfg_pair *operations; /* [operations]: class = known class, "none" */
	uint32_t noperations;
	/* [values]: a name or a call, as it is printed, = a constant */
	const struct cfg_value { sym key, text; const struct value *value; } *values;
	uint32_t nvalues;
};

struct cfg_host {
	sym name, target;
	sym address;		/* default: name */
	int port;		/* 22 */
	sym path, user, identity, known_hosts;	/* default: the target's */
	sym balancer;		/* "backend/server" in haproxy; NULL: none */
};

struct cfg_target {
	sym name, project;
	sym database;		/* libpq conninfo; no password in it */
	sym path;		/* base folder on every host: releases/, current, shared/ */
	sym user, identity, known_hosts;
	sym ssh;		/* transport: "sluice-ssh" or "ssh" */
	sym build, restart, health;	/* commands, run by sh on the host in releases/<id> */
	sym env;		/* file of KEY=VALUE below path, for all commands; NULL */
	sym python;		/* on the hosts, below releases/<id>; ".venv/bin/python" */
	sym release_host;	/* where migrations run; NULL: the first */
	sym haproxy;		/* admin socket: path, or host:port; NULL: no balancer */
	sym batches;		/* "1,25%": sizes, the last repeats */
	sym on_failure;		/* "back" or "hold" */
	int keep;		/* releases kept on a host: 5 */
	int max_failed;		/* hosts that may fail a roll: 0 */
	int at_once;		/* hosts that are talked to side by side: 32 */
	int max_blocked;	/* sessions a waiting migration may hold up: 5 */
	int retries;		/* of a migration that did not get its locks: 10 */
	/* milliseconds */
	int64_t connect_timeout, step_timeout, drain_timeout, health_timeout;
	int64_t lock_timeout, max_blocked_time, statement_timeout, retry_delay;
	int64_t soak;		/* between the roll and the unsafe migrations: 0 */
	const struct cfg_host *hosts;	/* in the order of the file */
	uint32_t nhosts;
};

struct config {
	sym path;		/* the file it came from */
	const struct cfg_project *projects;
	uint32_t nprojects;
	const struct cfg_target *targets;
	uint32_t ntargets;
	struct {
		bool tag_write;		/* tag = write | require */
		sym exceptions;		/* migrations that may be edited, comma separated */
	} hooks;
	struct {
		sym command;		/* NULL: our own helper */
		sym link;		/* ignored files the export needs, comma separated */
		bool missing_warn;	/* missing = refuse | warn */
		int64_t timeout;
	} makemigrations;
	struct {
		sym branches;		/* GLOB,GLOB */
		sym deploy;		/* "main:production", comma separated */
		sym override;		/* pushers who may override */
		bool makemigrations, queue;
		int64_t max_files, max_bytes, timeout;
	} server;
};

/* Text or file. Errors are of kind ERR_CONFIG and name file:line: an unknown
 * section or key (with the nearest known one), a bad value, a line too long. */
int config_parse(struct config *c, struct arena *a, const char *path,
    const char *text, size_t len, struct err *e);
/* A constant as Python writes it, a name or a call as it is printed. NULL:
 * the text is none. */
const struct value *given_constant(struct arena *a, const char *text);
sym given_key(struct arena *a, const char *text);
int config_load(struct config *c, struct arena *a, const char *path,
    struct err *e);
const struct cfg_project *config_project(const struct config *c,
    const char *name, struct err *e);	/* NULL name: the only one */
const struct cfg_target *config_target(const struct config *c,
    const char *name, struct err *e);	/* NULL name: the only one */

#endif

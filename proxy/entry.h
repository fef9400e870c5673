/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ENTRY_H
#define PROXY_ENTRY_H

/*
 * What the entrypoint was asked for, and the two command lines it makes of
 * it.  No file, process or environment is touched here.
 */
#include "base/arena.h"
#include "flags.h"

/* An hour: systemd's and Kubernetes' longest in use are minutes. */
#define ENTRY_GRACE_MAX_S 3600

/* In a container, for dinv health: whom it is to ask. */
#define ENTRY_HEALTH "/run/dinv/health"

struct entry_opts {
	bool tls;
	bool tlsverify; /* wins over tls */
	bool local;	/* no gate, no TCP at all */
	bool debug;
	bool ipv6;	     /* listen on [::] too */
	const char *storage; /* "" or NULL: dockerd chooses */
	const char *certs;
	const char *policy;	 /* NULL: as the configuration says, or admin */
	const char *audit;	 /* NULL: none */
	const char *config;	 /* NULL: none */
	const char *admin;	 /* NULL: where dinv reload looks */
	const char *socket;	 /* dockerd's, an absolute path */
	const char *data;	 /* NULL: dockerd's own default */
	const char *preload;	 /* folder of image archives */
	const char *dockerd;	 /* program */
	const char *dockerd_log; /* NULL: our standard error */
	const char *key_pass_file, *ca_pass_file; /* NULL: none */
	unsigned grace_s;
	struct str_list insecure_registry;
	struct str_list host;
	struct str_list listen;	       /* none: the default ones */
	struct str_list enroll;	       /* where tokens are taken */
	struct str_list app;	       /* program and arguments, or none */
	struct str_list dockerd_flags; /* after "--", then DOCKER_OPTS */
};

/* What the gate's listeners ask of clients. */
enum entry_mode {
	ENTRY_TLSVERIFY = 0, /* certificates both ways */
	ENTRY_TLS,	     /* the server's alone */
	ENTRY_PLAIN,
	ENTRY_CONFIG, /* left to the configuration file */
};

enum entry_mode entry_mode(const struct entry_opts *o);

/*
 * Refuses what contradicts itself, and dockerd flags that would open a
 * second door beside the gate (-H tcp://...).  ERR_USAGE with d set.
 */
enum err entry_check(const struct entry_opts *o, struct diag *d) MUST_USE;

/* Ended by NULL; all in the arena, or borrowed from o.  ERR_NOMEM. */
enum err entry_dockerd_argv(
    const struct entry_opts *o, struct arena *a, char ***argv) MUST_USE;
enum err entry_gate_argv(
    const struct entry_opts *o, struct arena *a, char ***argv) MUST_USE;
enum err entry_preload_argv(
    const struct entry_opts *o, struct arena *a, char ***argv) MUST_USE;
enum err entry_app_argv(
    const struct entry_opts *o, struct arena *a, char ***argv) MUST_USE;

/* Where dockerd keeps its data. */
const char *entry_data(const struct entry_opts *o);

/*
 * What dockerd's own flags say of "--name" (or "-c", c != 0): the last value
 * wins, as dockerd has it; fallback where they say nothing.
 */
const char *entry_dockerd_value(
    const struct entry_opts *o, const char *name, char c, const char *fallback);

#endif

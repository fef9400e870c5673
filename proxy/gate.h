/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_GATE_H
#define PROXY_GATE_H

/*
 * The gate as a whole: listeners, worker threads, start and stop.
 */
#include "addr.h"
#include "flags.h"
#include "limit.h"
#include "tls.h"

struct activation;
struct confine_user;
struct notify;

enum gate_tls {
	GATE_TLS_VERIFY = 0, /* client certificates required */
	GATE_TLS_SERVER,     /* -tls: server certificate only */
	GATE_TLS_NONE,	     /* -insecure-plain */
};

struct gate_config {
	struct str_list listen;
	struct str_list enroll; /* where tokens are taken; none: nowhere */
	const char *upstream;
	const char *user; /* to become, NULL: see confine.h */
	const char *certs;
	const char *key_pass_file; /* of docker.key, or NULL */
	const char *ca_pass_file;  /* of ca-key.pem, for children, or NULL */
	const char *policy;	   /* file, or a preset's name */
	const char *audit;	   /* file, "-", or NULL */
	const char *audit_key;	   /* NULL: beside the file */
	bool audit_required;
	uint32_t audit_rotate_mb, audit_rotate_hours, audit_keep;
	enum gate_tls tls;
	enum tls_version tls_min, tls_max;
	const char *admin; /* address, "none", or NULL */
	bool insecure_admin_remote;
	bool admin_optional; /* without it, if it cannot be had */
	unsigned workers;    /* 0: one a processor */
	bool debug;
	struct activation *passed; /* sockets that listen holds the names of */
	const struct notify *notify; /* who is told how we are */
	struct limits limits;
};

/* What its master has prepared for it. */
struct gate_place {
	const struct confine_user *user; /* to become */
	pid_t master;
	int audit_fd; /* where records go (audit_remote.h); -1: nowhere */
};

/*
 * The process that faces the network, until its master (master.h) tells it to
 * stop, or is gone.  Gives its rights away before it takes the first
 * connection.  ERR_OK after a clean stop; otherwise d says what to do.
 */
enum err gate_run(const struct gate_config *conf,
    const struct gate_place *place, struct diag *d) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ADMIN_H
#define PROXY_ADMIN_H

/*
 * The admin listener (-admin): a small HTTP server of the gate's own, on a
 * thread and a loop of its own, for those who watch the gate and for "dinv
 * reload" and "dinv status".  docs/operations.md has what it answers.
 */
#include <time.h>

#include "gate.h"
#include "worker.h"

/* Where "dinv reload" and "dinv status" look, and where the entrypoint's
 * gate listens. */
#define ADMIN_DEFAULT "unix:///run/dinv/admin.sock"
/* The address that means no listener. */
#define ADMIN_NONE "none"

struct admin;

/* What the gate is at the moment. */
struct admin_view {
	const struct gate_config *conf;
	const struct gate *gate;
	struct worker_thread *const *worker;
	unsigned n_workers;
	bool stopping;
	time_t started;
	time_t policy_loaded;
	bool observes;	  /* the policy, or a role of it, only observes */
	unsigned reloads; /* that came into force */
	unsigned reloads_failed; /* that changed nothing */
	/* of the server's certificate, the CA's and the list of what was
	 * revoked; 0: there is none */
	time_t server_from, server_to, ca_to, crl_to;
};

/* Who wants to know what came of a reload. */
struct admin_asker {
	void *arg;
	/* Once for each mistake; line 0: not in the policy file. */
	void (*error)(void *arg, const struct diag *d);
	/* It is in force on every worker.  From any thread, once, and only
	 * where the reload returned ERR_OK. */
	void (*done)(void *arg, unsigned cut);
};

/* What the gate lends its admin listener; called on the admin's thread. */
struct admin_gate {
	void *arg;
	void (*view)(void *arg, struct admin_view *out);
	enum err (*reload)(void *arg, const struct admin_asker *asker);
};

/*
 * Listens; before threads start.  remote_ok: a TCP address other than
 * loopback is taken.  ERR_USAGE, ERR_SYNTAX, ERR_IO, ERR_NOMEM with d set.
 */
enum err admin_open(const char *url, bool remote_ok,
    const struct admin_gate *gate, struct admin **out, struct diag *d) MUST_USE;
enum err admin_start(struct admin *a) MUST_USE;
/* Ends the thread; the workers may be freed after this.  NULL is fine. */
void admin_stop(struct admin *a);
/* After the workers have been freed.  NULL is fine. */
void admin_free(struct admin *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_GATE_LISTEN_H
#define PROXY_GATE_LISTEN_H

/* The gate's listeners for clients. */
#include "gate.h"
#include "worker.h"

#define GATE_WORKERS_MAX 64

struct gate_listeners {
	struct worker_thread *const *worker; /* who accepts */
	unsigned n_workers;
};

/*
 * Listens at every address of conf->listen, on every worker; where a socket
 * was passed for one (conf->passed), that is taken.  Before workers start.
 */
enum err gate_listen(struct gate_listeners *l, const struct gate_config *conf,
    struct diag *d) MUST_USE;

/* How many workers such a gate has. */
unsigned gate_workers(const struct gate_config *conf);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_MASTER_IMPL_H
#define PROXY_MASTER_IMPL_H

/* What master.c and master_upgrade.c share, and nobody else sees. */
#include "audit_remote.h"
#include "confine.h"
#include "keeper_master.h"
#include "master.h"
#include "renewal.h"

#define MASTER_GATES_MAX 16

struct master_gate {
	struct master *master;
	pid_t pid;
	bool ready, draining;
	struct keeper keeper;
	int audit_fd;		    /* records come from there; -1: none do */
	struct audit_remote *audit; /* who takes them, and the descriptor */
};

struct master {
	const struct gate_config *conf;
	char **argv;
	struct confine_user user;
	struct addr dockerd;
	int signals;
	struct master_gate *gate[MASTER_GATES_MAX]; /* the newest is last */
	size_t n_gates;
	struct renewal renewal;
	struct audit_store *store; /* NULL: not asked for, or not there yet */
	bool stopping;
	bool upgrade; /* asked for, and not done yet */
	int status;   /* to exit with */
};

struct master_gate *master_newest(struct master *m);
/* Takes fd, and audit_fd (-1: none), on success; NULL: there is no room. */
struct master_gate *master_add_gate(
    struct master *m, pid_t pid, int fd, int audit_fd);

/* Becomes the program that its file holds now; returns if that fails, which
 * it has logged. */
void master_upgrade(struct master *m);
/* Gates and sockets of the program that this process was before. */
enum err master_take_over(struct master *m, struct diag *d) MUST_USE;

#endif

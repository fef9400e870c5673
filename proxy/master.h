/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_MASTER_H
#define PROXY_MASTER_H

/*
 * The process that "dinv gate" is: it keeps its rights and never sees a byte
 * from the network.  It opens the listeners, starts the gate proper as a
 * process without rights (gate.h, confine.h), does for it what is on a short
 * list (keeper.h), has certificates renewed, and passes signals on:
 *
 *	SIGTERM, SIGINT	stop; a second one hurries
 *	SIGHUP		policy and certificates anew
 *	SIGUSR1		the audit file anew
 *	SIGUSR2		this program anew, from the file it was started from:
 *			a new gate takes the listeners, the old one stays with
 *			the streams it has until the last of them ends
 */
#include "gate.h"

/* What the master tells a gate, as signals that nobody sends by accident. */
#define MASTER_STOP (SIGRTMIN + 0)
#define MASTER_RELOAD (SIGRTMIN + 1)
#define MASTER_REOPEN (SIGRTMIN + 2)
#define MASTER_DRAIN (SIGRTMIN + 3)

/* The signals above, blocked: before anything that takes time. */
void master_hold_signals(void);

/*
 * Runs until all its gates have ended; the exit status.  argv: how to start
 * this program anew, from its name on.
 */
int master_run(const struct gate_config *conf, char **argv);

#endif

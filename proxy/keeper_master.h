/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_KEEPER_MASTER_H
#define PROXY_KEEPER_MASTER_H

/* The master's side of keeper.h: one of these for each gate it has. */
#include "gate.h"
#include "keeper.h"

#define KEEPER_JOBS 4 /* as LIMIT_ISSUE_JOBS */
#define KEEPER_REFUSALS 16

struct keeper {
	int fd;		   /* -1: the gate's end is closed */
	bool settled;	   /* it has said that it is ready */
	unsigned refusals; /* that were logged */
	const struct gate_config *conf;
	const struct addr *dockerd;
	struct keeper_job {
		pid_t pid; /* 0: free */
		int64_t end_by_ms;
	} job[KEEPER_JOBS];
	void (*news)(void *arg, enum keeper_news news, const char *text);
	void *arg;
};

/* conf and dockerd borrowed; takes fd. */
void keeper_init(struct keeper *k, int fd, const struct gate_config *conf,
    const struct addr *dockerd);
/* What it asked is done and answered: one datagram, without waiting.  A gate
 * that asks what it should not is told no, and it is logged. */
void keeper_serve(struct keeper *k);
/* Ends what takes too long. */
void keeper_tick(struct keeper *k, int64_t now_ms);
void keeper_fini(struct keeper *k);

#endif

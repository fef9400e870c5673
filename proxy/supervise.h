/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_SUPERVISE_H
#define PROXY_SUPERVISE_H

/*
 * Keeps a dockerd and a gate in front of it running until a signal says
 * stop; docs/architecture.md has the picture.
 */
#include "base/err.h"

/* Milliseconds all.  They are not in limit.h because they are no limits of
 * the gate; tests set shorter ones. */
struct supervise_limits {
	int64_t ready_ms; /* dockerd's first start: storage may be slow */
	int64_t ping_ms;  /* between attempts to connect to its socket */
	int64_t backoff_first_ms;
	int64_t backoff_max_ms;
	int64_t calm_ms;    /* a life this long resets the back-off */
	int64_t proven_ms;  /* a gate that lived this long was able to */
	int64_t grace_ms;   /* from the signal to the end of everything */
	int64_t hurry_ms;   /* from the second signal: dockerd needs over 1 s
			     * for its containerd alone */
	unsigned early_max; /* ends before being proven: then give up */
};

#define SUPERVISE_LIMITS                                                       \
	{                                                                      \
		.ready_ms = 120000, .ping_ms = 50, .backoff_first_ms = 1000,   \
		.backoff_max_ms = 30000, .calm_ms = 60000, .proven_ms = 10000, \
		.grace_ms = 10000, .hurry_ms = 3000, .early_max = 5            \
	}

/* All borrowed for the time of the call. */
struct supervise_plan {
	const char *dockerd; /* program */
	char *const *dockerd_argv;
	const char *dockerd_log; /* NULL: our standard error */
	const char *gate;	 /* program; NULL: none */
	char *const *gate_argv;
	const char *preload; /* run to its end before the gate; NULL: none */
	char *const *preload_argv;
	const char *app; /* run beside the gate; NULL: none */
	char *const *app_argv;
	const char *socket;    /* where dockerd will listen */
	const char *pid_file;  /* dockerd's */
	const char *exec_root; /* dockerd's */
	struct supervise_limits limits;
};

/*
 * Blocks the signals that supervise_run() waits for, so that one that comes
 * before it is not lost.  Call first of all; ERR_IO.
 */
enum err supervise_block_signals(void) MUST_USE;

/*
 * Runs until a stop.  Signals: SIGTERM, SIGINT and SIGQUIT stop all within
 * the grace period, a second one within hurry_ms, a third one at once;
 * SIGHUP is passed on to both, SIGUSR1 to the gate.  As PID 1, orphans are
 * reaped.
 *
 * With an app, its end is the end of all: what it exits with is the exit
 * status.  A stop goes to it first, and to dockerd once it has ended or has
 * had its part of the grace period.
 *
 * Returns the exit status: 0 after a clean stop; 1 where a program could not
 * be started or had to be killed, with the reason in the log.
 */
int supervise_run(const struct supervise_plan *plan);

#endif

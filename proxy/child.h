/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CHILD_H
#define PROXY_CHILD_H

/*
 * One program that is kept running: starting it, saying how it ended, and
 * when to start it again.
 */
#include <sys/types.h>

#include "base/err.h"

/* How long to wait before a program that ended is started again. */
struct backoff {
	int64_t first_ms; /* after the first end; then doubled */
	int64_t max_ms;
	int64_t calm_ms; /* a life this long starts over with first_ms */
	int64_t next_ms; /* 0 until the first end */
};

/* The wait after a life of lived_ms. */
int64_t backoff_wait(struct backoff *b, int64_t lived_ms);

struct child {
	const char *name; /* for the log: "dockerd" */
	const char *path; /* looked up in PATH if it has no slash */
	char *const *argv;
	const char *log_path; /* its output is added there; NULL: ours */
	struct backoff backoff;
	/* It starts with these blocked, ended by 0; NULL: none.  For a program
	 * that unblocks them once it can act on them: one that came before
	 * would end it. */
	const int *held;
	int usage_status; /* it exits so where its flags are wrong; or -1 */
	pid_t pid;	  /* 0: does not run */
	int64_t started_ms;
	int64_t restart_ms; /* when to start it again; 0: never */
	bool proven;	    /* it has once done what it is for */
	unsigned early;	    /* ends before that */
};

/*
 * Starts the program in a process group of its own, so that a Ctrl-C reaches
 * us alone; with default signals, none blocked but c->held, /dev/null as
 * standard input and no other descriptor of ours; it gets SIGTERM if we die.
 * ERR_IO with errno when it cannot be executed (then nothing runs).
 */
enum err child_start(struct child *c, int64_t now_ms) MUST_USE;

/* Sends a signal to the program; nothing happens when it does not run. */
void child_signal(const struct child *c, int sig);

/* SIGKILL to the program and all of its process group. */
void child_kill(const struct child *c);

/* "exit status 1", "killed by signal 9 (Killed)". */
void child_status_text(int status, char *out, size_t size);

#endif

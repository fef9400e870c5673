/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_NOTIFY_H
#define PROXY_NOTIFY_H

/*
 * Tells the service manager how we are (sd_notify(3)): Type=notify,
 * WatchdogSec=.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"

struct notify {
	int fd; /* -1: nobody wants to know */
	struct sockaddr_un to;
	socklen_t to_len;
	uint64_t watchdog_ms; /* it wants a word that often; 0: it does not */
};

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from
 * the environment: no child may speak for us.  Before threads start, once.
 * An address that cannot be used is logged, and nobody is told.
 */
void notify_open(struct notify *n);

/* The next program of this very process shall be told what we were. */
void notify_pass(const struct notify *n);

/* status: for "systemctl status", escaped here.  From any thread. */
void notify_ready(const struct notify *n, const char *status);
/* notify_ready() has to follow. */
void notify_reloading(const struct notify *n);
void notify_stopping(const struct notify *n);
/* For the watchdog. */
void notify_alive(const struct notify *n);

#endif

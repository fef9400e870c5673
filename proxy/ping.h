/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_PING_H
#define PROXY_PING_H

/*
 * Asks a daemon on a unix socket whether it serves: GET /_ping, answered
 * with 200.  Never blocks: the caller polls p->fd for reading while the
 * answer is PING_WAIT.
 */
#include "base/err.h"

/* sun_path of unix(7) without its NUL: what a socket's path may measure. */
#define PING_PATH_MAX 107

enum ping_state {
	PING_FAIL = 0, /* nobody listens, or the answer is not 200; try later */
	PING_WAIT,     /* connected; no answer yet */
	PING_OK,
};

struct ping {
	int fd; /* -1: not connected */
	size_t len;
	char head[16];
};

void ping_init(struct ping *p);
void ping_fini(struct ping *p); /* hangs up; may be used anew */

/* Connects and asks, or reads what has come.  After FAIL and OK: hung up. */
enum ping_state ping_step(struct ping *p, const char *path) MUST_USE;

/*
 * Whether a daemon could listen at path: ERR_OK when nothing is there or a
 * dead socket; ERR_EXISTS when somebody listens; ERR_SYNTAX when what is
 * there is no socket (dockerd would remove it); ERR_LIMIT when the path is
 * longer than PING_PATH_MAX; ERR_IO (errno).
 */
enum err ping_look(const char *path) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_DESK_IMPL_H
#define PROXY_DESK_IMPL_H

/*
 * What the sources of a desk share, and nobody else sees.
 *
 *	desk.c       the thread, the listener, how many at a time
 *	desk_conn.c  one connection: one request, one answer
 */
#include <pthread.h>

#include "base/arena.h"
#include "desk.h"

enum desk_state {
	DS_CLOSED = 0,
	DS_HANDSHAKE,
	DS_HEAD,
	DS_BODY,
	DS_WAIT, /* the request was handed over */
	DS_WRITE,
	DS_LINGER, /* all written; until the client closes */
};

struct desk_conn {
	struct desk *desk;
	struct desk_conn *next, *prev; /* newest first */
	enum desk_state state;
	struct stream *s;
	struct loop_io *io;
	struct loop_timer *timer;
	struct buf in, out, content;
	size_t scanned;
	struct arena arena;
	struct http_head head;
	struct body body;
	short want;
	bool asked; /* request() was called */
	bool held;
	bool has_host;
	uint8_t host[16];
	char peer[64];
	void *own;
};

struct desk {
	const struct desk_config *conf;
	struct loop *loop;
	struct loop_io *io;
	struct loop_timer *rest;
	struct desk_conn *conns;
	unsigned n_conns;
	int fd;
	bool running;
	pthread_t thread;
};

/* Takes fd. */
void desk_conn_begin(
    struct desk *d, int fd, const struct sockaddr_storage *peer);
void desk_conn_end(struct desk_conn *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_DESK_H
#define PROXY_DESK_H

/*
 * A small HTTP server on a thread and a loop of its own: a connection brings
 * one request, gets one answer, and ends.  For listeners beside the clients'
 * (the admin's, enrolment), so that whatever happens there costs no client of
 * the gate a turn.
 */
#include "addr.h"
#include "base/buf.h"
#include "http1.h"
#include "loop.h"
#include "stream.h"

struct desk;
struct desk_conn;

struct desk_ops {
	/* The stream of a connection; NULL: a plain socket.  Takes fd on
	 * success. */
	enum err (*open)(void *arg, int fd, struct stream **out);
	/*
	 * The whole request, once; h and body are borrowed for the call.
	 * It is answered here, or later on the desk's thread.
	 */
	void (*request)(void *arg, struct desk_conn *c,
	    const struct http_head *h, struct span body);
	/* c goes away, answered or not; after request() only.  Or NULL. */
	void (*gone)(void *arg, struct desk_conn *c);
};

struct desk_config {
	const char *name; /* of the thread, and in the log */
	const struct desk_ops *ops;
	void *arg;
	unsigned connections; /* past it the oldest that waits on no answer of
				 ours makes room */
	unsigned connections_per_address; /* 0: no such cap */
	size_t head_bytes, body_bytes;	  /* body_bytes 0: no body is taken */
	size_t answer_bytes;
	uint32_t handshake_ms, read_ms, write_ms, linger_ms;
};

/* Takes fd, which listens; conf is borrowed as long as the desk lives. */
enum err desk_new(
    const struct desk_config *conf, int fd, struct desk **out) MUST_USE;
struct loop *desk_loop(struct desk *d);
enum err desk_start(struct desk *d) MUST_USE;
/* Ends the thread.  NULL is fine. */
void desk_stop(struct desk *d);
/* NULL is fine. */
void desk_free(struct desk *d);

/*
 * Sends status and body, and ends after it.  more: further header lines, each
 * with its CRLF; "" for none.
 */
void desk_answer(struct desk_conn *c, unsigned status, const char *type,
    const char *more, struct span body);

/* The caller's, for the connection; NULL at first. */
void desk_set_own(struct desk_conn *c, void *own);
void *desk_own(const struct desk_conn *c);
int desk_fd(const struct desk_conn *c);
/* "192.0.2.1:50000" */
const char *desk_peer(const struct desk_conn *c);
/* 16 bytes that stand for the host; false where there is none (unix). */
bool desk_host(const struct desk_conn *c, uint8_t key[16]);
/* While it is set, nobody else gets its place. */
void desk_hold(struct desk_conn *c);

#endif

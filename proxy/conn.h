/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CONN_H
#define PROXY_CONN_H

/*
 * One client connection, from accept to close, on one worker thread.
 * docs/relay.md has the states and the table of ends.
 */
#include <stdatomic.h>
#include <sys/socket.h>

#include "addr.h"
#include "audit.h"
#include "census.h"
#include "issuer.h"
#include "lanes.h"
#include "limit.h"
#include "loop.h"
#include "metrics.h"
#include "shared_policy.h"
#include "shed.h"
#include "stream.h"
#include "tls.h"

/* What all workers share; only counts in it change while they run. */
struct gate {
	struct limits limits;
	struct addr upstream;
	struct audit *audit; /* or NULL */
	struct census *census;
	struct issuer issuer;
	uint32_t handshakes_each; /* limits.handshakes, for one worker */
	atomic_size_t bodies; /* bytes set aside for bodies that policy reads */
};

struct conn;

struct worker {
	struct gate *gate;
	struct loop *loop;
	struct tls_server *tls; /* for new ones; NULL: clear listeners only */
	struct shared_policy *policy; /* for new requests */
	struct lanes lanes;
	struct conn *conns; /* newest first */
	/* Of them those in CS_HANDSHAKE, oldest first. */
	struct conn *shaking, **shaking_end;
	uint32_t n_shaking;
	struct shed shed[METRICS_SHEDS];
	bool stopping; /* no more requests after those that run */
	bool draining; /* but one more on each connection */
	unsigned number;
	uint64_t requests; /* counted, for request ids */
	struct metrics *metrics;
};

/* How a listener's clients are known. */
enum listen_kind {
	LISTEN_TLS = 0,
	LISTEN_CLEAR, /* anonymous, or uid and gid on a unix socket */
};

/*
 * Takes fd (non-blocking, accepted from peer) and starts; on failure fd is
 * closed.  The connection frees itself.
 */
void conn_start(struct worker *w, int fd, const struct sockaddr_storage *peer,
    enum listen_kind kind);

/* Graceful stop: idle ones close, answers are finished. */
void conn_stop_soon(struct conn *c);
/* Ends it now, streams too: what is written is flushed, then close_notify. */
void conn_stop_now(struct conn *c);
/* Another policy is in force: an open stream that it refuses is cut (true);
 * so is all else of a client that lost its certificate.  The connection may be
 * gone then. */
bool conn_rejudge(struct conn *c);
/* Another policy is in force: which role has it now? */
void conn_count_role(struct conn *c);
/* Closes and frees. */
void conn_kill(struct conn *c, const char *reason);
/* Looks for a peer that died while nothing was read from it; and what was
 * silent since the last sweep rests (stream.h). */
void conn_sweep(struct conn *c);
struct conn *conn_next(const struct conn *c);
/* An answer without an end of its own is under way, or two raw lanes. */
bool conn_is_stream(const struct conn *c);
/* A request is being answered, and it is not an endless stream. */
bool conn_is_answering(const struct conn *c);

#endif

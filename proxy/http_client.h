/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_HTTP_CLIENT_H
#define PROXY_HTTP_CLIENT_H

/*
 * One request and its answer over a stream that blocks: for commands that
 * talk to a gate.  The socket's own time-outs are the deadlines.
 */
#include "base/buf.h"
#include "stream.h"

struct http_reply {
	unsigned status;
	struct buf body; /* all of it; buf_fini() it */
};

/*
 * ERR_OK whatever the status is.  ERR_IO: cut, or too slow; ERR_HTTP_*: that
 * is no answer; ERR_LIMIT: more than max bytes, head included.
 */
enum err http_exchange(struct stream *s, struct span request, size_t max,
    struct http_reply *out) MUST_USE;

#endif

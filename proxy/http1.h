/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_HTTP1_H
#define PROXY_HTTP1_H

/*
 * Heads of HTTP/1.1 messages (RFC 9112), read strictly: what two parsers
 * could read in two ways is an error, whoever sent it.  Bodies: body.h.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "body.h"
#include "policy/request.h"

struct http_head {
	/* requests */
	struct span method; /* a token */
	struct span target; /* printable ASCII, no blank */
	bool expect_continue;
	enum upgrade upgrade;
	struct span upgrade_value;
	/* answers */
	unsigned status;
	struct span reason;
	bool upgraded_tcp; /* a raw stream follows (101, or the old 200) */

	struct header *headers; /* all of them, in order */
	size_t n_headers;
	enum body_kind body;
	uint64_t length; /* BODY_LENGTH */
	bool has_length; /* a Content-Length was there (answers to HEAD) */
	bool close;	 /* Connection: close */
};

/*
 * The length of the head at the front of bytes, blank line included, or 0
 * while it is not complete.  *scanned remembers how far a former call got;
 * start with 0.
 */
size_t http1_head_length(struct span bytes, size_t *scanned);

/*
 * A whole request head.  ERR_HTTP_*; d says what is wrong.  Spans point into
 * head; the header list is in arena.
 */
enum err http1_parse_request(struct arena *arena, struct span head,
    struct http_head *out, struct diag *d) MUST_USE;

/*
 * A whole answer head.  to: the method it answers (HEAD has no body).
 * body is BODY_EOF where neither length nor chunks were announced.
 */
enum err http1_parse_answer(struct arena *arena, struct span head,
    enum method to, struct http_head *out, struct diag *d) MUST_USE;

/*
 * Belongs to one connection, or to the framing, and is never passed on:
 * Connection, Keep-Alive, Proxy-*, TE, Transfer-Encoding, Content-Length,
 * Upgrade, HTTP2-Settings, Expect, Host; and what Connection names.
 */
bool http1_hop_by_hop(const struct http_head *h, struct span name);

/* The first header of that name, or NULL. */
const struct header *http1_find(const struct http_head *h, const char *name);

/* Writes "Name: value\r\n". */
enum err http1_write_header(
    struct buf *out, struct span name, struct span value) MUST_USE;

/* "Forbidden" for 403; "Unknown" where there is none. */
const char *http1_reason(unsigned status);

#endif

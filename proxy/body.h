/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_BODY_H
#define PROXY_BODY_H

/*
 * Bodies of HTTP/1.1 messages (RFC 9112 6 and 7): taken from one queue in
 * the framing they came in, put into another in framing of our own.
 */
#include "base/buf.h"

enum body_kind {
	BODY_NONE = 0, /* no body */
	BODY_LENGTH,   /* Content-Length */
	BODY_CHUNKED,
	BODY_EOF, /* until the sender closes: answers only */
};

enum body_out {
	BODY_OUT_DISCARD = 0, /* read and thrown away */
	BODY_OUT_PLAIN,	      /* the content alone */
	BODY_OUT_CHUNKED, /* BODY_CHUNKED alone: chunks, the last, trailers */
};

struct body {
	enum body_kind kind;
	uint64_t left;	/* of the length, or of this chunk */
	uint64_t bytes; /* content that has passed */
	int chunk;	/* enum chunk_state of body.c */
	bool done;
	struct buf line; /* chunk-size line or trailer section so far */
};

void body_init(struct body *b, enum body_kind kind, uint64_t length);
void body_fini(struct body *b);

/*
 * Moves what it can from in to out: until in is empty, out is full, or the
 * body is done (b->done; what follows in in is the next message).
 * ERR_HTTP_CHUNK, ERR_NOMEM.
 */
enum err body_pass(
    struct body *b, struct buf *in, struct buf *out, enum body_out as) MUST_USE;

/* Its ending is here, whole, and waits for room: not cut short, though in is
 * empty and b->done is false. */
bool body_waits(const struct body *b);

/* The sender closed: completes BODY_EOF; anything else was cut short. */
enum err body_end(struct body *b) MUST_USE;

#endif

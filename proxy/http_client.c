/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a gate; see http_client.h.
 *
 * The answer's head is read by the strict reader (http1.c), and has to say
 * how long the body is: half an answer is none.
 *
 * Attackers: whoever took the gate's address.  What it says is bounded here,
 * and escaped where it is printed.
 */
#include "http_client.h"

#include "http1.h"

#define HTTP_ARENA_BYTES 65536

static enum err
send_all(struct stream *s, struct span bytes)
{
	size_t n;

	while (bytes.len > 0) {
		n = 0;
		if (stream_write(s, bytes.p, bytes.len, &n) != IO_OK) {
			return ERR_IO;
		}
		bytes = span_make(bytes.p + n, bytes.len - n);
	}
	return ERR_OK;
}

static enum err
receive(struct stream *s, struct buf *in)
{
	uint8_t *to = buf_room(in) == 0 ? NULL : buf_reserve(in, 1);
	size_t n = 0;

	if (to == NULL) {
		return ERR_LIMIT;
	}
	if (stream_read(s, to, in->cap - in->off - in->len, &n) != IO_OK) {
		return ERR_IO;
	}
	buf_commit(in, n);
	return ERR_OK;
}

/* Up to the end of the head: its length is then *len. */
static enum err
receive_head(struct stream *s, struct buf *in, size_t *len)
{
	size_t scanned = 0;
	enum err rc = ERR_OK;

	while ((*len = http1_head_length(buf_span(in), &scanned)) == 0 &&
	       rc == ERR_OK) {
		rc = receive(s, in);
	}
	return rc;
}

static enum err
read_head(struct buf *in, size_t len, struct http_head *h)
{
	struct diag d = { 0, 0, "" };
	struct arena arena;
	enum err rc;

	arena_init(&arena, HTTP_ARENA_BYTES);
	rc = http1_parse_answer(
	    &arena, span_make(buf_span(in).p, len), METHOD_GET, h, &d);
	if (rc == ERR_OK && h->body != BODY_LENGTH) {
		rc = ERR_HTTP_FRAMING;
	}
	arena_fini(&arena); /* only numbers are looked at from here on */
	return rc;
}

enum err
http_exchange(
    struct stream *s, struct span request, size_t max, struct http_reply *out)
{
	struct http_head h;
	struct buf in;
	size_t len = 0;
	enum err rc;

	buf_init(&in, max);
	rc = send_all(s, request);
	if (rc == ERR_OK) {
		rc = receive_head(s, &in, &len);
	}
	if (rc == ERR_OK) {
		rc = read_head(&in, len, &h);
	}
	if (rc == ERR_OK) {
		buf_consume(&in, len);
		rc = h.length > max ? ERR_LIMIT : ERR_OK;
	}
	while (rc == ERR_OK && in.len < h.length) {
		rc = receive(s, &in);
	}
	if (rc == ERR_OK) {
		/* What comes behind it answers nothing; whether it is here
		 * already is chance. */
		in.len = h.length;
		out->status = h.status;
		out->body = in;
		buf_init(&in, 0);
	}
	buf_fini(&in);
	return rc;
}

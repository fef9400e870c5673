/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gate, or whoever answers in its place, says to "dinv enroll" and
 * "dinv status".  However it is cut, it is read the same, and never more of
 * it than was asked for.
 *
 * Input: bytes in one read, then the answer.
 */
#include "fuzz.h"

#include "http_client.h"

#define MOST 2048

struct memory {
	struct stream s;
	struct span left;
	size_t piece;
};

static enum io
memory_read(struct stream *s, void *to, size_t cap, size_t *n)
{
	struct memory *m = (struct memory *)(void *)s;

	*n = m->left.len < cap ? m->left.len : cap;
	*n = *n < m->piece ? *n : m->piece;
	if (*n == 0) {
		return IO_EOF;
	}
	memcpy(to, m->left.p, *n);
	m->left = span_make(m->left.p + *n, m->left.len - *n);
	return IO_OK;
}

static enum io
memory_write(struct stream *s, const void *p, size_t len, size_t *n)
{
	(void)s;
	(void)p;
	*n = len;
	return IO_OK;
}

static enum io
memory_shut(struct stream *s)
{
	(void)s;
	return IO_OK;
}

static enum err
read_in(struct span all, size_t piece, struct http_reply *out)
{
	static const struct stream_ops ops = {
		.read = memory_read, .write = memory_write, .shut = memory_shut
	};
	struct memory m = {
		.s = { .ops = &ops, .fd = -1 }, .left = all, .piece = piece
	};

	memset(out, 0, sizeof(*out));
	return http_exchange(
	    &m.s, span_of("GET / HTTP/1.1\r\n\r\n"), MOST, out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply one, other;
	enum err rc, again;

	if (size == 0) {
		return 0;
	}
	rc = read_in(span_make(data + 1, size - 1), SIZE_MAX, &one);
	again =
	    read_in(span_make(data + 1, size - 1), (size_t)data[0] + 1, &other);
	CHECK((rc == ERR_OK) == (again == ERR_OK));
	if (rc == ERR_OK) {
		CHECK(one.status >= 200 && one.status == other.status);
		CHECK(span_eq(buf_span(&one.body), buf_span(&other.body)));
		CHECK(one.body.len <= MOST);
		buf_fini(&one.body);
		buf_fini(&other.body);
	}
	return 0;
}

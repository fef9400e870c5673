/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte queue with a ceiling; see buf.h.
 *
 * One linear piece of storage, not a ring: TLS and HTTP both want their bytes
 * in one run, and a queue that is drained before it is filled again never
 * moves a byte.  When the end is reached, the held bytes slide to the front.
 * Rejected: a list of blocks (an allocation per block in the steady state)
 * and a ring (every reader must handle two runs).
 *
 * Attackers send much, slowly, or in single bytes: the ceiling bounds the
 * first, storage that grows by doubling bounds the cost of the others.
 */
#include "buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_BYTES 512

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->max = max;
}

void
buf_fini(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->off = b->len = b->cap = 0;
}

static bool
buf_grow(struct buf *b, size_t need)
{
	uint8_t *data;
	size_t cap = b->cap == 0 ? BUF_FIRST_BYTES : b->cap;

	while (cap < need) {
		cap *= 2;
	}
	if (cap > b->max && need <= b->max) {
		cap = b->max;
	}
	data = malloc(cap);
	if (data == NULL) {
		return false;
	}
	if (b->len > 0) {
		memcpy(data, b->data + b->off, b->len);
	}
	free(b->data);
	b->data = data;
	b->off = 0;
	b->cap = cap;
	return true;
}

uint8_t *
buf_reserve(struct buf *b, size_t n)
{
	if (n > buf_room(b)) {
		return NULL;
	}
	if (b->len == 0) {
		b->off = 0;
	}
	if (b->cap - b->off - b->len < n || b->data == NULL) {
		if (b->cap >= b->len + n && b->data != NULL) {
			memmove(b->data, b->data + b->off, b->len);
			b->off = 0;
		} else if (!buf_grow(b, b->len + n)) {
			return NULL;
		}
	}
	return b->data + b->off + b->len;
}

void
buf_commit(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->off - b->len);
	b->len += n;
}

enum err
buf_append(struct buf *b, const void *p, size_t n)
{
	uint8_t *to;

	if (n == 0) {
		return ERR_OK;
	}
	if (n > buf_room(b)) {
		return ERR_LIMIT;
	}
	to = buf_reserve(b, n);
	if (to == NULL) {
		return ERR_NOMEM;
	}
	memcpy(to, p, n);
	buf_commit(b, n);
	return ERR_OK;
}

enum err
buf_append_str(struct buf *b, const char *cstr)
{
	return buf_append(b, cstr, strlen(cstr));
}

enum err
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char small[512], *text = small;
	enum err rc;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(small)) {
		va_start(ap, fmt);
		n = vasprintf(&text, fmt, ap);
		va_end(ap);
	}
	if (n < 0) {
		return ERR_NOMEM;
	}
	rc = buf_append(b, text, (size_t)n);
	if (text != small) {
		free(text);
	}
	return rc;
}

void
buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->len -= n;
	b->off = b->len == 0 ? 0 : b->off + n;
}

size_t
buf_move(struct buf *dst, struct buf *src, size_t n)
{
	struct buf tmp;
	size_t room = buf_room(dst);

	n = n > src->len ? src->len : n;
	n = n > room ? room : n;
	if (n == 0) {
		return 0;
	}
	if (dst->len == 0 && n == src->len) {
		tmp = *dst;
		dst->data = src->data;
		dst->off = src->off;
		dst->len = src->len;
		dst->cap = src->cap;
		src->data = tmp.data;
		src->off = src->len = 0;
		src->cap = tmp.cap;
		return n;
	}
	if (buf_append(dst, src->data + src->off, n) != ERR_OK) {
		return 0;
	}
	buf_consume(src, n);
	return n;
}

void
buf_release(struct buf *b)
{
	if (b->len == 0 && b->data != NULL) {
		buf_fini(b);
	}
}

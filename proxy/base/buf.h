/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A byte queue with a ceiling: bytes are added at the end and taken from the
 * front.  It holds no storage while it is empty and released, so that an
 * idle connection costs nothing.
 */
#include "err.h"

struct buf {
	uint8_t *data; /* storage, NULL when there is none */
	size_t off;    /* first byte that has not been taken */
	size_t len;    /* bytes held, from off */
	size_t cap;    /* size of the storage */
	size_t max;    /* ceiling for len */
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);

/* How many bytes may still be added. */
static inline size_t
buf_room(const struct buf *b)
{
	return b->len >= b->max ? 0 : b->max - b->len;
}

static inline struct span
buf_span(const struct buf *b)
{
	return (struct span){ (const char *)b->data + (b->len ? b->off : 0),
		b->len };
}

/*
 * Room for n bytes in one run behind the held ones, or NULL when that would
 * pass the ceiling or memory is short.  buf_commit() makes what was written
 * there part of the queue.
 */
uint8_t *buf_reserve(struct buf *b, size_t n) MUST_USE;
void buf_commit(struct buf *b, size_t n);

/* Appends; ERR_LIMIT past the ceiling, ERR_NOMEM; nothing added on failure. */
enum err buf_append(struct buf *b, const void *p, size_t n) MUST_USE;
enum err buf_append_str(struct buf *b, const char *cstr) MUST_USE;
enum err buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) MUST_USE;

/* Forgets n bytes at the front. */
void buf_consume(struct buf *b, size_t n);

/*
 * Moves up to n bytes from the front of src to the end of dst, as far as
 * dst has room; returns how many.  Where dst is empty and all of src goes,
 * the storage changes hands and no byte is copied.
 */
size_t buf_move(struct buf *dst, struct buf *src, size_t n);

/* Gives the storage back if the queue is empty. */
void buf_release(struct buf *b);

#endif

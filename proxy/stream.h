/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_STREAM_H
#define PROXY_STREAM_H

/*
 * A byte stream with two ends of its own: TLS, a plain socket, or memory in
 * tests.  Never blocks.  Each direction ends by itself.
 */
#include "base/err.h"

enum io {
	IO_OK = 0,
	IO_WANT_READ,  /* again when the descriptor is readable */
	IO_WANT_WRITE, /* again when it is writable */
	IO_EOF,	       /* the peer ended its direction, cleanly */
	IO_FAIL,       /* broken: reset, or cut without a proper end */
};

struct stream;

struct stream_ops {
	/* IO_OK: 1 to cap bytes were read. */
	enum io (*read)(struct stream *s, void *to, size_t cap, size_t *n);
	/*
	 * IO_OK: 1 to len bytes were taken.  After IO_WANT_*, the next call
	 * must begin with the same bytes (more may follow).  After less than
	 * len, it is to come at once: the kernel may hold back what was
	 * taken, to send it with the rest.
	 */
	enum io (*write)(
	    struct stream *s, const void *p, size_t len, size_t *n);
	/* Ends our direction: close_notify, or shutdown(SHUT_WR). */
	enum io (*shut)(struct stream *s);
	/* It may be silent for long: gives up the memory that only traffic
	 * needs.  Changes nothing else.  NULL: it has none. */
	void (*rest)(struct stream *s);
	/* Frees; closes the descriptor. */
	void (*close)(struct stream *s);
};

struct stream {
	const struct stream_ops *ops;
	int fd;	     /* for the loop to watch */
	bool drains; /* a read that brings less than asked took all there was */
};

static inline enum io
stream_read(struct stream *s, void *to, size_t cap, size_t *n)
{
	return s->ops->read(s, to, cap, n);
}

static inline enum io
stream_write(struct stream *s, const void *p, size_t len, size_t *n)
{
	return s->ops->write(s, p, len, n);
}

static inline enum io
stream_shut(struct stream *s)
{
	return s->ops->shut(s);
}

static inline void
stream_rest(struct stream *s)
{
	if (s->ops->rest != NULL) {
		s->ops->rest(s);
	}
}

static inline void
stream_close(struct stream *s)
{
	if (s != NULL) {
		s->ops->close(s);
	}
}

/* A plain socket; owns fd from success on. */
struct stream *stream_plain_new(int fd) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain sockets as streams; see stream.h.
 *
 * MSG_NOSIGNAL everywhere, so that a peer that went away is an error and not
 * a signal.  EPIPE on writing is IO_FAIL like any other: it is the caller
 * that knows whether the other direction still lives.
 */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static enum io
plain_read(struct stream *s, void *to, size_t cap, size_t *n)
{
	ssize_t got;

	do {
		got = recv(s->fd, to, cap, 0);
	} while (got == -1 && errno == EINTR);
	if (got > 0) {
		*n = (size_t)got;
		return IO_OK;
	}
	if (got == 0) {
		return IO_EOF;
	}
	return errno == EAGAIN ? IO_WANT_READ : IO_FAIL;
}

static enum io
plain_write(struct stream *s, const void *p, size_t len, size_t *n)
{
	ssize_t put;

	do {
		put = send(s->fd, p, len, MSG_NOSIGNAL);
	} while (put == -1 && errno == EINTR);
	if (put >= 0) {
		*n = (size_t)put;
		return IO_OK;
	}
	return errno == EAGAIN ? IO_WANT_WRITE : IO_FAIL;
}

static enum io
plain_shut(struct stream *s)
{
	return shutdown(s->fd, SHUT_WR) == 0 ? IO_OK : IO_FAIL;
}

static void
plain_close(struct stream *s)
{
	close(s->fd);
	free(s);
}

static const struct stream_ops plain_ops = {
	.read = plain_read,
	.write = plain_write,
	.shut = plain_shut,
	.close = plain_close,
};

struct stream *
stream_plain_new(int fd)
{
	struct stream *s = malloc(sizeof(*s));

	if (s != NULL) {
		s->ops = &plain_ops;
		s->fd = fd;
		s->drains = true;
	}
	return s;
}

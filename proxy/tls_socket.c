/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records from and to the socket, as Mbed TLS's callbacks; see tls_impl.h.
 *
 * Mbed TLS asks for five bytes, the head of a record, and then for the rest
 * of it: two calls of the kernel a record, and a third one to hear that there
 * is nothing more.  So once the handshake is over, all that its buffer has
 * room for is read, behind what it asked for, which is where it will ask for
 * the next bytes: a record comes with one call, and nothing is copied but the
 * beginning of the record behind it (ts->ahead), to where it belongs when its
 * turn has come.  A record is decrypted within its own bounds, and no other
 * is asked for while some of it is unread, so nobody else writes there.
 *
 * A call that brought less than there was room for took all there was; the
 * next one is spared (ts->dry), and the loop tells when more has come.
 *
 * In a handshake nothing is read ahead: Mbed TLS may change the buffer then.
 * Nor is anything by a client (tls_client.c), whose socket blocks.
 *
 * Rejected: a large buffer beside Mbed TLS's (each byte would be copied once
 * more, which costs as much as the calls that it spares).
 *
 * Attackers choose the lengths of records, and where they end in what is
 * read; Mbed TLS judges them as before.
 */
#include <errno.h>
#include <sys/socket.h>

#include "tls_impl.h"

/* Of one call: a record of data takes two, an honest handshake under 30 in
 * all; more is what TLS passes over, without an end if the other side likes. */
#define TURN_RECVS 64
#define TURN_TAKES 256 /* the same, of what was read ahead */

int
tls_socket_send(void *ctx, const unsigned char *p, size_t len)
{
	struct tls_stream *t = ctx;
	ssize_t n;

	t->answered = t->answered || t->reading;
	do {
		n = send(
		    t->s.fd, p, len, MSG_NOSIGNAL | (t->more ? MSG_MORE : 0));
	} while (n == -1 && errno == EINTR);
	if (n >= 0) {
		return (int)n;
	}
	return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE
			       : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

/* How much fits at p, where Mbed TLS asks for len bytes. */
static size_t
room_at(const struct tls_stream *t, const unsigned char *p, size_t len)
{
	const mbedtls_ssl_context *ssl = &t->ssl;
	const unsigned char *in = ssl->MBEDTLS_PRIVATE(in_buf);
	size_t size = ssl->MBEDTLS_PRIVATE(in_buf_len);

	/* In its handshake, or between pieces of a handshake message. */
	if (!t->settled || p < in || p >= in + size ||
	    ssl->MBEDTLS_PRIVATE(in_hdr) != in + sizeof(t->in_ctr)) {
		return len;
	}
	return (size_t)(in + size - p) > len ? (size_t)(in + size - p) : len;
}

static int
take_ahead(struct tls_stream *t, unsigned char *p, size_t len)
{
	size_t n = len < t->ahead_len ? len : t->ahead_len;

	if (t->ahead != p) {
		memmove(p, t->ahead, n);
	}
	t->ahead += n;
	t->ahead_len -= n;
	return (int)n;
}

int
tls_socket_recv(void *ctx, unsigned char *p, size_t len)
{
	struct tls_stream *t = ctx;
	size_t room;
	ssize_t n;

	if (t->answered) {
		return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	}
	if (t->ahead_len > 0) {
		t->takes++;
		return take_ahead(t, p, len);
	}
	if (t->dry) {
		t->dry = false;
		return MBEDTLS_ERR_SSL_WANT_READ;
	}
	/* Only while nothing is left ahead, of which the loop would not tell.
	 */
	if (t->recvs == TURN_RECVS || t->takes >= TURN_TAKES) {
		return MBEDTLS_ERR_SSL_WANT_READ; /* others first */
	}
	t->recvs++;
	room = room_at(t, p, len);
	do {
		n = recv(t->s.fd, p, room, 0);
	} while (n == -1 && errno == EINTR);
	if (n == -1) {
		return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ
				       : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	}
	/* 0: a FIN; Mbed TLS says CONN_EOF. */
	t->dry = n > 0 && room > len && (size_t)n < room;
	if ((size_t)n > len) {
		t->ahead = p + len;
		t->ahead_len = (size_t)n - len;
		n = (ssize_t)len;
	}
	return (int)n;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_TLS_CLIENT_H
#define PROXY_TLS_CLIENT_H

/*
 * The client's side of TLS, for dinv enroll: blocks, within the socket's own
 * time-outs.
 */
#include "stream.h"

struct tls_client_options {
	const char *host; /* the name that the server's certificate must say */
	/* How the server is known: by the hash of a key in its chain
	 * (cert_pin()), or by the CAs in a file.  One of the two. */
	const char *pin;
	const char *ca_path;
	/* What we show; NULL: nothing. */
	const char *cert_path, *key_path;
};

/*
 * Takes fd, a connected socket, on success.  Nothing has been sent but the
 * handshake when it returns, and the server is the right one.  d says what is
 * wrong: ERR_IO (the server closed the connection before that), ERR_TLS,
 * ERR_CERT, ERR_KEY, ERR_RANDOM, ERR_NOMEM.
 */
enum err tls_connect(const struct tls_client_options *opt, int fd,
    struct stream **out, struct diag *d) MUST_USE;

#endif

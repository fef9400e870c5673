/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_TLS_H
#define PROXY_TLS_H

/*
 * TLS 1.2 and 1.3 for the gate's side of a connection, by Mbed TLS.
 * AEAD suites with forward secrecy only, ALPN "http/1.1" only, no
 * renegotiation, no tickets, no early data.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "certs/crl_set.h"
#include "policy/principal.h"
#include "stream.h"

enum tls_version { TLS_VERSION_1_2 = 0, TLS_VERSION_1_3 };

struct tls_options {
	const char *cert_path;	   /* PEM; the chain follows the certificate */
	const char *key_path;	   /* PEM */
	const char *key_pass_path; /* its passphrase, first line; or NULL */
	const char *ca_path;  /* PEM; who signs clients.  NULL: none asked */
	struct crl_set *crls; /* what was revoked; NULL: nothing */
	/* PEM, shown behind the certificate: for those who know the CA by a
	 * hash alone.  NULL: nothing */
	const char *shown_ca_path;
	enum tls_version min, max;
};

/* One a worker, never shared between threads; its streams hold it. */
struct tls_server;

/* ERR_CERT, ERR_KEY, ERR_CERT_MISMATCH, ERR_RANDOM, ERR_NOMEM; d says which
 * file and what to do.  Takes opt->crls on success. */
enum err tls_server_new(const struct tls_options *opt, struct tls_server **out,
    struct diag *d) MUST_USE;
/* The owner lets go; freed with its last stream.  NULL is fine. */
void tls_server_drop(struct tls_server *t);

/* Takes fd on success. */
enum err tls_accept(struct tls_server *t, int fd, struct stream **out) MUST_USE;

/* IO_OK when done; on IO_FAIL d says why ("client sent no certificate"). */
enum io tls_handshake(struct stream *s, struct diag *d);

/* Why a client was refused, in short: for counting. */
enum tls_failure {
	TLS_FAILED_PROTOCOL = 0, /* no common version or suite; broken bytes */
	TLS_FAILED_LOST,	 /* it went away */
	TLS_FAILED_NO_CERTIFICATE,
	TLS_FAILED_UNKNOWN_CA,
	TLS_FAILED_EXPIRED,
	TLS_FAILED_REVOKED,
	TLS_FAILED_CRL,		/* ours is stale: nobody is let in */
	TLS_FAILED_CERTIFICATE, /* otherwise not good for a client */
	TLS_FAILED_NAME,	/* whose names cannot be trusted */
	TLS_FAILED_TIMEOUT,	/* the caller's */
	TLS_FAILURES
};
/* After IO_FAIL of tls_handshake(), or after tls_principal() refused. */
enum tls_failure tls_failure(const struct stream *s);

/*
 * Who the client is, after the handshake.  PRINCIPAL_ANONYMOUS where no
 * certificate was asked for.  ERR_CERT for a name with control bytes, invalid
 * UTF-8 or more than one CN: such a client is nobody.  Spans live in arena.
 */
enum err tls_principal(struct stream *s, struct arena *arena,
    struct principal *out, struct diag *d) MUST_USE;

/* The client is known: what only its handshake needed is wiped and freed, and
 * its certificates are kept as bytes.  Any other stream: nothing.  ERR_NOMEM */
enum err tls_settle(struct stream *s) MUST_USE;

/* The certificate that the client showed; ERR_CERT where it showed none. */
enum err tls_peer_pem(struct stream *s, struct buf *out) MUST_USE;

/*
 * Would t let this client in?  For streams that were accepted by another
 * server: its CAs may have gone, and its client may have been revoked.  That
 * its certificate has expired meanwhile is no reason.  d says why not.
 */
bool tls_still_good(
    struct stream *s, struct tls_server *t, struct diag *d) MUST_USE;

/* The same at the end of a handshake: who is not let in gets an alert. */
enum io tls_judge_again(
    struct stream *s, struct tls_server *t, struct diag *d) MUST_USE;

/* "TLSv1.3"; "" before the handshake. */
const char *tls_version_name(const struct stream *s);

/* "TLS1-3-AES-128-GCM-SHA256"; "" before the handshake. */
const char *tls_cipher_name(const struct stream *s);

/* Is this stream TLS?  (Tests and clear listeners have others.) */
bool tls_is(const struct stream *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_TLS_IMPL_H
#define PROXY_TLS_IMPL_H

/*
 * What the sources of TLS share, and nobody else sees.
 *
 *	tls_server.c  a server's configuration, from files
 *	tls.c         a stream by it
 *	tls_socket.c  its records from and to the socket
 *	tls_rest.c    what a stream gives up when it does not need it
 *	tls_client.c  the other side, for dinv enroll
 */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "tls.h"
#include "tls_crl.h"

struct tls_server {
	unsigned holders; /* the worker, and each stream */
	mbedtls_ssl_config conf;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
	mbedtls_x509_crt cert;
	mbedtls_pk_context key;
	mbedtls_x509_crt ca;
	struct tls_crl crl;
	bool verify;
};

/* The certificates that a client has shown, as DER. */
struct tls_shown {
	size_t len;
	unsigned char der[];
};

struct tls_stream {
	struct stream s;
	struct tls_server *server;
	size_t again_len; /* length of the write that blocked, or 0 */
	int handshake_rc; /* Mbed TLS's last word on it */
	struct tls_shown
	    *shown;   /* after tls_settle(); NULL: none, or not yet */
	bool settled; /* after tls_settle() */
	bool rests;   /* the record buffers are zeroes, but for: */
	unsigned char in_ctr[8]; /* Mbed TLS's number of the next record in */
	unsigned char *ahead;	 /* in its buffer: read, but not asked for */
	size_t ahead_len;
	bool dry; /* the socket had no more than the last read has brought */
	unsigned recvs; /* from the socket, in this call */
	unsigned takes; /* of what was read ahead, in this call */
	bool more;	/* another record follows this one at once */
	bool reading;
	bool answered; /* while reading: see tls_read() */
	mbedtls_ssl_context ssl;
};

/* Ended by 0; RFC 9325 4.2: ephemeral key exchange and AEAD, nothing else. */
extern const int tls_suites[];
extern const uint16_t tls_groups[];
/* Signatures: no SHA-1, no curve below 256 bits, RSA from 2048 bits. */
extern const mbedtls_x509_crt_profile tls_profile;
/* "http/1.1" alone. */
extern const char *tls_alpn[];

/* into out, which is initialised and empty; some may be in it on failure */
enum err tls_parse_shown(
    const struct tls_shown *shown, mbedtls_x509_crt *out) MUST_USE;

/* Mbed TLS's callbacks; ctx: the stream */
int tls_socket_send(void *ctx, const unsigned char *p, size_t len);
int tls_socket_recv(void *ctx, unsigned char *p, size_t len);

/* tls_ops.rest; what reads or writes records wakes it first. */
void tls_rest(struct stream *s);
void tls_wake(struct tls_stream *ts);

mbedtls_ssl_protocol_version tls_protocol(enum tls_version v);

/* Without configuration and files, held once: for a client too. */
enum err tls_server_bare(struct tls_server **out, struct diag *d) MUST_USE;
/* cert_path, key_path and ca_path, as far as they are not NULL.  whose:
 * "server", "client". */
enum err tls_load_files(struct tls_server *t, const struct tls_options *opt,
    const char *whose, struct diag *d) MUST_USE;

#endif

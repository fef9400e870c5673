/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a TLS stream gives up when it no longer needs it; see tls.h and
 * tls_impl.h.
 *
 * Most connections wait most of the time.  Mbed TLS keeps for each, to its
 * end, what only the handshake needed (in TLS 1.3 its secrets and its keys
 * too), the client's certificates parsed, and two record buffers of 17 KiB.
 *
 * tls_settle() ends the first two once the client is known: secrets of a
 * handshake are wiped when it is over, as TLS 1.2 has it, and of the chain
 * remain the bytes, for the day that another CA or list of revoked
 * certificates is in force (tls_still_good).  tls_rest() gives the buffers'
 * pages back between two records.  Their addresses stay, so every pointer of
 * Mbed TLS into them stays good, and what is read there is zeroes; all but
 * one thing is written anew with each record.  That one is the number of the
 * next incoming record, which Mbed TLS keeps in the first eight bytes of the
 * buffer: we keep it meanwhile.  A wrong one would fail the next record's
 * tag; it can never let a record in twice, because it is the same number.
 *
 * This file knows Mbed TLS from inside: fields that it calls private, a
 * function that it uses between its own sources, as of 3.6.  Another version
 * must be read first.
 *
 * Rejected: MBEDTLS_SSL_KEEP_PEER_CERTIFICATE off (a client that was revoked
 * could not be told from others any more); freeing the buffers (all pointers
 * into them are Mbed TLS's); a patch to its source (Debian's is signed).
 *
 * Attackers end records in the middle and stay silent: then the bytes are
 * needed, and the stream does not rest.
 */
#include <mbedtls/platform.h>
#include <mbedtls/version.h>
#include <stdlib.h>

#include "tls_impl.h"
#include "tls_mem.h"

#if MBEDTLS_VERSION_NUMBER < 0x03060000 || MBEDTLS_VERSION_NUMBER > 0x0306ffff
#error "read ssl_msg.c and ssl_tls.c of this Mbed TLS, then change this file"
#endif

/* library/ssl_misc.h: frees the handshake, and takes its transform for the
 * connection's.  TLS 1.2 does it by itself; 3.6 forgets it in TLS 1.3, where
 * that transform is empty (transform_application is in use). */
void mbedtls_ssl_handshake_wrapup_free_hs_transform(mbedtls_ssl_context *ssl);

/* --- after the handshake ------------------------------------------------- */

/* One behind the other, as they came: DER says where each ends. */
static struct tls_shown *
shown_of(const mbedtls_x509_crt *chain)
{
	const mbedtls_x509_crt *crt;
	struct tls_shown *shown;
	size_t len = 0;

	for (crt = chain; crt != NULL; crt = crt->next) {
		len += crt->raw.len;
	}
	shown = malloc(sizeof(*shown) + len);
	if (shown == NULL) {
		return NULL;
	}
	shown->len = 0;
	for (crt = chain; crt != NULL; crt = crt->next) {
		memcpy(shown->der + shown->len, crt->raw.p, crt->raw.len);
		shown->len += crt->raw.len;
	}
	return shown;
}

enum err
tls_parse_shown(const struct tls_shown *shown, mbedtls_x509_crt *out)
{
	const mbedtls_x509_crt *last;
	size_t off = 0;

	while (off < shown->len) {
		if (mbedtls_x509_crt_parse_der(
			out, shown->der + off, shown->len - off) != 0) {
			return ERR_CERT;
		}
		last = out;
		while (last->next != NULL) {
			last = last->next;
		}
		off += last->raw.len;
	}
	return off == shown->len && off > 0 ? ERR_OK : ERR_CERT;
}

/* The chain as bytes instead of parsed. */
static enum err
keep_shown(struct tls_stream *ts)
{
	mbedtls_ssl_session *session = ts->ssl.MBEDTLS_PRIVATE(session);
	mbedtls_x509_crt *chain = session->MBEDTLS_PRIVATE(peer_cert);

	if (chain == NULL || ts->shown != NULL) {
		return ERR_OK;
	}
	ts->shown = shown_of(chain);
	if (ts->shown == NULL) {
		return ERR_NOMEM;
	}
	session->MBEDTLS_PRIVATE(peer_cert) = NULL;
	mbedtls_x509_crt_free(chain);
	mbedtls_free(chain);
	return ERR_OK;
}

enum err
tls_settle(struct stream *s)
{
	struct tls_stream *ts = (struct tls_stream *)s; /* its first member */
	mbedtls_ssl_context *ssl = &ts->ssl;

	if (!tls_is(s) || !mbedtls_ssl_is_handshake_over(ssl)) {
		return ERR_OK;
	}
	if (ssl->MBEDTLS_PRIVATE(handshake) != NULL) {
		mbedtls_ssl_handshake_wrapup_free_hs_transform(ssl);
	}
	ts->settled = keep_shown(ts) == ERR_OK;
	return ts->settled ? ERR_OK : ERR_NOMEM;
}

/* --- between records ----------------------------------------------------- */

/* Is there nothing in the buffers that somebody still wants? */
static bool
between_records(const struct tls_stream *ts)
{
	const mbedtls_ssl_context *ssl = &ts->ssl;

	return ts->settled && ts->again_len == 0 && ts->ahead_len == 0 &&
	       ssl->MBEDTLS_PRIVATE(in_left) == 0 &&
	       ssl->MBEDTLS_PRIVATE(out_left) == 0 &&
	       ssl->MBEDTLS_PRIVATE(send_alert) == 0 &&
	       mbedtls_ssl_check_pending(ssl) == 0;
}

void
tls_rest(struct stream *s)
{
	struct tls_stream *ts = (struct tls_stream *)s;
	mbedtls_ssl_context *ssl = &ts->ssl;
	unsigned char *in = ssl->MBEDTLS_PRIVATE(in_buf);
	unsigned char *out = ssl->MBEDTLS_PRIVATE(out_buf);

	if (ts->rests || !between_records(ts) || !tls_mem_has(in) ||
	    !tls_mem_has(out) || ssl->MBEDTLS_PRIVATE(in_ctr) != in ||
	    ssl->MBEDTLS_PRIVATE(in_hdr) != in + sizeof(ts->in_ctr)) {
		return; /* in_hdr: behind a piece of a handshake message */
	}
	memcpy(ts->in_ctr, in, sizeof(ts->in_ctr));
	ts->rests = true;
	tls_mem_rest(in);
	tls_mem_rest(out);
}

void
tls_wake(struct tls_stream *ts)
{
	if (ts->rests) {
		memcpy(ts->ssl.MBEDTLS_PRIVATE(in_buf), ts->in_ctr,
		    sizeof(ts->in_ctr));
		ts->rests = false;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS as a stream; see tls.h.  The socket is read and written by callbacks
 * (tls_socket.c); nothing here waits.
 *
 * The one trap is writing: after WANT_WRITE Mbed TLS has taken the first
 * bytes into a record and, called again, reports the length it is given
 * then.  So the length of the write that blocked is kept (again_len), and
 * the next call repeats exactly that many bytes.
 *
 * Ends: a close_notify is IO_EOF and writing goes on; a bare FIN is IO_FAIL,
 * because anyone on the path can send one (RFC 8446 6.1).
 *
 * Attackers send broken records, stop in the middle of a handshake, show
 * certificates of other CAs, expired ones, ones for servers, names with NUL
 * or newlines in them.  They send what TLS says is to be passed over (warning
 * alerts, in TLS 1.3 also ChangeCipherSpec) without an end: Mbed TLS would
 * pass it over within one call, and the thread would have no other client and
 * no clock, so a call reads only so often from the socket (TURN_RECVS).  They
 * ask for a renegotiation: see tls_read().  Deadlines are the caller's
 * (conn.c).
 */
#include <mbedtls/pem.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "tls_impl.h"
#include "tls_names.h"
#include "tls_refuse.h"

static enum io tls_read(struct stream *s, void *to, size_t cap, size_t *n);
static enum io tls_write(
    struct stream *s, const void *p, size_t len, size_t *n);
static enum io tls_shut(struct stream *s);
static void tls_close(struct stream *s);

static const struct stream_ops tls_ops = {
	.read = tls_read,
	.write = tls_write,
	.shut = tls_shut,
	.rest = tls_rest,
	.close = tls_close,
};

/* --- the stream ---------------------------------------------------------- */

enum err
tls_accept(struct tls_server *t, int fd, struct stream **out)
{
	struct tls_stream *ts = calloc(1, sizeof(*ts));

	if (ts == NULL) {
		return ERR_NOMEM;
	}
	ts->s.ops = &tls_ops;
	ts->s.fd = fd;
	ts->server = t;
	mbedtls_ssl_init(&ts->ssl);
	if (mbedtls_ssl_setup(&ts->ssl, &t->conf) != 0) {
		mbedtls_ssl_free(&ts->ssl);
		free(ts);
		return ERR_NOMEM;
	}
	t->holders++;
	mbedtls_ssl_set_bio(
	    &ts->ssl, ts, tls_socket_send, tls_socket_recv, NULL);
	*out = &ts->s;
	return ERR_OK;
}

static struct tls_stream *
tls_of(struct stream *s)
{
	return (struct tls_stream *)s; /* s is its first member */
}

static enum io
io_of(int rc)
{
	switch (rc) {
	case MBEDTLS_ERR_SSL_WANT_READ:
		return IO_WANT_READ;
	case MBEDTLS_ERR_SSL_WANT_WRITE:
		return IO_WANT_WRITE;
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		return IO_EOF;
	default:
		return IO_FAIL;
	}
}

#define ALERT_CERTIFICATE_REQUIRED 116 /* RFC 8446 6.2 */

/*
 * The handshake is over: is there a certificate, and is it good?  Asked here
 * and not by Mbed TLS in mid-handshake, because in TLS 1.3 it sends that
 * alert under keys that the client has left behind (RFC 8446 4.4.4: behind
 * its Finished the server writes with application keys), and docker prints
 * "bad record MAC" instead of the reason.  No byte of the client's is read
 * before this.
 */
static enum io
judge_client(struct tls_stream *ts, struct diag *d)
{
	uint32_t flags = mbedtls_ssl_get_verify_result(&ts->ssl);
	unsigned char alert;

	if (mbedtls_ssl_get_peer_cert(&ts->ssl) == NULL) {
		diag_set(d, 0, 0, "client sent no certificate");
		alert = mbedtls_ssl_get_version_number(&ts->ssl) ==
				MBEDTLS_SSL_VERSION_TLS1_3
			    ? ALERT_CERTIFICATE_REQUIRED
			    : MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
	} else if (flags != 0) {
		tls_say_verify(flags, d);
		alert = tls_alert_for(flags);
	} else {
		return IO_OK;
	}
	(void)mbedtls_ssl_send_alert_message(
	    &ts->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
	return IO_FAIL;
}

enum io
tls_handshake(struct stream *s, struct diag *d)
{
	struct tls_stream *ts = tls_of(s);
	enum io io;
	int rc;

	ts->recvs = 0;
	rc = mbedtls_ssl_handshake(&ts->ssl);
	ts->handshake_rc = rc;
	if (rc == 0) {
		return ts->server->verify ? judge_client(ts, d) : IO_OK;
	}
	io = io_of(rc);
	if (io == IO_EOF) {
		io = IO_FAIL;
	}
	if (io == IO_FAIL) {
		tls_say_handshake(rc, d);
	}
	return io;
}

enum tls_failure
tls_failure(const struct stream *s)
{
	const struct tls_stream *ts = (const struct tls_stream *)s;

	return tls_failure_of(ts->handshake_rc,
	    mbedtls_ssl_get_peer_cert(&ts->ssl) != NULL,
	    mbedtls_ssl_get_verify_result(&ts->ssl));
}

static uint32_t
verify_at(mbedtls_x509_crt *chain, struct tls_server *t)
{
	uint32_t flags = 0;

	(void)mbedtls_x509_crt_verify_with_profile(chain, &t->ca, NULL,
	    &tls_profile, NULL, &flags, tls_crl_verify, &t->crl);
	return flags & ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED |
				   MBEDTLS_X509_BADCERT_FUTURE);
}

/* What Mbed TLS would say of the client at t; 0: nothing against it. */
static uint32_t
flags_at(struct stream *s, struct tls_server *t)
{
	struct tls_stream *ts = tls_of(s);
	/* Mbed TLS lacks a const here; verifying changes no certificate. */
	union {
		const mbedtls_x509_crt *in;
		mbedtls_x509_crt *out;
	} crt = { mbedtls_ssl_get_peer_cert(&ts->ssl) };
	mbedtls_x509_crt chain;
	uint32_t flags = MBEDTLS_X509_BADCERT_MISSING;

	if (ts->server == t || !t->verify) {
		return 0;
	}
	if (ts->shown == NULL) {
		return crt.in == NULL ? flags : verify_at(crt.out, t);
	}
	mbedtls_x509_crt_init(&chain);
	if (tls_parse_shown(ts->shown, &chain) == ERR_OK) {
		flags = verify_at(&chain, t);
	}
	mbedtls_x509_crt_free(&chain);
	return flags;
}

bool
tls_still_good(struct stream *s, struct tls_server *t, struct diag *d)
{
	uint32_t flags = flags_at(s, t);

	if (flags != 0) {
		tls_say_verify(flags, d);
	}
	return flags == 0;
}

enum io
tls_judge_again(struct stream *s, struct tls_server *t, struct diag *d)
{
	uint32_t flags = flags_at(s, t);

	if (flags == 0) {
		return IO_OK;
	}
	tls_say_verify(flags, d);
	(void)mbedtls_ssl_send_alert_message(&tls_of(s)->ssl,
	    MBEDTLS_SSL_ALERT_LEVEL_FATAL, tls_alert_for(flags));
	return IO_FAIL;
}

/*
 * Reading writes in two cases, and both are its end: an alert of what was
 * wrong, and "no renegotiation" to a client that asks for one in TLS 1.2.
 * Mbed TLS would read on after that.  But what it writes pushes out the rest
 * of a record that had blocked, and the repeated write (again_len) would then
 * send those bytes once more.
 */
static enum io
tls_read(struct stream *s, void *to, size_t cap, size_t *n)
{
	struct tls_stream *ts = tls_of(s);
	int rc;

	tls_wake(ts);
	ts->recvs = ts->takes = 0;
	ts->reading = true;
	rc = mbedtls_ssl_read(&ts->ssl, to, cap);
	ts->reading = false;
	if (ts->answered) {
		return IO_FAIL;
	}
	if (rc > 0) {
		*n = (size_t)rc;
		return IO_OK;
	}
	return rc == 0 ? IO_FAIL : io_of(rc);
}

static enum io
tls_write(struct stream *s, const void *p, size_t len, size_t *n)
{
	struct tls_stream *ts = tls_of(s);
	size_t want = ts->again_len > 0 ? ts->again_len : len;
	int rc;

	if (ts->answered) {
		return IO_FAIL;
	}
	tls_wake(ts);
	ts->more = (int)want > mbedtls_ssl_get_max_out_record_payload(&ts->ssl);
	rc = mbedtls_ssl_write(&ts->ssl, p, want);
	ts->more = false;
	if (rc > 0) {
		ts->again_len = 0;
		*n = (size_t)rc;
		return IO_OK;
	}
	if (rc == MBEDTLS_ERR_SSL_WANT_WRITE ||
	    rc == MBEDTLS_ERR_SSL_WANT_READ) {
		ts->again_len = want;
	}
	return rc == 0 ? IO_WANT_WRITE : io_of(rc);
}

static enum io
tls_shut(struct stream *s)
{
	struct tls_stream *ts = tls_of(s);
	int rc;

	if (ts->answered) {
		return IO_FAIL;
	}
	tls_wake(ts);
	/* Called again after WANT_WRITE, it sends what is left of the alert. */
	rc = mbedtls_ssl_close_notify(&ts->ssl);
	return rc == 0 ? IO_OK : io_of(rc);
}

static void
tls_close(struct stream *s)
{
	struct tls_stream *ts = tls_of(s);

	close(ts->s.fd);
	mbedtls_ssl_free(&ts->ssl);
	tls_server_drop(ts->server);
	free(ts->shown);
	free(ts);
}

bool
tls_is(const struct stream *s)
{
	return s->ops == &tls_ops;
}

const char *
tls_version_name(const struct stream *s)
{
	const struct tls_stream *ts = (const struct tls_stream *)s;

	return mbedtls_ssl_is_handshake_over(
		   (mbedtls_ssl_context *)(uintptr_t)&ts->ssl)
		   ? mbedtls_ssl_get_version(&ts->ssl)
		   : "";
}

const char *
tls_cipher_name(const struct stream *s)
{
	const struct tls_stream *ts = (const struct tls_stream *)s;
	const char *name = NULL;

	if (mbedtls_ssl_is_handshake_over(
		(mbedtls_ssl_context *)(uintptr_t)&ts->ssl)) {
		name = mbedtls_ssl_get_ciphersuite(&ts->ssl);
	}
	return name == NULL ? "" : name;
}

/* --- the principal ------------------------------------------------------- */

enum err
tls_principal(struct stream *s, struct arena *arena, struct principal *out,
    struct diag *d)
{
	struct tls_stream *ts = tls_of(s);
	const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&ts->ssl);
	unsigned char hash[32];
	enum err rc;

	if (!ts->server->verify) {
		out->kind = PRINCIPAL_ANONYMOUS;
		return ERR_OK;
	}
	if (crt == NULL || mbedtls_ssl_get_verify_result(&ts->ssl) != 0) {
		diag_set(d, 0, 0, "no verified client certificate");
		return ERR_CERT;
	}
	rc = tls_take_names(crt, arena, out, d);
	if (rc != ERR_OK) {
		return rc;
	}
	if (mbedtls_sha256(crt->raw.p, crt->raw.len, hash, 0) != 0 ||
	    crt->serial.len * 2 >= sizeof(out->serial)) {
		diag_set(d, 0, 0, "the certificate's serial is too long");
		return ERR_CERT;
	}
	text_hex(hash, sizeof(hash), out->fingerprint);
	text_hex(crt->serial.p, crt->serial.len, out->serial);
	out->kind = PRINCIPAL_CERT;
	return ERR_OK;
}

enum err
tls_peer_pem(struct stream *s, struct buf *out)
{
	const struct tls_shown *shown = tls_is(s) ? tls_of(s)->shown : NULL;
	mbedtls_x509_crt chain;
	enum err rc = ERR_CERT;
	size_t room, n;
	uint8_t *to;

	if (shown == NULL) {
		return ERR_CERT;
	}
	mbedtls_x509_crt_init(&chain);
	if (tls_parse_shown(shown, &chain) != ERR_OK) {
		goto out;
	}
	room = chain.raw.len * 2 + 128; /* base64 adds a third */
	to = buf_reserve(out, room);
	if (to == NULL) {
		rc = ERR_LIMIT;
		goto out;
	}
	if (mbedtls_pem_write_buffer("-----BEGIN CERTIFICATE-----\n",
		"-----END CERTIFICATE-----\n", chain.raw.p, chain.raw.len, to,
		room, &n) != 0) {
		goto out;
	}
	buf_commit(out, n - 1); /* without the NUL */
	rc = ERR_OK;
out:
	mbedtls_x509_crt_free(&chain);
	return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS as a stream; see tls.h.  The only module that knows mbedtls_ssl_*.
 *
 * Each worker thread has a server of its own (configuration, key, random
 * generator), so that no lock is taken on the way of a byte.  The socket is
 * read and written by two small callbacks; nothing here waits.
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
 * or newlines in them.  Deadlines are the caller's (conn.c).
 */
#include "tls.h"

#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/text.h"
#include "certs/key.h"
#include "tls_crl.h"
#include "tls_names.h"
#include "tls_refuse.h"

/* Workers handshake at the same time: without this, PSA's key slots are one
 * heap corruption away. */
#if !defined(MBEDTLS_THREADING_C) || !defined(MBEDTLS_THREADING_PTHREAD)
#error "Mbed TLS was not built with proxy/deps/dinv_mbedtls_config.h"
#endif

#define TLS_CERTS_BYTES (4u << 20) /* of a file of certificates */
#define TLS_KEY_FILE_BYTES 65536

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

struct tls_stream {
	struct stream s;
	struct tls_server *server;
	size_t again_len; /* length of the write that blocked, or 0 */
	int handshake_rc; /* Mbed TLS's last word on it */
	mbedtls_ssl_context ssl;
};

/* RFC 9325 4.2: ephemeral key exchange and AEAD, nothing else. */
static const int tls_suites[] = {
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	0,
};

static const uint16_t tls_groups[] = {
	MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

/* Signatures: no SHA-1, no curve below 256 bits, RSA from 2048 bits. */
static const mbedtls_x509_crt_profile tls_profile = {
	.allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) |
		       MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
		       MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
	.allowed_pks = 0xfffffff,
	.allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) |
			  MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1),
	.rsa_min_bitlen = 2048,
};

static const char *tls_alpn[] = { "http/1.1", NULL };

static enum io tls_read(struct stream *s, void *to, size_t cap, size_t *n);
static enum io tls_write(
    struct stream *s, const void *p, size_t len, size_t *n);
static enum io tls_shut(struct stream *s);
static void tls_close(struct stream *s);

static const struct stream_ops tls_ops = {
	.read = tls_read,
	.write = tls_write,
	.shut = tls_shut,
	.close = tls_close,
};

/* --- the server's configuration ------------------------------------------ */

static void
say(struct diag *d, const char *what, const char *path, int rc)
{
	char why[96];

	mbedtls_strerror(rc, why, sizeof(why));
	diag_set(d, 0, 0, "%s %s: %s", what, path, why);
}

static enum err
load_key(struct tls_server *t, const char *path, const char *pass_path,
    struct diag *d)
{
	struct secret pass = { NULL, 0 };
	struct secret pem = { NULL, 0 };
	enum err rc;
	int m;

	rc = secret_read_file(&pem, path, TLS_KEY_FILE_BYTES);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "cannot read the server key %s: %s", path,
		    rc == ERR_LIMIT ? "too large for a key" : strerror(errno));
		return rc;
	}
	if (pass_path != NULL) {
		rc = key_pass_load(pass_path, &pass, d);
		if (rc != ERR_OK) {
			secret_fini(&pem);
			return rc;
		}
	}
	m = mbedtls_pk_parse_key(&t->key, pem.data, pem.len + 1, pass.data,
	    pass.len, mbedtls_ctr_drbg_random, &t->drbg);
	secret_fini(&pem);
	secret_fini(&pass);
	if (m != 0) {
		say(d, "cannot use the server key", path, m);
		return ERR_KEY;
	}
	return ERR_OK;
}

/* Not by Mbed TLS, which would wait for who writes a FIFO in its place. */
static int
parse_certs(mbedtls_x509_crt *to, const char *path)
{
	struct secret file = { NULL, 0 };
	int m = MBEDTLS_ERR_X509_FILE_IO_ERROR;

	if (secret_read_file(&file, path, TLS_CERTS_BYTES) == ERR_OK) {
		m = mbedtls_x509_crt_parse(to, file.data, file.len + 1);
	}
	secret_fini(&file);
	return m;
}

static enum err
load_files(struct tls_server *t, const struct tls_options *opt, struct diag *d)
{
	enum err rc;
	int m;

	m = parse_certs(&t->cert, opt->cert_path);
	if (m != 0) {
		say(d, "cannot use the server certificate", opt->cert_path, m);
		return ERR_CERT;
	}
	rc = load_key(t, opt->key_path, opt->key_pass_path, d);
	if (rc != ERR_OK) {
		return rc;
	}
	if (mbedtls_pk_check_pair(
		&t->cert.pk, &t->key, mbedtls_ctr_drbg_random, &t->drbg) != 0) {
		diag_set(d, 0, 0, "%s and %s do not belong together",
		    opt->cert_path, opt->key_path);
		return ERR_CERT_MISMATCH;
	}
	if (opt->ca_path != NULL) {
		m = parse_certs(&t->ca, opt->ca_path);
		if (m != 0) {
			say(d, "cannot use the CA", opt->ca_path, m);
			return ERR_CERT;
		}
	}
	return ERR_OK;
}

static mbedtls_ssl_protocol_version
protocol(enum tls_version v)
{
	return v == TLS_VERSION_1_3 ? MBEDTLS_SSL_VERSION_TLS1_3
				    : MBEDTLS_SSL_VERSION_TLS1_2;
}

static enum err
configure(struct tls_server *t, const struct tls_options *opt)
{
	mbedtls_ssl_config *c = &t->conf;

	if (mbedtls_ssl_config_defaults(c, MBEDTLS_SSL_IS_SERVER,
		MBEDTLS_SSL_TRANSPORT_STREAM,
		MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
		return ERR_NOMEM;
	}
	mbedtls_ssl_conf_min_tls_version(c, protocol(opt->min));
	mbedtls_ssl_conf_max_tls_version(c, protocol(opt->max));
	mbedtls_ssl_conf_ciphersuites(c, tls_suites);
	mbedtls_ssl_conf_groups(c, tls_groups);
	mbedtls_ssl_conf_cert_profile(c, &tls_profile);
	mbedtls_ssl_conf_rng(c, mbedtls_ctr_drbg_random, &t->drbg);
	if (mbedtls_ssl_conf_alpn_protocols(c, tls_alpn) != 0 ||
	    mbedtls_ssl_conf_own_cert(c, &t->cert, &t->key) != 0) {
		return ERR_NOMEM;
	}
	t->verify = opt->ca_path != NULL;
	if (t->verify) {
		mbedtls_ssl_conf_ca_chain(c, &t->ca, NULL);
		mbedtls_ssl_conf_verify(c, tls_crl_verify, &t->crl);
	}
	/* Optional for Mbed TLS, required by judge_client(): see there. */
	mbedtls_ssl_conf_authmode(c,
	    t->verify ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_NONE);
	return ERR_OK;
}

enum err
tls_server_new(
    const struct tls_options *opt, struct tls_server **out, struct diag *d)
{
	struct tls_server *t = calloc(1, sizeof(*t));
	enum err rc = ERR_RANDOM;

	if (t == NULL) {
		return ERR_NOMEM;
	}
	t->holders = 1;
	mbedtls_ssl_config_init(&t->conf);
	mbedtls_entropy_init(&t->entropy);
	mbedtls_ctr_drbg_init(&t->drbg);
	mbedtls_x509_crt_init(&t->cert);
	mbedtls_pk_init(&t->key);
	mbedtls_x509_crt_init(&t->ca);
	if (psa_crypto_init() != PSA_SUCCESS ||
	    mbedtls_ctr_drbg_seed(
		&t->drbg, mbedtls_entropy_func, &t->entropy, NULL, 0) != 0) {
		diag_set(d, 0, 0, "the random generator could not be seeded");
		goto out;
	}
	rc = load_files(t, opt, d);
	if (rc == ERR_OK) {
		rc = configure(t, opt);
	}
	if (rc == ERR_OK) {
		t->crl.set = opt->crls;
		*out = t;
		t = NULL;
	}
out:
	tls_server_drop(t);
	return rc;
}

void
tls_server_drop(struct tls_server *t)
{
	if (t == NULL || --t->holders > 0) {
		return;
	}
	mbedtls_ssl_config_free(&t->conf);
	mbedtls_x509_crt_free(&t->cert);
	mbedtls_pk_free(&t->key);
	mbedtls_x509_crt_free(&t->ca);
	crl_set_free(t->crl.set);
	mbedtls_ctr_drbg_free(&t->drbg);
	mbedtls_entropy_free(&t->entropy);
	free(t);
}

/* --- the stream ---------------------------------------------------------- */

static int
socket_send(void *ctx, const unsigned char *p, size_t len)
{
	const struct tls_stream *t = ctx;
	ssize_t n;

	do {
		n = send(t->s.fd, p, len, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	if (n >= 0) {
		return (int)n;
	}
	return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE
			       : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int
socket_recv(void *ctx, unsigned char *p, size_t len)
{
	const struct tls_stream *t = ctx;
	ssize_t n;

	do {
		n = recv(t->s.fd, p, len, 0);
	} while (n == -1 && errno == EINTR);
	if (n >= 0) {
		return (int)n; /* 0: a FIN; Mbed TLS says CONN_EOF */
	}
	return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ
			       : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

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
	mbedtls_ssl_set_bio(&ts->ssl, ts, socket_send, socket_recv, NULL);
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
	int rc = mbedtls_ssl_handshake(&ts->ssl);
	enum io io;

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
	uint32_t flags = 0;

	if (ts->server == t || !t->verify) {
		return 0;
	}
	if (crt.in == NULL) {
		return MBEDTLS_X509_BADCERT_MISSING;
	}
	(void)mbedtls_x509_crt_verify_with_profile(crt.out, &t->ca, NULL,
	    &tls_profile, NULL, &flags, tls_crl_verify, &t->crl);
	return flags & ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED |
				   MBEDTLS_X509_BADCERT_FUTURE);
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

static enum io
tls_read(struct stream *s, void *to, size_t cap, size_t *n)
{
	struct tls_stream *ts = tls_of(s);
	int rc;

	rc = mbedtls_ssl_read(&ts->ssl, to, cap);
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

	rc = mbedtls_ssl_write(&ts->ssl, p, want);
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
	/* Called again after WANT_WRITE, it sends what is left of the alert. */
	int rc = mbedtls_ssl_close_notify(&tls_of(s)->ssl);

	return rc == 0 ? IO_OK : io_of(rc);
}

static void
tls_close(struct stream *s)
{
	struct tls_stream *ts = tls_of(s);

	close(ts->s.fd);
	mbedtls_ssl_free(&ts->ssl);
	tls_server_drop(ts->server);
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

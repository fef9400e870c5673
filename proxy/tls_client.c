/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS from the client's side; see tls_client.h.
 *
 * A stream as the gate has it (tls.c), by a configuration of the other kind.
 * Mbed TLS is told to let any certificate pass, and the server is judged
 * after the handshake, because "known by the hash of its CA's key" is nothing
 * that it could check; no byte of ours is sent before.
 *
 * The name is compared by certs/cert.c, as Go does it: subject alternative
 * names alone, addresses as addresses.
 *
 * Attackers are on the way, and want the token: they show chains with the
 * right CA's certificate in it (it is public) that do not lead to it; or they
 * are clients of that CA, which signed them something too.
 */
#include "tls_client.h"

#include <mbedtls/error.h>
#include <string.h>

#include "certs/cert.h"
#include "tls_impl.h"

static enum err
configure(struct tls_server *t)
{
	mbedtls_ssl_config *c = &t->conf;

	if (mbedtls_ssl_config_defaults(c, MBEDTLS_SSL_IS_CLIENT,
		MBEDTLS_SSL_TRANSPORT_STREAM,
		MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
		return ERR_NOMEM;
	}
	mbedtls_ssl_conf_min_tls_version(c, tls_protocol(TLS_VERSION_1_2));
	mbedtls_ssl_conf_max_tls_version(c, tls_protocol(TLS_VERSION_1_3));
	mbedtls_ssl_conf_ciphersuites(c, tls_suites);
	mbedtls_ssl_conf_groups(c, tls_groups);
	mbedtls_ssl_conf_cert_profile(c, &tls_profile);
	mbedtls_ssl_conf_rng(c, mbedtls_ctr_drbg_random, &t->drbg);
	mbedtls_ssl_conf_authmode(c, MBEDTLS_SSL_VERIFY_OPTIONAL);
	return mbedtls_ssl_conf_alpn_protocols(c, tls_alpn) == 0 ? ERR_OK
								 : ERR_NOMEM;
}

/* --- is it the right one? ------------------------------------------------- */

static bool
has_pin(const mbedtls_x509_crt *crt, const char *pin)
{
	struct cert *c = NULL;
	char got[CERT_PIN_SIZE] = "";
	bool same;

	same = cert_parse(crt->raw.p, crt->raw.len, "", &c, NULL) == ERR_OK &&
	       cert_pin(c, got) == ERR_OK && strcmp(got, pin) == 0;
	cert_free(c);
	return same;
}

/* Does the chain lead to these?  Mbed TLS changes neither. */
static uint32_t
flags_under(const mbedtls_x509_crt *chain, mbedtls_x509_crt *trusted)
{
	union {
		const mbedtls_x509_crt *in;
		mbedtls_x509_crt *out;
	} leaf = { chain };
	uint32_t flags = 0;

	(void)mbedtls_x509_crt_verify_with_profile(
	    leaf.out, trusted, NULL, &tls_profile, NULL, &flags, NULL, NULL);
	return flags;
}

static enum err
say_flags(uint32_t flags, struct diag *d)
{
	char info[200] = "it cannot be verified";

	(void)mbedtls_x509_crt_verify_info(info, sizeof(info), "", flags);
	info[strcspn(info, "\n")] = '\0'; /* the first reason will do */
	diag_set(d, 0, 0, "the gate's certificate is refused: %s", info);
	return ERR_CERT;
}

static enum err
judge_pin(const mbedtls_x509_crt *chain, const char *pin, struct diag *d)
{
	const mbedtls_x509_crt *crt;
	mbedtls_x509_crt alone;
	uint32_t flags;

	if (has_pin(chain, pin)) {
		return ERR_OK; /* it has that very key: the handshake says so */
	}
	for (crt = chain->next; crt != NULL && !has_pin(crt, pin);
	     crt = crt->next) {
	}
	if (crt == NULL) {
		diag_set(d, 0, 0,
		    "this is not the gate that the token is for, or it has "
		    "another CA now: ask for a new token");
		return ERR_CERT;
	}
	mbedtls_x509_crt_init(&alone);
	flags = MBEDTLS_X509_BADCERT_OTHER;
	if (mbedtls_x509_crt_parse_der(&alone, crt->raw.p, crt->raw.len) == 0) {
		flags = flags_under(chain, &alone);
	}
	mbedtls_x509_crt_free(&alone);
	return flags == 0 ? ERR_OK : say_flags(flags, d);
}

static enum err
judge_names(const struct cert *c, const struct host *h, struct diag *d)
{
	if (!cert_is_for(c, CERT_SERVER)) {
		diag_set(d, 0, 0,
		    "the gate's certificate is refused: it is not a server's");
		return ERR_CERT;
	}
	if (!cert_names_host(c, h)) {
		diag_set(d, 0, 0,
		    "the gate's certificate does not say %s: use a name that "
		    "it has, or give the gate -host %s",
		    h->text, h->text);
		return ERR_CERT;
	}
	return ERR_OK;
}

/* Is it for servers, and for this one? */
static enum err
judge_leaf(const mbedtls_x509_crt *crt, const char *host, struct diag *d)
{
	struct cert *c = NULL;
	struct host h;
	enum err rc;

	if (host_parse(host, &h, d) != ERR_OK) {
		return ERR_CERT_NAME;
	}
	rc = cert_parse(
	    crt->raw.p, crt->raw.len, "the gate's certificate", &c, d);
	if (rc == ERR_OK) {
		rc = judge_names(c, &h, d);
	}
	cert_free(c);
	return rc;
}

static enum err
judge_server(
    struct tls_stream *ts, const struct tls_client_options *opt, struct diag *d)
{
	const mbedtls_x509_crt *chain = mbedtls_ssl_get_peer_cert(&ts->ssl);
	uint32_t flags;
	enum err rc;

	if (chain == NULL) {
		diag_set(d, 0, 0, "the server shows no certificate");
		return ERR_CERT;
	}
	if (opt->pin != NULL) {
		rc = judge_pin(chain, opt->pin, d);
	} else {
		flags = flags_under(chain, &ts->server->ca);
		rc = flags == 0 ? ERR_OK : say_flags(flags, d);
	}
	return rc == ERR_OK ? judge_leaf(chain, opt->host, d) : rc;
}

/* -------------------------------------------------------------------------- */

static enum err
say_handshake(int rc, struct diag *d)
{
	char why[96];

	if (rc == MBEDTLS_ERR_SSL_CONN_EOF ||
	    rc == MBEDTLS_ERR_SSL_INTERNAL_ERROR) { /* a reset: tls.c */
		diag_set(d, 0, 0,
		    "the server closed the connection: is it a gate's "
		    "listener for this?");
		return ERR_IO;
	}
	if (rc == MBEDTLS_ERR_SSL_WANT_READ ||
	    rc == MBEDTLS_ERR_SSL_WANT_WRITE) {
		diag_set(d, 0, 0, "the TLS handshake took too long");
		return ERR_TLS;
	}
	mbedtls_strerror(rc, why, sizeof(why));
	diag_set(d, 0, 0, "the TLS handshake failed: %s", why);
	return ERR_TLS;
}

static enum err
shake_hands(
    struct tls_stream *ts, const struct tls_client_options *opt, struct diag *d)
{
	struct host h;
	const char *sni = NULL; /* RFC 6066 3: a name, never an address */
	int rc;

	if (host_parse(opt->host, &h, NULL) == ERR_OK && h.kind == HOST_DNS) {
		sni = h.text;
	}
	if (mbedtls_ssl_set_hostname(&ts->ssl, sni) != 0) {
		return ERR_NOMEM;
	}
	rc = mbedtls_ssl_handshake(&ts->ssl);
	return rc == 0 ? judge_server(ts, opt, d) : say_handshake(rc, d);
}

/* What a stream needs; not a handshake yet. */
static enum err
equip(
    struct tls_server *t, const struct tls_client_options *opt, struct diag *d)
{
	const struct tls_options files = {
		.cert_path = opt->cert_path,
		.key_path = opt->key_path,
		.ca_path = opt->ca_path,
	};
	enum err rc = configure(t);

	if (rc == ERR_OK) {
		rc = tls_load_files(t, &files, "client", d);
	}
	if (rc == ERR_OK && opt->cert_path != NULL &&
	    mbedtls_ssl_conf_own_cert(&t->conf, &t->cert, &t->key) != 0) {
		rc = ERR_NOMEM;
	}
	return rc;
}

enum err
tls_connect(const struct tls_client_options *opt, int fd, struct stream **out,
    struct diag *d)
{
	struct tls_server *t = NULL;
	struct stream *s = NULL;
	enum err rc = tls_server_bare(&t, d);

	if (rc == ERR_OK) {
		rc = equip(t, opt, d);
	}
	if (rc == ERR_OK) {
		rc = tls_accept(t, fd, &s);
	}
	tls_server_drop(t); /* the stream holds it */
	if (rc != ERR_OK) {
		return rc;
	}
	rc = shake_hands((struct tls_stream *)s, opt, d);
	if (rc != ERR_OK) {
		s->fd = -1; /* it is the caller's still */
		stream_close(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS server's configuration, from files; see tls.h.
 *
 * Each worker thread has one of its own (configuration, key, random
 * generator), so that no lock is taken on the way of a byte.
 */
#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <psa/crypto.h>
#include <stdlib.h>

#include "base/secret.h"
#include "certs/key.h"
#include "tls_impl.h"

/* Workers handshake at the same time: without this, PSA's key slots are one
 * heap corruption away. */
#if !defined(MBEDTLS_THREADING_C) || !defined(MBEDTLS_THREADING_PTHREAD)
#error "Mbed TLS was not built with proxy/deps/dinv_mbedtls_config.h"
#endif

#define TLS_CERTS_BYTES (4u << 20) /* of a file of certificates */
#define TLS_KEY_FILE_BYTES 65536

const int tls_suites[] = {
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

const uint16_t tls_groups[] = {
	MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

const mbedtls_x509_crt_profile tls_profile = {
	.allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) |
		       MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
		       MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
	.allowed_pks = 0xfffffff,
	.allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) |
			  MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1),
	.rsa_min_bitlen = 2048,
};

const char *tls_alpn[] = { "http/1.1", NULL };

static void
say(struct diag *d, const char *whose, const char *what, const char *path,
    int rc)
{
	char why[96];

	mbedtls_strerror(rc, why, sizeof(why));
	diag_set(d, 0, 0, "cannot use the %s%s %s: %s", whose, what, path, why);
}

static enum err
load_key(struct tls_server *t, const char *whose, const char *path,
    const char *pass_path, struct diag *d)
{
	struct secret pass = { NULL, 0 };
	struct secret pem = { NULL, 0 };
	enum err rc;
	int m;

	rc = secret_read_file(&pem, path, TLS_KEY_FILE_BYTES);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "cannot read the %s key %s: %s", whose, path,
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
		say(d, whose, " key", path, m);
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

/* As certs/cert.c finds the CA whose hash is in a token. */
static bool
has_signed(mbedtls_x509_crt *ca, mbedtls_x509_crt *chain)
{
	uint32_t flags = 0;

	(void)mbedtls_x509_crt_verify(
	    chain, ca, NULL, NULL, &flags, NULL, NULL);
	flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED |
			     MBEDTLS_X509_BADCERT_FUTURE);
	return flags == 0;
}

/* The one that has signed ours, out of a file that may hold any number of
 * others: all of them would not fit into the handshake. */
static int
add_shown_ca(struct tls_server *t, const char *path)
{
	mbedtls_x509_crt all, alone;
	const mbedtls_x509_crt *ca;
	bool found = false;
	int m;

	mbedtls_x509_crt_init(&all);
	m = parse_certs(&all, path);
	for (ca = &all; m == 0 && ca != NULL && !found; ca = ca->next) {
		mbedtls_x509_crt_init(&alone);
		found = mbedtls_x509_crt_parse_der(
			    &alone, ca->raw.p, ca->raw.len) == 0 &&
			has_signed(&alone, &t->cert);
		if (found) {
			m = mbedtls_x509_crt_parse_der(
			    &t->cert, ca->raw.p, ca->raw.len);
		}
		mbedtls_x509_crt_free(&alone);
	}
	mbedtls_x509_crt_free(&all);
	return m;
}

static enum err
load_pair(struct tls_server *t, const struct tls_options *opt,
    const char *whose, struct diag *d)
{
	enum err rc;
	int m;

	m = parse_certs(&t->cert, opt->cert_path);
	if (m != 0) {
		say(d, whose, " certificate", opt->cert_path, m);
		return ERR_CERT;
	}
	if (opt->shown_ca_path != NULL) {
		m = add_shown_ca(t, opt->shown_ca_path);
		if (m != 0) {
			say(d, "CA", "", opt->shown_ca_path, m);
			return ERR_CERT;
		}
	}
	rc = load_key(t, whose, opt->key_path, opt->key_pass_path, d);
	if (rc != ERR_OK) {
		return rc;
	}
	if (mbedtls_pk_check_pair(
		&t->cert.pk, &t->key, mbedtls_ctr_drbg_random, &t->drbg) != 0) {
		diag_set(d, 0, 0, "%s and %s do not belong together",
		    opt->cert_path, opt->key_path);
		return ERR_CERT_MISMATCH;
	}
	return ERR_OK;
}

enum err
tls_load_files(struct tls_server *t, const struct tls_options *opt,
    const char *whose, struct diag *d)
{
	enum err rc = ERR_OK;
	int m;

	if (opt->cert_path != NULL) {
		rc = load_pair(t, opt, whose, d);
	}
	if (rc == ERR_OK && opt->ca_path != NULL) {
		m = parse_certs(&t->ca, opt->ca_path);
		if (m != 0) {
			say(d, "CA", "", opt->ca_path, m);
			rc = ERR_CERT;
		}
	}
	return rc;
}

mbedtls_ssl_protocol_version
tls_protocol(enum tls_version v)
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
	mbedtls_ssl_conf_min_tls_version(c, tls_protocol(opt->min));
	mbedtls_ssl_conf_max_tls_version(c, tls_protocol(opt->max));
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
tls_server_bare(struct tls_server **out, struct diag *d)
{
	struct tls_server *t = calloc(1, sizeof(*t));

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
		tls_server_drop(t);
		return ERR_RANDOM;
	}
	*out = t;
	return ERR_OK;
}

enum err
tls_server_new(
    const struct tls_options *opt, struct tls_server **out, struct diag *d)
{
	struct tls_server *t = NULL;
	enum err rc = tls_server_bare(&t, d);

	if (rc == ERR_OK) {
		rc = tls_load_files(t, opt, "server", d);
	}
	if (rc == ERR_OK) {
		rc = configure(t, opt);
	}
	if (rc != ERR_OK) {
		tls_server_drop(t);
		return rc;
	}
	t->crl.set = opt->crls;
	*out = t;
	return ERR_OK;
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

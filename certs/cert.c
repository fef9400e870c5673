/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates that have been read; see cert.h.
 *
 * A thin layer over Mbed TLS's parser, so that the rest asks in words of its
 * own.  What comes in here are files of the operator's directory and what
 * issue.c has just written, never a peer's bytes: those are the business of
 * the TLS handshake.  Files are read whole, up to a ceiling.
 *
 * A chain goes out as PEM written from what was parsed, not as the bytes
 * that were read: people keep keys and certificates in one file, and a
 * "ca.crt" of that kind must not hand its key to every client.
 *
 * Rejected: Mbed TLS's tolerance for files of which only some certificates
 * parse; a chain with a hole fails at some clients and not at others.
 */
#include "cert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>

#include "base/text.h"
#include "mbed.h"

#define CERT_FILE_MAX ((size_t)1024 * 1024) /* bytes; a system's CA bundle */

enum err
cert_parse(const void *bytes, size_t len, const char *name, struct cert **out,
    struct diag *d)
{
	struct cert *c = calloc(1, sizeof(*c));
	int ret;

	if (c == NULL) {
		return ERR_NOMEM;
	}
	mbedtls_x509_crt_init(&c->crt);
	ret = mbedtls_x509_crt_parse(&c->crt, bytes, len);
	if (ret == 0) {
		*out = c;
		return ERR_OK;
	}
	cert_free(c);
	if (ret > 0) {
		diag_set(d, 0, 0, "%s: %d of its certificates cannot be read",
		    name, ret);
	} else {
		diag_set(d, 0, 0,
		    "%s is not a certificate that can be read (code -0x%04x)",
		    name, (unsigned)-ret);
	}
	return ERR_CERT;
}

enum err
cert_load(const char *path, const char *name, struct cert **out, struct diag *d)
{
	struct secret file = { NULL, 0 }; /* it may hold a key as well */
	enum err rc;

	errno = 0;
	rc = secret_read_file(&file, path, CERT_FILE_MAX);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "%s: %s", name,
		    rc == ERR_IO && errno != 0 ? strerror(errno)
					       : err_text(rc));
		return rc;
	}
	/* Mbed TLS wants the NUL of PEM text counted, and DER without it. */
	if (file.len > 0 && file.data[0] == 0x30) {
		rc = cert_parse(file.data, file.len, name, out, d);
	} else {
		rc = cert_parse(file.data, file.len + 1, name, out, d);
	}
	secret_fini(&file);
	return rc;
}

void
cert_free(struct cert *c)
{
	if (c != NULL) {
		mbedtls_x509_crt_free(&c->crt);
		free(c);
	}
}

static enum err
append_pem(const mbedtls_x509_crt *crt, struct buf *out)
{
	size_t room = crt->raw.len * 2 + 128, n; /* base64 adds a third */
	uint8_t *to = buf_reserve(out, room);

	if (to == NULL) {
		return ERR_LIMIT;
	}
	if (mbedtls_pem_write_buffer("-----BEGIN CERTIFICATE-----\n",
		"-----END CERTIFICATE-----\n", crt->raw.p, crt->raw.len, to,
		room, &n) != 0) {
		return ERR_CERT;
	}
	buf_commit(out, n - 1); /* without the NUL */
	return ERR_OK;
}

enum err
cert_to_pem_but(
    const struct cert *c, const struct cert *without, struct buf *out)
{
	const mbedtls_x509_crt *crt;
	enum err rc = ERR_OK;

	for (crt = &c->crt; crt != NULL && rc == ERR_OK; crt = crt->next) {
		if (without == NULL || crt != &without->crt) {
			rc = append_pem(crt, out);
		}
	}
	return rc;
}

enum err
cert_to_pem(const struct cert *c, struct buf *out)
{
	return cert_to_pem_but(c, NULL, out);
}

bool
cert_matches_key(const struct cert *c, const struct key *k, struct rng *r)
{
	return mbedtls_pk_check_pair(
		   &c->crt.pk, &k->pk, mbedtls_ctr_drbg_random, &r->drbg) == 0;
}

const struct cert *
cert_next(const struct cert *c)
{
	/* Every link of Mbed TLS's list is all that a struct cert has. */
	_Static_assert(sizeof(*c) == sizeof(c->crt), "one member");

	return (const struct cert *)c->crt.next;
}

const struct cert *
cert_find_key(const struct cert *chain, const struct key *k, struct rng *r)
{
	while (chain != NULL && !cert_matches_key(chain, k, r)) {
		chain = cert_next(chain);
	}
	return chain;
}

bool
cert_may_sign(const struct cert *c)
{
	/* An absent key usage allows everything, as in RFC 5280 4.2.1.3. */
	return mbedtls_x509_crt_get_ca_istrue(&c->crt) == 1 &&
	       mbedtls_x509_crt_check_key_usage(
		   &c->crt, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0;
}

bool
cert_is_for(const struct cert *c, enum cert_use use)
{
	const char *oid = use == CERT_SERVER ? MBEDTLS_OID_SERVER_AUTH
					     : MBEDTLS_OID_CLIENT_AUTH;

	return mbedtls_x509_crt_check_extended_key_usage(
		   &c->crt, oid, strlen(oid)) == 0;
}

bool
cert_is_under(const struct cert *c, const struct cert *ca)
{
	/* Mbed TLS takes both without const, and changes neither. */
	union {
		const struct cert *in;
		struct cert *out;
	} leaf = { c }, top = { ca };
	uint32_t flags = 0;

	(void)mbedtls_x509_crt_verify(
	    &leaf.out->crt, &top.out->crt, NULL, NULL, &flags, NULL, NULL);
	flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED |
			     MBEDTLS_X509_BADCERT_FUTURE);
	return flags == 0;
}

const struct cert *
cert_find_ca(const struct cert *c, const struct cert *cas)
{
	struct cert *alone = NULL;
	bool is;

	for (; cas != NULL; cas = cert_next(cas)) {
		if (cert_parse(cas->crt.raw.p, cas->crt.raw.len, "", &alone,
			NULL) != ERR_OK) {
			continue;
		}
		is = cert_is_under(c, alone);
		cert_free(alone);
		alone = NULL;
		if (is) {
			return cas;
		}
	}
	return NULL;
}

#define SPKI_MAX 4096 /* bytes; RSA 16384 needs 2 KiB */

bool
cert_has_key(const struct cert *c, const struct key *k)
{
	uint8_t der[SPKI_MAX];
	int n = mbedtls_pk_write_pubkey_der(&k->pk, der, sizeof(der));

	/* It is written at the end of the buffer. */
	return n > 0 && (size_t)n == c->crt.pk_raw.len &&
	       memcmp(der + sizeof(der) - n, c->crt.pk_raw.p, (size_t)n) == 0;
}

enum err
cert_pin(const struct cert *c, char pin[CERT_PIN_SIZE])
{
	uint8_t hash[32];

	if (mbedtls_sha256(c->crt.pk_raw.p, c->crt.pk_raw.len, hash, 0) != 0) {
		return ERR_CERT;
	}
	text_hex(hash, sizeof(hash), pin);
	return ERR_OK;
}

static bool
dns_matches(struct span pattern, const struct host *h)
{
	const char *dot;

	if (span_is_nocase(pattern, h->text)) {
		return true;
	}
	dot = strchr(h->text, '.');
	return dot != NULL && span_starts(pattern, "*.") &&
	       span_is_nocase(span_make(pattern.p + 1, pattern.len - 1), dot);
}

bool
cert_names_host(const struct cert *c, const struct host *h)
{
	const mbedtls_x509_sequence *s = &c->crt.subject_alt_names;

	for (; s != NULL && s->buf.p != NULL; s = s->next) {
		struct span v = span_make(s->buf.p, s->buf.len);
		unsigned kind =
		    (unsigned)s->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;

		if (kind == MBEDTLS_X509_SAN_DNS_NAME && h->kind == HOST_DNS &&
		    dns_matches(v, h)) {
			return true;
		}
		if (kind == MBEDTLS_X509_SAN_IP_ADDRESS && h->kind == HOST_IP &&
		    span_eq(v, span_make(h->addr, h->addr_len))) {
			return true;
		}
	}
	return false;
}

/* One alternative name as a host, if it can be one. */
static bool
to_host(const mbedtls_x509_buf *san, struct host *out)
{
	unsigned kind = (unsigned)san->tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
	char text[HOST_TEXT_SIZE];

	if (kind == MBEDTLS_X509_SAN_IP_ADDRESS &&
	    (san->len == 4 || san->len == 16)) {
		return inet_ntop(san->len == 4 ? AF_INET : AF_INET6, san->p,
			   text, sizeof(text)) != NULL &&
		       host_parse(text, out, NULL) == ERR_OK;
	}
	if (kind != MBEDTLS_X509_SAN_DNS_NAME || san->len >= sizeof(text) ||
	    memchr(san->p, '\0', san->len) != NULL) {
		return false;
	}
	memcpy(text, san->p, san->len);
	text[san->len] = '\0';
	return host_parse(text, out, NULL) == ERR_OK;
}

size_t
cert_hosts(const struct cert *c, struct host *to, size_t max)
{
	const mbedtls_x509_sequence *s = &c->crt.subject_alt_names;
	size_t n = 0;

	for (; s != NULL && s->buf.p != NULL && n < max; s = s->next) {
		n += to_host(&s->buf, &to[n]);
	}
	return n;
}

bool
cert_has_alt_names(const struct cert *c)
{
	return c->crt.subject_alt_names.buf.p != NULL;
}

static time_t
to_time(const mbedtls_x509_time *t)
{
	struct tm tm = {
		.tm_year = t->year - 1900,
		.tm_mon = t->mon - 1,
		.tm_mday = t->day,
		.tm_hour = t->hour,
		.tm_min = t->min,
		.tm_sec = t->sec,
	};

	return timegm(&tm);
}

void
cert_validity(const struct cert *c, time_t *from, time_t *to)
{
	*from = to_time(&c->crt.valid_from);
	*to = to_time(&c->crt.valid_to);
}

struct span
cert_subject(const struct cert *c)
{
	return span_make(c->crt.subject_raw.p, c->crt.subject_raw.len);
}

struct span
cert_key_id(const struct cert *c)
{
	const mbedtls_x509_buf *id = &c->crt.subject_key_id;

	return span_make(id->p, id->p == NULL ? 0 : id->len);
}

struct span
cert_serial(const struct cert *c)
{
	return span_make(c->crt.serial.p, c->crt.serial.len);
}

struct span
cert_issuer(const struct cert *c)
{
	return span_make(c->crt.issuer_raw.p, c->crt.issuer_raw.len);
}

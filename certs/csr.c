/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate requests; see csr.h.
 *
 * With a request the private key never leaves the client.  Its subject, and
 * the extensions that it asks for, are ignored: a request that says "CN=root"
 * must not make a root of who sent it.
 *
 * Attackers send requests for a key that is somebody else's (the signature
 * over the request is checked) or that anyone can break (only P-256, P-384
 * and RSA from 2048 bits are taken, as by the gate).
 */
#include "csr.h"

/* The signature's fields of a request have no other way to them. */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include <errno.h>
#include <mbedtls/md.h>
#include <mbedtls/x509_csr.h>
#include <stdlib.h>

#include "mbed.h"

#define CSR_PEM_SIZE 8192 /* RSA 16384 needs 6 KiB */

static bool
is_signed_by_itself(mbedtls_x509_csr *csr)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(csr->sig_md);
	uint8_t hash[MBEDTLS_MD_MAX_SIZE];

	return md != NULL &&
	       (csr->sig_md == MBEDTLS_MD_SHA256 ||
		   csr->sig_md == MBEDTLS_MD_SHA384 ||
		   csr->sig_md == MBEDTLS_MD_SHA512) &&
	       mbedtls_md(md, csr->cri.p, csr->cri.len, hash) == 0 &&
	       mbedtls_pk_verify_ext(csr->sig_pk, csr->sig_opts, &csr->pk,
		   csr->sig_md, hash, mbedtls_md_get_size(md), csr->sig.p,
		   csr->sig.len) == 0;
}

/* tls.c's profile, for clients' keys. */
static bool
is_strong(const mbedtls_pk_context *pk)
{
	size_t bits = mbedtls_pk_get_bitlen(pk);

	if (mbedtls_pk_can_do(pk, MBEDTLS_PK_RSA)) {
		return bits >= 2048;
	}
	return mbedtls_pk_can_do(pk, MBEDTLS_PK_ECKEY) &&
	       (bits == 256 || bits == 384);
}

static enum err
judge(mbedtls_x509_csr *csr, struct diag *d)
{
	if (!is_strong(&csr->pk)) {
		diag_set(d, 0, 0,
		    "the request's key is not one that is taken: P-256, "
		    "P-384, or RSA from 2048 bits");
		return ERR_KEY;
	}
	if (!is_signed_by_itself(csr)) {
		diag_set(d, 0, 0,
		    "the request is not signed by its own key (with SHA-256 "
		    "or better)");
		return ERR_KEY;
	}
	return ERR_OK;
}

/* The key moves from one to the other. */
static enum err
take_key(mbedtls_x509_csr *csr, struct key **out)
{
	struct key *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		return ERR_NOMEM;
	}
	k->pk = csr->pk;
	mbedtls_pk_init(&csr->pk);
	*out = k;
	return ERR_OK;
}

static enum err
parse(const uint8_t *p, size_t len, struct key **out, struct diag *d)
{
	mbedtls_x509_csr csr;
	enum err rc;

	mbedtls_x509_csr_init(&csr);
	if (mbedtls_x509_csr_parse(&csr, p, len) != 0) {
		diag_set(d, 0, 0,
		    "this is not a certificate request (PKCS #10, in PEM or "
		    "DER)");
		rc = ERR_KEY;
	} else {
		rc = judge(&csr, d);
	}
	if (rc == ERR_OK) {
		rc = take_key(&csr, out);
	}
	mbedtls_x509_csr_free(&csr);
	return rc;
}

/* Mbed TLS wants the NUL of PEM text counted, and DER without it. */
static size_t
counted(const uint8_t *p, size_t len)
{
	return len + (len == 0 || p[0] != 0x30);
}

enum err
csr_parse(struct span text, struct key **out, struct diag *d)
{
	uint8_t *copy;
	enum err rc;

	if (text.len > CSR_BYTES_MAX) {
		diag_set(d, 0, 0, "the request is too large");
		return ERR_LIMIT;
	}
	copy = malloc(text.len + 1);
	if (copy == NULL) {
		return ERR_NOMEM;
	}
	if (text.len > 0) {
		memcpy(copy, text.p, text.len);
	}
	copy[text.len] = 0;
	rc = parse(copy, counted(copy, text.len), out, d);
	free(copy);
	return rc;
}

enum err
csr_load(const char *path, struct key **out, struct diag *d)
{
	struct secret file = { NULL, 0 };
	enum err rc;

	errno = 0;
	rc = secret_read_file(&file, path, CSR_BYTES_MAX);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "the request cannot be read: %s",
		    rc == ERR_IO && errno != 0 ? strerror(errno)
					       : err_text(rc));
		return rc;
	}
	rc = parse(file.data, counted(file.data, file.len), out, d);
	secret_fini(&file);
	return rc;
}

enum err
csr_write(const struct key *k, struct rng *r, struct buf *out)
{
	/* Mbed TLS takes the key without const, and does not change it. */
	union {
		const mbedtls_pk_context *in;
		mbedtls_pk_context *out;
	} pk = { &k->pk };
	uint8_t pem[CSR_PEM_SIZE];
	mbedtls_x509write_csr w;
	int m;

	mbedtls_x509write_csr_init(&w);
	mbedtls_x509write_csr_set_md_alg(&w, MBEDTLS_MD_SHA256);
	mbedtls_x509write_csr_set_key(&w, pk.out);
	m = mbedtls_x509write_csr_set_subject_name(&w, "CN=-");
	if (m == 0) {
		m = mbedtls_x509write_csr_pem(
		    &w, pem, sizeof(pem), mbedtls_ctr_drbg_random, &r->drbg);
	}
	mbedtls_x509write_csr_free(&w);
	return m == 0 ? buf_append_str(out, (const char *)pem) : ERR_KEY;
}

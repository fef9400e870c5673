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

#define CSR_FILE_MAX ((size_t)64 * 1024)

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

enum err
csr_load(const char *path, struct key **out, struct diag *d)
{
	struct secret file = { NULL, 0 };
	mbedtls_x509_csr csr;
	size_t len;
	enum err rc;

	errno = 0;
	rc = secret_read_file(&file, path, CSR_FILE_MAX);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "the request cannot be read: %s",
		    rc == ERR_IO && errno != 0 ? strerror(errno)
					       : err_text(rc));
		return rc;
	}
	mbedtls_x509_csr_init(&csr);
	len = file.len + (file.len == 0 || file.data[0] != 0x30);
	if (mbedtls_x509_csr_parse(&csr, file.data, len) != 0) {
		diag_set(d, 0, 0,
		    "the file is not a certificate request (PKCS #10, in PEM "
		    "or DER)");
		rc = ERR_KEY;
	}
	if (rc == ERR_OK) {
		rc = judge(&csr, d);
	}
	if (rc == ERR_OK) {
		rc = take_key(&csr, out);
	}
	mbedtls_x509_csr_free(&csr);
	secret_fini(&file);
	return rc;
}

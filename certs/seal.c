/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes and signatures; see seal.h.
 *
 * A key signs for one purpose only: whoever signs names it in the bytes, so
 * that no signature can be shown as one of another kind.
 *
 * Attackers want a log that verifies and is not what was written.
 */
#include "seal.h"

#include <errno.h>
#include <stdlib.h>

#include <mbedtls/base64.h>
#include <mbedtls/sha256.h>

#include "base/text.h"
#include "mbed.h"

#define SEAL_FILE_MAX ((size_t)64 * 1024)

void
seal_hash(struct span bytes, uint8_t out[SEAL_HASH_BYTES])
{
	/* Fails only where an accelerator does, and there is none. */
	if (mbedtls_sha256((const unsigned char *)bytes.p, bytes.len, out, 0) !=
	    0) {
		abort();
	}
}

enum err
seal_sign(
    struct key *k, struct rng *r, struct span bytes, char text[SEAL_TEXT_SIZE])
{
	uint8_t hash[SEAL_HASH_BYTES], sig[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	size_t len, n;

	seal_hash(bytes, hash);
	if (mbedtls_pk_sign(&k->pk, MBEDTLS_MD_SHA256, hash, sizeof(hash), sig,
		sizeof(sig), &len, mbedtls_ctr_drbg_random, &r->drbg) != 0 ||
	    mbedtls_base64_encode(
		(unsigned char *)text, SEAL_TEXT_SIZE, &n, sig, len) != 0) {
		return ERR_KEY;
	}
	return ERR_OK;
}

enum err
seal_check(struct key *k, struct span bytes, struct span text)
{
	uint8_t hash[SEAL_HASH_BYTES], sig[SEAL_TEXT_SIZE];
	size_t len;

	if (mbedtls_base64_decode(sig, sizeof(sig), &len,
		(const unsigned char *)text.p, text.len) != 0) {
		return ERR_KEY;
	}
	seal_hash(bytes, hash);
	return mbedtls_pk_verify(
		   &k->pk, MBEDTLS_MD_SHA256, hash, sizeof(hash), sig, len) == 0
		   ? ERR_OK
		   : ERR_KEY;
}

enum err
seal_key_id(struct key *k, char id[SEAL_ID_SIZE])
{
	uint8_t der[SEAL_PEM_SIZE], hash[SEAL_HASH_BYTES];
	int n = mbedtls_pk_write_pubkey_der(&k->pk, der, sizeof(der));

	if (n <= 0) {
		return ERR_KEY;
	}
	/* It is written at the end of the buffer. */
	seal_hash(span_make(der + sizeof(der) - n, (size_t)n), hash);
	text_hex(hash, SEAL_ID_SIZE / 2, id);
	return ERR_OK;
}

enum err
seal_public_pem(struct key *k, char pem[SEAL_PEM_SIZE])
{
	return mbedtls_pk_write_pubkey_pem(
		   &k->pk, (unsigned char *)pem, SEAL_PEM_SIZE) == 0
		   ? ERR_OK
		   : ERR_KEY;
}

static enum err
parse_public(struct key *k, const struct secret *pem)
{
	struct rng *r = NULL;
	enum err rc;

	if (mbedtls_pk_parse_public_key(&k->pk, pem->data, pem->len + 1) == 0) {
		return ERR_OK;
	}
	mbedtls_pk_free(&k->pk);
	mbedtls_pk_init(&k->pk);
	rc = rng_new(&r);
	if (rc == ERR_OK &&
	    mbedtls_pk_parse_key(&k->pk, pem->data, pem->len + 1, NULL, 0,
		mbedtls_ctr_drbg_random, &r->drbg) != 0) {
		rc = ERR_KEY;
	}
	rng_free(r);
	return rc;
}

enum err
seal_load_public(const char *path, struct key **out, struct diag *d)
{
	struct secret pem = { NULL, 0 };
	struct key *k = NULL;
	enum err rc;

	errno = 0;
	rc = secret_read_file(&pem, path, SEAL_FILE_MAX);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "cannot read the key %s: %s", path,
		    errno != 0 ? strerror(errno) : err_text(rc));
		return rc;
	}
	k = calloc(1, sizeof(*k));
	rc = ERR_NOMEM;
	if (k != NULL) {
		mbedtls_pk_init(&k->pk);
		rc = parse_public(k, &pem);
	}
	secret_fini(&pem);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0,
		    "%s is no key in PEM (dinv audit key prints one)", path);
		key_free(k);
		return rc;
	}
	*out = k;
	return ERR_OK;
}

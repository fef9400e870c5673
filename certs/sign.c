/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures; see sign.h.
 *
 * A certificate and a CRL are signed in the same way: the algorithm stands
 * inside the signed bytes and beside them, and a reader refuses what says two
 * different things (RFC 5280 4.1.1.2).  So both come from here.  SHA-256 with
 * every key: it is what all readers take, and no key that is taken here is
 * stronger than it by more than custom.
 *
 * Attackers cannot choose what is signed beyond the names in it; the serial
 * in front of those is random.
 */
#include "sign.h"

#include <mbedtls/md.h>
#include <mbedtls/oid.h>

#include "mbed.h"

#define OID(x)                                                                 \
	{                                                                      \
		x, sizeof(x) - 1                                               \
	}

/* AlgorithmIdentifier: RFC 5758 3.2 (no parameters), RFC 4055 5 (NULL). */
void
sign_algorithm(struct der *w, const struct key *signer)
{
	static const struct span ecdsa = OID(MBEDTLS_OID_ECDSA_SHA256);
	static const struct span rsa = OID(MBEDTLS_OID_PKCS1_SHA256);
	const uint8_t *mark = w->p;
	struct span oid = ecdsa;

	if (mbedtls_pk_can_do(&signer->pk, MBEDTLS_PK_RSA)) {
		oid = rsa;
		der_value(w, DER_NULL, NULL, 0);
	}
	der_value(w, DER_OID, oid.p, oid.len);
	der_wrap(w, mark, DER_SEQUENCE);
}

enum err
sign_wrap(
    struct rng *r, struct der *w, const struct key *signer, struct span body)
{
	const uint8_t *all = w->p;
	uint8_t hash[32], sig[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	size_t n;
	int ret;

	ret = mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
	    (const uint8_t *)body.p, body.len, hash);
	if (ret != 0) {
		return ERR_CERT;
	}
	/* Mbed TLS lacks a const here; signing changes no key. */
	union {
		const struct key *in;
		struct key *out;
	} k = { signer };

	ret = mbedtls_pk_sign(&k.out->pk, MBEDTLS_MD_SHA256, hash, sizeof(hash),
	    sig, sizeof(sig), &n, mbedtls_ctr_drbg_random, &r->drbg);
	if (ret != 0) {
		return ERR_KEY;
	}
	der_bits(w, sig, n);
	sign_algorithm(w, signer);
	der_raw(w, body.p, body.len);
	der_wrap(w, all, DER_SEQUENCE);
	return ERR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The random generator; see rng.h.
 *
 * Every key and serial number comes from here.  Mbed TLS wants a callback
 * and a context, so the generator is an object that is passed along: no
 * global, nothing to lock, nothing that two forked processes could share.
 * A context that lives on across fork() gives both processes the same bytes,
 * and with them the same private key; so it is made for one job and freed.
 *
 * Rejected: getrandom(2) behind the callback.  It would serve as well, but
 * Mbed TLS mixes the kernel's bytes with its own state, which costs nothing
 * and covers a kernel that answers before it is seeded.
 *
 * Attackers: whoever can predict the bytes owns the CA.  They try freshly
 * booted virtual machines and cloned memory images.
 */
#include "rng.h"

#include <stdlib.h>

#include "mbed.h"

enum err
rng_new(struct rng **out)
{
	static const char label[] = "dinv certs";
	struct rng *r;

	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		return ERR_NOMEM;
	}
	mbedtls_entropy_init(&r->entropy);
	mbedtls_ctr_drbg_init(&r->drbg);
	if (mbedtls_ctr_drbg_seed(&r->drbg, mbedtls_entropy_func, &r->entropy,
		(const unsigned char *)label, sizeof(label) - 1) != 0) {
		rng_free(r);
		return ERR_RANDOM;
	}
	*out = r;
	return ERR_OK;
}

void
rng_free(struct rng *r)
{
	if (r == NULL) {
		return;
	}
	mbedtls_ctr_drbg_free(&r->drbg);
	mbedtls_entropy_free(&r->entropy);
	free(r);
}

enum err
rng_bytes(struct rng *r, void *to, size_t n)
{
	return mbedtls_ctr_drbg_random(&r->drbg, to, n) == 0 ? ERR_OK
							     : ERR_RANDOM;
}

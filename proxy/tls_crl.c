/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Was it revoked?  See tls_crl.h.
 *
 * Mbed TLS calls back for each certificate of a chain that it has built, from
 * the trusted one down to the client's.  Each but the first is looked for in
 * the lists of the one above it, by that one's name as it stands there: a
 * client's own spelling of its issuer's name is not asked.  What is found
 * goes into the flags that Mbed TLS itself would have set, so that alerts and
 * messages come from one table (tls.c).
 *
 * Attackers hold a certificate that was revoked, and add others in front or
 * behind; only the chain that leads to a trusted one is asked about.
 */
#include "tls_crl.h"

#include <time.h>

/* by enum crl_answer */
static const uint32_t flags_of[] = {
	[CRL_REVOKED] = MBEDTLS_X509_BADCERT_REVOKED,
	[CRL_STALE] = MBEDTLS_X509_BADCRL_EXPIRED,
	[CRL_EARLY] = MBEDTLS_X509_BADCRL_FUTURE,
	[CRL_NONE] = 0,
	[CRL_GOOD] = 0,
};

int
tls_crl_verify(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct tls_crl *c = ctx;
	const mbedtls_x509_crt *parent = c->parent;

	c->parent = depth == 0 ? NULL : crt;
	if (c->set != NULL && parent != NULL) {
		*flags |= flags_of[crl_set_look(c->set,
		    span_make(parent->subject_raw.p, parent->subject_raw.len),
		    span_make(crt->serial.p, crt->serial.len), time(NULL))];
	}
	return 0;
}

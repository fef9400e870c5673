/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_MBED_H
#define CERTS_MBED_H

/*
 * Private to the sources of certs: what stands behind the opaque types of
 * rng.h, key.h and cert.h.  Nobody else includes it, so that Mbed TLS stays in
 * here.
 */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

struct rng {
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
};

struct key {
	mbedtls_pk_context pk;
};

struct cert {
	mbedtls_x509_crt crt; /* the head of a chain */
};

#endif

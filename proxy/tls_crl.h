/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_TLS_CRL_H
#define PROXY_TLS_CRL_H

/* Mbed TLS asks whether a certificate was revoked; private to tls*.c. */
#include <mbedtls/x509_crt.h>

#include "certs/crl_set.h"

struct tls_crl {
	struct crl_set *set;		/* NULL: none */
	const mbedtls_x509_crt *parent; /* of the certificate that comes next */
};

/* For mbedtls_ssl_conf_verify() and mbedtls_x509_crt_verify(); ctx is a
 * struct tls_crl. */
int tls_crl_verify(
    void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags);

#endif

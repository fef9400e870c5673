/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DINV_GCM_ALT_H
#define DINV_GCM_ALT_H

/*
 * AES-GCM for Mbed TLS (MBEDTLS_GCM_ALT) by Intel's IPsec-MB, on x86-64.
 * The functions are those of mbedtls/gcm.h, with its contracts.
 */
#include <stddef.h>

struct gcm_alt_state;

typedef struct mbedtls_gcm_context {
	struct gcm_alt_state *state; /* NULL until a key is set */
} mbedtls_gcm_context;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_CSR_H
#define CERTS_CSR_H

/*
 * Certificate requests (PKCS #10, RFC 2986): somebody's public key, with the
 * proof that he has the private one.  What else it says is not looked at:
 * who the client is, the one who issues decides.
 */
#include "key.h"

/*
 * *out has a public half only.  ERR_KEY, and d says why, for a request that
 * is not signed by its own key, or a key that the gate would not take.
 */
enum err csr_load(const char *path, struct key **out, struct diag *d) MUST_USE;

#endif

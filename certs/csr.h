/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_CSR_H
#define CERTS_CSR_H

/*
 * Certificate requests (PKCS #10, RFC 2986): somebody's public key, with the
 * proof that he has the private one.  What else it says is not looked at:
 * who the client is, the one who issues decides.
 */
#include "base/buf.h"
#include "key.h"

#define CSR_BYTES_MAX ((size_t)64 * 1024)

/*
 * PEM or DER.  *out has a public half only.  ERR_KEY, and d says why, for a
 * request that is not signed by its own key, or a key that the gate would not
 * take; ERR_LIMIT for one of more than CSR_BYTES_MAX.
 */
enum err csr_parse(struct span text, struct key **out, struct diag *d) MUST_USE;
/* The same from a file. */
enum err csr_load(const char *path, struct key **out, struct diag *d) MUST_USE;

/* A request for k, in PEM; it names nobody. */
enum err csr_write(
    const struct key *k, struct rng *r, struct buf *out) MUST_USE;

#endif

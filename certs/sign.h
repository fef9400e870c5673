/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_SIGN_H
#define CERTS_SIGN_H

/* Signatures as certificates and CRLs carry them (RFC 5280 4.1.1, 5.1.1). */
#include "der.h"
#include "key.h"

/* The AlgorithmIdentifier: SHA-256 with the signer's kind of key. */
void sign_algorithm(struct der *w, const struct key *signer);

/* SEQUENCE { body, algorithm, signature over body }; body is not in w. */
enum err sign_wrap(struct rng *r, struct der *w, const struct key *signer,
    struct span body) MUST_USE;

#endif

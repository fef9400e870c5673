/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_SEAL_H
#define CERTS_SEAL_H

/*
 * Hashes (SHA-256) and signatures (ECDSA) over bytes, for logs that must not
 * be changed unseen.
 */
#include "key.h"

#define SEAL_HASH_BYTES 32
#define SEAL_ID_SIZE 17	   /* a key's name: 16 digits and a NUL */
#define SEAL_TEXT_SIZE 128 /* a signature in base64, with its NUL */
#define SEAL_PEM_SIZE 512

void seal_hash(struct span bytes, uint8_t out[SEAL_HASH_BYTES]);

/* The signature over the hash of bytes, DER in base64. */
enum err seal_sign(struct key *k, struct rng *r, struct span bytes,
    char text[SEAL_TEXT_SIZE]) MUST_USE;
/* ERR_KEY: it is not this key's signature of these bytes. */
enum err seal_check(
    struct key *k, struct span bytes, struct span text) MUST_USE;

/* From the hash of the public key, as X.509 writes it. */
enum err seal_key_id(struct key *k, char id[SEAL_ID_SIZE]) MUST_USE;
/* The public key in PEM. */
enum err seal_public_pem(struct key *k, char pem[SEAL_PEM_SIZE]) MUST_USE;
/* A public key, or the public half of a private one, from PEM. */
enum err seal_load_public(
    const char *path, struct key **out, struct diag *d) MUST_USE;

#endif

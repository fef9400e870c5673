/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_KEY_H
#define CERTS_KEY_H

/* Private keys: made (P-256), read from PEM, written as PEM. */
#include "base/err.h"
#include "base/secret.h"
#include "rng.h"

struct key;

/* A new P-256 key. */
enum err key_new(struct rng *r, struct key **out) MUST_USE;

/*
 * Reads a private key that has no passphrase, of any kind Mbed TLS knows.
 * d names the file as `name`, so that paths stay short in messages.
 * ERR_KEY; ERR_NOTFOUND, ERR_IO, ERR_LIMIT from reading.
 */
enum err key_load(const char *path, const char *name, struct rng *r,
    struct key **out, struct diag *d) MUST_USE;

/* The same for one that may have a passphrase: pass, or NULL. */
enum err key_load_with(const char *path, const char *name,
    const struct secret *pass, struct rng *r, struct key **out,
    struct diag *d) MUST_USE;

/* A passphrase from a file's first line; d names the file. */
enum err key_pass_load(
    const char *path, struct secret *out, struct diag *d) MUST_USE;

void key_free(struct key *k);

/* PEM text, in memory that secret_fini() wipes. */
enum err key_to_pem(const struct key *k, struct secret *out) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_CERT_H
#define CERTS_CERT_H

/*
 * Certificates that have been read: one, or a chain with the holder's own
 * first.  Questions about "the certificate" are about the first.
 */
#include <time.h>

#include "base/buf.h"
#include "key.h"
#include "names.h"

struct cert;

enum cert_use { CERT_SERVER = 0, CERT_CLIENT };

/* PEM (one or more; text between them is skipped) or one in DER. */
enum err cert_parse(const void *bytes, size_t len, const char *name,
    struct cert **out, struct diag *d) MUST_USE;

/* d names the file as `name`. */
enum err cert_load(const char *path, const char *name, struct cert **out,
    struct diag *d) MUST_USE;

void cert_free(struct cert *c);

/* Every certificate of the chain as PEM, and nothing else. */
enum err cert_to_pem(const struct cert *c, struct buf *out) MUST_USE;
/* The same without one of them (borrowed from the chain), or NULL. */
enum err cert_to_pem_but(
    const struct cert *c, const struct cert *without, struct buf *out) MUST_USE;

/* The one behind it in the chain, borrowed; or NULL. */
const struct cert *cert_next(const struct cert *c);

bool cert_matches_key(
    const struct cert *c, const struct key *k, struct rng *r) MUST_USE;

/* The first of the chain that k belongs to, borrowed from it; or NULL. */
const struct cert *cert_find_key(
    const struct cert *chain, const struct key *k, struct rng *r) MUST_USE;

/* Is it a CA that may sign certificates (RFC 5280 4.2.1.9, 4.2.1.3)? */
bool cert_may_sign(const struct cert *c) MUST_USE;

/* Does its extended key usage, if it has one, allow this? */
bool cert_is_for(const struct cert *c, enum cert_use use) MUST_USE;

/* Does the chain lead to one of ca's?  Dates are not looked at. */
bool cert_is_under(const struct cert *c, const struct cert *ca) MUST_USE;

/* The first of cas by itself that the chain leads to, borrowed; or NULL. */
const struct cert *cert_find_ca(
    const struct cert *c, const struct cert *cas) MUST_USE;

/* Is this, private or public half, the certificate's key? */
bool cert_has_key(const struct cert *c, const struct key *k) MUST_USE;

#define CERT_PIN_SIZE 65 /* hex of SHA-256, and a NUL */
/* The hash of the public key as the certificate has it (RFC 7469 2.4). */
enum err cert_pin(const struct cert *c, char pin[CERT_PIN_SIZE]) MUST_USE;

/* Does a subject alternative name say h?  Wildcards match one label. */
bool cert_names_host(const struct cert *c, const struct host *h) MUST_USE;
bool cert_has_alt_names(const struct cert *c) MUST_USE;
/* The names and addresses that it says, as far as they can be issued anew;
 * at most max.  How many. */
size_t cert_hosts(const struct cert *c, struct host *to, size_t max);

void cert_validity(const struct cert *c, time_t *from, time_t *to);

/* The subject in DER, and the subject key identifier (or the empty span). */
struct span cert_subject(const struct cert *c);
struct span cert_key_id(const struct cert *c);
/* The issuer's name in DER. */
struct span cert_issuer(const struct cert *c);
/* Big-endian bytes. */
struct span cert_serial(const struct cert *c);

#endif

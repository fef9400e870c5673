/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_DRAFT_H
#define CERTS_DRAFT_H

/*
 * From "what shall stand in the certificate" to a signed one.  issue.h is
 * the way in; this is the half of it that knows the layout.
 */
#include "cert.h"
#include "der.h"

#define DRAFT_KEY_ID_LEN 20 /* SHA-1, RFC 5280 4.2.1.2 (1) */
#define DRAFT_SERIAL_LEN 16 /* 128 bits */

enum draft_kind { DRAFT_CLIENT = 0, DRAFT_SERVER, DRAFT_CA };

struct draft {
	enum draft_kind kind;
	struct span subject; /* a Name in DER */
	time_t from, to;
	const struct key *key;	  /* the subject's; only its public half */
	const struct host *hosts; /* alternative names, or NULL */
	size_t n_hosts;
	struct span issuer; /* a Name in DER */
	struct span issuer_key_id;
	const struct key *signer;
};

/* All spans and pointers are borrowed; the result is parsed already. */
enum err draft_sign(struct rng *r, const struct draft *dr, struct cert **out,
    struct diag *d) MUST_USE;

/* The identifier of a key's public half: SHA-1 of its bytes. */
enum err draft_key_id(
    const struct key *k, uint8_t id[DRAFT_KEY_ID_LEN]) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_CRL_H
#define CERTS_CRL_H

/*
 * Writes certificate revocation lists (RFC 5280 5), version 2: from the
 * ledger, one for each CA.
 */
#include "issue.h"
#include "ledger.h"

#define CRL_NAME "crl.pem"
#define CRL_DAYS 90 /* how long one is good unless it is told */
#define CRL_DAYS_MAX 3650

struct crl_request {
	struct issuer by;
	const struct ledger *ledger; /* what by's key signed is looked for */
	uint64_t number;
	unsigned days; /* 1 to CRL_DAYS_MAX */
	time_t now;
};

/* Appends it to out as PEM. */
enum err crl_issue(struct rng *r, const struct crl_request *req,
    struct buf *out, struct diag *d) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_CRL_PUBLISH_H
#define CERTS_CRL_PUBLISH_H

/* The lists of a directory, one for each CA whose key is there. */
#include "ca.h"
#include "crl.h"
#include "hold.h"

/*
 * Saves the ledger with the next list's number, then writes crl.pem.  A crash
 * in between leaves a list that is older than the ledger says.
 */
enum err crl_publish(struct hold *k, const struct ca *ca, struct rng *r,
    unsigned days, time_t now, struct diag *d) MUST_USE;

#endif

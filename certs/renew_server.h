/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_RENEW_SERVER_H
#define CERTS_RENEW_SERVER_H

/* docker.crt anew, in a directory that is held: for renewal and rollover. */
#include "ca.h"
#include "hold.h"
#include "renew.h"

enum err renew_server(const struct renew_request *req, struct hold *hold,
    const struct ca *ca, const struct key *signer, struct diag *d) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_RENEW_CLIENT_H
#define CERTS_RENEW_CLIENT_H

/* A client's certificate anew, for the key it has. */
#include "bundle.h"

struct renew_client_request {
	const char *dir;
	const char *name; /* whose it must be */
	const char *out;  /* where key.pem and cert.pem are; NULL: the pair
			     docker-client in dir */
	unsigned days;
	unsigned hours; /* not 0: these count */
	time_t now;
	const struct secret *key_pass; /* of ca-key.pem; NULL: none */
};

/*
 * The certificate there must be one of the ledger's, for that name, and not
 * revoked; the new one says the same.  cert.pem and ca.pem are replaced.
 */
enum err renew_client(const struct renew_client_request *req,
    struct bundle_result *res, struct diag *d) MUST_USE;

#endif

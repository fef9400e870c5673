/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_RENEW_H
#define CERTS_RENEW_H

/*
 * The server's certificate, and the list of revoked ones, before they expire.
 * What was not made here is never replaced.
 */
#include <time.h>

#include "base/err.h"
#include "base/secret.h"

#define RENEW_SERVER BIT(0)
#define RENEW_CRL BIT(1)

struct renew_request {
	const char *dir;
	const char *const *hosts; /* names and addresses of now */
	size_t n_hosts;
	time_t now;
	/* Passphrases of ca-key.pem and of docker.key; NULL: none. */
	const struct secret *key_pass, *server_pass;
};

/*
 * What is due: BIT()s from above.  Reads public files only, takes no lock.
 * A certificate is due a month before its end (or with a third of its life
 * left, if that is less), or when it lacks one of the hosts; a list with half
 * of its time left.  What cannot be read or was not made here is not due.
 */
unsigned renew_due(const struct renew_request *req);

/*
 * Renews what (as above), due or not.  The server keeps its key and all the
 * names that its certificate has, as far as there is room beside the hosts;
 * docker.crt is replaced whole.
 */
enum err renew_make(
    const struct renew_request *req, unsigned what, struct diag *d) MUST_USE;

#endif

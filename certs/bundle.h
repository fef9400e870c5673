/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_BUNDLE_H
#define CERTS_BUNDLE_H

/*
 * What one client needs, in one directory: ca.pem, cert.pem and key.pem, the
 * names that DOCKER_CERT_PATH wants.
 */
#include <time.h>

#include "base/err.h"
#include "base/secret.h"

struct bundle_request {
	const char *dir;	  /* the certificate directory */
	const char *out;	  /* made (0700) if only it is missing */
	const char *name;	  /* CN */
	const char *const *units; /* OU */
	size_t n_units;
	const char *org; /* O, or NULL */
	const char *csr; /* a request's file: no key.pem is made; or NULL */
	unsigned days;
	unsigned hours; /* not 0: these count, not the days */
	time_t now;
	const struct secret *key_pass; /* of ca-key.pem; NULL: none */
};

struct bundle_result {
	time_t expires;
	bool cut; /* the CA ends before what was asked for */
};

/*
 * bundle_write() -- a new key, and a certificate for it by the CA in dir.
 *
 * All three files or none: none is replaced (ERR_EXISTS, d names it), and
 * after a failure what was made is removed.  d is one line that says what to
 * do.  Nothing in dir is changed.
 */
enum err bundle_write(const struct bundle_request *req,
    struct bundle_result *res, struct diag *d) MUST_USE;

#endif

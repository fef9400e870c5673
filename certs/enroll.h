/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_ENROLL_H
#define CERTS_ENROLL_H

/*
 * Certificates for those who ask from elsewhere: with a token, or with the
 * certificate they have.  The client made its key; here comes its request.
 */
#include <time.h>

#include "base/buf.h"
#include "base/secret.h"

struct enroll_request {
	const char *dir;
	struct span token;	 /* its secret in hex; or empty */
	struct span certificate; /* PEM, of who asks; or empty */
	struct span csr;	 /* PKCS #10, PEM or DER */
	struct span name;	 /* asked for; or empty: the token's */
	time_t now;
	const struct secret *key_pass; /* of ca-key.pem; NULL: none */
};

enum enroll_outcome {
	ENROLL_FAILED = 0, /* ours: nothing can be signed now */
	ENROLL_DONE,
	ENROLL_UNKNOWN, /* no such token, or a certificate that is not ours */
	ENROLL_USED,	/* the token was */
	ENROLL_EXPIRED, /* token or certificate */
	ENROLL_REVOKED,
	ENROLL_NAME,	/* not one that the token allows */
	ENROLL_TAKEN,	/* somebody has this name */
	ENROLL_REQUEST, /* the CSR is not good */
	ENROLL_SOON,	/* renewed a moment ago */
};

#define ENROLL_SERIAL_SIZE 65

struct enroll_answer {
	enum enroll_outcome outcome;
	char why[320]; /* a sentence for who asked */
	/* ENROLL_DONE */
	char name[260]; /* CN: 64 characters of UTF-8 at most */
	char serial[ENROLL_SERIAL_SIZE];
	time_t expires;
	struct buf cert, ca; /* PEM */
};

/* Always answers; enroll_fini() it. */
void enroll_token(const struct enroll_request *req, struct enroll_answer *a);
/*
 * The certificate's own key asks, for as long as it was given: so whoever
 * forwards requests here can get nothing for a key of his own.
 */
void enroll_renew(const struct enroll_request *req, struct enroll_answer *a);
void enroll_fini(struct enroll_answer *a);

/* Stable, for the audit log: "token-used".  renews: of enroll_renew(). */
const char *enroll_rule(enum enroll_outcome o, bool renews);

#endif

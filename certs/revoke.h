/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_REVOKE_H
#define CERTS_REVOKE_H

/* Certificates are taken back, and lists of those are written. */
#include "ledger.h"

struct revoke_request {
	const char *dir;
	const char *what; /* a name, a serial, or a certificate's file */
	enum ledger_reason reason;
	time_t now;
	unsigned days;		       /* how long the list is good */
	const struct secret *key_pass; /* of ca-key.pem; NULL: none */
};

struct revoke_result {
	size_t revoked;	 /* now */
	size_t before;	 /* were so already */
	uint64_t number; /* of the list */
};

/*
 * Marks in the ledger, then writes crl.pem.  A crash in between leaves a list
 * that is older than the ledger says: it is refused by the gate, and doing
 * this again, or crl_renew(), completes it.
 */
enum err revoke_cert(const struct revoke_request *req,
    struct revoke_result *res, struct diag *d) MUST_USE;

/* A new list of what the ledger says; *number is its.  what and reason are
 * not looked at. */
enum err revoke_renew_crl(const struct revoke_request *req, uint64_t *number,
    struct diag *d) MUST_USE;

#endif

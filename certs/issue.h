/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_ISSUE_H
#define CERTS_ISSUE_H

/*
 * Makes certificates.  All are signed with SHA-256, carry 128 random bits of
 * serial number, begin an hour before now (or with their CA, if that is
 * later) and never outlive their CA.  docs/pki.md lists the extensions.
 */
#include "cert.h"

#define ISSUE_HOSTS_MAX 128 /* names in one server certificate */
#define ISSUE_UNITS_MAX 16  /* units of one client */
#define ISSUE_DAYS_MAX 3650
#define ISSUE_CLIENT_DAYS 365 /* what a client gets unless it is told */

/* Who signs: the certificate of ca that key belongs to.  Both borrowed. */
struct issuer {
	const struct cert *ca;
	const struct key *key;
};

#define ISSUE_ID_SIZE 41 /* hex of SHA-1, and a NUL */

/* How the ledger calls the CA with this key. */
enum err issue_id(const struct key *key, char id[ISSUE_ID_SIZE]) MUST_USE;

/* A CA of its own, for ten years. */
enum err issue_ca(struct rng *r, const struct key *key, time_t now,
    struct cert **out, struct diag *d) MUST_USE;

struct issue_server {
	struct issuer by;
	const struct key *key;	  /* the server's */
	const char *const *hosts; /* at least one; doubles are dropped */
	size_t n_hosts;
	time_t now;
};

/* For 396 days, which with the hour is under the 397 that are customary. */
enum err issue_server(struct rng *r, const struct issue_server *req,
    struct cert **out, struct diag *d) MUST_USE;

/* The checks of names that issue_server() makes, by themselves. */
enum err issue_server_check(
    const char *const *hosts, size_t n_hosts, struct diag *d) MUST_USE;

struct issue_client {
	struct issuer by;
	const struct key *key;	  /* the client's */
	const char *name;	  /* CN */
	const char *const *units; /* OU, in this order */
	size_t n_units;
	const char *org; /* O, or NULL */
	unsigned days;	 /* 1 to ISSUE_DAYS_MAX */
	unsigned hours;	 /* not 0: these count, not the days */
	time_t now;
};

/* What was asked for, in seconds. */
time_t issue_life(unsigned days, unsigned hours);

enum err issue_client(struct rng *r, const struct issue_client *req,
    struct cert **out, struct diag *d) MUST_USE;

/* The checks of names and numbers that issue_client() makes, by themselves. */
enum err issue_client_check(
    const struct issue_client *req, struct diag *d) MUST_USE;

#endif

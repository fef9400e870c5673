/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_CA_H
#define CERTS_CA_H

/* The CA of a directory, as it is needed to sign. */
#include "cert.h"

struct ca {
	struct cert *cert; /* all that is in ca.crt */
	struct key *key;   /* ca-key.pem */
	struct key *old;   /* during a rollover: that of the CA that goes */
};

#define CA_OLD_KEY "ca-key-old.pem"

/* d names the file and says what to do; ca is to be freed in any case. */
enum err ca_load(
    struct ca *ca, const char *dir, struct rng *r, struct diag *d) MUST_USE;
/* The same where the keys may have a passphrase: pass, or NULL. */
enum err ca_load_with(struct ca *ca, const char *dir, const struct secret *pass,
    struct rng *r, struct diag *d) MUST_USE;
void ca_fini(struct ca *ca);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is missing and can be made; see plan.h.
 *
 * Sixty-four directories are possible, two modes.  A table refuses those in
 * which going on would mean a guess: a certificate whose key is gone, a
 * certificate whose CA is gone, a CA that cannot sign.  All others are
 * completed.  A key without its certificate is what a crash between the two
 * leaves (store.c writes keys first), so where there is a CA key the
 * certificate is made for the key that is there.
 *
 * Rejected: DinV's rule, "one is missing, make all six anew", by which users
 * lost the certificates they had supplied; and refusing everything but empty
 * and complete directories, after which each crash needs a human.
 */
#include "plan.h"

#define CA_KEY BIT(STORE_CA_KEY)
#define CA_CERT BIT(STORE_CA_CERT)
#define SERVER_KEY BIT(STORE_SERVER_KEY)
#define SERVER_CERT BIT(STORE_SERVER_CERT)
#define CLIENT_KEY BIT(STORE_CLIENT_KEY)
#define CLIENT_CERT BIT(STORE_CLIENT_CERT)

/*
 * First match refuses.
 *   with     all of these are there
 *   without  none of these is there
 *   text     what is wrong, and what to do
 */
static const struct {
	unsigned with;
	unsigned without;
	const char *text;
} refusals[] = {
	{ SERVER_CERT, SERVER_KEY,
	    "docker.crt is here without docker.key: put its key here, or "
	    "remove docker.crt to have a new pair made" },
	{ SERVER_CERT, CA_CERT,
	    "ca.crt is missing, and which CA the clients have is not known: "
	    "put ca.crt here, or remove docker.crt and docker.key to have "
	    "all made anew" },
	{ CLIENT_CERT, CA_CERT,
	    "ca.crt is missing, though docker-client.crt, which some CA has "
	    "signed, is here: put ca.crt here, or remove docker-client.crt "
	    "to have all made anew" },
	{ CA_CERT | SERVER_KEY, CA_KEY | SERVER_CERT,
	    "docker.crt is missing, and without ca-key.pem it cannot be "
	    "made: put docker.crt or ca-key.pem here" },
	{ CA_CERT, CA_KEY | SERVER_CERT,
	    "docker.crt and docker.key are missing, and without ca-key.pem "
	    "they cannot be made: put those two or ca-key.pem here" },
	{ SERVER_KEY, CA_KEY | SERVER_CERT,
	    "docker.key is here without docker.crt: put its certificate "
	    "here, or remove docker.key to have a new pair made" },
};

/* A certificate that is missing, and its key if that is missing too. */
static unsigned
missing_pair(unsigned have, unsigned key, unsigned cert)
{
	return (have & cert) != 0 ? 0 : (key | cert) & ~have;
}

enum err
plan_make(unsigned have, enum store_mode mode, unsigned *make, struct diag *d)
{
	unsigned todo;
	size_t i;

	if (mode == STORE_TLS && (have & PLAN_SERVER) == PLAN_SERVER) {
		*make = 0;
		return ERR_OK;
	}
	for (i = 0; i < NELEM(refusals); i++) {
		if ((have & refusals[i].with) == refusals[i].with &&
		    (have & refusals[i].without) == 0) {
			diag_set(d, 0, 0, "%s", refusals[i].text);
			return ERR_CERT_STORE;
		}
	}
	todo = missing_pair(have, CA_KEY, CA_CERT) |
	       missing_pair(have, SERVER_KEY, SERVER_CERT);
	if (mode == STORE_TLSVERIFY && ((have | todo) & CA_KEY) != 0) {
		todo |= missing_pair(have, CLIENT_KEY, CLIENT_CERT);
	}
	*make = todo;
	return ERR_OK;
}

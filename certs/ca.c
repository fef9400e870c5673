/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CA that signs; see ca.h.
 *
 * Whoever holds the key for which this is called is every client, so nothing
 * that faces the network links a caller of it into its path: the gate never
 * comes here (proxy/ensure.c makes a process for it).
 */
#include "ca.h"

#include <stdio.h>

#include "store.h"

/* The key of the CA that goes, if ca.crt still has its certificate. */
static enum err
load_old(struct ca *ca, const char *dir, const struct secret *pass,
    struct rng *r, struct diag *d)
{
	char path[STORE_PATH_SIZE];
	struct key *k = NULL;
	enum err rc;
	int n = snprintf(path, sizeof(path), "%s/" CA_OLD_KEY, dir);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		return ERR_LIMIT;
	}
	rc = key_load_with(path, CA_OLD_KEY, pass, r, &k, d);
	if (rc == ERR_NOTFOUND) {
		return ERR_OK;
	}
	if (rc == ERR_OK && cert_find_key(ca->cert, k, r) != NULL) {
		ca->old = k;
		k = NULL;
	}
	key_free(k);
	return rc;
}

enum err
ca_load(struct ca *ca, const char *dir, struct rng *r, struct diag *d)
{
	return ca_load_with(ca, dir, NULL, r, d);
}

enum err
ca_load_with(struct ca *ca, const char *dir, const struct secret *pass,
    struct rng *r, struct diag *d)
{
	char path[STORE_PATH_SIZE];
	enum err rc;

	ca->cert = NULL;
	ca->key = NULL;
	ca->old = NULL;
	rc = store_path(dir, STORE_CA_CERT, path, sizeof(path));
	if (rc != ERR_OK) {
		return rc;
	}
	rc = cert_load(path, "ca.crt", &ca->cert, d);
	if (rc == ERR_NOTFOUND) {
		diag_set(
		    d, 0, 0, "there is no ca.crt: dinv cert init makes a CA");
	}
	if (rc != ERR_OK) {
		return rc;
	}
	rc = store_path(dir, STORE_CA_KEY, path, sizeof(path));
	if (rc != ERR_OK) {
		return rc;
	}
	rc = key_load_with(path, "ca-key.pem", pass, r, &ca->key, d);
	if (rc == ERR_NOTFOUND) {
		diag_set(d, 0, 0,
		    "there is no ca-key.pem, without which nothing can be "
		    "signed: do it where that key is");
	}
	return rc == ERR_OK ? load_old(ca, dir, pass, r, d) : rc;
}

void
ca_fini(struct ca *ca)
{
	cert_free(ca->cert);
	key_free(ca->key);
	key_free(ca->old);
	ca->cert = NULL;
	ca->old = NULL;
	ca->key = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CA that signs; see ca.h.
 *
 * Whoever holds the key for which this is called is every client, so nothing
 * that faces the network links a caller of it into its path: the gate never
 * comes here (proxy/ensure.c makes a process for it).
 */
#include "ca.h"

#include "store.h"

enum err
ca_load(struct ca *ca, const char *dir, struct rng *r, struct diag *d)
{
	char path[STORE_PATH_SIZE];
	enum err rc;

	ca->cert = NULL;
	ca->key = NULL;
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
	rc = key_load(path, "ca-key.pem", r, &ca->key, d);
	if (rc == ERR_NOTFOUND) {
		diag_set(d, 0, 0,
		    "there is no ca-key.pem, without which nothing can be "
		    "signed: do it where that key is");
	}
	return rc;
}

void
ca_fini(struct ca *ca)
{
	cert_free(ca->cert);
	key_free(ca->key);
	ca->cert = NULL;
	ca->key = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ENSURE_H
#define PROXY_ENSURE_H

/*
 * Certificates that are missing at a start are made.  Logs what it did, and
 * on failure what to do.
 */
#include "certs/store.h"
#include "flags.h"

struct ensure_request {
	const char *dir;
	enum store_mode mode;
	struct str_list *hosts; /* names besides this machine's own, which are
				   added to it */
	/* Files with the passphrases of docker.key and ca-key.pem, or NULL. */
	const char *key_pass_file, *ca_pass_file;
};

bool ensure_certs(const struct ensure_request *req) MUST_USE;

/*
 * The same, in a process of its own, and only if something that a TLS server
 * loads is missing, or due to be renewed: the caller never holds the CA's key.
 * Before any thread is started.
 */
bool ensure_certs_apart(const struct ensure_request *req) MUST_USE;

#endif

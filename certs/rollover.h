/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_ROLLOVER_H
#define CERTS_ROLLOVER_H

/* A CA is replaced by another, while clients of both are served. */
#include "renew.h"

/*
 * Begins a rollover: a new CA signs from now on, and both are trusted.  The
 * server keeps a certificate of the old one, because that is what clients
 * know.  After a crash, again.  The new key has no passphrase, whatever the
 * old one has; hosts are not looked at.
 */
enum err rollover_begin(
    const struct renew_request *req, struct diag *d) MUST_USE;

/*
 * Ends it: the server gets a certificate of the new CA, and the old CA and its
 * key go.  ERR_EXISTS, and d names one, while clients of the old CA have a
 * certificate that is good, unless anyway.
 */
enum err rollover_end(
    const struct renew_request *req, bool anyway, struct diag *d) MUST_USE;

#endif

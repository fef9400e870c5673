/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ENSURE_H
#define PROXY_ENSURE_H

/*
 * Certificates that are missing at a start are made.  Logs what it did, and
 * on failure what to do.
 */
#include "certs/store.h"
#include "flags.h"

/* hosts: names besides this machine's own, which are added to it. */
bool ensure_certs(
    const char *dir, enum store_mode mode, struct str_list *hosts) MUST_USE;

/*
 * The same, in a process of its own, and only if something that a TLS server
 * loads is missing, or due to be renewed: the caller never holds the CA's key.
 * Before any thread is started.
 */
bool ensure_certs_apart(
    const char *dir, enum store_mode mode, struct str_list *hosts) MUST_USE;

#endif

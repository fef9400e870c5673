/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_PLAN_H
#define CERTS_PLAN_H

/* What to make in a directory, from what is in it.  Touches nothing. */
#include "store.h"

/* The files of one party. */
#define PLAN_CA (BIT(STORE_CA_KEY) | BIT(STORE_CA_CERT))
#define PLAN_SERVER (BIT(STORE_SERVER_KEY) | BIT(STORE_SERVER_CERT))
#define PLAN_CLIENT (BIT(STORE_CLIENT_KEY) | BIT(STORE_CLIENT_CERT))

/*
 * have and *make are BIT(enum store_file).  ERR_CERT_STORE, with the way out
 * in d, where something is missing that cannot be made or must not be
 * guessed.
 */
enum err plan_make(unsigned have, enum store_mode mode, unsigned *make,
    struct diag *d) MUST_USE;

#endif

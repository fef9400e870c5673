/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CENSUS_H
#define PROXY_CENSUS_H

/*
 * Counts open connections across worker threads: in all and by host, and by
 * client once that is known.  Thread-safe.
 */
#include "base/err.h"

struct census;

struct census *census_new(
    uint32_t max_total, uint32_t max_per_host, uint32_t max_per_client);
void census_free(struct census *c);

/* has_host: key says which host.  ERR_LIMIT past the cap of all, ERR_SHARE past
 * that of a host, ERR_NOMEM; nothing is counted then. */
enum err census_enter(
    struct census *c, bool has_host, const uint8_t key[16]) MUST_USE;
void census_leave(struct census *c, bool has_host, const uint8_t key[16]);

/* One of those has turned out to be this client's.  ERR_SHARE: it is one too
 * many, and is counted all the same; ERR_LIMIT: one of far too many, ERR_NOMEM;
 * neither is counted. */
enum err census_join(struct census *c, const uint8_t client[16]) MUST_USE;
/* After ERR_OK and ERR_SHARE. */
void census_part(struct census *c, const uint8_t client[16]);

uint32_t census_total(struct census *c);

#endif

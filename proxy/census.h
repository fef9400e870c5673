/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CENSUS_H
#define PROXY_CENSUS_H

/*
 * Counts open connections, in all and by host, across worker threads.
 * Thread-safe.
 */
#include "base/err.h"

struct census;

struct census *census_new(uint32_t max_total, uint32_t max_per_host);
void census_free(struct census *c);

/* has_host: key says which host.  ERR_LIMIT past a cap, ERR_NOMEM. */
enum err census_enter(
    struct census *c, bool has_host, const uint8_t key[16]) MUST_USE;
void census_leave(struct census *c, bool has_host, const uint8_t key[16]);
uint32_t census_total(struct census *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_RNG_H
#define CERTS_RNG_H

/*
 * Random bytes: AES-CTR-DRBG seeded by the kernel.  One object a job, used
 * by one thread, never kept across fork().
 */
#include "base/err.h"

struct rng;

enum err rng_new(struct rng **out) MUST_USE;
void rng_free(struct rng *r);
enum err rng_bytes(struct rng *r, void *to, size_t n) MUST_USE;

#endif

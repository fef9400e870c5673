/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_FAILURES_H
#define PROXY_FAILURES_H

/* How often which host has failed of late.  For one thread. */
#include "base/span.h"

#define FAILURES_SLOTS 256

struct failures {
	unsigned max;	   /* so many within */
	int64_t window_ms; /* this long are enough */
	struct {
		uint8_t host[16];
		int64_t since_ms;
		unsigned n; /* 0: a free slot */
	} slot[FAILURES_SLOTS];
};

/* Did it fail so often that it has to wait?  now_ms: loop_now_ms(). */
bool failures_enough(
    const struct failures *f, const uint8_t host[16], int64_t now_ms) MUST_USE;
/* Once more.  Where there are too many hosts, the oldest is forgotten. */
void failures_add(struct failures *f, const uint8_t host[16], int64_t now_ms);

#endif

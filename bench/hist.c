/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See hist.h.  The client's side of a measurement: what somebody at a
 * terminal would feel.  It is told beside the server's processor time, and
 * is worth less: the client shares the machine.
 */
#include "hist.h"

#include <stdatomic.h>
#include <time.h>

#define SUB_BITS 4
#define BUCKETS (64 << SUB_BITS)

static atomic_ulong buckets[BUCKETS];
static atomic_ulong first, last;

uint64_t
hist_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Values below 16 have buckets of their own; above, the highest bit and the
 * four that follow it. */
static unsigned
bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns < 1u << SUB_BITS) {
		return (unsigned)ns;
	}
	shift = 63u - (unsigned)__builtin_clzll(ns) - SUB_BITS;
	return ((shift + 1) << SUB_BITS) + (unsigned)(ns >> shift) -
	       (1u << SUB_BITS);
}

/* Its upper end. */
static double
value_of(unsigned bucket)
{
	unsigned shift = bucket >> SUB_BITS;
	unsigned low = bucket & ((1u << SUB_BITS) - 1);

	if (shift == 0) {
		return low;
	}
	return (double)((1u << SUB_BITS) + low + 1) *
	       (double)((uint64_t)1 << (shift - 1));
}

void
hist_add(uint64_t ns)
{
	uint64_t end = hist_now_ns(), none = 0, was = atomic_load(&last);

	atomic_compare_exchange_strong(&first, &none, end - ns);
	while (was < end && !atomic_compare_exchange_weak(&last, &was, end)) {
	}
	atomic_fetch_add(&buckets[bucket_of(ns)], 1);
}

uint64_t
hist_count(void)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		n += atomic_load(&buckets[i]);
	}
	return n;
}

double
hist_us(double part)
{
	double left = part * (double)hist_count();

	for (unsigned i = 0; i < BUCKETS; i++) {
		left -= (double)atomic_load(&buckets[i]);
		if (left <= 0) {
			return value_of(i) / 1e3;
		}
	}
	return 0;
}

double
hist_seconds(void)
{
	return (double)(atomic_load(&last) - atomic_load(&first)) / 1e9;
}

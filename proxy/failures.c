/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who fails too often; see failures.h.
 *
 * A small table that is searched from end to end: it is asked once for each
 * connection to a listener that is slow by nature.
 *
 * Attackers with more addresses than there are slots push each other out, and
 * nobody else: an honest client does not fail ten times.
 */
#include "failures.h"

static bool
is_fresh(const struct failures *f, size_t i, int64_t now_ms)
{
	return f->slot[i].n > 0 && now_ms - f->slot[i].since_ms < f->window_ms;
}

bool
failures_enough(
    const struct failures *f, const uint8_t host[16], int64_t now_ms)
{
	size_t i;

	for (i = 0; i < FAILURES_SLOTS; i++) {
		if (is_fresh(f, i, now_ms) &&
		    memcmp(f->slot[i].host, host, 16) == 0) {
			return f->slot[i].n >= f->max;
		}
	}
	return false;
}

void
failures_add(struct failures *f, const uint8_t host[16], int64_t now_ms)
{
	size_t i, oldest = 0;

	for (i = 0; i < FAILURES_SLOTS; i++) {
		if (is_fresh(f, i, now_ms) &&
		    memcmp(f->slot[i].host, host, 16) == 0) {
			f->slot[i].n++;
			return;
		}
		if (!is_fresh(f, i, now_ms)) {
			f->slot[i].n = 0;
		}
		if (f->slot[oldest].n > 0 &&
		    (f->slot[i].n == 0 ||
			f->slot[i].since_ms < f->slot[oldest].since_ms)) {
			oldest = i;
		}
	}
	memcpy(f->slot[oldest].host, host, 16);
	f->slot[oldest].since_ms = now_ms;
	f->slot[oldest].n = 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_SHED_H
#define PROXY_SHED_H

/*
 * What is turned away while there is too much of it: the log hears of it once
 * in LIMIT_SHED_LOG_MS, with the number of those it did not hear of.  One for
 * each thread.
 */
#include "base/err.h"

struct shed {
	int64_t quiet_until_ms;
	uint64_t unsaid;
};

/* May this one be logged?  *unsaid: how many were not since the last. */
bool shed_may_say(struct shed *s, int64_t now_ms, uint64_t *unsaid);

#endif

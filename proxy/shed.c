/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of a flood; see shed.h.
 *
 * Rejected: a token bucket (a burst of lines says nothing that the first did
 * not), and leaving it to whoever keeps the log: a full disk there is the
 * gate's fault.
 *
 * Attackers open connections as fast as they can; without this each would
 * write a line.
 */
#include "shed.h"

#include "limit.h"

bool
shed_may_say(struct shed *s, int64_t now_ms, uint64_t *unsaid)
{
	if (now_ms < s->quiet_until_ms) {
		s->unsaid++;
		return false;
	}
	*unsaid = s->unsaid;
	s->unsaid = 0;
	s->quiet_until_ms = now_ms + LIMIT_SHED_LOG_MS;
	return true;
}

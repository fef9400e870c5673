/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors; see descriptors.h.
 *
 * A connection has two, one to its client and one to dockerd.  With more
 * clients than that leaves room for, those who are in could not reach dockerd,
 * and a reload could not read the list of revoked certificates: who opens
 * connections for their own sake would keep a revoked client in.  So the cap
 * on connections is what the descriptors are enough for.
 *
 * Rejected: keeping one descriptor back, to be closed when there is no other;
 * it helps one caller, once.
 */
#include "descriptors.h"

#include <sys/resource.h>

#include "limit.h"
#include "log.h"

void
descriptors_raise(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

uint32_t
descriptors_room(uint32_t connections)
{
	struct rlimit rl;
	uint64_t room;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 ||
	    rl.rlim_cur == RLIM_INFINITY) {
		return connections;
	}
	room = rl.rlim_cur < LIMIT_DESCRIPTORS_SPARE + 2
		   ? 1
		   : (rl.rlim_cur - LIMIT_DESCRIPTORS_SPARE) / 2;
	if (room >= connections) {
		return connections;
	}
	log_warn("%llu descriptors are enough for %llu connections, not for "
		 "limits.connections=%u: raise LimitNOFILE= or ulimit -n",
	    (unsigned long long)rl.rlim_cur, (unsigned long long)room,
	    connections);
	return (uint32_t)room;
}

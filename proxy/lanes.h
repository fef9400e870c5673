/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_LANES_H
#define PROXY_LANES_H

/*
 * Storage for lanes, of one worker: an empty lane has none, so that a silent
 * stream costs nothing, and one through which bytes flow is emptied at every
 * turn.  What one gives back is kept for the next that needs it, so that a
 * stream under way asks the heap for nothing.
 */
#include "base/buf.h"

/* As many as move at a time: more are freed. */
#define LANES_SPARE 16

struct lanes {
	uint8_t *spare[LANES_SPARE]; /* each of LIMIT_LANE_BYTES */
	size_t n;
};

/* Storage for b, if it has none and is a lane; short of memory: still none. */
void lanes_lend(struct lanes *l, struct buf *b);
/* b may have held a longer head; what follows it has a lane's room, so that
 * the storage is a lane's again once the head has gone. */
void lanes_bound(struct buf *b);
/* Takes b's storage back if b is empty: keeps or frees it. */
void lanes_release(struct lanes *l, struct buf *b);
void lanes_fini(struct lanes *l);

#endif

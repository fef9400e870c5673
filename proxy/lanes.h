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

/* Storage for b, if it has none and one is there; else b asks the heap. */
void lanes_lend(struct lanes *l, struct buf *b);
/* Takes b's storage back if b is empty: keeps or frees it. */
void lanes_release(struct lanes *l, struct buf *b);
void lanes_fini(struct lanes *l);

#endif

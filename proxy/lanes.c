/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spare storage of lanes; see lanes.h.
 *
 * Last in, first out: what was used a moment ago is in the processor's cache.
 * Each piece is the heap's, of one size, so a lane may be given it, swap it
 * with another lane (buf_move), or free it, and need not know.
 *
 * Rejected: lanes that keep their storage (64 KiB, four times a connection,
 * for who says a word now and then).
 *
 * A piece holds what the last lane held; a lane reads only what it was given
 * (buf.c), as with any memory of the heap.
 */
#include "lanes.h"

#include <stdlib.h>

#include "limit.h"

void
lanes_lend(struct lanes *l, struct buf *b)
{
	if (b->data != NULL || b->max < LIMIT_LANE_FILL_BYTES) {
		return;
	}
	b->data = l->n > 0 ? l->spare[--l->n] : malloc(LIMIT_LANE_BYTES);
	b->cap = b->data == NULL ? 0 : LIMIT_LANE_BYTES;
	b->off = 0;
}

void
lanes_bound(struct buf *b)
{
	b->max = b->len > LIMIT_LANE_BYTES ? b->len : LIMIT_LANE_BYTES;
}

void
lanes_release(struct lanes *l, struct buf *b)
{
	if (b->len == 0 && b->data != NULL && b->cap == LIMIT_LANE_BYTES &&
	    l->n < LANES_SPARE) {
		l->spare[l->n++] = b->data;
		b->data = NULL;
		b->off = b->cap = 0;
	}
	buf_release(b);
}

void
lanes_fini(struct lanes *l)
{
	while (l->n > 0) {
		free(l->spare[--l->n]);
	}
}

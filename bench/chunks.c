/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunked bodies for both ends of the benchmark: see chunks.h.  Data is
 * skipped by length, the rest is read byte by byte, so that neither end costs
 * much beside the server between them.
 */
#include "chunks.h"

#include <stdio.h>
#include <string.h>

static void
size_byte(struct chunks *c, char ch)
{
	if (ch >= '0' && ch <= '9') {
		c->left = c->left * 16 + (uint64_t)(ch - '0');
	} else if ((ch | 32) >= 'a' && (ch | 32) <= 'f') {
		c->left = c->left * 16 + (uint64_t)((ch | 32) - 'a' + 10);
	} else if (ch == '\n') {
		c->at = c->left == 0 ? CHUNK_TRAILER : CHUNK_DATA;
		c->line = 0;
	} else if (ch != '\r') {
		c->bad = true;
	}
}

static void
trailer_byte(struct chunks *c, char ch)
{
	if (ch == '\n') {
		c->done = c->line == 0;
		c->line = 0;
	} else if (ch != '\r') {
		c->line++;
	}
}

static void
frame_byte(struct chunks *c, char ch)
{
	if (c->at == CHUNK_SIZE) {
		size_byte(c, ch);
	} else if (c->at == CHUNK_TRAILER) {
		trailer_byte(c, ch);
	} else if (ch == '\n') {
		c->at = CHUNK_SIZE;
		c->left = 0;
	}
}

size_t
chunks_feed(struct chunks *c, const char *p, size_t n)
{
	size_t used = 0;

	while (used < n && !c->done && !c->bad) {
		size_t take = n - used;

		if (c->at != CHUNK_DATA) {
			frame_byte(c, p[used++]);
			continue;
		}
		if (take > c->left) {
			take = c->left;
		}
		c->left -= take;
		c->bytes += take;
		used += take;
		if (c->left == 0) {
			c->at = CHUNK_AFTER;
		}
	}
	return used;
}

void
chunks_fill(char *wire, size_t n)
{
	uint32_t x = 2463534242u;

	for (size_t i = 0; i < n; i++, wire += CHUNK_WIRE) {
		memcpy(wire, "8000\r\n", 6);
		for (size_t j = 0; j < CHUNK_BYTES; j++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			wire[6 + j] = (char)x;
		}
		memcpy(wire + 6 + CHUNK_BYTES, "\r\n", 2);
	}
}

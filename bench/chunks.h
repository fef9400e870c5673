/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CHUNKS_H
#define BENCH_CHUNKS_H

/*
 * A chunked body (RFC 9112 7.1) as the two ends of the benchmark read and
 * write it.  They trust what they read: a body that they do not understand
 * ends the run.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What dockerd writes at once (Go's io.Copy), and one such chunk on the wire:
 * "8000\r\n", the bytes, "\r\n". */
#define CHUNK_BYTES 32768u
#define CHUNK_WIRE (CHUNK_BYTES + 8)
#define CHUNKS_END "0\r\n\r\n"

struct chunks {
	enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_AFTER, CHUNK_TRAILER } at;
	uint64_t left;	/* of this chunk's data, or its size so far */
	uint64_t bytes; /* of payload, in all */
	size_t line;	/* length of this trailer line */
	bool done;
	bool bad;
};

/*
 * chunks_feed() -- read on; returns how many bytes belonged to the body.
 *
 *   c   zeroed at the start; done or bad afterwards stop it
 */
size_t chunks_feed(struct chunks *c, const char *p, size_t n);

/* Fills wire with n chunks of data that does not compress. */
void chunks_fill(char *wire, size_t n);

#endif

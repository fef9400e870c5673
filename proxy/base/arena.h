/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

/*
 * Memory that is given back all at once: one arena a request.  Pieces are
 * aligned for any type and zeroed.  Past the ceiling, or out of memory, NULL
 * is returned and everything given out before stays good.
 */
#include "span.h"

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t total; /* bytes of all blocks */
	size_t max;   /* ceiling for total */
};

void arena_init(struct arena *a, size_t max);
void arena_fini(struct arena *a);  /* frees all; the arena can be used anew */
void arena_reset(struct arena *a); /* the same, ceiling kept */

void *arena_alloc(struct arena *a, size_t n) MUST_USE;
/* n elements of size bytes each, zeroed; NULL where n * size overflows. */
void *arena_array(struct arena *a, size_t n, size_t size) MUST_USE;
/* A copy ended by NUL (not counted in any length). */
char *arena_dup(struct arena *a, struct span s) MUST_USE;
/* The same as a span; p is NULL, and there is no length, where memory is
 * short. */
struct span arena_span(struct arena *a, struct span s) MUST_USE;
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) MUST_USE;

#endif

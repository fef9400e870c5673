/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request arena; see arena.h.
 *
 * Blocks in a list, newest first; each piece is cut from the newest block or,
 * when it does not fit, from a new one of at least ARENA_BLOCK_BYTES.  No
 * piece is ever freed alone: a request's memory has one end, which is why a
 * parser may fail in the middle without cleaning up.
 *
 * Attackers ask for much: the ceiling answers with NULL, which every caller
 * turns into an error.
 */
#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_FIRST_BYTES 512
#define ARENA_BLOCK_BYTES 4096 /* the largest that is made for many pieces */
#define ARENA_ALIGN 16

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	size_t pad; /* keeps data aligned to ARENA_ALIGN */
	unsigned char data[];
};

void
arena_init(struct arena *a, size_t max)
{
	a->head = NULL;
	a->total = 0;
	a->max = max;
}

void
arena_fini(struct arena *a)
{
	struct arena_block *b, *next;

	for (b = a->head; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	a->head = NULL;
	a->total = 0;
}

void
arena_reset(struct arena *a)
{
	arena_fini(a);
}

static struct arena_block *
arena_add_block(struct arena *a, size_t n)
{
	struct arena_block *b;
	/* As much again as there is, so that small arenas stay small. */
	size_t size = a->total < ARENA_FIRST_BYTES   ? ARENA_FIRST_BYTES
		      : a->total > ARENA_BLOCK_BYTES ? ARENA_BLOCK_BYTES
						     : a->total;

	size = n > size ? n : size;

	if (size > a->max || a->total > a->max - size) {
		return NULL;
	}
	b = malloc(sizeof(*b) + size);
	if (b == NULL) {
		return NULL;
	}
	b->next = a->head;
	b->used = 0;
	b->size = size;
	a->head = b;
	a->total += size;
	return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->head;
	void *p;

	if (n > SIZE_MAX - ARENA_ALIGN) {
		return NULL;
	}
	n = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (n == 0) {
		n = ARENA_ALIGN;
	}
	if (b == NULL || b->size - b->used < n) {
		b = arena_add_block(a, n);
		if (b == NULL) {
			return NULL;
		}
	}
	p = b->data + b->used;
	b->used += n;
	memset(p, 0, n);
	return p;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size) {
		return NULL;
	}
	return arena_alloc(a, n * size);
}

char *
arena_dup(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.len + 1);

	if (p != NULL && s.len > 0) {
		memcpy(p, s.p, s.len);
	}
	return p;
}

struct span
arena_span(struct arena *a, struct span s)
{
	char *p = arena_dup(a, s);

	return span_make(p, p == NULL ? 0 : s.len);
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		return NULL;
	}
	p = arena_alloc(a, (size_t)n + 1);
	if (p == NULL) {
		return NULL;
	}
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for the record buffers of TLS connections; see tls_mem.h.
 *
 * Mbed TLS holds two buffers of 17 KiB a connection from its beginning to its
 * end, because a record may be that large.  Most are not: an idle stream has
 * seen a handshake and a request.  From the heap these buffers are memory that
 * was used before and is cleared as a whole; from here they are pages that the
 * kernel gives when they are touched, mostly one of five; those of a
 * connection that waits go back (tls_mem_rest).
 *
 * A few freed buffers keep their pages for the next connections, wiped: to
 * give pages back and fetch them anew costs as much as the handshake where the
 * kernel is itself a guest (each is a fault, and each giving back stops the
 * other processors), see docs/performance.md.  Beyond those few, a freed
 * buffer's pages go back at once.
 *
 * One range of addresses holds all buffers, so that a pointer tells by itself
 * where it belongs; the kernel is asked for nothing until it is used.
 *
 * Rejected: a low mmap threshold for the whole heap (buffers of the relay come
 * and go with every burst: three times the CPU per gigabyte), a smaller size
 * of records (more records per gigabyte), and Mbed TLS's own shrinking, which
 * only clients that negotiate a fragment length get.
 *
 * Attackers open many connections: they cost pages only for what they send.
 */
#include "tls_mem.h"

#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)20 * 1024) /* a record buffer, in whole pages */
#define PAGE_LEAST_BYTES 4096
#define PIECE_LEAST_BYTES ((size_t)16 * 1024)
#define WARM_PIECES 32 /* with their pages: 640 KiB, for 16 connections */

static struct {
	pthread_mutex_t lock; /* for the numbers below */
	char *base;
	size_t n;
	uint32_t *unused; /* numbers of pieces; a stack */
	size_t n_unused;
	size_t n_fresh; /* pieces from here on were never given out */
	uint32_t warm[WARM_PIECES]; /* unused as well, zeroes; a stack */
	size_t n_warm;
} mem = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool
tls_mem_has(const void *p)
{
	const char *c = p;

	return mem.base != NULL && c >= mem.base &&
	       c < mem.base + mem.n * PIECE_BYTES;
}

static void *
take_piece(void)
{
	size_t i = mem.n;

	pthread_mutex_lock(&mem.lock);
	if (mem.n_warm > 0) {
		i = mem.warm[--mem.n_warm];
	} else if (mem.n_unused > 0) {
		i = mem.unused[--mem.n_unused];
	} else if (mem.n_fresh < mem.n) {
		i = mem.n_fresh++;
	}
	pthread_mutex_unlock(&mem.lock);
	return i == mem.n ? NULL : mem.base + i * PIECE_BYTES;
}

void *
tls_mem_calloc(size_t n, size_t size)
{
	size_t total;
	void *p = NULL;

	if (__builtin_mul_overflow(n, size, &total)) {
		return NULL;
	}
	if (mem.base != NULL && total > PIECE_LEAST_BYTES &&
	    total <= PIECE_BYTES) {
		p = take_piece();
	}
	return p == NULL ? calloc(n, size) : p;
}

/* Only the pages that are there: wiping another would fetch it first. */
static void
wipe_piece(char *p)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
	unsigned char there[PIECE_BYTES / PAGE_LEAST_BYTES];

	if (page < PAGE_LEAST_BYTES || PIECE_BYTES % page != 0 ||
	    mincore(p, PIECE_BYTES, there) != 0) {
		mbedtls_platform_zeroize(p, PIECE_BYTES);
		return;
	}
	for (i = 0; i < PIECE_BYTES / page; i++) {
		if (there[i] & 1) {
			mbedtls_platform_zeroize(p + i * page, page);
		}
	}
}

void
tls_mem_rest(void *p)
{
	wipe_piece(p);
	/* Where it fails the pages stay, and are zeroes all the same. */
	(void)madvise(p, PIECE_BYTES, MADV_DONTNEED);
}

/* With its pages, wiped; false: there are enough of these. */
static bool
keep_warm(char *p, uint32_t i)
{
	bool room;

	pthread_mutex_lock(&mem.lock);
	room = mem.n_warm < WARM_PIECES;
	pthread_mutex_unlock(&mem.lock);
	if (!room) {
		return false;
	}
	mbedtls_platform_zeroize(p, PIECE_BYTES);
	pthread_mutex_lock(&mem.lock);
	room = mem.n_warm < WARM_PIECES; /* others keep some, too */
	if (room) {
		mem.warm[mem.n_warm++] = i;
	}
	pthread_mutex_unlock(&mem.lock);
	return room;
}

void
tls_mem_free(void *p)
{
	uint32_t i;

	if (!tls_mem_has(p)) {
		free(p);
		return;
	}
	i = (uint32_t)((size_t)((char *)p - mem.base) / PIECE_BYTES);
	if (keep_warm(p, i)) {
		return;
	}
	if (madvise(p, PIECE_BYTES, MADV_DONTNEED) != 0) {
		memset(p, 0, PIECE_BYTES);
	}
	pthread_mutex_lock(&mem.lock);
	mem.unused[mem.n_unused++] = i;
	pthread_mutex_unlock(&mem.lock);
}

void
tls_mem_open(size_t connections)
{
	size_t n = 2 * connections;
	void *base;

	if (mem.base != NULL || n == 0 || n > UINT32_MAX ||
	    n > SIZE_MAX / PIECE_BYTES) {
		return;
	}
	mem.unused = calloc(n, sizeof(*mem.unused));
	if (mem.unused == NULL) {
		return;
	}
	base = mmap(NULL, n * PIECE_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED) {
		free(mem.unused);
		mem.unused = NULL;
		return;
	}
	/* Huge pages would undo it. */
	(void)madvise(base, n * PIECE_BYTES, MADV_NOHUGEPAGE);
	mem.n = n;
	mem.base = base;
	(void)mbedtls_platform_set_calloc_free(tls_mem_calloc, tls_mem_free);
}

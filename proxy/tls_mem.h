/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_TLS_MEM_H
#define PROXY_TLS_MEM_H

/* Memory for the record buffers of TLS connections; see tls_mem.c. */
#include "base/err.h"

/*
 * Once, before the first connection and any thread.  connections: at most so
 * many have buffers here, later ones get theirs from the heap.  Where there
 * is no room for it nothing changes.
 */
void tls_mem_open(size_t connections);

/* For Mbed TLS, and for tests. */
void *tls_mem_calloc(size_t n, size_t size);
void tls_mem_free(void *p);
/* p's pages are wiped and go back to the kernel; it stays allocated, and is
 * zeroes.  tls_mem_has(p) must be true. */
void tls_mem_rest(void *p);
/* Is it one of the buffers? */
bool tls_mem_has(const void *p);

#endif

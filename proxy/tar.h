/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_TAR_H
#define PROXY_TAR_H

/* Writes tar archives (POSIX.1-1988, "ustar"): small files in memory. */
#include <time.h>

#include "base/buf.h"

/*
 * Appends a regular file.  name: at most 99 bytes, no '/' in front.
 * ERR_LIMIT, ERR_NOMEM.
 */
enum err tar_add(struct buf *out, const char *name, unsigned mode, time_t mtime,
    struct span bytes) MUST_USE;

/* The two empty blocks at the end. */
enum err tar_end(struct buf *out) MUST_USE;

/* How much tar_add() appends for a file of n bytes. */
size_t tar_size(size_t n);

#endif

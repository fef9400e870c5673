/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "err.h"

/*
 * Key bytes: wiped before their memory is given back, and never handed to a
 * function that formats.  One byte past len is always NUL, because Mbed TLS
 * wants PEM text so.
 */
struct secret {
	uint8_t *data;
	size_t len;
};

/*
 * Reads a whole regular file of at most max bytes.  ERR_NOTFOUND, ERR_LIMIT,
 * ERR_NOMEM, ERR_IO with errno; s is untouched on failure.
 */
enum err secret_read_file(
    struct secret *s, const char *path, size_t max) MUST_USE;
/*
 * Files are opened by fn from now on, in the whole process: by name, for
 * reading, -1 with errno.  For a process that may not open any itself.  NULL:
 * by open(2).  Before threads start.
 */
void secret_open_by(int (*fn)(const char *path));
void secret_fini(struct secret *s);

/* Overwrites n bytes in a way that the compiler does not remove. */
void secret_wipe(void *p, size_t n);

/* Compares without an early end; true when equal. */
bool secret_equal(const void *a, const void *b, size_t n) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_ROTATE_H
#define PROXY_AUDIT_ROTATE_H

/* Audit files that were filled: FILE.20261121T081500.123Z, then .gz of it.
 * Their names sort as they were written. */
#include <sys/types.h>

#include "base/err.h"

struct audit_rotation {
	uint64_t bytes; /* a file may have before it is moved away; 0: any */
	uint32_t hours; /* and how old it may be; 0: any */
	uint32_t keep;	/* how many of those moved away; 0: all */
};

/* Moves path away; moved gets the new name. */
enum err audit_rotate_move(
    const char *path, char *moved, size_t size, struct diag *d) MUST_USE;
/* Starts gzip on one that was moved; 0 where it cannot. */
pid_t audit_rotate_compress(const char *moved);
/* Removes the oldest ones beyond keep. */
void audit_rotate_prune(const char *path, unsigned keep);
/* The newest one that is not compressed, for its last line. */
bool audit_rotate_newest(const char *path, char *out, size_t size);

#endif

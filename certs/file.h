/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_FILE_H
#define CERTS_FILE_H

/*
 * New files in a directory: whole or not there; in place of another only by
 * file_replace().
 * Directories are held by descriptor, names have no '/'.
 */
#include <sys/types.h>

#include "base/err.h"

/* Opens a directory, made first (mode) if only it is missing. */
enum err dir_open(const char *path, mode_t mode, int *fd, bool *made,
    struct diag *d) MUST_USE;

/* Waits for the directory's lock; the descriptor that is returned holds it. */
enum err dir_lock(int dir_fd, int *lock_fd) MUST_USE;

/* Removes what a file_create() that was killed has left.  Needs the lock. */
void dir_sweep(int dir_fd);

/* Is there an entry of that name (a dangling symbolic link counts)? */
enum err file_exists(int dir_fd, const char *name, bool *is) MUST_USE;

/*
 * Writes a file with exactly this mode; on return it and its name are on the
 * disk.  ERR_EXISTS, and the other file untouched, if the name is taken.
 * errno tells the system's reason after ERR_IO.
 */
enum err file_create(
    int dir_fd, const char *name, mode_t mode, struct span bytes) MUST_USE;

/*
 * The same in place of what has the name: whoever opens it gets the old file
 * or the new one, whole.  For files of our own only, under the lock.
 */
enum err file_replace(
    int dir_fd, const char *name, mode_t mode, struct span bytes) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_PIDFILE_H
#define PROXY_PIDFILE_H

#include <sys/types.h>

#include "base/err.h"

/*
 * pidfile_clear() -- removes a pid file that its program left behind.
 *
 *   path   absent is fine
 *   comms  names, ended by NULL, that the program has in /proc/PID/stat
 *          (at most 15 bytes are compared, as the kernel keeps no more)
 *   pid    set when ERR_EXISTS is returned
 *
 * A file is stale when it holds no process id, or the id of a process that
 * is gone, is a zombie, or has another name: inside a container small ids
 * are given out anew at each start.
 *
 * ERR_EXISTS: the program runs; the file stays.  ERR_SYNTAX: not a regular
 * file.  ERR_IO: it cannot be read or removed (errno).
 */
enum err pidfile_clear(
    const char *path, const char *const *comms, pid_t *pid) MUST_USE;

#endif

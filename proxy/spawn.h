/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_SPAWN_H
#define PROXY_SPAWN_H

/*
 * This very program again, in a process of its own: for work that needs the
 * CA's key, which the one that faces the network must not hold.
 */
#include <sys/types.h>

#include "base/err.h"

/*
 * argv as main() gets it, ended by NULL.  in, out: what becomes its standard
 * input and output; -1: ours.  No other descriptor of ours is inherited, and
 * no signal is blocked there.  ERR_IO with errno.
 */
enum err spawn_self(
    const char *const argv[], int in, int out, pid_t *pid) MUST_USE;

#endif

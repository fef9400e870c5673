/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_SHIMS_H
#define PROXY_SHIMS_H

/*
 * The containers of one dockerd, found in /proc.
 */
#include "base/span.h"

enum shims_what {
	SHIMS_CONTAINERS = 0, /* the containers' own processes */
	SHIMS_ALL,	      /* and the shims that watch over them */
};

/*
 * Sends SIGKILL to what runs under the shims of the containerd that the
 * dockerd with this --exec-root started for itself; shims of a containerd
 * that the machine shares with others are left alone.  Returns how many
 * processes got the signal.
 */
size_t shims_kill(const char *exec_root, enum shims_what what);

/* Of one /proc/PID/cmdline (len bytes): is it such a shim?  For tests. */
bool shims_is_ours(const char *cmdline, size_t len, const char *exec_root);

#endif

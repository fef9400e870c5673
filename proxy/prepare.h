/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_PREPARE_H
#define PROXY_PREPARE_H

/*
 * The ground on which dockerd is started.  Each logs what is wrong and what
 * to do about it, and returns false.
 */
#include "supervise.h"

/* Before the first start: nobody may listen on the socket's path. */
bool prepare_socket(const char *path) MUST_USE;

/* Before each start: removes the stale pid files of dockerd and its
 * containerd; false where that dockerd runs already. */
bool prepare_pid_files(const struct supervise_plan *plan) MUST_USE;

/* Repeats the last lines of a log in ours. */
void prepare_show_log(const char *path);

#endif

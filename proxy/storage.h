/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_STORAGE_H
#define PROXY_STORAGE_H

/*
 * The storage driver for dockerd's data folder, chosen before dockerd is
 * started: one that cannot work there is a sentence here, and a dockerd that
 * ends with "driver not supported" there.
 */
#include "base/err.h"

/*
 * Whether overlay2 can work in data (made if missing): ERR_OK, or ERR_IO with
 * why set.  Mounts for a moment, where nobody sees it.
 */
enum err storage_try_overlay(const char *data, struct diag *why) MUST_USE;

/*
 * The driver for data where none was asked for: "overlay2"; else "vfs", with
 * why set: overlay2 cannot work there, or what lies there is vfs's.
 */
const char *storage_choose(const char *data, struct diag *why);

#endif

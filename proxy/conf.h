/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CONF_H
#define PROXY_CONF_H

/*
 * The configuration file (-config): JSON with comments, all that the flags
 * of "dinv gate" say and the limits.  docs/operations.md lists the keys.
 */
#include "gate.h"

/*
 * Fills what the file names and leaves the rest of *out as it is.  d says
 * "FILE:line:col: what was expected".  Strings live as long as the program.
 */
enum err conf_load(
    const char *path, struct gate_config *out, struct diag *d) MUST_USE;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_DEEDS_H
#define PROXY_DEEDS_H

/*
 * The deeds of keeper.h, done by who has the right to: the master, or a
 * process that has none.
 */
#include <sys/types.h>

#include "addr.h"
#include "base/err.h"

int deed_open(const char *path);
int deed_connect(const struct addr *dockerd);
enum err deed_issue(const char *certs_dir, const char *ca_pass_file,
    int question, int *answer, pid_t *pid) MUST_USE;
/* Ends it, and waits for its end. */
void deed_end(pid_t pid);

#endif
